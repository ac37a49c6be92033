//! Everything one decision looks at, read fresh from the API server and made typed.
//!
//! The shell fills it; after that nobody reads a raw object again but to copy a template.

mod policy;
mod traffic;
mod workload;

use std::collections::BTreeMap;

use serde_json::Value;

use super::ask::Answers;
use super::check_job::JobsSeen;
use super::objects::suffix;
use super::preflight::Preflight;
use super::split::Carrier;
use super::twins::Claim;
use crate::api::Time;
use crate::api::gated_release::{GatedReleaseSpec, GatedReleaseStatus, WorkloadKind};
use crate::api::release_record::{Arm, ReleaseRecordSpec, ReleaseRecordStatus};

pub use policy::{AttestationSeen, BudgetSeen, CircuitSeen, MetricsSeen, Objectives, Proof, RiskSeen, SignalsSeen};
pub use traffic::{Listening, RouteProblem, RouteSeen, RouteState, ServiceSeen, Side, SideDeployment};
pub use workload::{
    AutoscalerSeen, ConfigSeen, KindSeen, Ordinals, PodSeen, ReplicaSetSeen, ScaledObjectSeen, Workload,
};

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

    /// What carries the version that served before, while the new one is judged in stages.
    pub const fn base(&self) -> Carrier {
        match self.spec.arm {
            Arm::Canary => Carrier::Workload,
            Arm::Workload => Carrier::Previous,
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
