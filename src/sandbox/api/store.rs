//! Objects by shelf, namespace and name; one counter of versions; the log of changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::cluster::Kind;
use crate::sandbox::user::User;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// It is new.
    Added,
    /// It was changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One write that changed something.
#[derive(Debug, Clone)]
pub struct Change {
    /// The resourceVersion that it made.
    pub version: u64,
    /// The kind; an event always as of `events.k8s.io/v1`.
    pub kind: Kind,
    /// Empty for what has none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// What happened.
    pub verb: Verb,
    /// Who did it.
    pub by: Arc<User>,
    /// Through which subresource.
    pub subresource: Option<&'static str>,
    /// The object before; none where it is new.
    pub before: Option<Arc<Value>>,
    /// The object after; none where it is gone.
    pub after: Option<Arc<Value>>,
    pub(super) shelf: usize,
}

type Shelf = BTreeMap<String, BTreeMap<String, Arc<Value>>>;

/// The objects and their history.
#[derive(Debug, Default)]
pub(super) struct Store {
    shelves: Vec<Shelf>,
    log: Vec<Change>,
    /// The newest version that the log does not hold any more.
    compacted: u64,
    version: u64,
}

/// What a write is, beside the object.
pub(super) struct Written<'a> {
    pub(super) shelf: usize,
    pub(super) kind: Kind,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) by: Arc<User>,
    pub(super) subresource: Option<&'static str>,
}

impl Store {
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    pub(super) const fn compacted(&self) -> u64 {
        self.compacted
    }

    pub(super) fn get(&self, shelf: usize, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.shelves.get(shelf)?.get(namespace)?.get(name)
    }

    /// Ordered by namespace and name; an empty namespace means all.
    pub(super) fn list(&self, shelf: usize, namespace: &str) -> impl Iterator<Item = (&str, &str, &Arc<Value>)> {
        let shelf = self.shelves.get(shelf);
        let one = if namespace.is_empty() { None } else { shelf.and_then(|shelf| shelf.get_key_value(namespace)) };
        let all = if namespace.is_empty() { shelf } else { None };
        one.into_iter().chain(all.into_iter().flatten()).flat_map(|(place, objects)| {
            objects.iter().map(move |(name, object)| (place.as_str(), name.as_str(), object))
        })
    }

    pub(super) fn is_empty(&self, shelf: usize) -> bool {
        self.list(shelf, "").next().is_none()
    }

    /// The version that the next write will get.
    pub(super) const fn next(&self) -> u64 {
        self.version + 1
    }

    /// Writes, or removes where `after` is none. The caller has put [`Store::next`] into the object.
    pub(super) fn write(&mut self, written: Written<'_>, after: Option<Arc<Value>>) {
        if self.shelves.len() <= written.shelf {
            self.shelves.resize_with(written.shelf + 1, Shelf::new);
        }
        let Some(shelf) = self.shelves.get_mut(written.shelf) else { return };
        let before = match &after {
            Some(object) => {
                let place = match shelf.get_mut(written.namespace) {
                    Some(place) => place,
                    None => shelf.entry(written.namespace.to_owned()).or_default(),
                };
                match place.get_mut(written.name) {
                    Some(stands) => Some(std::mem::replace(stands, Arc::clone(object))),
                    None => place.insert(written.name.to_owned(), Arc::clone(object)),
                }
            }
            None => shelf.get_mut(written.namespace).and_then(|place| place.remove(written.name)),
        };
        let verb = match (&before, &after) {
            (None, _) => Verb::Added,
            (Some(_), Some(_)) => Verb::Modified,
            (Some(_), None) => Verb::Deleted,
        };
        self.version += 1;
        self.log.push(Change {
            version: self.version,
            kind: written.kind,
            namespace: written.namespace.to_owned(),
            name: written.name.to_owned(),
            verb,
            by: written.by,
            subresource: written.subresource,
            before,
            after,
            shelf: written.shelf,
        });
    }

    /// The changes after a version, oldest first. What was compacted is missing.
    pub(super) fn changes(&self, after: u64) -> &[Change] {
        let skip = usize::try_from(after.saturating_sub(self.compacted)).unwrap_or(usize::MAX);
        self.log.get(skip..).unwrap_or_default()
    }

    /// Forgets the changes up to a version.
    pub(super) fn compact(&mut self, version: u64) {
        let version = version.min(self.version);
        let forget = usize::try_from(version.saturating_sub(self.compacted)).unwrap_or(0).min(self.log.len());
        self.log.drain(..forget);
        self.compacted = self.compacted.max(version);
    }
}
