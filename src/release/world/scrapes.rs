//! A Prometheus that knows what it scraped and no more: counters, every so many seconds.

use super::World;
use crate::analysis::{ArmSample, Evidence};
use crate::api::{Span, Time};
use crate::release::split::Carrier;

const CARRIERS: [Carrier; 3] = [Carrier::Canary, Carrier::Workload, Carrier::Previous];

/// Requests and errors since the world began, and the last latency, of each carrier.
type Counters = [(f64, f64, f64); 3];

/// What was scraped.
#[derive(Debug, Clone)]
pub(crate) struct Scrapes {
    every: Span,
    counters: Counters,
    samples: Vec<(Time, Counters)>,
    /// Whether nothing is scraped any more.
    pub(crate) hang: bool,
}

impl Scrapes {
    /// What `increase` makes of the samples in the window, without guessing beyond them; two are needed.
    pub(super) fn sample(&self, carrier: Carrier, window: Span, now: Time) -> ArmSample {
        let at = CARRIERS.iter().position(|one| *one == carrier).unwrap();
        let mut within = self.samples.iter().filter(|(time, _)| now.since(*time) < window && time.0 <= now.0);
        let (Some((_, first)), Some((_, last))) = (within.next(), within.next_back()) else {
            let none = || Evidence::NoData("fewer than two samples".to_owned());
            return ArmSample { requests: none(), errors: none(), latency: none() };
        };
        let ((requests, errors, _), (until, failed, latency)) = (first[at], last[at]);
        let asked = until > requests;
        ArmSample {
            requests: Evidence::Value(until - requests),
            errors: Evidence::Value(failed - errors),
            latency: if asked { Evidence::Value(latency) } else { Evidence::NoData("no requests".to_owned()) },
        }
    }
}

impl World {
    /// From now on all is scraped every so many seconds.
    pub(crate) fn scrape_every(&mut self, every: Span) {
        self.scrapes = Some(Scrapes { every, counters: Counters::default(), samples: Vec::new(), hang: false });
    }

    /// A second of users passes, and is scraped where that is due.
    pub(super) fn scrape(&mut self) {
        let Some(mut scrapes) = self.scrapes.take() else { return };
        for (carrier, counter) in CARRIERS.into_iter().zip(&mut scrapes.counters) {
            let second = self.of_users(carrier, Span::seconds(1));
            let figure = |evidence: &Evidence<f64>| evidence.value().copied();
            counter.0 += figure(&second.requests).unwrap_or(0.0);
            counter.1 += figure(&second.errors).unwrap_or(0.0);
            counter.2 = figure(&second.latency).unwrap_or(counter.2);
        }
        let end = self.now.plus(Span::seconds(1));
        if !scrapes.hang && end.0.as_millisecond() % scrapes.every.as_signed().as_millis() as i64 == 0 {
            scrapes.samples.push((end, scrapes.counters));
        }
        self.scrapes = Some(scrapes);
    }
}
