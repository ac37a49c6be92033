//! What takes a second person: who made a change does not review it (`000_…` §6.2, "peer review", "Code owner review", "reviewed";
//! `003_…`, Module 4, "sign-off" and "legal and privacy teams").
//!
//! A machine's word counts by itself, as it tells what the code host, or whoever has the review, let pass. A person's word does not count
//! where they made the change; where it is not known who did, two people say it, as two would approve.

use super::claim::{Claim, Claims};

/// What is said of a type that takes a second person.
pub(super) enum Second<'a> {
    /// It was said by these: the one or two that it rests on.
    For(Vec<&'a Claim>),
    /// The latest speaks against it.
    Against(&'a Claim),
    /// Nothing that counts.
    Silent {
        /// Why what was said does not count, in words; empty where nothing was said.
        because: String,
    },
}

/// What is said of a type; the latest decides, of one second the one against.
pub(super) fn word<'a>(claims: Claims<'a>, kind: &str) -> Second<'a> {
    let mut said = claims.of_others(kind);
    said.sort_by_key(|claim| (claim.at, !claim.passed));
    match said.last() {
        None => return Second::Silent { because: own(claims, kind) },
        Some(latest) if !latest.passed => return Second::Against(latest),
        Some(latest) => {
            if let Some(until) = latest.until.filter(|until| *until <= claims.now()) {
                return Second::Silent { because: format!("that of {} lapsed {}", latest.by(), until.clock()) };
            }
        }
    }
    let stands = |claim: &&&Claim| claim.passed && claim.until.is_none_or(|until| until > claims.now());
    let mut newest = said.iter().rev().filter(stands).copied();
    if claims.knows_author() {
        return Second::For(newest.next().into_iter().collect());
    }
    let all: Vec<&Claim> = newest.collect();
    match (all.iter().find(|claim| claim.is_of_machine()), all.as_slice()) {
        (Some(machine), _) => Second::For(vec![machine]),
        (None, [one, other, ..]) => Second::For(vec![other, one]),
        (None, one) => {
            let who: Vec<String> = one.iter().map(|claim| claim.by()).collect();
            let because = format!(
                "who made the change is not known, so two people say it: {} does, somebody else is missing",
                who.join(", ")
            );
            Second::Silent { because }
        }
    }
}

/// What is told to who says it of their own change.
fn own(claims: Claims<'_>, kind: &str) -> String {
    match claims.own(kind) {
        Some(claim) => format!("that of {} does not count: {} made the change", claim.by(), claim.author),
        None => String::new(),
    }
}
