//! What Tidegate's chart asks, of users whose figures are known.

use serde_json::Value;

use super::super::{History, Recorder, Tsdb, bad_ratio};
use super::time;
use crate::api::{Percent, Span, Time};
use crate::sandbox::traffic::{Flow, Latency, Rate, Traffic, Version};

/// 2026-01-01, on a multiple of five minutes.
const BEGIN: i64 = 1_767_225_600_000;

fn template(name: &str) -> String {
    let values: Value = serde_saphyr::from_str(include_str!("../../../../charts/tidegate/values.yaml")).unwrap();
    let query = values["queryTemplates"]["http-server"][name].as_str().unwrap().to_owned();
    let filled = query.replace("$namespace", "shop").replace("$services", "web|web-canary");
    filled.replace("$window", "300s").replace("$quantile", "0.95").replace("$le", "0[.]3")
}

/// The number of each arm.
fn arms(tsdb: &Tsdb, query: &str, at: Time) -> Vec<(String, f64)> {
    let reply: Value = serde_json::from_slice(&tsdb.query(query, at).body).unwrap();
    let arm = |sample: &Value| {
        let value = sample["value"][1].as_str().unwrap().parse().unwrap();
        (sample["metric"]["service"].as_str().unwrap_or_default().to_owned(), value)
    };
    reply["data"]["result"].as_array().unwrap().iter().map(arm).collect()
}

fn only(tsdb: &Tsdb, query: &str, at: Time) -> f64 {
    arms(tsdb, query, at)[0].1
}

fn near(got: f64, wanted: f64, share: f64) {
    assert!((got - wanted).abs() <= wanted.abs() * share, "{got}, not {wanted}");
}

fn canary(errors: f64) -> Version {
    Version { errors, latency: Latency::LogNormal { median: 0.1, p95: 0.25 }, ..Version::good() }
}

#[test]
fn the_templates_give_what_was_put_in() {
    let (mut tsdb, mut traffic) = (Tsdb::new(Span::days(1)), Traffic::new(Rate::steady(500.0), Span::seconds(5), 1));
    let (good, bad) = (canary(0.0), canary(0.03));
    let flow = |service, version, share| Flow { namespace: "shop", service, pod: None, version, share, ready_pods: 3 };
    for step in 0..=400 {
        traffic.step(
            time(BEGIN + step * 1_000),
            &[flow("web", &good, 0.95), flow("web-canary", &bad, 0.05)],
            &mut tsdb,
        );
    }
    let now = time(BEGIN + 400_000);
    let requests = arms(&tsdb, &template("requests"), now);
    let [(web, all), (web_canary, few)] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((web.as_str(), web_canary.as_str()), ("web", "web-canary"));
    near(*all, 142_500.0, 0.02);
    near(*few, 7_500.0, 0.06);
    let slower = arms(&tsdb, &template("slower"), now);
    let [(_, slow), (_, slow_canary)] = slower.as_slice() else { panic!("{slower:?}") };
    // A log-normal with this median and p95 is above 0.3 s in 2.4 % of its draws.
    near(*slow, all * 0.0243, 0.1);
    near(*slow_canary, few * 0.0243, 0.4);
    let errors = arms(&tsdb, &template("errors"), now);
    assert_eq!(errors[0], ("web".to_owned(), 0.0));
    near(errors[1].1 / few, 0.03, 0.25);
    for (_, p95) in arms(&tsdb, &template("latency"), now) {
        // Prometheus interpolates within the bucket from 0.2 to 0.3.
        near(p95, 0.25, 0.1);
    }
}

/// The queries of `prometheus::budget`, which Tidegate sends for an availability and a latency objective.
fn budget(tsdb: &Tsdb, now: Time) -> (f64, f64, f64, f64) {
    let of = "namespace=\"shop\",service=~\"web|web-canary|web-previous\"";
    let sum =
        |metric: &str, more: &str| only(tsdb, &format!("sum(sum_over_time({metric}{{{of}{more}}}[2592000s]))"), now);
    let all = sum("tidegate:http_requests:count", "");
    let bad = sum("tidegate:http_requests_bad:count", "");
    let fast = sum("tidegate:http_request_duration_bucket:count", ",le=~\"0\\\\.3\"");
    let steps = only(tsdb, &format!("max(count_over_time(tidegate:http_requests:count{{{of}}}[2592000s]))"), now);
    (all, bad, fast, steps)
}

#[test]
fn a_seeded_past_leaves_the_chosen_budget() {
    let (mut tsdb, now) = (Tsdb::new(Span::days(31)), time(BEGIN + 60_000));
    let objective = Percent::new(99.9).unwrap();
    for left in [72.0, 5.0, -10.0] {
        let durations = Latency::LogNormal { median: 0.1, p95: 0.3 }.shares();
        let bad = bad_ratio(objective, left);
        let history = History {
            namespace: "shop",
            service: "web",
            until: now,
            window: Span::days(30),
            rate: 100.0,
            bad,
            durations,
        };
        tsdb.seed_history(&history);
        let (all, bad, fast, steps) = budget(&tsdb, now);
        assert_eq!(steps, 8_640.0);
        near(all, 259_200_000.0, 1e-9);
        near(1.0 - bad / all / 0.001, left / 100.0, 1e-9);
        near(fast / all, 0.95, 1e-6);
    }
}

#[test]
fn the_rules_of_the_chart_count_every_request_once() {
    let mut tsdb = Tsdb::new(Span::days(31));
    let mut recorder = Recorder::of_the_chart().unwrap();
    assert_eq!(recorder.rules().len(), 4);
    let mut traffic = Traffic::new(Rate::steady(200.0), Span::seconds(15), 3);
    let version = canary(0.02);
    let flows = [Flow { namespace: "shop", service: "web", pod: None, version: &version, share: 1.0, ready_pods: 2 }];
    for step in 0..=120 {
        let now = time(BEGIN + step * 30_000);
        traffic.step(now, &flows, &mut tsdb);
        recorder.step(&mut tsdb, now);
    }
    let (all, bad, fast, steps) = budget(&tsdb, time(BEGIN + 3_600_000));
    let tally = traffic.tally().all;
    // The first step sees a part only: the first scrape comes after the first requests.
    near(all, tally.requests as f64, 0.01);
    near(bad, tally.failed as f64, 0.03);
    near(fast / all, 0.97, 0.02);
    assert_eq!(steps, 12.0);
}
