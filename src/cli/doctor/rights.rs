//! Who holds the verbs that pass the gate.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Level, Line, line, unseen};
use crate::cluster::doctor::Installation;

/// So many holders of a verb are named.
const NAMED_MAX: usize = 12;

pub(super) fn judge(seen: &Installation) -> Vec<Line> {
    seen.may.iter().map(|(verb, resource, mine)| of_verb(seen, verb, resource, *mine)).collect()
}

fn of_verb(seen: &Installation, verb: &str, resource: &str, mine: Option<bool>) -> Line {
    const WHAT: &str = "Rights";
    let you = match mine {
        Some(true) => "you hold it",
        Some(false) => "you do not hold it",
        None => "whether you hold it could not be asked",
    };
    let verb_of = format!("{verb} on {resource}.tidegate.io: {you}");
    if let Some(Line { says, .. }) = unseen(WHAT, &seen.roles).or_else(|| unseen(WHAT, &seen.role_bindings)) {
        return line(Level::Skip, WHAT, format!("{verb_of}; who else does could not be looked at: {says}"));
    }
    let holders = holders(seen, verb, resource);
    let more = match holders.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named: Vec<_> = holders.iter().take(NAMED_MAX).map(String::as_str).collect();
    let says = if named.is_empty() { "no binding grants it".to_owned() } else { format!("{}{more}", named.join(", ")) };
    line(Level::Ok, WHAT, format!("{verb_of}; by roles: {says}; and whoever is in system:masters"))
}

fn text<'v>(object: &'v Value, place: &str) -> &'v str {
    object.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(object: &'v Value, place: &str) -> &'v [Value] {
    object.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a role grants it, and whether only by a wildcard.
fn grants(role: &Value, verb: &str, resource: &str) -> Option<bool> {
    let has = |rule: &Value, place: &str, wanted: &str| {
        let all = list(rule, place);
        let named = all.iter().any(|one| one == wanted);
        (named || all.iter().any(|one| one == "*")).then_some(!named)
    };
    let mut granting = list(role, "/rules").iter().filter_map(|rule| {
        let by =
            [has(rule, "/apiGroups", "tidegate.io")?, has(rule, "/resources", resource)?, has(rule, "/verbs", verb)?];
        Some(by.contains(&true))
    });
    let first = granting.next()?;
    // One rule that names it is enough to be meant.
    Some(first && granting.all(|wildcard| wildcard))
}

fn holders(seen: &Installation, verb: &str, resource: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for binding in seen.role_bindings.all() {
        let namespace = text(binding, "/metadata/namespace");
        let role = seen.roles.all().iter().find(|role| {
            let of = text(binding, "/roleRef/kind");
            let place = if of == "Role" { namespace } else { "" };
            text(role, "/kind") == of
                && text(role, "/metadata/name") == text(binding, "/roleRef/name")
                && text(role, "/metadata/namespace") == place
        });
        let Some(wildcard) = role.and_then(|role| grants(role, verb, resource)) else { continue };
        for subject in list(binding, "/subjects") {
            let name = match text(subject, "/namespace") {
                "" => text(subject, "/name").to_owned(),
                of => format!("{of}/{}", text(subject, "/name")),
            };
            let place = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
            let how = if wildcard { " (by a wildcard)" } else { "" };
            all.insert(format!("{} {name}{place}{how}", text(subject, "/kind")));
        }
    }
    all
}
