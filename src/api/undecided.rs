//! What becomes of a stage that has too little traffic to tell.

use super::change::words;
use super::units::{Span, UnitError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

words! {
    #[derive(Default)]
    /// What becomes of a stage that has too little traffic to tell whether the new version is good.
    WhenUndecided, "what happens where it cannot be told: RollBack or PassOnLimits" {
        /// The change is rolled back.
        #[default]
        RollBack,
        /// The stage passes on what the limits of the rollback contract showed, and its verdict says so.
        PassOnLimits,
    }
}

/// What a manifest says of all that cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecided {
    /// How long a stage is held for it after its bake time.
    pub within: Span,
    /// What happens then.
    pub then: WhenUndecided,
}
