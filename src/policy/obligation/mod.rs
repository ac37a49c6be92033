//! What the documents demand of people by a time: what is owed, by whom, until when, and who met it.
//!
//! [`demand`] is the list, [`document`] what an attestation must say that meets one, [`due`] the arithmetic of times,
//! [`facts`] what obligations arise from, [`owed`] the answer, [`approval`] that of what an executive approves afterwards, [`known`] what a status remembers of it. What must never enter: what happens to a release. An
//! obligation holds nothing up; it is told, counted and remembered.

mod approval;
pub mod demand;
pub mod document;
mod due;
pub mod facts;
mod known;
mod owed;

pub use demand::{DEMANDS, Demand, Trigger};
pub use due::Due;
pub use facts::{Facts, RecordFacts, Said};
pub use known::{FURTHER_MAX, SHOWN_MAX, known, remembered, shown};
pub use owed::{next_change, obligations};
