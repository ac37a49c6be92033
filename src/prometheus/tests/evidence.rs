//! What becomes of an answer that is none, or not the whole one, from what Prometheus holds to the figures of a release.

use rstest::rstest;

use super::{answered, asked, asked_for, begin, question, seen};
use crate::analysis::business::Happened;
use crate::analysis::{Evidence, NotYet, Observation};
use crate::api::Span;
use crate::release::ask::Slower;
use crate::release::{Compare, Compared};
use crate::sandbox::metrics::Lie;
use crate::sandbox::metrics::tests::script::loaded;

/// Both versions: 100 requests a second, and 5.
const BOTH: &str = r#"
http_requests_total{namespace="shop",service="checkout",status="200"} 0+1500x40
http_requests_total{namespace="shop",service="checkout-canary",status="200"} 0+75x40
http_request_duration_seconds_bucket{namespace="shop",service="checkout",le="0.3"} 0+1500x40
http_request_duration_seconds_bucket{namespace="shop",service="checkout",le="+Inf"} 0+1500x40
http_request_duration_seconds_count{namespace="shop",service="checkout"} 0+1500x40
http_request_duration_seconds_bucket{namespace="shop",service="checkout-canary",le="0.3"} 0+75x40
http_request_duration_seconds_bucket{namespace="shop",service="checkout-canary",le="+Inf"} 0+75x40
http_request_duration_seconds_count{namespace="shop",service="checkout-canary"} 0+75x40
"#;

const WINDOW: Span = Span::minutes(2);

/// The canary's requests in the window, where these are the canary's samples, one each 15 seconds.
async fn requests(samples: &str, window: Span) -> Evidence<f64> {
    let text =
        format!("http_requests_total{{namespace=\"shop\",service=\"checkout-canary\",status=\"200\"}} {samples}");
    asked("http-server", window, loaded(begin(), 15, &text), None).await.recent.candidate.requests
}

fn all(seen: &Observation) -> [&Evidence<f64>; 6] {
    let (candidate, base) = (&seen.candidate, &seen.base);
    [&candidate.requests, &candidate.errors, &candidate.latency, &base.requests, &base.errors, &base.latency]
}

#[rstest]
#[case::empty(Lie::Empty, "no samples for service=\"checkout-canary\"")]
#[case::nan(Lie::NaN, "NaN for service=\"checkout-canary\"")]
#[case::partial(Lie::Partial, "")]
#[case::stale(Lie::Stale(Span::minutes(5)), "stale: the answer is of another moment")]
#[case::garbage(Lie::Garbage, "the answer was not understood")]
#[case::too_many_requests(Lie::Status(429), "metrics source \"default\": HTTP 429")]
#[case::server_error(Lie::Status(500), "metrics source \"default\": HTTP 500")]
#[case::time_out(Lie::Slow, "metrics source \"default\": no answer within 5s")]
#[case::down(Lie::Down, "metrics source \"default\": connection refused")]
#[tokio::test(start_paused = true)]
async fn no_figure_comes_from_a_prometheus_that_misleads(#[case] lie: Lie, #[case] says: &str) {
    let answers = asked("http-server", WINDOW, loaded(begin(), 15, BOTH), Some(lie)).await;
    assert!(all(&answers.recent).iter().all(|evidence| evidence.value().is_none()), "{:?}", answers.recent);
    let requests = &answers.recent.candidate.requests;
    assert!(requests.why().unwrap().contains(says), "{requests:?}");
    let Some(Compared::Interval { errors, slow }) = answers.compared else { panic!() };
    let [slow] = <[_; 1]>::try_from(slow).unwrap();
    for counts in [errors.candidate, errors.base, slow.candidate, slow.base] {
        assert!(counts.is_err(), "{counts:?}");
    }
}

#[tokio::test]
async fn the_same_prometheus_gives_figures_where_nothing_is_wrong() {
    let answers = asked("http-server", WINDOW, loaded(begin(), 15, BOTH), None).await;
    assert!(all(&answers.recent).iter().all(|evidence| evidence.value().is_some()), "{:?}", answers.recent);
}

/// The answer counts failed requests, and says which bucket is missing of both versions or of one.
#[rstest]
#[case::of_both(BOTH.replace("le=\"0.3\"", "le=\"0.25\""), [true, true])]
#[case::of_the_new_version(BOTH.replace("-canary\",le=\"0.3\"", "-canary\",le=\"0.25\""), [true, false])]
#[tokio::test]
async fn a_bucket_that_is_missing_is_named(#[case] series: String, #[case] missing: [bool; 2]) {
    let answers = asked("http-server", WINDOW, loaded(begin(), 15, &series), None).await;
    let Some(Compared::Interval { errors, slow }) = answers.compared else { panic!() };
    let [slow] = <[_; 1]>::try_from(slow).unwrap();
    assert!(errors.candidate.is_ok() && errors.base.is_ok(), "{errors:?}");
    for (counts, missing) in [slow.candidate, slow.base].into_iter().zip(missing) {
        match counts {
            Err(NotYet::NoData(why)) if missing => assert!(why.contains("wants a bucket `le=\"0.3\"`"), "{why}"),
            counts => assert!(counts.is_ok() && !missing, "{counts:?}"),
        }
    }
}

/// Of two bounds the one that there is is counted, and the other named.
#[tokio::test]
async fn a_bucket_that_is_missing_takes_no_other_along() {
    let mut question = question(WINDOW, begin().plus(Span::minutes(10)));
    let Some(Compare::Interval { slow, .. }) = &mut question.compare else { panic!() };
    slow[1] = Some(Slower { than: Span::seconds(1), length: WINDOW });
    let answers = answered(&seen("http-server"), question, loaded(begin(), 15, BOTH), None).await;
    let Some(Compared::Interval { slow, .. }) = answers.compared else { panic!() };
    let [there, missing] = <[_; 2]>::try_from(slow).unwrap();
    assert!(there.candidate.is_ok() && there.base.is_ok(), "{there:?}");
    for counts in [missing.candidate, missing.base] {
        let Err(NotYet::NoData(why)) = counts else { panic!("{counts:?}") };
        assert!(why.contains("`slowerThan: 1s` wants a bucket `le=\"1\"`"), "{why}");
    }
}

/// What is answered with 200 is an order: the interval has both versions' requests and orders, and none of it where Prometheus misleads.
#[rstest]
#[case::well(None)]
#[case::empty(Some(Lie::Empty))]
#[case::nan(Some(Lie::NaN))]
#[case::partial(Some(Lie::Partial))]
#[case::stale(Some(Lie::Stale(Span::minutes(5))))]
#[case::down(Some(Lie::Down))]
#[tokio::test(start_paused = true)]
async fn the_business_metric_of_an_interval(#[case] lie: Option<Lie>) {
    let query = "sum by (service) (increase(http_requests_total{namespace=\"$namespace\",service=~\"$services\",status=\"200\"}[$window]))";
    let mut seen = seen("http-server");
    let metric = serde_json::json!({"name": "orders", "query": query});
    seen.release.spec.rollback.business = serde_json::from_value(metric).unwrap();
    let well = lie.is_none();
    let happened = asked_for(&seen, WINDOW, loaded(begin(), 15, BOTH), lie).await.happened.unwrap();
    let of = |count| Happened::measured(&Evidence::Value(count), &Evidence::Value(count), "a version").unwrap();
    for (arm, count) in [(happened.candidate, 600.0), (happened.base, 12_000.0)] {
        assert_eq!(arm.as_ref().ok(), well.then(|| of(count)).as_ref(), "{arm:?}");
    }
}

#[rstest]
#[case::steady("0+75x40", 600.0)]
// The pod restarts after 9 min 15 s, having served a hundred more than the scrape before saw: those are lost, nothing is negative.
#[case::counter_reset("0+75x37 20 95 170", 500.0)]
#[case::scrape_gap("0+75x33 _x4 2850+75x2", 600.0)]
// The first scrapes of a new pod: nothing is made up for the time before.
#[case::young("_x39 0 75", 75.0)]
#[tokio::test]
async fn what_prometheus_missed_bends_a_count_and_breaks_none(#[case] samples: &str, #[case] about: f64) {
    let evidence = requests(samples, WINDOW).await;
    let got = *evidence.value().unwrap_or_else(|| panic!("{evidence:?}"));
    assert!((got - about).abs() <= about * 0.2, "{got}, not about {about}");
}

#[rstest]
#[case::never_scraped("_x40")]
#[case::scraped_once("_x39 0")]
#[case::gone_for_the_whole_window("0+75x30")]
#[case::stale_marker("0+75x31 stale")]
#[tokio::test]
async fn a_window_without_two_scrapes_has_no_figure(#[case] samples: &str) {
    let evidence = requests(samples, WINDOW).await;
    assert!(matches!(evidence, Evidence::NoData(_)), "{evidence:?}");
}

/// A former attempt's canary had the same name, and many requests; the present one is 30 s old.
#[tokio::test]
async fn what_is_older_than_the_rollout_does_not_count() {
    let evidence = requests("0+75000x36 _ 0 75 150", Span::seconds(45)).await;
    let got = *evidence.value().unwrap_or_else(|| panic!("{evidence:?}"));
    assert!((149.0..=300.0).contains(&got), "{got}");
}

/// Two replicas of Prometheus without deduplication, or a query that keeps a label too many.
#[tokio::test]
async fn several_series_for_one_version_are_no_figure() {
    let reply = super::super::reply::parse(
        200,
        br#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"service":"checkout","replica":"a"},"value":[1,"3"]},
            {"metric":{"service":"checkout","replica":"b"},"value":[1,"3"]}]}}"#,
    );
    let evidence = reply.of_arm("service", "checkout", super::super::reply::Nan::Invalid);
    assert_eq!(
        evidence,
        Evidence::Invalid("several series answer for service=\"checkout\", where one number is needed".into())
    );
}
