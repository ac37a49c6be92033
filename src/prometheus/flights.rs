//! Queries on their way: who asks what is being asked already waits for the same answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared, WeakShared};

use super::client::When;
use super::slots::Asker;

/// What is asked, of one source. Namespaces share nothing, so that none waits for a place of another's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    /// None is the administrator.
    pub(super) namespace: Option<String>,
    pub(super) query: String,
    pub(super) when: When,
}

impl Asked {
    pub(super) fn new(asker: Asker<'_>, query: &str, when: When) -> Self {
        let namespace = match asker {
            Asker::Administrator => None,
            Asker::Namespace(name) => Some(name.to_owned()),
        };
        Self { namespace, query: query.to_owned(), when }
    }
}

/// The queries of one source that are on their way. They are carried on by whoever waits: a look that is dropped loses no other one's
/// answer, and what nobody waits for any more ends. So there are never more than waiting looks.
pub(super) struct Flights<T>(Mutex<BTreeMap<Asked, WeakShared<BoxFuture<'static, T>>>>);

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Flights<T> {
    /// The answer of what is on its way, where that is the same; else of what `send` begins. An error is shared as an answer is.
    pub(super) async fn join(&self, asked: Asked, send: impl FnOnce(Asked) -> BoxFuture<'static, T>) -> T {
        self.flight(asked, send).await
    }

    fn flight(&self, asked: Asked, send: impl FnOnce(Asked) -> BoxFuture<'static, T>) -> Shared<BoxFuture<'static, T>> {
        let under_way = |flight: &WeakShared<_>| flight.upgrade().filter(|flight| flight.peek().is_none());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = all.get(&asked).and_then(under_way) {
            return flight;
        }
        all.retain(|_, flight| under_way(flight).is_some());
        let flight = send(asked.clone()).shared();
        if let Some(weak) = flight.downgrade() {
            all.insert(asked, weak);
        }
        flight
    }
}
