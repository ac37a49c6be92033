//! A past that was never scraped: recorded counts over weeks, from which an error budget results.

use super::points::Run;
use super::tsdb::Tsdb;
use crate::api::{Percent, Span, Time};

/// The share of bad events, 0 to 1, that leaves so much of an error budget: 99.9 % and 72 % left give 0.00028. Below 0 %
/// the budget is overspent; above 100 % it is full.
pub fn bad_ratio(objective: Percent, left_percent: f64) -> f64 {
    ((1.0 - objective.ratio()) * (1.0 - left_percent / 100.0)).clamp(0.0, 1.0)
}

/// The past of one Service as Tidegate's recording rules would have counted it, the same in every step.
#[derive(Debug, Clone, PartialEq)]
pub struct History<'a> {
    /// The Service's namespace.
    pub namespace: &'a str,
    /// The Service.
    pub service: &'a str,
    /// When it ends: the last step is not later.
    pub until: Time,
    /// How far back it reaches.
    pub window: Span,
    /// Requests per second.
    pub rate: f64,
    /// The share of requests that failed, 0 to 1; see [`bad_ratio`].
    pub bad: f64,
    /// Bounds of the histogram of durations as labels `le`, such as `0.3` and `+Inf`, each with the share of requests, 0 to
    /// 1, that took no longer; see [`crate::sandbox::traffic::Latency::shares`].
    pub durations: Vec<(String, f64)>,
}

/// The step of the chart's recording rules.
const STEP: Span = Span::minutes(5);

impl Tsdb {
    /// Gives the recorded series of a Service a past. It costs nothing however long it is. Called again it replaces that
    /// past, so that a story can change what is left of a budget; samples that were recorded since stay.
    pub fn seed_history(&mut self, history: &History<'_>) {
        let step = STEP.as_millis() as i64;
        let count = (history.window.as_millis() / STEP.as_millis()) as i64;
        let last = history.until.0.as_millisecond().div_euclid(step) * step;
        let from = last - (count - 1) * step;
        let requests = history.rate * STEP.as_secs_f64();
        let of = [("namespace", history.namespace), ("service", history.service)];
        let mut set = |metric: &str, le: Option<&str>, value: f64| {
            let labels: Vec<_> = of.into_iter().chain(le.map(|le| ("le", le))).collect();
            let id = self.series(metric, &labels);
            self.set_past(id, Run { from, step, count, value });
        };
        set("tidegate:http_requests:count", None, requests);
        set("tidegate:http_requests_bad:count", None, requests * history.bad);
        set("tidegate:http_request_duration:count", None, requests);
        for (le, share) in &history.durations {
            set("tidegate:http_request_duration_bucket:count", Some(le), requests * share);
        }
    }
}
