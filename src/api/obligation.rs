//! What people owe by a time, and how the error budget went that they owe it for, as a RiskBudget shows both.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget_status::BudgetStatus;
use super::change::words;
use super::risk_budget::Waiver;
use super::units::{Span, Time, UnitError};
use crate::policy::{Confidence, Role};

/// What a service changes about its obligations.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObligationRules {
    /// Whether the reviews of quiet times are asked for too: weekly (`000_…` §9; `001_…`, Weekly Review) and monthly
    /// (`000_…` §9). Default: no; they follow no event, and a calendar holds them as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub regular_reviews: bool,
    /// Obligations that this service does without, by their type, such as `daily-standup`, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 24), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub waived: Vec<Waiver>,
}

impl ObligationRules {
    /// Whether nothing is changed.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

words! {
    /// How an obligation stands.
    ObligationState, "the state of an obligation: Overdue, Due or Met" {
        /// Its time is over and nobody has met it.
        Overdue,
        /// There is time left.
        Due,
        /// Somebody met it.
        Met,
    }
}

/// Something that the policy demands of people by a time.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObligationStatus {
    /// Its name in this budget, by which it is met: `tidegate meet BUDGET NAME`.
    #[schemars(length(max = 128))]
    pub name: String,
    /// The type of the attestation that meets it, such as `post-mortem`.
    #[serde(rename = "type")]
    #[schemars(length(max = 63))]
    pub kind: String,
    /// Overdue, Due or Met.
    pub state: ObligationState,
    /// What it is owed for, in words.
    #[schemars(length(max = 512))]
    pub about: String,
    /// The roles that owe it.
    #[schemars(length(max = 8))]
    pub owed_by: Vec<Role>,
    /// Document and section.
    #[schemars(length(max = 128))]
    pub source: String,
    /// Since when it is owed; of one that renews, since it was met last.
    pub since: Time,
    /// By when.
    pub due: Time,
    /// Who met it, and when; of one that renews, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<MetStatus>,
    /// What is wrong with an attestation that was meant to meet it and does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 512))]
    pub problem: String,
    /// The ReleaseRecord that it is owed for, which is kept while it is named here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub record: Option<String>,
}

/// An obligation beyond those that are shown in full: as much of it as it takes to tell of each change once.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FurtherObligation {
    /// Its name in this budget.
    #[schemars(length(max = 128))]
    pub name: String,
    /// Overdue, Due or Met.
    pub state: ObligationState,
    /// Since when it is owed.
    pub since: Time,
    /// By when.
    pub due: Time,
    /// Who met it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<MetStatus>,
    /// The ReleaseRecord that it is owed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub record: Option<String>,
}

/// Who met an obligation.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetStatus {
    /// The author of the attestation.
    #[schemars(length(max = 256))]
    pub by: String,
    /// When it was made.
    pub at: Time,
    /// Its name.
    #[schemars(length(max = 253))]
    pub attestation: String,
}

/// How the error budget went: what its messages and obligations are counted from.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Course {
    /// The level that is in force, a declared freeze included.
    pub status: BudgetStatus,
    /// Since when.
    pub since: Time,
    /// The level before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<BudgetStatus>,
    /// Percent that were left when it began, to one decimal.
    pub remaining_percent: f64,
    /// Since when the budget is at each level below Healthy, or worse; at most one of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub episodes: Vec<Episode>,
    /// What was left on earlier days on which it changed, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub days: Vec<DayStatus>,
    /// What cost most in the last 24 hours, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub losses: Vec<LossStatus>,
    /// When nothing is left if it goes on as `projectedBy` says, or as since `projectedSince`; absent where it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depleted_at: Option<Time>,
    /// How far that is to be believed: by whether a longer look back went as fast; absent where nothing is projected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// Since when the rate is taken that the projection rests on: the first change of the present day, or of the day before within
    /// the hour after it; absent where nothing is projected, or by the present burn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projected_since: Option<Time>,
    /// Since when the longer look back is that the confidence rests on; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_since: Option<Time>,
    /// The present burn that the projection rests on; absent where nothing is projected, or the present burn is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projected_by: Option<ProjectedBurn>,
}

/// How fast an error budget went when its end was projected.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectedBurn {
    /// In times of what spends the budget exactly in its window, to one decimal; above 0.
    pub rate: f64,
    /// Over so long: the longer window of the gravest burn that goes on, else six hours.
    pub over: Span,
    /// The longer window that the confidence rests on; absent where its rate is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared_over: Option<Span>,
}

/// A time that the error budget spends at a level or worse. Coming back to it within a day goes on with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Episode {
    /// The level.
    pub level: BudgetStatus,
    /// When it began.
    pub since: Time,
    /// When the budget was better again; absent while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// Whether the budget fell past it, to a worse level at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passed: bool,
}

/// What was left on a day.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DayStatus {
    /// When it was measured: the first time on that day, in the budget's time zone, that the figure was another.
    pub at: Time,
    /// Percent left, to one decimal.
    pub remaining_percent: f64,
}

/// A time in which the error budget fell without a pause.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LossStatus {
    /// When the fall was first seen.
    pub from: Time,
    /// When it was last seen.
    pub until: Time,
    /// Percent of the whole budget that it cost, to one decimal.
    pub percent: f64,
    /// The objective that decided.
    #[schemars(length(max = 128))]
    pub objective: String,
}
