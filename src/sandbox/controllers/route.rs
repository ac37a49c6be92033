//! HTTPRoutes: what a router says of them, a little after they change.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Pods, controller, name, namespace, number, set_status};
use crate::api::Time;
use crate::cluster::kind::{HTTP_ROUTE, SERVICE};
use crate::sandbox::objects::Objects;

/// Since when the router has known of a generation that it has not taken up.
#[derive(Debug, Default)]
pub(super) struct Routes(BTreeMap<(String, String), (i64, Time)>);

impl Routes {
    pub(super) fn sync_all(&mut self, objects: &mut dyn Objects, world: &dyn Pods, now: Time) -> Option<Time> {
        let by = controller("sandbox-router");
        let mut next: Option<Time> = None;
        let routes: Vec<Value> = objects.list(&HTTP_ROUTE, "").into_iter().cloned().collect();
        for route in &routes {
            let generation = number(route, "/metadata/generation");
            let key = (namespace(route).to_owned(), name(route).to_owned());
            let (known, since) = self.0.entry(key).or_insert((generation, now));
            if *known != generation {
                (*known, *since) = (generation, now);
            }
            let due = since.plus(world.router_lag());
            if due.0 > now.0 {
                next = Some(next.map_or(due, |other: Time| if due.0 < other.0 { due } else { other }));
                continue;
            }
            let status = status(objects, route, generation);
            set_status(objects, &by, &HTTP_ROUTE, route, status);
        }
        next
    }
}

fn status(objects: &dyn Objects, route: &Value, generation: i64) -> Value {
    let rules = route.pointer("/spec/rules").and_then(Value::as_array);
    let refs = rules.into_iter().flatten().filter_map(|rule| rule.get("backendRefs")?.as_array()).flatten();
    let missing: Vec<_> = refs
        .filter_map(|one| one.get("name")?.as_str())
        .filter(|service| objects.get(&SERVICE, namespace(route), service).is_none())
        .collect();
    let condition = |kind: &str, status: &str, reason: &str, message: String| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": generation,
            "lastTransitionTime": route["metadata"]["creationTimestamp"],
        })
    };
    let resolved = if missing.is_empty() {
        condition("ResolvedRefs", "True", "ResolvedRefs", "Resolved all the Object references for the Route".to_owned())
    } else {
        condition("ResolvedRefs", "False", "BackendNotFound", format!("Service {} not found", missing.join(", ")))
    };
    let accepted = condition("Accepted", "True", "Accepted", "Route is accepted".to_owned());
    let parents = route.pointer("/spec/parentRefs").and_then(Value::as_array);
    let parents: Vec<_> = parents
        .into_iter()
        .flatten()
        .map(|parent| {
            json!({
                "parentRef": parent, "controllerName": "tidegate.io/sandbox-router", "conditions": [accepted, resolved],
            })
        })
        .collect();
    json!({"parents": parents})
}
