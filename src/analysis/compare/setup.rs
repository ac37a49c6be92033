//! What is fixed when a release starts, so that nothing that happens during it moves the rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::baseline::{Baseline, Overdispersion};
use super::wealth::{Bet, Game};
use crate::api::{Percent, Span};

/// How often chance may call a version worse that is not, by all that is compared together, or not worse one that is: once in
/// 100 releases, however often they are looked at.
pub const CHANCE_MAX: f64 = 0.01;

/// Up to this factor above stable's rate a version is as good as stable: the pods differ, and their users.
pub const FACTOR: f64 = 1.25;

/// The rules of one comparison, frozen at the start of a release.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    /// How much stable's own bad counts scatter.
    pub overdispersion: Overdispersion,
    /// Over how many intervals the moment is spread at which a version may turn bad.
    pub horizon: Horizon,
    /// What is allowed above 1.25 times stable's share before a version can be called worse: a tenth of what the objective
    /// allows, in percent of requests.
    pub slack: Percent,
    /// What would be too much above 1.25 times stable's share: a version is called not worse once that is ruled out. In
    /// percent of requests.
    pub tolerance: Percent,
    /// Stable's share of bad requests on the day before the start: that of its worst hour, where that was no incident. It stands for
    /// stable where that has no traffic. In percent of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_rate: Option<Percent>,
    /// Among how many comparisons of the release the chance of calling an equal version worse is divided.
    #[serde(default, skip_serializing_if = "Signals::is_one")]
    pub signals: Signals,
}

impl Setup {
    /// The least and the most tolerance, in percent: the first limit of the documents (`002_…`, plan phase: 1 %), and
    /// what can be shown at all in a day at 1 request/s.
    const TOLERANCE: (f64, f64) = (0.1, 1.0);

    /// The rules for a release in which nothing else is compared.
    ///
    /// `baseline` is stable's last day, None where it was not read. `objective` is the share of good requests that the
    /// service promises (99.5 for 99.5 %), `limit` the share of bad ones at which the contract brings a change back.
    /// The stages are `planned` to last that long, at one interval every `interval`.
    pub fn new(baseline: Option<&Baseline>, objective: Percent, limit: Percent, planned: Span, interval: Span) -> Self {
        let allowed = rounded(100.0 - objective.get());
        let slack = 0.1 * (100.0 - objective.get());
        let (least, most) = Self::TOLERANCE;
        Self {
            overdispersion: baseline.map_or(Overdispersion::ASSUMED, |baseline| baseline.overdispersion),
            horizon: Horizon::planned(planned, interval),
            slack: rounded(slack),
            // At least twice the slack: what is too much must be more than what is allowed.
            tolerance: rounded(limit.get().clamp(least, most).max(2.0 * slack)),
            base_rate: baseline.and_then(|baseline| baseline.hours).map(|hours| hours.base(allowed)),
            signals: Signals::ONE,
        }
    }

    pub(super) fn game(&self, bet: Bet) -> Game {
        let (slack, chance) = match bet {
            Bet::Worse => (self.slack, self.signals.chance_max()),
            Bet::NotWorse => (self.tolerance, CHANCE_MAX),
        };
        Game { bet, slack: slack.ratio(), phi: self.overdispersion, horizon: self.horizon, chance }
    }
}

/// To a millionth of a percent, so that a record reads back what was computed with.
pub(super) fn rounded(percent: f64) -> Percent {
    Percent::new((percent * 1e6).round() / 1e6).unwrap_or(if percent > 0.0 { Percent::HUNDRED } else { Percent::ZERO })
}

/// What a release is compared in: failed requests, and slow ones by each bound. From 1.
///
/// One bet a signal, and an equal version is called worse once any of them is won: each must become so many times as rich. A
/// version is called not worse by all of them together, so that this chance is not divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct Signals(u32);

impl Signals {
    /// Failed requests alone.
    pub const ONE: Self = Self(1);

    /// Failed requests, and slow ones by so many bounds.
    pub fn errors_and(bounds: usize) -> Self {
        Self(u32::try_from(bounds).unwrap_or(u32::MAX).saturating_add(1))
    }

    /// By how many bounds slow requests are compared.
    pub const fn bounds(self) -> usize {
        self.0 as usize - 1
    }

    /// The chance that one of them has of calling an equal version worse.
    pub(super) fn chance_max(self) -> f64 {
        CHANCE_MAX / f64::from(self.0)
    }

    fn is_one(&self) -> bool {
        *self == Self::ONE
    }
}

impl Default for Signals {
    fn default() -> Self {
        Self::ONE
    }
}

impl From<u32> for Signals {
    fn from(signals: u32) -> Self {
        Self(signals.max(1))
    }
}

impl From<Signals> for u32 {
    fn from(signals: Signals) -> Self {
        signals.0
    }
}

/// How many intervals a release is planned to have. From 1 to 10,000.
///
/// After it the comparison goes on, however long a hold takes, and a version that turns bad only then is noticed some intervals later
/// than within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct Horizon(u32);

impl Horizon {
    const MAX: u32 = 10_000;

    /// As many intervals as fit into the time planned, rounded up; at least 1, at most 10,000.
    pub fn planned(planned: Span, interval: Span) -> Self {
        let whole = planned.as_millis().div_ceil(interval.as_millis().max(1));
        Self::from(u32::try_from(whole).unwrap_or(u32::MAX))
    }

    /// The number of intervals.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl From<u32> for Horizon {
    fn from(intervals: u32) -> Self {
        Self(intervals.clamp(1, Self::MAX))
    }
}

impl From<Horizon> for u32 {
    fn from(horizon: Horizon) -> Self {
        horizon.0
    }
}
