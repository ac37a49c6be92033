//! How many queries are sent to one server at once, and on whose behalf.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// How many queries are under way to one server at once. Prometheus itself evaluates 20 (`--query.max-concurrency`).
pub(super) const AT_ONCE: usize = 8;
/// How many of these may be one namespace's: however slow what its teams ask, two places stay for the others.
pub(super) const OF_ONE: usize = 6;

/// On whose behalf a query is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker<'a> {
    /// The administrator's: circuit breakers and signals.
    Administrator,
    /// That of a release or a budget in a namespace.
    Namespace(&'a str),
}

/// The places of one server. Who comes first gets the next one that is free, and of a namespace's queries likewise.
pub(super) struct Slots {
    all: Semaphore,
    /// What is left to each namespace that asks at present.
    of_one: Mutex<BTreeMap<String, Weak<Semaphore>>>,
}

/// A place, until it is dropped.
pub(super) struct Slot<'a> {
    _of_all: SemaphorePermit<'a>,
    _of_one: Option<OwnedSemaphorePermit>,
}

impl Default for Slots {
    fn default() -> Self {
        Self { all: Semaphore::new(AT_ONCE), of_one: Mutex::default() }
    }
}

impl Slots {
    /// Waits for a place for a namespace, or for the administrator; none where there will be none any more.
    pub(super) async fn take(&self, namespace: Option<&str>) -> Option<Slot<'_>> {
        // Its own first: who waits for that stands in nobody's way.
        let of_one = match namespace {
            Some(namespace) => Some(self.of(namespace).acquire_owned().await.ok()?),
            None => None,
        };
        Some(Slot { _of_all: self.all.acquire().await.ok()?, _of_one: of_one })
    }

    fn of(&self, namespace: &str) -> Arc<Semaphore> {
        let mut all = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = all.get(namespace).and_then(Weak::upgrade) {
            return found;
        }
        all.retain(|_, one| one.strong_count() > 0);
        let new = Arc::new(Semaphore::new(OF_ONE));
        all.insert(namespace.to_owned(), Arc::downgrade(&new));
        new
    }
}
