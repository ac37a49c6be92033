//! What the policy documents say, as functions of facts: error budget, freeze, schedule, sign-offs, messages;
//! categories, score, gate, requirements and risk budget of a change; how the error budget goes, and what people owe by a time.
//!
//! Here belongs a rule of the documents, next to the place it comes from, and its arithmetic. What must never
//! enter: I/O, a clock (`now` is a parameter), randomness, a Kubernetes or Prometheus client, and what is done about
//! a decision (that is `release`). `tests/pure_rooms.rs` holds this.
//!
//! Where two documents differ, the stricter holds and the message names both; `docs/policy.md` lists every place.

pub mod adjustment;
pub mod attested;
pub mod band;
pub mod budget;
pub mod burn;
pub mod canonical;
pub mod category;
pub mod confidence;
pub mod course;
pub mod evidence;
pub mod exception;
pub mod freeze;
pub mod gate;
pub mod ledger;
pub mod loosening;
pub mod message;
pub mod obligation;
pub mod points;
pub mod requirement;
pub mod restricted;
pub mod schedule;
pub mod score;
pub mod sign_off;
pub mod standing;
pub mod tier;
pub mod window;
pub mod worsened;

pub use attested::Attested;
pub use band::Band;
pub use budget::{Remaining, SliCount, budget_status};
pub use category::{Category, Classification};
pub use confidence::Confidence;
pub use freeze::{ChangeFacts, Permission, permission};
pub use gate::Gate;
pub use points::RiskPoints;
pub use requirement::{Requirement, requirements};
pub use schedule::{Schedule, ScheduleLabel, schedule_for};
pub use score::Score;
pub use sign_off::{Role, SignOff, SignOffPoint};
pub use tier::Tier;

#[cfg(test)]
mod tests;
