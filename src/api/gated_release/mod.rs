//! The release policy of one workload: target, traffic, strategy, analysis, rollback contract.

mod analysis;
mod contract;
mod risk;
mod status;
mod strategy;
mod traffic;
mod workload;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use analysis::Analysis;
pub use contract::{BusinessMetric, RollbackContract};
pub use risk::RiskView;
pub use status::{CompletedRevision, GatedReleaseStatus, HoldStatus, RecordsKept};
pub use strategy::{Capacity, NewerTemplate, ScheduleName, StageSpec, Strategy};
pub use traffic::Traffic;
pub use workload::{HandedOver, WorkloadKind, WorkloadRef, WorkloadSeen};

use super::attestation::NameRef;
use super::change::Change;

/// Gates every change of one workload: held, scored, shipped in stages, brought back when it hurts users.
#[derive(Debug, Clone, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[kube(
    group = "tidegate.io",
    version = "v1alpha1",
    kind = "GatedRelease",
    namespaced,
    shortname = "gr",
    category = "tidegate",
    status = "GatedReleaseStatus",
    validation = Rule::new("self.metadata.name.size() <= 58").message("metadata.name: at most 58 characters, because records and labels are named after it"),
    validation = Rule::new("self.spec.workloadRef.kind != 'StatefulSet' || !has(self.spec.traffic.httpRoutes)").message("spec.traffic.httpRoutes: the pods of a StatefulSet have identities that a canary beside it would not have, so no route can split between the two: leave httpRoutes out, then the new version is exposed pod by pod"),
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.weight) || self.spec.traffic == oldSelf.spec.traffic").message("spec.traffic cannot be changed while a release is going on, because its routes carry users: wait until it has ended (kubectl get gr), or delete the GatedRelease, which brings traffic home"),
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.heldRoutes) || (self.spec.traffic.service == oldSelf.spec.traffic.service && has(self.spec.traffic.canaryLabel) == has(oldSelf.spec.traffic.canaryLabel) && (!has(self.spec.traffic.canaryLabel) || self.spec.traffic.canaryLabel == oldSelf.spec.traffic.canaryLabel) && (!has(oldSelf.spec.traffic.httpRoutes) || oldSelf.spec.traffic.httpRoutes.all(held, !(held.name in oldSelf.status.heldRoutes) || (has(self.spec.traffic.httpRoutes) && self.spec.traffic.httpRoutes.exists(one, one.name == held.name)))))").message("spec.traffic cannot change its service or canaryLabel, nor give up a route of status.heldRoutes, while that route leads to a version beside the workload: it would lead there still when that version is gone, and its users would get no answer. After a late rollback revert or fix in Git first; change spec.traffic when status.heldRoutes is gone (kubectl get gr -o yaml)"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Stage", type_ = "string", json_path = ".status.stage"),
    printcolumn(name = "Weight", type_ = "integer", json_path = ".status.weight"),
    printcolumn(name = "Budget", type_ = "string", json_path = ".status.budget"),
    printcolumn(name = "Gate", type_ = "string", json_path = ".status.risk.gate"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message"),
    printcolumn(name = "Revision", type_ = "string", json_path = ".status.revision", priority = 1),
    printcolumn(name = "Record", type_ = "string", json_path = ".status.record", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(
    validation = Rule::new("has(self.traffic.httpRoutes) || !has(self.strategy) || !has(self.strategy.newerTemplate) || self.strategy.newerTemplate != 'Queue'").message("strategy.newerTemplate: Queue needs traffic.httpRoutes: without a route a newer template always takes the place of the one before it: write Supersede or leave the field out, or name the routes").field_path(".strategy.newerTemplate"),
    validation = Rule::new("has(self.traffic.httpRoutes) || !has(self.analysis) || !has(self.analysis.checks)").message("analysis.checks: without traffic.httpRoutes both versions are behind one Service, and either would answer: remove the checks, or name the routes").field_path(".analysis.checks"),
    validation = Rule::new("has(self.traffic.httpRoutes) || !has(self.strategy) || !has(self.strategy.capacity) || self.strategy.capacity != 'Lean'").message("strategy.capacity: Lean needs traffic.httpRoutes: without a route nothing but the pods of the stages stands beside the workload: write Full or leave the field out, or name the routes").field_path(".strategy.capacity")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatedReleaseSpec {
    /// The workload under the gate, in the same namespace.
    #[x_kube(validation = Rule::new("self == oldSelf").message(Message::Expression("'workloadRef cannot be changed from ' + oldSelf.name + ' to ' + self.name + ': create another GatedRelease for another workload'".into())))]
    pub workload_ref: WorkloadRef,
    /// The budget that decides about changes, in the same namespace.
    #[x_kube(validation = Rule::new("self == oldSelf").message(Message::Expression("'riskBudgetRef cannot be changed from ' + oldSelf.name + ' to ' + self.name + ', because another budget may allow more: delete the GatedRelease and create it with the other'".into())))]
    pub risk_budget_ref: NameRef,
    /// Where the users' traffic comes from, and so how it is divided: by the weights of routes, or by the number of pods.
    pub traffic: Traffic,
    /// How a change is shipped.
    #[serde(default)]
    pub strategy: Strategy,
    /// How the two versions are observed.
    #[serde(default)]
    pub analysis: Analysis,
    /// When a change comes back. Required and explicit: without thresholds nothing is released (`002_…`, guardrails).
    pub rollback: RollbackContract,
    /// The change, bound to an image digest; used where the Deployment carries no `tidegate.io/change…` annotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<BoundChange>,
}

/// A change that speaks of one image only.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BoundChange {
    /// The digest that an image of the template must have, `sha256:` and 64 hexadecimal digits.
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub image_digest: String,
    /// What the change is.
    #[serde(flatten)]
    pub change: Change,
}
