//! Distinct people for distinct roles: about one revision a person agrees in one role, the one in which they stood first.

use std::collections::BTreeMap;

use super::claim::{APPROVAL, Claim};
use crate::api::Time;
use crate::policy::sign_off::Role;

/// An approval that does not count, because who gave it agreed in another role before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondRole {
    /// Who gave it.
    pub author: String,
    /// The role in which it does not count.
    pub role: Role,
    /// The role in which they stand.
    pub stands: Role,
}

impl std::fmt::Display for SecondRole {
    /// `alice as on-call, because alice speaks as code-owner already`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { author, role, stands } = self;
        write!(f, "{author} as {role}, because {author} speaks as {stands} already")
    }
}

/// Lets each person agree in one role at `now`: what they approve in another takes back what they said in it before, and says
/// nothing itself. A rejection counts in every role. What does not count, by author and role.
pub fn in_one_role(claims: &mut [Claim], now: Time) -> Vec<SecondRole> {
    let standing = standing(claims, now);
    let first = first(&standing);
    let mut silent: BTreeMap<(String, Role), Role> = BTreeMap::new();
    for (author, role) in standing.keys() {
        let Some((_, stands)) = first.get(author.as_str()).filter(|(_, stands)| stands != role) else { continue };
        silent.insert((author.clone(), *role), *stands);
    }
    for claim in claims.iter_mut().filter(|claim| claim.kind == APPROVAL && claim.passed) {
        let Some(role) = role(claim) else { continue };
        claim.withdrawn |= silent.contains_key(&(claim.author.clone(), role));
    }
    silent.into_iter().map(|((author, role), stands)| SecondRole { author, role, stands }).collect()
}

/// The role in which somebody agrees at `now`; none where they agree in none.
pub fn speaks_as(claims: &[Claim], author: &str, now: Time) -> Option<Role> {
    first(&standing(claims, now)).get(author).map(|(_, role)| *role)
}

/// Since when each person agrees in each role.
type Standing = BTreeMap<(String, Role), Time>;

/// The role in which each person stands longest. Of one second the API server tells no order: then it is the first of
/// [`Role::ALL`].
fn first(standing: &Standing) -> BTreeMap<&str, (Time, Role)> {
    let mut first = BTreeMap::new();
    for ((author, role), since) in standing {
        let known = first.entry(author.as_str()).or_insert((*since, *role));
        *known = (*since, *role).min(*known);
    }
    first
}

fn standing(claims: &[Claim], now: Time) -> Standing {
    let mut said: Vec<&Claim> = claims.iter().filter(|claim| claim.kind == APPROVAL && claim.at <= now).collect();
    said.sort_by_key(|claim| (claim.at, claim.withdrawn, !claim.passed));
    let mut stands: BTreeMap<(String, Role), (Time, Option<Time>)> = BTreeMap::new();
    for claim in said {
        let Some(role) = role(claim) else { continue };
        let place = (claim.author.clone(), role);
        if claim.withdrawn || !claim.passed {
            stands.remove(&place);
            continue;
        }
        // Who agrees again, to a further stage, stands since they first did; who let it lapse stands anew.
        let unbroken = stands.get(&place).filter(|(_, until)| until.is_none_or(|until| until > claim.at));
        let since = unbroken.map_or(claim.at, |(since, _)| *since);
        stands.insert(place, (since, claim.until));
    }
    stands.retain(|_, (_, until)| until.is_none_or(|until| until > now));
    stands.into_iter().map(|(place, (since, _))| (place, since)).collect()
}

/// The role of the policy in which it is said; none of a role that nothing asks for.
fn role(claim: &Claim) -> Option<Role> {
    claim.role.as_deref().and_then(Role::named)
}
