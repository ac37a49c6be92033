//! What a tool that applies manifests sees of a held StatefulSet: with the partition left out of them, and with one in them.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::admission::{Override, Policies};
use crate::api::names::HELD_PARTITION;

const SETS: &str = "/apis/apps/v1/namespaces/default/statefulsets";

fn manifest(image: &str, partition: Option<u32>) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "default", "labels": {"tidegate.io/gated": ""}},
        "spec": {"replicas": 3, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": {
            "metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "app", "image": image}]}}},
    });
    if let Some(partition) = partition {
        object["spec"]["updateStrategy"] = json!({"rollingUpdate": {"partition": partition}});
    }
    object
}

fn apply(server: &mut Server, query: &str, object: &Value) -> Value {
    let flux = User::service_account("flux-system", "kustomize-controller");
    let target = format!("{SETS}/db?fieldManager=git&force=true{query}");
    let call = Call { user: flux, ..call(Method::PATCH, &target, APPLY, object.to_string().into_bytes()) };
    let (code, answer) = server.send(&call);
    assert!(code < 300, "{answer}");
    answer
}

fn partition(object: &Value) -> Option<u64> {
    object.pointer("/spec/updateStrategy/rollingUpdate/partition")?.as_u64()
}

/// Whether the tool owns the field, so that preflight tells of it, and what a tool that compares its manifest with what lives
/// would see: Argo CD's comparison, but for what it is told to ignore.
#[rstest]
#[case::left_out(None, false, false)]
#[case::in_the_manifest(Some(0), true, true)]
fn a_held_stateful_set_is_applied_again_without_effect_and_without_a_write(
    #[case] said: Option<u32>,
    #[case] owned: bool,
    #[case] differs: bool,
) {
    let mut server = Server::new();
    server.0.set_admission(Arc::new(Policies::shipped(Override::Audit).unwrap()));
    apply(&mut server, "", &manifest("app:1", said));
    let held = apply(&mut server, "", &manifest("app:2", said));
    assert_eq!(partition(&held), Some(u64::from(HELD_PARTITION)));
    // What Flux asks: would an apply change anything?
    let version = server.0.version();
    let would_be = apply(&mut server, "&dryRun=All", &manifest("app:2", said));
    assert_eq!(would_be["spec"], held["spec"]);
    let again = apply(&mut server, "", &manifest("app:2", said));
    assert_eq!((&again, server.0.version()), (&held, version), "no write");
    let owners = again["metadata"]["managedFields"].to_string();
    assert_eq!(owners.contains("f:partition"), owned, "{owners}");
    let manifest = manifest("app:2", said);
    let wanted = partition(&manifest);
    assert_eq!(wanted.is_some() && wanted != partition(&again), differs);
}

/// The real strategies: a Deployment keeps its labels at a write of its status, a StatefulSet does not; annotations go with both.
#[test]
fn a_write_of_the_status_takes_annotations_along_and_a_stateful_sets_labels() {
    let mut server = Server::new();
    apply(&mut server, "", &manifest("app:1", None));
    let patch = json!({"metadata": {"labels": {"tidegate.io/gated": null}, "annotations": {"team": "shop"}},
                       "spec": {"replicas": 9}, "status": {"replicas": 1}});
    let eve = User::person("eve");
    let target = format!("{SETS}/db/status?fieldManager=eve");
    let call = Call { user: eve, ..call(Method::PATCH, &target, MERGE, patch.to_string().into_bytes()) };
    let (code, written) = server.send(&call);
    assert_eq!(code, 200, "{written}");
    assert_eq!((&written["spec"]["replicas"], &written["status"]["replicas"]), (&json!(3), &json!(1)));
    assert_eq!(written["metadata"]["annotations"]["team"], "shop");
    assert!(written.pointer("/metadata/labels/tidegate.io~1gated").is_none(), "{written}");
}
