//! Whether those have agreed whom a process asks.

use super::Assessed;
use crate::api::Time;
use crate::policy::requirement::{Claim, Claims};
use crate::policy::{Role, SignOff};

/// How far the sign-offs before one moment are.
pub(in crate::release) enum Signed<'a> {
    /// All agreed; nobody was asked where it is empty.
    All(Vec<&'a Claim>),
    /// In these roles somebody has still to agree.
    Missing(Vec<Role>),
    /// Somebody rejects it.
    Rejected(&'a Claim),
}

/// Whether those agreed whom `wanted` asks, in approvals given after `since`: one that let a stage begin at that very moment is
/// none to the next. Each seat is another person's; where it is not known who made the change, at least two people agree, so that
/// one of them is not its author.
pub(in crate::release) fn signed<'a>(
    assessed: &'a Assessed<'_>,
    wanted: &[SignOff],
    since: Option<Time>,
    late: &'a mut Vec<Claim>,
) -> Signed<'a> {
    late.extend(assessed.heard.claims.iter().filter(|claim| since.is_none_or(|since| claim.at > since)).cloned());
    let claims = Claims::new(late, &assessed.heard.authors, assessed.now).knowing(assessed.heard.knows_authors);
    let mut roles: Vec<Role> =
        wanted.iter().flat_map(|one| std::iter::repeat_n(one.role, usize::from(one.people))).collect();
    if roles.is_empty() {
        return Signed::All(Vec::new());
    }
    if let Some(claim) = claims.rejection(&roles) {
        return Signed::Rejected(claim);
    }
    if roles.len() == 1 && !claims.knows_author() {
        roles.push(roles[0]);
    }
    let seats: Vec<[Role; 1]> = roles.iter().map(|role| [*role]).collect();
    let seats: Vec<&[Role]> = seats.iter().map(<[Role; 1]>::as_slice).collect();
    match claims.seats(&seats) {
        Ok(all) => Signed::All(all),
        Err(empty) => Signed::Missing(empty.iter().filter_map(|seat| roles.get(*seat).copied()).collect()),
    }
}

/// Each of these roles with how it is given.
pub(in crate::release) fn how_to_sign(assessed: &Assessed<'_>, roles: &[Role]) -> String {
    let (release, namespace) = (&assessed.seen.release.name, &assessed.seen.release.namespace);
    let one = |role: &Role| format!("{role}: kubectl tidegate approve {release} -n {namespace} --role {role}");
    roles.iter().map(one).collect::<Vec<_>>().join("; ")
}
