//! The counters of one Service.

use super::Flow;
use super::dice;
use super::latency::{BOUNDS, BUCKETS};
use crate::api::{Span, Time};
use crate::sandbox::metrics::{SeriesId, Tsdb};

/// The statuses that are counted, all from the beginning, as `docs/metrics-sources.md` demands.
const STATUSES: [&str; 3] = ["200", "500", "503"];

/// A Service's counters since it began, and the series that show them.
#[derive(Debug, Clone)]
pub(super) struct Arm {
    /// When the first of the present pods was ready, in milliseconds since 1970.
    ready: Option<i64>,
    /// Requests by status, in the order of [`STATUSES`].
    requests: [Counter; STATUSES.len()],
    /// Answers by bucket, each bucket by itself.
    buckets: [Counter; BUCKETS],
    seconds: f64,
    sum: SeriesId,
    count: SeriesId,
}

#[derive(Debug, Clone, Copy)]
struct Counter {
    value: u64,
    series: SeriesId,
}

impl Arm {
    pub(super) fn new(flow: &Flow<'_>, metrics: &mut Tsdb) -> Self {
        let mut of = vec![("namespace", flow.namespace), ("service", flow.service)];
        of.extend(flow.pod.map(|pod| ("pod", pod)));
        let mut series = |metric: &str, label: &str, value: &str| {
            let labels: Vec<_> = of.iter().copied().chain([(label, value)]).collect();
            metrics.series(metric, &labels)
        };
        let counter = |series| Counter { value: 0, series };
        let requests = STATUSES.map(|status| counter(series("http_requests_total", "status", status)));
        let mut bounds = BOUNDS.iter().map(f64::to_string);
        let buckets = std::array::from_fn(|_| {
            let le = bounds.next().unwrap_or_else(|| "+Inf".to_owned());
            counter(series("http_request_duration_seconds_bucket", "le", &le))
        });
        let sum = metrics.series("http_request_duration_seconds_sum", &of);
        let count = metrics.series("http_request_duration_seconds_count", &of);
        Self { ready: None, requests, buckets, seconds: 0.0, sum, count }
    }

    /// Remembers since when there are pods.
    pub(super) fn route(&mut self, ready_pods: u32, at: i64) {
        self.ready = if ready_pods == 0 { None } else { Some(self.ready.unwrap_or(at)) };
    }

    /// Answers requests that came in so many seconds from a time on; how many failed.
    pub(super) fn serve(
        &mut self,
        flow: &Flow<'_>,
        requests: u64,
        seconds: f64,
        from: i64,
        dice: &mut fastrand::Rng,
    ) -> u64 {
        let [ok, errors, unavailable] = &mut self.requests;
        let (Some(ready), true) = (self.ready, flow.ready_pods > 0) else {
            unavailable.value += requests;
            return requests;
        };
        if requests == 0 {
            return 0;
        }
        let age = Span::from_millis(u64::try_from(from.saturating_sub(ready)).unwrap_or(0));
        let per_pod = requests as f64 / seconds / f64::from(flow.ready_pods);
        let now = flow.version.now(age, per_pod);
        let turned_away = dice::binomial(requests, now.overload, dice);
        let served = requests - turned_away;
        let failed = dice::binomial(served, now.errors, dice);
        ok.value += served - failed;
        errors.value += failed;
        unavailable.value += turned_away;
        // Who is turned away is answered at once and not measured.
        let (mut left, mut share_left) = (served, 1.0_f64);
        for (bucket, counter) in flow.version.latency.buckets(now.slower).into_iter().zip(&mut self.buckets) {
            if left == 0 {
                break;
            }
            let of_rest = if share_left - bucket.share < 1e-9 { 1.0 } else { bucket.share / share_left };
            let here = dice::binomial(left, of_rest, dice);
            left -= here;
            share_left -= bucket.share;
            counter.value += here;
            self.seconds += here as f64 * bucket.mean;
        }
        turned_away + failed
    }

    /// Writes the counters as a scrape finds them.
    pub(super) fn scrape(&self, at: Time, metrics: &mut Tsdb) {
        for counter in &self.requests {
            metrics.push(counter.series, at, counter.value as f64);
        }
        let mut below = 0;
        for counter in &self.buckets {
            below += counter.value;
            metrics.push(counter.series, at, below as f64);
        }
        metrics.push(self.sum, at, self.seconds);
        metrics.push(self.count, at, below as f64);
    }

    /// Ends the series, as a scrape that finds nobody.
    pub(super) fn end(&self, at: Time, metrics: &mut Tsdb) {
        let counters = self.requests.iter().chain(&self.buckets).map(|counter| counter.series);
        for series in counters.chain([self.sum, self.count]) {
            metrics.end(series, at);
        }
    }
}
