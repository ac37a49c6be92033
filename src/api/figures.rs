//! What a window of a risk budget showed of its releases (`000_…` §8).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Span;

/// The figures that product and development manager review (`000_…` §8; `003_…`, Modules 6 and 7), of the present window.
/// `docs/risk-budget.md` defines each. A figure that rests on nothing is absent: no release has no failure rate.
#[derive(Debug, Clone, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// The window, as in `risk.window`.
    pub window: String,
    /// Changes of a gated workload that users met first in the window; deploy frequency is this for one window.
    pub deploys: u32,
    /// Changes that users met and that ended in the window, however they ended.
    pub ended: u32,
    /// Those among `ended` that came back because they hurt, or hurt and could not be brought back.
    pub failed: u32,
    /// Change failure rate: `failed` in percent of `ended`, to one decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_failure_percent: Option<f64>,
    /// Mean time to recovery of those that failed: from the decision to bring it back until no user met it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mttr: Option<Span>,
    /// Rollbacks that were decided in the window, of changes that users had met: for what was measured, or by a revert.
    pub rollbacks: u32,
    /// Mean time to rollback: from the decision until no request went to the change any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_rollback: Option<Span>,
    /// The longest of these times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_rollback: Option<Span>,
    /// Rollbacks that took longer than the time budget of their contract.
    #[serde(default)]
    pub late_rollbacks: u32,
    /// Those among `deploys` that went past their gate: as an exception, or ungated.
    pub past_gate: u32,
    /// Gate compliance rate: those among `deploys` that did not go past their gate, in percent, to one decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_compliance_percent: Option<f64>,
    /// Those among `deploys` that went through their gate and left something unshown, because it was waived or only audited.
    #[serde(default)]
    pub shown_short: u32,
    /// How large the diffs of `deploys` were.
    #[serde(default)]
    pub diff_sizes: DiffSizes,
}

/// How many changes had a diff of so many lines, added and removed together, as `tidegate classify` attests them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffSizes {
    /// 10 lines at most.
    pub tiny: u32,
    /// 11 to 100.
    pub small: u32,
    /// 101 to 400.
    pub medium: u32,
    /// 401 to 1,000.
    pub large: u32,
    /// More than 1,000.
    pub huge: u32,
    /// Nobody attested how many.
    pub unknown: u32,
}

impl DiffSizes {
    /// Each class with its name and how many changes it has, from small to large.
    pub const fn classes(&self) -> [(&'static str, u32); 6] {
        [
            ("tiny", self.tiny),
            ("small", self.small),
            ("medium", self.medium),
            ("large", self.large),
            ("huge", self.huge),
            ("unknown", self.unknown),
        ]
    }
}
