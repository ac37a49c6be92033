//! Users, and how the versions of a program treat them: requests, errors and durations as counters.
//!
//! Here belong the rate of requests over a day, who answers them, how long that takes, and the scrapes that bring the
//! counters into the [`Tsdb`](super::metrics::Tsdb). What must never enter: what a controller makes of the figures, and a
//! draw for each request: one step costs microseconds, however many users there are.

mod arm;
mod dice;
mod latency;
mod rate;
mod tally;
#[cfg(test)]
mod tests;
mod version;

use std::collections::BTreeMap;

pub use latency::{BOUNDS, Latency};
pub use rate::Rate;
pub use tally::{Counts, Tally};
pub use version::{Version, Warmup};

use super::metrics::Tsdb;
use crate::api::{Span, Time};
use arm::Arm;

/// What goes to one Service at the moment.
#[derive(Debug, Clone, Copy)]
pub struct Flow<'a> {
    /// The namespace of the Service.
    pub namespace: &'a str,
    /// The Service.
    pub service: &'a str,
    /// The one pod that is meant, where users call the Service itself and its pods are counted one by one.
    pub pod: Option<&'a str>,
    /// What runs behind it.
    pub version: &'a Version,
    /// Its share of all requests, 0 to 1.
    pub share: f64,
    /// How many pods behind it are ready. Where there is none, the route answers 503 for it.
    pub ready_pods: u32,
}

/// Namespace, Service, and the pod where pods are counted one by one.
type Key = (String, String, Option<String>);

impl Flow<'_> {
    fn key(&self) -> Key {
        (self.namespace.to_owned(), self.service.to_owned(), self.pod.map(str::to_owned))
    }
}

/// The users of one route, the counters that show them, and a client that counts what it gets.
#[derive(Debug, Clone)]
pub struct Traffic {
    rate: Rate,
    scrape: i64,
    dice: fastrand::Rng,
    arms: BTreeMap<Key, Arm>,
    /// Up to when users were simulated.
    now: Option<i64>,
    tally: Tally,
}

impl Traffic {
    /// Users at a rate, whose counters are scraped at all multiples of `scrape` (a second at least) since 1970.
    pub fn new(rate: Rate, scrape: Span, seed: u64) -> Self {
        let scrape = i64::try_from(scrape.as_millis()).unwrap_or(i64::MAX).max(1_000);
        let dice = fastrand::Rng::with_seed(seed);
        Self { rate, scrape, dice, arms: BTreeMap::new(), now: None, tally: Tally::default() }
    }

    /// What the client counted since the beginning.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Changes how many users there are from now on.
    pub fn set_rate(&mut self, rate: Rate) {
        self.rate = rate;
    }

    /// Simulates the users from the last step to `now` while requests went as `flows` say, and scrapes what is due in
    /// between. The first step only begins. Of a Service that is not in `flows` any more the series end with the next
    /// scrape; comes it back, it counts from 0 again. Requests that no flow takes, where the shares make less than 1, are
    /// answered 500 by the route: they fail, and no Service counts them.
    pub fn step(&mut self, now: Time, flows: &[Flow<'_>], metrics: &mut Tsdb) {
        let until = now.0.as_millisecond();
        let mut at = *self.now.get_or_insert(until);
        for flow in flows {
            self.arms.entry(flow.key()).or_insert_with(|| Arm::new(flow, metrics)).route(flow.ready_pods, at);
        }
        while at < until {
            // Each piece ends where a scrape is due.
            let scrape = at.div_euclid(self.scrape).saturating_add(1).saturating_mul(self.scrape);
            let end = scrape.min(until);
            self.serve(flows, at, end);
            at = end;
            if at == scrape {
                self.scrape(flows, at, metrics);
            }
        }
        // A clock that goes back makes nobody come twice.
        self.now = Some(at);
    }

    fn serve(&mut self, flows: &[Flow<'_>], from: i64, to: i64) {
        let seconds = to.saturating_sub(from) as f64 / 1_000.0;
        let all = self.rate.requests(from, seconds, &mut self.dice);
        let (mut left, mut share_left) = (all, 1.0_f64);
        for flow in flows {
            // Binomials one after the other make a multinomial; a rest of rounding is nobody's share.
            let share = flow.share.clamp(0.0, 1.0);
            let of_rest = if share_left - share < 1e-9 { 1.0 } else { share / share_left };
            let requests = if share > 0.0 { dice::binomial(left, of_rest, &mut self.dice) } else { 0 };
            left -= requests;
            share_left = (share_left - share).max(0.0);
            if let Some(arm) = self.arms.get_mut(&flow.key()) {
                let failed = arm.serve(flow, requests, seconds, from, &mut self.dice);
                let key = (flow.namespace.to_owned(), flow.service.to_owned());
                self.tally.count(&key, Counts { requests, failed });
            }
        }
        self.tally.unrouted(left);
    }

    fn scrape(&mut self, flows: &[Flow<'_>], at: i64, metrics: &mut Tsdb) {
        let Ok(time) = jiff::Timestamp::from_millisecond(at).map(Time) else { return };
        let there: Vec<_> = flows.iter().map(Flow::key).collect();
        self.arms.retain(|key, arm| {
            let there = there.contains(key);
            if there {
                arm.scrape(time, metrics);
            } else {
                arm.end(time, metrics);
            }
            there
        });
    }
}
