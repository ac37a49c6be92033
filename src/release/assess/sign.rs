//! Whether those have agreed whom a process asks.

use std::cmp::Ordering;

use super::Assessed;
use crate::api::Time;
use crate::api::release_record::ApprovalRecord;
use crate::policy::requirement::{BUDGET_SIGN_OFF, Claim, Claims};
use crate::policy::worsened::EXHAUSTED;
use crate::policy::{Band, Role, SignOff};

/// How far the sign-offs before one moment are.
pub(in crate::release) enum Signed<'a> {
    /// All agreed; nobody was asked where it is empty.
    All(Vec<&'a Claim>),
    /// In these roles somebody has still to agree, each named once.
    Missing {
        /// The roles, at least one.
        roles: Vec<Role>,
        /// Whether two people are asked in the place of one, because it is not known who made the change.
        two: bool,
    },
    /// Somebody rejects it.
    Rejected(&'a Claim),
}

/// Since when approvals count for one stage. A rejection counts however old it is, until the same person takes it back.
#[derive(Debug, Clone, Copy)]
pub(in crate::release) struct Since<'a> {
    /// The moment.
    pub(in crate::release) at: Time,
    /// The approvals that are on record.
    pub(in crate::release) counted: &'a [ApprovalRecord],
    /// Before what they count now, as a record has it.
    pub(in crate::release) before: &'a str,
}

impl Since<'_> {
    /// Whether this approval is new enough. The API server's moments are whole seconds: one of the very second may have been given
    /// before or after, and counts unless it has counted for another stage.
    fn hears(self, claim: &Claim) -> bool {
        let counted = |one: &ApprovalRecord| {
            one.before != self.before
                && one.at == claim.at
                && one.author == claim.author
                && Some(one.role.as_str()) == claim.role.as_deref()
        };
        match claim.at.0.as_second().cmp(&self.at.0.as_second()) {
            Ordering::Less => false,
            Ordering::Equal => !self.counted.iter().any(counted),
            Ordering::Greater => true,
        }
    }
}

/// Whether those agreed whom `wanted` asks, in approvals that count `since` a moment, where there is one. Each seat is another person's;
/// where it is not known who made the change, at least two people agree, so that one of them is not its author. Who rejects it in any role
/// of the policy is heard whoever is asked, but for a rollback, which waits for nobody.
pub(in crate::release) fn signed<'a>(
    assessed: &'a Assessed<'_>,
    wanted: &[SignOff],
    since: Option<Since<'_>>,
    late: &'a mut Vec<Claim>,
) -> Signed<'a> {
    if let Some(claim) = assessed.claims().rejection(Role::ALL).filter(|_| !assessed.rollback) {
        return Signed::Rejected(claim);
    }
    let mut roles: Vec<Role> =
        wanted.iter().flat_map(|one| std::iter::repeat_n(one.role, usize::from(one.people))).collect();
    if roles.is_empty() {
        return Signed::All(Vec::new());
    }
    late.extend(assessed.heard.claims.iter().filter(|claim| since.is_none_or(|since| since.hears(claim))).cloned());
    let claims = Claims::new(late, &assessed.heard.authors, assessed.now).knowing(assessed.heard.knows_authors);
    let two = roles.len() == 1 && !claims.knows_author();
    if two {
        roles.push(roles[0]);
    }
    let seats: Vec<[Role; 1]> = roles.iter().map(|role| [*role]).collect();
    let seats: Vec<&[Role]> = seats.iter().map(<[Role; 1]>::as_slice).collect();
    match claims.seats(&seats) {
        Ok(all) => Signed::All(all),
        Err(empty) => {
            let mut missing: Vec<Role> = empty.iter().filter_map(|seat| roles.get(*seat).copied()).collect();
            missing.dedup();
            Signed::Missing { roles: missing, two }
        }
    }
}

/// `carl (2 Jan 10:00:00 UTC) rejects it as sre: no dashboard`.
pub(in crate::release) fn rejected(claim: &Claim) -> String {
    format!("{} rejects it as {}{}", claim.by(), claim.role.as_deref().unwrap_or_default(), claim.why())
}

/// How a rejection is taken back, and by whom.
pub(in crate::release) fn how_to_withdraw(assessed: &Assessed<'_>, claim: &Claim) -> String {
    let (release, namespace) = (&assessed.seen.release.name, &assessed.seen.release.namespace);
    let role = claim.role.as_deref().unwrap_or_default();
    format!("{} takes that back: kubectl tidegate withdraw {release} -n {namespace} --role {role}", claim.author)
}

/// Who signs for an exhausted risk budget, in either mode of the requirements (`000_…` §5.4, "explicit sign-off"); nobody where that is
/// waived. A rollback waits for nobody.
pub(in crate::release) fn of_exhausted(assessed: &Assessed<'_>) -> &'static [SignOff] {
    let asked = !assessed.rollback && assessed.waived(BUDGET_SIGN_OFF).is_none();
    match assessed.risk.band() {
        Some(Band::Exhausted) if asked => EXHAUSTED,
        Some(Band::Green | Band::Yellow | Band::Red | Band::Exhausted) | None => &[],
    }
}

/// Each of these roles with how it is given.
pub(in crate::release) fn how_to_sign(assessed: &Assessed<'_>, roles: &[Role]) -> String {
    let (release, namespace) = (&assessed.seen.release.name, &assessed.seen.release.namespace);
    let one = |role: &Role| format!("{role}: kubectl tidegate approve {release} -n {namespace} --role {role}");
    roles.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// Why two people are asked where the process names one, and what makes it one.
pub(in crate::release) const WHY_TWO: &str = " (two people, because who made the change is not known; one where evidence of a pipeline names them: change-author)";
