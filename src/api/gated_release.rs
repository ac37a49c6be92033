//! The release policy of one workload: target, traffic, strategy, analysis, rollback contract.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::attestation::NameRef;
use super::budget_status::BudgetStatus;
use super::change::{Change, words};
use super::comparison::Comparison;
use super::compliance::SloCompliance;
use super::condition::Condition;
use super::release_record::Phase;
use super::synthetic::SyntheticCheck;
use super::units::{Percent, Span, Time, UnitError, Weight};
use super::watched::TrialLimit;
use crate::policy::{Gate, Role};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

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

/// A workload by kind and name.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkloadRef {
    /// Deployment or StatefulSet. A DaemonSet cannot be gated: nothing in its API keeps a changed template from its pods.
    #[serde(default)]
    #[schemars(with = "String", length(max = 63))]
    #[x_kube(validation = Rule::new("self != 'DaemonSet'").message("a DaemonSet cannot be gated: no field of it keeps a changed template from its pods for sure, and its pods have no share of the traffic that could be raised in stages. Gate the Deployment that takes the users' requests instead"))]
    #[x_kube(validation = Rule::new("self in ['Deployment', 'StatefulSet', 'DaemonSet']").message("kind must be Deployment or StatefulSet"))]
    pub kind: WorkloadKind,
    /// The workload's name; at most 54 characters, because `-previous` is put behind it.
    #[schemars(length(min = 1, max = 54))]
    pub name: String,
}

/// Kinds of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub enum WorkloadKind {
    /// apps/v1 Deployment, held by `spec.paused`.
    #[default]
    Deployment,
    /// apps/v1 StatefulSet, held by `spec.updateStrategy.rollingUpdate.partition`; only by the number of pods.
    StatefulSet,
}

impl WorkloadKind {
    /// The name in manifests and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
        }
    }

    /// The name in kubectl's commands, such as `deployment` in `kubectl get deployment/web`.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
        }
    }
}

impl fmt::Display for WorkloadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where the users' traffic comes from.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Traffic {
    /// The Service that the routes point to, or that stands before the workload's pods; at most 54 characters, because `-previous` is put behind it.
    #[schemars(length(min = 1, max = 54))]
    pub service: String,
    /// The HTTPRoutes that carry the traffic to that Service, in the same namespace. Left out: the new version is exposed by
    /// the number of its pods behind the Service, as coarsely as that number allows (docs/by-count.md).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub http_routes: Vec<NameRef>,
    /// The label that tells canary from stable. By default the first of `app.kubernetes.io/instance`,
    /// `app.kubernetes.io/component`, `app.kubernetes.io/name`, `app`, `k8s-app` that stands in the selectors of both
    /// the Service and the Deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 317),
        regex(pattern = r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")
    )]
    pub canary_label: Option<String>,
    /// Whether NetworkPolicies of the namespace that speak of the workload's pods by that label are copied for canary and
    /// previous version for the time of a release, with the label rewritten. Default: false: such a policy keeps a
    /// release from starting where the canary would be cut off by it.
    #[serde(default)]
    pub clone_network_policies: bool,
}

impl Traffic {
    /// Whether the new version is exposed by the number of its pods, because no route divides the traffic.
    pub fn by_count(&self) -> bool {
        self.http_routes.is_empty()
    }
}

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

/// How the two versions are observed.
#[derive(Debug, Clone, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Analysis {
    /// Query templates of the controller's configuration. Default: `http-server`.
    #[serde(default = "Analysis::default_metrics")]
    #[schemars(length(min = 1, max = 63))]
    pub metrics: String,
    /// How often the versions are compared, at least 1s. Default: 15s.
    #[serde(default = "Analysis::default_interval")]
    #[x_kube(validation = Rule::new("self.matches('[1-9][0-9]*(s|h|d|m([0-9]|$))')").message("interval must be at least 1s, such as 15s"))]
    pub interval: Span,
    /// How far back one comparison looks; several scrapes must fit into it. Default: 2m.
    #[serde(default = "Analysis::default_window")]
    #[x_kube(validation = Rule::new("self.matches('[1-9][0-9]*(s|h|d|m([0-9]|$))')").message("window must be at least 1s, such as 2m"))]
    pub window: Span,
    /// Requests that the new version must have answered in a stage before the stage can pass or latency can be judged. Default: 50.
    #[serde(default = "Analysis::default_min_requests")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_requests: u32,
    /// How far the new version's share of the requests that both versions answer may be off, in percent of its weight: at 50
    /// a weight of 10 is held where 4 % or 16 % arrive; at 100 too little is never held. Callers that go past the route,
    /// sessions that stick and probes that the application counts move the share, so it is judged only where this is set, and
    /// only where a route divides the traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_tolerance_percent: Option<Percent>,
    /// How both versions are compared, interval by interval, beside the limits of the rollback contract. Not
    /// compared where it is absent; `{}` takes the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Comparison")]
    pub comparison: Option<Comparison>,
    /// What Tidegate itself asks of the new version when the bake time of a stage is over; the stage passes when each passed
    /// once in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(validation = Rule::new("self.all(c, self.exists_one(o, o.name == c.name))").message("checks: two have the same name: give each a name of its own"))]
    pub checks: Vec<SyntheticCheck>,
    /// For how long the new version must have met the objectives of its RiskBudget before everybody gets it. Not asked for where
    /// it is absent; `{}` takes the defaults. A version that is missed by an objective for reasons of its own or of others
    /// waits, so that it is asked for and not the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SloCompliance")]
    pub slo_compliance: Option<SloCompliance>,
    /// How long traffic may stay on the new version without evidence to judge it before the change is rolled back. Default: 30m.
    #[serde(default = "Analysis::default_evidence_within")]
    #[x_kube(validation = Rule::new("self.matches('[1-9]')").message("evidenceWithin must be longer than nothing: every hold needs a deadline, such as 30m"))]
    pub evidence_within: Span,
}

impl Analysis {
    fn default_metrics() -> String {
        "http-server".to_owned()
    }
    fn default_interval() -> Span {
        Span::seconds(15)
    }
    fn default_window() -> Span {
        Span::minutes(2)
    }
    fn default_min_requests() -> u32 {
        50
    }
    fn default_evidence_within() -> Span {
        Span::minutes(30)
    }
}

impl Default for Analysis {
    fn default() -> Self {
        Self {
            metrics: Self::default_metrics(),
            interval: Self::default_interval(),
            window: Self::default_window(),
            min_requests: Self::default_min_requests(),
            share_tolerance_percent: None,
            comparison: None,
            checks: Vec::new(),
            slo_compliance: None,
            evidence_within: Self::default_evidence_within(),
        }
    }
}

/// The thresholds at which a change comes back by itself (`002_…`, plan phase; `003_…`, modules 1 and 6).
#[derive(Debug, Clone, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("has(self.latencyFactor) || has(self.latencyAdded)").message("rollback: give latencyFactor (such as 2 for twice stable's latency), latencyAdded (such as 200ms), or both: without a latency limit a slow version would stay"))]
#[x_kube(validation = Rule::new("!has(self.complaintsQuery) || has(self.complaints)").message("rollback: complaintsQuery is asked only where complaints says how many are too many: add complaints, such as 3, or remove complaintsQuery"))]
pub struct RollbackContract {
    /// The change comes back when more than this share of its requests fail. The documents name 1 (`002_…`) and 5 (`003_…`).
    #[x_kube(validation = Rule::new("self < 100.0").message("errorRatePercent must be below 100: at 100 nothing would ever come back"))]
    pub error_rate_percent: Percent,
    /// The change comes back when its latency is more than this many times stable's. Above 1; the documents name 2 (`002_…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    #[x_kube(validation = Rule::new("self > 1.0 && self <= 100.0").message("latencyFactor must lie above 1 and up to 100, such as 2 for twice stable's latency"))]
    pub latency_factor: Option<f64>,
    /// The change comes back when its latency is more than this above stable's. The documents name 200ms (`003_…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Span")]
    pub latency_added: Option<Span>,
    /// The quantile of request durations that the latency limits look at, in percent. Default: 95.
    #[serde(default = "RollbackContract::default_quantile")]
    #[x_kube(validation = Rule::new("self >= 1.0 && self <= 99.99").message("latencyQuantile must lie between 1 and 99.99, such as 95"))]
    pub latency_quantile: Percent,
    /// The change comes back when more than this many complaints arrive during the release. The documents name 3 (`002_…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(max = 1_000_000))]
    pub complaints: Option<u32>,
    /// PromQL that answers one number: complaints in `$window`. By default the metrics source's query for complaints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 2048))]
    pub complaints_query: Option<String>,
    /// The change comes back when what the service is there for happens more or less often than with stable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "BusinessMetric")]
    pub business: Option<BusinessMetric>,
    /// How many checks in a row must breach a limit before it counts as exceeded, from 1 to 100; one check is made each
    /// `analysis.interval`. A check without evidence neither counts nor begins anew. Meanwhile nothing is raised. Crashes
    /// and pods that are not ready are never waited for, nor is the comparison. Default: 1, the first breach.
    #[serde(default = "RollbackContract::default_consecutive", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 100))]
    pub consecutive: u32,
    /// Limits on trial: what they would have brought back is told and put on record (`wouldHave`), and they neither bring
    /// anything back nor hold it. The error rate always decides. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub dry_run: Vec<TrialLimit>,
    /// How long a rollback may take from its trigger until no request goes to the new version. Default: 5m (`003_…`, module 6).
    #[serde(default = "RollbackContract::default_time_budget")]
    #[x_kube(validation = Rule::new("self.matches('[1-9]')").message("timeBudget must be longer than nothing, such as 5m"))]
    pub time_budget: Span,
}

/// What the service is there for, such as checkouts that succeed (`003_…`, module 5: "deviate by more than 10 %").
#[derive(Debug, Clone, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BusinessMetric {
    /// How it is called in messages, such as `checkouts`.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// PromQL that counts it in `$window`, by the label that tells the versions apart, as `requests` of the query templates
    /// does; must answer 0, not nothing, where there are requests.
    #[schemars(length(min = 1, max = 2048))]
    pub query: String,
    /// How far its share of the requests may be above or below stable's, in percent of that share. Default: 10.
    #[serde(default = "BusinessMetric::default_change")]
    #[x_kube(validation = Rule::new("self > 0.0 && self < 100.0").message("changePercent must lie above 0 and below 100, such as 10"))]
    pub change_percent: Percent,
}

impl BusinessMetric {
    fn default_change() -> Percent {
        Percent::whole(10)
    }
}

impl RollbackContract {
    fn default_quantile() -> Percent {
        Percent::whole(95)
    }
    fn default_time_budget() -> Span {
        Span::minutes(5)
    }
    const fn default_consecutive() -> u32 {
        1
    }
}

const fn is_one(number: &u32) -> bool {
    *number == 1
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
    /// Ready, Stalled, Progressing, Held, Released.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

/// A revision that completed: it was verified, or was found running at first, and users were served by it.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletedRevision {
    /// Its short name, as in records.
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

/// How risky a change is, its gate, and what it must show.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RiskView {
    /// The release risk score and its sum, such as `14 RP = 6 base + 10 diff + 0 context - 2 mitigations`.
    pub score: String,
    /// Each term of the sum, with its source and what shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 24))]
    pub terms: Vec<String>,
    /// The gate.
    pub gate: Gate,
    /// How the gate came about.
    pub why: String,
    /// What it must show and has not shown yet, each with how to supply it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub missing: Vec<String>,
    /// The roles in which somebody is asked to approve it now: for what it must show, for its process, or for an exception.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub asks: Vec<Role>,
    /// What it has shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub met: Vec<String>,
}

/// The workload as it was last judged.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSeen {
    /// The workload's UID.
    pub uid: String,
    /// The workload's generation.
    pub generation: i64,
    /// The revision that its template was.
    pub revision: String,
    /// The ConfigMaps that its template reads, each with a mark that changes when its content is edited in place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
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
