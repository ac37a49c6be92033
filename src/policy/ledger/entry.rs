//! One record, as the ledger and its figures read it.

use crate::api::release_record::{ChargeRecord, Outcome, Trigger};
use crate::api::{ReleaseRecordStatus, Span, Time};

/// One record, as the ledger reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The record's name.
    pub record: String,
    /// What it cost, once users met it.
    pub charge: Option<ChargeRecord>,
    /// How it ended; none while it goes on.
    pub outcome: Option<Outcome>,
    /// Whether it ended and its charge is still to come.
    pub waits: bool,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// How long it took from the decision to bring it back until no user met it any more; of what never came back, until its
    /// attempt ended, which is the least that it took. None where nobody decided so, or it goes on.
    pub recovered: Option<Span>,
    /// Its way back, where one was begun.
    pub rollback: Option<Rollback>,
    /// Whether its gate asked for something that was not shown.
    pub shown_short: bool,
    /// How many lines differ, added and removed together; none where nobody attested it.
    pub diff_lines: Option<u32>,
}

/// A way back that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollback {
    /// What set it off.
    pub trigger: Trigger,
    /// When it was decided.
    pub at: Time,
    /// How long it took until no request went to the change any more; none while some do.
    pub took: Option<Span>,
    /// Whether it took longer than its contract allows.
    pub late: bool,
}

impl Rollback {
    /// Whether the change was taken back for what it is: it hurt, could not be shown to be good in time, or a person
    /// reverted it (`002_…`, Rollback: "Automatic rollback if gates fail", "Manual rollback if validation fails"). A newer
    /// template, a person who let the change go on ungated, and a workload that left are none.
    pub const fn is_of_the_change(&self) -> bool {
        self.trigger.is_failure() || matches!(self.trigger, Trigger::Reverted)
    }
}

impl Entry {
    /// What the ledger reads of a record; `status` is none where it was never written.
    pub fn of(record: String, status: Option<&ReleaseRecordStatus>) -> Self {
        let outcome = status.and_then(|status| status.outcome);
        let ended_at = status.and_then(|status| status.ended_at);
        let log = status.and_then(|status| status.rollback.as_ref());
        let assessment = status.and_then(|status| status.assessment.as_ref());
        let rollback = log.map(|log| Rollback {
            trigger: log.trigger,
            at: log.at,
            took: log.took,
            late: log.within_time_budget == Some(false),
        });
        Self {
            record,
            charge: status.and_then(|status| status.charge.clone()),
            outcome,
            waits: status.is_some_and(|status| status.charge_waits.is_some()),
            ended_at,
            recovered: recovered(ended_at, rollback.as_ref()),
            rollback,
            // What is due later is not missing while the release goes on.
            shown_short: outcome.is_some() && assessment.is_some_and(|assessment| !assessment.not_shown.is_empty()),
            diff_lines: assessment.and_then(|assessment| assessment.diff_lines),
        }
    }

    /// Whether users met a change of a workload. Of what was only charged nobody knows how it went.
    pub(super) fn is_deploy(&self) -> bool {
        self.charge.is_some() && self.outcome != Some(Outcome::Charged)
    }

    /// Whether users met it and it failed (`000_…` §8, Change failure rate; `003_…`, Module 7): something that was measured, or
    /// could not be shown to be good in time, set its way back off, whatever became of that. Where no way back is on record,
    /// by how it ended. A change of mind is no failure, also where it could not be carried out.
    pub(super) fn failed(&self) -> bool {
        let ended_badly = || matches!(self.outcome, Some(Outcome::RolledBack | Outcome::NotWithdrawn));
        self.charge.is_some() && self.rollback.map_or_else(ended_badly, |rollback| rollback.trigger.is_failure())
    }
}

/// What could not be brought back hurt at least until its attempt ended, with whatever word: a mean that left it out would
/// flatter.
fn recovered(ended_at: Option<Time>, rollback: Option<&Rollback>) -> Option<Span> {
    let rollback = rollback?;
    rollback.took.or(ended_at.map(|ended| ended.since(rollback.at)))
}
