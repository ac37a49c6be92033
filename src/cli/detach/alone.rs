//! This process in the controller's place: whether it may, and how it takes the Lease.

use std::sync::Arc;

use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;
use tokio::time::Instant;

use super::Leaver;
use crate::api::ReleaseRecord;
use crate::cli::controller::LEASE;
use crate::cli::{Failure, say, why};
use crate::cluster::kind::RELEASE_RECORD;
use crate::cluster::leader::{Keeper, Timing};
use crate::cluster::{Cluster, Leadership, SystemClock};
use crate::controller::{Alone, Context};
use crate::prometheus::{Config, Http, Sources};
use crate::server::{Health, Metrics};
use crate::synthetic::Checks;

/// Takes the Lease of that namespace; works without one where there is none.
pub(super) async fn begin(client: Client, namespace: Option<&str>, until: Instant) -> Result<Alone, Failure> {
    let clock = Arc::new(SystemClock);
    let Some(namespace) = namespace else {
        let cluster = Cluster::new(client, clock, Leadership::always(), "tidegate-detach");
        return Ok(Alone::unasked(context(cluster)?));
    };
    let me = format!("tidegate-detach_{:x}", jiff::Timestamp::now().as_microsecond());
    let (keeper, leadership) = Keeper::new(namespace, LEASE, &me, Timing::default());
    let context = context(Cluster::new(client, clock, leadership, "tidegate-detach"))?;
    say(&format!(
        "taking the Lease {namespace}/{LEASE}: that takes its duration where its last holder did not give it back\n"
    ))?;
    Alone::begin(keeper, context, until).await.ok_or_else(|| {
        format!(
            "the Lease {namespace}/{LEASE} could not be taken in time: a controller renews it, this user may not write it, or there is no such namespace. Look: kubectl get lease {LEASE} -n {namespace} -o yaml"
        )
    })
}

/// Whether this user may do what the controller does: asked by a record that is not really made, of every namespace.
pub(super) async fn may_write(client: &Client, leavers: &[Leaver]) -> Result<(), Failure> {
    let mut asked = std::collections::BTreeSet::new();
    for leaver in leavers.iter().filter(|leaver| asked.insert(&leaver.namespace)) {
        let trial = json!({
            "apiVersion": RELEASE_RECORD.api_version(), "kind": RELEASE_RECORD.kind,
            "metadata": {"name": format!("{}-trial", leaver.name), "namespace": leaver.namespace},
            "spec": {"release": leaver.name, "attempt": 1, "workloadUid": "trial", "revision": "trial",
                "change": {"reference": "", "type": "Feature"}, "riskBudget": "trial"},
        });
        let trial: ReleaseRecord = serde_json::from_value(trial).map_err(|why| format!("a trial record: {why}"))?;
        let dry = PostParams { dry_run: true, field_manager: None };
        match Api::<ReleaseRecord>::namespaced(client.clone(), &leaver.namespace).create(&dry, &trial).await {
            Ok(_) => {}
            // It would be let in.
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => {
                return Err(format!(
                    "in namespace {} this user may not do the controller's work, so nothing was begun: {} Run as the controller's user: --as system:serviceaccount:NAMESPACE:NAME, with its namespace and ServiceAccount (with the chart: tidegate-system and tidegate)",
                    leaver.namespace,
                    why(&error)
                ));
            }
        }
    }
    Ok(())
}

/// What a look needs. No Prometheus is asked: traffic that goes home asks for no verdict.
fn context(cluster: Cluster) -> Result<Context, Failure> {
    let metrics = Arc::new(Metrics::default());
    let sources = Sources::new(Arc::new(Config::empty()), Arc::new(Http::new()?), metrics.clone(), 0);
    Ok(Context::new(cluster, sources, Checks::over_http(), metrics, Arc::new(Health::default()), ""))
}
