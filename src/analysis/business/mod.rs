//! What the service is there for happens as often as before (`003_…`, module 5: a key business metric within 10 %).
//!
//! Two looks at it: one window by itself, for what is plain to see at once (`limit.rs`), and all stages of an attempt together,
//! for what no stage shows by itself (`tally.rs`).

mod limit;
mod scatter;
mod tally;

pub(super) use limit::business;
pub use scatter::Scatter;
pub use tally::{BusinessTally, Happened, Rules, Side, Stretch, Together};

#[cfg(test)]
mod tests;
