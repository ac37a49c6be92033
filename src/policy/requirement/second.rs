//! What takes a second person: who made a change does not review it (`000_…` §6.2, "peer review", "Code owner review", "reviewed";
//! `003_…`, Module 4, "sign-off" and "legal and privacy teams").
//!
//! A machine's word counts by itself, as it tells what the code host, or whoever has the review, let pass. A person's word does not count
//! where they made the change; where it is not known who did, two people say it, as two would approve.

use super::claim::{Claim, Claims};
use super::image::{Part, joined};
use super::word::{Spoken, Word};

/// What is said of a type that takes a second person; about each image the latest decides, of one second the one against.
pub(super) fn word<'a>(claims: Claims<'a>, kind: &str) -> Word<'a> {
    let of_part = |part| (part, word_of(claims, part, kind));
    joined(claims.parts(kind).into_iter().map(of_part).collect())
}

fn word_of<'a>(claims: Claims<'a>, part: Part<'a>, kind: &str) -> Word<'a> {
    let mut said = claims.of_others(part, kind);
    said.sort_by_key(|claim| (claim.at, !claim.passed));
    let latest = match said.last() {
        None => return Word::Silent { because: own(claims, part, kind) },
        Some(latest) if !latest.passed => return Word::Against(latest),
        Some(latest) => *latest,
    };
    if let Some(until) = latest.until.filter(|until| *until <= claims.now()) {
        return Word::Silent { because: format!("that of {} lapsed {}", latest.by(), until.clock()) };
    }
    if claims.knows_author() {
        return Word::For(Spoken::one(latest));
    }
    let stands = |claim: &&&Claim| claim.passed && claim.until.is_none_or(|until| until > claims.now());
    let all: Vec<&'a Claim> = said.iter().rev().filter(stands).copied().collect();
    match (all.iter().find(|claim| claim.is_of_machine()), all.as_slice()) {
        (Some(machine), _) => Word::For(Spoken::one(machine)),
        (None, [one, other, ..]) => Word::For(Spoken::two(other, one)),
        (None, one) => {
            let who: Vec<String> = one.iter().map(|claim| claim.by()).collect();
            let because = format!(
                "who made the change is not known, so two people say it: {} does, somebody else is missing",
                who.join(", ")
            );
            Word::Silent { because }
        }
    }
}

/// What is told to who says it of their own change.
fn own<'a>(claims: Claims<'a>, part: Part<'a>, kind: &str) -> String {
    match claims.own(part, kind) {
        Some(claim) => format!("that of {} does not count: {} made the change", claim.by(), claim.author),
        None => String::new(),
    }
}
