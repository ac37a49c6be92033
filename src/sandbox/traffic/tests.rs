//! Users and counters.

use rstest::rstest;

use super::*;
use crate::sandbox::metrics::Reply;

const BEGIN: i64 = 1_767_225_600_000;

fn time(seconds: i64) -> Time {
    Time(jiff::Timestamp::from_millisecond(BEGIN + seconds * 1_000).unwrap())
}

fn flow<'a>(service: &'a str, version: &'a Version, share: f64, ready_pods: u32) -> Flow<'a> {
    Flow { namespace: "shop", service, pod: None, version, share, ready_pods }
}

fn text(reply: Reply) -> String {
    String::from_utf8(reply.body).unwrap()
}

/// The number of a query that answers one.
fn number(metrics: &Tsdb, query: &str, at: i64) -> f64 {
    let body = text(metrics.query(query, time(at)));
    body.rsplit('"').nth(1).unwrap().parse().unwrap_or_else(|_| panic!("{body}"))
}

struct World {
    traffic: Traffic,
    metrics: Tsdb,
}

fn world(rate: Rate, seed: u64) -> World {
    World { traffic: Traffic::new(rate, Span::seconds(5), seed), metrics: Tsdb::new(Span::days(31)) }
}

impl World {
    fn run(&mut self, from: i64, to: i64, flows: &[Flow<'_>]) {
        for second in from..=to {
            self.traffic.step(time(second), flows, &mut self.metrics);
        }
    }

    fn dump(&self, at: i64) -> String {
        text(self.metrics.query("{__name__=~\"http.+\"}[10m]", time(at)))
    }
}

#[test]
fn the_same_seed_makes_the_same_bytes() {
    let run = |seed| {
        let mut world = world(Rate { noise: 4.0, daily: 0.5, ..Rate::steady(80.0) }, seed);
        let (good, bad) = (Version::good(), Version { errors: 0.1, ..Version::good() });
        world.run(0, 300, &[flow("web", &good, 0.9, 3), flow("web-canary", &bad, 0.1, 1)]);
        (world.dump(300), world.traffic.tally().clone())
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn the_client_and_the_counters_agree() {
    let mut world = world(Rate::steady(300.0), 2);
    let (good, bad) = (Version::good(), Version { errors: 0.2, ..Version::good() });
    world.run(0, 300, &[flow("web", &good, 0.75, 3), flow("web-canary", &bad, 0.25, 1)]);
    let tally = world.traffic.tally();
    assert_eq!(number(&world.metrics, "sum(http_requests_total)", 300), tally.all.requests as f64);
    assert_eq!(number(&world.metrics, "sum(http_requests_total{status!~\"2..\"})", 300), tally.all.failed as f64);
    assert_eq!(number(&world.metrics, "sum(http_request_duration_seconds_count)", 300), tally.all.requests as f64);
    let canary = tally.by_service[&("shop".to_owned(), "web-canary".to_owned())];
    let (share, errors) =
        (canary.requests as f64 / tally.all.requests as f64, canary.failed as f64 / canary.requests as f64);
    assert!((share - 0.25).abs() < 0.01 && (errors - 0.2).abs() < 0.01, "{share} {errors}");
    assert_eq!(tally.unrouted, 0);
    let mean = number(
        &world.metrics,
        "sum(http_request_duration_seconds_sum) / sum(http_request_duration_seconds_count)",
        300,
    );
    assert!((0.08..0.15).contains(&mean), "{mean}");
}

#[test]
fn where_no_pod_is_ready_the_route_answers_503() {
    let mut world = world(Rate::steady(100.0), 3);
    let good = Version::good();
    world.run(0, 60, &[flow("web", &good, 0.5, 2), flow("web-canary", &good, 0.5, 0)]);
    let canary = world.traffic.tally().by_service[&("shop".to_owned(), "web-canary".to_owned())];
    assert!(canary.requests > 2_000);
    assert_eq!(canary.failed, canary.requests);
    let of = "{service=\"web-canary\"";
    assert_eq!(number(&world.metrics, &format!("http_requests_total{of},status=\"503\"}}"), 60), canary.failed as f64);
    assert_eq!(number(&world.metrics, &format!("http_request_duration_seconds_count{of}}}"), 60), 0.0);
    assert_eq!(world.traffic.tally().all.failed, canary.failed);
}

#[test]
fn a_share_that_nobody_takes_fails() {
    let mut world = world(Rate::steady(1_000.0), 3);
    let good = Version::good();
    world.run(0, 60, &[flow("web", &good, 0.9, 2)]);
    let tally = world.traffic.tally();
    assert_eq!(tally.all.failed, tally.unrouted);
    assert!((tally.unrouted as f64 / 6_000.0 - 1.0).abs() < 0.1, "{}", tally.unrouted);
}

#[test]
fn a_service_that_goes_ends_its_series_and_counts_anew_when_it_comes_back() {
    let mut world = world(Rate::steady(100.0), 4);
    let good = Version::good();
    let (web, canary) = (flow("web", &good, 0.5, 2), flow("web-canary", &good, 0.5, 1));
    world.run(0, 62, &[web, canary]);
    let counted = "http_requests_total{service=\"web-canary\",status=\"200\"}";
    let before = number(&world.metrics, counted, 62);
    world.run(63, 80, &[flow("web", &good, 1.0, 2)]);
    assert!(text(world.metrics.query(counted, time(80))).contains("\"result\":[]"));
    world.run(81, 90, &[web, canary]);
    let after = number(&world.metrics, counted, 90);
    assert!(before > 2_000.0 && after > 100.0 && after < 1_000.0, "{before} {after}");
    assert_eq!(number(&world.metrics, &format!("resets({counted}[5m])"), 90), 1.0);
}

#[test]
fn increase_misses_what_came_before_the_first_scrape() {
    let mut world = world(Rate::steady(100.0), 5);
    let good = Version::good();
    // The users begin right behind a scrape.
    world.run(1, 60, &[flow("web", &good, 1.0, 2)]);
    let first = number(&world.metrics, "http_requests_total{status=\"200\"}", 5);
    assert!(first > 300.0, "{first}");
    let raw = number(&world.metrics, "http_requests_total{status=\"200\"}", 60);
    let seen = number(
        &world.metrics,
        "max_over_time(http_requests_total{status=\"200\"}[1h]) - first_over_time(http_requests_total{status=\"200\"}[1h])",
        60,
    );
    assert_eq!(raw - seen, first);
}

#[rstest]
#[case::idle(100.0, 0.0, 0.0..0.001, 0.19..0.21)]
#[case::near_its_capacity(100.0, 55.0, 0.0..0.02, 0.4..2.0)]
#[case::above_its_capacity(100.0, 40.0, 0.1..0.3, 0.5..5.0)]
fn load_makes_slow_and_then_turns_away(
    #[case] rate: f64,
    #[case] capacity: f64,
    #[case] failed: std::ops::Range<f64>,
    #[case] p95: std::ops::Range<f64>,
) {
    let mut world = world(Rate::steady(rate), 6);
    let version = Version { capacity: (capacity > 0.0).then_some(capacity), ..Version::good() };
    world.run(0, 600, &[flow("web", &version, 1.0, 2)]);
    let all = world.traffic.tally().all;
    let share = all.failed as f64 / all.requests as f64;
    assert!(failed.contains(&share), "{share}");
    let query = "histogram_quantile(0.95, sum by (le) (increase(http_request_duration_seconds_bucket[5m])))";
    let found = number(&world.metrics, query, 600);
    assert!(p95.contains(&found), "{found}");
}

#[test]
fn a_cold_start_passes() {
    let mut world = world(Rate::steady(200.0), 7);
    let warmup = Some(Warmup { lasts: Span::minutes(2), latency: 5.0, errors: 0.2 });
    let version = Version { warmup, ..Version::good() };
    world.run(0, 600, &[flow("web", &version, 1.0, 2)]);
    let failed = |at| number(&world.metrics, "sum(increase(http_requests_total{status=\"500\"}[1m]))", at);
    assert!(failed(60) > 1_000.0, "{}", failed(60));
    assert_eq!(failed(600), 0.0);
}

#[test]
fn a_long_step_is_scraped_as_many_short_ones() {
    let mut world = world(Rate::steady(50.0), 8);
    let good = Version::good();
    let flows = [flow("web", &good, 1.0, 2)];
    world.traffic.step(time(0), &flows, &mut world.metrics);
    world.traffic.step(time(3_600), &flows, &mut world.metrics);
    assert_eq!(number(&world.metrics, "count_over_time(http_requests_total{status=\"200\"}[1h])", 3_600), 720.0);
}

#[rstest]
#[case(14, 1.5)]
#[case(2, 0.5)]
#[case(8, 1.0)]
fn the_day_has_a_peak(#[case] hour: i64, #[case] wanted: f64) {
    let rate = Rate { daily: 0.5, peak_hour: 14.0, ..Rate::steady(100.0) };
    assert!((rate.at(BEGIN + hour * 3_600_000) / 100.0 - wanted).abs() < 1e-6);
}

#[test]
fn noise_spreads_counts() {
    let variance = |noise| {
        let (rate, mut dice) = (Rate { noise, ..Rate::steady(100.0) }, fastrand::Rng::with_seed(9));
        let counts: Vec<_> = (0..5_000).map(|_| rate.requests(0, 1.0, &mut dice) as f64).collect();
        let mean = counts.iter().sum::<f64>() / 5_000.0;
        assert!((mean - 100.0).abs() < 2.0, "{mean}");
        counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 5_000.0
    };
    assert!((variance(1.0) / 100.0 - 1.0).abs() < 0.1);
    assert!((variance(8.0) / 800.0 - 1.0).abs() < 0.15);
}
