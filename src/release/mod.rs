//! The release loop as values: what was seen goes in, what to do and to say comes out.
//!
//! [`plan::plan`] is one pure function of a [`snapshot::Snapshot`] and the time; [`lint`] checks every plan against the
//! invariants before anything is carried out; [`explain`] is the one exit for status, conditions and events.
//! No I/O, no clock, no randomness and no Kubernetes client enters here: `tests/pure_rooms.rs` holds that.

pub mod action;
pub mod ask;
mod assess;
pub mod capacity;
pub mod chain;
pub mod charge;
pub mod check_job;
pub mod clones;
mod completed;
pub mod config;
mod disruption;
pub mod explain;
pub mod glass;
pub mod labels;
pub mod lint;
pub mod objects;
pub mod plan;
pub mod preflight;
pub mod problem;
pub mod retention;
pub mod room;
pub mod snapshot;
pub mod split;
pub mod template;
mod tracking;
pub mod twins;
pub mod wording;

pub use action::{Action, Plan};
pub use ask::{Answers, Arms, Both, Compare, Compared, Due, Past, PodNames, Question, Tried, due, question, under_way};
pub use lint::{LintedPlan, Note, lint};
pub use plan::plan;
pub use snapshot::Snapshot;
pub use split::Split;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod world;
