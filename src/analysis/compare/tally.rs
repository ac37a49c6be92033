//! The memory of one comparison: what stands in the record between two intervals.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::interval::{Base, Interval};
use super::nats::Nats;
use super::setup::Setup;
use super::wealth::{Bet, Wealth};
use crate::analysis::figures::tenth;
use crate::api::{Span, Time};

/// What the intervals counted so far come to. Begins anew with each attempt; 30 numbers, however long a release takes.
#[derive(Debug, Clone, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// How many intervals were counted.
    pub intervals: u32,
    /// When the last of them ended; nothing up to then is counted again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What both versions answered in all.
    pub all: Sums,
    /// What both versions answered since the new one looked best: since when it is bad, if it is.
    pub recent: Sums,
    /// When that was; absent where it is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// The bet that the new version is worse.
    worse: Wealth,
    /// The least that it was ever worth; 1 before the first interval.
    least: Nats,
    /// The bet that it is not worse.
    not_worse: Wealth,
}

/// Requests and bad requests of both versions, for the sentences. To a tenth, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sums {
    /// Requests of the new version.
    pub requests: f64,
    /// Bad ones of them.
    pub bad: f64,
    /// Requests of what served before.
    pub base_requests: f64,
    /// Bad ones of them.
    pub base_bad: f64,
}

impl Sums {
    fn plus(self, interval: &Interval) -> Self {
        let (base_requests, base_bad) = match interval.base {
            Base::Measured(base) => (base.requests(), base.bad()),
            Base::Frozen(_) => (0.0, 0.0),
        };
        Self {
            requests: tenth(self.requests + interval.candidate.requests()),
            bad: tenth(self.bad + interval.candidate.bad()),
            base_requests: tenth(self.base_requests + base_requests),
            base_bad: tenth(self.base_bad + base_bad),
        }
    }
}

/// What became of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Counted {
    /// It is counted now.
    New,
    /// It ended no later than what is counted already, and changed nothing.
    Before,
    /// A part of it is counted already, and it changed nothing: ask for an interval that begins at `until`.
    Overlaps,
    /// The new version was found worse already, and it changed nothing.
    Decided,
}

impl Counted {
    /// What becomes of an interval of this end and length where all up to `until` is counted; none where it is new.
    pub(in crate::analysis) fn already(until: Option<Time>, (end, length): (Time, Span)) -> Option<Self> {
        let until = until?;
        if end <= until {
            return Some(Self::Before);
        }
        (until.plus(length) > end).then_some(Self::Overlaps)
    }
}

impl Tally {
    /// Counts an interval, once.
    pub fn count(&mut self, setup: &Setup, interval: &Interval) -> Counted {
        if let Some(already) = Counted::already(self.until, (interval.end, interval.length)) {
            return already;
        }
        if self.is_worse(setup) {
            return Counted::Decided;
        }
        self.worse = self.worse.after(&setup.game(Bet::Worse), self.intervals, interval);
        self.not_worse = self.not_worse.after(&setup.game(Bet::NotWorse), self.intervals, interval);
        self.intervals = self.intervals.saturating_add(1);
        self.until = Some(interval.end);
        self.all = self.all.plus(interval);
        let now = Nats::new(self.ln_wealth(setup, Bet::Worse));
        if now <= self.least {
            self.least = now;
            self.recent = Sums::default();
            self.since = Some(interval.end);
        } else {
            self.recent = self.recent.plus(interval);
        }
        Counted::New
    }

    /// What a bet is worth by now, in nats.
    pub(super) fn ln_wealth(&self, setup: &Setup, bet: Bet) -> f64 {
        self.wealth(bet).ln(&setup.game(bet), self.intervals)
    }

    pub(super) const fn wealth(&self, bet: Bet) -> &Wealth {
        match bet {
            Bet::Worse => &self.worse,
            Bet::NotWorse => &self.not_worse,
        }
    }

    /// Whether the new version was found worse; nothing is counted any more then.
    pub fn is_worse(&self, setup: &Setup) -> bool {
        self.is_won(setup, Bet::Worse)
    }

    pub(super) fn is_not_worse(&self, setup: &Setup) -> bool {
        self.is_won(setup, Bet::NotWorse)
    }

    fn is_won(&self, setup: &Setup, bet: Bet) -> bool {
        setup.game(bet).is_won(self.ln_wealth(setup, bet))
    }
}
