//! Where several routes, rules and parents lead to the workload, every one of them moves, and a share counts only once all
//! of them have taken it up.

use std::collections::BTreeMap;

use serde_json::Value;

use super::route::{CANARY, PREVIOUS, weight};
use super::{Checkers, FRESH, NAME, NAMESPACE, Rule, Seen, items, number, text};
use crate::api::Time;
use crate::cluster::kind::HTTP_ROUTE;
use crate::sandbox::objects::Objects;

/// Until when each route had a weight of a backend in all of its rules, known to all of its parents.
pub(super) type Effective = BTreeMap<(String, String, u64), Time>;

/// The routes that the GatedRelease names and that are there.
pub(super) fn routes(objects: &dyn Objects) -> Vec<&Value> {
    let release = super::release(objects);
    let named = release.map_or(&[][..], |release| items(release, "/spec/traffic/httpRoutes"));
    let names = named.iter().filter_map(|one| text(one, "/name"));
    names.filter_map(|name| objects.get(&HTTP_ROUTE, NAMESPACE, name)).collect()
}

/// The rules of a route that lead to the workload or to what stands beside it.
fn ours(route: &Value) -> impl Iterator<Item = &[Value]> {
    let rules = items(route, "/spec/rules").iter().map(|rule| items(rule, "/backendRefs"));
    rules.filter(|refs| refs.iter().any(|one| [NAME, CANARY, PREVIOUS].iter().any(|name| one["name"] == *name)))
}

/// What a rule gives a backend; nothing where it does not name it.
fn given(refs: &[Value], backend: &str) -> u64 {
    let one = refs.iter().find(|one| one["name"] == backend);
    let alone = refs.len() == 1;
    one.map_or(0, |one| if alone { 100 } else { one.get("weight").and_then(Value::as_u64).unwrap_or(1) })
}

/// The weight that all rules of a route give a backend; none where they differ.
fn in_all(route: &Value, backend: &str) -> Option<u64> {
    let mut all = ours(route).map(|refs| given(refs, backend));
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// Whether every parent has taken up what the route says.
fn taken_up(route: &Value) -> bool {
    let generation = number(route, "/metadata/generation");
    let parents = items(route, "/status/parents");
    let says = |parent: &Value| {
        items(parent, "/conditions").iter().all(|one| number(one, "/observedGeneration") == generation)
    };
    parents.len() == items(route, "/spec/parentRefs").len() && parents.iter().all(says)
}

/// A route changed: until now it said what it said before.
pub(super) fn remember(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(before) = seen.before.filter(|before| taken_up(before)) else { return };
    for backend in [NAME, CANARY] {
        if let Some(weight) = in_all(before, backend) {
            checkers.effective.insert((seen.name.to_owned(), backend.to_owned(), weight), seen.now);
        }
    }
}

/// What Tidegate writes into a route stands in every rule of it that leads to the workload.
pub(super) fn alike(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    for backend in [CANARY, PREVIOUS] {
        if in_all(after, backend).is_none() && weight(after, backend).is_some() {
            let rules: Vec<_> = ours(after).map(|refs| given(refs, backend)).collect();
            let says = format!("{}: rules give {backend} {rules:?}", seen.name);
            checkers.violated(Rule::RoutesDiffer, seen.now, says);
        }
    }
}

/// A stage's clock starts, or an abort is over: every route must say so, and every router know of it.
pub(super) fn counts(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let before = seen.before.unwrap_or(&Value::Null);
    let arm = if text(after, "/spec/arm") == Some("Workload") { NAME } else { CANARY };
    let new = |place: &str| text(after, place).is_some() && text(before, place).is_none();
    let stages = items(after, "/status/stages").iter().enumerate();
    let started = stages.filter(|(index, _)| new(&format!("/status/stages/{index}/startedAt")));
    let mut wrong = Vec::new();
    for (index, stage) in started {
        let wanted = number(stage, "/weight");
        for route in routes(seen.objects) {
            let name = text(route, "/metadata/name").unwrap_or_default();
            let now = taken_up(route) && in_all(route, arm) == Some(wanted);
            let until = checkers.effective.get(&(name.to_owned(), arm.to_owned(), wanted));
            if !now && until.is_none_or(|until| seen.now.since(*until) > FRESH) {
                wrong.push(format!(
                    "{}: stage {index} of {wanted} % starts, and {name} does not have it at every parent",
                    seen.name
                ));
            }
        }
    }
    if new("/status/rollback/homeAt") && arm == CANARY {
        for route in routes(seen.objects) {
            let name = text(route, "/metadata/name").unwrap_or_default();
            let had = (name.to_owned(), CANARY.to_owned(), 0);
            let lately = checkers.effective.get(&had).is_some_and(|until| seen.now.since(*until) <= FRESH);
            if weight(route, CANARY).is_some_and(|weight| weight > 0) && !lately {
                wrong.push(format!("{}: traffic is said to be home, and {name} sends some to {CANARY}", seen.name));
            }
        }
    }
    for says in wrong {
        checkers.violated(Rule::RoutesDiffer, seen.now, says);
    }
}
