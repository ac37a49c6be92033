//! The memory of one attempt at a revision: what was decided, what was seen, how it ended.

mod assessment;
mod course;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::{Change, words};
use super::comparison::ComparisonRecord;
use super::compliance::Compliance;
use super::gated_release::HoldStatus;
use super::synthetic::CheckRecord;
use super::units::{Span, Time, UnitError};
use super::watched::{OpenCircuit, StandingBurn, Streak, WouldHave};
use crate::analysis::LastSeen;
use crate::analysis::business::BusinessTally;
use std::fmt;
use std::str::FromStr;

pub use assessment::{
    ApprovalRecord, AssessmentRecord, AuthorsRecord, BudgetAtStart, ChargeRecord, ShownRecord, Worsened,
};
pub use course::{PodShare, Promotion, Readiness, RollbackLog, StageRecord};

/// One attempt at one revision. Written by the controller only, sealed at the end, kept when the GatedRelease goes.
#[derive(Debug, Clone, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[kube(
    group = "tidegate.io",
    version = "v1alpha1",
    kind = "ReleaseRecord",
    namespaced,
    shortname = "rr",
    category = "tidegate",
    status = "ReleaseRecordStatus",
    validation = Rule::new("self.spec == oldSelf.spec").message("spec: a record cannot be edited"),
    validation = Rule::new("!has(oldSelf.status) || !has(oldSelf.status.outcome) || (has(self.status) && (self.status == oldSelf.status || (has(oldSelf.status.chargeWaits) && has(self.status.outcome) && self.status.outcome == oldSelf.status.outcome && has(self.status.endedAt) && self.status.endedAt == oldSelf.status.endedAt)))").message("status: the record is sealed"),
    printcolumn(name = "Release", type_ = "string", json_path = ".spec.release"),
    printcolumn(name = "Change", type_ = "string", json_path = ".spec.change.reference"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.change.type"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Outcome", type_ = "string", json_path = ".status.outcome"),
    printcolumn(name = "Gate", type_ = "string", json_path = ".status.assessment.gate"),
    printcolumn(name = "Points", type_ = "integer", json_path = ".status.charge.points"),
    printcolumn(name = "Trigger", type_ = "string", json_path = ".status.rollback.trigger"),
    printcolumn(name = "Revision", type_ = "string", json_path = ".spec.revision", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseRecordSpec {
    /// The GatedRelease.
    #[schemars(length(max = 253))]
    pub release: String,
    /// The number of the attempt in its GatedRelease, from 1.
    pub attempt: u32,
    /// The workload's UID.
    #[schemars(length(max = 64))]
    pub workload_uid: String,
    /// The revision: the name of the pod template: 40 hexadecimal digits of its SHA-256.
    #[schemars(length(max = 64))]
    pub revision: String,
    /// The revision that served before; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub stable: Option<String>,
    /// The ReplicaSet that ran the stable revision when the attempt began; absent where none did.
    #[serde(default, rename = "stableReplicaSet", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub stable_set: Option<String>,
    /// What was known about the change.
    pub change: Change,
    /// Who changed the template, as the API server authenticated them; empty where not known, as of an edited ConfigMap. Of a
    /// charge, who sent it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 256))]
    pub changed_by: String,
    /// The value of the retry annotation that this attempt answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub retry: Option<String>,
    /// The budget that decides.
    #[schemars(length(max = 253))]
    pub risk_budget: String,
    /// The budget that was spent before, where the GatedRelease was created anew with another one and product and development
    /// manager have not agreed to that yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub budget_before: Option<String>,
    /// What carries the new version while it is judged.
    #[serde(default)]
    pub arm: Arm,
    /// The digest of the attempt before, which links the records of a GatedRelease; absent for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub previous_digest: Option<String>,
    /// What it was closed as at the moment it was opened, where it tells of something that ran ungated; absent where an
    /// attempt begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_as: Option<Outcome>,
}

/// What carries the new version while it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub enum Arm {
    /// A canary Deployment beside the held workload.
    #[default]
    Canary,
    /// The workload itself, which has no traffic, because the previous version serves after a late rollback.
    Workload,
}

words! {
    /// The phase of a release (`002_…`, phases). Waiting is never a phase: it is the condition Held.
    Phase, "a phase" {
        /// No release is going on.
        Idle,
        /// It is decided whether and how the change may ship.
        Plan,
        /// The new version comes up without traffic.
        Stage,
        /// The new version takes traffic in stages.
        Release,
        /// The workload itself takes the new version over.
        Promote,
        /// The promoted version is watched; the previous one is kept warm.
        Verify,
        /// The change has been released.
        Complete,
        /// The change goes back, or went back.
        Rollback,
    }
}

words! {
    /// How an attempt ended.
    Outcome, "an outcome" {
        /// The first revision that was found running.
        Bootstrap,
        /// Released and verified.
        Succeeded,
        /// Brought back.
        RolledBack,
        /// A newer template took its place.
        Superseded,
        /// Its hold ran out before it took traffic, or the policy closed it.
        Expired,
        /// The template went back to the stable one before the attempt ended, or to it after a rollback.
        Reverted,
        /// It ran ungated: created, resumed by a person, or under break-glass.
        Bypassed,
        /// The GatedRelease was deleted or detached.
        Abandoned,
        /// It hurt users when there was no way back any more, nobody reverted it in time, and it is what runs.
        NotWithdrawn,
        /// No workload's change: infrastructure, a flag, a migration. It was charged to the budget, and nothing more is known.
        Charged,
    }
}

impl Outcome {
    /// Whether the attempt's revision is what serves from then on.
    pub const fn took_over(self) -> bool {
        match self {
            Self::Bootstrap | Self::Succeeded | Self::Bypassed | Self::NotWithdrawn => true,
            Self::RolledBack | Self::Superseded | Self::Expired | Self::Reverted | Self::Charged | Self::Abandoned => {
                false
            }
        }
    }
}

words! {
    /// What set a rollback off.
    Trigger, "a rollback trigger" {
        /// More requests failed than the contract allows.
        ErrorRate,
        /// The latency limit was exceeded.
        Latency,
        /// More complaints came than the contract allows.
        Complaints,
        /// What the service is there for happened more or less often than with stable.
        BusinessMetric,
        /// The service's error budget went at a rate that calls somebody, and the new version was why.
        BudgetBurn,
        /// A request that Tidegate itself made of the new version was answered wrongly, or not at all.
        SyntheticCheck,
        /// The new pods were not ready in time.
        NotReady,
        /// The new pods crashed while they served.
        Crashed,
        /// The router did not take the new backend in time.
        RouteNotEffective,
        /// A hold ran out while traffic was on the new version.
        HoldExpired,
        /// A newer template took its place.
        Superseded,
        /// The template went back to the stable one.
        Reverted,
        /// A person resumed the workload while it was held.
        Resumed,
        /// The workload lost the label that gates it, or was deleted.
        Ungated,
        /// The GatedRelease was deleted or detached.
        Deleted,
    }
}

impl Trigger {
    /// How an attempt ends that this brought back.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Superseded => Outcome::Superseded,
            Self::Reverted => Outcome::Reverted,
            Self::Resumed => Outcome::Bypassed,
            Self::Deleted | Self::Ungated => Outcome::Abandoned,
            Self::ErrorRate
            | Self::Latency
            | Self::Complaints
            | Self::BusinessMetric
            | Self::BudgetBurn
            | Self::SyntheticCheck
            | Self::NotReady
            | Self::Crashed
            | Self::RouteNotEffective
            | Self::HoldExpired => Outcome::RolledBack,
        }
    }

    /// Whether the version hurt, or could not be shown to be good in time; not where somebody changed their mind.
    pub const fn is_failure(self) -> bool {
        matches!(self.outcome(), Outcome::RolledBack)
    }
}

/// Where the attempt stands.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseRecordStatus {
    /// The phase.
    pub phase: Phase,
    /// When the phase began.
    pub phase_since: Time,
    /// The error budget when it was decided that the change may ship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<BudgetAtStart>,
    /// How risky the change is and what it had to show, when it was decided that it may ship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<AssessmentRecord>,
    /// What it cost, once users met it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<ChargeRecord>,
    /// Since when its charge waits, where it ran past its gate while its budget was not known. It is charged and sealed as soon as
    /// the budget is known; one day later, or when the next record is opened, as if nothing were left of the budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge_waits: Option<Time>,
    /// How the budgets stood when a stage was about to begin and they were found worse than before: who is asked then is asked of
    /// the release from there on, also where they get better. Absent where they did not worsen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worsened: Option<Worsened>,
    /// Who agreed, and to what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub approvals: Vec<ApprovalRecord>,
    /// The stages, frozen when it was decided that the change may ship.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub stages: Vec<StageRecord>,
    /// The stage that is going on, from 0.
    #[serde(default)]
    pub stage: u32,
    /// How long the promoted version is watched.
    #[serde(default)]
    pub verify: Span,
    /// Stable's latency as it was last seen with traffic, in seconds; judges where stable has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_latency: Option<f64>,
    /// What that latency was at most if chance is left out, in seconds: stable's at an upper quantile then. Absent where stable had
    /// too few requests to tell, and once sealed; a version is not brought back by `baselineLatency` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_latency_at_most: Option<f64>,
    /// What stable was like by itself, which the limits need too, and what the comparison with it needs to go on; absent until
    /// stable's last day was asked for, and once sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Box<ComparisonRecord>>,
    /// What the business metric came to in all stages up to now; absent where the contract names none, and once sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business: Option<Box<BusinessTally>>,
    /// How synthetic checks went in the stage that is going on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub checks: Vec<CheckRecord>,
    /// Limits that were breached in a row and not yet so often as the contract asks for; absent where one breach is enough, and
    /// once sealed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub streaks: Vec<Streak>,
    /// What it did by its objectives of late; absent where that is not asked for, and once sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complies: Option<Box<Compliance>>,
    /// Circuit breakers of the administrator's that are open for it; absent where none is, and once sealed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub circuits: Vec<OpenCircuit>,
    /// The service's error budget, as long as it goes so fast that somebody is called, or went so when it was last known; absent
    /// where it does not, and once sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burning: Option<StandingBurn>,
    /// What would have brought it back, had it not been on trial; the first breach of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub would_have: Vec<WouldHave>,
    /// The hold that is going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldStatus>,
    /// Its own time to be ready for what comes next; absent before it first waits for that, and once sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Readiness>,
    /// The promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion>,
    /// The rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<RollbackLog>,
    /// How it ended; a record with an outcome is sealed, but for one whose charge waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// Who let its template go past its gate, as the API server authenticated them; absent where nobody resumed it by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub resumed_by: Option<String>,
    /// How it ended, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 1024))]
    pub summary: String,
    /// Of a sealed record: `sha256:` over its name, spec and status in canonical JSON (RFC 8785), without this field.
    /// `tidegate audit verify` makes it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 80))]
    pub digest: Option<String>,
}

impl ReleaseRecordStatus {
    /// Stable's latency as it was last seen with traffic.
    pub fn last_seen(&self) -> Option<LastSeen> {
        Some(LastSeen { seconds: self.baseline_latency?, at_most: self.baseline_latency_at_most })
    }

    /// Whether nothing of it is written any more.
    pub const fn is_sealed(&self) -> bool {
        self.outcome.is_some() && self.charge_waits.is_none()
    }

    /// What a new record says that begins in this phase.
    pub const fn begun(phase: Phase, now: Time) -> Self {
        Self {
            phase,
            phase_since: now,
            budget: None,
            assessment: None,
            charge: None,
            charge_waits: None,
            worsened: None,
            approvals: Vec::new(),
            stages: Vec::new(),
            stage: 0,
            verify: Span::ZERO,
            baseline_latency: None,
            baseline_latency_at_most: None,
            comparison: None,
            business: None,
            checks: Vec::new(),
            streaks: Vec::new(),
            complies: None,
            circuits: Vec::new(),
            burning: None,
            would_have: Vec::new(),
            hold: None,
            readiness: None,
            promotion: None,
            rollback: None,
            outcome: None,
            ended_at: None,
            resumed_by: None,
            summary: String::new(),
            digest: None,
        }
    }
}
