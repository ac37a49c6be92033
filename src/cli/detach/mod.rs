//! `tidegate detach`: leaves workloads, for good or for a while. Through the controller that leads; where none does, this
//! process takes the Lease and does the same by itself ([`alone`]).

mod alone;
mod lease;
mod report;
mod stamps;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Failure, client_as, say};
use crate::api::Span;
use crate::api::names::DETACH;
use crate::cluster::kind::GATED_RELEASE;
use crate::cluster::{Cluster, Error, Leadership, SystemClock};
use crate::controller::{has_left, look_once};
use lease::Leads;

/// How often a GatedRelease is looked at until it has left.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many are left at once.
const AT_ONCE: usize = 8;

const EXIT_CODES: &str = "\
The GatedRelease gets the annotation tidegate.io/detach. What goes on then is brought to an end: where the workload runs the
new version already it takes all traffic, else traffic goes back to what serves now; canary and previous version go; the
finalizer goes, and the object stays, Ready=False/Detached. A template that was never released stays held, and is named.
With the label tidegate.io/gated what Tidegate stamped on the workload goes; what explains a hold stays as long as that.
Back under the gate: kubectl annotate gatedrelease NAME tidegate.io/detach-

Where no controller holds the Lease, this command takes it and does the work itself.

Exit codes:
  0  all have left
  1  failed; the reason is printed
  2  wrong arguments
  3  not all have left within --timeout; those that have are named, nothing is undone";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES, group(clap::ArgGroup::new("which").required(true).args(["name", "all"])))]
pub struct Args {
    /// The GatedRelease.
    name: Option<String>,
    /// All GatedReleases of the namespace.
    #[arg(long)]
    all: bool,
    /// With --all: those of every namespace.
    #[arg(short = 'A', long, requires = "all", conflicts_with = "namespace")]
    all_namespaces: bool,
    /// The namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// For how long to wait until all have left.
    #[arg(long, default_value = "10m")]
    timeout: Span,
    /// Leave the label tidegate.io/gated on the workloads: the next change of each is held all the same as long as the
    /// admission policies are installed.
    #[arg(long)]
    keep_label: bool,
    /// Do the work in this process; refused while a controller leads.
    #[arg(long)]
    offline: bool,
    /// Write as this user, such as system:serviceaccount:tidegate-system:tidegate: where the admission policies are installed,
    /// only the controller's user moves weights and writes records. Needs the verb impersonate.
    #[arg(long = "as", value_name = "USER")]
    impersonate: Option<String>,
    /// The namespace of the controller and its Lease; where it is not given, the Lease is searched for.
    #[arg(long, env = "POD_NAMESPACE")]
    controller_namespace: Option<String>,
}

/// A GatedRelease that is to leave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Leaver {
    pub(super) namespace: String,
    pub(super) name: String,
}

impl std::fmt::Display for Leaver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let (client, namespace) = client_as(args.namespace.as_deref(), args.impersonate.as_deref()).await?;
    let until = Instant::now() + args.timeout.as_std();
    // What this command writes as its user is no business of the Lease; what the loop writes is.
    let cluster = Cluster::new(client.clone(), Arc::new(SystemClock), Leadership::always(), "tidegate-detach");
    let all = leavers(&cluster, args, &namespace).await?;
    if all.is_empty() {
        say("no GatedRelease is there: nothing to leave\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    // Searched as whoever types: the controller may read its own Lease and list none.
    let (own, _) = client_as(None, None).await?;
    let leads = lease::who_leads(&own, args.controller_namespace.as_deref(), args.offline).await?;
    if matches!(leads, Leads::Nobody(_)) {
        alone::may_write(&client, &all).await?;
    }
    for leaver in &all {
        annotate(&cluster, leaver).await?;
    }
    let took_over = match leads {
        Leads::Controller(holder) => {
            say(&format!("{} to leave, through the controller that leads ({holder})\n", count(all.len())))?;
            None
        }
        Leads::Nobody(place) => {
            say(&format!("{} to leave; no controller leads, so this command does it\n", count(all.len())))?;
            Some(alone::begin(client, place.as_deref(), until).await?)
        }
    };
    let alone = took_over.as_ref();
    let left: Vec<_> = futures::stream::iter(&all)
        .map(|leaver| {
            let cluster = &cluster;
            async move {
                let left = match alone {
                    Some(alone) => {
                        let tell = |says: &str| say(&format!("{leaver}: {says}\n"));
                        alone.leave(&leaver.namespace, &leaver.name, until, tell).await
                    }
                    None => wait(cluster, leaver, until).await,
                };
                let told = match left {
                    Ok(()) => {
                        let told = report::tell(cluster, leaver, args.keep_label).await;
                        // The status speaks of the label, which is off now; a controller sees that by itself.
                        if let Some(alone) = alone {
                            drop(look_once(alone.context(), &leaver.namespace, &leaver.name).await);
                        }
                        told
                    }
                    Err(ref why) => say(&format!("{leaver}: has NOT left: {why}\n")),
                };
                told.map(|()| left.is_ok())
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    if let Some(alone) = took_over {
        alone.end().await;
    }
    let left: Vec<bool> = left.into_iter().collect::<Result<_, _>>()?;
    if left.contains(&false) {
        return Ok(ExitCode::from(3));
    }
    Ok(ExitCode::SUCCESS)
}

fn count(number: usize) -> String {
    if number == 1 { "1 GatedRelease".to_owned() } else { format!("{number} GatedReleases") }
}

async fn leavers(cluster: &Cluster, args: &Args, namespace: &str) -> Result<Vec<Leaver>, Failure> {
    if let Some(name) = &args.name {
        return Ok(vec![Leaver { namespace: namespace.to_owned(), name: name.clone() }]);
    }
    let place = if args.all_namespaces { "" } else { namespace };
    let all = match cluster.list(&GATED_RELEASE, place, "").await {
        Ok(all) => all,
        // Without the kind there is none of it.
        Err(Error::Refused { code: 404, .. }) => Vec::new(),
        Err(error) => return Err(error.to_string()),
    };
    let text =
        |object: &Value, place: &str| object.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut all: Vec<_> = all
        .iter()
        .map(|object| Leaver { namespace: text(object, "/metadata/namespace"), name: text(object, "/metadata/name") })
        .collect();
    all.sort();
    Ok(all)
}

/// Asks that it leaves; one that was asked before keeps the moment.
async fn annotate(cluster: &Cluster, leaver: &Leaver) -> Result<(), Failure> {
    let failed = |error: Error| format!("GatedRelease {leaver}: {error}");
    let object = cluster.get(&GATED_RELEASE, &leaver.namespace, &leaver.name).await.map_err(failed)?;
    let object = object.ok_or_else(|| {
        format!("there is no GatedRelease {leaver}. Look: kubectl get gatedreleases -n {}", leaver.namespace)
    })?;
    if object.pointer("/metadata/annotations").is_some_and(|all| all.get(DETACH).is_some()) {
        return Ok(());
    }
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let metadata = json!({"annotations": {DETACH: now}});
    cluster.mark(&GATED_RELEASE, &leaver.namespace, &leaver.name, metadata).await.map_err(failed)
}

/// Waits until the controller has left.
async fn wait(cluster: &Cluster, leaver: &Leaver, until: Instant) -> Result<(), String> {
    let mut told = String::new();
    loop {
        let says = match cluster.get(&GATED_RELEASE, &leaver.namespace, &leaver.name).await {
            Ok(object) => match has_left(object.as_ref()) {
                Ok(()) => return Ok(()),
                Err(says) => says,
            },
            Err(error) => error.to_string(),
        };
        if says != told {
            say(&format!("{leaver}: {says}\n"))?;
            told.clone_from(&says);
        }
        if Instant::now() >= until {
            return Err(format!(
                "{says} Is the controller well? kubectl logs -n NAMESPACE deployment/tidegate. Without it: scale it to 0 and run the command again with --offline"
            ));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
