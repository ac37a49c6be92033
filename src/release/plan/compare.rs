//! The comparison with what served before: counted on from look to look, and what it comes to.

use super::active::Active;
use super::count;
use super::step::Step;
use super::weight;
use crate::analysis::compare::{Base, Baseline, Counts, Finding, Flow, Interval, Setup, Signal, Tally, bake_time};
use crate::analysis::{NotYet, Verdict};
use crate::api::release_record::{Phase, ReleaseRecordStatus};
use crate::api::{ComparisonRecord, Percent, Span, Weight, WhenUndecided};
use crate::release::ask::{Compare, Compared};
use crate::release::snapshot::Snapshot;

/// The hold of a stage whose traffic is too little to tell both versions apart.
const UNDECIDED: &str = "TooLittleToCompare";

/// What a service promises where its RiskBudget names no objective: the least that the documents name for a service
/// with customers (`001_…`, SLO targets).
const PROMISE: f64 = 99.5;

/// The record's status with what was answered since counted in. Says the same however often it is asked with the same answer.
pub(super) fn counted(seen: &Snapshot, status: ReleaseRecordStatus) -> ReleaseRecordStatus {
    let Some(answers) = seen.answers.as_ref().filter(|_| status.outcome.is_none()) else { return status };
    let (Some(asked), Some(compared)) = (answers.question.compare, &answers.compared) else { return status };
    let comparison = match (asked, compared, &status.comparison) {
        (Compare::Baseline { interval, .. }, Compared::Baseline(history), None) => {
            begun(seen, &status, history, interval)
        }
        (Compare::Interval { end, length }, Compared::Interval { candidate, base }, Some(record)) => {
            let serves = base_serves(seen, &status, answers.question.base);
            let base = match (serves, base, record.setup.base_rate) {
                (true, Ok(base), _) => Some(Base::Measured(*base)),
                (false, _, Some(rate)) => Some(Base::Frozen(rate)),
                (true, Err(_), _) | (false, _, None) => None,
            };
            let (Ok(candidate), Some(base)) = (candidate, base) else { return status };
            let mut next = record.as_ref().clone();
            // What was counted, or overlaps, changes nothing.
            let _ = next.errors.count(&next.setup, &Interval { end, length, candidate: *candidate, base });
            Some(next)
        }
        // An answer to another question than this record has.
        (Compare::Baseline { .. } | Compare::Interval { .. }, Compared::Baseline(_) | Compared::Interval { .. }, _) => {
            None
        }
    };
    match comparison {
        Some(comparison) => ReleaseRecordStatus { comparison: Some(Box::new(comparison)), ..status },
        None => status,
    }
}

/// The rules, frozen; None where stable's past may still be answered for.
fn begun(
    seen: &Snapshot,
    status: &ReleaseRecordStatus,
    history: &Result<Vec<Option<Counts>>, NotYet>,
    interval: Span,
) -> Option<ComparisonRecord> {
    let baseline = match history {
        Ok(history) => Some(Baseline::of(history)),
        Err(NotYet::Unreachable(_)) => return None,
        // What cannot be answered for will not be later: what is assumed stands for it.
        Err(_) => None,
    };
    let objective = seen.risk.as_ref().and_then(|risk| risk.objective);
    let objective = objective.or_else(|| Percent::new(PROMISE).ok())?;
    let limit = seen.release.spec.rollback.error_rate_percent;
    let stages = status.stages.iter().map(|stage| stage.spec.bake.as_millis());
    let planned = Span::from_millis(stages.fold(status.verify.as_millis(), u64::saturating_add));
    let setup = Setup::new(baseline.as_ref(), objective, limit, planned, interval);
    Some(ComparisonRecord { setup, errors: Tally::default() })
}

/// Whether what served before still answers users.
fn base_serves(seen: &Snapshot, status: &ReleaseRecordStatus, base: crate::release::split::Carrier) -> bool {
    if seen.by_count() {
        return status.phase == Phase::Release && !count::pods(seen, false).is_empty();
    }
    weight(seen, base) > Weight::ZERO
}

/// What was found up to now; None where nothing is compared, or nothing is known of stable yet.
pub(super) fn finding(active: &Active<'_>) -> Option<Finding> {
    active.seen.release.spec.analysis.comparison.as_ref()?;
    // On its way back a version is not judged any more.
    matches!(active.status.phase, Phase::Release | Phase::Promote | Phase::Verify).then_some(())?;
    let record = active.status.comparison.as_ref()?;
    Some(record.errors.finding(&record.setup, &Signal::Errors))
}

/// What a stage comes to that kept every limit: its verdict with the comparison's, or what it waits for.
pub(super) fn end_of_stage(active: &Active<'_>, verdict: &Verdict, passed: impl Fn(&Verdict) -> Step) -> Step {
    let Some(rules) = &active.seen.release.spec.analysis.comparison else { return passed(verdict) };
    let Verdict::Pass(limits) = verdict else { return passed(verdict) };
    let found = finding(active);
    let why = match &found {
        Some(Finding::NotWorse(_)) => return passed(&Verdict::Pass(joined(limits, found.as_ref()))),
        // Found worse by the look before this one: `hurts` brings it back.
        Some(Finding::Worse(_)) | None => "how stable is by itself is not known yet".to_owned(),
        Some(undecided @ Finding::NotYet(_)) => match needed(active) {
            Some(needed) => format!("{undecided}: {needed}"),
            None => format!("{undecided}: at the present traffic it will never be told"),
        },
    };
    let over = active.status.hold.as_ref().is_some_and(|hold| hold.reason == UNDECIDED && active.now >= hold.deadline);
    let (then, remedy) = match rules.when_undecided {
        WhenUndecided::PassOnLimits if over || rules.undecided_for == Span::ZERO => {
            let note = format!("{limits}; passed on the limits alone, not compared to the end: {why}");
            return passed(&Verdict::Pass(note));
        }
        WhenUndecided::PassOnLimits => ("passes on the limits alone", ""),
        WhenUndecided::RollBack => (
            "brings it back",
            " More traffic, a larger weight, or spec.analysis.comparison.whenUndecided: PassOnLimits lets it go on.",
        ),
    };
    let message = format!(
        "{} stays where it is: {why}. Not held against the new version; a hold that runs out {then}.{remedy}",
        active.name()
    );
    let moved = active.stored().is_none_or(|stored| stored.comparison != active.status.comparison);
    let interval = active.seen.release.spec.analysis.interval;
    // The figures move with every interval, which is written anyway.
    let hold = if moved { Active::hold_for } else { Active::hold };
    hold(active, UNDECIDED, message, rules.undecided_for).wake(interval)
}

fn joined(limits: &str, found: Option<&Finding>) -> String {
    match found {
        Some(found) if limits.is_empty() => found.to_string(),
        Some(found) => format!("{limits}; {found}"),
        None => limits.to_owned(),
    }
}

/// How much longer the present traffic must flow, in words.
fn needed(active: &Active<'_>) -> Option<String> {
    let (record, answers) = (active.status.comparison.as_ref()?, active.seen.answers.as_ref()?);
    let seconds = answers.recent.window.as_secs_f64();
    let per_second = |arm: &crate::analysis::ArmSample| Some(arm.requests.value()? / seconds);
    let flow = Flow {
        candidate: per_second(&answers.recent.candidate)?,
        base: per_second(&answers.recent.base).unwrap_or(0.0),
    };
    let length = active.seen.release.spec.analysis.comparison.as_ref()?.interval;
    bake_time(&record.setup, &record.errors, flow, length).map(|needed| needed.to_string())
}

/// Writes what was counted, where the step writes nothing else into the record.
pub(super) fn kept(active: &Active<'_>, step: Step) -> Step {
    let same = active.stored().is_none_or(|stored| stored.comparison == active.status.comparison);
    if same || step.record.is_some() {
        return step;
    }
    step.update(active, active.status.clone())
}
