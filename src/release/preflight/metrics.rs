//! Monitors that would not scrape the canary: without figures of its own it is never judged good.

use serde_json::Value;

use super::elsewhere::Elsewhere;
use super::facts::{Facts, Way, list, named, text};
use super::{Finding, Reason, Severity};
use crate::release::labels::{labels, selects};
use crate::release::tracking::service_labels;

/// The monitors that look into the release's namespace, wherever they stand: into their own where they say nothing.
fn looking<'a>(facts: &Facts<'a>, here: &'a [Value], elsewhere: fn(&Elsewhere) -> &Vec<Value>) -> Vec<&'a Value> {
    let looks_here = |monitor: &&Value| {
        let any = monitor.pointer("/spec/namespaceSelector/any").and_then(Value::as_bool).unwrap_or(false);
        let names = list(monitor, "/spec/namespaceSelector/matchNames");
        let own = names.is_empty() && facts.is_home(monitor);
        any || own || names.iter().any(|name| name == facts.namespace())
    };
    here.iter().chain(facts.elsewhere(elsewhere)).filter(looks_here).collect()
}

/// By labels of the Service; a copy does not keep those by which a tool would take it for its own.
pub(super) fn service_monitors(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(service) = facts.seen.service.as_ref().filter(|_| facts.way == Way::Routes) else { return };
    let (own, copied) = (labels(&service.object, "/metadata/labels"), service_labels(&service.object));
    for monitor in looking(facts, &facts.around.service_monitors, |elsewhere| &elsewhere.service_monitors) {
        let selector = monitor.pointer("/spec/selector");
        if !selects(selector, &own) || selects(selector, &copied) {
            continue;
        }
        let lost: Vec<_> = own.keys().filter(|key| !copied.contains_key(*key)).map(String::as_str).collect();
        let message = format!(
            "It selects Service {} by a label that the Services of canary and previous version do not keep ({}), so nothing would be measured of them and the release would wait for evidence. Select by another label of the Service; app.kubernetes.io/instance is kept where Argo CD tracks by annotation (tracking-id), or Helm or Flux alone have the Service.",
            text(&service.object, "/metadata/name"),
            lost.join(", ")
        );
        found.push(facts.finding(
            Reason::ServiceMonitorMissesCanary,
            Severity::Warn,
            ("ServiceMonitor", monitor),
            message,
        ));
    }
}

/// By labels of the pods.
pub(super) fn pod_monitors(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for monitor in looking(facts, &facts.around.pod_monitors, |elsewhere| &elsewhere.pod_monitors) {
        let missed = facts.missed(|labels| selects(monitor.pointer("/spec/selector"), labels));
        if missed.is_empty() {
            continue;
        }
        let message = format!(
            "It selects the workload's pods and not {}, so nothing would be measured of them and the release would wait for evidence. Let it select them too.",
            named(&missed)
        );
        found.push(facts.finding(Reason::PodMonitorMissesCanary, Severity::Warn, ("PodMonitor", monitor), message));
    }
}
