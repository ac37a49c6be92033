//! Services, routes and PodDisruptionBudgets that mean more, or less, than the release steers.

use serde_json::Value;

use super::facts::{Facts, Way, list, named, text};
use super::{Finding, Reason, Severity};
use crate::release::clones::is_made;
use crate::release::labels::{map_selects, selects};

/// What a rollback by routes means for whoever comes past them.
const LATE: &str = "A version that comes back after its promotion is without traffic from the routes alone: who comes this way still meets it until Git reverts or fixes";

/// Other Services over the same pods: their users never see the canary, or see it before it is judged.
pub(super) fn others(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let others = facts
        .around
        .services
        .iter()
        .filter(|service| text(service, "/metadata/name") != facts.service() && !is_made(service));
    for service in others {
        let selector = service.pointer("/spec/selector");
        let missed = facts.missed(|labels| map_selects(selector, labels));
        let shared = facts.shared(|labels| map_selects(selector, labels));
        if !shared.is_empty() {
            let message = format!(
                "It selects {} as well as the workload's pods: its users reach a new version before it is judged, whatever the weights say. Add the label {} to its selector.",
                named(&shared),
                shared.first().map(|copy| format!("{}={}", copy.relabel.key, copy.relabel.from)).unwrap_or_default()
            );
            found.push(facts.finding(Reason::ServiceReachesCanary, Severity::Warn, ("Service", service), message));
        } else if !missed.is_empty() {
            let message = format!(
                "It selects the workload's pods and not {}: its users stay on the old version until promotion, unwatched by the release. {LATE}. Send them through Service {} and its routes where they should take part.",
                named(&missed),
                facts.service()
            );
            found.push(facts.finding(Reason::ServiceMissesCanary, Severity::Warn, ("Service", service), message));
        }
    }
}

/// A Service that users reach from outside without passing a route, where routes divide the traffic.
pub(super) fn exposed(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(service) = facts.seen.service.as_ref().filter(|_| facts.way == Way::Routes) else { return };
    let kind = text(&service.object, "/spec/type");
    let outside = matches!(kind, "NodePort" | "LoadBalancer") || !list(&service.object, "/spec/externalIPs").is_empty();
    if outside {
        let how = if matches!(kind, "NodePort" | "LoadBalancer") { kind } else { "externalIPs" };
        let message = format!(
            "It is reachable from outside by itself ({how}): who comes that way passes no route and stays on the workload's own pods. {LATE}. Make it type ClusterIP and let all traffic come through the routes."
        );
        found.push(facts.finding(Reason::ServiceExposed, Severity::Warn, ("Service", &service.object), message));
    }
}

/// Routes and Ingresses that lead to the Service and are not listed in the release. Where none is listed at all, the Service
/// itself gives everybody the new version's share.
pub(super) fn ungoverned(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if facts.way != Way::Routes {
        return;
    }
    let listed = &facts.seen.release.spec.traffic.http_routes;
    for route in &facts.around.routes {
        let (kind, name) = (text(route, "/kind"), text(route, "/metadata/name"));
        if kind == "HTTPRoute" && listed.iter().any(|known| known.name == name) {
            continue;
        }
        if !leads_to(route, facts.service()) {
            continue;
        }
        let remedy = match kind {
            "HTTPRoute" => "Add it to spec.traffic.httpRoutes.",
            _ => "Move that traffic to an HTTPRoute and list it in spec.traffic.httpRoutes.",
        };
        let message = format!(
            "It sends traffic to Service {} and is not governed by the release: who comes that way stays on the workload's own pods. {LATE}. {remedy}",
            facts.service()
        );
        found.push(facts.finding(Reason::RouteNotGoverned, Severity::Warn, (kind, route), message));
    }
}

/// Filters of the backendRef itself: a gateway that gives such a backend a cluster of its own takes that away at weight 0 while
/// it may still send requests there (seen with Envoy Gateway: single answers 500).
pub(super) fn backend_filters(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    if facts.way != Way::Routes {
        return;
    }
    let listed = &facts.seen.release.spec.traffic.http_routes;
    for route in facts.around.routes.iter().filter(|route| text(route, "/kind") == "HTTPRoute") {
        let name = text(route, "/metadata/name");
        let filtered = backends(route, facts.service()).any(|backend| !list(backend, "/filters").is_empty());
        if filtered && listed.iter().any(|known| known.name == name) {
            let message = format!(
                "Its backendRef {} has filters of its own, which the canary's gets too: some gateways (Envoy Gateway) answer single requests with 500 in the moment in which the weight of such a backend becomes 0. Put the filters on the rule.",
                facts.service()
            );
            found.push(facts.finding(Reason::BackendFilters, Severity::Warn, ("HTTPRoute", route), message));
        }
    }
}

/// The backendRefs of a route that lead to the Service.
fn backends<'a>(route: &'a Value, service: &'a str) -> impl Iterator<Item = &'a Value> {
    list(route, "/spec/rules")
        .iter()
        .flat_map(|rule| list(rule, "/backendRefs"))
        .filter(move |backend| text(backend, "/name") == service && matches!(text(backend, "/kind"), "" | "Service"))
}

fn leads_to(route: &Value, service: &str) -> bool {
    let by_route = backends(route, service).next().is_some();
    let paths = list(route, "/spec/rules").iter().flat_map(|rule| list(rule, "/http/paths"));
    let by_ingress = paths.map(|path| text(path, "/backend/service/name"));
    by_route || by_ingress.chain([text(route, "/spec/defaultBackend/service/name")]).any(|name| name == service)
}

/// Pods under two PodDisruptionBudgets cannot be evicted at all. Tidegate gives canary and previous version one each; without
/// routes a canary gets none, and the workload's own covers it.
pub(super) fn disruption(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for budget in facts.around.budgets.iter().filter(|budget| !is_made(budget)) {
        let shared = facts.shared(|labels| selects(budget.pointer("/spec/selector"), labels));
        if shared.is_empty() {
            continue;
        }
        let message = format!(
            "It covers {} too, which Tidegate gives a PodDisruptionBudget of their own: pods under two of them cannot be evicted, so node drains stop during a release. Add the label {} to its selector.",
            named(&shared),
            shared.first().map(|copy| format!("{}={}", copy.relabel.key, copy.relabel.from)).unwrap_or_default()
        );
        found.push(facts.finding(Reason::PdbCoversCanary, Severity::Warn, ("PodDisruptionBudget", budget), message));
    }
}
