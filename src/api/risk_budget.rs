//! The budget of a service: its tier, objectives and what is left.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget_status::BudgetStatus;
use super::change::words;
use super::condition::Condition;
use super::figures::Figures;
use super::gated_release::RecordsKept;
use super::loosening::{InForce, LoosenedStatus, LooseningStatus};
use super::obligation::{Course, FurtherObligation, ObligationRules, ObligationStatus};
use super::release_record::ChargeRecord;
use super::restricted_window::RestrictedWindow;
use super::signals::SignalsStatus;
use super::units::{Percent, Span, Time, UnitError};
use crate::policy::Role as RoleName;
use crate::policy::{Band, Confidence};
use std::fmt;
use std::str::FromStr;

/// How much risk and unreliability a service may take, and what is left of it.
///
/// Owned by the product manager and the development manager of the service.
#[derive(Debug, Clone, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[kube(
    group = "tidegate.io",
    version = "v1alpha1",
    kind = "RiskBudget",
    namespaced,
    shortname = "rb",
    category = "tidegate",
    status = "RiskBudgetStatus",
    printcolumn(name = "Tier", type_ = "integer", json_path = ".spec.tier"),
    printcolumn(name = "Budget", type_ = "string", json_path = ".status.errorBudget.status"),
    printcolumn(name = "Remaining", type_ = "number", json_path = ".status.errorBudget.remainingPercent"),
    printcolumn(name = "Band", type_ = "string", json_path = ".status.risk.band"),
    printcolumn(name = "Points", type_ = "integer", json_path = ".status.risk.remaining"),
    printcolumn(name = "Coverage", type_ = "number", json_path = ".status.errorBudget.coveragePercent", priority = 1),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RiskBudgetSpec {
    /// Criticality of the service (`000_…` §5.1): 0 internal, 1 customer-facing, 2 customer-facing and critical,
    /// 3 safety, money or data. Decides risk points and minimum gates.
    #[schemars(range(min = 0, max = 3))]
    pub tier: u8,
    /// The objectives that the error budget is measured against; the worst decides.
    #[schemars(length(min = 1, max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub slos: Vec<Slo>,
    /// The metrics source of the controller's configuration that is asked. Default: `default`.
    #[serde(default = "default_source")]
    #[schemars(length(min = 1, max = 63))]
    pub metrics: String,
    /// Signals of the controller's configuration: which queries tell of incidents and of the load of the people on call
    /// (`000_…` §5.3). Default: the signals named `default`, where there are such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub signals: Option<String>,
    /// The window of the risk points. Default: the calendar month in UTC.
    #[serde(default)]
    pub window: Window,
    /// Risk points allocated for each window; by default the figure of the tier (300, 200, 120, 80).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub risk_points: Option<u32>,
    /// Who may approve in which role, beside what RBAC says (the verb `approve` on `releaseroles`). A role that is not
    /// listed is open to everybody who holds the verb.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub roles: Vec<Role>,
    /// Times in which only exceptions and rollbacks ship (`000_…` §5.3): once, every week or every year.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub restricted_windows: Vec<RestrictedWindow>,
    /// What a change must show before it ships, and what is done where it does not.
    #[serde(default)]
    pub requirements: Requirements,
    /// What the service earns when its figures improve for two windows (`000_…` §5.6). Default: 10 % more risk points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<RewardSpec>,
    /// A freeze that SRE declares: the error budget counts as at least this bad until it is removed (`001_…`, SRE authority).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Freeze>,
    /// What people owe by a time, beyond the defaults.
    #[serde(default, skip_serializing_if = "ObligationRules::is_default")]
    pub obligations: ObligationRules,
}

fn default_source() -> String {
    "default".to_owned()
}

/// One service level objective.
#[derive(Debug, Clone, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.availability), has(self.latency), has(self.promql), has(self.sloth), has(self.pyrra)].filter(x, x).size() == 1").message(Message::Expression("'exactly one of availability, latency, promql, sloth or pyrra says where the figures of objective ' + self.name + ' come from: remove the others or write an objective for each'".into())))]
pub struct Slo {
    /// A name that is unique in this budget.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// The objective in percent, such as 99.5; above 0 and below 100.
    #[x_kube(validation = Rule::new("self > 0.0 && self < 100.0").message("the objective must lie above 0 and below 100, such as 99.5: at 100 there is no budget to spend"))]
    pub objective: Percent,
    /// The window of the objective. Default: 30d.
    #[serde(default = "Slo::default_window")]
    pub window: Span,
    /// The share of requests that succeed, from the recording rules that the chart ships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<ServiceSeries>,
    /// The share of requests that are fast enough, from the recording rules that the chart ships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<LatencySeries>,
    /// Your own PromQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promql: Option<OwnQueries>,
    /// Series that Sloth records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sloth: Option<SlothSeries>,
    /// Series that Pyrra records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pyrra: Option<PyrraSeries>,
}

impl Slo {
    fn default_window() -> Span {
        Span::days(30)
    }
}

/// The request series of a Service, found by the labels `namespace` and `service`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSeries {
    /// The Service whose requests count; its canary and previous Services count with it.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub service: String,
}

/// The request durations of a Service.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LatencySeries {
    /// The Service whose requests count; its canary and previous Services count with it.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub service: String,
    /// A request is fast enough up to this time; a bucket with this bound must exist and be recorded. Default: 300ms.
    #[serde(default = "LatencySeries::default_threshold")]
    pub threshold: Span,
}

impl LatencySeries {
    fn default_threshold() -> Span {
        Span::from_millis(300)
    }
}

/// Two queries that count over the window of the objective.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnQueries {
    /// PromQL that answers one number: bad events in the window. `$window` stands for the window, `$namespace` for this namespace.
    #[schemars(length(min = 1, max = 2048))]
    pub bad: String,
    /// PromQL that answers one number: all events in the window.
    #[schemars(length(min = 1, max = 2048))]
    pub total: String,
}

/// An objective that Sloth generates rules for; its own window and objective should equal the ones said here.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlothSeries {
    /// Value of the label `sloth_id`, such as `checkout-requests-availability`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9._:/-]+$"))]
    pub id: String,
}

/// An objective that Pyrra generates rules for (with `--generic-rules`).
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PyrraSeries {
    /// Value of the label `slo`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9._:/-]+$"))]
    pub slo: String,
}

/// The window in which risk points are spent.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("self.kind != 'Sprint' || (has(self.sprintStart) && has(self.sprintDays))").message("a Sprint window needs sprintStart, such as 2026-01-05, and sprintDays, such as 14"))]
pub struct Window {
    /// CalendarMonth or Sprint. Default: CalendarMonth.
    #[serde(default)]
    pub kind: WindowKind,
    /// IANA time zone in which the window turns. Default: UTC.
    #[serde(default = "Window::default_zone")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: String,
    /// First day of any sprint, such as 2026-01-05.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub sprint_start: Option<String>,
    /// Days in a sprint, 1 to 90.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 90))]
    pub sprint_days: Option<u16>,
}

impl Window {
    fn default_zone() -> String {
        "UTC".to_owned()
    }
}

impl Default for Window {
    fn default() -> Self {
        Self { kind: WindowKind::default(), time_zone: Self::default_zone(), sprint_start: None, sprint_days: None }
    }
}

/// How a window is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub enum WindowKind {
    /// From the first of a month to the first of the next.
    #[default]
    CalendarMonth,
    /// A fixed number of days.
    Sprint,
}

/// What a change must show (`000_…` §6.2, §10; `002_…`; `003_…`).
#[derive(Debug, Clone, PartialEq, Eq, Default, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirements {
    /// Whether a change waits for what it must show. Default: Enforce.
    #[serde(default)]
    pub mode: RequirementMode,
    /// Requirements that this service does without, each with the reason. They are on record with every release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 48))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub waived: Vec<Waiver>,
    /// Whose word says what is in a new image, so that it counts as that and not as `unclassified-code`. Default: Attestation in
    /// tier 3, Annotation below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained_by: Option<ExplainedBy>,
}

/// Whose word says what is in a new image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub enum ExplainedBy {
    /// An attestation of type `classification`, of a machine or of somebody who did not make the change. The annotation only adds
    /// categories.
    Attestation,
    /// The annotation `tidegate.io/change-categories` too, which whoever edits the workload writes.
    Annotation,
}

/// What is done where a requirement is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub enum RequirementMode {
    /// The change waits for it.
    #[default]
    Enforce,
    /// The change ships; what was missing is told and put on record. Freezes, bands and sign-offs hold all the same.
    Audit,
}

/// A requirement that is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waiver {
    /// The requirement's name, such as `penetration-test`; `docs/policy.md` lists them.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// Why.
    #[schemars(length(min = 1, max = 256))]
    pub reason: String,
    /// When it is asked for again; never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// What product and development manager chose that the service earns: the one or the other.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("has(self.budgetPercent) != has(self.relaxedCategories)").message("say budgetPercent (10 to 20) or relaxedCategories, not both"))]
pub struct RewardSpec {
    /// So many percent more risk points, 10 to 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 20))]
    pub budget_percent: Option<u32>,
    /// One gate level less for changes that touch these categories alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 48))]
    pub relaxed_categories: Option<Vec<String>>,
}

/// Who may act in a role.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Role {
    /// The role, such as `sre`, or a name of your own together with `as`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// The role of the policy that this one stands for, where it has a name of your own.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<RoleName>,
    /// User names as the API server authenticates them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub users: Vec<String>,
    /// Group names as the API server authenticates them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub groups: Vec<String>,
}

/// A freeze declared by people.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Freeze {
    /// The budget status that is in force at least.
    pub status: BudgetStatus,
    /// Why.
    #[schemars(length(min = 1, max = 512))]
    pub reason: String,
    /// When it ends by itself; stays until removed where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

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
}
