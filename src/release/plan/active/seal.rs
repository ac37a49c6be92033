//! The end of an attempt.

use super::super::step::Step;
use super::super::{ledger, open, unpaid};
use super::Active;
use crate::api::release_record::{Outcome, Phase, ReleaseRecordStatus, RollbackLog};
use crate::release::{config, wording};

impl Active<'_> {
    /// Ends the attempt.
    pub(in crate::release::plan) fn seal(&self, outcome: Outcome, summary: String) -> Step {
        self.seal_back(outcome, summary, self.status.rollback.clone())
    }

    /// Ends an attempt that was to go back, with what its way back came to.
    pub(in crate::release::plan) fn seal_back(
        &self,
        outcome: Outcome,
        summary: String,
        rollback: Option<RollbackLog>,
    ) -> Step {
        // Whoever lets go what users have met already pays the rest of what an exception costs.
        let charge = self.status.charge.as_ref().filter(|charge| outcome == Outcome::Bypassed && !charge.exception);
        let charge = charge.map(|charge| (charge.points, ledger::with_penalty(charge)));
        let more = charge.as_ref().map(|(plain, charge)| {
            format!(" It was charged {plain} RP when users met it first, and costs {} past its gate.", charge.points)
        });
        let summary = wording::at_most(1_000, &(summary + &more.unwrap_or_default()));
        // A number that was given is never taken back, or its record would be missed.
        let given = || ledger::on_its_way(self).filter(|_| outcome != Outcome::Bypassed).cloned();
        // What is not withdrawn at its end was not so in time either.
        let rollback = rollback.map(|log| match outcome {
            Outcome::NotWithdrawn => RollbackLog { within_time_budget: Some(false), ..log },
            Outcome::Bootstrap
            | Outcome::Succeeded
            | Outcome::RolledBack
            | Outcome::Superseded
            | Outcome::Expired
            | Outcome::Reverted
            | Outcome::Bypassed
            | Outcome::Abandoned
            | Outcome::Charged => log,
        });
        let phase = match outcome {
            Outcome::Succeeded | Outcome::Bootstrap | Outcome::Bypassed | Outcome::NotWithdrawn => Phase::Complete,
            Outcome::RolledBack | Outcome::Reverted => Phase::Rollback,
            Outcome::Superseded | Outcome::Expired | Outcome::Abandoned | Outcome::Charged => self.status.phase,
        };
        let status = ReleaseRecordStatus {
            outcome: Some(outcome),
            ended_at: Some(self.now),
            // Who let the template go had nothing to do with an edit beside it.
            resumed_by: open::resumed_by(self.seen)
                .filter(|_| outcome == Outcome::Bypassed && !config::is_record(&self.record.spec)),
            summary,
            rollback,
            // What it needs to go on: nothing goes on.
            baseline_latency_at_most: None,
            comparison: None,
            business: None,
            checks: Vec::new(),
            streaks: Vec::new(),
            complies: None,
            circuits: Vec::new(),
            burning: None,
            readiness: None,
            charge: charge.map(|(_, charge)| charge).or_else(|| self.status.charge.clone()).or_else(given),
            ..self.enter(phase)
        };
        // Whoever lets go what was held before users met it pays as for an exception.
        let (write, status) = match outcome == Outcome::Bypassed && status.charge.is_none() {
            true => {
                let record = (self.record.name.as_str(), &self.record.spec);
                unpaid::charged(self.seen, record, &self.status, status, self.now)
            }
            false => (None, status),
        };
        Step::going("Closed", status.summary.clone()).all(write).update(self, status)
    }
}
