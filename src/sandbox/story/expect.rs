//! What should have come of a scenario, so that its file is a test too.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::api::release_record::Outcome;
use crate::api::{Span, Weight};

use super::play::Attempt;

/// What should have come of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expectation {
    /// How the newest attempt at each version ended.
    pub outcomes: BTreeMap<String, Expected>,
    /// For which reasons attempts at a version were held.
    pub held: BTreeMap<String, Vec<String>>,
    /// The route's weights in the end.
    pub weights: Option<Weights>,
    /// Fewer requests than this failed.
    pub failed_requests_below: Option<u64>,
}

/// How an attempt should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// How.
    pub outcome: Outcome,
    /// How long after the version was applied at most.
    pub within: Option<Span>,
}

impl Expected {
    /// `RolledBack`, `RolledBack within 5m`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (outcome, within) = match text.split_once(" within ") {
            Some((outcome, span)) => (outcome, Some(span)),
            None => (text, None),
        };
        let outcome = outcome.trim().parse().map_err(|_| {
            let all: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
            format!("{text:?} is not an outcome, such as \"RolledBack within 5m\"; outcomes are {}", all.join(", "))
        })?;
        let within = within.map(|span| span.trim().parse::<Span>().map_err(|why| format!("{text:?}: {why}")));
        Ok(Self { outcome, within: within.transpose()? })
    }
}

/// Where the route's requests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Weights {
    /// To the workload's own Service.
    pub stable: Weight,
    /// To the canary.
    #[serde(default)]
    pub canary: Weight,
    /// To the last version, which is kept warm.
    #[serde(default)]
    pub previous: Weight,
}

impl Weights {
    /// All to the workload.
    pub const HOME: Self = Self { stable: Weight::FULL, canary: Weight::ZERO, previous: Weight::ZERO };
}

impl std::fmt::Display for Weights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stable {}, canary {}, previous {}", self.stable, self.canary, self.previous)
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending<'a> {
    /// All attempts, in the order of their numbers.
    pub attempts: &'a [Attempt],
    /// The route's weights.
    pub weights: Weights,
    /// Requests that failed.
    pub failed_requests: u64,
}

impl Expectation {
    /// What did not come as expected, a sentence each. `applied` is when each version was applied, `held` every reason that
    /// was seen.
    pub(super) fn unmet(
        &self,
        ending: &Ending<'_>,
        applied: &BTreeMap<String, Span>,
        held: &BTreeSet<(String, String)>,
    ) -> Vec<String> {
        let mut unmet = Vec::new();
        for (version, expected) in &self.outcomes {
            let newest = ending.attempts.iter().rfind(|attempt| attempt.version == *version);
            unmet.extend(expected.unmet(version, newest, applied.get(version).copied()));
        }
        for (version, reasons) in &self.held {
            for reason in reasons.iter().filter(|reason| !held.contains(&(version.clone(), (*reason).clone()))) {
                let seen: Vec<_> =
                    held.iter().filter(|(of, _)| of == version).map(|(_, reason)| reason.as_str()).collect();
                let seen = if seen.is_empty() { "it was never held".to_owned() } else { seen.join(", ") };
                unmet.push(format!("{version} should have been held for {reason}; seen: {seen}"));
            }
        }
        if let Some(weights) = self.weights.filter(|weights| *weights != ending.weights) {
            unmet.push(format!("the weights should be {weights}; they are {}", ending.weights));
        }
        if let Some(limit) = self.failed_requests_below.filter(|limit| ending.failed_requests >= *limit) {
            unmet.push(format!("fewer than {limit} requests should have failed; {} did", ending.failed_requests));
        }
        unmet
    }

    /// Whether every outcome that is expected was reached by somebody, right or wrong: nothing is worth waiting for.
    pub(super) fn decided(&self, attempts: &[Attempt]) -> bool {
        self.outcomes.keys().all(|version| {
            attempts
                .iter()
                .rfind(|attempt| attempt.version == *version)
                .is_some_and(|attempt| attempt.outcome.is_some())
        })
    }
}

impl Expected {
    fn unmet(&self, version: &str, newest: Option<&Attempt>, applied: Option<Span>) -> Option<String> {
        let wanted = self.outcome;
        let Some(attempt) = newest else {
            return Some(format!("{version} should have ended {wanted}; there was no attempt at it"));
        };
        match attempt.outcome {
            None => Some(format!("{version} should have ended {wanted}; it is in phase {}", attempt.phase)),
            Some(outcome) if outcome != wanted => {
                Some(format!("{version} should have ended {wanted}; it ended {outcome}"))
            }
            Some(_) => {
                let took = attempt.ended?.as_millis().saturating_sub(applied?.as_millis());
                let within = self.within.filter(|within| took > within.as_millis())?;
                let took = Span::from_millis(took);
                Some(format!("{version} should have ended {wanted} within {within}; it took {took}"))
            }
        }
    }
}
