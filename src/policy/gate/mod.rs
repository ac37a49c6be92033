//! Which gate a change must pass (`000_…` §6).

mod level;

pub use level::{Gate, gate_of};
