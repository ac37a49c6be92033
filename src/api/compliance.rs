//! Sustained compliance with the objectives: what a manifest says of it, and what a record keeps of it.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{Span, Time};

/// Over how long the new version must have met the objectives of its RiskBudget, all its requests in that time together, before everybody gets it
/// (`003_…`, module 3: "automated promotion criteria from canary to full rollout, such as sustained SLO compliance over a
/// 30-minute window").
#[derive(Debug, Clone, Copy, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SloCompliance {
    /// Over how long. Counted from the first request to the new version on, so that stages before the last one count. Default:
    /// 30m (`003_…`, module 3).
    #[serde(default = "SloCompliance::default_window")]
    #[x_kube(validation = Rule::new("self.matches('[1-9]')").message("window must be longer than nothing, such as 30m"))]
    pub window: Span,
    /// How long the last stage before everybody gets it is held after its bake time until that has come about; then the
    /// change is rolled back. Default: 1h.
    #[serde(default = "SloCompliance::default_within")]
    #[x_kube(validation = Rule::new("self.matches('[1-9]')").message("within must be longer than nothing: every hold needs a deadline, such as 1h"))]
    pub within: Span,
}

impl SloCompliance {
    const fn default_window() -> Span {
        Span::minutes(30)
    }

    const fn default_within() -> Span {
        Span::hours(1)
    }
}

/// What the new version did by its objectives of late. Gone once the record is sealed.
#[derive(Debug, Clone, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compliance {
    /// The objectives, by name and by what makes a request bad: where they are others than before, it is counted anew.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub objectives: Vec<String>,
    /// The time that counts, in parts, oldest first; together the window that is asked for and at most a fifth more.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub parts: Vec<CompliancePart>,
}

/// What it did in a part of that time.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompliancePart {
    /// When it ended; nothing up to then is counted again.
    pub until: Time,
    /// How much time in it was looked at.
    pub known: Span,
    /// Requests of the new version. To a tenth.
    pub requests: f64,
    /// Bad ones, by objective, in their order. To a tenth.
    #[schemars(length(max = 20))]
    pub bad: Vec<f64>,
}
