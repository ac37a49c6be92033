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
    /// When it ended.
    pub ended_at: Option<Time>,
    /// How long it took until no user met it any more, where it came back.
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
            ended_at,
            recovered: recovered(outcome, ended_at, rollback.as_ref()),
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

    /// Whether it came back after users met it, or hurt them without a way back.
    pub(super) fn failed(&self) -> bool {
        self.charge.is_some() && matches!(self.outcome, Some(Outcome::RolledBack | Outcome::NotWithdrawn))
    }
}

/// What could not be brought back hurt at least until it was given up: a mean that left it out would flatter.
fn recovered(outcome: Option<Outcome>, ended_at: Option<Time>, rollback: Option<&Rollback>) -> Option<Span> {
    let rollback = rollback?;
    let given_up = ended_at.filter(|_| outcome == Some(Outcome::NotWithdrawn)).map(|ended| ended.since(rollback.at));
    rollback.took.or(given_up)
}
