//! The memory of a business metric over all stages of one attempt: what stands in the record between two intervals.
//!
//! Two bets, as the comparison makes them (`compare/wealth.rs`): that the new version lies below what is allowed, and that it lies
//! above. As long as it is within the limit, neither becomes 100 times as rich but once in 100 releases, however often one looks;
//! for a version as good as stable both lose. An interval lies within one stage, so that a weight that moves moves no rate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scatter::Scatter;
use crate::analysis::compare::{
    Bet, CHANCE_MAX, Counted, Game, Horizon, Nats, Overdispersion, RATIO_COUNT, Wealth, ln_ratio,
};
use crate::analysis::evidence::Evidence;
use crate::analysis::figures::tenth;
use crate::analysis::limits::figure;
use crate::analysis::verdict::NotYet;
use crate::api::gated_release::BusinessMetric;
use crate::api::{Percent, Span, Time};

/// By which factors the rate may lie beyond the limit: 15 % down at a limit of 10 % is 1 / 1.06, nothing at all nearly the last.
pub(super) const BEYOND: [f64; RATIO_COUNT] = [1.03, 1.06, 1.12, 1.25, 1.6, 3.0, 20.0];

/// Requests of one version in an interval, and how often what the service is there for happened. From 0 to 10^15 each; one request
/// may count several times.
#[derive(Debug, Clone, Copy, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Happened {
    requests: f64,
    events: f64,
}

impl Happened {
    const MAX: f64 = 1e15;

    /// From two figures of `who`; the reason where either is missing, partial or cannot be. Without requests nothing happened.
    pub fn measured(requests: &Evidence<f64>, events: &Evidence<f64>, who: &str) -> Result<Self, NotYet> {
        let requests = figure(requests, &format!("requests of {who}"))?;
        if requests <= 0.0 {
            return Ok(Self::default());
        }
        let events = figure(events, &format!("the business metric of {who}"))?;
        if requests.max(events) > Self::MAX {
            return Err(NotYet::Invalid(format!("the business metric of {who}: {events} in {requests} requests")));
        }
        Ok(Self { requests: tenth(requests), events: tenth(events) })
    }

    pub(super) const fn requests(self) -> f64 {
        self.requests
    }

    pub(super) const fn events(self) -> f64 {
        self.events
    }
}

/// One interval within a stage. Intervals are disjoint, and each is known by its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// When it ended.
    pub end: Time,
    /// How long it was.
    pub length: Span,
    /// The new version.
    pub candidate: Happened,
    /// What served before.
    pub base: Happened,
}

/// What is counted, frozen when users first met the new version.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rules {
    /// The first 16 digits of the SHA-256 of the query: another one would count something else.
    #[schemars(length(max = 16))]
    pub query: String,
    /// How far the rate may be from stable's.
    pub change: Percent,
    /// How many intervals the stages are planned to have.
    pub horizon: Horizon,
}

impl Rules {
    /// The rules of a contract, for stages of so many intervals.
    pub fn of(metric: &BusinessMetric, horizon: Horizon) -> Self {
        let query = crate::policy::canonical::short(&metric.query, 8);
        Self { query, change: metric.change_percent, horizon }
    }

    /// Whether the contract still asks for the same.
    pub fn are_of(&self, metric: &BusinessMetric) -> bool {
        *self == Self::of(metric, self.horizon)
    }

    const fn game(&self) -> Game {
        let (phi, chance) = (Overdispersion::NONE, CHANCE_MAX);
        Game { bet: Bet::Worse, slack: 0.0, phi, horizon: self.horizon, chance }
    }
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Below,
    Above,
}

impl Way {
    /// The rate at the limit, as a factor of stable's.
    pub(super) fn limit(self, change: Percent) -> f64 {
        match self {
            Self::Below => 1.0 - change.ratio(),
            Self::Above => 1.0 + change.ratio(),
        }
    }

    /// What an interval says for each factor, in nats.
    pub(super) fn says(self, stretch: &Stretch, change: Percent, scatter: f64) -> [f64; RATIO_COUNT] {
        let (new, base) = (stretch.candidate, stretch.base);
        BEYOND.map(|beyond| {
            let m = if self == Self::Below { 1.0 / beyond } else { beyond };
            let arms = [(new.requests, new.events), (base.requests, base.events)];
            ln_ratio(arms, (self.limit(change), 0.0), m) / scatter
        })
    }
}

/// What both versions did together, for the sentences. To a tenth.
#[derive(Debug, Clone, Copy, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Together {
    /// The new version.
    pub candidate: Happened,
    /// How often it would have happened with the new version at stable's rate, interval by interval.
    pub expected: f64,
}

impl Together {
    fn plus(self, stretch: &Stretch) -> Self {
        let (new, base) = (stretch.candidate, stretch.base);
        if base.requests <= 0.0 {
            return self;
        }
        let sum = |requests, events| Happened { requests: tenth(requests), events: tenth(events) };
        Self {
            candidate: sum(self.candidate.requests + new.requests, self.candidate.events + new.events),
            expected: tenth(self.expected + new.requests * (base.events / base.requests)),
        }
    }
}

/// The bet on one way.
#[derive(Debug, Clone, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    wealth: Wealth,
    /// The least that it was ever worth.
    least: Nats,
    /// When that was; absent where it is since the first stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// What happened since.
    pub together: Together,
}

/// What the intervals of all stages come to. Begins anew with each attempt; some 40 numbers, however long it takes.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BusinessTally {
    /// What is counted.
    pub rules: Rules,
    /// How many intervals were counted.
    pub intervals: u32,
    /// When the last of them ended; nothing up to then is counted again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// How much they scatter.
    scatter: Scatter,
    /// The last interval: the new version, then stable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<[Happened; 2]>,
    /// That it happens too rarely.
    below: Side,
    /// That it happens too often.
    above: Side,
}

impl BusinessTally {
    /// Nothing counted yet; nothing up to `until` will be.
    pub fn begun(rules: Rules, until: Option<Time>) -> Self {
        let (below, above) = (Side::default(), Side::default());
        Self { rules, intervals: 0, until, scatter: Scatter::default(), last: None, below, above }
    }

    /// Counts an interval, once.
    pub fn count(&mut self, stretch: &Stretch) -> Counted {
        if let Some(already) = Counted::already(self.until, (stretch.end, stretch.length)) {
            return already;
        }
        if self.decided().is_some() {
            return Counted::Decided;
        }
        let scatter = self.scatter.get();
        for way in [Way::Below, Way::Above] {
            let next = self.after(way, stretch, scatter);
            *self.side_mut(way) = next;
        }
        if let Some([candidate, base]) = self.last {
            self.scatter = self.scatter.after(&Stretch { candidate, base, ..*stretch }, stretch);
        }
        self.last = Some([stretch.candidate, stretch.base]);
        self.intervals = self.intervals.saturating_add(1);
        self.until = Some(stretch.end);
        Counted::New
    }

    fn after(&self, way: Way, stretch: &Stretch, scatter: f64) -> Side {
        let (game, side) = (self.rules.game(), self.side(way));
        let says = way.says(stretch, self.rules.change, scatter);
        let wealth = side.wealth.after_saying(&game, self.intervals, says);
        let now = Nats::new(wealth.ln(&game, self.intervals.saturating_add(1)));
        if now <= side.least {
            return Side { wealth, least: now, since: Some(stretch.end), together: Together::default() };
        }
        Side { wealth, together: side.together.plus(stretch), ..side.clone() }
    }

    pub(super) const fn side(&self, way: Way) -> &Side {
        match way {
            Way::Below => &self.below,
            Way::Above => &self.above,
        }
    }

    const fn side_mut(&mut self, way: Way) -> &mut Side {
        match way {
            Way::Below => &mut self.below,
            Way::Above => &mut self.above,
        }
    }

    /// Which way the new version was found to be beyond its limit. Stays, however it would go on.
    pub(super) fn decided(&self) -> Option<Way> {
        let game = self.rules.game();
        let won = |way: &Way| game.is_won(self.side(*way).wealth.ln(&game, self.intervals));
        [Way::Below, Way::Above].into_iter().find(won)
    }
}
