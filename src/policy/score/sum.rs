//! The sum, and how it is shown.

use std::fmt;

use crate::api::{RiskClass, Time};
use crate::policy::category::{Category, Classification};
use crate::policy::points::RiskPoints;
use crate::policy::tier::Tier;

use super::context::Context;
use super::mitigation::{self, Declined, Verified};

/// Everything that the score is made from.
#[derive(Debug, Clone, Copy)]
pub struct ScoreFacts<'a> {
    /// How critical the service is.
    pub tier: Tier,
    /// What the change touches.
    pub change: &'a Classification,
    /// What was seen around the service.
    pub context: &'a Context,
    /// What was verified that makes it less risky.
    pub mitigations: &'a [Verified],
}

/// Which part of the formula a term belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TermKind {
    /// Base (criticality).
    Base,
    /// Diff risk.
    Diff,
    /// Operational context.
    Context,
    /// A mitigation; its points are negative.
    Mitigation,
}

/// One term of the sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Which part of the formula it belongs to.
    pub kind: TermKind,
    /// Risk points; below 0 for mitigations alone.
    pub points: i32,
    /// The document's line.
    pub says: &'static str,
    /// Document and section.
    pub source: &'static str,
    /// What shows that the line applies.
    pub evidence: String,
}

impl fmt::Display for Term {
    /// `+10 auth/permission logic (000 §5.3, Diff Risk): authentication, …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+} {} ({}): {}", self.points, self.says, self.source, self.evidence)
    }
}

/// The release risk score of a change at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// The terms in the order of the formula.
    pub terms: Vec<Term>,
    /// Mitigations that do not count, and why.
    pub declined: Vec<Declined>,
    /// The sum, at least 1 RP.
    pub total: RiskPoints,
    /// How much error budget must be left for the change (`001_…`, Deployment Risk Assessment).
    pub class: RiskClass,
}

impl Score {
    /// The score of a change at `now`.
    pub fn of(facts: &ScoreFacts<'_>, now: Time) -> Self {
        let (mitigations, declined) = mitigation::terms(facts.mitigations, facts.change, now);
        let mut terms = vec![base(facts.tier)];
        terms.extend(diff(facts.change));
        terms.extend(facts.context.terms(now));
        terms.extend(mitigations);
        let sum: i32 = terms.iter().map(|term| term.points).sum();
        let total = RiskPoints::new(u32::try_from(sum).unwrap_or(0)).max(RiskPoints::LEAST);
        Self { terms, declined, total, class: facts.change.risk_class() }
    }

    /// The sum of one part of the formula; not above 0 for mitigations.
    pub fn part(&self, kind: TermKind) -> i32 {
        self.terms.iter().filter(|term| term.kind == kind).map(|term| term.points).sum()
    }

    /// The sum and every term, one a line, for a description.
    pub fn lines(&self) -> Vec<String> {
        let terms = self.terms.iter().map(Term::to_string);
        [self.to_string()].into_iter().chain(terms).chain(self.declined.iter().map(Declined::to_string)).collect()
    }
}

impl fmt::Display for Score {
    /// `14 RP = 6 base + 10 diff + 0 context - 2 mitigations`; says so where the least holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |kind| self.part(kind);
        let (base, diff, context) = (part(TermKind::Base), part(TermKind::Diff), part(TermKind::Context));
        let off = -part(TermKind::Mitigation);
        write!(f, "{} = {base} base + {diff} diff + {context} context - {off} mitigations", self.total)?;
        if base + diff + context < off + 1 {
            write!(f, ", never below {} (000 §5.3)", RiskPoints::LEAST)?;
        }
        Ok(())
    }
}

fn base(tier: Tier) -> Term {
    Term {
        kind: TermKind::Base,
        points: signed(tier.base()),
        says: "Base (criticality)",
        source: "000 §5.3, Base",
        evidence: tier.to_string(),
    }
}

/// One term for each item of the price list that the change falls under.
fn diff(change: &Classification) -> impl Iterator<Item = Term> + '_ {
    change.items().into_iter().map(|(item, categories)| Term {
        kind: TermKind::Diff,
        points: signed(item.points()),
        says: item.says(),
        source: "000 §5.3, Diff Risk",
        evidence: evidence(change, &categories),
    })
}

/// How many pieces of evidence a term shows; a record has little room.
const EVIDENCE_MAX: usize = 3;

/// `authentication (the change says so), permissions (…) and 2 more`.
fn evidence(change: &Classification, categories: &[Category]) -> String {
    let all: Vec<String> = categories
        .iter()
        .flat_map(|category| change.findings(*category))
        .map(|finding| format!("{} ({})", finding.category, finding.evidence))
        .collect();
    let shown = all.iter().take(EVIDENCE_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(EVIDENCE_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Points of the tables are small: no figure is lost.
fn signed(points: RiskPoints) -> i32 {
    i32::try_from(points.get()).unwrap_or(i32::MAX)
}
