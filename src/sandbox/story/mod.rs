//! Scenarios: what happens in a sandbox, when, and what a reader should see. A file that a user can write.
//!
//! Here belongs the format of the file and its mistakes ([`parse`]), the scenarios that come with Tidegate ([`embedded`]),
//! the objects that a scenario begins with, and when a step is due and whether all came as expected ([`Play`]). What must
//! never enter: carrying an action out, a clock, a draw: whoever plays a scenario does that. `docs/sandbox.md` is the page
//! for people who write one.

mod action;
mod embedded;
mod expect;
mod file;
mod objects;
mod play;
mod step;
mod verify;
mod version;

#[cfg(test)]
mod tests;

pub use action::{Action, Direction};
pub use embedded::{embedded, names};
pub use expect::{Ending, Expectation, Expected, Weights};
pub use file::{Autoscaler, Story, Traffic, parse};
pub use objects::Objects;
pub use play::{Attempt, Play};
pub use step::{Moment, Step, When};
pub use version::Version;
