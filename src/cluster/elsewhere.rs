//! What other namespaces hold that may mean pods of a release: listed once for all releases, bounded, and kept for a moment.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::kind::NETWORK_POLICY;
use super::preflight::{AUTHORIZATION, Listed, PEER_AUTHENTICATION, POD_MONITOR, SERVICE_MONITOR, read};
use super::{Cluster, Error, Kind};
use crate::release::preflight::elsewhere::{Elsewhere, crosses, kept, looks_out};

/// How long a look serves every release: whoever waits for what he mended waits this much longer at most.
const FRESH: Duration = Duration::from_secs(15);
/// How many objects of a kind are looked at in all namespaces together.
const LIMIT: usize = 5_000;
/// Where Istio's policies over the whole mesh stand, unless `rootNamespace` of its configuration names another place.
const MESH_ROOT: &str = "istio-system";

/// The last look, for all releases of a process: who asks while it is made waits for it, and none is made beside it.
#[derive(Debug, Default)]
pub struct Shared(Mutex<Option<(Instant, Arc<Elsewhere>)>>);

impl Shared {
    /// What stands in the cluster now, or stood there a moment ago. What may not be read is a note in it. An error is for the NetworkPolicies
    /// alone, for another reason than a right: each cluster has that kind, and it decides too much to be skipped for a moment's failure.
    pub async fn seen(&self, cluster: &Cluster) -> Result<Arc<Elsewhere>, Error> {
        let mut last = self.0.lock().await;
        if let Some((at, seen)) = &*last
            && at.elapsed() < FRESH
        {
            return Ok(seen.clone());
        }
        let seen = Arc::new(look(cluster).await?);
        *last = Some((Instant::now(), seen.clone()));
        Ok(seen)
    }
}

async fn look(cluster: &Cluster) -> Result<Elsewhere, Error> {
    let everywhere = " of other namespaces";
    let of_mesh = (MESH_ROOT, " of istio-system");
    let (policies, services, pods, mesh, peers) = tokio::try_join!(
        listed(cluster, &NETWORK_POLICY, ("", everywhere), true, crosses),
        listed(cluster, &SERVICE_MONITOR, ("", everywhere), false, looks_out),
        listed(cluster, &POD_MONITOR, ("", everywhere), false, looks_out),
        listed(cluster, &AUTHORIZATION, of_mesh, false, |_| true),
        listed(cluster, &PEER_AUTHENTICATION, of_mesh, false, |_| true),
    )?;
    let unseen = [policies.1, services.1, pods.1, mesh.1, peers.1].into_iter().flatten().collect();
    Ok(Elsewhere {
        network_policies: policies.0,
        service_monitors: services.0,
        pod_monitors: pods.0,
        authorizations: mesh.0,
        peer_authentications: peers.0,
        unseen,
    })
}

/// What is kept of a kind in a namespace, or in all where that is empty; `of` says which those are.
async fn listed(
    cluster: &Cluster,
    kind: &Kind,
    (namespace, of): (&str, &str),
    core: bool,
    keep: fn(&Value) -> bool,
) -> Result<Listed, Error> {
    let mut all = Vec::new();
    let take = |page: Vec<Value>| all.extend(page.iter().filter(|object| keep(object)).map(kept));
    let answer = cluster.list_pages(kind, namespace, "", LIMIT, take).await;
    read(kind, of, core, LIMIT, answer.map(|more| (all, more)))
}
