//! What of a RiskBudget's spec is in force, what waits for approval, and what was approved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Time;

/// The spec that is in force: as it stands, but for what would allow more and nobody has approved.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InForce {
    /// The generation of the spec that was looked at last.
    pub generation: i64,
    /// The spec as canonical JSON (RFC 8785): `kubectl get rb checkout -o jsonpath='{.status.inForce.spec}' | jq`.
    #[schemars(length(max = 262_144))]
    pub spec: String,
}

/// What of the spec would allow more than what is in force, and waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LooseningStatus {
    /// What an approval names: a hash of just this spec at just this generation. The next edit needs its own approvals.
    #[schemars(length(max = 80))]
    pub revision: String,
    /// When it was first seen.
    pub since: Time,
    /// The roles that approve it, each another person.
    #[schemars(length(max = 4), inner(length(max = 63)))]
    pub roles: Vec<String>,
    /// A role that may approve it alone: sre, where nothing is loosened but a freeze.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63))]
    pub or_role: Option<String>,
    /// Field by field; of more than 32 the first.
    #[schemars(length(max = 32))]
    pub fields: Vec<LoosenedField>,
}

/// One field that would allow more.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoosenedField {
    /// The field, such as `spec.slos[availability].objective`.
    #[schemars(length(max = 160))]
    pub field: String,
    /// What is in force.
    #[schemars(length(max = 256))]
    pub from: String,
    /// What is asked for.
    #[schemars(length(max = 256))]
    pub to: String,
}

/// A loosening that was approved: the ledger's entry of it.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoosenedStatus {
    /// What the approvals named.
    #[schemars(length(max = 80))]
    pub revision: String,
    /// The generation of the spec that took effect.
    pub generation: i64,
    /// When it took effect.
    pub at: Time,
    /// Who approved it, such as `product-manager: ann (2 Jan 10:00:00 UTC)`.
    #[schemars(length(max = 4), inner(length(max = 400)))]
    pub by: Vec<String>,
    /// What was loosened; of more than 16 fields the first.
    #[schemars(length(max = 16), inner(length(max = 256)))]
    pub changes: Vec<String>,
}
