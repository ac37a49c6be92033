//! Changes that are no workload's: infrastructure, flags, migrations. They cost the budget what a release with the same diff
//! would (`000_…` §5.3: "Every change gets a Release Risk Score"), and each leaves a sealed record.
//!
//! A pipeline says what it changes by an Attestation of type `charge`, whose author the API server proved; only the
//! controller makes a record of it. Here belongs what such a change costs and what is to be done about it next. What must
//! never enter: whether it may go ahead. Nobody holds a pipeline up from here: what it does against the budget is
//! charged as an exception.

mod authors;
mod cost;
mod name;
mod next;

pub use cost::{Asked, Cost, Left, cost};
pub use name::{book, former_record_of, is_book, record_of};
pub use next::{Charged, Move, Seen, next, waiting};

#[cfg(test)]
mod tests;
