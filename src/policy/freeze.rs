//! What may ship at all under a budget status, and who must agree (`001_…`, Freeze Policy, Deployment Risk Assessment).
//!
//! The tables of the document are [`RULES`]. Every rule that applies is collected; one that blocks outweighs any that
//! allows, and the answer names both.

use crate::api::risk_budget::OwnerApproval;
use crate::api::{BudgetStatus, Change, ChangeType, Percent, RiskClass, Severity};

use super::budget::in_force_above;
use super::sign_off::{EMERGENCY_PROCESS, ENHANCED_PROCESS, Role, SignOff, SignOffPoint, join};
use BudgetStatus::{Critical, Emergency, Healthy, Warning};

/// What is known about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeFacts {
    /// Its type.
    pub kind: ChangeType,
    /// The severity of what it repairs; None where not known, which never counts as an outage.
    pub severity: Option<Severity>,
    /// The risk class found in the diff; None while nobody looked, then the type alone tells.
    pub risk: Option<RiskClass>,
}

impl From<&Change> for ChangeFacts {
    /// What a change says of itself; nobody has looked at its diff.
    fn from(change: &Change) -> Self {
        Self { kind: change.kind, severity: change.severity, risk: None }
    }
}

impl ChangeFacts {
    /// The risk class by type and diff, the higher of both (`001_…`, Deployment Risk Assessment). None for types that
    /// the assessment does not list: fixes are judged by their severity.
    pub fn risk_class(&self) -> Option<RiskClass> {
        let by_type = match self.kind {
            ChangeType::Config | ChangeType::Docs => Some(RiskClass::Low),
            ChangeType::Feature | ChangeType::Experiment | ChangeType::Reliability => Some(RiskClass::Medium),
            ChangeType::Infrastructure => Some(RiskClass::High),
            // Only "major refactoring" is listed: High as long as nobody has measured how large it is.
            ChangeType::Refactor => Some(self.risk.unwrap_or(RiskClass::High)),
            ChangeType::BugFix | ChangeType::IncidentFix | ChangeType::SecurityFix | ChangeType::Rollback => None,
        };
        by_type.max(self.risk)
    }

    /// Whether it repairs something.
    pub const fn is_fix(&self) -> bool {
        matches!(self.kind, ChangeType::BugFix | ChangeType::IncidentFix | ChangeType::SecurityFix)
    }

    /// A hotfix of a production outage.
    fn is_p0_fix(&self) -> bool {
        self.is_fix() && self.severity == Some(Severity::P0)
    }

    /// A fix of a critical bug.
    fn is_p1_fix(&self) -> bool {
        self.is_fix() && self.severity == Some(Severity::P1)
    }
}

/// What a rule says, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// The rule in the document's words.
    pub says: &'static str,
    /// Document and section.
    pub source: &'static str,
}

impl std::fmt::Display for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\" ({})", self.says, self.source)
    }
}

/// What a rule does to a change that it applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It may ship, as far as this rule goes.
    Allows,
    /// It may ship once these have agreed.
    Needs(&'static [SignOff]),
    /// It may not ship.
    Blocks,
}

/// One line of the document's tables.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What it says and where.
    pub clause: Clause,
    /// Under which statuses it stands.
    pub under: &'static [BudgetStatus],
    /// To which changes it applies.
    pub applies: fn(&ChangeFacts) -> bool,
    /// What it does.
    pub effect: Effect,
}

const fn rule(
    under: &'static [BudgetStatus],
    applies: fn(&ChangeFacts) -> bool,
    effect: Effect,
    says: &'static str,
    source: &'static str,
) -> Rule {
    Rule { clause: Clause { says, source }, under, applies, effect }
}

const fn before_start(role: Role, people: u8, why: &'static str, source: &'static str) -> SignOff {
    SignOff { role, people, when: SignOffPoint::BeforeStart, why, source }
}

/// Whatever ships in Emergency is reviewed so, an exception too.
const EMERGENCY_REVIEW: &[SignOff] = &[before_start(
    Role::SeniorEngineer,
    2,
    "in Emergency multiple senior engineers review",
    "001, Emergency, Requirements",
)];

const WARNING: &str = "001, Warning, Deployment Policy";
const CRITICAL: &str = "001, Critical, Deployment Policy";
const EMERGENCY: &str = "001, Emergency, Deployment Policy";
const RISK: &str = "001, Deployment Risk Assessment";

/// The freeze policy. Healthy has no line: everything ships (whether the service owner is asked says [`by_owner`]). A rollback is not asked (see [`permission`]).
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    // Warning: 30 to 50 % left.
    rule(&[Warning], |f| f.is_fix(), Effect::Allows,
        "Critical bug fixes: Approved", WARNING),
    rule(&[Warning], |f| f.kind == ChangeType::Feature, Effect::Allows,
        "Feature releases: Approved with extra review", WARNING),
    rule(&[Warning], |f| f.kind == ChangeType::Experiment,
        Effect::Needs(&[before_start(Role::ServiceOwner, 1, "an experiment in Warning requires a justification, which the service owner accepts", WARNING)]),
        "Experiments: Requires justification", WARNING),
    rule(&[Warning], |f| f.kind == ChangeType::Refactor,
        Effect::Needs(&[before_start(Role::ServiceOwner, 1, "refactoring in Warning is deferred unless the service owner calls it high-value", WARNING)]),
        "Refactoring: Defer unless high-value", WARNING),
    rule(&[Warning], |f| f.kind == ChangeType::Infrastructure,
        Effect::Needs(&[before_start(Role::Sre, 1, "infrastructure changes in Warning require SRE approval", WARNING)]),
        "Infrastructure changes: Requires SRE approval", WARNING),
    rule(&[Warning], |_| true, Effect::Needs(ENHANCED_PROCESS),
        "Enhanced Process", "001, Deployment Process by Budget Status, 30-50%"),
    // Critical: 10 to 30 % left.
    rule(&[Critical], ChangeFacts::is_p0_fix, Effect::Allows,
        "P0 hotfixes (production outages): Approved", CRITICAL),
    rule(&[Critical], ChangeFacts::is_p1_fix, Effect::Allows,
        "P1 critical bugs: Approved with SRE sign-off", CRITICAL),
    rule(&[Critical], |f| f.kind == ChangeType::Feature, Effect::Blocks,
        "Feature releases: BLOCKED", CRITICAL),
    rule(&[Critical], |f| f.kind == ChangeType::Experiment, Effect::Blocks,
        "Experiments: BLOCKED", CRITICAL),
    rule(&[Critical], |f| f.kind == ChangeType::Refactor, Effect::Blocks,
        "Refactoring: BLOCKED", CRITICAL),
    rule(&[Critical], non_critical, Effect::Blocks,
        "Non-critical changes: BLOCKED", CRITICAL),
    // Emergency: less than 10 % left. No process of its own is given: the emergency process of 10 to 30 % goes on.
    rule(&[Emergency], ChangeFacts::is_p0_fix, Effect::Allows,
        "Production outage hotfixes ONLY: Requires VP Engineering approval", EMERGENCY),
    rule(&[Emergency], |_| true, Effect::Needs(EMERGENCY_REVIEW),
        "Multiple senior engineers review", "001, Emergency, Requirements"),
    rule(&[Emergency], |f| !f.is_p0_fix(), Effect::Blocks,
        "Everything else: BLOCKED", EMERGENCY),
    rule(&[Critical, Emergency], |_| true, Effect::Needs(EMERGENCY_PROCESS),
        "Emergency Process", "001, Deployment Process by Budget Status, 10-30%"),
    // By risk class.
    rule(&[Warning, Critical], |f| f.risk_class() == Some(RiskClass::Low), Effect::Allows,
        "Low Risk (allowed with >10% budget)", RISK),
    rule(&[Emergency], |f| f.risk_class() == Some(RiskClass::Low), Effect::Blocks,
        "Low Risk (allowed with >10% budget)", RISK),
    rule(&[Warning], |f| f.risk_class() == Some(RiskClass::Medium), Effect::Allows,
        "Medium Risk (allowed with >30% budget)", RISK),
    rule(&[Critical, Emergency], |f| f.risk_class() == Some(RiskClass::Medium), Effect::Blocks,
        "Medium Risk (allowed with >30% budget)", RISK),
    rule(&[Warning, Critical, Emergency], |f| f.risk_class() == Some(RiskClass::High), Effect::Blocks,
        "High Risk (allowed with >50% budget)", RISK),
    rule(&[Critical, Emergency], |f| f.kind == ChangeType::Reliability, Effect::Allows,
        "Quick wins: Low-risk reliability improvements", "001, Error Budget Recovery Strategies, During Freeze"),
];

/// Everything that is neither a hotfix nor a critical bug, but for the types that have a line of their own.
fn non_critical(facts: &ChangeFacts) -> bool {
    let named = matches!(facts.kind, ChangeType::Feature | ChangeType::Experiment | ChangeType::Refactor);
    !named && !facts.is_p0_fix() && !facts.is_p1_fix()
}

/// Whether a change may ship.
#[derive(Debug, Clone, PartialEq)]
pub enum Permission {
    /// It may, once these have agreed; an empty list holds nothing up.
    Allowed {
        /// Who must agree, and before what.
        sign_offs: Vec<SignOff>,
    },
    /// It may not.
    Blocked(Blocked),
}

/// Why a change may not ship, and what would let it. Its `Display` is the sentence for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocked {
    /// The rules that block, at least one.
    pub by: Vec<Clause>,
    /// Rules that would have let it pass; the stricter holds.
    pub despite: Vec<Clause>,
    /// Who must agree to it, and before what, where an exception lifts the block: it lifts nothing else.
    pub sign_offs: Vec<SignOff>,
    /// The change may ship once more than this is left of the error budget, and no declared freeze is worse.
    pub released_above: Percent,
    /// What may ship under this status, in words.
    pub allowed_now: &'static str,
}

/// Whether a change may ship under a budget status (`001_…`, Freeze Policy and Deployment Risk Assessment).
///
/// A rollback, the return to a revision that ran, is always allowed and waits for nobody: no document forbids it, and
/// to hold it would prolong what the budget measures.
pub fn permission(facts: &ChangeFacts, status: BudgetStatus) -> Permission {
    if facts.kind == ChangeType::Rollback {
        return Permission::Allowed { sign_offs: Vec::new() };
    }
    let (mut by, mut despite, mut sign_offs) = (Vec::new(), Vec::new(), Vec::new());
    for rule in RULES.iter().filter(|rule| rule.under.contains(&status) && (rule.applies)(facts)) {
        match rule.effect {
            Effect::Blocks => by.push(rule.clause),
            Effect::Allows => despite.push(rule.clause),
            Effect::Needs(new) => {
                sign_offs = join(&sign_offs, new);
                // A process says how, not whether: only a line about this very type contradicts a block.
                if ![ENHANCED_PROCESS, EMERGENCY_PROCESS, EMERGENCY_REVIEW].contains(&new) {
                    despite.push(rule.clause);
                }
            }
        }
    }
    if by.is_empty() {
        Permission::Allowed { sign_offs }
    } else {
        Permission::Blocked(Blocked {
            by,
            despite,
            sign_offs,
            released_above: released_above(facts, status),
            allowed_now: allowed_now(status),
        })
    }
}

/// The smallest remainder above which the change is no longer blocked.
fn released_above(facts: &ChangeFacts, status: BudgetStatus) -> Percent {
    [Critical, Warning, Healthy]
        .into_iter()
        .filter(|better| *better < status)
        .find(|better| matches!(permission(facts, *better), Permission::Allowed { .. }))
        .and_then(in_force_above)
        .unwrap_or(super::budget::HEALTHY_ABOVE)
}

/// What the service owner approves, where they are asked in person.
const OWNER: &[SignOff] = &[before_start(
    Role::ServiceOwner,
    1,
    "the service owner approves deployments while more than 30 % is left",
    "001, Healthy, Requirements; Roles, Service Owner",
)];

/// Whether the service owner approves the start under a budget status: above 30 %, and nobody approves a rollback. Below, those of the
/// emergency process do.
pub fn by_owner(how: OwnerApproval, kind: ChangeType, status: BudgetStatus) -> &'static [SignOff] {
    match (how, status) {
        (OwnerApproval::Asked, Healthy | Warning) if kind != ChangeType::Rollback => OWNER,
        (OwnerApproval::Asked | OwnerApproval::Manifest, _) => &[],
    }
}

/// What may ship under a status, in words for messages.
pub const fn allowed_now(status: BudgetStatus) -> &'static str {
    match status {
        Healthy => "every change",
        Warning => "Rollback; with sign-off every change that is not high-risk (Infrastructure, Refactor)",
        Critical => {
            "Rollback; with sign-off BugFix, IncidentFix and SecurityFix of severity P0 (production outage) or P1 (critical bug)"
        }
        Emergency => "Rollback; with sign-off BugFix, IncidentFix and SecurityFix of severity P0 (production outage)",
    }
}
