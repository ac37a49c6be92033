//! A new template of a gated workload is held in the very write that brings it, whoever writes, and whatever answers for
//! admission: policies or a webhook.

use serde_json::Value;

use super::workload::{glass, is_spent};
use super::{Checkers, NAME, Rule, Seen};
use crate::cluster::kind::STATEFUL_SET;

/// What of a template is the program's: annotations may be those of a restart.
pub(super) fn program(object: &Value) -> (Option<&Value>, Option<&Value>) {
    (object.pointer("/spec/template/spec"), object.pointer("/spec/template/metadata/labels"))
}

pub(super) fn gated(object: &Value) -> bool {
    object.pointer("/metadata/labels/tidegate.io~1gated").is_some()
}

/// Whether the write brings a reason for break-glass that was never given before.
pub(super) fn breaks(before: &Value, after: &Value) -> bool {
    glass(after).is_some_and(|reason| glass(before) != Some(reason) && !is_spent(before, reason))
}

/// A write of the workload.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (None, Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    if seen.name != NAME || program(before) == program(after) || !gated(after) || breaks(before, after) {
        return;
    }
    let held = if seen.kind.kind == STATEFUL_SET.kind {
        // Where pods get it when somebody deletes them there is nothing to hold it by, and that is refused.
        let on_delete = |object: &Value| super::text(object, "/spec/updateStrategy/type") == Some("OnDelete");
        super::count::partition(after) > 0 || on_delete(before) && on_delete(after)
    } else {
        after.pointer("/spec/paused") == Some(&true.into())
    };
    if !held {
        let says = format!("{} {} gets a new template, is gated, and is not held", seen.kind.kind, seen.name);
        checkers.violated(Rule::NotHeld, seen.now, says);
    }
}
