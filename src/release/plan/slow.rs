//! Slow requests in the comparison: counted from where they stand, whatever became of the failed ones, and waited for where they
//! are not known.

use super::active::Active;
use super::compare;
use super::step::Step;
use crate::analysis::NotYet;
use crate::analysis::compare::Signals;
use crate::api::release_record::{Phase, ReleaseRecordStatus};
use crate::api::{Comparison, ComparisonRecord, Time};
use crate::release::ask::{Arms, Compare, Compared, EachBound, Slower};
use crate::release::snapshot::Snapshot;

/// Counts an interval in, by each bound from where it stands; whether any was.
pub(super) fn count(
    record: &mut ComparisonRecord,
    (end, asked): (Time, EachBound<Slower>),
    arms: &[Arms],
    serves: bool,
) -> bool {
    let mut counted = false;
    for (slower, arms) in asked.into_iter().flatten().zip(arms) {
        if let Some(slow) = record.slow.iter_mut().find(|slow| slow.slower_than == slower.than) {
            counted |= compare::count(&mut slow.signal, arms, serves, (end, slower.length));
        }
    }
    counted
}

/// The status as the manifest asks for it now: a bound by which nothing was counted, as where no bucket has it, may still be
/// another, or none. As long as nothing was counted at all, so may their number.
pub(super) fn as_asked_now(seen: &Snapshot, mut status: ReleaseRecordStatus) -> ReleaseRecordStatus {
    let rules = seen.release.spec.analysis.comparison.as_ref();
    let Some(record) = status.comparison.as_deref_mut().filter(|_| status.phase == Phase::Release) else {
        return status;
    };
    let wanted = rules.map(Comparison::bounds).unwrap_or_default();
    record.slow.retain(|slow| slow.signal.tally.intervals > 0 || wanted.contains(&slow.slower_than));
    if record.signals().all(|signal| signal.tally.intervals == 0) {
        let signals = rules.map_or(Signals::ONE, Comparison::signals);
        record.errors.setup.signals = signals;
        record.slow.iter_mut().for_each(|slow| slow.signal.setup.signals = signals);
    }
    status
}

/// By which bounds it was asked how many requests were slow, and is not known: why, and how long the interval was. None where that
/// decides nothing.
fn unknown<'a>(active: &Active<'a>) -> Vec<(Slower, &'a NotYet)> {
    let answers = active.seen.answers.as_ref().filter(|_| active.status.phase == Phase::Release);
    let Some((answers, record)) = answers.zip(active.status.comparison.as_ref()) else { return Vec::new() };
    let (asked, arms) = match (answers.question.compare, &answers.compared) {
        (Some(Compare::Interval { slow: asked, .. }), Some(Compared::Interval { slow: arms, .. }))
        | (Some(Compare::Slow { slow: asked, .. }), Some(Compared::Slow(arms))) => (asked, arms),
        (Some(Compare::Baseline { .. } | Compare::Interval { .. } | Compare::Slow { .. }) | None, _) => {
            return Vec::new();
        }
    };
    let serves = compare::base_serves(active.seen, &active.status, answers.question.base);
    let is_compared = |slower: &Slower| record.slow.iter().any(|slow| slow.slower_than == slower.than);
    let why = |arms: &'a Arms| arms.candidate.as_ref().err().or_else(|| arms.base.as_ref().err().filter(|_| serves));
    let all = asked.into_iter().flatten().zip(arms).filter(|(slower, _)| is_compared(slower));
    all.filter_map(|(slower, arms)| Some((slower, why(arms)?))).collect()
}

/// Waits at the end of a bake time for slow requests that are not known.
pub(super) fn not_known(active: &Active<'_>) -> Option<Step> {
    hold(active, &unknown(active))
}

/// Waits during a bake time where no slow request was known for longer than a window, so that who named a bucket that is missing
/// hears of it before the end.
pub(super) fn not_seen(active: &Active<'_>) -> Option<Step> {
    let analysis = &active.seen.release.spec.analysis;
    let rules = analysis.comparison.as_ref().filter(|rules| !rules.dry_run)?;
    let patience = rules.interval.as_millis().saturating_add(analysis.window.as_millis());
    let mut missing = unknown(active);
    missing.retain(|(slower, why)| matches!(why, NotYet::NoData(_)) && slower.length.as_millis() > patience);
    hold(active, &missing)
}

/// Names each bound that is not known for the same reason as the first; none where all are.
fn hold(active: &Active<'_>, unknown: &[(Slower, &NotYet)]) -> Option<Step> {
    let (_, first) = unknown.first()?;
    let same: Vec<_> = unknown.iter().filter(|(_, why)| why.reason() == first.reason()).collect();
    let analysis = &active.seen.release.spec.analysis;
    let slow = active.status.comparison.iter().flat_map(|record| &record.slow);
    let mut uncounted = slow.filter(|slow| slow.signal.tally.intervals == 0);
    let never = uncounted.any(|slow| same.iter().any(|(slower, _)| slower.than == slow.slower_than));
    let remedy = match (first, never) {
        (NotYet::NoData(_), true) => {
            " Give the histogram that bucket, name a bound that it has in spec.analysis.comparison.latency[].slowerThan, or take it out: it goes on with what the manifest says then."
        }
        (NotYet::NoData(_), false) => " Give the histogram that bucket back: what was missed is counted then.",
        _ => "",
    };
    let causes: Vec<_> = same.iter().map(|(_, why)| why.to_string()).collect();
    let message = format!(
        "{} stays where it is: {}. Not held against the new version; a hold that runs out brings it back.{remedy}",
        active.name(),
        causes.join("; ")
    );
    // Requests that are missing have the same reason, and another message. What cannot be right may have figures, which move.
    let told: Vec<_> = causes.iter().map(String::as_str).filter(|_| matches!(first, NotYet::NoData(_))).collect();
    let hold = active.hold_while(first.reason(), &told, message, analysis.evidence_within);
    Some(hold.wake(analysis.interval))
}
