//! A ConfigMap that the pods read, edited in place: it goes on record once, charged, as what ran past the gate, and an edit
//! is never forgotten without a record.

use serde_json::Value;

use super::{Checkers, Left, NAME, NAMESPACE, Rule, Seen, newest_record, text, time};
use crate::api::{Span, Time};
use crate::cluster::kind::{DEPLOYMENT, RISK_BUDGET};
use crate::sandbox::objects::Objects;

/// How long a GatedRelease may be there before the ConfigMaps of its workload are noted.
const NOTED_WITHIN: Span = Span::seconds(30);

/// What is remembered of edits.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// Those that no record of an edit was made after.
    unrecorded: Vec<Time>,
    /// When an edit, or the record of one, was last seen.
    last: Option<Time>,
    /// Records that were closed as they were opened, since the mark of the ConfigMap last changed.
    sealed: u32,
}

/// Whether a record is that of an edit, and not of a template that somebody calls a change of configuration.
fn is_of_edit(record: &Value) -> bool {
    text(record, "/spec/closedAs") == Some("Bypassed")
        && text(record, "/spec/change/type") == Some("Config")
        && text(record, "/spec/change/reference").is_none_or(|it| it.is_empty() || it.starts_with("config:"))
}

/// A ConfigMap changed.
pub(super) fn edited(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(before), Some(after)) = (seen.before, seen.after) else { return };
    if seen.name == NAME && before.get("data") != after.get("data") {
        checkers.edits.unrecorded.push(seen.now);
        checkers.edits.last = Some(seen.now);
    }
}

/// A record was made, or closed.
pub(super) fn record(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let calm = checkers.circumstances.calm_since;
    if seen.before.is_none() && text(after, "/spec/closedAs").is_some() {
        checkers.edits.sealed += 1;
    }
    if !is_of_edit(after) {
        return;
    }
    if seen.before.is_none() {
        let undisturbed = calm.zip(checkers.edits.last).is_none_or(|(calm, last)| calm.0 <= last.0);
        // Who dies between the record and the note of it records an edit twice.
        if checkers.edits.unrecorded.is_empty() && undisturbed {
            let says = format!("{} records an edit of a ConfigMap that nobody made, or that is on record", seen.name);
            checkers.violated(Rule::EditRecorded, seen.now, says);
        }
        checkers.edits.unrecorded.clear();
        checkers.edits.last = Some(seen.now);
        return;
    }
    let closes = seen.before.is_some_and(|before| text(before, "/status/outcome").is_none())
        && text(after, "/status/outcome").is_some();
    let began = time(after, "/metadata/creationTimestamp");
    let undisturbed = calm.zip(began).is_some_and(|(calm, began)| calm.0 <= began.0);
    let charged = after.pointer("/status/charge").is_some_and(|charge| !charge.is_null());
    let waits = text(after, "/status/chargeWaits").is_some();
    if closes && undisturbed && !charged && !waits && seen.objects.get(&RISK_BUDGET, NAMESPACE, NAME).is_some() {
        let says = format!("{}: the edit of a ConfigMap is closed and not charged", seen.name);
        checkers.violated(Rule::NotCharged, seen.now, says);
    }
}

/// The mark of a ConfigMap is not replaced by another without a record that says so.
pub(super) fn noted(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    let place = format!("/status/workload/config/{NAME}");
    let (Some(stood), Some(stands)) = (text(before, &place), text(after, &place)) else { return };
    if stood == stands {
        return;
    }
    if checkers.edits.sealed == 0 {
        let says = "the edit of a ConfigMap is noted, and no record says that it was edited".to_owned();
        checkers.violated(Rule::EditRecorded, seen.now, says);
    }
    checkers.edits.sealed = 0;
}

impl Checkers {
    /// When all is calm: an edit that should be on record, in words.
    pub fn unseen_edit(&self, objects: &dyn Objects) -> Option<Left> {
        let first = *self.edits.unrecorded.first()?;
        let release = super::release(objects).filter(|release| !super::leaves(release))?;
        let workload = objects.get(&DEPLOYMENT, NAMESPACE, NAME)?;
        let gated = workload.pointer("/metadata/labels/tidegate.io~1gated").is_some();
        let held = workload.pointer("/spec/paused") == Some(&true.into());
        let made = time(release, "/metadata/creationTimestamp").is_some_and(|at| first.since(at) > NOTED_WITHIN);
        let newest = newest_record(objects)?;
        let ended = time(newest, "/status/endedAt").is_none_or(|at| at.0 <= first.0);
        // Another record of what ran ungated says enough of its time; an hour's edits share one record.
        let told = is_of_edit(newest) || text(newest, "/spec/closedAs").is_some() && !ended;
        let runs = matches!(text(newest, "/status/outcome"), Some("Succeeded" | "Bootstrap" | "Bypassed"));
        (gated && !held && made && runs && !told)
            .then(|| Left::NotHome(format!("the ConfigMap was edited at {}, and no record says so", first.clock())))
    }
}
