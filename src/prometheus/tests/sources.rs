//! The chart's query templates, each over series as its source exposes them.

use rstest::rstest;

use super::{asked, begin};
use crate::analysis::{ArmSample, Evidence};
use crate::api::Span;
use crate::release::Compared;
use crate::sandbox::metrics::tests::script::loaded;

/// The series of one source in the table.
fn series(source: &str) -> &'static str {
    let table = include_str!("sources.txt").split("## ");
    table.filter_map(|part| part.split_once('\n')).find(|(name, _)| *name == source).unwrap().1
}

fn value(evidence: &Evidence<f64>) -> f64 {
    *evidence.value().unwrap_or_else(|| panic!("{evidence:?}"))
}

fn near(got: f64, wanted: f64) {
    assert!((got - wanted).abs() <= wanted * 1e-6, "{got}, not {wanted}");
}

fn figures(arm: &ArmSample, [requests, errors, latency]: [f64; 3]) {
    near(value(&arm.requests), requests);
    near(value(&arm.errors), errors);
    near(value(&arm.latency), latency);
}

#[rstest]
#[tokio::test]
async fn each_source_tells_the_versions_apart(
    #[values("http-server", "istio", "linkerd", "traefik", "contour")] source: &str,
) {
    let tsdb = loaded(begin(), 15, series(source));
    let answers = asked(source, Span::minutes(2), tsdb, None).await;
    figures(&answers.recent.base, [12_000.0, 120.0, 0.4]);
    figures(&answers.recent.candidate, [600.0, 24.0, 0.475]);
    let Some(Compared::Interval { errors, slow: Some(slow) }) = answers.compared else {
        panic!("{:?}", answers.compared)
    };
    for (counts, requests, bad) in [
        (errors.base, 12_000.0, 120.0),
        (errors.candidate, 600.0, 24.0),
        (slow.base, 12_000.0, 1_200.0),
        (slow.candidate, 600.0, 240.0),
    ] {
        let counts = counts.unwrap();
        near(counts.requests(), requests);
        near(counts.bad(), bad);
    }
}

#[rstest]
#[tokio::test]
async fn a_version_that_no_series_tells_of_is_not_taken_for_the_other(
    #[values("http-server", "istio", "linkerd", "traefik", "contour")] source: &str,
) {
    let of_stable: Vec<_> = series(source).lines().filter(|line| !line.contains("-canary")).collect();
    let answers = asked(source, Span::minutes(2), loaded(begin(), 15, &of_stable.join("\n")), None).await;
    figures(&answers.recent.base, [12_000.0, 120.0, 0.4]);
    assert!(matches!(answers.recent.candidate.requests, Evidence::NoData(_)), "{:?}", answers.recent.candidate);
}

#[rstest]
#[tokio::test]
async fn where_nothing_failed_there_are_no_errors_instead_of_no_figure(
    #[values("http-server", "istio", "linkerd", "traefik", "contour")] source: &str,
) {
    let good = ["\"200\"", "envoy_response_code_class=\"2\"", "_bucket", "_count"];
    let good: Vec<_> = series(source).lines().filter(|line| good.iter().any(|sign| line.contains(sign))).collect();
    let good = good.into_iter().filter(|line| !line.contains("grpc")).collect::<Vec<_>>().join("\n");
    let answers = asked(source, Span::minutes(2), loaded(begin(), 15, &good), None).await;
    assert_eq!(answers.recent.candidate.errors, Evidence::Value(0.0));
}
