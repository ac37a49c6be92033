//! `tidegate restart`: new pods of the same templates. An idle Deployment rolls as `kubectl rollout restart` makes it; in the
//! middle of a release, where that is refused or would reach only a part of the pods, [`evict`] takes one pod after another.

mod evict;

use std::process::ExitCode;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use super::{Failure, client, say, why};
use crate::api::names::{RELEASE, RESTARTED_AT, ROLE};
use crate::api::{GatedRelease, ReleaseRecord, Span};

const EXIT_CODES: &str = "\
Between releases the Deployment gets the annotation that `kubectl rollout restart` sets: no change of the program, so it
rolls at once and is not held. During a release, and after one that came back, its pods, the canary's and those of the
previous version are evicted one after another: PodDisruptionBudgets are asked, the next pod goes when as many are ready
again as before, and no template changes. A pod that is alone behind its Deployment is left where it is, as nobody would
serve meanwhile and the release would go back: --interrupt takes it all the same.

Exit codes:
  0  all pods are new, or the Deployment rolls
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
    /// Take also a pod that is alone behind its Deployment: nobody serves until the next is ready.
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
                "GatedRelease {namespace}/{}: {}. Not gated? kubectl rollout restart deployment/NAME",
                args.name,
                why(&error)
            )
        })?;
    let workload = release.spec.workload_ref.name.clone();
    let deployments = Api::<Deployment>::namespaced(client.clone(), &namespace);
    let deployment = deployments
        .get(&workload)
        .await
        .map_err(|error| format!("Deployment {namespace}/{workload}: {}", why(&error)))?;
    let ours = ListParams::default().labels(&format!("{RELEASE}={}", args.name));
    let sides =
        deployments.list(&ours).await.map_err(|error| format!("Deployments of the release: {}", why(&error)))?.items;
    let paused = deployment.spec.as_ref().and_then(|spec| spec.paused).unwrap_or(false);
    if !paused && sides.is_empty() && !goes_on(&client, &namespace, &release).await? {
        roll(&deployments, &workload).await?;
        let look = format!("kubectl rollout status deployment/{workload} -n {namespace}");
        say(&format!("{namespace}/{workload}: rolls to new pods of the same template. Watch: {look}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!(
        "{namespace}/{}: a release goes on or the Deployment is held: pods are evicted one after another, templates stay\n",
        args.name
    ))?;
    let patience = Duration::from_millis(args.timeout.as_millis());
    let evictor = evict::Evictor::new(&client, &namespace, patience, args.interrupt);
    let mut left = 0;
    for one in std::iter::once(deployment).chain(sides) {
        let role = one.labels().get(ROLE).map_or("workload", String::as_str).to_owned();
        match evictor.all_of(&one, &role).await {
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
async fn roll(deployments: &Api<Deployment>, name: &str) -> Result<(), Failure> {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}}});
    let params = PatchParams { field_manager: Some("kubectl-rollout".to_owned()), ..PatchParams::default() };
    deployments
        .patch(name, &params, &Patch::Strategic(patch))
        .await
        .map_err(|error| format!("Deployment {name}: {}", why(&error)))?;
    Ok(())
}
