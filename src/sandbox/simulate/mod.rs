//! Seeded worlds with faults, in virtual time on one thread, and the checkers of the invariants.
//!
//! [`schedule`] says from a seed what happens, [`run`] lets it happen to the real controller, and [`check`] looks at every
//! change. What must never enter: a decision of Tidegate's, or anything that two runs of one seed could do differently.

pub mod alone;
pub mod around;
pub mod campaign;
pub mod check;
pub mod coverage;
mod ending;
mod happen;
pub mod link;
pub mod owners;
pub mod people;
pub mod probe;
pub mod process;
pub mod programs;
pub mod prometheus;
pub mod routes;
pub mod run;
pub mod schedule;
pub mod shrink;
pub mod stewards;
pub mod trials;
pub mod world;

#[cfg(test)]
mod tests;
