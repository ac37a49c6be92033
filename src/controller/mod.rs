//! The reconcilers: wiring only.
//!
//! Watches and timers fill one queue; workers take an object each, look at it afresh, and put it back for its next look.
//! What must never enter: a decision about a release (`release`), a request of its own (`cluster`, `prometheus`).

mod alone;
mod budget;
mod charges;
mod index;
mod ledger;
mod loosening;
mod obligations;
mod preflight;
mod process;
mod prune;
mod queue;
mod refusals;
mod release;
mod triggers;
mod ungated;
mod words;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cluster::kind::{DEPLOYMENT, STATEFUL_SET};
use crate::cluster::observe::Measured;
use crate::cluster::{Cluster, Error, elsewhere};
use crate::issuers::Trusted;
use crate::prometheus::Sources;
use crate::prometheus::signals::Shared;
use crate::server::{Health, Metrics};
use crate::synthetic::Checks;

pub use alone::{Alone, has_left};
pub use process::{Ended, asked, lead};

use index::Index;
use queue::{Key, Lane, Queue};

/// How many objects are looked at at once.
const WORKERS: usize = 8;
/// How long the work under way may take when the process is asked to end.
const FINISH_WITHIN: Duration = Duration::from_secs(8);
/// The longest pause after a failure.
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// The first pause after a failure.
const BACKOFF_MIN: Duration = Duration::from_millis(500);

/// What every reconciler works with.
pub struct Context {
    /// The API server.
    pub cluster: Cluster,
    /// Prometheus.
    pub sources: Sources,
    /// Requests of Tidegate's own to new versions.
    pub checks: Checks,
    /// The numbers shown.
    pub metrics: Arc<Metrics>,
    /// The state of this process.
    pub health: Arc<Health>,
    /// The namespace that is looked after; all where empty.
    pub namespace: String,
    issuers: Trusted,
    queue: Queue,
    index: Index,
    budgets: Budgets,
    books: ledger::Books,
    words: words::Words,
    signals: Shared,
    passes: prune::Passes,
    pending: loosening::Pending,
    files: obligations::Files,
    preflights: preflight::Found,
    elsewhere: elsewhere::Shared,
    refusals: refusals::Refusals,
    told: Mutex<BTreeMap<Key, String>>,
    started: Instant,
}

/// When an object is looked at again.
enum Next {
    /// At this distance, before or among the others.
    In(Lane, Duration),
    /// When something changes.
    OnChange,
}

/// Which budgets were measured since the process began.
#[derive(Default)]
struct Budgets(Mutex<BTreeMap<(String, String), i64>>);

impl Budgets {
    /// Notes that a generation was measured; says whether it is the first time.
    fn note(&self, namespace: &str, name: &str, generation: i64) -> bool {
        lock(&self.0).insert((namespace.to_owned(), name.to_owned()), generation) != Some(generation)
    }

    fn forget(&self, namespace: &str, name: &str) {
        lock(&self.0).remove(&(namespace.to_owned(), name.to_owned()));
    }
}

impl Measured for Budgets {
    fn since_start(&self, namespace: &str, name: &str, generation: i64) -> bool {
        lock(&self.0).get(&(namespace.to_owned(), name.to_owned())) == Some(&generation)
    }
}

impl Context {
    /// A controller that has not begun yet.
    pub fn new(
        cluster: Cluster,
        sources: Sources,
        checks: Checks,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
        namespace: &str,
    ) -> Self {
        let passes = prune::Passes::every(sources.config().records.interval);
        Self {
            cluster,
            sources,
            checks,
            metrics,
            health,
            namespace: namespace.to_owned(),
            issuers: Trusted::default(),
            queue: Queue::default(),
            index: Index::default(),
            budgets: Budgets::default(),
            books: ledger::Books::default(),
            words: words::Words::default(),
            signals: Shared::default(),
            passes,
            pending: loosening::Pending::default(),
            files: obligations::Files::default(),
            preflights: preflight::Found::default(),
            elsewhere: elsewhere::Shared::default(),
            refusals: refusals::Refusals::default(),
            told: Mutex::default(),
            started: Instant::now(),
        }
    }

    /// The same, where statements of these issuers count; of nobody's otherwise.
    pub fn trusting(self, issuers: Trusted) -> Self {
        Self { issuers, ..self }
    }

    /// The same, beginning now: a standby may have waited long.
    pub fn begun(self) -> Self {
        Self { started: Instant::now(), ..self }
    }

    /// How urgent a look is, as far as the watches tell.
    fn lane(&self, key: &Key) -> Lane {
        match key {
            Key::Budget { .. } => Lane::Urgent,
            Key::Release { namespace, name } => self.index.lane(namespace, name),
            Key::Deployment { .. } | Key::StatefulSet { .. } => Lane::Calm,
        }
    }

    /// Whether something is said of an object for the first time since it changed.
    fn is_news(&self, key: &Key, what: String) -> bool {
        lock(&self.told).insert(key.clone(), what.clone()) != Some(what)
    }

    fn old_news(&self, key: &Key) {
        lock(&self.told).remove(key);
    }
}

/// Looks after everything until `stop` is ready; then lets the work under way finish.
pub async fn run(context: Arc<Context>, stop: impl Future<Output = ()>) {
    let mut watches = triggers::spawn(&context);
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        workers.spawn(work(context.clone(), worker));
    }
    tokio::select! {
        biased;
        () = stop => {}
        _ = watches.join_next() => tracing::error!("a watch ended, which it never should"),
        _ = workers.join_next() => tracing::error!("a worker ended, which it never should"),
    }
    watches.abort_all();
    context.queue.close();
    let finished = tokio::time::timeout(FINISH_WITHIN, async { while workers.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        tracing::warn!("work under way was cut off; it is planned again from what the API server says");
    }
}

/// One look at a GatedRelease and what follows from it, for a process that runs no loop of its own; says when to look
/// again at the latest, where nothing changes before.
pub async fn look_once(context: &Context, namespace: &str, name: &str) -> Result<Option<Duration>, Error> {
    let next = release::reconcile(context, &Key::release(namespace, name), namespace, name).await?;
    Ok(match next {
        Next::In(_, pause) => Some(pause),
        Next::OnChange => None,
    })
}

async fn work(context: Arc<Context>, worker: usize) {
    while let Some(key) = context.queue.next().await {
        context.health.working(worker, true);
        let started = Instant::now();
        let kind = key.kind();
        let result = match &key {
            Key::Release { namespace, name } => release::reconcile(&context, &key, namespace, name).await,
            Key::Budget { namespace, name } => budget::reconcile(&context, &key, namespace, name).await,
            Key::Deployment { namespace, name } => {
                ungated::reconcile(&context, &key, &DEPLOYMENT, namespace, name).await
            }
            Key::StatefulSet { namespace, name } => {
                ungated::reconcile(&context, &key, &STATEFUL_SET, namespace, name).await
            }
        };
        context.metrics.reconciled(kind, started.elapsed(), result.as_ref().err().map(Error::kind));
        match result {
            Ok(next) => {
                context.queue.succeeded(&key);
                context.queue.done(
                    &key,
                    match next {
                        Next::In(lane, pause) => Some((lane, pause)),
                        Next::OnChange => None,
                    },
                );
            }
            Err(error) => {
                let pause = backoff(context.queue.failed(&key), context.cluster.chance());
                if error.is_outdated() {
                    tracing::debug!(%key, %error, ?pause, "planned again");
                } else {
                    tracing::warn!(%key, %error, ?pause, "looked at again later");
                }
                context.queue.done(&key, Some((context.lane(&key), pause)));
            }
        }
        context.health.working(worker, false);
    }
}

/// Doubles with every failure in a row; a random part keeps objects that failed together apart.
fn backoff(failures: u32, chance: f64) -> Duration {
    let base = BACKOFF_MIN.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(BACKOFF_MAX);
    base.mul_f64(0.5 + 0.5 * chance)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_have_an_end() {
        for chance in [0.0, 0.5, 1.0] {
            assert!(backoff(1, chance) <= BACKOFF_MIN);
            assert!(backoff(4, chance) >= BACKOFF_MIN * 4);
            for failures in [8, 20, u32::MAX] {
                assert!((BACKOFF_MAX / 2..=BACKOFF_MAX).contains(&backoff(failures, chance)));
            }
        }
    }
}
