//! The budget of a service: its tier, objectives and what is left.

mod slo;
mod status;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::budget_status::BudgetStatus;
use super::obligation::ObligationRules;
use super::restricted_window::RestrictedWindow;
use super::units::Time;
use crate::policy::Role as RoleName;

pub use slo::{LatencySeries, OwnQueries, PyrraSeries, ServiceSeries, Slo, SlothSeries};
pub use status::{
    BurnStatus, ChainStatus, ErrorBudget, LedgerStatus, LostCharges, PendingCharge, ReservationStatus,
    RiskBudgetStatus, RiskStatus, SloStatus, Tightening, WindowStatus,
};

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
    /// How the service owner approves a deployment while the error budget is Healthy or in Warning (`001_…`, Healthy, Requirements;
    /// Roles). Default: Manifest. Whatever it says, freezes and processes ask whom they ask.
    #[serde(default, skip_serializing_if = "OwnerApproval::is_default")]
    pub owner_approval: OwnerApproval,
}

/// How the service owner approves a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
pub enum OwnerApproval {
    /// By the manifest, which comes through the review of whoever owns the repository; Tidegate asks nobody.
    #[default]
    Manifest,
    /// In person: nothing but a rollback starts before an approval in the role `service-owner`.
    Asked,
}

impl OwnerApproval {
    const fn is_default(&self) -> bool {
        matches!(self, Self::Manifest)
    }
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
