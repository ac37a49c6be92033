//! The comparison with what served before: counted on from look to look, and what it comes to.

use super::active::Active;
use super::patience;
use super::step::Step;
use super::{count as pods, slow, weight};
use crate::analysis::compare::{
    Base, Baseline, Counted, Finding, Flow, Interval, Overdispersion, Setup, Signal, Signals, Tally, bake_time,
};
use crate::analysis::course::{Course, CourseTally};
use crate::analysis::{ArmSample, Breach, Evidence, Looked, NotYet, Observation, Verdict};
use crate::api::release_record::{Phase, ReleaseRecordStatus, StageRecord};
use crate::api::{Comparison, ComparisonRecord, Percent, SignalRecord, SlowRecord, Span, Time, Weight, WhenUndecided};
use crate::release::ask::{Arms, Compare, Compared, EachBound, Past};
use crate::release::snapshot::Snapshot;
use crate::release::split::Carrier;

/// The hold of a stage whose traffic is too little to tell both versions apart.
pub(super) const UNDECIDED: &str = "TooLittleToCompare";

/// What a service promises where its RiskBudget names no objective: the target in the examples of `001_…`.
const PROMISE: f64 = 99.5;

/// The record's status with what was answered since counted in. Says the same however often it is asked with the same answer.
pub(super) fn counted(seen: &Snapshot, status: ReleaseRecordStatus, now: Time) -> ReleaseRecordStatus {
    let Some(answers) = seen.answers.as_ref().filter(|_| status.outcome.is_none()) else { return status };
    let status = slow::as_asked_now(seen, status);
    let (Some(asked), Some(compared)) = (answers.question.compare, &answers.compared) else { return status };
    let compares = seen.release.spec.analysis.comparison.is_some();
    let comparison = match (asked, compared, &status.comparison) {
        (Compare::Baseline { interval, bounds, .. }, Compared::Baseline { errors, slow }, record) => {
            begun(seen, (&status, now), interval, record.as_deref(), (errors, bounds, slow))
        }
        (Compare::Interval { end, length, slow: asked }, Compared::Interval { errors, slow }, Some(record)) => {
            let serves = base_serves(seen, &status, answers.question.base);
            let mut next = record.as_ref().clone();
            let failed = compares && count(&mut next.errors, errors, serves, (end, length));
            // Each from where it stands: what is not known of one is no reason to lose the other.
            let slowed = compares && slow::count(&mut next, (end, asked), slow, serves);
            // What is to be compared waits until stable is known too.
            let waits = compares && serves && errors.base.is_err();
            let on_course = !waits && along(&mut next, errors, seen, end, length);
            (failed || slowed || on_course).then_some(next)
        }
        (Compare::Slow { end, slow: asked }, Compared::Slow(slow), Some(record)) => {
            let serves = base_serves(seen, &status, answers.question.base);
            let mut next = record.as_ref().clone();
            (compares && slow::count(&mut next, (end, asked), slow, serves)).then_some(next)
        }
        // An answer to another question than this record has.
        (Compare::Baseline { .. } | Compare::Interval { .. } | Compare::Slow { .. }, _, _) => None,
    };
    match comparison {
        Some(comparison) => ReleaseRecordStatus { comparison: Some(Box::new(comparison)), ..status },
        None => status,
    }
}

/// Counts an interval in; whether it was.
pub(super) fn count(record: &mut SignalRecord, arms: &Arms, serves: bool, (end, length): (Time, Span)) -> bool {
    let base = match (serves, &arms.base, record.setup.base_rate) {
        (true, Ok(base), _) => Base::Measured(*base),
        (false, _, Some(rate)) => Base::Frozen(rate),
        (true, Err(_), _) | (false, _, None) => return false,
    };
    let Ok(candidate) = arms.candidate else { return false };
    let interval = Interval { end, length, candidate, base };
    record.tally.count(&record.setup, &interval) == Counted::New
}

/// Counts the new version's part of an interval against the limit of its contract; whether it was.
fn along(record: &mut ComparisonRecord, arms: &Arms, seen: &Snapshot, end: Time, length: Span) -> bool {
    let Ok(counts) = arms.candidate else { return false };
    let limit = seen.release.spec.rollback.error_rate_percent;
    let tally = record.course.get_or_insert_with(|| CourseTally::new(limit));
    tally.count(&record.errors.setup, limit, (end, length), counts) == Counted::New
}

/// How the version is judged by all its intervals; None where none is counted yet, and on its way back.
pub(super) fn course(status: &ReleaseRecordStatus) -> Option<Course<'_>> {
    let record = status.comparison.as_ref().filter(|_| is_judged(status))?;
    Some(Course { tally: record.course.as_ref()?, setup: &record.errors.setup })
}

/// For how long it is looked at where it is now.
pub(super) fn looked(seen: &Snapshot, now: Time) -> Looked {
    let since = seen.answers.as_ref().map(|answers| answers.question.since);
    since.map_or(Looked::FIRST, |since| Looked::for_so_long(now.since(since), seen.release.spec.analysis.window))
}

/// The rules, frozen, signal by signal: what was not known of slow requests keeps no errors from being counted. None where nothing
/// is new, because it is waited for stable's past.
fn begun(
    seen: &Snapshot,
    (status, now): (&ReleaseRecordStatus, Time),
    interval: Span,
    record: Option<&ComparisonRecord>,
    (errors, bounds, slow): (&Past, EachBound<Span>, &[Past]),
) -> Option<ComparisonRecord> {
    let rules = seen.release.spec.analysis.comparison.as_ref();
    let frozen = record.map(|record| record.errors.setup.signals);
    let signals = frozen.or(rules.map(Comparison::signals)).unwrap_or(Signals::ONE);
    let stages = status.stages.iter().map(|stage| stage.spec.bake.as_millis());
    let planned = Span::from_millis(stages.fold(status.verify.as_millis(), u64::saturating_add));
    let waits = !first_bake_over(status, now) || is_away(seen);
    let begin = |past: &Past, objective: Percent, limit: Percent| {
        let baseline = match past {
            Ok(history) => Some(Baseline::of(history)),
            // Half a store may be whole again while the first stage bakes, and a query that took too long may be answered. Longer
            // it is not waited for: what is assumed stands for it.
            Err(NotYet::Unreachable(_) | NotYet::Partial(_)) if waits => return None,
            // What cannot be answered for will not be later.
            Err(_) => None,
        };
        let setup = Setup { signals, ..Setup::new(baseline.as_ref(), objective, limit, planned, interval) };
        Some(SignalRecord { setup, tally: Tally::default() })
    };
    let awaited = rules.map(|rules| record.map_or_else(|| rules.bounds(), |record| record.awaited(rules)));
    let awaited = awaited.unwrap_or_default();
    let by = |(slower_than, past): (Span, &Past)| {
        let latency = rules?.latency.iter().find(|latency| latency.slower_than == slower_than)?;
        let allowed = latency.allowed_percent;
        let promised = Percent::new(100.0 - allowed.get()).ok()?;
        Some(SlowRecord { slower_than, signal: begin(past, promised, allowed)? })
    };
    let asked = bounds.into_iter().flatten().zip(slow).filter(|(bound, _)| awaited.contains(bound));
    let slow: Vec<_> = asked.filter_map(by).collect();
    if let Some(record) = record {
        let mut next = record.clone();
        next.slow.extend(slow);
        return (next.slow.len() > record.slow.len()).then_some(next);
    }
    let objective = seen.risk.as_ref().and_then(|risk| risk.objectives.strictest());
    let objective = objective.or_else(|| Percent::new(PROMISE).ok())?;
    let errors = begin(errors, objective, seen.release.spec.rollback.error_rate_percent)?;
    Some(ComparisonRecord { errors, slow, course: None })
}

/// Whether Prometheus does not answer for the present either: nothing is counted then, and nothing passes.
fn is_away(seen: &Snapshot) -> bool {
    let requests = seen.answers.as_ref().map(|answers| &answers.recent.candidate.requests);
    matches!(requests, Some(Evidence::Unreachable(_)))
}

/// How much failures scatter by themselves: stable's in the day before its successor met users, frozen then, and the assumption
/// where that day could not be read.
pub(super) fn scatter(status: &ReleaseRecordStatus) -> Overdispersion {
    status.comparison.as_ref().map_or(Overdispersion::ASSUMED, |record| record.errors.setup.overdispersion)
}

fn first_bake_over(status: &ReleaseRecordStatus, now: Time) -> bool {
    let over = |stage: &StageRecord| stage.started_at.is_some_and(|started| now >= started.plus(stage.spec.bake));
    status.stages.first().is_some_and(over)
}

/// What everybody's stage has nothing to compare with; empty where it has.
fn not_compared(active: &Active<'_>) -> String {
    let unknown = |signal: &SignalRecord| signal.setup.base_rate.is_none();
    let Some(record) = active.status.comparison.as_ref().filter(|_| everybody_has_it(active)) else {
        return String::new();
    };
    if unknown(&record.errors) {
        return "not compared at 100 %: stable's day was not known, or had too few requests; ".to_owned();
    }
    let slow = record.slow.iter().filter(|slow| unknown(&slow.signal)).map(|slow| slow.slower_than.to_string());
    match slow.collect::<Vec<_>>().join(", ") {
        bounds if bounds.is_empty() => bounds,
        bounds => format!(
            "slow requests ({bounds}) not compared at 100 %: stable's day of them was not known, or had too few requests; "
        ),
    }
}

/// Whether everybody has the new version, and how stable was the day before is not known: nothing more is counted then.
fn beside_nobody(active: &Active<'_>, signal: &SignalRecord) -> bool {
    everybody_has_it(active) && signal.setup.base_rate.is_none()
}

/// Whether each signal is counted up to a moment, or will be no more.
fn counted_to(active: &Active<'_>, record: &ComparisonRecord, moment: Time) -> bool {
    let reached = |signal: &SignalRecord| signal.tally.until.is_some_and(|until| until.0 >= moment.0);
    record.signals().all(|signal| reached(signal) || beside_nobody(active, signal))
}

fn everybody_has_it(active: &Active<'_>) -> bool {
    let stage = active.status.stages.get(active.status.stage as usize);
    stage.is_some_and(|stage| stage.spec.weight == Weight::FULL)
}

/// An observation beside what serves. An arm that gets no users still answers probes and callers that go past the route: these are
/// nobody's measure for a version that has everybody.
pub(super) fn beside_who_serves(seen: &Snapshot, status: &ReleaseRecordStatus, observed: &Observation) -> Observation {
    let base = seen.answers.as_ref().map(|answers| answers.question.base);
    if base.is_none_or(|base| base_serves(seen, status, base)) {
        return observed.clone();
    }
    let nobody = || Evidence::NoData("it gets no users".to_owned());
    let base = ArmSample { requests: nobody(), errors: nobody(), latency: nobody() };
    Observation { base, base_at_most: None, ..observed.clone() }
}

/// Whether what served before still answers users.
pub(in crate::release) fn base_serves(seen: &Snapshot, status: &ReleaseRecordStatus, base: Carrier) -> bool {
    if seen.by_count() {
        return status.phase == Phase::Release && !pods::pods(seen, false).is_empty();
    }
    weight(seen, base) > Weight::ZERO
}

/// Whether the version is judged: on its way back it is not any more.
pub(super) const fn is_judged(status: &ReleaseRecordStatus) -> bool {
    matches!(status.phase, Phase::Release | Phase::Promote | Phase::Verify)
}

/// What was found up to now, signal by signal; none where nothing is compared, or nothing is known of stable yet.
fn findings(seen: &Snapshot, status: &ReleaseRecordStatus) -> Vec<Finding> {
    let compared = seen.release.spec.analysis.comparison.is_some() && is_judged(status);
    let Some(record) = status.comparison.as_ref().filter(|_| compared) else { return Vec::new() };
    let of = |record: &SignalRecord, signal| record.tally.finding(&record.setup, &signal);
    let slow = record.slow.iter().map(|slow| of(&slow.signal, Signal::Slower(slow.slower_than)));
    std::iter::once(of(&record.errors, Signal::Errors)).chain(slow).collect()
}

/// What the new version was found to be worse in.
fn found_worse(seen: &Snapshot, status: &ReleaseRecordStatus) -> Option<Verdict> {
    findings(seen, status).into_iter().find(|found| matches!(found, Finding::Worse(_))).map(|found| found.verdict())
}

fn is_on_trial(seen: &Snapshot) -> bool {
    seen.release.spec.analysis.comparison.as_ref().is_some_and(|rules| rules.dry_run)
}

/// What the new version was found to be worse in, where that decides.
pub(super) fn worse(active: &Active<'_>) -> Option<Verdict> {
    found_worse(active.seen, &active.status).filter(|_| !is_on_trial(active.seen))
}

/// The same where the comparison is on trial.
pub(super) fn on_trial(seen: &Snapshot, status: &ReleaseRecordStatus) -> Option<Breach> {
    match found_worse(seen, status).filter(|_| is_on_trial(seen))? {
        Verdict::Fail(breach) => Some(breach),
        Verdict::Pass(_) | Verdict::NotYet(_) => None,
    }
}

/// What a stage comes to that kept every limit: its verdict with the comparison's, or what it waits for.
///
/// It passes on nothing that ends before `until`, when its bake time was over: the interval in which it ended is counted first.
pub(super) fn end_of_stage(
    active: &Active<'_>,
    verdict: &Verdict,
    until: Time,
    going: impl Fn() -> Step,
    passed: impl Fn(&Verdict) -> Step,
) -> Step {
    let rules = active.seen.release.spec.analysis.comparison.as_ref().filter(|rules| !rules.dry_run);
    let Some(rules) = rules else { return passed(verdict) };
    let Verdict::Pass(limits) = verdict else { return passed(verdict) };
    let found = findings(active.seen, &active.status);
    // Slow requests are counted once their day is known, which is asked for still.
    let whole = |record: &&ComparisonRecord| record.awaited(rules).is_empty();
    let record = active.status.comparison.as_deref().filter(whole);
    let ended = record.is_some_and(|record| counted_to(active, record, until));
    let late = until.plus(rules.interval).plus(rules.interval);
    if record.is_some() && !ended {
        if active.now < late {
            return going().wake(active.seen.release.spec.analysis.interval);
        }
        if let Some(hold) = slow::not_known(active) {
            return hold;
        }
    }
    let why = match found.iter().find(|found| !matches!(found, Finding::NotWorse(_))) {
        None if record.is_none() => "how stable is by itself is not known yet".to_owned(),
        None if !ended => {
            format!("what both versions answered when the bake time ended, at {}, is not known", until.clock())
        }
        None => return passed(&Verdict::Pass(format!("{}{}", not_compared(active), joined(limits, &found)))),
        // One that is worse never comes here: `hurts` brings it back first.
        Some(undecided) => match needed(active) {
            Some(needed) => format!("{undecided}: {needed}"),
            None => format!("{undecided}: at the present traffic it will never be told"),
        },
    };
    let (undecided, over) = (active.seen.release.spec.analysis.undecided(), patience::is_over(active));
    let (then, remedy) = match undecided.then {
        WhenUndecided::PassOnLimits if over || undecided.within == Span::ZERO => {
            let note = format!("{limits}; passed on the limits alone, not compared to the end: {why}");
            return passed(&Verdict::Pass(note));
        }
        WhenUndecided::PassOnLimits => ("passes on the limits alone", ""),
        WhenUndecided::RollBack => ("brings it back", patience::more_traffic_helps(active)),
    };
    let message = format!(
        "{} stays where it is: {why}. Not held against the new version; a hold that runs out {then}.{remedy}",
        active.name()
    );
    let interval = active.seen.release.spec.analysis.interval;
    patience::hold_by_figures(active, UNDECIDED, message, undecided.within).wake(interval)
}

fn joined(limits: &str, found: &[Finding]) -> String {
    let found = found.iter().map(ToString::to_string);
    std::iter::once(limits.to_owned()).filter(|limits| !limits.is_empty()).chain(found).collect::<Vec<_>>().join("; ")
}

/// How much longer the present traffic must flow until the last signal is told, in words.
fn needed(active: &Active<'_>) -> Option<String> {
    let (record, answers) = (active.status.comparison.as_ref()?, active.seen.answers.as_ref()?);
    let seconds = answers.recent.window.as_secs_f64();
    let per_second = |arm: &ArmSample| Some(arm.requests.value()? / seconds);
    let flow = Flow {
        candidate: per_second(&answers.recent.candidate)?,
        base: per_second(&answers.recent.base).unwrap_or(0.0),
    };
    let length = active.seen.release.spec.analysis.comparison.as_ref()?.interval;
    let needed = |signal: &SignalRecord| bake_time(&signal.setup, &signal.tally, flow, length);
    // Where one is never told, nothing is.
    let all: Option<Vec<_>> = record.signals().map(needed).collect();
    all?.into_iter().max_by_key(|needed| needed.more).map(|needed| needed.to_string())
}

/// Whether an interval was counted that does not stand in the record yet: then it is written anyway.
pub(super) fn moved(active: &Active<'_>) -> bool {
    active.stored().is_some_and(|stored| stored.comparison != active.status.comparison)
}
