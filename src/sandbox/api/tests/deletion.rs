//! Deletion: preconditions, finalizers, grace, namespaces.

use serde_json::json;

use super::*;
use crate::cluster::kind::{DEPLOYMENT, POD};
use crate::sandbox::objects::Objects as _;

const ONE: &str = "/api/v1/namespaces/default/configmaps/one";

#[test]
fn without_finalizers_it_is_gone() {
    let mut server = Server::new();
    let made = server.made(CONFIG_MAPS, &config_map("one", json!({})));
    let (code, status) = server.delete(ONE, &json!({"preconditions": {"uid": "another"}}));
    assert_eq!((code, &status["reason"]), (409, &json!("Conflict")));
    let uid = &made["metadata"]["uid"];
    let (code, status) = server.delete(ONE, &json!({"preconditions": {"uid": uid}, "propagationPolicy": "Background"}));
    assert_eq!((code, &status["status"], &status["details"]["uid"]), (200, &json!("Success"), uid));
    assert_eq!(server.get(ONE).0, 404);
    assert_eq!(server.delete(ONE, &json!({})).0, 404);
}

#[test]
fn with_a_finalizer_it_waits_for_it() {
    let mut server = Server::new();
    let mut map = config_map("one", json!({"a": "1"}));
    map["metadata"]["finalizers"] = json!(["tidegate.io/keep"]);
    server.made(CONFIG_MAPS, &map);
    let (code, waiting) = server.delete(ONE, &json!({}));
    assert_eq!((code, &waiting["metadata"]["deletionTimestamp"]), (200, &json!("2026-01-01T00:00:00Z")));
    let version = server.0.version();
    assert_eq!((server.delete(ONE, &json!({})).0, server.0.version()), (200, version));
    let (code, status) = server.patch(ONE, MERGE, &json!({"metadata": {"finalizers": ["tidegate.io/keep", "late"]}}));
    assert_eq!((code, &status["details"]["causes"][0]["field"]), (422, &json!("metadata.finalizers")));
    assert_eq!(server.patch(ONE, MERGE, &json!({"metadata": {"finalizers": null}})).0, 200);
    assert_eq!(server.get(ONE).0, 404);
}

#[test]
fn dependents_are_left_to_a_collector() {
    let mut server = Server::new();
    server.made(DEPLOYMENTS, &deployment("shop"));
    let path = format!("{DEPLOYMENTS}/shop");
    let (_, waiting) = server.delete(&path, &json!({"propagationPolicy": "Foreground"}));
    assert_eq!(waiting["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    assert_eq!(waiting["metadata"]["generation"], 2);
    server.made(DEPLOYMENTS, &deployment("other"));
    let (_, waiting) = server.delete(&format!("{DEPLOYMENTS}/other?propagationPolicy=Orphan"), &json!(null));
    assert_eq!(waiting["metadata"]["finalizers"], json!(["orphan"]));
}

#[test]
fn a_running_pod_gets_its_grace() {
    let mut server = Server::new();
    let user = User::person("kubelet");
    let pod = json!({"metadata": {"name": "p", "namespace": "default"},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i:1"}]}});
    server.0.create(&user, &POD, pod).unwrap();
    let (_, waiting) = server.delete("/api/v1/namespaces/default/pods/p", &json!({}));
    assert_eq!(waiting["metadata"]["deletionTimestamp"], "2026-01-01T00:00:30Z");
    assert_eq!(waiting["metadata"]["deletionGracePeriodSeconds"], 30);
    server.0.delete(&user, &POD, "default", "p").unwrap();
    assert!(server.0.get(&POD, "default", "p").is_none());
}

#[test]
fn many_go_at_once() {
    let mut server = Server::new();
    for (name, app) in [("a", "x"), ("b", "x"), ("c", "y")] {
        let mut map = config_map(name, json!({}));
        map["metadata"]["labels"] = json!({"app": app});
        server.made(CONFIG_MAPS, &map);
    }
    let (code, list) = server.delete(&format!("{CONFIG_MAPS}?labelSelector=app%3Dx"), &json!({}));
    assert_eq!((code, list["items"].as_array().unwrap().len()), (200, 2));
    assert_eq!(server.get(CONFIG_MAPS).1["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_namespace_goes_when_its_controller_lets_it() {
    let mut server = Server::new();
    server.made("/api/v1/namespaces", &json!({"metadata": {"name": "shop"}}));
    server.delete("/api/v1/namespaces/shop", &json!({}));
    server.0.finalize_namespace("shop").unwrap();
    assert_eq!(server.get("/api/v1/namespaces/shop").0, 404);
}

#[test]
fn a_namespace_refuses_new_things_while_it_goes() {
    let mut server = Server::new();
    server.made("/api/v1/namespaces", &json!({"metadata": {"name": "shop"}}));
    let target = "/api/v1/namespaces/shop";
    let (_, waiting) = server.delete(target, &json!({}));
    assert_eq!(waiting["status"]["phase"], "Terminating");
    let (code, status) = server.post("/api/v1/namespaces/shop/configmaps", &config_map("one", json!({})));
    assert_eq!((code, &status["details"]["causes"][0]["reason"]), (403, &json!("NamespaceTerminating")));
    let mut emptied = waiting;
    emptied["spec"]["finalizers"] = json!([]);
    assert_eq!(server.put("/api/v1/namespaces/shop/finalize", &emptied).0, 200);
    assert_eq!(server.get(target).0, 404);
}

#[test]
fn a_definition_takes_its_objects_along() {
    let mut server = Server::new();
    server.made(CRDS, &widgets());
    server.made(WIDGETS, &widget("a", json!({})));
    let mut held = widget("b", json!({}));
    held["metadata"]["finalizers"] = json!(["example.io/held"]);
    server.made(WIDGETS, &held);
    let target = format!("{CRDS}/widgets.example.io");
    assert_eq!(server.delete(&target, &json!({})).0, 200);
    assert_eq!(server.get(WIDGETS).1["items"].as_array().unwrap().len(), 1);
    server.patch(&format!("{WIDGETS}/b"), MERGE, &json!({"metadata": {"finalizers": null}}));
    assert_eq!((server.get(&target).0, server.get(WIDGETS).0), (404, 404));
}

#[test]
fn a_dry_run_deletes_nothing() {
    let mut server = Server::new();
    server.made(DEPLOYMENTS, &deployment("shop"));
    server.delete(&format!("{DEPLOYMENTS}/shop?dryRun=All"), &json!({}));
    server.delete(&format!("{DEPLOYMENTS}/shop"), &json!({"dryRun": ["All"]}));
    assert!(server.0.get(&DEPLOYMENT, "default", "shop").is_some());
}

#[test]
fn a_pod_is_evicted_where_its_budgets_allow_it() {
    let mut server = Server::new();
    let pod = |name: &str| json!({"metadata": {"name": name, "labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let pods = "/api/v1/namespaces/default/pods";
    let one = server.made(pods, &pod("one"));
    server.made(pods, &pod("two"));
    let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    let mut budget = server.made(
        budgets,
        &json!({"metadata": {"name": "web"}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}}),
    );
    let evict = |uid: &serde_json::Value| {
        json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "one"},
            "deleteOptions": {"preconditions": {"uid": uid}, "gracePeriodSeconds": 0}})
    };
    let path = format!("{pods}/one/eviction");
    let (code, refused) = server.post(&path, &evict(&one["metadata"]["uid"]));
    assert_eq!((code, &refused["reason"]), (429, &json!("TooManyRequests")), "nothing is allowed yet");

    budget["status"] = json!({"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2});
    let allowed = server.0.update_status(&User::person("disruption"), &crate::cluster::kind::PDB, budget).unwrap();
    assert_eq!(allowed["status"]["disruptionsAllowed"], 1);
    assert_eq!(server.post(&path, &evict(&json!("another"))).0, 409);
    // A refused one took its turn, as in a real server, until the budget is counted anew.
    let mut counted = server.get(&format!("{budgets}/web")).1;
    counted["status"]["disruptionsAllowed"] = json!(1);
    let again = server.0.update_status(&User::person("disruption"), &crate::cluster::kind::PDB, counted);
    assert!(again.is_ok());
    assert_eq!(server.post(&path, &evict(&one["metadata"]["uid"])).0, 201);
    assert_eq!(server.get(&format!("{pods}/one")).0, 404);
    let (code, refused) = server.post(&format!("{pods}/two/eviction"), &json!({"metadata": {"name": "two"}}));
    assert_eq!(code, 429, "one at a time: {refused}");
    assert_eq!(server.post(&format!("{pods}/none/eviction"), &json!({})).0, 404);
}
