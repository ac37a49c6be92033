//! Create, replace, status, scale, preconditions.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::cluster::kind::{DEPLOYMENT, POD};
use crate::sandbox::objects::Objects as _;

#[test]
fn a_created_object_has_what_a_server_gives() {
    let mut server = Server::new();
    let made = server.made(DEPLOYMENTS, &deployment("shop"));
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(made["metadata"]["namespace"], "default");
    assert_eq!(made["metadata"]["creationTimestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(made["metadata"]["uid"].as_str().unwrap().len(), 36);
    assert_eq!(made["metadata"]["resourceVersion"], server.0.version().to_string());
    assert_eq!(made["spec"]["strategy"]["rollingUpdate"], json!({"maxSurge": "25%", "maxUnavailable": "25%"}));
    assert_eq!(made["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"], "IfNotPresent");
    assert_eq!(made["metadata"]["managedFields"][0]["manager"], "tester");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let one = Server::new().made(DEPLOYMENTS, &deployment("shop")).to_string();
    assert_eq!(one, Server::new().made(DEPLOYMENTS, &deployment("shop")).to_string());
}

#[test]
fn what_is_there_cannot_be_created_again() {
    let mut server = Server::new();
    server.made(DEPLOYMENTS, &deployment("shop"));
    let (code, status) = server.post(DEPLOYMENTS, &deployment("shop"));
    assert_eq!((code, &status["reason"]), (409, &json!("AlreadyExists")));
    assert_eq!(status["message"], "deployments.apps \"shop\" already exists");
    assert_eq!(status["details"], json!({"name": "shop", "group": "apps", "kind": "deployments"}));
}

#[test]
fn a_name_is_generated() {
    let mut server = Server::new();
    let mut map = config_map("", json!({}));
    map["metadata"] = json!({"generateName": "seen-"});
    let name = server.made(CONFIG_MAPS, &map)["metadata"]["name"].as_str().unwrap().to_owned();
    assert!(name.starts_with("seen-") && name.len() == 10, "{name}");
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let mut server = Server::new();
    let before = server.0.version();
    let (code, _) = server.post(&format!("{DEPLOYMENTS}?dryRun=All"), &deployment("shop"));
    assert_eq!((code, server.0.version()), (201, before));
    assert_eq!(server.get(&format!("{DEPLOYMENTS}/shop")).0, 404);
}

#[test]
fn a_write_that_changes_nothing_raises_nothing() {
    let mut server = Server::new();
    let made = server.made(DEPLOYMENTS, &deployment("shop"));
    let version = server.0.version();
    let (code, same) = server.put(&format!("{DEPLOYMENTS}/shop"), &made);
    assert_eq!((code, same == made, server.0.version()), (200, true, version));
    let (code, _) = server.patch(&format!("{DEPLOYMENTS}/shop"), MERGE, &json!({"spec": {"replicas": 1}}));
    assert_eq!((code, server.0.version()), (200, version));
}

#[test]
fn an_old_version_conflicts() {
    let mut server = Server::new();
    let made = server.made(CONFIG_MAPS, &config_map("one", json!({"a": "1"})));
    server.patch(&format!("{CONFIG_MAPS}/one"), MERGE, &json!({"data": {"a": "2"}}));
    let (code, status) = server.put(&format!("{CONFIG_MAPS}/one"), &made);
    assert_eq!((code, &status["reason"]), (409, &json!("Conflict")));
    assert_eq!(
        status["message"],
        "Operation cannot be fulfilled on configmaps \"one\": the object has been modified; please apply your changes to \
         the latest version and try again"
    );
}

#[test]
fn the_generation_counts_what_is_wanted_only() {
    let mut server = Server::new();
    server.made(DEPLOYMENTS, &deployment("shop"));
    let path = format!("{DEPLOYMENTS}/shop");
    let generation = |answer: (u16, Value)| answer.1["metadata"]["generation"].as_i64().unwrap();
    assert_eq!(generation(server.patch(&path, MERGE, &json!({"metadata": {"labels": {"b": "c"}}}))), 1);
    assert_eq!(generation(server.patch(&path, MERGE, &json!({"spec": {"replicas": 3}}))), 2);
    assert_eq!(generation(server.patch(&format!("{path}/status"), MERGE, &json!({"status": {"replicas": 3}}))), 2);
}

#[test]
fn spec_and_status_have_a_door_each() {
    let mut server = Server::new();
    server.made(DEPLOYMENTS, &deployment("shop"));
    let path = format!("{DEPLOYMENTS}/shop");
    let both = json!({"spec": {"replicas": 4}, "status": {"replicas": 2}});
    let (_, by_status) = server.patch(&format!("{path}/status"), MERGE, &both);
    assert_eq!((&by_status["spec"]["replicas"], &by_status["status"]["replicas"]), (&json!(1), &json!(2)));
    let (_, by_main) = server.patch(&path, MERGE, &json!({"spec": {"replicas": 4}, "status": {"replicas": 9}}));
    assert_eq!((&by_main["spec"]["replicas"], &by_main["status"]["replicas"]), (&json!(4), &json!(2)));
}

#[test]
fn a_scale_is_read_and_written() {
    let mut server = Server::new();
    server.made(DEPLOYMENTS, &deployment("shop"));
    let path = format!("{DEPLOYMENTS}/shop/scale");
    let (_, mut scale) = server.get(&path);
    assert_eq!((&scale["kind"], &scale["status"]["selector"]), (&json!("Scale"), &json!("app=shop")));
    scale["spec"]["replicas"] = json!(5);
    assert_eq!(server.put(&path, &scale).1["spec"]["replicas"], 5);
    assert_eq!(server.patch(&path, MERGE, &json!({"spec": {"replicas": 6}})).1["spec"]["replicas"], 6);
    assert_eq!(server.get(&format!("{DEPLOYMENTS}/shop")).1["spec"]["replicas"], 6);
    scale["spec"]["replicas"] = json!(7);
    assert_eq!(server.put(&path, &scale).0, 409);
}

#[rstest]
#[case::name("metadata.name", &["/metadata/name"], json!("Shop_1"))]
#[case::label("metadata.labels", &["/metadata/labels/app"], json!("-x"))]
#[case::selector("spec.template.metadata.labels", &["/spec/template/metadata/labels/app"], json!("other"))]
#[case::replicas("spec.replicas", &["/spec/replicas"], json!(-1))]
#[case::image("spec.template.spec.containers[0].image", &["/spec/template/spec/containers/0/image"], json!(""))]
fn nonsense_is_refused_with_the_field(#[case] field: &str, #[case] places: &[&str], #[case] value: Value) {
    let mut object = deployment("shop");
    object["spec"]["replicas"] = json!(1);
    for place in places {
        *object.pointer_mut(place).unwrap() = value.clone();
    }
    let (code, status) = Server::new().post(DEPLOYMENTS, &object);
    assert_eq!((code, &status["reason"]), (422, &json!("Invalid")), "{status}");
    assert_eq!(status["details"]["causes"][0]["field"], field);
}

#[test]
fn a_selector_stays_as_it_is() {
    let mut server = Server::new();
    server.made(DEPLOYMENTS, &deployment("shop"));
    let other = json!({"spec": {
        "selector": {"matchLabels": {"app": "b"}}, "template": {"metadata": {"labels": {"app": "b"}}},
    }});
    let (code, status) = server.patch(&format!("{DEPLOYMENTS}/shop"), MERGE, &other);
    assert_eq!(code, 422);
    assert!(status["message"].as_str().unwrap().ends_with("field is immutable"), "{status}");
}

#[rstest]
#[case::namespace("/apis/apps/v1/namespaces/nowhere/deployments", 404, "namespaces \"nowhere\" not found")]
#[case::path("/apis/apps/v2/namespaces/default/deployments", 404, "the server could not find the requested resource")]
#[case::part(
    "/apis/apps/v1/namespaces/default/deployments/a/log",
    404,
    "the server could not find the requested resource"
)]
#[case::method("/apis/apps/v1/namespaces/default/deployments/a", 405, "the server does not allow this method")]
fn what_is_not_served_is_said(#[case] path: &str, #[case] code: u16, #[case] message: &str) {
    let (is, status) = Server::new().post(path, &deployment("shop"));
    assert_eq!(is, code);
    assert!(status["message"].as_str().unwrap().starts_with(message), "{status}");
}

#[test]
fn a_body_of_another_kind_is_refused() {
    let (code, _) = Server::new().post(CONFIG_MAPS, &deployment("shop"));
    assert_eq!(code, 400);
}

#[test]
fn those_in_the_process_use_the_same_door() {
    let mut server = Server::new();
    let user = User::service_account("kube-system", "deployment-controller");
    let made = server.0.create(&user, &DEPLOYMENT, deployment("shop")).unwrap();
    let mut changed = made.clone();
    changed["status"] = json!({"replicas": 1});
    let changed = server.0.update_status(&user, &DEPLOYMENT, changed).unwrap();
    assert_eq!(server.0.update(&user, &DEPLOYMENT, made).unwrap_err().reason, "Conflict");
    assert_eq!(server.0.list(&DEPLOYMENT, ""), vec![&changed]);
    let log: Vec<_> =
        server.0.changes(4).map(|change| (change.kind, change.subresource, change.by.name.as_str())).collect();
    let by = "system:serviceaccount:kube-system:deployment-controller";
    assert_eq!(log, [(DEPLOYMENT, None, by), (DEPLOYMENT, Some("status"), by)]);
    assert!(server.0.get(&POD, "default", "shop").is_none());
}

#[test]
fn a_malformed_object_can_be_planted() {
    let mut server = Server::new();
    let odd = json!({"metadata": {"name": "odd", "namespace": "default"}, "spec": {"replicas": "many"}});
    server.0.put_raw(&DEPLOYMENT, odd).unwrap();
    assert_eq!(server.get(&format!("{DEPLOYMENTS}/odd")).1["spec"], json!({"replicas": "many"}));
}
