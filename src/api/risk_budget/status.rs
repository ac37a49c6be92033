//! What is left of the budgets, and what was counted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::budget_status::BudgetStatus;
use crate::api::change::words;
use crate::api::condition::Condition;
use crate::api::figures::Figures;
use crate::api::gated_release::RecordsKept;
use crate::api::loosening::{InForce, LoosenedStatus, LooseningStatus};
use crate::api::obligation::{Course, FurtherObligation, ObligationStatus};
use crate::api::release_record::ChargeRecord;
use crate::api::signals::SignalsStatus;
use crate::api::units::{Span, Time, UnitError};
use crate::policy::burn::BurnLevel;
use crate::policy::{Band, Confidence};
use std::fmt;
use std::str::FromStr;

/// What is left of the budgets.
#[derive(Debug, Clone, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RiskBudgetStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default)]
    pub observed_generation: i64,
    /// What is left of the error budget; absent until it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_budget: Option<ErrorBudget>,
    /// What is left of the risk budget in the present window; absent until it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskStatus>,
    /// What was counted last, while the spec's window cannot be cut or what is in force is not known. Nothing ships by it; once
    /// that is mended it goes on, or is folded where it has closed meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<RiskStatus>,
    /// What keeps concurrent releases from spending the same points.
    #[serde(default, skip_serializing_if = "LedgerStatus::is_empty")]
    pub ledger: LedgerStatus,
    /// The windows before the present one, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 13))]
    pub windows: Vec<WindowStatus>,
    /// Which records of charges that are no workload's are left, once old ones were pruned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<RecordsKept>,
    /// What the present window showed of the releases (`000_…` §8); absent until it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
    /// What goes on around the service (`000_…` §5.3); absent where no signals are configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signals: Option<SignalsStatus>,
    /// What of the spec is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<InForce>,
    /// What of the spec would allow more and waits for approval; absent where all of it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loosening: Option<LooseningStatus>,
    /// The loosenings that were approved, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub loosened: Vec<LoosenedStatus>,
    /// How the error budget went: its level and since when, what it lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<Course>,
    /// What the error budget means now: what may ship, what is blocked, what cost most.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 4096))]
    pub message: String,
    /// What the policy demands of people by a time: what is overdue, what is due, what was met lately. Of more than 48 the most
    /// overdue and those due next; the others stand in `furtherObligations`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 48), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub obligations: Vec<ObligationStatus>,
    /// The obligations beyond the 48 that are shown in full, 256 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub further_obligations: Vec<FurtherObligation>,
    /// Ready: every objective is measured. LedgerBroken: a record that was charged is gone. Loosening: the spec would allow
    /// more than what is in force. ObligationsMet: nothing that people owe is overdue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}

impl RiskBudgetStatus {
    /// Takes the present window out of force, and keeps what it came to.
    pub fn suspend(&mut self) {
        self.suspended = self.risk.take().or_else(|| self.suspended.take());
    }
}

words! {
    /// Why a window is tightened. Each cause has its own end; where both hold, gates are one level stricter all the same.
    Tightening, "why a window is tightened: RepeatedExceptions or WorseFigures" {
        /// Exceptions were repeated (`000_…` §7): as long as there are two in the window and the one before it.
        RepeatedExceptions,
        /// Change failure rate or MTTR worsened materially over two windows (`000_…` §8): until stability returns. Takes a fifth
        /// of the risk points as well.
        WorseFigures,
    }
}

/// The risk budget in the present window (`000_…` §5.4).
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RiskStatus {
    /// The window: `2026-11` for a month, the first day of a sprint.
    pub window: String,
    /// Its first moment.
    pub from: Time,
    /// The first moment after it.
    pub until: Time,
    /// Risk points of the window, adjustments included.
    pub allocated: u32,
    /// Risk points spent, those included whose records are gone.
    pub consumed: u32,
    /// The number of the last charge that is counted in it.
    pub sequence: u64,
    /// Charges of this window whose records are gone. What they cost as long as it was counted stays in `consumed` until the window
    /// closes; absent where every number stands in a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<LostCharges>,
    /// Risk points promised to releases whose gate has opened and that users have not met yet.
    pub reserved: u32,
    /// What is left once all that is promised is spent; below 0 where fixes and exceptions overdrew.
    pub remaining: i64,
    /// What is unspent, in percent of what was allocated, to one decimal.
    pub remaining_percent: f64,
    /// The band of what is unspent.
    pub band: Band,
    /// How many releases were charged.
    pub releases: u32,
    /// How many of them went past the gate.
    pub exceptions: u32,
    /// When nothing is left if it goes on as it went in this window so far; absent where it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depleted_at: Option<Time>,
    /// How far that is to be believed: by whether both halves of the time so far went alike; absent where nothing is projected, or nothing is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// Why gates are one level stricter; absent where they are not. Evidence and effect of each stand in `adjustments`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    pub tightened_by: Vec<Tightening>,
    /// Categories that the service earned to ship by one gate less (`000_…` §5.6).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 48))]
    pub relaxed: Vec<String>,
    /// How the window is adjusted, each with its evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4))]
    pub adjustments: Vec<String>,
}

/// Charges whose records are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LostCharges {
    /// How many numbers no record carries.
    pub charges: u32,
    /// Risk points that they had cost when they were counted last; 0 where they were never counted.
    pub points: u32,
    /// Exceptions among them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exceptions: u32,
}

const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What keeps concurrent releases from spending the same points. Every write of it is fenced by the resourceVersion.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerStatus {
    /// The last number that was given to a charge; 0 where none was.
    #[serde(default)]
    pub sequence: u64,
    /// The last number of the windows before the present one.
    #[serde(default)]
    pub before: u64,
    /// Points that are kept for releases whose gate has opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub reservations: Vec<ReservationStatus>,
    /// Charges that have their number and may not stand in their record yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub pending: Vec<PendingCharge>,
    /// The chain of records of what was charged and is no workload's change; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<ChainStatus>,
}

/// How far a chain of records goes, remembered beside the records: a link that is gone from its end is missed, and no number is given twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainStatus {
    /// The number of the last record that was sealed (`spec.attempt`).
    pub attempts: u32,
    /// Its digest.
    pub head: String,
}

impl LedgerStatus {
    /// Whether nothing was ever reserved or charged.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Points that are kept for a release.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReservationStatus {
    /// Its record.
    pub record: String,
    /// Risk points.
    pub points: u32,
}

/// A charge on its way into its record.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingCharge {
    /// Its record.
    pub record: String,
    /// What it costs.
    #[serde(flatten)]
    pub charge: ChargeRecord,
}

/// What one window came to.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowStatus {
    /// The window.
    pub window: String,
    /// Its first moment.
    pub from: Time,
    /// Risk points allocated.
    pub allocated: u32,
    /// Risk points spent.
    pub consumed: u32,
    /// The last number of its charges.
    pub sequence: u64,
    /// Releases that ended in it.
    pub releases: u32,
    /// Those among them that came back or hurt.
    pub failed: u32,
    /// Those among them that went past the gate.
    pub exceptions: u32,
    /// Mean time to recovery of those that failed.
    pub mttr: Span,
    /// Why its gates were one level stricter when it closed. What its figures tightened lasts until stability returns; what
    /// exceptions tightened does not outlast them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2))]
    pub tightened_by: Vec<Tightening>,
}

/// The error budget as the worst objective leaves it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBudget {
    /// The budget status that is in force, a declared freeze included.
    pub status: BudgetStatus,
    /// Percent of the budget left by the worst objective, to one decimal; below 0 when it is overspent.
    pub remaining_percent: f64,
    /// The objective that decides.
    pub decided_by: String,
    /// Percent of the window that the youngest series covers, to one decimal.
    pub coverage_percent: f64,
    /// Each objective, those included that the spec no longer names and that are in force.
    #[schemars(length(max = 64))]
    pub slos: Vec<SloStatus>,
}

/// What one objective leaves.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SloStatus {
    /// The objective's name.
    pub name: String,
    /// Percent of its budget left, to one decimal; absent while it is not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_percent: Option<f64>,
    /// Percent of the window that its series cover, to one decimal; absent where the source cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage_percent: Option<f64>,
    /// Why it is not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// How its budget goes too fast at present; absent where it does not, or nobody can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn: Option<BurnStatus>,
}

/// An error budget that goes too fast over two windows at once.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BurnStatus {
    /// How grave it is.
    pub level: BurnLevel,
    /// It goes faster than so many times what its window allows.
    pub times: f64,
    /// Over so long, which tells that it matters.
    pub over: Span,
    /// And over so long, which tells that it goes on.
    pub still_over: Span,
}

impl fmt::Display for BurnStatus {
    /// `more than 3 times too fast over 1d and still over 2h (a ticket, which holds no release)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let means = match self.level {
            BurnLevel::Ticket => "a ticket, which holds no release",
            BurnLevel::Page => "calls somebody, and no weight rises",
        };
        let Self { times, over, still_over, .. } = self;
        write!(f, "more than {times} times too fast over {over} and still over {still_over} ({means})")
    }
}
