//! The admission webhook of `tidegate controller`.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Failure;
use crate::admission::{Override, Policies};
use crate::cluster::Cluster;
use crate::server::webhook::door::Door;
use crate::server::webhook::keep::{Keeper, Places};
use crate::server::webhook::serve::{Certificate, serve};
use crate::server::{Health, Metrics};

/// How long the webhook answers after the process was asked to end: until `/readyz` has failed three times, every two
/// seconds, and the endpoint is gone everywhere.
const DRAIN: Duration = Duration::from_secs(8);

/// Arguments of the webhook.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Serve the admission webhook over TLS on this port; not at all where not given.
    #[arg(long, env = "TIDEGATE_WEBHOOK_PORT")]
    webhook_port: Option<u16>,
    /// The Secret with the webhook's certificates, in the namespace of this pod; written by Tidegate.
    #[arg(long, env = "TIDEGATE_WEBHOOK_SECRET", default_value = "tidegate-webhook")]
    webhook_secret: String,
    /// The Service through which the API server calls the webhook, in the namespace of this pod.
    #[arg(long, env = "TIDEGATE_WEBHOOK_SERVICE", default_value = "tidegate-webhook")]
    webhook_service: String,
    /// The MutatingWebhookConfiguration in which Tidegate writes whom to trust.
    #[arg(long, env = "TIDEGATE_WEBHOOK_CONFIGURATION", default_value = "tidegate")]
    webhook_configuration: String,
    /// The policies that the webhook runs, as YAML; those of a chart with default values where not given.
    #[arg(long, env = "TIDEGATE_POLICIES")]
    policies: Option<PathBuf>,
}

/// Where the webhook runs.
pub(super) struct Surroundings<'a> {
    /// A door that writes without being the leader.
    pub cluster: Cluster,
    pub namespace: &'a str,
    pub address: IpAddr,
    pub metrics: Arc<Metrics>,
    pub health: Arc<Health>,
}

/// Starts the webhook where it is asked for. It goes on for a while after `stop`; the task ends when it has given its last
/// answer.
pub(super) async fn start(
    args: &Args,
    around: Surroundings<'_>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<Option<JoinHandle<()>>, Failure> {
    let Some(port) = args.webhook_port else { return Ok(None) };
    let Surroundings { cluster, namespace, address, metrics, health } = around;
    let door = Door::new(policies(args.policies.as_deref())?, metrics);
    let places = Places {
        namespace: namespace.to_owned(),
        secret: args.webhook_secret.clone(),
        service: args.webhook_service.clone(),
        configuration: args.webhook_configuration.clone(),
    };
    let address = SocketAddr::new(address, port);
    let listener = TcpListener::bind(address).await.map_err(|error| format!("--webhook-port {address}: {error}"))?;
    tracing::info!(%address, service = places.service, "the admission webhook starts");
    health.webhook(Err("webhook: its certificate is not there yet".to_owned()));
    let certificate = Arc::new(Certificate::default());
    let keeping = tokio::spawn(Keeper::new(cluster, places, certificate.clone()).run(health.clone()));
    let stop = async move {
        stop.await;
        health.ending();
    };
    Ok(Some(tokio::spawn(async move {
        serve(listener, certificate, door, stop, DRAIN).await;
        keeping.abort();
    })))
}

fn policies(path: Option<&Path>) -> Result<Policies, Failure> {
    let Some(path) = path else { return Policies::shipped(Override::Audit)?.for_webhook() };
    let text = std::fs::read_to_string(path).map_err(|error| format!("--policies {}: {error}", path.display()))?;
    let read = Policies::read(&text).and_then(Policies::for_webhook);
    read.map_err(|why| format!("--policies {}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const BINDING: &str = "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicyBinding\n\
                           metadata: {name: hold}\nspec: {policyName: hold}\n";

    fn policy(expression: &str) -> String {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nmetadata: {{name: hold}}\nspec:\n  \
             matchConstraints: {{resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}}]}}\n  \
             mutations: [{{patchType: JSONPatch, jsonPatch: {{expression: \"{expression}\"}}}}]\n---\n"
        )
    }

    #[rstest]
    #[case::syntax(policy("1 +") + BINDING, "hold: 1 +")]
    #[case::no_binding(policy("[]"), "no MutatingAdmissionPolicy with a binding: nothing would be held")]
    #[case::an_authorizer(
        policy("authorizer.group('g').resource('r').check('v').allowed() ? [] : []") + BINDING,
        "hold: a webhook cannot answer `authorizer`"
    )]
    #[case::no_yaml("{".to_owned(), "policies")]
    fn wrong_policies_stop_the_start(#[case] text: String, #[case] expected: &str) {
        let path = std::env::temp_dir().join(format!("tidegate-policies-{}-{}.yaml", std::process::id(), text.len()));
        std::fs::write(&path, text).unwrap();
        let why = policies(Some(&path)).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(why.starts_with(&format!("--policies {}: ", path.display())) && why.contains(expected), "{why}");
    }

    #[test]
    fn the_charts_own_policies_suit_a_webhook() {
        policies(None).unwrap();
        Policies::shipped(Override::Enforce).unwrap().for_webhook().unwrap();
    }
}
