//! What a change touches (`000_…` §6.1), and what that means for points, gate and risk class.
//!
//! [`Category`] is the closed list with its figures, [`DiffItem`] the price list, [`Classification`] what was found in
//! one change and where it was seen.

mod classification;
mod item;
mod list;

pub use classification::{Classification, Finding, Origin};
pub use item::DiffItem;
pub use list::{Category, CategoryError, Scope, parse_list};
