//! Which gate a change must pass (`000_…` §6): the five levels, and the rules that choose one.

mod decision;
mod level;

pub use decision::{BlockCause, GateBlock, GateDecision, GateFacts, GateRule, Step, decide};
pub use level::{Gate, gate_of};
