//! What a change costs, what is left before and after it, and what speaks against it.

use std::collections::BTreeSet;

use crate::api::release_record::{AssessmentRecord, BudgetAtStart};
use crate::api::{AttestationSpec, BudgetStatus, Change, ChangeType, Severity, Time};
use crate::policy::band::{Band, band, charge};
use crate::policy::category::{Finding, Origin, parse_list};
use crate::policy::freeze::{ChangeFacts, Permission, permission};
use crate::policy::gate::{self, GateDecision, GateFacts};
use crate::policy::score::{Score, ScoreFacts};
use crate::policy::{Category, Classification, Remaining, RiskPoints};
use crate::release::snapshot::{BudgetSeen, RiskSeen};
use crate::release::wording::at_most;

/// What is asked to be charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Reference, type, severity and categories.
    pub change: Change,
    /// Lines added and removed together, where somebody counted.
    pub diff_lines: Option<u32>,
}

impl Asked {
    /// What an attestation asks for, by its facts `categories`, `change-type`, `change-severity`, `lines-added` and
    /// `lines-removed`. What cannot be read says nothing: the change counts as a Feature of unclassified code.
    /// A claim of Rollback does too, because nobody here can see whether something came back.
    pub fn of(spec: &AttestationSpec) -> Self {
        let fact = |key: &str| spec.facts.get(key).map_or("", |text| text.trim());
        let kind = fact("change-type").parse().unwrap_or(ChangeType::Feature);
        let lines = |key: &str| fact(key).parse::<u32>().ok();
        let (mut categories, unknown) = parse_list(fact("categories"));
        // A word that nobody knows makes nothing cheaper.
        if categories.is_empty() || !unknown.is_empty() {
            categories.push(Category::UnclassifiedCode);
        }
        Self {
            change: Change {
                reference: reference(spec),
                kind: if kind == ChangeType::Rollback { ChangeType::Feature } else { kind },
                severity: fact("change-severity").parse::<Severity>().ok(),
                categories: categories.iter().map(|one| one.as_str().to_owned()).collect(),
            },
            diff_lines: lines("lines-added").zip(lines("lines-removed")).map(|(one, two)| one.saturating_add(two)),
        }
    }

    fn classified(&self) -> Classification {
        let (known, _) = parse_list(&self.change.categories.join(","));
        let finding = |category: Category| Finding {
            category,
            origin: Origin::Claimed,
            evidence: "the charge says so".to_owned(),
        };
        Classification::new(known.into_iter().map(finding))
    }
}

/// The change that an attestation speaks of, as a record has it.
pub(super) fn reference(spec: &AttestationSpec) -> String {
    at_most(128, &spec.revision)
}

/// What is left of a risk budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// The band of what is unspent.
    pub band: Band,
    /// What is neither spent nor promised to a release; below 0 where it was overdrawn.
    pub remaining: i64,
}

/// What a change costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// The score with its terms.
    pub score: Score,
    /// The gate that a release with such a diff would go through.
    pub decision: GateDecision,
    /// What it is charged, with an exception's penalty where something speaks against it.
    pub points: RiskPoints,
    /// Why the budget does not allow it, a sentence each; empty where it does.
    pub refused: Vec<String>,
    /// Before it.
    pub before: Left,
    /// After it.
    pub after: Left,
    /// Risk points of the window.
    pub allocated: u32,
    /// What was not known and counts as if nothing were left of it; none where all was known.
    pub unknown: Option<String>,
    categories: Vec<String>,
    budget: BudgetAtStart,
}

/// What a cost rests on, as far as it is known.
struct Known {
    status: BudgetStatus,
    /// What is left of the error budget, in percent; none where it is not known.
    left: Option<f64>,
    band: Band,
    /// Risk points that are not spent.
    unspent: i64,
    /// Risk points of the window.
    allocated: u32,
    tightened: bool,
}

/// What a change costs at `now`. The error says what is not known yet: nothing is charged by guess.
pub fn cost(asked: &Asked, budget: &BudgetSeen, risk: &RiskSeen, now: Time) -> Result<Cost, String> {
    let (status, left) = match budget {
        BudgetSeen::Measured { status, remaining_percent, .. } => (*status, Some(*remaining_percent)),
        BudgetSeen::Unmeasured(why) => return Err(why.clone()),
        BudgetSeen::Missing => return Err("there is no such RiskBudget".to_owned()),
    };
    let counted = "its risk points have not been counted yet";
    let (Some(band), Some(unspent), Some(window)) = (risk.band(), risk.unspent(), risk.budget.as_ref()) else {
        return Err(counted.to_owned());
    };
    let tightened = !window.tightened_by.is_empty();
    let known = Known { status, left, band, unspent, allocated: window.allocated, tightened };
    Ok(of(asked, &known, risk, now))
}

/// The same where what is not known, which is `why`, counts as if nothing were left of it; none where there is no RiskBudget.
pub(super) fn at_worst(asked: &Asked, budget: &BudgetSeen, risk: &RiskSeen, why: String, now: Time) -> Option<Cost> {
    let (status, left) = match budget {
        BudgetSeen::Measured { status, remaining_percent, .. } => (*status, Some(*remaining_percent)),
        BudgetSeen::Unmeasured(_) => (BudgetStatus::Emergency, None),
        BudgetSeen::Missing => return None,
    };
    let window = risk.budget.as_ref();
    let known = Known {
        status,
        left,
        band: risk.band().unwrap_or(Band::Exhausted),
        unspent: risk.unspent().unwrap_or(0),
        allocated: window.map_or(0, |window| window.allocated),
        tightened: window.is_some_and(|window| !window.tightened_by.is_empty()),
    };
    Some(Cost { unknown: Some(why), ..of(asked, &known, risk, now) })
}

fn of(asked: &Asked, known: &Known, risk: &RiskSeen, now: Time) -> Cost {
    let Known { status, left, band: before, unspent, allocated, tightened } = *known;
    let change = asked.classified();
    let context = risk.context(left.and_then(Remaining::from_percent), now);
    // What verifies a mitigation speaks of a workload's revision: there is none.
    let score = Score::of(&ScoreFacts { tier: risk.tier, change: &change, context: &context, mitigations: &[] }, now);
    let decision = gate::decide(&GateFacts {
        points: score.total,
        change: &change,
        kind: asked.change.kind,
        tier: risk.tier,
        band: before,
        budget_status: status,
        incident: context.in_incident(now),
        restricted: context.restricted.as_deref(),
        remediation: false,
        exception: false,
        tightened,
        // What a service earned is for what goes through its gate in stages.
        relaxed: &BTreeSet::new(),
    });
    let free = risk.free("").unwrap_or(0);
    let refused = refused(asked, &score, &decision, status, free);
    let points = charge(score.total, !refused.is_empty());
    let after = unspent - i64::from(points.get());
    let after_band = if allocated == 0 { Band::Exhausted } else { band(after, RiskPoints::new(allocated)) };
    Cost {
        points,
        refused,
        before: Left { band: before, remaining: free },
        after: Left { band: after_band, remaining: free - i64::from(points.get()) },
        allocated,
        unknown: None,
        categories: change.categories().map(|category| category.as_str().to_owned()).collect(),
        budget: BudgetAtStart { status, remaining_percent: left.unwrap_or(0.0), band: None },
        score,
        decision,
    }
}

/// The rules that hold a release with such a diff: gate, freeze, points. What people would have to agree to is not among
/// them: a charge does not ask anybody.
fn refused(asked: &Asked, score: &Score, decision: &GateDecision, status: BudgetStatus, free: i64) -> Vec<String> {
    let known = ChangeFacts::from(&asked.change);
    let urgent = known.is_fix() && matches!(asked.change.severity, Some(Severity::P0 | Severity::P1));
    let facts = ChangeFacts { risk: (!urgent).then_some(score.class), ..known };
    let mut all: Vec<String> = decision.blocks.iter().map(ToString::to_string).collect();
    if let Permission::Blocked(blocked) = permission(&facts, status) {
        let by: Vec<String> = blocked.by.iter().map(ToString::to_string).collect();
        all.push(format!("blocked in {status} by {}", by.join(", ")));
    }
    if !known.is_fix() && free < i64::from(score.total.get()) {
        all.push(format!("it costs {}, and {free} RP are neither spent nor promised (000 §5.4)", score.total));
    }
    all
}

impl Cost {
    /// Whether it is charged as an exception, because something speaks against it.
    pub fn exception(&self) -> bool {
        !self.refused.is_empty()
    }

    /// For the record.
    pub(super) fn recorded(&self, asked: &Asked) -> (BudgetAtStart, AssessmentRecord) {
        let assessment = AssessmentRecord {
            points: self.score.total.get(),
            score: at_most(160, &self.score.to_string()),
            terms: self.score.terms.iter().take(16).map(|term| at_most(120, &term.to_string())).collect(),
            gate: self.decision.gate,
            why: at_most(256, &self.decision.to_string()),
            band: self.before.band,
            categories: self.categories.clone(),
            risk_class: self.score.class,
            diff_lines: asked.diff_lines,
            shown: Vec::new(),
            not_shown: Vec::new(),
            exception: self.refused.first().map(|why| at_most(256, why)),
            authors: None,
        };
        (self.budget, assessment)
    }
}
