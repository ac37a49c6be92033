//! Which gate, and by which rule (`000_…` §6.2, §6.3): the strictest of three floors, then modifiers, one list each.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use crate::api::{BudgetStatus, ChangeType};
use crate::policy::band::{self, Band, BandFacts};
use crate::policy::category::{Category, Classification};
use crate::policy::freeze::Clause;
use crate::policy::points::RiskPoints;
use crate::policy::tier::Tier;

use super::level::{Gate, gate_of};

/// Everything that the gate depends on.
#[derive(Debug, Clone, Copy)]
pub struct GateFacts<'a> {
    /// The release risk score.
    pub points: RiskPoints,
    /// What the change touches.
    pub change: &'a Classification,
    /// Its type.
    pub kind: ChangeType,
    /// How critical the service is.
    pub tier: Tier,
    /// What is left of the risk budget.
    pub band: Band,
    /// What is left of the error budget; "severely degraded" is Critical and worse.
    pub budget_status: BudgetStatus,
    /// Whether the service is in an incident now.
    pub incident: bool,
    /// The restricted window that holds now, and until when, in words.
    pub restricted: Option<&'a str>,
    /// Whether the change mends what led to a major incident that is likely to come back.
    pub remediation: bool,
    /// Whether it ships as an exception that was approved (`000_…` §7).
    pub exception: bool,
    /// Whether the mapping is tightened, because of exceptions (§7) or worse figures (§8); see `adjustment`.
    pub tightened: bool,
    /// Categories whose gate the service earned to be one level lighter (§5.6).
    pub relaxed: &'a BTreeSet<Category>,
}

/// The rule behind a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GateRule {
    /// A rollback is never held.
    Rollback,
    /// The map from risk points.
    RiskPoints,
    /// The floor of a category.
    Category,
    /// The tier's minimum.
    TierMinimum,
    /// Earned: one level lighter.
    Relaxation,
    /// Exceptions or worse figures: one level stricter.
    Tightening,
    /// Risk budget Yellow.
    Yellow,
    /// Risk budget Red.
    Red,
    /// Risk budget Exhausted.
    Exhausted,
    /// Tier 3 with little budget left.
    LowBudget,
    /// An exception in a freeze window.
    FreezeException,
    /// Remediation after a major incident.
    Remediation,
}

/// What one rule does to the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which rule.
    pub rule: GateRule,
    /// The gate after it.
    pub to: Gate,
    /// The step in words: `14 RP → G3`, `Yellow: +1 → G4`.
    pub says: String,
    /// Document and section.
    pub source: &'static str,
}

/// What makes a rule block a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockCause {
    /// The service is in an incident, or nobody can tell.
    Incident,
    /// The error budget is severely degraded.
    ErrorBudget,
    /// A restricted window holds.
    RestrictedWindow,
    /// What is left of the risk budget.
    RiskBudget,
}

impl BlockCause {
    /// Whether it is an incident.
    pub const fn is_incident(self) -> bool {
        matches!(self, Self::Incident)
    }

    /// Whether it holds a change that was let start before, too: an incident before each stage, a restricted window before the first
    /// users. What the budgets came to meanwhile asks people instead ([`crate::policy::worsened`]).
    pub const fn holds_underway(self, first: bool) -> bool {
        match self {
            Self::Incident => true,
            Self::RestrictedWindow => first,
            Self::ErrorBudget | Self::RiskBudget => false,
        }
    }
}

/// Why a change may not ship whatever its gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateBlock {
    /// What makes the rule block it.
    pub cause: BlockCause,
    /// The rule that blocks.
    pub by: Clause,
    /// A line that would let it pass; the stricter holds.
    pub despite: Option<Clause>,
    /// What ends it, in words that complete "ships once …".
    pub until: Cow<'static, str>,
}

impl fmt::Display for GateBlock {
    /// `blocked by "…" (000 §6.3); "…" (000 §5.4) would let it pass, the stricter holds. Ships once …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blocked by {}", self.by)?;
        if let Some(despite) = self.despite {
            write!(f, "; {despite} would let it pass, the stricter holds")?;
        }
        write!(f, ". Ships once {}, or as an exception (break-glass, charged 150 %)", self.until)
    }
}

/// The gate of a change, how it came about, and what blocks the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateDecision {
    /// The gate.
    pub gate: Gate,
    /// The steps that led there, at least one; each after the first changed the gate.
    pub steps: Vec<Step>,
    /// Why it may not ship; empty where it may.
    pub blocks: Vec<GateBlock>,
}

impl GateDecision {
    /// The rule that decided: the last that changed the gate.
    pub fn decided_by(&self) -> Option<GateRule> {
        self.steps.last().map(|step| step.rule)
    }
}

impl fmt::Display for GateDecision {
    /// `14 RP → G3; Yellow: +1 → G4`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<&str> = self.steps.iter().map(|step| step.says.as_str()).collect();
        f.write_str(&steps.join("; "))
    }
}

type Rule = fn(&GateFacts<'_>, Gate) -> Option<Step>;

/// The rules after the map, in the order in which they apply. Each sees the gate so far and answers with the step that
/// changes it; None where it does not apply.
const RULES: &[Rule] = &[
    category_floor,   // the category's own gate, at least
    tier_minimum,     // the tier's own gate, at least
    relaxation,       // earned, in Green: one lighter
    tightening,       // exceptions, worse figures: one stricter
    budget_band,      // Yellow from G2, Red from G1, Exhausted: one stricter
    low_budget,       // Tier 3 with little left: G4
    freeze_exception, // exception in a freeze: G4
    remediation,      // after a major incident: G4
];

/// The gate of a change (`000_…` §6.3).
pub fn decide(facts: &GateFacts<'_>) -> GateDecision {
    if facts.kind == ChangeType::Rollback {
        let says = format!("a rollback is never held → {}", Gate::G0);
        let step = Step { rule: GateRule::Rollback, to: Gate::G0, says, source: "000 §5.4, Exhausted" };
        return GateDecision { gate: Gate::G0, steps: vec![step], blocks: Vec::new() };
    }
    let first = risk_points(facts);
    let mut gate = first.to;
    let mut steps = vec![first];
    for rule in RULES {
        if let Some(step) = rule(facts, gate).filter(|step| step.to != gate) {
            gate = step.to;
            steps.push(step);
        }
    }
    GateDecision { gate, steps, blocks: blocks(facts) }
}

fn risk_points(facts: &GateFacts<'_>) -> Step {
    let to = gate_of(facts.points);
    Step { rule: GateRule::RiskPoints, to, says: format!("{} → {to}", facts.points), source: "000 §6.3" }
}

fn at_least(gate: Gate, floor: Gate, rule: GateRule, because: &str, source: &'static str) -> Option<Step> {
    let to = gate.max(floor);
    Some(Step { rule, to, says: format!("{because}: at least {floor} → {to}"), source })
}

fn one_more(gate: Gate, rule: GateRule, because: &str, source: &'static str) -> Option<Step> {
    let to = gate.stricter();
    Some(Step { rule, to, says: format!("{because}: +1 → {to}"), source })
}

fn category_floor(facts: &GateFacts<'_>, gate: Gate) -> Option<Step> {
    let strictest = facts.change.strictest()?;
    at_least(gate, strictest.floor(), GateRule::Category, strictest.as_str(), "000 §6.2")
}

fn tier_minimum(facts: &GateFacts<'_>, gate: Gate) -> Option<Step> {
    at_least(gate, facts.tier.minimum_gate(), GateRule::TierMinimum, &facts.tier.to_string(), "000 §5.1")
}

/// In Green alone, and only where every category of the change is relaxed. What the documents put into G4 by name stays.
fn relaxation(facts: &GateFacts<'_>, gate: Gate) -> Option<Step> {
    let earned = facts.change.categories().all(|category| facts.relaxed.contains(&category));
    if !earned || facts.band != Band::Green || facts.tightened || facts.change.floor() == Gate::G4 {
        return None;
    }
    let to = gate.lighter();
    Some(Step { rule: GateRule::Relaxation, to, says: format!("earned relaxation: -1 → {to}"), source: "000 §5.6" })
}

fn tightening(facts: &GateFacts<'_>, gate: Gate) -> Option<Step> {
    facts.tightened.then(|| one_more(gate, GateRule::Tightening, "tightened mapping", "000 §7, §8"))?
}

fn budget_band(facts: &GateFacts<'_>, gate: Gate) -> Option<Step> {
    match facts.band {
        Band::Green => None,
        Band::Yellow if gate < Gate::G2 => None,
        Band::Yellow => one_more(gate, GateRule::Yellow, "Yellow", "000 §5.4, §6.3"),
        Band::Red if gate < Gate::G1 => None,
        Band::Red => one_more(gate, GateRule::Red, "Red", "000 §6.3"),
        Band::Exhausted if gate < Gate::G1 => None,
        Band::Exhausted => one_more(gate, GateRule::Exhausted, "Exhausted", "000 §5.4"),
    }
}

/// "Tier 3 critical systems with low budget remaining"; §5.5 calls Yellow and Red low.
fn low_budget(facts: &GateFacts<'_>, gate: Gate) -> Option<Step> {
    let because = format!("{} with low budget ({})", facts.tier, facts.band);
    let low = facts.tier == Tier::T3 && facts.band >= Band::Yellow;
    low.then(|| at_least(gate, Gate::G4, GateRule::LowBudget, &because, "000 §6.2, G4; §5.5"))?
}

/// "changes during freeze windows via exception"; a frozen error budget is a freeze too.
fn freeze_exception(facts: &GateFacts<'_>, gate: Gate) -> Option<Step> {
    let freeze = facts.restricted.is_some() || severely_degraded(facts);
    let exception = facts.exception && freeze;
    exception.then(|| at_least(gate, Gate::G4, GateRule::FreezeException, "exception in a freeze", "000 §6.2, G4"))?
}

fn remediation(facts: &GateFacts<'_>, gate: Gate) -> Option<Step> {
    let because = "remediation after a major incident";
    facts.remediation.then(|| at_least(gate, Gate::G4, GateRule::Remediation, because, "000 §6.2, G4"))?
}

fn severely_degraded(facts: &GateFacts<'_>) -> bool {
    facts.budget_status >= BudgetStatus::Critical
}

fn is_fix(kind: ChangeType) -> bool {
    matches!(kind, ChangeType::BugFix | ChangeType::IncidentFix | ChangeType::SecurityFix)
}

const NON_FIX: Clause = Clause {
    says: "If active incident or error budget severely degraded: block non-fix releases by default",
    source: "000 §6.3",
};
const RESTRICTED: Clause =
    Clause { says: "release during restricted windows (holidays/freeze) via exception", source: "000 §5.3" };

/// What blocks the change, in all rules that do; an approved exception is blocked by none of them.
fn blocks(facts: &GateFacts<'_>) -> Vec<GateBlock> {
    if facts.exception {
        return Vec::new();
    }
    let mut all = Vec::new();
    let block = |cause, by, until| GateBlock { cause, by, despite: None, until };
    if facts.incident && !is_fix(facts.kind) {
        all.push(block(BlockCause::Incident, NON_FIX, "the incident is over".into()));
    }
    if severely_degraded(facts) && !is_fix(facts.kind) {
        all.push(block(BlockCause::ErrorBudget, NON_FIX, "more than 30 % of the error budget is left".into()));
    }
    if let Some(window) = facts.restricted {
        let until = format!("the restricted window is over ({window})").into();
        all.push(block(BlockCause::RestrictedWindow, RESTRICTED, until));
    }
    let asked = BandFacts { kind: facts.kind, diff: facts.change.floor(), exception: facts.exception };
    let until = || "30 % of the risk budget or more is left".into();
    let by_band = band::blocks(facts.band, &asked).into_iter();
    let of_band =
        |by: band::BandBlock| GateBlock { despite: by.despite, ..block(BlockCause::RiskBudget, by.by, until()) };
    all.extend(by_band.map(of_band));
    all
}
