//! Conditions as Kubernetes writes them, with our time type.

use super::change::words;
use super::units::{Time, UnitError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

words! {
    /// The truth of a condition.
    Truth, "True, False or Unknown" {
        /// It holds.
        True,
        /// It does not hold.
        False,
        /// Not known.
        Unknown,
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// One aspect of the object's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What the condition is about, such as Ready.
    #[serde(rename = "type")]
    #[schemars(length(max = 64))]
    pub kind: String,
    /// True, False or Unknown.
    pub status: Truth,
    /// One word for programs.
    #[schemars(length(max = 128))]
    pub reason: String,
    /// What happened, why, what Tidegate does now, what you can do.
    #[schemars(length(max = 4096))]
    pub message: String,
    /// When the status last flipped.
    pub last_transition_time: Time,
    /// The generation of the spec that was looked at.
    #[serde(default)]
    pub observed_generation: i64,
}
