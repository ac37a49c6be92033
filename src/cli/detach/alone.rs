//! The work of a controller for as long as it takes to leave: the Lease first, then the very same look at each release.

use std::sync::Arc;
use std::time::Duration;

use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Leaver, has_left};
use crate::api::ReleaseRecord;
use crate::cli::controller::LEASE;
use crate::cli::{Failure, say, why};
use crate::cluster::kind::{GATED_RELEASE, RELEASE_RECORD};
use crate::cluster::leader::{Keeper, Role, Timing};
use crate::cluster::{Cluster, Leadership, SystemClock};
use crate::controller::{Context, asked, look_once};
use crate::prometheus::{Config, Http, Sources};
use crate::server::{Health, Metrics};
use crate::synthetic::Checks;

/// How often a release is looked at although nothing was written.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// This process, which leads.
pub(super) struct Alone {
    context: Context,
    give_back: watch::Sender<bool>,
    keeping: Option<JoinHandle<()>>,
}

impl Alone {
    /// Takes the Lease of that namespace; works without one where there is none.
    pub(super) async fn begin(client: Client, namespace: Option<&str>, until: Instant) -> Result<Self, Failure> {
        let (give_back, given_back) = watch::channel(false);
        let clock = Arc::new(SystemClock);
        let Some(namespace) = namespace else {
            let cluster = Cluster::new(client, clock, Leadership::always(), "tidegate-detach");
            return Ok(Self { context: context(cluster)?, give_back, keeping: None });
        };
        let me = format!("tidegate-detach_{:x}", jiff::Timestamp::now().as_microsecond());
        let (keeper, leadership) = Keeper::new(namespace, LEASE, &me, Timing::default());
        let mut role = keeper.role();
        let cluster = Cluster::new(client, clock, leadership, "tidegate-detach");
        let keeping = tokio::spawn(keeper.run(cluster.clone(), asked(given_back)));
        say(&format!(
            "taking the Lease {namespace}/{LEASE}: that takes its duration where its last holder did not give it back\n"
        ))?;
        let leads = tokio::time::timeout_at(until, role.wait_for(|role| *role == Role::Leading)).await;
        if !matches!(leads, Ok(Ok(_))) {
            return Err(format!(
                "the Lease {namespace}/{LEASE} could not be taken in time: a controller renews it, this user may not write it, or there is no such namespace. Look: kubectl get lease {LEASE} -n {namespace} -o yaml"
            ));
        }
        Ok(Self { context: context(cluster)?, give_back, keeping: Some(keeping) })
    }

    pub(super) const fn context(&self) -> &Context {
        &self.context
    }

    /// Gives the Lease back.
    pub(super) async fn end(self) {
        self.give_back.send_replace(true);
        if let Some(keeping) = self.keeping {
            drop(tokio::time::timeout(Duration::from_secs(8), keeping).await);
        }
    }
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

/// Looks at a release until it has left.
pub(super) async fn leave(context: &Context, cluster: &Cluster, leaver: &Leaver, until: Instant) -> Result<(), String> {
    let mut told = String::new();
    loop {
        let (pause, failed) = match look_once(context, &leaver.namespace, &leaver.name).await {
            Ok(pause) => (pause.unwrap_or(LOOK_EVERY).min(LOOK_EVERY), None),
            Err(error) => (LOOK_EVERY, Some(error.to_string())),
        };
        let says = match cluster.get(&GATED_RELEASE, &leaver.namespace, &leaver.name).await {
            Ok(object) => match has_left(object.as_ref()) {
                Ok(()) => return Ok(()),
                Err(says) => failed.unwrap_or(says),
            },
            Err(error) => error.to_string(),
        };
        if says != told {
            say(&format!("{leaver}: {says}\n"))?;
            told.clone_from(&says);
        }
        if Instant::now() >= until {
            return Err(says);
        }
        tokio::time::sleep(pause).await;
    }
}
