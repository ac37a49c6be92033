//! Changes that are no workload's: somebody asked for each charge, and none is charged twice, however often it is asked for.

use serde_json::Value;

use super::{Checkers, NAME, NAMESPACE, Rule, Seen, text, time};
use crate::cluster::kind::{ATTESTATION, RELEASE_RECORD};
use crate::sandbox::objects::Objects;

/// The reference of a change that this record charges; none where it is one of a release.
fn reference(record: &Value) -> Option<&str> {
    text(record, "/spec/change/reference").filter(|_| text(record, "/spec/closedAs") == Some("Charged"))
}

/// What pipelines said about a charge.
fn said<'a>(objects: &'a dyn Objects, outcome: &'a str) -> impl Iterator<Item = &'a Value> {
    let all = objects.list(&ATTESTATION, NAMESPACE).into_iter();
    all.filter(move |one| {
        text(one, "/spec/type") == Some("charge")
            && text(one, "/spec/releaseRef/name") == Some(NAME)
            && text(one, "/spec/outcome").unwrap_or("Passed") == outcome
    })
}

/// A record was made.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), None, Some(after)) = (seen.process, seen.before, seen.after) else { return };
    let Some(change) = reference(after) else { return };
    let asked = said(seen.objects, "Passed").any(|one| text(one, "/spec/revision") == Some(change));
    if !asked {
        checkers.violated(Rule::NotAgreed, seen.now, format!("{}: nobody asked to charge {change}", seen.name));
    }
    let all = seen.objects.list(&RELEASE_RECORD, NAMESPACE).into_iter();
    let mut other = all.filter(|one| reference(one) == Some(change)).filter_map(|one| text(one, "/metadata/name"));
    if let Some(other) = other.rfind(|name| *name != seen.name) {
        let says = format!("{change} is charged by {other}, and by {} too", seen.name);
        checkers.violated(Rule::ChargedTwice, seen.now, says);
    }
}

/// A change that was asked for, not taken back, and is not charged yet.
pub(super) fn left_over(objects: &dyn Objects) -> Option<String> {
    let withdrawn = |claim: &Value| {
        said(objects, "Withdrawn").any(|other| {
            ["/spec/author", "/spec/revision"].iter().all(|place| text(other, place) == text(claim, place))
                && time(other, "/metadata/creationTimestamp") >= time(claim, "/metadata/creationTimestamp")
        })
    };
    let charged = |change: &str| {
        let mut all = objects.list(&RELEASE_RECORD, NAMESPACE).into_iter();
        all.any(|one| reference(one) == Some(change) && one.pointer("/status/charge").is_some())
    };
    let open =
        said(objects, "Passed").filter(|claim| !withdrawn(claim)).filter_map(|claim| text(claim, "/spec/revision"));
    open.into_iter().find(|change| !charged(change)).map(|change| format!("{change} is not charged yet"))
}
