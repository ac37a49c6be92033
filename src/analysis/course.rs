//! Whether the new version fails more often than its contract allows, by all its intervals together: what no single look can tell
//! where there is a request a minute, and what looks that go on for a day must not tell by luck.
//!
//! A bet as the comparison makes it (`compare/wealth.rs`), on "it fails more often than its limit": as long as it does not, the bet
//! becomes 100 times as rich in one of 100 attempts at most, however long they take and however often one looks. An interval of `n` requests,
//! `e` of them failed, says `(e·ln m - limit·n·(m - 1)) / phi` for each ratio `m`. Failures come in clumps of `phi` on average, and no clump is
//! larger than its interval: where `n < phi`, `n` stands for `phi`, and the bound holds however failures of one interval hang together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chance::ERRORS_MIN;
use super::compare::{Bet, CHANCE_MAX, Counted, Counts, Game, Nats, Overdispersion, RATIOS, Setup, Wealth};
use super::figures::{count, percent, tenth};
use super::verdict::Breach;
use crate::api::release_record::Trigger;
use crate::api::{Percent, Span, Time};

/// What the new version's intervals come to against the limit of its contract. Begins anew with each attempt, and with another
/// limit; twelve numbers, however long it takes.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CourseTally {
    /// The limit, in percent of requests.
    pub limit: Percent,
    /// How many intervals were counted.
    pub intervals: u32,
    /// When the last of them ended; nothing up to then is counted again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Since when it is bad, if it is: when it looked best; absent where that was at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Requests since then. To a tenth.
    pub requests: f64,
    /// Failed ones of them. To a tenth.
    pub errors: f64,
    /// The bet that it fails too often.
    wealth: Wealth,
    /// The least that it was ever worth.
    least: Nats,
}

/// How a version is judged by it.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    /// What was counted.
    pub tally: &'a CourseTally,
    /// What was frozen when users first met the version.
    pub setup: &'a Setup,
}

const fn game(setup: &Setup) -> Game {
    // A promise of its own: it is shared with no comparison.
    let chance = CHANCE_MAX;
    Game { bet: Bet::Worse, slack: 0.0, phi: setup.overdispersion, horizon: setup.horizon, chance }
}

impl CourseTally {
    /// Nothing is counted yet, under a contract that allows `limit`.
    pub fn new(limit: Percent) -> Self {
        let (wealth, least) = (Wealth::default(), Nats::ZERO);
        Self { limit, intervals: 0, until: None, since: None, requests: 0.0, errors: 0.0, wealth, least }
    }

    /// Counts an interval, once, under a contract that allows `limit`.
    pub fn count(&mut self, setup: &Setup, limit: Percent, (end, length): (Time, Span), counts: Counts) -> Counted {
        if let Some(already) = Counted::already(self.until, (end, length)) {
            return already;
        }
        if self.limit != limit {
            *self = Self { limit, until: self.until, since: self.until, ..Self::new(limit) };
        }
        self.wealth = self.wealth.after_saying(&game(setup), self.intervals, says(limit, setup.overdispersion, counts));
        self.intervals = self.intervals.saturating_add(1);
        self.until = Some(end);
        let now = Nats::new(self.ln_wealth(setup));
        if now <= self.least {
            (self.least, self.since, self.requests, self.errors) = (now, Some(end), 0.0, 0.0);
        } else {
            self.requests = tenth(self.requests + counts.requests());
            self.errors = tenth(self.errors + counts.bad());
        }
        Counted::New
    }

    fn ln_wealth(&self, setup: &Setup) -> f64 {
        self.wealth.ln(&game(setup), self.intervals)
    }
}

/// What an interval says for each ratio, in nats.
fn says(limit: Percent, phi: Overdispersion, counts: Counts) -> [f64; RATIOS.len()] {
    let clump = phi.get().min(counts.requests().max(1.0));
    RATIOS.map(|m| (counts.bad() * m.ln() - limit.ratio() * counts.requests() * (m - 1.0)) / clump)
}

impl Course<'_> {
    /// That it fails more often than `limit` allows, with the figures. A limit that it was not counted by, and one that allows no
    /// failure, say nothing: the first failure is seen by any look.
    pub(super) fn breach(self, limit: Percent) -> Option<Breach> {
        let Self { tally, setup } = self;
        let counted = tally.limit == limit && limit.ratio() > 0.0 && tally.requests > 0.0;
        if !counted || tally.errors < ERRORS_MIN || !game(setup).is_won(tally.ln_wealth(setup)) {
            return None;
        }
        let since = tally.since.map_or_else(String::new, |since| format!(" since {}", since.clock()));
        let value = format!("{} of {} requests{since}", percent(tally.errors / tally.requests), count(tally.requests));
        let sentence = format!(
            "{} of {} requests failed{since}, limit {limit}: as unlikely as 1 in 100 at the limit, however long one looks",
            percent(tally.errors / tally.requests),
            count(tally.requests)
        );
        Some(Breach { trigger: Trigger::ErrorRate, value, threshold: limit.to_string(), sentence })
    }
}
