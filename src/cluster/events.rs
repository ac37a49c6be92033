//! Events for the person on call. An event that cannot be written is logged and forgotten: it never fails a decision.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::kind::EVENT;
use super::{Cluster, Kind};
use crate::api::names::MANAGER;
use crate::release::action::{Event, EventKind};

/// The longest note that the API server takes, in bytes.
const NOTE_MAX: usize = 1024;

/// The object that an event is about.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// Its kind.
    pub kind: &'a Kind,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its UID.
    pub uid: &'a str,
}

impl Cluster {
    /// Writes an event. The recorder of the client library is not used: it merges events of one reason within six
    /// minutes and keeps the first note, and here every step has a note of its own.
    pub async fn tell(&self, about: &About<'_>, event: &Event) {
        let now = self.now();
        let object =
            body(about, event, &now.0.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(), &self.reporter, self.sequence());
        if let Err(error) = self.create(&EVENT, about.namespace, &object).await {
            tracing::warn!(namespace = about.namespace, name = about.name, reason = event.reason, %error, "an event could not be written");
        }
    }

    /// Names need to differ between processes and within one.
    fn sequence(&self) -> String {
        let mut process = DefaultHasher::new();
        self.reporter.hash(&mut process);
        let micros = self.now().0.as_microsecond();
        format!("{micros:x}{:03x}{:03x}", self.told.fetch_add(1, Ordering::Relaxed) & 0xfff, process.finish() & 0xfff)
    }
}

fn body(about: &About<'_>, event: &Event, at: &str, reporter: &str, sequence: String) -> Value {
    let kind = match event.kind {
        EventKind::Normal => "Normal",
        EventKind::Warning => "Warning",
    };
    let stem: String = about.name.chars().take(200).collect();
    json!({
        "apiVersion": EVENT.api_version(),
        "kind": EVENT.kind,
        "metadata": {"name": format!("{stem}.{sequence}"), "namespace": about.namespace},
        "eventTime": at,
        "reportingController": MANAGER,
        "reportingInstance": reporter,
        "action": event.reason,
        "reason": event.reason,
        "type": kind,
        "note": shortened(&event.note),
        "regarding": {
            "apiVersion": about.kind.api_version(),
            "kind": about.kind.kind,
            "namespace": about.namespace,
            "name": about.name,
            "uid": about.uid,
        },
    })
}

fn shortened(note: &str) -> String {
    if note.len() <= NOTE_MAX {
        return note.to_owned();
    }
    let end = (0..=NOTE_MAX - '…'.len_utf8()).rev().find(|at| note.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &note[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_where_a_character_ends() {
        let cut = shortened(&"ü".repeat(900));
        assert!(cut.len() <= NOTE_MAX && cut.ends_with("ü…"), "{}", cut.len());
        assert_eq!(shortened("short"), "short");
    }
}
