//! Whether somebody speaks in another role already.

use super::Failure;
use crate::api::Time;
use crate::api::risk_budget::Role as Listed;
use crate::policy::Role;
use crate::policy::requirement::{Claim, heard, speaks_as};
use crate::release::snapshot::AttestationSeen;

/// Refuses an approval that would not count, because of what its author `said` of the same revision in another role. `place` is
/// how commands name what it is about, such as `checkout -n shop`.
pub(super) fn refuse(
    listed: &[Listed],
    said: &[&AttestationSeen],
    (role, person): (&str, &str),
    place: &str,
    now: Time,
) -> Result<(), Failure> {
    let heard = |one: &&AttestationSeen| heard(listed, &one.spec, one.at).ok();
    let claims: Vec<Claim> = said.iter().filter_map(heard).collect();
    let stands_for = listed.iter().find(|one| one.name == role).and_then(|one| one.stands_for);
    let Some(wanted) = stands_for.or_else(|| Role::named(role)) else { return Ok(()) };
    // The API server's clock may be ahead of this machine's.
    let now = claims.iter().map(|claim| claim.at).fold(now, Time::max);
    let Some(stands) = speaks_as(&claims, person, now).filter(|stands| *stands != wanted) else { return Ok(()) };
    // It is taken back under the name in which it was said.
    let of_it = |one: &&&AttestationSeen| {
        one.spec.author == person && heard(one).and_then(|claim| claim.role).as_deref() == Some(stands.as_str())
    };
    let name = said.iter().rev().find(of_it).and_then(|one| one.spec.role.as_deref()).unwrap_or(stands.as_str());
    Err(format!(
        "--role {role}: {person} speaks as {stands} already, and about one revision each person speaks in one role: this approval would not count. Ask somebody else: tidegate who-can {place}. Or take back what you said as {stands} first: tidegate withdraw {place} --role {name}"
    ))
}
