//! The chart's query templates, each over series as its source exposes them.

use rstest::rstest;

use super::{asked, asked_for, begin};
use crate::analysis::{ArmSample, Evidence};
use crate::api::Span;
use crate::release::ask::pods;
use crate::release::split::Carrier;
use crate::release::world::{GOOD, World};
use crate::release::{Compared, Snapshot};
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
    // Of 600 requests a much lower one than the p95, of stable's 12,000 the p95.5.
    let least = value(answers.recent.latency_at_least.as_ref().unwrap());
    assert!((0.4..0.475).contains(&least), "{least}");
    let most = value(answers.recent.base_at_most.as_ref().unwrap());
    assert!((0.405..0.42).contains(&most), "{most}");
    let Some(Compared::Interval { errors, slow }) = answers.compared else { panic!("{:?}", answers.compared) };
    let [slow] = <[_; 1]>::try_from(slow).unwrap();
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

/// Of a StatefulSet behind one Service, whose last pod runs a new version, and the names of a pod of each.
fn by_count(templates: &str) -> (Snapshot, [String; 2]) {
    let mut world = World::by_count("StatefulSet");
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.status().stages.first().is_some_and(|stage| stage.started_at.is_some()));
    let mut seen = world.seen;
    seen.release.spec.analysis.metrics = templates.to_owned();
    seen.risk = None;
    let name = |carrier| match pods(&seen, carrier).remove(0) {
        crate::release::ask::PodNames::Pod(name) => name,
        crate::release::ask::PodNames::OfReplicaSet(name) => panic!("{name}"),
    };
    let names = [name(Carrier::Workload), name(Carrier::Canary)];
    (seen, names)
}

#[rstest]
// Each source's series, as it has them where one Service leads to both versions: told apart by the label `pod` alone.
#[case::http_server("http-server", "http-server-pods", &[("service=\"checkout\"", "service=\"checkout\",pod=\"STABLE\""), ("service=\"checkout-canary\"", "service=\"checkout\",pod=\"CANARY\"")])]
#[case::istio("istio", "istio-pods", &[("reporter=\"destination\"", "reporter=\"waypoint\""), ("reporter=\"source\"", "reporter=\"destination\""), ("destination_service_name=\"checkout\"", "destination_service_name=\"checkout\",pod=\"STABLE\""), ("destination_service_name=\"checkout-canary\"", "destination_service_name=\"checkout\",pod=\"CANARY\"")])]
#[case::linkerd("linkerd", "linkerd-pods", &[("deployment=\"checkout-api\"", "statefulset=\"checkout\",pod=\"STABLE\""), ("deployment=\"checkout-api-canary\"", "statefulset=\"checkout\",pod=\"CANARY\"")])]
#[tokio::test]
async fn pods_of_one_service_are_told_apart(
    #[case] source: &str,
    #[case] templates: &str,
    #[case] labels: &[(&str, &str)],
) {
    let (seen, [stable, canary]) = by_count(templates);
    let text =
        labels.iter().fold(series(source).to_owned(), |text, (of_service, of_pod)| text.replace(of_service, of_pod));
    let text = text.replace("STABLE", &stable).replace("CANARY", &canary);
    let answers = asked_for(&seen, Span::minutes(2), loaded(begin(), 15, &text), None).await;
    figures(&answers.recent.base, [12_000.0, 120.0, 0.4]);
    figures(&answers.recent.candidate, [600.0, 24.0, 0.475]);
    let Some(Compared::Interval { slow, .. }) = answers.compared else { panic!("{:?}", answers.compared) };
    let [slow] = <[_; 1]>::try_from(slow).unwrap();
    for (counts, bad) in [(slow.base, 1_200.0), (slow.candidate, 240.0)] {
        near(counts.unwrap().bad(), bad);
    }
}
