//! Watches, which only say that something changed. What it is now is read when it is decided about.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kube::Api;
use kube::core::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;

use super::{Clock, Cluster, Kind};

/// What a watch says.
#[derive(Debug)]
pub enum Change<K> {
    /// It is there, new or changed.
    Is(K),
    /// It is gone, or matches no longer.
    Gone(K),
    /// All that there is has been said; what is not in this set of namespaces and names is gone.
    Whole(BTreeSet<(String, String)>),
}

/// Watches metadata only; never ends.
pub async fn metadata(
    cluster: &Cluster,
    kind: &Kind,
    namespace: &str,
    labels: &str,
    on: impl FnMut(Change<PartialObjectMeta<DynamicObject>>),
) {
    follow(cluster, api(cluster, kind, namespace), kind, labels, on).await;
}

/// Watches whole objects as raw JSON, so that a malformed one is just another object; never ends.
pub async fn objects(cluster: &Cluster, kind: &Kind, namespace: &str, on: impl FnMut(Change<DynamicObject>)) {
    follow(cluster, api(cluster, kind, namespace), kind, "", on).await;
}

fn api<K>(cluster: &Cluster, kind: &Kind, namespace: &str) -> Api<K>
where
    K: Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>,
{
    let resource = kind.resource();
    match namespace {
        "" => Api::all_with(cluster.client(), &resource),
        some => Api::namespaced_with(cluster.client(), some, &resource),
    }
}

/// Pauses between attempts at a watch. Written here because those of the client library throw dice of their own.
struct Pauses {
    clock: Arc<dyn Clock>,
    next: Duration,
}

impl Pauses {
    const FIRST: Duration = Duration::from_millis(800);
    const LONGEST: Duration = Duration::from_secs(30);

    fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, next: Self::FIRST }
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    /// Doubles with every failure in a row; a random part keeps many watches apart.
    fn next(&mut self) -> Option<Duration> {
        let pause = self.next.mul_f64(1.0 + self.clock.chance());
        self.next = (self.next * 2).min(Self::LONGEST);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.next = Self::FIRST;
    }
}

async fn follow<K>(cluster: &Cluster, api: Api<K>, kind: &Kind, labels: &str, mut on: impl FnMut(Change<K>))
where
    K: Resource + ResourceExt + Clone + DeserializeOwned + Debug + Send + 'static,
{
    // Small pages: the memory that a list takes while it is read is never given back to the system.
    let config = watcher::Config::default().page_size(100);
    let config = if labels.is_empty() { config } else { config.labels(labels) };
    let mut stream = pin!(watcher::watcher(api, config).backoff(Pauses::new(cluster.clock.clone())));
    let mut all = BTreeSet::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(Event::Apply(object)) => on(Change::Is(object)),
            Ok(Event::Delete(object)) => on(Change::Gone(object)),
            Ok(Event::Init) => all.clear(),
            Ok(Event::InitApply(object)) => {
                all.insert((object.namespace().unwrap_or_default(), object.name_any()));
                on(Change::Is(object));
            }
            Ok(Event::InitDone) => on(Change::Whole(std::mem::take(&mut all))),
            Err(error) => tracing::warn!(kind = kind.kind, %error, "a watch was interrupted; it is begun again"),
        }
    }
}
