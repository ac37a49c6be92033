//! What must be shown before a change ships (`000_…` §6.2 and §10, `002_…`, `003_…`): the catalogue with stable names,
//! when each applies, how it is met, and what is missing.
//!
//! [`catalogue`] is the list, [`document`] the plans with their fields, [`claim`] what people and machines attested,
//! [`requirements`] the answer for one change.

mod catalogue;
pub mod claim;
pub mod document;
mod heard;
mod list;

pub use catalogue::{CATALOGUE, Due, Entry, Means, Need, ON_CALL_PRESENCE, SHIFT};
pub use claim::{Claim, Claims, Word};
pub use heard::heard;
pub use list::{Known, Requirement, RequirementFacts, State, customers_may_notice, requirements};
