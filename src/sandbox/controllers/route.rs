//! HTTPRoutes: what a router says of them, a while after they change.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Timing;
use super::look::{at, items, namespace, number, stamp, text};
use super::write::{Context, Place, place, tried};
use crate::api::Time;
use crate::cluster::kind::{HTTP_ROUTE, SERVICE};
use crate::sandbox::objects::Objects;

/// The name of the router in `status.parents`.
pub const CONTROLLER_NAME: &str = "tidegate.io/sandbox-router";

/// What the router has yet to take up.
#[derive(Debug, Default)]
pub(super) struct Routes(BTreeMap<Place, Pending>);

#[derive(Debug, Clone, PartialEq)]
struct Pending {
    since: Time,
    generation: i64,
    resolved: Resolved,
    /// How many of the parents have taken it up already.
    taken_up: usize,
}

impl Pending {
    /// When a parent takes it up: each is a gateway of its own, and later than the one before it.
    fn due(&self, parent: usize, timing: Timing) -> Time {
        (0..=parent).fold(self.since, |at, _| at.plus(timing.router))
    }
}

/// Whether the backends of a route can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Resolved {
    Yes,
    No { reason: &'static str, message: String },
}

impl Routes {
    pub(super) fn run(&mut self, cx: &mut Context<'_>) -> Option<Time> {
        let mut pending = BTreeMap::new();
        let mut writes = Vec::new();
        for route in cx.objects.list(&HTTP_ROUTE, "") {
            let resolved = resolve(&*cx.objects, route);
            let generation = number(route, &["metadata", "generation"]);
            if is_said(route, generation, &resolved) {
                continue;
            }
            let key = place(route);
            // A change while the router works on another makes it begin again.
            let known = self.0.remove(&key).filter(|one| one.generation == generation && one.resolved == resolved);
            let one = known.unwrap_or(Pending { since: cx.now, generation, resolved, taken_up: 0 });
            let parents = items(route, &["spec", "parentRefs"]).len();
            let due = |parent: usize| one.due(parent, cx.timing) <= cx.now;
            let taken_up = (0..parents).take_while(|parent| due(*parent)).count();
            if taken_up > 0 {
                writes.push((key.clone(), status(route, generation, &one.resolved, taken_up, cx.now)));
            }
            if taken_up < parents {
                pending.insert(key, Pending { taken_up, ..one });
            }
        }
        self.0 = pending;
        for ((home, called), status) in writes {
            tried(cx.set_status(&cx.users.router, &HTTP_ROUTE, &home, &called, status));
        }
        self.0.values().map(|one| one.due(one.taken_up, cx.timing)).min()
    }
}

fn backends(route: &Value) -> impl Iterator<Item = &Value> {
    items(route, &["spec", "rules"]).iter().flat_map(|rule| items(rule, &["backendRefs"]))
}

fn resolve(objects: &dyn Objects, route: &Value) -> Resolved {
    backends(route)
        .map(|backend| resolve_one(objects, route, backend))
        .find(|one| *one != Resolved::Yes)
        .unwrap_or(Resolved::Yes)
}

fn resolve_one(objects: &dyn Objects, route: &Value, backend: &Value) -> Resolved {
    let service = text(backend, &["name"]);
    let kind = at(backend, &["kind"]).and_then(Value::as_str).unwrap_or("Service");
    if kind != "Service" || !text(backend, &["group"]).is_empty() {
        return Resolved::No {
            reason: "InvalidKind",
            message: format!("backendRef {service} is a {kind}, not a Service"),
        };
    }
    let home = at(backend, &["namespace"]).and_then(Value::as_str).unwrap_or(namespace(route));
    if home != namespace(route) {
        let message = format!("backendRef {home}/{service} is in another namespace, and nothing grants it");
        return Resolved::No { reason: "RefNotPermitted", message };
    }
    let Some(found) = objects.get(&SERVICE, home, service) else {
        return Resolved::No { reason: "BackendNotFound", message: format!("service {home}/{service} not found") };
    };
    let port = at(backend, &["port"]);
    if port.is_some() && !items(found, &["spec", "ports"]).iter().any(|one| at(one, &["port"]) == port) {
        return Resolved::No {
            reason: "BackendNotFound",
            message: format!("service {home}/{service} has no such port"),
        };
    }
    Resolved::Yes
}

/// What the router says of its parents.
fn own(route: &Value) -> impl Iterator<Item = &Value> {
    items(route, &["status", "parents"]).iter().filter(|parent| text(parent, &["controllerName"]) == CONTROLLER_NAME)
}

/// Whether the status says this of every parent already.
fn is_said(route: &Value, generation: i64, resolved: &Resolved) -> bool {
    let wanted = items(route, &["spec", "parentRefs"]);
    let (status, reason, _) = words(resolved);
    let says = |parent: &Value| {
        items(parent, &["conditions"]).iter().all(|it| number(it, &["observedGeneration"]) == generation)
            && items(parent, &["conditions"]).iter().any(|it| {
                text(it, &["type"]) == "ResolvedRefs"
                    && text(it, &["status"]) == status
                    && text(it, &["reason"]) == reason
            })
    };
    own(route).count() == wanted.len()
        && own(route).zip(wanted).all(|(parent, wanted)| at(parent, &["parentRef"]) == Some(wanted) && says(parent))
}

fn words(resolved: &Resolved) -> (&'static str, &'static str, &str) {
    match resolved {
        Resolved::Yes => ("True", "ResolvedRefs", "All references are resolved"),
        Resolved::No { reason, message } => ("False", reason, message),
    }
}

/// What the parents say of which so many, in the order of the route, have taken it up; the others say what they said.
fn status(route: &Value, generation: i64, resolved: &Resolved, taken_up: usize, now: Time) -> Value {
    let all = items(route, &["status", "parents"]).iter();
    let foreign = all.filter(|parent| text(parent, &["controllerName"]) != CONTROLLER_NAME).cloned();
    let own = items(route, &["spec", "parentRefs"]).iter().enumerate().filter_map(|(place, wanted)| {
        let stands = own(route).find(|parent| at(parent, &["parentRef"]) == Some(wanted));
        if place >= taken_up {
            return stands.cloned();
        }
        let condition = |kind: &str, (status, reason, message): (&str, &str, &str)| {
            let known = stands.map_or(&[][..], |parent| items(parent, &["conditions"]));
            let same = known.iter().find(|it| text(it, &["type"]) == kind && text(it, &["status"]) == status);
            let since = same.map_or_else(|| stamp(now), |same| text(same, &["lastTransitionTime"]).to_owned());
            json!({
                "type": kind, "status": status, "reason": reason, "message": message,
                "observedGeneration": generation, "lastTransitionTime": since,
            })
        };
        Some(json!({
            "parentRef": wanted, "controllerName": CONTROLLER_NAME,
            "conditions": [
                condition("Accepted", ("True", "Accepted", "Route is accepted")),
                condition("ResolvedRefs", words(resolved)),
            ],
        }))
    });
    json!({"parents": own.chain(foreign).collect::<Vec<_>>()})
}
