//! Roles: who may approve in which.

use std::collections::BTreeMap;

use super::Loosened;
use crate::api::risk_budget::Role;
use crate::policy::Role as RoleName;

/// What an approval given in a role's name counts as.
#[derive(Debug, PartialEq, Eq)]
struct Voice<'a> {
    /// The role of the policy; none where no rule asks for it.
    role: Option<RoleName>,
    who: Who<'a>,
}

#[derive(Debug, PartialEq, Eq)]
enum Who<'a> {
    /// Everybody who holds the verb.
    Everybody,
    Listed {
        users: &'a [String],
        groups: &'a [String],
    },
}

/// The first entry of a name is heard.
fn entry<'a>(roles: &'a [Role], name: &str) -> Option<&'a Role> {
    roles.iter().find(|role| role.name == name)
}

fn voice<'a>(roles: &'a [Role], name: &str) -> Voice<'a> {
    let listed = entry(roles, name);
    let role = listed.and_then(|listed| listed.stands_for).or_else(|| RoleName::named(name));
    let who = match listed {
        Some(listed) if !listed.users.is_empty() || !listed.groups.is_empty() => {
            Who::Listed { users: &listed.users, groups: &listed.groups }
        }
        Some(_) | None => Who::Everybody,
    };
    Voice { role, who }
}

impl Voice<'_> {
    /// Whether it lets somebody speak whom `former` does not.
    fn adds_to(&self, former: &Self) -> bool {
        if self.role.is_none() {
            return false;
        }
        let more = |after: &[String], before: &[String]| after.iter().any(|one| !before.contains(one));
        let grows = match (&former.who, &self.who) {
            (Who::Everybody, _) => false,
            (Who::Listed { .. }, Who::Everybody) => true,
            (Who::Listed { users, groups }, Who::Listed { users: after_users, groups: after_groups }) => {
                more(after_users, users) || more(after_groups, groups)
            }
        };
        self.role != former.role || grows
    }
}

impl std::fmt::Display for Voice<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.role {
            Some(role) => write!(f, "{role} by ")?,
            None => return f.write_str("no role of the policy"),
        }
        match &self.who {
            Who::Everybody => f.write_str("everybody who holds the verb"),
            Who::Listed { users, groups } => {
                let named =
                    |what: &str, all: &[String]| (!all.is_empty()).then(|| format!("{what} {}", all.join(", ")));
                let parts: Vec<String> =
                    [named("users", users), named("groups", groups)].into_iter().flatten().collect();
                f.write_str(&parts.join(", "))
            }
        }
    }
}

/// Nobody speaks whom the former roles do not let speak. Of an entry that adds somebody the former holds whole: half of it
/// might list nobody, and a role that lists nobody is open to everybody.
pub(super) fn merge(former: &[Role], wanted: &[Role], held: &mut Vec<Loosened>) -> Vec<Role> {
    let mut merged = Vec::new();
    let mut answered: BTreeMap<&str, bool> = BTreeMap::new();
    for role in wanted {
        // What follows the first entry of a name is not heard, and must not become the first.
        match answered.get(role.name.as_str()) {
            Some(true) => continue,
            Some(false) => merged.push(role.clone()),
            None => {
                let adds = adds(former, wanted, &role.name, held);
                answered.insert(role.name.as_str(), adds);
                merged.extend(if adds { entry(former, &role.name) } else { Some(role) }.cloned());
            }
        }
    }
    for gone in former.iter().filter(|role| entry(wanted, &role.name).is_none()) {
        if entry(&merged, &gone.name).is_none() && adds(former, wanted, &gone.name, held) {
            merged.push(gone.clone());
        }
    }
    merged
}

fn adds(former: &[Role], wanted: &[Role], name: &str, held: &mut Vec<Loosened>) -> bool {
    let (before, after) = (voice(former, name), voice(wanted, name));
    let adds = after.adds_to(&before);
    if adds {
        held.push(Loosened::new(format!("spec.roles[{name}]"), before, after));
    }
    adds
}
