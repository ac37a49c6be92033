//! The ledger of a risk budget (`000_…` §5.4): what a window was given, what releases cost, what is promised to those that
//! go on, how long the rest lasts, and whether a record that was charged is gone.
//!
//! It is made anew from the records at every look; [`count`] is the whole answer, [`balance`] its arithmetic.

mod balance;
mod count;

pub use balance::{Balance, Charge, Ledger, Reservation};
pub use count::{Counted, Entry, Rules, count};
