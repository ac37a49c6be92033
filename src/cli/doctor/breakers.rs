//! Circuit breakers: whether each can be asked, and stops anybody.

use std::collections::BTreeMap;

use serde_json::Value;

use super::installed::configuration;
use super::{Level, Line, line, unseen};
use crate::cluster::doctor::Installation;
use crate::prometheus::circuit::{asked, names};
use crate::prometheus::config::CircuitBreaker;

const WHAT: &str = "Circuit breaker";

pub(super) fn judge(seen: &Installation) -> Vec<Line> {
    let Some(Ok(config)) = configuration(seen) else { return Vec::new() };
    config.circuit_breakers.iter().flat_map(|(name, breaker)| of(seen, name, breaker)).collect()
}

fn of(seen: &Installation, name: &str, breaker: &CircuitBreaker) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Err(why) = readable(&asked(breaker, "namespace", "budget", "service")) {
        let says = format!(
            "circuitBreakers.{name}.query is no PromQL: {why}. Nothing answers it, so that it never opens. Mend it in the chart's values"
        );
        lines.push(line(Level::Fail, WHAT, says));
    }
    if unseen(WHAT, &seen.releases).is_some() {
        return lines;
    }
    let named: Vec<String> = seen.releases.all().iter().filter_map(|release| id_if_named(breaker, release)).collect();
    // What was not looked at may have one.
    let all = seen.namespace.is_empty() || breaker.namespaces == [seen.namespace.as_str()];
    match (named.as_slice(), all) {
        ([], true) => lines.push(line(Level::Warn, WHAT, format!("{name} names no GatedRelease: {}", remedy(breaker)))),
        ([], false) => {}
        (named, _) => lines.push(line(Level::Ok, WHAT, format!("{name} names {}", some(named)))),
    }
    lines
}

fn id_if_named(breaker: &CircuitBreaker, release: &Value) -> Option<String> {
    let text = |place: &str| release.pointer(place).and_then(Value::as_str).unwrap_or_default();
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    let labels = release.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
    let labels: BTreeMap<String, String> =
        labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
    names(breaker, namespace, &labels).then(|| format!("{namespace}/{name}"))
}

/// As many as a line bears.
fn some(named: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = named.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match named.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn remedy(breaker: &CircuitBreaker) -> String {
    let labels: Vec<_> = breaker.selector.match_labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let namespaces = match breaker.namespaces.as_slice() {
        [] => "any namespace".to_owned(),
        some => some.join(", "),
    };
    match labels.as_slice() {
        [] => format!(
            "there is none in {namespaces}, so that it stops nothing. Correct its namespaces in the chart's values"
        ),
        labels => format!(
            "none in {namespaces} has the labels {}, so that it stops nothing. Label one: kubectl label gatedrelease NAME -n NAMESPACE {}",
            labels.join(", "),
            labels.join(" ")
        ),
    }
}

/// Whether a query can be read; a build without the sandbox has no reader, and leaves that to Prometheus.
#[cfg(feature = "sandbox")]
fn readable(query: &str) -> Result<(), String> {
    crate::sandbox::metrics::readable(query)
}

#[cfg(not(feature = "sandbox"))]
fn readable(_: &str) -> Result<(), String> {
    Ok(())
}
