//! The administrator's circuit breakers, asked for a release that they name.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;

use super::Sources;
use super::config::CircuitBreaker;
use super::present::Present;
use super::reply::Nan;
use super::slots::Asker;
use super::template::{Variables, filled};
use crate::api::Time;
use crate::release::snapshot::{CircuitSeen, Release};

/// How long one answer serves every release that asks the same: a breaker that opens stops what goes on within moments.
const FRESH: Duration = Duration::from_secs(5);

/// What every circuit breaker that names the release says now; none where none does. `now` is the moment of asking.
pub(super) async fn circuits(sources: &Sources, release: &Release, now: Time) -> Vec<CircuitSeen> {
    let present = Present::new(sources, Asker::Administrator, now);
    let all = sources.config().circuit_breakers.iter();
    let named = all.filter(|(_, breaker)| names(breaker, &release.namespace, &release.labels));
    join_all(named.map(|(name, breaker)| async move {
        let spec = &release.spec;
        let query = asked(breaker, &release.namespace, &spec.risk_budget_ref.name, &spec.traffic.service);
        let evidence = present.ask_within(&breaker.source, query, FRESH).await.single(Nan::Invalid);
        CircuitSeen {
            name: name.clone(),
            above: breaker.above,
            halts_fixes: breaker.halts_fixes,
            note: breaker.note.clone().unwrap_or_default(),
            reading: evidence.value().copied().ok_or_else(|| evidence.why().unwrap_or("no answer").to_owned()),
        }
    }))
    .await
}

/// What a breaker asks for a release of this namespace, RiskBudget and Service.
pub fn asked(breaker: &CircuitBreaker, namespace: &str, budget: &str, service: &str) -> String {
    filled(&breaker.query, &Variables { namespace, budget, service, ..Variables::default() })
}

/// Whether a breaker names a release: by its namespace, where it lists some, and by all of its labels.
pub fn names(breaker: &CircuitBreaker, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
    let here = breaker.namespaces.is_empty() || breaker.namespaces.iter().any(|one| one == namespace);
    here && breaker.selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;
    use crate::cluster::observe::of_manifest;
    use rstest::rstest;

    #[rstest]
    #[case::everything("selector: {}", true)]
    #[case::by_its_label("selector: {matchLabels: {tier: critical}}", true)]
    #[case::by_another_value("selector: {matchLabels: {tier: low}}", false)]
    #[case::by_all_of_them("selector: {matchLabels: {tier: critical, team: pay}}", false)]
    #[case::in_its_namespace("namespaces: [other, shop]", true)]
    #[case::in_another("namespaces: [other]", false)]
    #[case::not_by_namespace_alone("namespaces: [shop], selector: {matchLabels: {tier: low}}", false)]
    fn a_breaker_names_releases_by_namespace_and_labels(#[case] which: &str, #[case] expected: bool) {
        let text = format!(
            "metricsSources: {{a: {{url: 'http://p:9090'}}}}\nqueryTemplates: {{}}\ncircuitBreakers: {{x: {{source: a, query: up, above: 1, {which}}}}}"
        );
        let config = Config::parse(&text).unwrap();
        let release = of_manifest(
            "shop",
            serde_json::json!({"metadata": {"name": "checkout", "labels": {"tier": "critical"}}, "spec": {
                "workloadRef": {"name": "checkout"}, "riskBudgetRef": {"name": "checkout"},
                "traffic": {"service": "checkout"}, "rollback": {"errorRatePercent": 1, "latencyFactor": 2},
            }}),
        );
        let release = release.unwrap().release;
        assert_eq!(names(&config.circuit_breakers["x"], &release.namespace, &release.labels), expected);
    }
}
