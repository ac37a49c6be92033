//! Watches: the log of changes, as one client wants to see it.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::call::{Call, Polled, Query};
use super::lean::Shown;
use super::list::{View, face};
use super::meta;
use super::refuse::{expired, status_of};
use super::resource::Resource;
use super::selector::Selector;
use super::server::ApiServer;
use crate::sandbox::objects::Refusal;

/// An open watch. It belongs to the server that opened it.
#[derive(Debug)]
pub struct Watch {
    resource: Arc<Resource>,
    namespace: String,
    selector: Selector,
    view: View,
    /// The raw query, for tables.
    query: String,
    /// Objects that were there before, still to be sent as added.
    initial: VecDeque<Arc<Value>>,
    /// Whether a bookmark is due that says that these were all.
    mark_initial: bool,
    /// Everything up to this version has been sent.
    version: u64,
    allows_bookmarks: bool,
    /// How many bookmarks the server had asked for when the last was sent.
    bookmarks: u64,
    /// `timeoutSeconds` of the request: the outermost layer ends the watch after it.
    timeout_seconds: Option<u64>,
    ended: bool,
}

impl Watch {
    /// After how many seconds the client wants it to end.
    pub const fn timeout_seconds(&self) -> Option<u64> {
        self.timeout_seconds
    }

    /// The kind that is watched.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// The version up to which everything has been sent.
    pub const fn version(&self) -> u64 {
        self.version
    }
}

impl ApiServer {
    pub(super) fn open_watch(
        &self,
        call: &Call,
        query: &Query,
        resource: &Arc<Resource>,
        namespace: &str,
        name: Option<&str>,
        view: View,
    ) -> Result<Watch, Refusal> {
        let mut fields = query.get("fieldSelector").to_owned();
        if let Some(name) = name {
            fields = format!("metadata.name={name}");
        }
        let selector = Selector::parse(resource, query.get("labelSelector"), &fields)?;
        let asked: u64 = query.get("resourceVersion").parse().unwrap_or(0);
        let streaming = query.is("sendInitialEvents");
        let all = streaming || asked == 0;
        if !all && asked < self.store.compacted() {
            return Err(self.too_old(asked));
        }
        let initial = if all {
            let found = self.store.list(resource.shelf, namespace).map(|(_, _, object)| object);
            found.filter(|object| selector.matches(object)).cloned().collect()
        } else {
            VecDeque::new()
        };
        Ok(Watch {
            resource: Arc::clone(resource),
            namespace: namespace.to_owned(),
            selector,
            view,
            query: call.query.clone(),
            initial,
            mark_initial: streaming,
            version: if all { self.version() } else { asked },
            allows_bookmarks: query.is("allowWatchBookmarks"),
            bookmarks: self.bookmarks,
            timeout_seconds: query.get("timeoutSeconds").parse().ok(),
            ended: false,
        })
    }

    fn too_old(&self, asked: u64) -> Refusal {
        expired(format!("too old resource version: {asked} ({})", self.store.compacted()))
    }

    /// What has happened since the last poll.
    pub fn poll_watch(&self, watch: &mut Watch) -> Polled {
        if watch.ended {
            return Polled::Ended;
        }
        let mut lines = Vec::new();
        while let Some(object) = watch.initial.pop_front() {
            self.line(watch, "ADDED", &object, &mut lines);
        }
        if watch.version < self.store.compacted() {
            watch.ended = true;
            push(&mut lines, "ERROR", &status_of(&self.too_old(watch.version)));
            return Polled::Lines(lines);
        }
        if std::mem::take(&mut watch.mark_initial) {
            self.push_bookmark(watch, true, &mut lines);
        }
        for change in self.store.changes(watch.version) {
            watch.version = change.version;
            let here = watch.namespace.is_empty() || watch.namespace == change.namespace;
            if change.shelf != watch.resource.shelf || !here {
                continue;
            }
            let matches =
                |object: &Option<Arc<Value>>| object.as_ref().is_some_and(|object| watch.selector.matches(object));
            let (was, is) = (matches(&change.before), matches(&change.after));
            match (&change.before, &change.after) {
                (_, Some(after)) if is => {
                    self.line(watch, if was { "MODIFIED" } else { "ADDED" }, after, &mut lines);
                }
                (Some(before), _) if was => {
                    // The last state that was seen, at the version at which it went.
                    let mut last = (**before).clone();
                    meta::set_version(&mut last, change.version);
                    self.line(watch, "DELETED", &last, &mut lines);
                }
                _ => {}
            }
        }
        watch.version = watch.version.max(self.version());
        // Nobody serves a kind any more whose definition is gone.
        if watch.resource.custom() && self.table.rows().iter().all(|row| row.shelf != watch.resource.shelf) {
            watch.ended = true;
            return if lines.is_empty() { Polled::Ended } else { Polled::Lines(lines) };
        }
        if watch.allows_bookmarks && watch.bookmarks < self.bookmarks {
            self.push_bookmark(watch, false, &mut lines);
        }
        watch.bookmarks = self.bookmarks;
        Polled::Lines(lines)
    }

    fn line(&self, watch: &Watch, kind: &str, object: &Value, lines: &mut Vec<u8>) {
        let object = self.show(watch.view, &watch.resource, object, &watch.query);
        push(lines, kind, &Shown { object: &object, lean: self.lean });
    }

    fn push_bookmark(&self, watch: &Watch, end_of_initial: bool, lines: &mut Vec<u8>) {
        let kind = watch.resource.kind;
        let mut mark = json!({
            "kind": kind.kind, "apiVersion": kind.api_version(),
            "metadata": {"resourceVersion": watch.version.to_string(), "creationTimestamp": null},
        });
        if end_of_initial {
            meta::set(&mut mark, "annotations", Some(json!({"k8s.io/initial-events-end": "true"})));
        }
        let mark = match watch.view {
            View::Plain | View::Table => face(&watch.resource, &mark).into_owned(),
            View::Partial => {
                let metadata = mark.get("metadata").cloned().unwrap_or_default();
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
        };
        push(lines, "BOOKMARK", &mark);
    }
}

fn push(lines: &mut Vec<u8>, kind: &str, object: &impl Serialize) {
    lines.extend_from_slice(b"{\"type\":\"");
    lines.extend_from_slice(kind.as_bytes());
    lines.extend_from_slice(b"\",\"object\":");
    // Writing a `Value` into memory cannot fail.
    let _ = serde_json::to_writer(&mut *lines, object);
    lines.extend_from_slice(b"}\n");
}
