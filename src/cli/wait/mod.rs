//! `tidegate wait`: waits for a release, for scripts and pipelines. It watches; what it sees is judged in [`judge`].

mod judge;
mod watch;

use std::process::ExitCode;

use super::{Failure, client, say, workload_kind};
use crate::api::Span;
use crate::cluster::kind::GATED_RELEASE;
use crate::cluster::{Cluster, Error, Kind, Leadership, SystemClock};
use crate::release::template;
use judge::{Answer, Goal, Target, Wanted};

/// How long until something that failed is tried again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(2);

const EXIT_CODES: &str = "\
Exit codes:
  0  what --for names was reached
  1  the release ended otherwise: rolled back, closed, superseded, reverted
  2  wrong arguments
  3  not reached within --timeout; the release goes on
  4  it cannot be waited for: no such GatedRelease, deleted, detached, refused

Examples:
  tidegate wait checkout -n shop                            the template that stands in the Deployment now
  tidegate wait checkout -n shop --change git:4f2c9e1       a change that Git may bring later
  tidegate wait checkout -n shop --for held --timeout 5m";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub struct Args {
    /// The GatedRelease.
    name: String,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// What is waited for.
    #[arg(long = "for", value_enum, default_value_t = Goal::Released, value_name = "GOAL")]
    goal: Goal,
    /// For how long at most, such as 30m or 1h30m.
    #[arg(long, default_value = "30m")]
    timeout: Span,
    /// The change, as annotated in tidegate.io/change; its release may begin later. Default: the Deployment's template
    /// as it stands when the command starts.
    #[arg(long, value_name = "REF", conflicts_with = "revision")]
    change: Option<String>,
    /// The revision, as it stands in status.revision; its release may begin later.
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let (client, namespace) = match client(args.namespace.as_deref()).await {
        Ok(client) => client,
        Err(why) => return end(4, &why),
    };
    let cluster = Cluster::new(client, std::sync::Arc::new(SystemClock), Leadership::always(), "");
    let whole = async {
        let wanted = match wanted(&cluster, &namespace, args).await {
            Ok(wanted) => wanted,
            Err(why) => return Ok(Answer::Impossible(why)),
        };
        say(&format!("{namespace}/{}: waiting until {}, for {} at most\n", args.name, wanted, args.timeout))?;
        watch::until(&cluster, &namespace, &args.name, &wanted).await
    };
    match tokio::time::timeout(args.timeout.as_std(), whole).await {
        Ok(Ok(Answer::Reached(says))) => end(0, &says),
        Ok(Ok(Answer::Otherwise(says))) => end(1, &says),
        Ok(Ok(Answer::Impossible(says))) => end(4, &says),
        // The watch goes on as long as this is the answer.
        Ok(Ok(Answer::Going)) => end(4, "the watch ended"),
        Ok(Err(failure)) => Err(failure),
        Err(_) => end(
            3,
            &format!(
                "not within {}. Nothing was stopped. Look: kubectl describe gatedrelease {} -n {namespace}",
                args.timeout, args.name
            ),
        ),
    }
}

fn end(code: u8, says: &str) -> Result<ExitCode, Failure> {
    say(&format!("{says}\n"))?;
    Ok(ExitCode::from(code))
}

/// What the arguments mean in this cluster; asked again as long as the API server does not answer.
async fn wanted(cluster: &Cluster, namespace: &str, args: &Args) -> Result<Wanted, String> {
    let name = &args.name;
    let release = patiently(|| cluster.get(&GATED_RELEASE, namespace, name)).await?;
    let release = release.ok_or_else(|| {
        format!(
            "there is no GatedRelease {name} in namespace {namespace}. Look: kubectl get gatedreleases -n {namespace}"
        )
    })?;
    let workload = release.pointer("/spec/workloadRef/name").and_then(serde_json::Value::as_str).unwrap_or_default();
    let kind = workload_kind(&release);
    let object = patiently(|| cluster.get(Kind::of_workload(kind), namespace, workload)).await?;
    let seen = object.as_ref().map(|object| judge::Template {
        uid: text(object, "/metadata/uid"),
        generation: object.pointer("/metadata/generation").and_then(serde_json::Value::as_i64).unwrap_or(0),
        revision: template::revision(&object["spec"]["template"]),
    });
    let target = match (&args.change, &args.revision, args.goal, &seen) {
        (Some(change), ..) => Target::Change(change.clone()),
        (None, Some(revision), ..) => Target::Revision(revision.clone()),
        (None, None, Goal::Idle, _) => Target::Any,
        (None, None, _, Some(_)) => Target::Template,
        (None, None, _, None) => {
            return Err(format!(
                "there is no {kind} {workload} in namespace {namespace} whose template could be waited for. Name the change that is to come: --change REF"
            ));
        }
    };
    Ok(Wanted { goal: args.goal, target, template: seen })
}

/// Asks until the API server answers; only a refusal is final.
async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> Result<T, String>
where
    F: Future<Output = Result<T, Error>>,
{
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error @ Error::Refused { code: 400..=499, .. }) if !overloaded(&error) => return Err(error.to_string()),
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

const fn overloaded(error: &Error) -> bool {
    matches!(error, Error::Refused { code: 408 | 429, .. })
}

fn text(value: &serde_json::Value, place: &str) -> String {
    value.pointer(place).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}
