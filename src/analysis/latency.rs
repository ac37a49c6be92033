//! The limit of latency: a quantile of the new version's beside stable's.

use super::chance::NORMAL_999;
use super::compare::Overdispersion;
use super::evidence::{ArmSample, Evidence, Observation};
use super::figures::{count, factor, time};
use super::limits::{Limits, counts, figure, too_little};
use super::verdict::{Breach, NotYet, Verdict};
use crate::api::Percent;
use crate::api::release_record::Trigger;

/// So many requests it takes to blame a version by a latency that cannot be asked for at a lower quantile: the share of requests
/// above a true p95 is then off by 2 points by chance, and not by 7 as among 50.
const UNASKED_MIN: f64 = 1_000.0;

/// The quantile, in percent from 1, whose measured latency the true one is hardly ever below (1 in 1,000) by chance: of `requests`,
/// as many as are slower by chance than the `quantile` of them are left out. Slow requests come in clumps as failed ones do; how
/// large is not measured, so that what steady services showed stands for it.
///
/// By the normal approximation of the binomial distribution: `q - 3.1·sqrt(q·(1 - q)·phi/n)`.
pub fn lower_quantile(quantile: Percent, requests: f64) -> Percent {
    let q = quantile.ratio();
    let spread = (q * (1.0 - q) * Overdispersion::ASSUMED.get() / requests.max(1.0)).sqrt();
    Percent::new((q - NORMAL_999 * spread).max(0.01) * 100.0).unwrap_or(quantile)
}

/// The new version is slower than the contract allows, compared with what served before, and by more than chance explains.
pub(super) fn latency(limits: &Limits<'_>, seen: &Observation) -> Verdict {
    let requests = match counts(&seen.candidate, "the new version") {
        Ok(counts) => counts.requests,
        Err(why) => return Verdict::NotYet(why),
    };
    if requests < f64::from(limits.min_requests) {
        return too_little(requests, limits.min_requests);
    }
    let candidate = match figure(&seen.candidate.latency, "latency of the new version") {
        Ok(seconds) => seconds,
        Err(why) => return Verdict::NotYet(why),
    };
    let base = match base_latency(limits, &seen.base) {
        Ok(base) => base,
        Err(why) => return Verdict::NotYet(why),
    };
    let quantile = format!("p{}", limits.contract.latency_quantile.get());
    let bounds: Vec<(f64, String)> = [
        limits.contract.latency_factor.map(|times| {
            let seen = factor(candidate / base.seconds, times);
            (base.seconds * times, format!("{seen} times, limit {times}"))
        }),
        limits.contract.latency_added.map(|added| {
            let (seen, added) = (candidate - base.seconds, added.as_secs_f64());
            let words = format!("{} added, limit {}", signed_time(seen), time(added));
            (base.seconds + added, words)
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    if bounds.is_empty() {
        return Verdict::NotYet(NotYet::Invalid("the rollback contract names no latency limit".to_owned()));
    }
    let compared = format!("{quantile} {}, {}", time(candidate), base.words);
    let exceeded = |seconds: f64| bounds.iter().find(move |(bound, _)| seconds > *bound);
    let Some((_, words)) = exceeded(candidate) else {
        let words: Vec<&str> = bounds.iter().map(|(_, words)| words.as_str()).collect();
        return Verdict::Pass(format!("{compared}: {}", words.join(", ")));
    };
    let least = match &seen.latency_at_least {
        Some(least) => match figure(least, "lower quantile of the new version's latency") {
            Ok(least) => least.min(candidate),
            Err(why) => return Verdict::NotYet(why),
        },
        None if requests >= UNASKED_MIN => candidate,
        None => {
            return Verdict::NotYet(NotYet::Undecided(format!(
                "{compared}: {words}: above the limit, but the latency query has no $quantile, and {} of the {} requests that it then takes were seen",
                count(requests.floor()),
                count(UNASKED_MIN)
            )));
        }
    };
    match exceeded(least) {
        Some((bound, words)) => Verdict::Fail(Breach {
            trigger: Trigger::Latency,
            value: format!("{quantile} {}", time(candidate)),
            threshold: format!("{} ({words})", time(*bound)),
            sentence: format!("{compared}: {words} ({} requests)", count(requests)),
        }),
        None => Verdict::NotYet(NotYet::Undecided(format!(
            "{compared}: {words}: above the limit, but chance would explain it in {} requests",
            count(requests)
        ))),
    }
}

/// What the new version's latency is compared with.
struct BaseLatency {
    seconds: f64,
    words: String,
}

/// Stable's latency in the same window where it answered enough requests to tell; otherwise as it was last seen.
fn base_latency(limits: &Limits<'_>, base: &ArmSample) -> Result<BaseLatency, NotYet> {
    let requests = match &base.requests {
        // No series at all: stable has no traffic.
        Evidence::NoData(_) => 0.0,
        Evidence::Value(_) | Evidence::Partial { .. } | Evidence::Invalid(_) | Evidence::Unreachable(_) => {
            figure(&base.requests, "requests of stable")?
        }
    };
    if requests >= f64::from(limits.min_requests) {
        let seconds = above_zero(figure(&base.latency, "latency of stable")?, "latency of stable")?;
        let words = format!("stable {}", time(seconds));
        return Ok(BaseLatency { seconds, words });
    }
    match limits.baseline_latency {
        Some(seconds) => {
            let seconds = above_zero(seconds, "latency of stable as it was last seen")?;
            let words = format!("stable {} when it last had traffic", time(seconds));
            Ok(BaseLatency { seconds, words })
        }
        None => Err(NotYet::NoData(format!(
            "latency of stable: {} of the {} requests needed in the window, and none seen before",
            count(requests.floor()),
            limits.min_requests
        ))),
    }
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
