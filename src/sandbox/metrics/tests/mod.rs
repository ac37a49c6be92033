//! What Prometheus answers, in the format of its own tests (`promql/promqltest`), and what it must never do.

mod chart;
pub(crate) mod script;

use proptest::prelude::*;
use rstest::rstest;

use super::{Lie, Told, Tsdb};
use crate::api::{Span, Time};

pub(super) fn time(millis: i64) -> Time {
    Time(jiff::Timestamp::from_millisecond(millis).unwrap())
}

#[test]
fn figures_are_what_a_hand_works_out() {
    let report = script::run(include_str!("figures.test"));
    assert!(report.failed.is_empty(), "{}", report.failed.join("\n"));
    assert_eq!(report.passed, 13);
}

fn world() -> Tsdb {
    let mut tsdb = Tsdb::new(Span::days(31));
    for step in 0..20 {
        for (service, rise) in [("web", 95.0), ("web-canary", 5.0), ("api", 7.0)] {
            let labels = [("namespace", "shop"), ("service", service), ("status", "200")];
            tsdb.append("http_requests_total", &labels, time(step * 15_000), f64::from(step as i32) * rise);
        }
    }
    tsdb
}

fn text(tsdb: &Tsdb, query: &str) -> (u16, String) {
    let reply = tsdb.query(query, time(285_000));
    (reply.code, String::from_utf8(reply.body).unwrap())
}

#[rstest]
#[case::vector(
    "sum by (service) (increase(http_requests_total{service=~\"web|web-canary\"}[2m]))", 200,
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"service":"web"},"value":[285,"760"]},{"metric":{"service":"web-canary"},"value":[285,"40"]}]}}"#)]
#[case::scalar("1 - 0.25", 200, r#"{"status":"success","data":{"resultType":"scalar","result":[285,"0.75"]}}"#)]
#[case::nothing("nothing", 200, r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#)]
#[case::warned("quantile(2, http_requests_total)", 200,
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[285,"+Inf"]}]},"warnings":["PromQL warning: quantile value should be between 0 and 1, got 2"]}"#)]
#[case::matrix("http_requests_total{service=\"api\"}[30s]", 200,
    r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"http_requests_total","namespace":"shop","service":"api","status":"200"},"values":[[270,"126"],[285,"133"]]}]}}"#)]
#[case::empty("", 400,
    r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": parse error: no expression found in input"}"#)]
#[case::experimental("mad_over_time(a[5m])", 400,
    r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": parse error: function \"mad_over_time\" is not enabled"}"#)]
#[case::not_here(
    "hour()",
    422,
    r#"{"status":"error","errorType":"execution","error":"function \"hour\" is not evaluated by this Prometheus"}"#
)]
#[case::many_to_many("http_requests_total * on(namespace) http_requests_total", 422,
    r#"{"status":"error","errorType":"execution","error":"found duplicate series for the match group {namespace=\"shop\"} on the right hand-side of the operation: [{__name__=\"http_requests_total\", namespace=\"shop\", service=\"api\", status=\"200\"}, {__name__=\"http_requests_total\", namespace=\"shop\", service=\"web\", status=\"200\"}];many-to-many matching not allowed: matching labels must be unique on one side"}"#)]
fn replies_are_worded_as_prometheus_does(#[case] query: &str, #[case] code: u16, #[case] body: &str) {
    assert_eq!(text(&world(), query), (code, body.to_owned()));
}

#[rstest]
#[case::unknown("nonsense(a)")]
#[case::open("sum(")]
#[case::range_of_infinity("a[Inf]")]
#[case::range_of_nan("a[NaN]")]
#[case::huge_range("a[1e30]")]
#[case::dropped_unit("a[1h99999999999m]")]
#[case::huge_offset("a offset 1e300")]
#[case::hidden_offset("a offset # why\n inf")]
#[case::odd_escape("a{b=\"\\é\"}")]
#[case::fill("a + fill(0) b")]
#[case::limitk("limitk(1, a)")]
#[case::no_name("{a=~\".*\"}")]
fn what_prometheus_cannot_read_is_bad_data(#[case] query: &str) {
    let (code, body) = text(&world(), query);
    assert_eq!(code, 400, "{body}");
    assert!(body.contains("bad_data"), "{body}");
}

#[test]
fn deep_and_endless_queries_are_refused() {
    let deep = format!("{}1{}", "(".repeat(1_500), ")".repeat(1_500));
    assert_eq!(text(&world(), &deep).0, 400);
    assert_eq!(text(&world(), &"-".repeat(4_000)).0, 400);
    assert_eq!(text(&world(), &"a or ".repeat(2_000)).0, 400);
    let (code, body) = text(&world(), "max_over_time(max_over_time(a[1d:1ms])[100y:1ms])");
    assert_eq!(code, 422);
    assert!(body.contains("too many samples"), "{body}");
}

#[rstest]
#[case(Lie::Empty, "\"result\":[]")]
#[case(Lie::NaN, "[285,\"NaN\"]")]
#[case(Lie::Partial, "\"warnings\":[")]
#[case(Lie::Stale(Span::minutes(1)), "[225,")]
#[case(Lie::Garbage, "<html>")]
#[case(Lie::Status(503), "not available")]
fn a_lie_is_told_as_an_answer(#[case] lie: Lie, #[case] says: &str) {
    let Told::Reply(reply) = world().told(Some(lie), "sum by (service) (http_requests_total)", time(285_000)) else {
        panic!("{lie:?} is an answer")
    };
    let body = String::from_utf8(reply.body).unwrap();
    assert!(body.contains(says), "{body}");
}

#[test]
fn half_a_store_misses_series_and_says_so() {
    let tsdb = world();
    let count = |lie| match tsdb.told(lie, "count(http_requests_total)", time(285_000)) {
        Told::Reply(reply) => String::from_utf8(reply.body).unwrap(),
        other @ (Told::Late(_) | Told::Refused) => panic!("{other:?}"),
    };
    assert!(count(None).contains("\"3\"") && !count(None).contains("warnings"));
    assert!(count(Some(Lie::Partial)).contains("\"2\""));
    assert_eq!(tsdb.told(Some(Lie::Down), "up", time(0)), Told::Refused);
    assert!(matches!(tsdb.told(Some(Lie::Slow), "up", time(0)), Told::Late(_)));
}

#[test]
fn samples_out_of_order_are_dropped_and_old_ones_forgotten() {
    let mut tsdb = Tsdb::new(Span::minutes(10));
    assert!(tsdb.append("a", &[], time(1_000), 1.0));
    assert!(!tsdb.append("a", &[], time(1_000), 2.0));
    assert!(!tsdb.append("a", &[], time(500), 2.0));
    for second in 2..10_000 {
        assert!(tsdb.append("a", &[], time(second * 1_000), 1.0));
    }
    let reply = tsdb.query("count_over_time(a[1y])", time(10_000_000));
    let body = String::from_utf8(reply.body).unwrap();
    let count: f64 = body.rsplit('"').nth(1).unwrap().parse().unwrap();
    assert!((600.0..2_000.0).contains(&count), "{count}");
}

/// Pieces of which queries are made, so that many can be read.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("http_requests_total".to_owned()),
        prop::sample::select(vec![
            "sum",
            "rate",
            "increase",
            "by (service)",
            "(",
            ")",
            "[5m]",
            "[1m:30s]",
            "{service=~\"web|api\"}",
            "offset 1m",
            "offset",
            "@ 100",
            "@ end()",
            "+",
            "-",
            "/",
            "*",
            "or",
            "and",
            "unless",
            "on(service)",
            "group_left",
            ">",
            "bool",
            "1",
            "0.5",
            "Inf",
            "NaN",
            ",",
            "histogram_quantile",
            "topk",
            "absent",
            "label_replace",
            "\"$1\"",
            "#",
            "'",
            "\\",
            "[",
            "]",
            "{",
            "}",
            "1e9",
            "5m",
            "quantile_over_time",
            "count_values",
            "vector",
            "scalar",
            "time()",
            "\n",
            "ä",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_gets_a_reply(pieces in prop::collection::vec(piece(), 0..14), space in any::<bool>()) {
        let query = pieces.join(if space { " " } else { "" });
        let reply = world().query(&query, time(285_000));
        prop_assert!([200, 400, 422].contains(&reply.code));
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&reply.body).is_ok());
    }
}
