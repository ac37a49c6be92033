//! Which question a release has for Prometheus, and what came back.

mod checks;

use super::plan::{base_serves, count, weight};
use super::snapshot::Snapshot;
use super::split::Carrier;
use crate::analysis::business::Happened;
use crate::analysis::compare::Counts;
use crate::analysis::{Evidence, NotYet, Observation};
use crate::api::gated_release::WorkloadKind;
use crate::api::release_record::{Phase, ReleaseRecordStatus};
use crate::api::risk_budget::Slo;
use crate::api::{Comparison, Span, Time, Weight};
use crate::policy::burn::{Burn, Paces};

pub use self::checks::{Due, Place, Tried, due, leads_by_pods, leads_to_pods};
pub(super) use self::checks::{may_ask, pending, ports};

/// What to ask: how two versions did, looking back over a short and perhaps a long window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The version that is judged.
    pub candidate: Carrier,
    /// The version that it is compared with; may have no traffic.
    pub base: Carrier,
    /// Since when it is judged where it is now: in its stage, in the verification.
    pub since: Time,
    /// The short window, for quick detection.
    pub recent: Span,
    /// The window since judging began, asked when the bake time is over.
    pub whole: Option<Span>,
    /// The time since the bake time ended, for the new version's requests in it: a figure of them says that what was scraped
    /// after the end is in the store, and with it the last moments of the bake.
    pub after: Option<Span>,
    /// The window for complaints, since traffic first went to the version; `None` where the contract does not count them.
    pub complaints: Option<Span>,
    /// What the comparison needs next; `None` where it needs nothing now.
    pub compare: Option<Compare>,
    /// The next interval of the business metric; `None` where none is due.
    pub stretch: Option<Asked>,
}

/// An interval to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// When it ended.
    pub end: Time,
    /// How long it was.
    pub length: Span,
}

/// How often what the service is there for happened in the interval that was asked for, or why that is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Both {
    /// With the new version.
    pub candidate: Result<Happened, NotYet>,
    /// With what served before.
    pub base: Result<Happened, NotYet>,
}

/// What the comparison needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// What stable did by itself, up to when the new version got its first traffic, in intervals of this length.
    Baseline {
        /// When the last interval ended.
        until: Time,
        /// How long each is.
        interval: Span,
        /// From when on a request is slow; none where that is not compared, or known.
        bounds: EachBound<Span>,
    },
    /// What both versions did in one interval that was not counted yet.
    Interval {
        /// When it ended.
        end: Time,
        /// How long it was: as long as the manifest says, longer after an outage.
        length: Span,
        /// The slow requests up to the same end; none where none are compared, or it is not long enough since they were counted.
        slow: EachBound<Slower>,
    },
    /// How many requests were slow in an interval whose failed ones are counted already.
    Slow {
        /// When it ended.
        end: Time,
        /// What to ask for.
        slow: EachBound<Slower>,
    },
}

/// What is asked for each bound by which slow requests are compared, of which a manifest names three at most; none where nothing is.
pub type EachBound<T> = [Option<T>; 3];

fn each<T>(bounds: impl IntoIterator<Item = T>) -> EachBound<T> {
    let mut bounds = bounds.into_iter();
    std::array::from_fn(|_| bounds.next())
}

/// Slow requests to ask for: since they were last counted, which is longer ago where an answer was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slower {
    /// From when on a request is slow.
    pub than: Span,
    /// How long the interval was.
    pub length: Span,
}

/// What came back for the comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Compared {
    /// Stable's day.
    Baseline {
        /// By failed requests.
        errors: Past,
        /// By slow ones, for each bound that was asked for.
        slow: Vec<Past>,
    },
    /// The interval that was asked for.
    Interval {
        /// By failed requests.
        errors: Arms,
        /// By slow ones, for each bound that was asked for.
        slow: Vec<Arms>,
    },
    /// Slow requests alone, for each bound that was asked for.
    Slow(Vec<Arms>),
}

/// Stable's intervals, oldest first, None where one is missing; or why there are none.
pub type Past = Result<Vec<Option<Counts>>, NotYet>;

/// Both versions' counts of an interval, or why they are not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Arms {
    /// The new version.
    pub candidate: Result<Counts, NotYet>,
    /// What served before.
    pub base: Result<Counts, NotYet>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// What was asked.
    pub question: Question,
    /// The short window.
    pub recent: Observation,
    /// The long window, where it was asked for.
    pub whole: Option<Observation>,
    /// The new version's requests since the bake time ended, where they were asked for.
    pub after: Option<Evidence<f64>>,
    /// What the comparison asked for.
    pub compared: Option<Compared>,
    /// The interval of the business metric, where one was asked for.
    pub happened: Option<Both>,
    /// How many of both versions' requests in the short window were slow, by the threshold of each latency objective; empty
    /// where compliance with them is not asked for.
    pub slow: Vec<Slow>,
    /// Whether the service's error budget goes too fast, at each level.
    pub burning: Paces<Burning>,
    /// The synthetic checks that were due.
    pub tried: Vec<Tried>,
}

/// Slow requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Slow {
    /// From when on a request is slow.
    pub slower_than: Span,
    /// How many of the new version were.
    pub requests: Evidence<f64>,
    /// How many of what served before were.
    pub base: Evidence<f64>,
}

/// The objectives that speak of the release's Service; those that are measured by queries of somebody's own are taken to.
pub fn of_service(seen: &Snapshot) -> impl Iterator<Item = &Slo> {
    let service = &seen.release.spec.traffic.service;
    let slos = seen.risk.iter().flat_map(|risk| &risk.objectives.slos);
    slos.filter(move |slo| {
        let named = slo.availability.as_ref().map(|series| &series.service);
        named.or(slo.latency.as_ref().map(|series| &series.service)).is_none_or(|named| named == service)
    })
}

/// From when on a request is slow by the latency objectives, where compliance with them is asked for.
pub fn thresholds(seen: &Snapshot) -> Vec<Span> {
    let asked = seen.release.spec.analysis.slo_compliance.is_some();
    let of = |slo: &Slo| slo.latency.as_ref().map(|latency| latency.threshold);
    let mut all: Vec<Span> = of_service(seen).filter(|_| asked).filter_map(of).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// An objective whose budget goes too fast, whichever version is at fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Burning {
    /// Its name.
    pub objective: String,
    /// How fast.
    pub burn: Burn,
}

/// How the pods of one version are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodNames {
    /// Just this pod.
    Pod(String),
    /// Every pod of a ReplicaSet, those that are gone already included.
    OfReplicaSet(String),
}

/// The pods of a version of one Service, where exposure is by their number; none where it has no pods.
pub fn pods(seen: &Snapshot, carrier: Carrier) -> Vec<PodNames> {
    let stateful = seen.kind() == WorkloadKind::StatefulSet;
    let mut names: Vec<_> = count::pods(seen, carrier == Carrier::Canary)
        .into_iter()
        // A pod of a StatefulSet keeps its name when it changes its version.
        .map(|pod| if stateful { (&pod.name, true) } else { (&pod.of, false) })
        .collect();
    names.sort_unstable();
    names.dedup();
    let named = |(name, exact): (&String, bool)| match exact {
        true => PodNames::Pod(name.clone()),
        false => PodNames::OfReplicaSet(name.clone()),
    };
    names.into_iter().map(named).collect()
}

/// Whether what served before still answers users beside the new version.
pub fn both_serve(seen: &Snapshot, question: Question) -> bool {
    let status = seen.record.as_ref().and_then(|record| record.status.as_ref());
    status.is_some_and(|status| base_serves(seen, status, question.base))
}

/// The end of a bake that nothing waits for.
const NEVER: Time = Time(jiff::Timestamp::MAX);

/// Whether an attempt goes on that a circuit breaker could stop.
pub fn under_way(seen: &Snapshot) -> bool {
    let status = seen.record.as_ref().and_then(|record| record.status.as_ref());
    status.is_some_and(|status| status.outcome.is_none() && status.phase != Phase::Rollback)
}

/// What the release wants to know now; `None` where nothing is judged.
pub fn question(seen: &Snapshot, now: Time) -> Option<Question> {
    let record = seen.record.as_ref()?;
    let status = record.status.as_ref().filter(|status| status.outcome.is_none())?;
    let by_count = seen.by_count();
    let promotion = status.promotion.as_ref();
    let (candidate, base, since, until) = match status.phase {
        Phase::Release => {
            let stage = status.stages.get(status.stage as usize)?;
            let (candidate, base) = (record.candidate(), record.base());
            match stage.started_at {
                Some(since) => (candidate, base, since, since.plus(stage.spec.bake)),
                // On the way to the next weight the last one still has users.
                None => {
                    (candidate, base, status.stages.get((status.stage as usize).checked_sub(1)?)?.started_at?, NEVER)
                }
            }
        }
        // The new version's pods beside the workload and in it count as one.
        Phase::Promote if by_count => (Carrier::Canary, Carrier::Workload, status.stages.last()?.started_at?, NEVER),
        Phase::Promote => {
            let passed = promotion.is_some_and(|promotion| promotion.passed_at.is_some());
            match promotion.and_then(|promotion| promotion.half_at) {
                Some(since) if passed => (Carrier::Workload, Carrier::Canary, since, NEVER),
                Some(since) => {
                    (Carrier::Workload, Carrier::Canary, since, since.plus(seen.release.spec.strategy.hand_back))
                }
                // The canary carries everybody while the workload takes the version over.
                None => {
                    let halves = weight(seen, Carrier::Previous) > Weight::ZERO;
                    let base = if halves { Carrier::Previous } else { Carrier::Workload };
                    (Carrier::Canary, base, status.stages.last()?.started_at?, NEVER)
                }
            }
        }
        Phase::Verify => {
            promotion.is_none_or(|promotion| promotion.verified_at.is_none()).then_some(())?;
            let (new, former) =
                if by_count { (Carrier::Canary, Carrier::Workload) } else { (Carrier::Workload, Carrier::Previous) };
            (new, former, status.phase_since, status.phase_since.plus(status.verify))
        }
        Phase::Rollback => {
            let log = status.rollback.as_ref()?;
            let since = log.home_at.filter(|home| now >= home.plus(seen.release.spec.analysis.window))?;
            let previous = log.traffic_to == seen.service_of(Carrier::Previous);
            let (serving, other) =
                if previous { (Carrier::Previous, Carrier::Workload) } else { (Carrier::Workload, Carrier::Canary) };
            (serving, other, since, NEVER)
        }
        Phase::Idle | Phase::Plan | Phase::Stage | Phase::Complete => return None,
    };
    let elapsed = whole_seconds(now.since(since));
    let first = status.stages.first().and_then(|stage| stage.started_at);
    Some(Question {
        candidate,
        base,
        since,
        recent: elapsed.min(whole_seconds(seen.release.spec.analysis.window)),
        whole: (now >= until).then_some(elapsed),
        // Rounded down: it does not reach back into the bake.
        after: (now >= until).then(|| Span::seconds((now.since(until).as_millis() / 1_000).max(1))),
        complaints: seen.release.spec.rollback.complaints.and(first).map(|first| whole_seconds(now.since(first))),
        compare: compare(seen, status, base, now),
        stretch: stretch(seen, status, now),
    })
}

/// What the comparison and the limit of errors want to know: how stable is by itself, once; then one interval after the other, where
/// the new version has one place only: in the stages, and again while it is verified.
///
/// Slow requests are asked for up to where failed ones are counted, so that one answer serves both; from where they stand themselves,
/// so that nothing is lost that was not known when it was first asked for.
fn compare(seen: &Snapshot, status: &ReleaseRecordStatus, base: Carrier, now: Time) -> Option<Compare> {
    let rules = seen.release.spec.analysis.comparison.as_ref();
    let interval = rules.map_or_else(Comparison::default_interval, |rules| rules.interval);
    let first = status.stages.first()?.started_at?;
    let begins = match status.phase {
        Phase::Release => first,
        Phase::Verify => status.phase_since,
        Phase::Idle | Phase::Plan | Phase::Stage | Phase::Promote | Phase::Complete | Phase::Rollback => return None,
    };
    let day = |bounds: Vec<Span>| Compare::Baseline { until: first, interval, bounds: each(bounds) };
    let Some(record) = &status.comparison else {
        let bounds = rules.map(Comparison::bounds).unwrap_or_default();
        return day_is_due(seen, status, now).then(|| day(bounds));
    };
    // Errors are counted already; slow requests once their day is known, or nothing is awaited of it any more.
    let awaited =
        rules.filter(|_| status.phase == Phase::Release).map(|rules| record.awaited(rules)).unwrap_or_default();
    // After the first bake what is answered is taken, whatever it is: it is asked for until then.
    let bakes = status.stages.first().is_some_and(|stage| now < first.plus(stage.spec.bake));
    if !awaited.is_empty() && (!bakes || day_is_due(seen, status, now)) {
        return Some(day(awaited));
    }
    let since = |until: Option<Time>| until.filter(|until| until.0 > begins.0).unwrap_or(begins);
    let from = since(record.until());
    // The interval in which a bake ends waits for what is scraped after the end: four scrapes fit in an interval.
    let bakes_until = end_of_bake(status).filter(|until| from.0 < until.0 && now >= *until);
    let due = bakes_until.map_or(from, |until| until.plus(Span::from_millis(interval.as_millis() / 2)));
    // Whole seconds: a range in PromQL has no smaller ones that matter.
    let length = Span::seconds(now.since(from).as_millis() / 1_000);
    let length = Some(length).filter(|length| *length >= interval && *length > Span::ZERO && now >= due);
    let end = length.map_or(from, |length| from.plus(length));
    let serves = base_serves(seen, status, base);
    let slow = record.slow.iter().filter(|slow| slow.signal.counts_on(serves)).filter_map(|slow| {
        let from = since(slow.signal.tally.until);
        let length = Span::seconds(end.since(from).as_millis() / 1_000);
        let long_enough = end.0 > from.0 && length >= interval && length > Span::ZERO;
        long_enough.then_some(Slower { than: slow.slower_than, length })
    });
    let slow = each(slow);
    match length {
        Some(length) => Some(Compare::Interval { end, length, slow }),
        None => slow.iter().any(Option::is_some).then_some(Compare::Slow { end, slow }),
    }
}

/// Whether stable's day is asked for at this look: at the first one, then after 1, 2, 4, 8 … intervals of looks, and anew from the end of the
/// first bake time on, when it is waited for no longer. Nothing that is asked makes a store read as much.
fn day_is_due(seen: &Snapshot, status: &ReleaseRecordStatus, now: Time) -> bool {
    let Some((started, first)) = status.stages.first().and_then(|first| Some((first.started_at?, first))) else {
        return false;
    };
    let ends = started.plus(first.spec.bake);
    let since = if now >= ends { ends } else { started };
    let looks = now.since(since).as_millis() / seen.release.spec.analysis.interval.as_millis().max(1);
    looks == 0 || looks.is_power_of_two()
}

/// The next interval of the business metric: within one stage, in which the weight stays, and as long as the manifest says that
/// several scrapes need. The last one of a bake time takes what is left of it, so that nothing of a stage is too short to count.
fn stretch(seen: &Snapshot, status: &ReleaseRecordStatus, now: Time) -> Option<Asked> {
    seen.release.spec.rollback.business.as_ref()?;
    let stage = status.stages.get(status.stage as usize).filter(|_| status.phase == Phase::Release)?;
    // Stable has no user left to compare with.
    let started = stage.started_at.filter(|_| stage.spec.weight < Weight::FULL)?;
    let counted = status.business.as_ref().and_then(|tally| tally.until);
    let from = counted.filter(|until| until.0 > started.0).unwrap_or(started);
    let (window, ends) = (seen.release.spec.analysis.window, started.plus(stage.spec.bake));
    let length = Span::seconds(now.since(from).as_millis() / 1_000);
    let due = match now < ends {
        // A look comes a little late: what it leaves of a bake of two windows is still one.
        true => length >= window && ends.since(now).as_millis() >= window.as_millis() / 4 * 3,
        false => length >= window || from.0 < ends.0,
    };
    (due && length > Span::ZERO).then(|| Asked { end: from.plus(length), length })
}

/// When the bake time of the stage that goes on is over; None where none bakes.
fn end_of_bake(status: &ReleaseRecordStatus) -> Option<Time> {
    let stage = status.stages.get(status.stage as usize).filter(|_| status.phase == Phase::Release)?;
    Some(stage.started_at?.plus(stage.spec.bake))
}

/// At least one second, rounded up: a range in PromQL cannot be empty.
fn whole_seconds(span: Span) -> Span {
    Span::seconds(span.as_millis().div_ceil(1_000).max(1))
}
