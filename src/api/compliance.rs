//! Sustained compliance with the objectives: what a manifest says of it, and what a record keeps of it.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::{Span, Time};

/// For how long without a break the new version must have met the objectives of its RiskBudget before everybody gets it
/// (`003_…`, module 3: "automated promotion criteria from canary to full rollout, such as sustained SLO compliance over a
/// 30-minute window").
#[derive(Debug, Clone, Copy, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SloCompliance {
    /// For how long. Counted from the first request to the new version on, so that stages before the last one count. Default:
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

/// Since when the new version has met its objectives. Gone once the record is sealed.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compliance {
    /// Since when; later by every span in which that was not known.
    pub since: Time,
    /// Up to when it was seen to.
    pub until: Time,
    /// What was missed last, in words; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 160))]
    pub missed: Option<String>,
}
