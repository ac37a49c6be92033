//! A second GatedRelease that names the workload: while the first has it, nothing that Tidegate writes says its name but its own
//! status; and what the one released is no bypass of the other, when it takes over.

use serde_json::Value;

use super::{Checkers, NAME, NAMESPACE, Rule, Seen, TWIN, holder, newest_of, text, time};
use crate::cluster::kind::RELEASE_RECORD;

/// A write of any object.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let record = seen.kind.plural == "releaserecords" && seen.before.is_none();
    if record {
        charged_again(checkers, seen, after);
    }
    // Who has it writes, and who had it is told who has.
    let (says, whose) = match (holder(seen.objects), seen.kind.plural, seen.name) {
        (_, "events", _) => return,
        (TWIN, _, _) => (record && text(after, "/spec/release") == Some(NAME), NAME),
        // The finalizer goes with its first release alone.
        (_, "gatedreleases", TWIN) => {
            let has = |object: &Value| object.pointer("/metadata/finalizers").is_some();
            (has(after) && !seen.before.is_some_and(has), TWIN)
        }
        // It may say a moment later what it has seen.
        (_, "gatedreleases", _) => return,
        _ => (says(after) && !seen.before.is_some_and(says), TWIN),
    };
    if says {
        let says = format!("{} {} was written for {whose}, whose workload another one has", seen.kind.kind, seen.name);
        checkers.violated(Rule::TwinWrote, seen.now, says);
    }
}

/// A record of a template that ran ungated is made: the other one did not release just that before it let go.
fn charged_again(checkers: &mut Checkers, seen: &Seen<'_>, record: &Value) {
    let release = text(record, "/spec/release");
    let other = match release {
        Some(NAME) => TWIN,
        Some(TWIN) => NAME,
        Some(_) | None => return,
    };
    let Some(theirs) = newest_of(seen.objects, other) else { return };
    let all = seen.objects.list(&RELEASE_RECORD, NAMESPACE).into_iter();
    let ours =
        all.filter(|one| text(one, "/spec/release") == release && text(one, "/metadata/name") != Some(seen.name));
    let at = |record: &Value| time(record, "/metadata/creationTimestamp");
    let since = ours.filter_map(at).max();
    let ran = matches!(text(theirs, "/status/outcome"), Some("Succeeded" | "Bootstrap" | "Bypassed"));
    let same = text(theirs, "/spec/revision") == text(record, "/spec/revision");
    let bypass = text(record, "/spec/closedAs") == Some("Bypassed");
    if bypass && ran && same && at(theirs) > since {
        let theirs = text(theirs, "/metadata/name").unwrap_or_default();
        let says = format!("{} calls a bypass what {theirs} tells of", seen.name);
        checkers.violated(Rule::ChargedTwice, seen.now, says);
    }
}

fn says(object: &Value) -> bool {
    object.to_string().contains(TWIN)
}
