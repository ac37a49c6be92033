//! Where a release stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::risk::RiskView;
use super::workload::{HandedOver, WorkloadSeen};
use crate::api::budget_status::BudgetStatus;
use crate::api::condition::Condition;
use crate::api::release_record::Phase;
use crate::api::units::{Time, Weight};

/// Where the release stands. Computed in one place from the plan; nothing is decided from it but what is said here.
#[derive(Debug, Clone, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatedReleaseStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default)]
    pub observed_generation: i64,
    /// The phase of the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The stage and how many there are, such as `2/4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Percent of the traffic that goes to the new version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weight>,
    /// The HTTPRoutes that lead to a version beside the workload, also at weight 0 and also when no release goes on: to a canary, or
    /// to the previous version, which serves after a late rollback. As long as one stands here, it stays in `spec.traffic.httpRoutes`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 253)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub held_routes: Vec<String>,
    /// The error budget's status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetStatus>,
    /// How risky the change is that is being released, its gate, and what it must show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskView>,
    /// When a rollback of this workload last brought all traffic home in time: a way back that is proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_proven_at: Option<Time>,
    /// What goes on, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The revision that is being released, or was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The ReleaseRecord of that revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// How many attempts this GatedRelease has recorded; the last one's number.
    #[serde(default)]
    pub attempts: u32,
    /// With which attempt the chain of its records begins, once old ones were pruned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<RecordsKept>,
    /// The revisions that completed and that no way back has passed since, oldest first: at most 10, of the last 30 days. A
    /// return to one that is older than what runs is of type Rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<CompletedRevision>", length(max = 10))]
    pub completed: Option<Vec<CompletedRevision>>,
    /// The workload as it was last judged; tells a new revision from a changed way of writing the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadSeen>,
    /// What ran in the workload when this GatedRelease was given it in the middle of a roll, or by another one; absent once one
    /// version is known to be stable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_over: Option<HandedOver>,
    /// Ready, Stalled, Progressing, Held, Released.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// A revision that completed: it was verified, or was found running at first, and users were served by it.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletedRevision {
    /// Its revision, as in records.
    #[schemars(length(max = 64))]
    pub revision: String,
    /// What tells its pod template from all others: `sha256:` and 64 hexadecimal digits.
    #[schemars(length(max = 80))]
    pub template: String,
    /// Its ReleaseRecord; absent where it completed before this list was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub record: Option<String>,
    /// When it completed; absent where that was before this list was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// When another revision had taken its place; absent while it is what runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_until: Option<Time>,
}

/// Which records of a chain are left, once old ones were pruned.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordsKept {
    /// The number of the oldest attempt whose record is kept; from it on none may be missing.
    pub begins: u32,
    /// The digest of the record before it, which it repeats; absent where that one had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub previous_digest: Option<String>,
    /// How many records Tidegate has pruned.
    #[serde(default)]
    pub pruned: u32,
}

/// A hold in status: why, since when, until when, and what then.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HoldStatus {
    /// One word for programs.
    #[schemars(length(max = 64))]
    pub reason: String,
    /// What is missing, with the figures of the moment it began, and what would end it.
    #[schemars(length(max = 1024))]
    pub message: String,
    /// Since when.
    pub since: Time,
    /// Until when.
    pub deadline: Time,
}
