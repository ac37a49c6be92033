//! The limit of latency: a quantile of the new version's beside stable's.

use super::evidence::{Evidence, Observation};
use super::figures::{count, factor, time};
use super::limits::{Limits, counts, figure, too_little};
use super::needed::Flowed;
use super::quantile::requests_with_upper;
use super::verdict::{Breach, NotYet, Verdict};
use crate::api::gated_release::RollbackContract;
use crate::api::release_record::Trigger;

/// So many requests it takes to blame a version by a latency that cannot be asked for at another quantile, and to hold it to stable's:
/// the share of requests above a true p95 is then off by 2 points by chance, and not by 7 as among 50.
const UNASKED_MIN: f64 = 1_000.0;

/// What is missing where stable has no traffic any more, and had too little to tell.
const NOT_BY_THE_NEW_ONE: &str = "; more requests to the new version do not tell it, more to stable would";

/// Stable's latency as it was last seen with enough requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LastSeen {
    /// The contract's quantile, in seconds.
    pub seconds: f64,
    /// What it is at most if chance is left out, in seconds: its upper quantile then. None where its requests were too few to
    /// tell: it blames nobody.
    pub at_most: Option<f64>,
}

impl LastSeen {
    /// What an observation says of it; None where it has fewer than `min_requests`.
    pub fn of(seen: &Observation, min_requests: u32) -> Option<Self> {
        let requests = seen.base.requests.value().copied()?;
        let seconds = seen.base.latency.value().copied().filter(|_| requests >= f64::from(min_requests))?;
        Some(Self { seconds, at_most: at_most(seen, requests, seconds).ok() })
    }

    /// The later of both, unless chance may have moved it and the earlier one is known.
    pub fn latest(before: Option<Self>, now: Option<Self>) -> Option<Self> {
        match (before, now) {
            (Some(known @ Self { at_most: Some(_), .. }), Some(Self { at_most: None, .. })) => Some(known),
            (before, now) => now.or(before),
        }
    }
}

/// The new version is slower than the contract allows, compared with what served before, and by more than chance explains.
pub(super) fn latency(limits: &Limits<'_>, seen: &Observation) -> Verdict {
    judged(limits, seen).unwrap_or_else(Verdict::NotYet)
}

fn judged(limits: &Limits<'_>, seen: &Observation) -> Result<Verdict, NotYet> {
    let requests = counts(&seen.candidate, "the new version")?.requests;
    if requests < f64::from(limits.min_requests) {
        return Ok(too_little(requests, limits.min_requests));
    }
    let candidate = figure(&seen.candidate.latency, "latency of the new version")?;
    let beside = base(limits, seen)?;
    let bounds = bounds(limits.contract)?;
    let exceeded = |candidate: f64, base: f64| bounds.iter().find(move |bound| candidate > bound.seconds(base));
    let quantile = format!("p{}", limits.contract.latency_quantile.get());
    let compared = |base: &Base| format!("{quantile} {}, {}", time(candidate), base.words);
    let pass = |base: &Base| {
        let words: Vec<String> = bounds.iter().map(|bound| bound.words(candidate, base.seconds)).collect();
        Verdict::Pass(format!("{}: {}", compared(base), words.join(", ")))
    };
    if exceeded(candidate, beside.seconds).is_none() {
        return Ok(pass(&beside));
    }
    // Among few requests of stable it is luck whether the slow ones show in the quantile: then it is taken as it was known before.
    let base = match (&beside.at_most, last_seen(limits)?) {
        (Err(NotYet::Undecided { .. }), Some(known)) if known.at_most.is_ok() => known,
        _ => beside,
    };
    let Some(above) = exceeded(candidate, base.seconds) else { return Ok(pass(&base)) };
    let told = |why: String, needed: String| {
        let (compared, words) = (compared(&base), above.words(candidate, base.seconds));
        NotYet::Undecided { figures: format!("{compared}: {words}: above the limit, but {why}"), needed }
    };
    let flowed = Flowed::to_the_new_version(requests, seen.window);
    let least = match &seen.latency_at_least {
        Some(least) => figure(least, "lower quantile of the new version's latency")?.min(candidate),
        None if requests >= UNASKED_MIN => candidate,
        None => return Err(told(unasked(requests, ""), flowed.until(UNASKED_MIN - requests))),
    };
    let at_most = match &base.at_most {
        Ok(at_most) => *at_most,
        Err(NotYet::Undecided { figures, needed }) => return Err(told(figures.clone(), needed.clone())),
        Err(why) => return Err(why.clone()),
    };
    match exceeded(least, at_most) {
        Some(bound) => Ok(Verdict::Fail(Breach {
            trigger: Trigger::Latency,
            value: format!("{quantile} {}", time(candidate)),
            threshold: format!("{} ({})", time(bound.seconds(base.seconds)), bound.words(candidate, base.seconds)),
            sentence: format!(
                "{}: {} ({} requests)",
                compared(&base),
                bound.words(candidate, base.seconds),
                count(requests)
            ),
        })),
        None => {
            let times = bounds.iter().map(|bound| bound.times_beyond_chance((candidate, least), (&base, at_most)));
            let why = format!("chance would explain it in {} requests{}", count(requests), base.among());
            Err(told(
                why,
                match times.reduce(f64::min) {
                    Some(times) if times.is_finite() => flowed.until_times(times),
                    Some(_) | None => NOT_BY_THE_NEW_ONE.to_owned(),
                },
            ))
        }
    }
}

/// A limit of the contract.
#[derive(Debug, Clone, Copy)]
enum Bound {
    /// So many times stable's latency.
    Times(f64),
    /// So many seconds above it.
    Added(f64),
}

impl Bound {
    fn seconds(self, base: f64) -> f64 {
        match self {
            Self::Times(times) => base * times,
            Self::Added(added) => base + added,
        }
    }

    /// How many times the present requests it takes until the new version is beyond it and chance, if both stay as slow: what chance
    /// leaves open shrinks with the root of the requests, and of stable only while it has some. Infinite where that never tells.
    fn times_beyond_chance(self, (candidate, least): (f64, f64), (base, at_most): (&Base, f64)) -> f64 {
        let (beyond, new) = (candidate - self.seconds(base.seconds), candidate - least);
        let old = self.seconds(at_most) - self.seconds(base.seconds);
        let (beyond, open) = match base.requests {
            Some(_) => (beyond, new + old),
            None => (beyond - old, new),
        };
        if beyond <= 0.0 { f64::INFINITY } else { (open / beyond).powi(2).max(1.0) }
    }

    fn words(self, candidate: f64, base: f64) -> String {
        match self {
            Self::Times(times) => format!("{} times, limit {times}", factor(candidate / base, times)),
            Self::Added(added) => format!("{} added, limit {}", signed_time(candidate - base), time(added)),
        }
    }
}

fn bounds(contract: &RollbackContract) -> Result<Vec<Bound>, NotYet> {
    let times = contract.latency_factor.map(Bound::Times);
    let added = contract.latency_added.map(|added| Bound::Added(added.as_secs_f64()));
    let bounds: Vec<Bound> = [times, added].into_iter().flatten().collect();
    match bounds.is_empty() {
        true => Err(NotYet::Invalid("the rollback contract names no latency limit".to_owned())),
        false => Ok(bounds),
    }
}

/// What the new version's latency is compared with.
struct Base {
    seconds: f64,
    /// What it is at most if chance is left out; undecided where its requests are too few.
    at_most: Result<f64, NotYet>,
    words: String,
    /// How many requests in the same window say so; None where it had its traffic before.
    requests: Option<f64>,
}

impl Base {
    fn among(&self) -> String {
        self.requests.map_or_else(String::new, |requests| format!(" beside {} of stable", count(requests)))
    }
}

/// Stable's latency in the same window where it answered enough requests to tell; otherwise as it was last seen.
fn base(limits: &Limits<'_>, seen: &Observation) -> Result<Base, NotYet> {
    let requests = match &seen.base.requests {
        // No series at all: stable has no traffic.
        Evidence::NoData(_) => 0.0,
        Evidence::Value(_) | Evidence::Partial { .. } | Evidence::Invalid(_) | Evidence::Unreachable(_) => {
            figure(&seen.base.requests, "requests of stable")?
        }
    };
    if requests >= f64::from(limits.min_requests) {
        let seconds = above_zero(figure(&seen.base.latency, "latency of stable")?, "latency of stable")?;
        return Ok(Base {
            seconds,
            at_most: at_most(seen, requests, seconds).map_err(|why| with_time(why, limits, (seen, requests))),
            words: format!("stable {}", time(seconds)),
            requests: Some(requests),
        });
    }
    last_seen(limits)?.ok_or_else(|| {
        let figures = format!(
            "latency of stable: {} of the {} requests needed in the window, and none seen before",
            count(requests.floor()),
            limits.min_requests
        );
        if requests < 1.0 {
            return NotYet::NoData(figures);
        }
        let needed = Flowed::to_stable(requests, seen.window).until(f64::from(limits.min_requests) - requests);
        NotYet::Undecided { figures, needed }
    })
}

/// Why stable's latency cannot be told, with the time that its traffic takes until it can.
fn with_time(why: NotYet, limits: &Limits<'_>, (seen, requests): (&Observation, f64)) -> NotYet {
    let NotYet::Undecided { figures, .. } = why else { return why };
    let enough = match seen.base_at_most {
        Some(_) => requests_with_upper(limits.contract.latency_quantile, limits.looked),
        None => UNASKED_MIN,
    };
    NotYet::Undecided { figures, needed: Flowed::to_stable(requests, seen.window).until(enough - requests) }
}

fn last_seen(limits: &Limits<'_>) -> Result<Option<Base>, NotYet> {
    let Some(last) = limits.last_seen else { return Ok(None) };
    let seconds = above_zero(last.seconds, "latency of stable as it was last seen")?;
    let too_few = || NotYet::Undecided {
        figures: "stable had too few requests to tell how far chance moved that".to_owned(),
        needed: NOT_BY_THE_NEW_ONE.to_owned(),
    };
    Ok(Some(Base {
        seconds,
        at_most: last.at_most.filter(|most| most.is_finite()).map(|most| most.max(seconds)).ok_or_else(too_few),
        words: format!("stable {} when it last had traffic", time(seconds)),
        requests: None,
    }))
}

/// What stable's latency is at most if chance is left out; undecided where its `requests` are too few.
fn at_most(seen: &Observation, requests: f64, seconds: f64) -> Result<f64, NotYet> {
    match &seen.base_at_most {
        Some(Evidence::NoData(_)) => {
            let requests = count(requests.floor());
            Err(undecided(format!("{requests} requests of stable are too few to tell how far chance moved its own")))
        }
        Some(most) => Ok(figure(most, "upper quantile of stable's latency")?.max(seconds)),
        None if requests >= UNASKED_MIN => Ok(seconds),
        None => Err(undecided(unasked(requests, " of stable"))),
    }
}

const fn undecided(figures: String) -> NotYet {
    NotYet::Undecided { figures, needed: String::new() }
}

fn unasked(requests: f64, whose: &str) -> String {
    let (seen, needed) = (count(requests.floor()), count(UNASKED_MIN));
    format!(
        "the latency query has no $quantile, and {seen} of the {needed} requests{whose} that it then takes were seen"
    )
}

fn above_zero(seconds: f64, what: &str) -> Result<f64, NotYet> {
    if seconds.is_finite() && seconds > 0.0 {
        Ok(seconds)
    } else {
        Err(NotYet::Invalid(format!("{what}: {seconds} s")))
    }
}

/// `35 ms`, `-3 ms`.
fn signed_time(seconds: f64) -> String {
    if seconds < 0.0 { format!("-{}", time(-seconds)) } else { time(seconds) }
}
