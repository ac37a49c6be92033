//! The memory of one attempt at a revision: what was decided, what was seen, how it ended.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget_status::BudgetStatus;
use super::change::{Change, RiskClass, words};
use super::comparison::ComparisonRecord;
use super::compliance::Compliance;
use super::gated_release::{HoldStatus, StageSpec};
use super::synthetic::CheckRecord;
use super::units::{Span, Time, UnitError, Weight};
use super::watched::{OpenCircuit, Streak, WouldHave};
use crate::analysis::LastSeen;
use crate::analysis::business::BusinessTally;
use crate::policy::{Band, Gate};
use std::fmt;
use std::str::FromStr;

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

/// The error budget when the release was let go.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetAtStart {
    /// Its status.
    pub status: BudgetStatus,
    /// Percent left, to one decimal.
    pub remaining_percent: f64,
    /// The risk budget's band if everything were spent that was promised to other releases then; absent of what is no workload's
    /// change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
}

/// Budgets that worsened in the course of a release: the worst that was found of each.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Worsened {
    /// When they were found to be so. Who is asked agrees after it.
    pub at: Time,
    /// The error budget's status.
    pub status: BudgetStatus,
    /// Percent of the error budget left at that moment, to one decimal.
    pub remaining_percent: f64,
    /// The risk budget's band, without what the release itself was charged.
    pub band: Band,
}

/// How risky a change is, which gate it went through, and what it showed there (`000_…` §5.3, §6).
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssessmentRecord {
    /// The release risk score in risk points.
    pub points: u32,
    /// The sum, such as `14 RP = 6 base + 10 diff + 0 context - 2 mitigations`.
    #[schemars(length(max = 160))]
    pub score: String,
    /// Each term with its source and what shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub terms: Vec<String>,
    /// The gate.
    pub gate: Gate,
    /// How the gate came about, such as `14 RP → G3; Yellow: +1 → G4`.
    #[schemars(length(max = 256))]
    pub why: String,
    /// What was left of the risk budget.
    pub band: Band,
    /// What the change touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 48))]
    pub categories: Vec<String>,
    /// How much error budget such a change needs (`001_…`, Deployment Risk Assessment).
    pub risk_class: RiskClass,
    /// How many lines differ, added and removed together, as `tidegate classify` attested; absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff_lines: Option<u32>,
    /// What was shown, by who showed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 40))]
    pub shown: Vec<ShownRecord>,
    /// What was demanded and not shown, because it was waived, only audited, or shipped as an exception.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 48))]
    pub not_shown: Vec<String>,
    /// Why it shipped past its gate; absent where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub exception: Option<String>,
    /// Who made the change, so that nobody approves their own afterwards; absent where that was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<AuthorsRecord>,
}

/// Who made a change, as far as it was known when it was assessed.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorsRecord {
    /// The person who changed the template, or sent the charge, and those whom pipelines named, 512 bytes of them at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub names: Vec<String>,
    /// Whether they are all who made it, by the names under which they would approve. Otherwise two people approve where one would
    /// (`000_…` §4).
    pub known: bool,
}

impl AuthorsRecord {
    /// Nobody knows who made it.
    pub const NOBODY: Self = Self { names: Vec::new(), known: false };
}

/// Requirements that one party met.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownRecord {
    /// Who or what showed it; `approvals` where people agreed, who stand in `status.approvals` with their roles.
    #[schemars(length(max = 256))]
    pub by: String,
    /// The requirements' names.
    #[schemars(length(max = 48))]
    pub names: Vec<String>,
}

/// An approval that counted.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalRecord {
    /// The role.
    #[schemars(length(max = 63))]
    pub role: String,
    /// Who, as the API server authenticated them.
    #[schemars(length(max = 256))]
    pub author: String,
    /// When it was given.
    pub at: Time,
    /// Before what: `start`, or the weight of a stage such as `100 %`.
    #[schemars(length(max = 32))]
    pub before: String,
    /// What it met: the names of requirements, and `exception` where it agreed to one (`000_…` §7; `001_…`, Exception Process).
    /// Absent where the process of the error budget asked for it (`001_…`, Deployment Process by Budget Status).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub meets: Vec<String>,
}

/// What a release cost its risk budget (`000_…` §5.4).
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargeRecord {
    /// Its number in the budget, from 1, without gaps.
    pub sequence: u64,
    /// Risk points, an exception's penalty included.
    pub points: u32,
    /// When.
    pub at: Time,
    /// Whether it went past the gate, and so costs half as much again (`000_…` §7).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exception: bool,
    /// Risk points of the window that were left before this charge, below 0 where it was overdrawn; absent where they were not
    /// counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<i64>,
    /// Risk points of the window that are left with this charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_after: Option<i64>,
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
    #[schemars(length(max = 256))]
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
