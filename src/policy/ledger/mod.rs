//! The ledger of a risk budget (`000_…` §5.4): what a window was given, what releases cost, what is promised to those that
//! go on, how long the rest lasts, and whether a record that was charged is gone.
//!
//! It is made anew from the records at every look; [`count`] is the whole answer, [`balance`] its arithmetic, `figures` what
//! a window showed.

mod balance;
mod count;
mod entry;
mod figures;
mod lost;

pub use balance::{Balance, Charge, Ledger, Reservation};
pub use count::{Counted, LATE, PENDING_WITHIN, Rules, count};
pub use entry::{Entry, Rollback};
pub use figures::{deploys_per_week, figures};

#[cfg(test)]
mod tests;
