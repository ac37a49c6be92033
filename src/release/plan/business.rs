//! The business metric over all stages: counted on from look to look.

use super::compare;
use crate::analysis::business::{BusinessTally, Rules, Stretch};
use crate::analysis::compare::{Counted, Horizon};
use crate::api::release_record::ReleaseRecordStatus;
use crate::api::{Span, Time};
use crate::release::snapshot::Snapshot;

/// The record's status with what was answered since counted in. Says the same however often it is asked with the same answer.
pub(super) fn counted(seen: &Snapshot, status: ReleaseRecordStatus) -> ReleaseRecordStatus {
    let judged = compare::is_judged(&status) && status.outcome.is_none();
    match next(seen, &status).filter(|_| judged) {
        Some(tally) => ReleaseRecordStatus { business: Some(Box::new(tally)), ..status },
        None => status,
    }
}

fn next(seen: &Snapshot, status: &ReleaseRecordStatus) -> Option<BusinessTally> {
    let metric = seen.release.spec.rollback.business.as_ref()?;
    let answers = seen.answers.as_ref()?;
    let (asked, happened) = (answers.question.stretch?, answers.happened.as_ref()?);
    // Probes are left where no user goes to stable, and they order nothing.
    if !compare::base_serves(seen, status, answers.question.base) {
        return None;
    }
    let (Ok(candidate), Ok(base)) = (&happened.candidate, &happened.base) else { return None };
    let kept = status.business.as_deref();
    // Under other rules it begins anew, and counts nothing twice.
    let mut tally = match kept.filter(|tally| tally.rules.are_of(metric)) {
        Some(tally) => tally.clone(),
        None => BusinessTally::begun(Rules::of(metric, horizon(seen, status)), until(status)),
    };
    let stretch = Stretch { end: asked.end, length: asked.length, candidate: *candidate, base: *base };
    (tally.count(&stretch) == Counted::New).then_some(tally)
}

fn until(status: &ReleaseRecordStatus) -> Option<Time> {
    status.business.as_ref().and_then(|tally| tally.until)
}

fn horizon(seen: &Snapshot, status: &ReleaseRecordStatus) -> Horizon {
    let bakes = status.stages.iter().map(|stage| stage.spec.bake.as_millis());
    Horizon::planned(Span::from_millis(bakes.fold(0, u64::saturating_add)), seen.release.spec.analysis.window)
}
