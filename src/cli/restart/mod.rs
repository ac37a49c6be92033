//! `tidegate restart`: new pods of the same templates. An idle workload rolls as `kubectl rollout restart` makes it; in the
//! middle of a release, where that is refused or would reach only a part of the pods, [`evict`] takes one pod after another.

mod evict;
mod group;

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Failure, client, say, why};
use crate::api::gated_release::WorkloadKind;
use crate::api::names::RESTARTED_AT;
use crate::api::{GatedRelease, ReleaseRecord, Span};

const EXIT_CODES: &str = "\
Between releases the workload gets the annotation that `kubectl rollout restart` sets: no change of the program, so it
rolls at once and is not held. During a release, and after one that came back, its pods, the canary's and those of the
previous version are evicted one after another: PodDisruptionBudgets are asked, the next pod goes when as many are ready
again as before, and no template changes. A pod that is alone behind its Deployment, or alone with its version in a
StatefulSet, is left where it is, as nobody would serve meanwhile and the release would go back: --interrupt takes it all
the same.

Exit codes:
  0  all pods are new, or the workload rolls
  1  failed, or pods were left; which and why is printed
  2  wrong arguments
  3  pods were not ready again within --timeout, or a PodDisruptionBudget did not let one go; the others were left alone";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// The GatedRelease.
    name: String,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// How long one pod may take to go and to be replaced.
    #[arg(long, default_value = "5m")]
    timeout: Span,
    /// Take also a pod that is alone with its version: nobody serves that one until the next pod is ready.
    #[arg(long)]
    interrupt: bool,
}

/// How a restart went wrong.
enum Stopped {
    /// At once, or in a way that waiting does not mend.
    Failed(Failure),
    /// Something took longer than it may.
    TooLong(Failure),
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    let release =
        Api::<GatedRelease>::namespaced(client.clone(), &namespace).get(&args.name).await.map_err(|error| {
            format!(
                "GatedRelease {namespace}/{}: {}. Not gated? kubectl rollout restart deployment/NAME, or statefulset/NAME",
                args.name,
                why(&error)
            )
        })?;
    let (kind, workload) = (release.spec.workload_ref.kind, release.spec.workload_ref.name.clone());
    let found = group::find(&client, &namespace, kind, &workload).await?;
    let sides = group::sides(&client, &namespace, &args.name).await?;
    if !found.held && sides.is_empty() && !goes_on(&client, &namespace, &release).await? {
        match kind {
            WorkloadKind::Deployment => roll(&Api::<Deployment>::namespaced(client, &namespace), &workload).await,
            WorkloadKind::StatefulSet => roll(&Api::<StatefulSet>::namespaced(client, &namespace), &workload).await,
        }
        .map_err(|error| format!("{kind} {namespace}/{workload}: {}", why(&error)))?;
        let look = format!("kubectl rollout status {}/{workload} -n {namespace}", kind.resource());
        say(&format!("{namespace}/{workload}: rolls to new pods of the same template. Watch: {look}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!(
        "{namespace}/{}: a release goes on or the {kind} is held: pods are evicted one after another, templates stay\n",
        args.name
    ))?;
    let patience = Duration::from_millis(args.timeout.as_millis());
    let evictor = evict::Evictor::new(&client, &namespace, patience, args.interrupt);
    let mut left = 0;
    for group in found.groups.iter().chain(&sides) {
        match evictor.all_of(group).await {
            Ok(0) => {}
            Ok(pods) => left += pods,
            Err(Stopped::TooLong(why)) => {
                say(&format!("stopped: {why}\n"))?;
                return Ok(ExitCode::from(3));
            }
            Err(Stopped::Failed(why)) => return Err(why),
        }
    }
    if left > 0 {
        say(&format!(
            "{left} left as they were. Take them too, with an interruption: tidegate restart {} -n {namespace} --interrupt\n",
            pods(left)
        ))?;
        return Ok(ExitCode::FAILURE);
    }
    say("all pods are new\n")?;
    Ok(ExitCode::SUCCESS)
}

fn pods(count: usize) -> String {
    if count == 1 { "1 pod was".to_owned() } else { format!("{count} pods were") }
}

/// Whether an attempt has no outcome yet.
async fn goes_on(client: &Client, namespace: &str, release: &GatedRelease) -> Result<bool, Failure> {
    let Some(name) = release.status.as_ref().and_then(|status| status.record.as_ref()) else { return Ok(false) };
    let record = Api::<ReleaseRecord>::namespaced(client.clone(), namespace).get_opt(name).await;
    let record = record.map_err(|error| format!("ReleaseRecord {namespace}/{name}: {}", why(&error)))?;
    Ok(record.is_some_and(|record| record.status.is_none_or(|status| status.outcome.is_none())))
}

/// As `kubectl rollout restart` does, by its field manager.
async fn roll<K>(workloads: &Api<K>, name: &str) -> Result<(), kube::Error>
where
    K: Clone + std::fmt::Debug + DeserializeOwned,
{
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}}});
    let params = PatchParams { field_manager: Some("kubectl-rollout".to_owned()), ..PatchParams::default() };
    workloads.patch(name, &params, &Patch::Strategic(patch)).await.map(drop)
}
