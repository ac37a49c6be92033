//! Events have two faces, `v1` and `events.k8s.io/v1`, over one store, which keeps the second.

use serde_json::{Value, json};

use super::resource::{CORE_EVENT, Resource};
use crate::cluster::kind::EVENT;

/// `v1` and `events.k8s.io/v1`.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// Whether objects of this resource look other than they are kept.
pub(super) fn is_core_event(resource: &Resource) -> bool {
    resource.kind == CORE_EVENT
}

/// From `v1` to how it is kept.
pub(super) fn to_kept(event: &mut Value) {
    rename(event, NAMES.iter().map(|(core, kept)| (*core, *kept)), &EVENT.api_version());
}

/// From how it is kept to `v1`.
pub(super) fn to_core(event: &mut Value) {
    rename(event, NAMES.iter().map(|(core, kept)| (*kept, *core)), "v1");
    // Clients of v1 take these for granted.
    if let Some(event) = event.as_object_mut() {
        for (key, default) in [("source", json!({})), ("involvedObject", json!({}))] {
            event.entry(key).or_insert(default);
        }
    }
}

fn rename(event: &mut Value, names: impl Iterator<Item = (&'static str, &'static str)>, api_version: &str) {
    let Some(event) = event.as_object_mut() else { return };
    event.insert("apiVersion".to_owned(), api_version.into());
    for (from, to) in names {
        if let Some(value) = event.remove(from) {
            event.insert(to.to_owned(), value);
        }
    }
}
