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

impl Condition {
    /// A condition as it is from now on: status, reason and message. Where the status is what it was among those of
    /// before, it has been so since then.
    pub fn now(
        kind: &str,
        (status, reason, message): (Truth, &str, String),
        before: &[Self],
        observed_generation: i64,
        now: Time,
    ) -> Self {
        let stands = before.iter().find(|stood| stood.kind == kind && stood.status == status);
        Self {
            kind: kind.to_owned(),
            status,
            reason: reason.to_owned(),
            message,
            last_transition_time: stands.map_or(now, |stood| stood.last_transition_time),
            observed_generation,
        }
    }
}
