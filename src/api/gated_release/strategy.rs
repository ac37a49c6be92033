//! How a change is shipped: its stages, and what they cost.

use std::fmt;
use std::str::FromStr;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::change::words;
use crate::api::units::{Percent, Span, UnitError, Weight};

words! {
    /// A ready-made schedule.
    ScheduleName, "a schedule: Express, Standard, Conservative, Enhanced or Emergency" {
        /// 5 % 5m, 50 % 5m, 100 %: for small changes; the same process, faster stages (`002_…`, guardrails).
        Express,
        /// 5 % 15m, 25 % 15m, 50 % 15m, 100 %; verified for 1 h (`001_…`, standard process).
        Standard,
        /// 1 % 30m, 10 % 2h, 50 % 4h, 100 %; verified for 24 h (`002_…`, release phase).
        Conservative,
        /// 5 % 30m, 10, 25, 50, 100 %; verified for 4 h; manual start, SRE before 100 % (`001_…`, enhanced process).
        Enhanced,
        /// 2 % 1h, 5, 10, 25 %, 50 % 24h, 100 %; verified for 24 h; manual start, approvals at each stage (`001_…`, emergency process).
        Emergency,
    }
}

/// How a change is shipped. The error budget can tighten it, never loosen it.
#[derive(Debug, Clone, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("!has(self.schedule) || !has(self.stages)").message(Message::Expression("'strategy: give either schedule or stages, not both (read: schedule ' + self.schedule + ' and stages): remove one'".into())))]
pub struct Strategy {
    /// A ready-made schedule. Default: Standard, unless `stages` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ScheduleName")]
    pub schedule: Option<ScheduleName>,
    /// Your own stages: weights that rise and end at 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<StageSpec>", length(min = 1, max = 20))]
    #[x_kube(validation = Rule::new("self.all(i, s, i == 0 || self[i - 1].weight < s.weight)").message("stages: weights must rise from one stage to the next, such as 5, 25, 50, 100: move or remove the one that does not"))]
    #[x_kube(validation = Rule::new("self.size() == 0 || self[self.size() - 1].weight == 100").message("stages: the last stage must have weight 100: add {weight: 100}"))]
    pub stages: Option<Vec<StageSpec>>,
    /// How long the promoted version is watched while the last one is kept warm. By default the schedule's; with own stages 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Span")]
    pub verify: Option<Span>,
    /// How large the last version is kept during promotion and verification, in percent of the workload's replicas. Default: 100.
    #[serde(default = "Strategy::default_fallback")]
    #[x_kube(validation = Rule::new("self >= 1.0").message("fallbackPercent must be at least 1: the last version must be able to serve"))]
    pub fallback_percent: Percent,
    /// What happens to a version that has taken its place in the stages when a newer template arrives. Default: Supersede.
    #[serde(default)]
    pub newer_template: NewerTemplate,
    /// How many pods a release may need at its height. Default: Full.
    #[serde(default)]
    pub capacity: Capacity,
    /// How long the new pods may take to become ready before the change is rolled back. Default: 10m.
    #[serde(default = "Strategy::default_ready_within")]
    pub ready_within: Span,
    /// How long traffic runs half on the canary and half on the promoted workload when it is handed back. Default: 1m.
    #[serde(default = "Strategy::default_hand_back")]
    pub hand_back: Span,
    /// How long the old backend is kept without traffic before its pods go. Default: 10s.
    #[serde(default = "Strategy::default_drain")]
    pub drain: Span,
    /// How long a change may wait, for evidence, budget or sign-off, before it is closed and traffic is home. Default: 24h.
    #[serde(default = "Strategy::default_hold_for")]
    #[x_kube(validation = Rule::new("self.matches('[1-9]')").message("holdFor must be longer than nothing: every hold needs a deadline, such as 24h"))]
    pub hold_for: Span,
}

impl Strategy {
    fn default_fallback() -> Percent {
        Percent::HUNDRED
    }
    fn default_ready_within() -> Span {
        Span::minutes(10)
    }
    fn default_hand_back() -> Span {
        Span::minutes(1)
    }
    fn default_drain() -> Span {
        Span::seconds(10)
    }
    fn default_hold_for() -> Span {
        Span::hours(24)
    }
}

impl Default for Strategy {
    fn default() -> Self {
        Self {
            schedule: None,
            stages: None,
            verify: None,
            fallback_percent: Self::default_fallback(),
            newer_template: NewerTemplate::default(),
            capacity: Capacity::default(),
            ready_within: Self::default_ready_within(),
            hand_back: Self::default_hand_back(),
            drain: Self::default_drain(),
            hold_for: Self::default_hold_for(),
        }
    }
}

/// What happens to a version in its stages when a newer template arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub enum NewerTemplate {
    /// Its traffic goes home, its record is closed, and the newer one begins with the first stage.
    #[default]
    Supersede,
    /// It goes on to its end, and the newest template that waits then is next. What has not been given pods yet is
    /// superseded all the same.
    Queue,
}

/// How many pods a release may need at its height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub enum Capacity {
    /// The canary grows to the size of the workload and carries all traffic while the workload rolls.
    #[default]
    Full,
    /// The canary stops at 50 % of the traffic. While the workload rolls, canary and previous version carry one half each;
    /// the previous version grows to `fallbackPercent` once the canary is gone, or as soon as it is needed.
    Lean,
}

/// A weight, and how long it is watched before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StageSpec {
    /// Share of the traffic that goes to the new version, 1 to 100 percent.
    #[x_kube(validation = Rule::new("self >= 1").message("a stage's weight must be at least 1; remove the stage if it should take no traffic"))]
    pub weight: Weight,
    /// How long the stage is watched once its weight is effective. Default: 15m.
    #[serde(default = "StageSpec::default_bake")]
    pub bake: Span,
}

impl StageSpec {
    fn default_bake() -> Span {
        Span::minutes(15)
    }
}
