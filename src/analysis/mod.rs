//! From what was measured to what it means: evidence, limits, comparison, verdict.
//!
//! Here belongs how figures of the two versions are judged. What must never enter: I/O, a clock, randomness, a
//! Prometheus client (`prometheus` makes the evidence), and what is done about a verdict (that is `release`).
//! `tests/pure_rooms.rs` holds this.
//!
//! Absence holds: it never passes, and it never blames the new version.

mod binomial;
mod blame;
pub mod business;
mod chance;
pub mod compare;
pub mod compliance;
pub mod course;
pub mod evidence;
mod figures;
mod latency;
pub mod limits;
mod needed;
mod quantile;
pub mod share;
pub mod streak;
pub mod synthetic;
mod verdict;

pub use blame::{Beside, blame};
pub use chance::Looked;
pub use evidence::{ArmSample, Business, Evidence, Observation};
pub use latency::LastSeen;
pub use limits::{Limits, checks, figure, judge, judge_few};
pub use needed::{Flowed, traffic_time};
pub use quantile::Quantiles;
pub use share::Share;
pub use verdict::{Breach, NotYet, Verdict};

#[cfg(test)]
mod tests;
