//! A second GatedRelease that names the workload, while the first has it: nothing that Tidegate writes says its name, but its own
//! status.

use super::{Checkers, Rule, Seen, TWIN};

/// A write of any object.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let says = match (seen.kind.plural, seen.name) {
        ("events", _) => return,
        ("gatedreleases", TWIN) => after.pointer("/metadata/finalizers").is_some(),
        _ => says(after) && !seen.before.is_some_and(says),
    };
    if says {
        let says = format!("{} {} was written for {TWIN}, whose workload another one has", seen.kind.kind, seen.name);
        checkers.violated(Rule::TwinWrote, seen.now, says);
    }
}

fn says(object: &serde_json::Value) -> bool {
    object.to_string().contains(TWIN)
}
