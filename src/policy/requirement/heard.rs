//! From an attestation to a claim, by the roles that a RiskBudget lists.

use super::claim::{APPROVAL, Claim};
use crate::api::Time;
use crate::api::attestation::AttestationSpec;
use crate::api::risk_budget::Role;

/// An attestation as the policy hears it, by the roles that are in force. `at` is when the API server took it. The error says
/// why an approval is not heard.
pub fn heard(roles: &[Role], one: &AttestationSpec, at: Time) -> Result<Claim, String> {
    Ok(Claim { role: counts_as(roles, one)?, ..Claim::of(one, at) })
}

/// The role of the policy in which an approval counts; none for evidence.
fn counts_as(roles: &[Role], one: &AttestationSpec) -> Result<Option<String>, String> {
    let Some(said) = one.role.as_ref().filter(|_| one.kind == APPROVAL) else { return Ok(None) };
    let Some(listed) = roles.iter().find(|role| role.name == *said) else { return Ok(Some(said.clone())) };
    let member = listed.users.contains(&one.author) || one.groups.iter().any(|group| listed.groups.contains(group));
    let open = listed.users.is_empty() && listed.groups.is_empty();
    match member || open {
        true => Ok(Some(listed.stands_for.map_or_else(|| said.clone(), |role| role.to_string()))),
        false => Err(format!("{} is not in role {said} of the RiskBudget (spec.roles)", one.author)),
    }
}
