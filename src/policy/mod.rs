//! What the policy documents say, as functions of facts: error budget, freeze, schedule, sign-offs, messages.
//!
//! Here belongs a rule of the documents, next to the place it comes from, and its arithmetic. What must never
//! enter: I/O, a clock (`now` is a parameter), randomness, a Kubernetes or Prometheus client, and what is done about
//! a decision (that is `release`). `tests/pure_rooms.rs` holds this.
//!
//! Where two documents differ, the stricter holds and the message names both; `docs/policy.md` lists every place.

pub mod budget;
pub mod freeze;
pub mod message;
pub mod schedule;
pub mod sign_off;

pub use budget::{Remaining, SliCount, budget_status};
pub use freeze::{ChangeFacts, Permission, permission};
pub use schedule::{Schedule, ScheduleLabel, schedule_for};
pub use sign_off::{Role, SignOff, SignOffPoint};

#[cfg(test)]
mod tests;
