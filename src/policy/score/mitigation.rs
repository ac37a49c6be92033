//! What makes a change less risky, once somebody has verified it (`000_…` §5.3, Mitigations).

use std::fmt;

use crate::api::{Span, Time};
use crate::policy::category::{Category, Classification};

use super::sum::{Term, TermKind};

/// How long a verification holds. The document gives 30 days for the rehearsal of a rollback and no figure for the
/// rest: the same for all.
pub const MITIGATION_FRESH: Span = Span::days(30);

/// A mitigation of the document's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mitigation {
    /// A feature flag with staged rollout, and its kill switch was tried.
    FeatureFlag,
    /// A canary with automated health gates, and the rollback was tried.
    Canary,
    /// Good integration coverage of what the change touches.
    IntegrationCoverage,
    /// No data is migrated.
    NoDataMigration,
    /// A backward-compatible migration whose rollback was proven.
    CompatibleMigration,
    /// The change is behind a permission boundary, or a limited cohort gets it.
    Isolation,
}

impl Mitigation {
    /// Every mitigation, in the document's order.
    pub const ALL: &'static [Self] = &[
        Self::FeatureFlag,
        Self::Canary,
        Self::IntegrationCoverage,
        Self::NoDataMigration,
        Self::CompatibleMigration,
        Self::Isolation,
    ];

    /// Its name, such as `feature-flag`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FeatureFlag => "feature-flag",
            Self::Canary => "canary",
            Self::IntegrationCoverage => "integration-coverage",
            Self::NoDataMigration => "no-data-migration",
            Self::CompatibleMigration => "compatible-migration",
            Self::Isolation => "isolation",
        }
    }

    /// What it takes off: 2 or 3.
    pub const fn points(self) -> i32 {
        match self {
            Self::FeatureFlag | Self::Canary => 3,
            Self::IntegrationCoverage | Self::NoDataMigration | Self::CompatibleMigration | Self::Isolation => 2,
        }
    }

    /// The document's line. Two mitigations with one line are alternatives ("OR") and count once.
    pub const fn says(self) -> &'static str {
        match self {
            Self::FeatureFlag => "feature flag with staged rollout + instant kill switch verified",
            Self::Canary => "canary + automated health gates + rollback tested in last 30 days",
            Self::IntegrationCoverage => "high-confidence integration coverage for touched components",
            Self::NoDataMigration | Self::CompatibleMigration => {
                "no data migration OR backward-compatible migration with proven rollback"
            }
            Self::Isolation => "change isolated behind permission boundary / limited cohort",
        }
    }

    /// Why the categories of the change contradict it; None where they do not.
    fn contradicted_by(self, change: &Classification) -> Option<String> {
        let migration = change.categories().find(|category| category.is_data() && *category != Category::Pii);
        match self {
            Self::NoDataMigration => migration.map(|category| format!("the change is {category}")),
            Self::CompatibleMigration if change.has(Category::SchemaMigrationBreaking) => {
                Some(format!("the change is {}", Category::SchemaMigrationBreaking))
            }
            Self::CompatibleMigration if migration.is_none() => Some("the change has no migration".to_owned()),
            Self::CompatibleMigration
            | Self::FeatureFlag
            | Self::Canary
            | Self::IntegrationCoverage
            | Self::Isolation => None,
        }
    }
}

impl fmt::Display for Mitigation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A mitigation that somebody or something verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What was verified.
    pub mitigation: Mitigation,
    /// When: the moment of the rehearsal, the test, the look.
    pub at: Time,
    /// When the verification says itself that it lapses; [`MITIGATION_FRESH`] holds all the same.
    pub until: Option<Time>,
    /// Who or what verified it, and where to read it.
    pub evidence: String,
}

/// A mitigation that does not count, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// Which.
    pub mitigation: Mitigation,
    /// Why, in words that complete "does not count: …".
    pub why: String,
}

impl fmt::Display for Declined {
    /// `canary does not count: verified 2 Jan 10:00:00 UTC, more than 30d ago`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not count: {}", self.mitigation, self.why)
    }
}

/// What verified mitigations take off, in the document's order, each line of it once; and those that do not count.
pub(super) fn terms(verified: &[Verified], change: &Classification, now: Time) -> (Vec<Term>, Vec<Declined>) {
    let (mut terms, mut declined) = (Vec::<Term>::new(), Vec::new());
    for mitigation in Mitigation::ALL {
        let judged: Vec<_> = verified
            .iter()
            .filter(|one| one.mitigation == *mitigation)
            .map(|one| (one, why_not(one, change, now)))
            .collect();
        let line_counts = terms.iter().any(|term| term.says == mitigation.says());
        if let Some((one, _)) = judged.iter().find(|(_, why)| why.is_none()) {
            if !line_counts {
                terms.push(term(one));
            }
        } else if let Some((_, Some(why))) = judged.last() {
            declined.push(Declined { mitigation: *mitigation, why: why.clone() });
        }
    }
    (terms, declined)
}

fn term(one: &Verified) -> Term {
    Term {
        kind: TermKind::Mitigation,
        points: -one.mitigation.points(),
        says: one.mitigation.says(),
        source: "000 §5.3, Mitigations",
        evidence: format!("{}, verified {}", one.evidence, one.at.clock()),
    }
}

/// Why a verification does not count; None where it does.
fn why_not(one: &Verified, change: &Classification, now: Time) -> Option<String> {
    if one.at > now {
        return Some(format!("verified {}, which is still to come", one.at.clock()));
    }
    // To the millisecond: 30 days and one moment are too old.
    if now.since(one.at) > MITIGATION_FRESH {
        return Some(format!("verified {}, more than {MITIGATION_FRESH} ago", one.at.clock()));
    }
    match one.until {
        Some(until) if until <= now => Some(format!("lapsed {}", until.clock())),
        Some(_) | None => one.mitigation.contradicted_by(change),
    }
}
