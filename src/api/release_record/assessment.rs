//! What was decided at the gate, by which figures, and what it cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::budget_status::BudgetStatus;
use crate::api::change::RiskClass;
use crate::api::units::Time;
use crate::policy::{Band, Gate};

/// The error budget when the release was let go.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetAtStart {
    /// Its status.
    pub status: BudgetStatus,
    /// Percent left, to one decimal.
    pub remaining_percent: f64,
    /// The risk budget's band if everything were spent that was promised to other releases then; absent of what is no workload's
    /// change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
}

/// Budgets that worsened in the course of a release: the worst that was found of each.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Worsened {
    /// When they were found to be so. Who is asked agrees after it.
    pub at: Time,
    /// The error budget's status.
    pub status: BudgetStatus,
    /// Percent of the error budget left at that moment, to one decimal.
    pub remaining_percent: f64,
    /// The risk budget's band, without what the release itself was charged.
    pub band: Band,
}

/// How risky a change is, which gate it went through, and what it showed there (`000_…` §5.3, §6).
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssessmentRecord {
    /// The release risk score in risk points.
    pub points: u32,
    /// The sum, such as `14 RP = 6 base + 10 diff + 0 context - 2 mitigations`.
    #[schemars(length(max = 160))]
    pub score: String,
    /// Each term with its source and what shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub terms: Vec<String>,
    /// The gate.
    pub gate: Gate,
    /// How the gate came about, such as `14 RP → G3; Yellow: +1 → G4`.
    #[schemars(length(max = 256))]
    pub why: String,
    /// What was left of the risk budget.
    pub band: Band,
    /// What the change touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 48))]
    pub categories: Vec<String>,
    /// How much error budget such a change needs (`001_…`, Deployment Risk Assessment).
    pub risk_class: RiskClass,
    /// How many lines differ, added and removed together, as `tidegate classify` attested; absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff_lines: Option<u32>,
    /// What was shown, by who showed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40))]
    pub shown: Vec<ShownRecord>,
    /// What was demanded and not shown, because it was waived, only audited, or shipped as an exception.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 48))]
    pub not_shown: Vec<String>,
    /// Why it shipped past its gate; absent where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub exception: Option<String>,
    /// Who made the change, so that nobody approves their own afterwards; absent where that was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<AuthorsRecord>,
}

/// Who made a change, as far as it was known when it was assessed.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorsRecord {
    /// The person who changed the template, or sent the charge, and those whom pipelines named, 512 bytes of them at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub names: Vec<String>,
    /// Whether they are all who made it, by the names under which they would approve. Otherwise two people approve where one would
    /// (`000_…` §4).
    pub known: bool,
}

impl AuthorsRecord {
    /// Nobody knows who made it.
    pub const NOBODY: Self = Self { names: Vec::new(), known: false };
}

/// Requirements that one party met.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownRecord {
    /// Who or what showed it; `approvals` where people agreed, who stand in `status.approvals` with their roles.
    #[schemars(length(max = 256))]
    pub by: String,
    /// The requirements' names.
    #[schemars(length(max = 48))]
    pub names: Vec<String>,
}

/// An approval that counted.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalRecord {
    /// The role.
    #[schemars(length(max = 63))]
    pub role: String,
    /// Who, as the API server authenticated them.
    #[schemars(length(max = 256))]
    pub author: String,
    /// When it was given.
    pub at: Time,
    /// Before what: `start`, or the weight of a stage such as `100 %`.
    #[schemars(length(max = 32))]
    pub before: String,
    /// What it met: the names of requirements, and `exception` where it agreed to one (`000_…` §7; `001_…`, Exception Process).
    /// Absent where the process of the error budget asked for it (`001_…`, Deployment Process by Budget Status).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub meets: Vec<String>,
}

/// What a release cost its risk budget (`000_…` §5.4).
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargeRecord {
    /// Its number in the budget, from 1, without gaps.
    pub sequence: u64,
    /// Risk points, an exception's penalty included.
    pub points: u32,
    /// When.
    pub at: Time,
    /// Whether it went past the gate, and so costs half as much again (`000_…` §7).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exception: bool,
    /// Risk points of the window that were left before this charge, below 0 where it was overdrawn; absent where they were not
    /// counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<i64>,
    /// Risk points of the window that are left with this charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_after: Option<i64>,
}
