//! Slow requests in the comparison: counted from where they stand, whatever became of the failed ones, and waited for where they
//! are not known.

use super::active::Active;
use super::compare;
use super::step::Step;
use crate::analysis::NotYet;
use crate::api::release_record::{Phase, ReleaseRecordStatus};
use crate::api::{ComparisonRecord, Span, Time};
use crate::release::ask::{Arms, Compare, Compared, Slower};
use crate::release::snapshot::Snapshot;

/// Counts an interval in; whether it was.
pub(super) fn count(record: &mut ComparisonRecord, (end, slower): (Time, Slower), arms: &Arms, serves: bool) -> bool {
    let slow = record.slow.as_mut().filter(|slow| slow.slower_than == slower.than);
    slow.is_some_and(|slow| compare::count(&mut slow.signal, arms, serves, (end, slower.length)))
}

/// The status as the manifest asks for it now: a threshold of which nothing was counted, as where no bucket has it, may still be
/// another, or none.
pub(super) fn as_asked_now(seen: &Snapshot, status: ReleaseRecordStatus) -> ReleaseRecordStatus {
    let rules = seen.release.spec.analysis.comparison.as_ref();
    let wanted = rules.and_then(|rules| rules.latency).map(|latency| latency.slower_than);
    let is_other = |record: &ComparisonRecord| {
        let slow = record.slow.as_ref().filter(|slow| slow.signal.tally.intervals == 0);
        slow.is_some_and(|slow| wanted != Some(slow.slower_than))
    };
    if status.phase != Phase::Release || !status.comparison.as_deref().is_some_and(is_other) {
        return status;
    }
    let comparison = status.comparison.map(|record| Box::new(ComparisonRecord { slow: None, ..*record }));
    ReleaseRecordStatus { comparison, ..status }
}

/// How many requests were slow, where that was asked for and is not known: why, and how long the interval was. None where it decides
/// nothing.
fn unknown<'a>(active: &Active<'a>) -> Option<(&'a NotYet, Span)> {
    let answers = active.seen.answers.as_ref().filter(|_| active.status.phase == Phase::Release)?;
    let (slower, arms) = match (answers.question.compare?, answers.compared.as_ref()?) {
        (Compare::Interval { slow: Some(slower), .. }, Compared::Interval { slow: Some(arms), .. })
        | (Compare::Slow { slower, .. }, Compared::Slow(arms)) => (slower, arms),
        (Compare::Baseline { .. } | Compare::Interval { .. } | Compare::Slow { .. }, _) => return None,
    };
    let record = active.status.comparison.as_ref()?.slow.as_ref();
    record.filter(|slow| slow.slower_than == slower.than)?;
    let serves = compare::base_serves(active.seen, &active.status, answers.question.base);
    let why = arms.candidate.as_ref().err().or_else(|| arms.base.as_ref().err().filter(|_| serves))?;
    Some((why, slower.length))
}

/// Waits at the end of a bake time for slow requests that are not known.
pub(super) fn not_known(active: &Active<'_>) -> Option<Step> {
    unknown(active).map(|(why, _)| hold(active, why))
}

/// Waits during a bake time where no slow request was known for longer than a window, so that who named a bucket that is missing
/// hears of it before the end.
pub(super) fn not_seen(active: &Active<'_>) -> Option<Step> {
    let analysis = &active.seen.release.spec.analysis;
    let rules = analysis.comparison.as_ref().filter(|rules| !rules.dry_run)?;
    let (why, length) = unknown(active).filter(|(why, _)| matches!(why, NotYet::NoData(_)))?;
    let patience = rules.interval.as_millis().saturating_add(analysis.window.as_millis());
    (length.as_millis() > patience).then(|| hold(active, why))
}

fn hold(active: &Active<'_>, why: &NotYet) -> Step {
    let analysis = &active.seen.release.spec.analysis;
    let record = active.status.comparison.as_ref().and_then(|record| record.slow.as_ref());
    let counted = record.is_some_and(|slow| slow.signal.tally.intervals > 0);
    let remedy = match (why, counted) {
        (NotYet::NoData(_), false) => {
            " Give the histogram that bucket, name a bound that it has in spec.analysis.comparison.latency.slowerThan, or take latency out: it goes on with what the manifest says then."
        }
        (NotYet::NoData(_), true) => " Give the histogram that bucket back: what was missed is counted then.",
        _ => "",
    };
    let message = format!(
        "{} stays where it is: {why}. Not held against the new version; a hold that runs out brings it back.{remedy}",
        active.name()
    );
    let cause = why.to_string();
    // Requests that are missing have the same reason, and another message. What cannot be right may have figures, which move.
    let causes = [cause.as_str()];
    let causes = if matches!(why, NotYet::NoData(_)) { causes.as_slice() } else { &[] };
    active.hold_while(why.reason(), causes, message, analysis.evidence_within).wake(analysis.interval)
}
