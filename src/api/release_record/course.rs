//! How far an attempt came, and how it was brought back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Phase, Trigger};
use crate::api::gated_release::StageSpec;
use crate::api::units::{Span, Time, Weight};
use std::fmt;

/// How long pods may still take to be ready for a step of a release. What the step is held for in between is added, so that neither
/// a hold nor a controller that was away takes anything of it; all waits for one step together get `strategy.readyWithin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// The moment from which the step was due, which tells it from the next one.
    pub step: Time,
    /// When it is brought back where it is not ready.
    pub by: Time,
}

/// One stage: what it should be and what became of it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageRecord {
    /// Weight and bake time.
    #[serde(flatten)]
    pub spec: StageSpec,
    /// When its weight became effective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// How many pods ran the new version when the stage began, where exposure is by the number of pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pods: Option<PodShare>,
    /// When the verdict was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_at: Option<Time>,
    /// The figures that the verdict rests on, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 512))]
    pub verdict: String,
}

/// How many of the pods behind a Service run the new version: the share of the traffic that it really gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodShare {
    /// Pods of the new version.
    pub new: u32,
    /// All pods.
    pub of: u32,
}

impl PodShare {
    /// The share in percent, rounded; never 0 where a pod runs the new version, and 0 where there is no pod at all.
    pub fn weight(self) -> Weight {
        if self.of == 0 || self.new == 0 {
            return Weight::ZERO;
        }
        let (new, of) = (u64::from(self.new), u64::from(self.of));
        let percent = ((new * 200 + of) / (of * 2)).clamp(1, 100);
        Weight::whole(u8::try_from(percent).unwrap_or(100))
    }
}

impl fmt::Display for PodShare {
    /// `1 of 4 pods (25 %)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} pods ({})", self.new, self.of, self.weight())
    }
}

/// How far the promotion came.
#[derive(Debug, Clone, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// When the previous version was ready to serve and the workload was let go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_at: Option<Time>,
    /// When the workload ran the new version with all its pods and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_at: Option<Time>,
    /// When half of the traffic was back on the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_at: Option<Time>,
    /// When the workload was judged good to take all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_at: Option<Time>,
    /// When all of the traffic was back on the workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_at: Option<Time>,
    /// When the verification was over and the previous version was let go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Time>,
    /// When it is complete without whatever does not bring it back and is still missing: papers, evidence, somebody on call, a circuit
    /// breaker that closes, a burn that ends. Set with the first of these waits, and never moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_by: Option<Time>,
    /// What could not be told of the version when its verification ended all the same; absent where all of it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub complete_without: Option<String>,
}

/// What brought the change back, and how that went (`002_…`, rollback log).
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RollbackLog {
    /// What set it off.
    pub trigger: Trigger,
    /// The value that was seen, with its unit.
    #[schemars(length(max = 256))]
    pub value: String,
    /// The threshold, with its unit.
    #[schemars(length(max = 256))]
    pub threshold: String,
    /// When it was decided.
    pub at: Time,
    /// The phase that it happened in.
    pub phase: Phase,
    /// The weight of the new version at that moment.
    pub from_weight: Weight,
    /// Where the traffic went.
    #[schemars(length(max = 63))]
    pub traffic_to: String,
    /// When no traffic went to the new version any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_at: Option<Time>,
    /// How long that took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<Span>,
    /// Whether that was within the contract's time budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_time_budget: Option<bool>,
    /// What the workload was left as.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 256))]
    pub state_after: String,
    /// What the check after the rollback found.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 256))]
    pub check: String,
}
