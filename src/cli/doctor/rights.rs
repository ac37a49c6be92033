//! Who holds the verbs by which people and pipelines act on the gate.

use std::collections::{BTreeMap, BTreeSet};

use super::{Level, Line, line, unseen};
use crate::cli::rights::{Holder, Right, holders};
use crate::cluster::doctor::Installation;
use crate::policy::Role;

const WHAT: &str = "Rights";
/// So many holders of a verb are named.
const NAMED_MAX: usize = 12;
/// The verb that is held role by role.
const APPROVE: &str = "approve";

pub(super) fn judge(seen: &Installation) -> Vec<Line> {
    let mut lines: Vec<Line> =
        seen.may.iter().map(|(verb, resource, mine)| of_verb(seen, verb, resource, *mine)).collect();
    if unseen(WHAT, &seen.roles).is_none() && unseen(WHAT, &seen.role_bindings).is_none() {
        lines.extend(of_roles(seen));
    }
    lines
}

fn of_verb(seen: &Installation, verb: &str, resource: &str, mine: Option<bool>) -> Line {
    let you = match mine {
        Some(true) => "you hold it",
        Some(false) => "you do not hold it",
        None => "whether you hold it could not be asked",
    };
    let all = if verb == APPROVE { " for every role" } else { "" };
    let verb_of = format!("{verb} on {resource}.tidegate.io{all}: {you}");
    if let Some(Line { says, .. }) = unseen(WHAT, &seen.roles).or_else(|| unseen(WHAT, &seen.role_bindings)) {
        return line(Level::Skip, WHAT, format!("{verb_of}; who else does could not be looked at: {says}"));
    }
    let found = of(seen, verb, resource, "");
    // Who holds it for some roles only is named with these.
    let found = found.iter().filter(|holder| verb != APPROVE || !holder.named);
    line(Level::Ok, WHAT, format!("{verb_of}; by roles: {}; and whoever is in system:masters", told(found)))
}

fn of(seen: &Installation, verb: &str, resource: &str, name: &str) -> BTreeSet<Holder> {
    holders(seen.roles.all(), seen.role_bindings.all(), &Right { verb, resource, name, namespace: "" })
}

/// Without the role by which they hold it, each once.
fn told<'a>(holders: impl Iterator<Item = &'a Holder>) -> String {
    let all: BTreeSet<String> = holders.map(ToString::to_string).collect();
    let more = match all.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named: Vec<&str> = all.iter().take(NAMED_MAX).map(String::as_str).collect();
    if named.is_empty() { "no binding grants it".to_owned() } else { format!("{}{more}", named.join(", ")) }
}

/// Who approves as what, by roles that name it; what nobody approves as.
fn of_roles(seen: &Installation) -> Vec<Line> {
    let mut by_holders: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut nobody = Vec::new();
    for role in Role::ALL {
        let found = of(seen, APPROVE, "releaseroles", role.as_str());
        let people: Vec<&Holder> = found.iter().filter(|holder| holder.named && !holder.is_machine()).collect();
        match people.is_empty() {
            true => nobody.push(role.as_str()),
            false => by_holders.entry(told(people.into_iter())).or_default().push(role.as_str()),
        }
    }
    let mut lines: Vec<Line> = by_holders
        .into_iter()
        .map(|(holders, roles)| line(Level::Ok, WHAT, format!("approve as {}: {holders}", roles.join(", "))))
        .collect();
    if let Some(first) = nobody.first() {
        lines.push(line(
            Level::Warn,
            WHAT,
            format!(
                "no binding lets people approve as {}: a change that asks for them waits. kubectl create rolebinding approve-{first} -n NAMESPACE --clusterrole=tidegate-approve-{first} --group=GROUP",
                nobody.join(", ")
            ),
        ));
    }
    lines
}
