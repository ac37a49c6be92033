//! What a record remembers from look to look while a version is watched. It is counted in before anything is decided, so that
//! the decision rests on it, and it is written with whatever the step writes.

use super::active::Active;
use super::step::Step;
use super::{burn, business, circuit, compare, compliance, synthetic, trial};
use crate::api::Time;
use crate::api::release_record::ReleaseRecordStatus;
use crate::release::snapshot::Snapshot;

/// The record's status with what was seen since counted in. Says the same however often it is asked with the same answers.
pub(super) fn counted(seen: &Snapshot, status: ReleaseRecordStatus, now: Time) -> ReleaseRecordStatus {
    if status.outcome.is_some() {
        return status;
    }
    let status = burn::counted(seen, circuit::counted(seen, status, now), now);
    let status = compliance::counted(seen, status, now);
    let status = business::counted(seen, compare::counted(seen, status, now));
    synthetic::counted(seen, trial::counted(seen, status, now), now)
}

/// Whether something was counted that does not stand in the record yet.
fn moved(active: &Active<'_>) -> bool {
    let same = |one: &ReleaseRecordStatus, other: &ReleaseRecordStatus| {
        one.comparison == other.comparison
            && one.business == other.business
            && one.complies == other.complies
            && one.checks == other.checks
            && one.streaks == other.streaks
            && one.would_have == other.would_have
            && one.circuits == other.circuits
            && one.burning == other.burning
    };
    active.stored().is_some_and(|stored| !same(stored, &active.status))
}

/// Writes what was counted, where the step writes nothing else into the record.
pub(super) fn kept(active: &Active<'_>, step: Step) -> Step {
    if !moved(active) || step.record.is_some() {
        return step;
    }
    step.update(active, active.status.clone())
}
