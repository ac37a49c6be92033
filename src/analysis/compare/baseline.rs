//! What stable is like by itself, measured on its last day and frozen at the start of a release.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interval::Counts;
use super::setup::rounded;
use crate::api::Percent;

/// How much bad counts scatter: their variance over their mean, given the traffic. From 1 (each request fails by itself)
/// to 200.
///
/// Errors come in clumps: a client that tries again, a pod that hangs. Services that run steadily had 4 to 5.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, JsonSchema, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Overdispersion(f64);

impl Overdispersion {
    const MAX: f64 = 200.0;
    /// Each request fails by itself.
    pub const NONE: Self = Self(1.0);
    /// What is taken where nothing is known: the upper end of what steady services had.
    pub const ASSUMED: Self = Self(5.0);

    /// Variance over mean.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl From<f64> for Overdispersion {
    /// Brought into range and to two decimals; what is no number is taken for the most.
    fn from(value: f64) -> Self {
        let value = if value.is_nan() { Self::MAX } else { value.clamp(1.0, Self::MAX) };
        Self((value * 100.0).round() / 100.0)
    }
}

impl From<Overdispersion> for f64 {
    fn from(phi: Overdispersion) -> Self {
        phi.0
    }
}

/// Stable's last day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    /// How much its bad counts scatter from one interval to the next.
    pub overdispersion: Overdispersion,
    /// Its shares of bad requests, hour by hour; None where the day had fewer than `REQUESTS_MIN` requests in all.
    pub hours: Option<Hours>,
}

/// Stable's share of bad requests in the hours of its last day, in percent of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hours {
    /// In the worst hour.
    pub worst: Percent,
    /// In the hour that a quarter of all are worse than, or as bad as.
    pub usual: Percent,
}

impl Hours {
    /// What stands for stable where it has no traffic: its worst hour, so that what it did in any is held against nobody, but no more than
    /// what its objective allows (`allowed`, in percent of requests), unless its usual hours have more.
    ///
    /// An incident of the day is not what stable is like: with an hour of 60 % in its place nothing could be told any more, at 100 % and in
    /// Verify. Up to what the objective allows, the worst hour counts as it is. Beyond it counts what a quarter of the day had, which a
    /// service that is always noisy, or rushed for some hours each day, has, and an outage of less than six hours has not.
    pub fn base(self, allowed: Percent) -> Percent {
        let most = if self.usual > allowed { self.usual } else { allowed };
        if self.worst < most { self.worst } else { most }
    }
}

impl Baseline {
    /// From stable's counts of the last 24 hours in intervals as long as those of the release, oldest first; None where an
    /// interval is missing.
    ///
    /// **Overdispersion.** Two intervals that follow each other, with requests `n1`, `n2` and bad ones `e1`, `e2`,
    /// `K = e1 + e2 > 0`, scatter by `X = (n2·e1 - n1·e2)² / (n1·n2·K)`. If each request fails by itself with a rate that
    /// both share, `X` is 1 on average for any `K`; whatever moves slowly (the hour of the day, drift) hardly enters. `phi` is
    /// the mean of all `X`, weighted by `K` up to `WEIGHT_MAX`, and by `ASSUMED_WEIGHT` times the assumed 5: with few bad
    /// requests it is near 5, with a hundred and more it is what was seen. A step from one level, held for three intervals, to
    /// another, held as long, is left out: an incident begins and ends for both versions at once, and is no noise. A step is
    /// nine times as far as anything in the two pairs before and the two after it.
    ///
    /// **Hours.** 24 equal parts; one that had fewer than `REQUESTS_MIN` requests is taken together with those that follow it, and at the
    /// end with those before, so that one bad request of three in a quiet night is no hour of 33 %.
    pub fn of(history: &[Option<Counts>]) -> Self {
        Self { overdispersion: overdispersion(history), hours: hours(history) }
    }
}

/// How many requests an hour needs: of fewer, one bad one would be more than the first limit of the documents (1 %, `002_…`).
pub(super) const REQUESTS_MIN: f64 = 100.0;

/// The most that a pair of intervals weighs: with more bad requests it says no more about how much they scatter.
const WEIGHT_MAX: f64 = 64.0;

/// How many bad requests the assumption is worth.
const ASSUMED_WEIGHT: f64 = 25.0;

/// A step is so many times as far as its neighbours, which are on one level: chance makes one of 1 in 400 at most.
const STEP: f64 = 9.0;

/// What two intervals that follow each other say.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pair {
    /// One of them is missing or without traffic.
    Unknown,
    /// No request was bad in either.
    Clean,
    /// How far they are apart, 1 on average by chance, and how many bad requests say so.
    Apart { x: f64, bad: f64 },
}

impl Pair {
    fn of(one: Option<Counts>, next: Option<Counts>) -> Self {
        let (Some(one), Some(next)) = (one, next) else { return Self::Unknown };
        let (n1, n2) = (one.requests(), next.requests());
        let bad = one.bad() + next.bad();
        if n1 <= 0.0 || n2 <= 0.0 {
            return Self::Unknown;
        }
        if bad <= 0.0 {
            return Self::Clean;
        }
        let apart = n2 * one.bad() - n1 * next.bad();
        // In this order, because the square of large counts is beyond a float.
        Self::Apart { x: (apart / n1) * (apart / n2) / bad, bad }
    }

    /// How far the two are apart, 0 where both are clean; None where it is not known.
    const fn apart(self) -> Option<f64> {
        match self {
            Self::Unknown => None,
            Self::Clean => Some(0.0),
            Self::Apart { x, .. } => Some(x),
        }
    }
}

fn overdispersion(history: &[Option<Counts>]) -> Overdispersion {
    let pairs: Vec<Pair> = history.windows(2).map(|two| Pair::of(two[0], two[1])).collect();
    let (mut weights, mut sum) = (ASSUMED_WEIGHT, ASSUMED_WEIGHT * Overdispersion::ASSUMED.get());
    for (index, pair) in pairs.iter().enumerate() {
        if let Pair::Apart { x, bad } = *pair
            && !is_step(&pairs, index, x)
        {
            let weight = bad.min(WEIGHT_MAX);
            weights += weight;
            sum += weight * x;
        }
    }
    Overdispersion::from(sum / weights)
}

/// Whether three intervals on one level are followed by three on another, `x` away from it.
fn is_step(pairs: &[Pair], at: usize, x: f64) -> bool {
    let neighbours = [at.checked_sub(2), at.checked_sub(1), Some(at + 1), Some(at + 2)];
    let within = neighbours
        .into_iter()
        .try_fold(1.0_f64, |most, neighbour| pairs.get(neighbour?)?.apart().map(|apart| most.max(apart)));
    within.is_some_and(|within| x > STEP * within)
}

fn hours(history: &[Option<Counts>]) -> Option<Hours> {
    let part = history.len().div_ceil(24).max(1);
    // Requests and bad ones; the last is not full yet.
    let mut hours = vec![(0.0, 0.0)];
    for hour in history.chunks(part) {
        if hours.last().is_some_and(|(requests, _)| *requests >= REQUESTS_MIN) {
            hours.push((0.0, 0.0));
        }
        for counts in hour.iter().flatten() {
            if let Some((requests, bad)) = hours.last_mut() {
                *requests += counts.requests();
                *bad += counts.bad();
            }
        }
    }
    if let [.., (requests, bad), (few, bad_of_few)] = hours.as_mut_slice()
        && *few < REQUESTS_MIN
    {
        *requests += *few;
        *bad += *bad_of_few;
        hours.pop();
    }
    let full = hours.iter().filter(|(requests, _)| *requests >= REQUESTS_MIN);
    let mut rates: Vec<f64> = full.map(|(requests, bad)| bad / requests * 100.0).collect();
    rates.sort_by(|one, other| other.total_cmp(one));
    let usual = rates.get(rates.len().div_ceil(4)).or(rates.last());
    Some(Hours { worst: rounded(*rates.first()?), usual: rounded(*usual?) })
}
