//! The part of the score that is known before the release, and the gate that follows.

use std::collections::BTreeSet;

use crate::api::{BudgetStatus, ChangeType, Time};
use crate::classify::Report;
use crate::policy::gate::{GateDecision, GateFacts, decide};
use crate::policy::score::{self, Context, ScoreFacts, Signal};
use crate::policy::{Band, Tier};

/// What the controller adds, as nobody knows it before.
pub const LATER: &str = "The controller adds what holds at the moment of the release: incidents, error budget, on-call load, restricted \
    windows, the risk budget's band, and verified mitigations.";

/// Base and diff risk, and the gate where everything around is well.
pub struct Score {
    /// The tier.
    pub tier: Tier,
    /// The sum with its terms.
    pub score: score::Score,
    /// The gate with its steps.
    pub gate: GateDecision,
}

impl Score {
    /// The score of a change; None where nothing changed. `kind` is Feature where nobody said it, as the controller takes it.
    pub fn of(tier: Tier, report: &Report, kind: Option<ChangeType>) -> Option<Self> {
        let change = report.classification()?;
        // Nobody was asked: none of these costs anything, and no moment matters.
        let context = Context {
            incidents: Signal::NotConfigured,
            error_budget: Signal::NotConfigured,
            on_call: Signal::NotConfigured,
            restricted: None,
        };
        let facts = ScoreFacts { tier, change: &change, context: &context, mitigations: &[] };
        let score = score::Score::of(&facts, Time(jiff::Timestamp::UNIX_EPOCH));
        let gate = decide(&GateFacts {
            points: score.total,
            change: &change,
            kind: kind.unwrap_or(ChangeType::Feature),
            tier,
            band: Band::Green,
            budget_status: BudgetStatus::Healthy,
            incident: false,
            restricted: None,
            remediation: false,
            exception: false,
            tightened: false,
            relaxed: &BTreeSet::new(),
        });
        Some(Self { tier, score, gate })
    }
}
