//! What must be shown before a change ships (`000_…` §6.2 and §10, `002_…`, `003_…`): the catalogue with stable names,
//! when each applies, how it is met, and what is missing.
//!
//! [`catalogue`] is the list, [`document`] the plans with their fields, [`claim`] what people and machines attested,
//! [`author`] who made the change, [`one_role`] that each person agrees in one role, [`second`] what its author does not show alone,
//! [`word`] what the claims of one type say, [`image`] that they say it of every image that comes new, [`requirements`] the answer for
//! one change.

pub mod author;
mod catalogue;
pub mod claim;
pub mod document;
mod heard;
mod image;
mod list;
mod one_role;
mod second;
mod word;

pub use catalogue::{BUDGET_SIGN_OFF, CATALOGUE, Due, Entry, Means, Need, ON_CALL_PRESENCE, SHIFT};
pub use claim::{Claim, Claims};
pub use heard::heard;
pub use image::NewImage;
pub use list::{Known, Requirement, RequirementFacts, SENTENCE, State, customers_may_notice, requirements};
pub use one_role::{SecondRole, in_one_role, speaks_as};
pub use word::{Spoken, Word};
