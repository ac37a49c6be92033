//! Everything one decision looks at, read fresh from the API server and made typed.
//!
//! The shell fills it; after that nobody reads a raw object again but to copy a template.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ask::Answers;
use super::check_job::JobsSeen;
use super::glass::BreakGlass;
use super::objects::suffix;
use super::preflight::Preflight;
use super::split::{Carrier, Split};
use super::twins::Claim;
use crate::api::gated_release::{GatedReleaseSpec, GatedReleaseStatus, WorkloadKind};
use crate::api::release_record::{Arm, ReleaseRecordSpec, ReleaseRecordStatus, RollbackLog};
use crate::api::risk_budget::{LedgerStatus, Requirements, RiskStatus, Role, Slo};
use crate::api::{AttestationSpec, BudgetStatus, Change, Percent, Span, Time};
use crate::policy::Tier;
use crate::policy::restricted::Restriction;
use crate::policy::score::{Incident, OnCallLoad, Signal};
use crate::statement::Signed;

/// What was seen of one GatedRelease and all that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The GatedRelease itself.
    pub release: Release,
    /// Other GatedReleases of the namespace that name the same workload, or divide the traffic of the same Service.
    pub others: Vec<Claim>,
    /// The workload; `None` where it does not exist.
    pub workload: Option<Workload>,
    /// The Service that the routes point to; `None` where it does not exist.
    pub service: Option<ServiceSeen>,
    /// The routes of `spec.traffic.httpRoutes`, in that order; the error says why one cannot be used.
    pub routes: Vec<RouteSeen>,
    /// The canary; `None` where none of its objects exists.
    pub canary: Option<Side>,
    /// The previous version kept warm; `None` where none of its objects exists.
    pub previous: Option<Side>,
    /// The pods behind the workload's selector, where exposure is by their number; empty where routes divide the traffic.
    pub pods: Vec<PodSeen>,
    /// The autoscalers of the workload, by name.
    pub autoscalers: Vec<AutoscalerSeen>,
    /// The error budget that decides.
    pub budget: BudgetSeen,
    /// The risk budget and what its RiskBudget demands; `None` where there is no such RiskBudget, or it cannot be read.
    pub risk: Option<RiskSeen>,
    /// Attestations about this GatedRelease, whatever revision they speak of; read only while an attempt goes on.
    pub attestations: Vec<AttestationSeen>,
    /// Whether there are more than [`ATTESTATIONS_MAX`] or [`ATTESTATIONS_READ_MAX`]. Then none of them is heard: what takes one
    /// back may be among those that were not read.
    pub too_many_attestations: bool,
    /// The record of the attempt that is going on, or of the last one.
    pub record: Option<Record>,
    /// What Prometheus answered to [`super::ask::question`]; `None` where nothing was asked.
    pub answers: Option<Answers>,
    /// The Jobs of checks and what they are made from; empty where no check starts one.
    pub jobs: JobsSeen,
    /// The administrator's circuit breakers that name this release; empty where none does, or no attempt goes on.
    pub circuits: Vec<CircuitSeen>,
    /// Whether the query templates that `spec.analysis.metrics` names exist, and whether they (or the contract) can count complaints.
    pub metrics: MetricsSeen,
    /// What preflight found when it last looked; `None` where it has not looked since the process began.
    pub preflight: Option<Preflight>,
    /// The NetworkPolicies of the namespace as raw JSON, read only where copies of them are asked for and can matter.
    pub network_policies: Vec<Value>,
    /// The PodDisruptionBudgets of the namespace as raw JSON, read only where a canary or previous version may need one.
    pub disruption_budgets: Vec<Value>,
}

/// How many attestations may name one GatedRelease: what the catalogue asks for, for some hundreds of revisions.
pub const ATTESTATIONS_MAX: usize = 10_000;
/// Of one author so many are heard about one GatedRelease, the newest: who makes more takes back nothing but their own words.
pub const ATTESTATIONS_AUTHOR_MAX: usize = 1_000;
/// How many are looked at: a hundred pages of a list.
pub const ATTESTATIONS_READ_MAX: usize = 50_000;

/// The GatedRelease: its spec and what stands in its metadata and status.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    /// Namespace of everything in this snapshot.
    pub namespace: String,
    /// Name of the GatedRelease.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its UID.
    pub uid: String,
    /// When it was created; `None` where it stands in no cluster yet.
    pub created: Option<Time>,
    /// Its generation.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether its detach annotation asks that Tidegate leaves the workload while the object stays.
    pub detached: bool,
    /// Whether our finalizer is on it.
    pub finalizer: bool,
    /// The value of the retry annotation.
    pub retry: Option<String>,
    /// Its spec.
    pub spec: GatedReleaseSpec,
    /// Its status as it stands; default where there is none.
    pub status: GatedReleaseStatus,
}

/// The user's Deployment or StatefulSet.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// Its kind, with what only a StatefulSet has.
    pub kind: KindSeen,
    /// Its UID.
    pub uid: String,
    /// Its resourceVersion, which fences every write to it.
    pub resource_version: String,
    /// Its generation.
    pub generation: i64,
    /// Whether the gate's label is on it.
    pub gated: bool,
    /// Whether something keeps the template from its pods: `spec.paused` of a Deployment, a partition above 0 of a StatefulSet.
    pub paused: bool,
    /// `spec.replicas`.
    pub replicas: u32,
    /// The pod template as raw JSON.
    pub template: Value,
    /// The name of the template ([`super::template::revision`]).
    pub revision: String,
    /// `spec.selector` as raw JSON.
    pub selector: Value,
    /// `spec.strategy.type`, `spec.updateStrategy.type` of a StatefulSet.
    pub strategy: String,
    /// The whole `spec` as raw JSON, for what a copy keeps (minReadySeconds, progressDeadlineSeconds …).
    pub spec: Value,
    /// The metadata labels, without those of GitOps tools' tracking.
    pub labels: BTreeMap<String, String>,
    /// The change as annotated, with what could not be read.
    pub change: Change,
    /// Annotations that claim something unreadable, each in a sentence.
    pub change_problems: Vec<String>,
    /// Whether any `tidegate.io/change…` annotation is there.
    pub change_annotated: bool,
    /// Who changed the template, as admission stamped it.
    pub changed_by: String,
    /// Who resumed it by hand, as admission stamped it.
    pub resumed_by: Option<String>,
    /// The reason for break-glass that stands there.
    pub break_glass: Option<BreakGlass>,
    /// The text that explains the pause to whoever describes the Deployment.
    pub paused_because: Option<String>,
    /// The ReplicaSets that it owns; of a StatefulSet its current ControllerRevision and those that have pods.
    pub sets: Vec<ReplicaSetSeen>,
    /// Why its pods cannot be made, such as `exceeded quota: …`; as the API server tells its controller.
    pub refused: Option<String>,
    /// The ConfigMaps that its template reads, by name.
    pub config: BTreeMap<String, ConfigSeen>,
}

/// A ConfigMap, as its metadata tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigSeen {
    /// Changes with every edit of its content.
    pub mark: String,
    /// The field manager that edited its content last.
    pub by: String,
}

/// What kind of workload it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KindSeen {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet(Ordinals),
}

/// What a StatefulSet says about which of its pods run which template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordinals {
    /// `spec.updateStrategy.rollingUpdate.partition`: pods from this place on run the template.
    pub partition: u32,
    /// `status.currentRevision`: what pods before the partition run, and come back at.
    pub current: String,
    /// `status.updateRevision`: the template's revision, once it was observed.
    pub update: String,
    /// Whether its controller has seen the present generation.
    pub observed: bool,
}

/// A pod, where exposure is by the number of pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSeen {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// What it belongs to: the ReplicaSet's name, or the ControllerRevision's of a StatefulSet.
    pub of: String,
    /// Whether it belongs to the canary.
    pub canary: bool,
    /// Its place in a StatefulSet, from 0; 0 elsewhere.
    pub place: u32,
    /// Whether it takes requests.
    pub ready: bool,
    /// Whether it is on its way out.
    pub deleting: bool,
    /// Since when it is as it is: ready, not ready, or on its way out; `None` where that is not known, which counts as long ago.
    pub since: Option<Time>,
    /// Its containers that crash, as in [`SideDeployment::crashes`].
    pub crashes: Vec<String>,
}

/// A ReplicaSet of the workload, or a ControllerRevision of a StatefulSet with its pods counted.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaSetSeen {
    /// Its name.
    pub name: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// When it was made.
    pub created: Time,
    /// `spec.replicas`.
    pub replicas: u32,
    /// `status.replicas`: pods that exist.
    pub existing: u32,
    /// `status.availableReplicas`.
    pub available: u32,
    /// Its pod template without the `pod-template-hash` label.
    pub template: Value,
    /// Its containers that crash, as in [`SideDeployment::crashes`]; read while a Deployment runs what is judged, else none.
    pub crashes: Vec<String>,
}

impl PodSeen {
    /// Whether it has been taking requests for so long that its workload counts on it (`minReadySeconds`).
    pub fn is_available(&self, workload: &Workload, now: Time) -> bool {
        let seconds = workload.spec.get("minReadySeconds").and_then(Value::as_u64).unwrap_or(0);
        let since = self.since.filter(|_| seconds > 0);
        self.ready && !self.deleting && since.is_none_or(|since| now >= since.plus(Span::from_millis(seconds * 1000)))
    }
}

impl Workload {
    /// Whether Kubernetes deletes each ReplicaSet that has no pods, whatever its template: `revisionHistoryLimit` 0 of a Deployment.
    pub fn keeps_no_history(&self) -> bool {
        self.kind == KindSeen::Deployment && self.spec.get("revisionHistoryLimit").and_then(Value::as_u64) == Some(0)
    }
}

impl ReplicaSetSeen {
    /// Whether it has pods, or wants some.
    pub const fn is_active(&self) -> bool {
        self.replicas > 0 || self.existing > 0
    }
}

/// A HorizontalPodAutoscaler of the workload.
#[derive(Debug, Clone, PartialEq)]
pub struct AutoscalerSeen {
    /// Its name.
    pub name: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// `spec` as raw JSON, for the copy that the previous version gets.
    pub spec: Value,
    /// Whether Tidegate keeps it from taking pods away.
    pub held: bool,
    /// How long it looks back before it takes pods away.
    pub window: Span,
    /// The KEDA ScaledObject that owns it.
    pub scaled_object: Option<ScaledObjectSeen>,
}

/// A KEDA ScaledObject.
#[derive(Debug, Clone, PartialEq)]
pub struct ScaledObjectSeen {
    /// Its name.
    pub name: String,
    /// Its resourceVersion; empty where it could not be read, so that its autoscaler cannot be held.
    pub resource_version: String,
    /// Whether Tidegate keeps it from taking pods away.
    pub held: bool,
}

/// A Service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceSeen {
    /// `spec.selector`.
    pub selector: BTreeMap<String, String>,
    /// Endpoints of its slices that are ready.
    pub ready_endpoints: u32,
    /// The whole object as raw JSON, for the canary's copy.
    pub object: Value,
}

/// The Deployment, Service and PodDisruptionBudget that carry the canary or the previous version.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Which of the two.
    pub carrier: Carrier,
    /// The Deployment; `None` where it does not exist.
    pub deployment: Option<SideDeployment>,
    /// Ready endpoints of the Service; `None` where it does not exist.
    pub endpoints: Option<u32>,
    /// Whether the PodDisruptionBudget exists.
    pub pdb: bool,
    /// Whether the copy of the workload's autoscaler exists.
    pub autoscaler: bool,
    /// An object of that name that Tidegate did not make for this release, as `Service shop/checkout-canary`.
    pub foreign: Option<String>,
}

impl Side {
    /// Whether all that could carry users there is somebody else's: another GatedRelease's, or no version at all.
    pub const fn is_anothers(&self) -> bool {
        self.foreign.is_some() && self.deployment.is_none() && self.endpoints.is_none()
    }
}

/// A Deployment that Tidegate made.
#[derive(Debug, Clone, PartialEq)]
pub struct SideDeployment {
    /// The revision that it was made for.
    pub revision: String,
    /// Its pod template as raw JSON, with the rewritten label.
    pub template: Value,
    /// `spec.replicas`.
    pub replicas: u32,
    /// Available pods of the current template; 0 until its controller has seen the present generation.
    pub available: u32,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Why its pods cannot be made, such as `exceeded quota: …`; as the API server tells its controller.
    pub refused: Option<String>,
    /// Containers that crash, as `checkout-canary-7d9f-x2kq8/app: CrashLoopBackOff, exit code 1, 4 restarts`.
    pub crashes: Vec<String>,
}

/// A route of `spec.traffic.httpRoutes`.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteSeen {
    /// Its name.
    pub name: String,
    /// What it says, or why it cannot carry the release.
    pub state: Result<RouteState, RouteProblem>,
    /// Its resourceVersion, where its rules are Tidegate's by field management: whoever applies it without force is refused.
    pub owned: Option<String>,
}

/// Why a route cannot carry the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteProblem {
    /// There is no such route.
    Missing,
    /// None of its rules points to the Service.
    NoBackend {
        /// Its resourceVersion, where marks of ours are left on it.
        marked: Option<String>,
    },
    /// A rule cannot be split; the text says which, why and the remedy.
    Unsplittable(String),
}

/// What a route says.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteState {
    /// Its resourceVersion, which fences every write to it.
    pub resource_version: String,
    /// The split of each rule that points to the Service; `None` for a rule whose weights make no whole split.
    pub rules: Vec<Option<Split>>,
    /// Of rules that cannot be divided into hundredths, by their place in `rules`: how many parts they have to give.
    pub coarse: BTreeMap<usize, u32>,
    /// What keeps a rule that came in the middle of a release from being divided; says which, why and the remedy.
    pub odd: Option<String>,
    /// Whether our annotations are on it.
    pub marked: bool,
    /// Whether every parent has accepted the present generation with all references resolved.
    pub effective: Result<(), String>,
    /// The rollback that was written together with weight 0: record name and log.
    pub withdrawn: Option<(String, RollbackLog)>,
}

impl RouteState {
    /// Whether every rule says just this, and our marks are there exactly while a release needs them.
    pub fn is(&self, split: Split) -> bool {
        let alike = (0..self.rules.len()).all(|place| self.rule_is(place, split));
        alike && self.marked == (split != Split::HOME)
    }

    /// Whether any rule says just this.
    pub fn has_rule(&self, split: Split) -> bool {
        (0..self.rules.len()).any(|place| self.rule_is(place, split))
    }

    fn rule_is(&self, place: usize, split: Split) -> bool {
        let wanted = match self.coarse.get(&place) {
            Some(whole) => split.within(*whole),
            None => Some(split),
        };
        self.rules.get(place).is_some_and(|rule| rule.is_some() && *rule == wanted)
    }
}

/// The error budget.
#[derive(Debug, Clone, PartialEq)]
pub enum BudgetSeen {
    /// There is no such RiskBudget.
    Missing,
    /// It has not been measured, or not for too long; says why.
    Unmeasured(String),
    /// It is measured.
    Measured {
        /// Its status, a declared freeze included.
        status: BudgetStatus,
        /// Percent left by the worst objective.
        remaining_percent: f64,
        /// The objective that decides, or the freeze.
        decided_by: String,
    },
}

/// The risk budget of a service and what its RiskBudget demands of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskSeen {
    /// The RiskBudget's resourceVersion, which fences what is reserved and charged.
    pub resource_version: String,
    /// How critical the service is.
    pub tier: Tier,
    /// What a change must show.
    pub requirements: Requirements,
    /// Who may approve in which role.
    pub roles: Vec<Role>,
    /// Times in which only exceptions ship.
    pub restricted: Vec<Restriction>,
    /// What is left in the present window; `None` until it was counted.
    pub budget: Option<RiskStatus>,
    /// What is reserved, and which charges are on their way into their records.
    pub ledger: LedgerStatus,
    /// What is known around the service.
    pub signals: SignalsSeen,
    /// What the service promises.
    pub objectives: Objectives,
}

/// What a service promises, and who knows how it keeps it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Objectives {
    /// The metrics source that is asked.
    pub source: String,
    /// Its objectives.
    pub slos: Vec<Slo>,
}

impl Objectives {
    /// The strictest objective; None where there is none.
    pub fn strictest(&self) -> Option<Percent> {
        self.slos.iter().map(|slo| slo.objective).max_by(|one, other| one.get().total_cmp(&other.get()))
    }
}

/// What is known around a service from sources that the admin configured.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalsSeen {
    /// Incidents that go on or ended lately.
    pub incidents: Signal<Vec<Incident>>,
    /// How often people on call are paged.
    pub on_call: Signal<OnCallLoad>,
}

/// An attestation.
#[derive(Debug, Clone, PartialEq)]
pub struct AttestationSeen {
    /// What it says.
    pub spec: AttestationSpec,
    /// When the API server took it.
    pub at: Time,
    /// Whose word it is.
    pub proof: Proof,
}

/// Whose word an attestation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Its author's, whom the API server authenticated and admission let say it.
    Author,
    /// An issuer's of the configuration, who signed what it says.
    Signed(Signed),
    /// Nobody's: the statement that it carries does not count, because of this.
    Refused(String),
}

/// A circuit breaker of the administrator's, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct CircuitSeen {
    /// Its name in the controller's configuration.
    pub name: String,
    /// It is open while its query answers more than this.
    pub above: f64,
    /// Whether fixes wait for it too.
    pub halts_fixes: bool,
    /// What the administrator says to whoever is stopped, such as where the runbook is; may be empty.
    pub note: String,
    /// What its query answers, or why that is not known.
    pub reading: Result<f64, String>,
}

impl CircuitSeen {
    /// Whether a reading opens it.
    pub fn opens(&self, reading: f64) -> bool {
        reading > self.above
    }

    /// `7 above 5`.
    pub fn value(&self, seen: f64) -> String {
        use crate::api::units::round2;
        format!("{} above {}", round2(seen), round2(self.above))
    }
}

/// What the controller's configuration offers to this release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsSeen {
    /// No query templates of that name.
    Missing,
    /// The templates exist.
    Found {
        /// Whether they can count complaints.
        complaints: bool,
        /// Whether they tell pods of one Service apart, and not Services.
        pods: bool,
    },
}

/// A ReleaseRecord.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Its resourceVersion, which fences every write to it.
    pub resource_version: String,
    /// What it says for good.
    pub spec: ReleaseRecordSpec,
    /// Where it stands; `None` right after its creation.
    pub status: Option<ReleaseRecordStatus>,
}

impl Record {
    /// What carries the new version while it is judged in stages.
    pub const fn candidate(&self) -> Carrier {
        match self.spec.arm {
            Arm::Canary => Carrier::Canary,
            Arm::Workload => Carrier::Workload,
        }
    }
}

impl Release {
    /// Why the workload leaves the gate, to follow a subject; none where it stays.
    pub fn leaving(&self) -> Option<&'static str> {
        match (self.deleting, self.detached) {
            (true, _) => Some("the GatedRelease was deleted"),
            (false, true) => Some("the GatedRelease was detached"),
            (false, false) => None,
        }
    }
}

impl Snapshot {
    /// Whether exposure is by the number of pods.
    pub fn by_count(&self) -> bool {
        self.release.spec.traffic.by_count()
    }

    /// The kind of the workload, by its name.
    pub fn kind(&self) -> WorkloadKind {
        self.release.spec.workload_ref.kind
    }

    /// The side object of a carrier.
    pub fn side(&self, carrier: Carrier) -> Option<&Side> {
        match carrier {
            Carrier::Canary => self.canary.as_ref(),
            Carrier::Previous => self.previous.as_ref(),
            Carrier::Workload => None,
        }
    }

    /// The name of the Service of a carrier.
    pub fn service_of(&self, carrier: Carrier) -> String {
        service_of(&self.release.spec.traffic.service, carrier)
    }

    /// The name of the Deployment of a carrier.
    pub fn workload_of(&self, carrier: Carrier) -> String {
        format!("{}{}", self.release.spec.workload_ref.name, suffix(carrier))
    }
}

/// The name of the Service of a carrier, from the name of the user's Service.
pub fn service_of(service: &str, carrier: Carrier) -> String {
    use crate::api::names::{CANARY_SUFFIX, PREVIOUS_SUFFIX};
    match carrier {
        Carrier::Workload => service.to_owned(),
        Carrier::Canary => format!("{service}{CANARY_SUFFIX}"),
        Carrier::Previous => format!("{service}{PREVIOUS_SUFFIX}"),
    }
}

/// The name of the ReleaseRecord of an attempt.
pub fn record_name(release: &str, attempt: u32) -> String {
    format!("{release}-{attempt:04}")
}

/// The time of a decision and what was seen before it belong together; kept apart so that tests can move the clock.
pub type Now = Time;
