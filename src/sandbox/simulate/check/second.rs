//! The second service of worlds in which two spend one budget: its users meet nothing that was not charged, and it comes to an
//! end. Everything else about routes and pods is looked at on the first.

use serde_json::Value;

use super::route::weight;
use super::{Checkers, Left, NAME, NAMESPACE, Rule, SECOND, Seen, items, newest_of, text};
use crate::cluster::kind::{DEPLOYMENT, GATED_RELEASE, HTTP_ROUTE};
use crate::sandbox::objects::Objects;

/// A write of its route.
pub(super) fn route(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let canary = format!("{SECOND}-canary");
    let share = |route: &Value| weight(route, &canary).unwrap_or(0);
    let (had, has) = (seen.before.map_or(0, share), share(after));
    if has <= had {
        return;
    }
    let Some(record) = newest_of(seen.objects, SECOND) else { return };
    let name = text(record, "/metadata/name").unwrap_or_default();
    checkers.met.insert(name.to_owned());
    if record.pointer("/status/charge").is_none_or(Value::is_null) {
        checkers.violated(Rule::NotCharged, seen.now, format!("{canary} gets {has} %: {name} is not charged"));
    }
    let passed = items(record, "/status/stages").iter().take_while(|stage| text(stage, "/passedAt").is_some()).count();
    let allowed = items(record, "/status/stages").get(passed).and_then(|stage| stage.get("weight")?.as_u64());
    if has > allowed.unwrap_or(100) || record.pointer("/status/rollback").is_some_and(|log| !log.is_null()) {
        let says = format!("{name}: {canary} gets {has} % with {passed} stages passed");
        checkers.violated(Rule::WeightWithoutVerdict, seen.now, says);
    }
}

/// What a rule gives the carriers of a service, by its place.
fn parts<'a>(route: &'a Value, of: &str) -> Vec<(usize, &'a str, u64)> {
    let family = ["", "-canary", "-previous"].map(|end| format!("{of}{end}"));
    let rules = items(route, "/spec/rules").iter().enumerate();
    let refs = rules.flat_map(|(place, rule)| items(rule, "/backendRefs").iter().map(move |one| (place, one)));
    let part = |(place, one): (usize, &'a Value)| {
        let name = text(one, "/name").filter(|name| family.iter().any(|its| its == name))?;
        Some((place, name, one.get("weight").and_then(Value::as_u64).unwrap_or(1)))
    };
    refs.filter_map(part).collect()
}

/// A write of a route that leads to both: each is written by its own release, so that no write moves users of both.
pub(super) fn neighbours(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    let moved = |of: &str| parts(before, of) != parts(after, of);
    if moved(NAME) && moved(SECOND) {
        let says = format!("{}: one write moves users of {NAME} and of {SECOND}", seen.name);
        checkers.violated(Rule::NeighbourMoved, seen.now, says);
    }
}

/// What still goes on with it, or is left over, where it is there at all.
pub(super) fn left_over(objects: &dyn Objects) -> Option<Left> {
    let release = objects.get(&GATED_RELEASE, NAMESPACE, SECOND)?;
    let record = newest_of(objects, SECOND)?;
    let outcome = text(record, "/status/outcome");
    if outcome.is_none() {
        let says = format!(
            "{} is in phase {} ({})",
            text(record, "/metadata/name").unwrap_or_default(),
            text(record, "/status/phase").unwrap_or("none"),
            text(release, "/status/message").unwrap_or_default()
        );
        return Some(Left::Going(says));
    }
    let canary = format!("{SECOND}-canary");
    let routes = objects.list(&HTTP_ROUTE, NAMESPACE).into_iter();
    let named = routes.filter_map(|route| weight(route, &canary)).max();
    if named.is_some() || objects.get(&DEPLOYMENT, NAMESPACE, &canary).is_some() {
        return Some(Left::NotHome(format!("{canary} is still there")));
    }
    // After a late rollback its former version serves until Git reverts or fixes, here as well.
    let previous = format!("{SECOND}-previous");
    let serves = objects.list(&HTTP_ROUTE, NAMESPACE).iter().any(|route| weight(route, &previous) == Some(100));
    super::disruption::left_over(objects, SECOND, serves).map(Left::NotHome)
}
