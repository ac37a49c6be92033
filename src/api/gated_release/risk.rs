//! What is at stake with a change, as it is shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::{Gate, Role};

/// How risky a change is, its gate, and what it must show.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RiskView {
    /// The release risk score and its sum, such as `14 RP = 6 base + 10 diff + 0 context - 2 mitigations`.
    pub score: String,
    /// Each term of the sum, with its source and what shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 24))]
    pub terms: Vec<String>,
    /// The gate.
    pub gate: Gate,
    /// How the gate came about.
    pub why: String,
    /// What it must show and has not shown yet, each with how to supply it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub missing: Vec<String>,
    /// The roles in which somebody is asked to approve it now: for what it must show, for its process, or for an exception.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub asks: Vec<Role>,
    /// What it has shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub met: Vec<String>,
}
