//! What is looked at next: each object once at a time, at the earliest moment that anybody asked for.
//!
//! Written here because the client library's controller keeps whole objects, counts no failures, and its streams are
//! unstable; all that is needed is names and times.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// An object that is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    /// A RiskBudget; first, because releases wait for it.
    Budget { namespace: String, name: String },
    /// A GatedRelease.
    Release { namespace: String, name: String },
    /// A Deployment under the gate that no GatedRelease names.
    Deployment { namespace: String, name: String },
    /// The same of a StatefulSet.
    StatefulSet { namespace: String, name: String },
}

impl Key {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Budget { .. } => "RiskBudget",
            Self::Release { .. } => "GatedRelease",
            Self::Deployment { .. } => "Deployment",
            Self::StatefulSet { .. } => "StatefulSet",
        }
    }

    pub(super) fn release(namespace: &str, name: &str) -> Self {
        Self::Release { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    pub(super) fn budget(namespace: &str, name: &str) -> Self {
        Self::Budget { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    pub(super) fn deployment(namespace: &str, name: &str) -> Self {
        Self::Deployment { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl Key {
    pub(super) fn stateful_set(namespace: &str, name: &str) -> Self {
        Self::StatefulSet { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Budget { namespace, name }
        | Self::Release { namespace, name }
        | Self::Deployment { namespace, name }
        | Self::StatefulSet { namespace, name }) = self;
        write!(f, "{} {namespace}/{name}", self.kind())
    }
}

/// Who goes first among those whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// A release that goes on, whose way back must not wait, or a budget that releases wait for.
    Urgent,
    /// Everything else, such as a thousand idle releases after a start.
    Calm,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    urgent: BTreeSet<(Instant, Key)>,
    calm: BTreeSet<(Instant, Key)>,
    asked: BTreeMap<Key, (Lane, Instant)>,
    running: BTreeSet<Key>,
    /// Asked for while being looked at.
    again: BTreeMap<Key, (Lane, Instant)>,
    failures: BTreeMap<Key, u32>,
    closed: bool,
}

impl State {
    fn lane(&mut self, lane: Lane) -> &mut BTreeSet<(Instant, Key)> {
        match lane {
            Lane::Urgent => &mut self.urgent,
            Lane::Calm => &mut self.calm,
        }
    }

    /// Asks for a look: of all that was asked for, the more urgent lane and the earlier moment hold.
    fn put(&mut self, key: &Key, lane: Lane, at: Instant) {
        if self.running.contains(key) {
            let (stands, moment) = self.again.entry(key.clone()).or_insert((lane, at));
            (*stands, *moment) = (lane.min(*stands), at.min(*moment));
            return;
        }
        let (mut lane, mut at) = (lane, at);
        if let Some((stands, moment)) = self.asked.remove(key) {
            self.lane(stands).remove(&(moment, key.clone()));
            (lane, at) = (lane.min(stands), at.min(moment));
        }
        self.asked.insert(key.clone(), (lane, at));
        self.lane(lane).insert((at, key.clone()));
    }

    /// The object whose turn it is; otherwise when the next one's is.
    fn take(&mut self, now: Instant) -> Result<Key, Option<Instant>> {
        let mut next = None;
        for lane in [Lane::Urgent, Lane::Calm] {
            let Some((at, key)) = self.lane(lane).first().cloned() else { continue };
            if at <= now {
                self.lane(lane).pop_first();
                self.asked.remove(&key);
                self.running.insert(key.clone());
                return Ok(key);
            }
            next = Some(next.map_or(at, |next: Instant| next.min(at)));
        }
        Err(next)
    }
}

impl Queue {
    /// Asks for a look after `pause`; an earlier or more urgent one that was asked for stays so.
    pub(super) fn add(&self, key: &Key, lane: Lane, pause: Duration) {
        self.state().put(key, lane, Instant::now() + pause);
        self.changed.notify_one();
    }

    /// The next object, when its time has come; none once the queue is closed.
    pub(super) async fn next(&self) -> Option<Key> {
        loop {
            let next = {
                let mut state = self.state();
                if state.closed {
                    self.changed.notify_one();
                    return None;
                }
                match state.take(Instant::now()) {
                    Ok(key) => {
                        // Another worker may look at the rest.
                        self.changed.notify_one();
                        return Some(key);
                    }
                    Err(next) => next,
                }
            };
            let changed = self.changed.notified();
            match next {
                None => changed.await,
                Some(at) => {
                    tokio::select! {
                        biased;
                        () = changed => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
            }
        }
    }

    /// How many looks at this object failed in a row, this one included.
    pub(super) fn failed(&self, key: &Key) -> u32 {
        let mut state = self.state();
        let failures = state.failures.entry(key.clone()).or_insert(0);
        *failures = failures.saturating_add(1);
        *failures
    }

    /// Ends a look; the next is after the pause at the latest.
    pub(super) fn done(&self, key: &Key, next: Option<(Lane, Duration)>) {
        let mut state = self.state();
        state.running.remove(key);
        if let Some((lane, at)) = state.again.remove(key) {
            state.put(key, lane, at);
        }
        if let Some((lane, pause)) = next {
            state.put(key, lane, Instant::now() + pause);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// A look went well.
    pub(super) fn succeeded(&self, key: &Key) {
        self.state().failures.remove(key);
    }

    /// Nothing more is looked at.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_waiters();
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::release("shop", name)
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn the_earliest_moment_wins_and_an_object_comes_once() {
        let queue = Queue::default();
        queue.add(&key("a"), Lane::Calm, 10 * SECOND);
        queue.add(&key("a"), Lane::Calm, SECOND);
        queue.add(&key("a"), Lane::Calm, 5 * SECOND);
        let start = Instant::now();
        assert_eq!(queue.next().await, Some(key("a")));
        assert_eq!(start.elapsed().as_secs(), 1);
        queue.done(&key("a"), None);
        assert!(tokio::time::timeout(60 * SECOND, queue.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_is_never_looked_at_twice_at_once() {
        let queue = Queue::default();
        queue.add(&key("a"), Lane::Calm, Duration::ZERO);
        assert_eq!(queue.next().await, Some(key("a")));
        queue.add(&key("a"), Lane::Calm, Duration::ZERO);
        assert!(tokio::time::timeout(60 * SECOND, queue.next()).await.is_err());
        queue.done(&key("a"), Some((Lane::Calm, 300 * SECOND)));
        assert_eq!(queue.next().await, Some(key("a")), "what was asked for meanwhile comes at once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_release_that_goes_on_does_not_wait_behind_idle_ones() {
        let queue = Queue::default();
        for name in ["a", "b", "c", "going"] {
            queue.add(&key(name), Lane::Calm, Duration::ZERO);
        }
        tokio::time::advance(SECOND).await;
        queue.add(&key("going"), Lane::Urgent, Duration::ZERO);
        assert_eq!(queue.next().await, Some(key("going")));
        assert_eq!(queue.next().await, Some(key("a")));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_count_until_one_look_goes_well() {
        let queue = Queue::default();
        assert_eq!((queue.failed(&key("a")), queue.failed(&key("a")), queue.failed(&key("b"))), (1, 2, 1));
        queue.succeeded(&key("a"));
        assert_eq!(queue.failed(&key("a")), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_queue_wakes_everybody() {
        let queue = std::sync::Arc::new(Queue::default());
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                tokio::spawn({
                    let queue = queue.clone();
                    async move { queue.next().await }
                })
            })
            .collect();
        tokio::time::sleep(SECOND).await;
        queue.close();
        for one in waiting {
            assert_eq!(one.await.unwrap(), None);
        }
    }
}
