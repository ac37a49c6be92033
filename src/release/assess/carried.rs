//! Statements signed outside the cluster: whether one speaks of the commit of this change, and what is told of those that
//! do not count.

use super::super::snapshot::AttestationSeen;
use crate::policy::requirement::Claim;
use crate::statement::{GIT, Signed, is_commit};

/// How many statements that do not count are told of.
const TOLD: usize = 3;

/// What was signed: whoever carried it did not say it, and it is as old as its signature. No approval is carried.
pub(super) fn claim(one: &AttestationSeen, signed: &Signed) -> Claim {
    Claim { role: None, author: signed.by.clone(), machine: true, ..Claim::of(&one.spec, signed.at) }
}

/// Whether a statement speaks of the commit of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfCommit {
    /// It does.
    This,
    /// It may: the change names its commit by its first digits, which others may begin with too.
    Unclear,
    /// It speaks of something else.
    Another,
}

/// Whether what a statement is about is the commit that a change names.
pub(super) fn of_commit(about: &str, reference: &str) -> OfCommit {
    let begins = !is_commit(reference) && reference.len() > GIT.len() && about.starts_with(reference);
    match (is_commit(about), about == reference, begins) {
        (true, true, _) => OfCommit::This,
        (true, false, true) => OfCommit::Unclear,
        (true, false, false) | (false, _, _) => OfCommit::Another,
    }
}

/// What is told of a statement where the change names its commit by its first digits.
pub(super) fn unclear(one: &AttestationSeen, reference: &str) -> String {
    format!(
        "{} is signed for {}, and the change says {reference}, with which other commits may begin too; write the whole commit: tidegate.io/change: {}",
        one.spec.kind, one.spec.revision, one.spec.revision
    )
}

/// What is told of a statement that does not count, where it was meant for this change.
pub(super) fn refused(one: &AttestationSeen, about: bool, reference: &str, why: &str) -> Option<String> {
    let meant = about || of_commit(&one.spec.revision, reference) != OfCommit::Another;
    meant.then(|| format!("the signed statement of {} that {} brought: {why}", one.spec.kind, one.spec.author))
}

/// The latest of them, the newest first, as a hold's message is cut at its end; who may create attestations could make many.
pub(super) fn shown(mut refused: Vec<String>) -> Vec<String> {
    let older = refused.len().saturating_sub(TOLD);
    let mut shown = refused.split_off(older);
    shown.reverse();
    if older > 0 {
        shown.push(format!("{older} older signed statements"));
    }
    shown
}
