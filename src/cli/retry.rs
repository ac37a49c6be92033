//! `tidegate retry`: asks for another attempt at a revision whose release was closed.

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::{Failure, client, say};
use crate::api::GatedRelease;
use crate::api::names::RETRY;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The GatedRelease.
    name: String,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
}

pub(super) async fn run(args: &Args) -> Result<(), Failure> {
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let patch = Patch::Merge(json!({"metadata": {"annotations": {RETRY: now}}}));
    let api = Api::<GatedRelease>::namespaced(client, &namespace);
    api.patch_metadata(&args.name, &PatchParams::default(), &patch)
        .await
        .map_err(|error| format!("GatedRelease {namespace}/{}: {error}", args.name))?;
    say(&format!(
        "{namespace}/{}: tried again. Watch: kubectl get gatedrelease {} -n {namespace} -w\n",
        args.name, args.name
    ))
}
