//! JSON patch, merge patch, strategic merge patch.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;

#[rstest]
#[case::merge(MERGE, json!({"data": {"a": null, "b": "2"}}), json!({"b": "2"}))]
#[case::json(JSON_PATCH, json!([{"op": "add", "path": "/data/b", "value": "2"}]), json!({"a": "1", "b": "2"}))]
#[case::tested(JSON_PATCH, json!([
    {"op": "test", "path": "/data/a", "value": "1"}, {"op": "replace", "path": "/data/a", "value": "3"},
]), json!({"a": "3"}))]
#[case::strategic(STRATEGIC, json!({"data": {"b": "2"}}), json!({"a": "1", "b": "2"}))]
#[case::replaced(STRATEGIC, json!({"data": {"$patch": "replace", "b": "2"}}), json!({"b": "2"}))]
fn a_patch_changes_what_it_says(#[case] kind: &str, #[case] patch: Value, #[case] data: Value) {
    let mut server = Server::new();
    server.made(CONFIG_MAPS, &config_map("one", json!({"a": "1"})));
    let (code, patched) = server.patch(&format!("{CONFIG_MAPS}/one"), kind, &patch);
    assert_eq!((code, &patched["data"]), (200, &data), "{patched}");
}

#[rstest]
#[case::stale_merge(MERGE, json!({"metadata": {"resourceVersion": "1"}, "data": {"a": "2"}}), 409)]
#[case::stale_json(JSON_PATCH, json!([
    {"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}, {"op": "add", "path": "/data/a", "value": "2"},
]), 409)]
#[case::other_uid(MERGE, json!({"metadata": {"uid": "another"}}), 409)]
#[case::failed_test(JSON_PATCH, json!([{"op": "test", "path": "/data/a", "value": "9"}]), 422)]
#[case::no_patch(JSON_PATCH, json!({"a": 1}), 400)]
#[case::no_object(MERGE, json!([1]), 400)]
#[case::renamed(MERGE, json!({"metadata": {"name": "two"}}), 400)]
#[case::unknown("text/plain", json!({}), 415)]
fn a_patch_can_be_refused(#[case] kind: &str, #[case] patch: Value, #[case] code: u16) {
    let mut server = Server::new();
    let made = server.made(CONFIG_MAPS, &config_map("one", json!({"a": "1"})));
    let (is, status) = server.patch(&format!("{CONFIG_MAPS}/one"), kind, &patch);
    assert_eq!(is, code, "{status}");
    assert_eq!(server.get(&format!("{CONFIG_MAPS}/one")).1, made);
}

#[test]
fn containers_merge_by_name() {
    let mut server = Server::new();
    server.made(DEPLOYMENTS, &deployment("shop"));
    let patch = json!({"spec": {"template": {"spec": {
        "$setElementOrder/containers": [{"name": "main"}, {"name": "side"}],
        "containers": [
            {"name": "main", "env": [{"name": "A", "value": "1"}], "ports": [{"containerPort": 81}]},
            {"name": "side", "image": "side:1"},
        ],
    }}}});
    let (code, patched) = server.patch(&format!("{DEPLOYMENTS}/shop"), STRATEGIC, &patch);
    let containers = &patched["spec"]["template"]["spec"]["containers"];
    assert_eq!((code, &containers[0]["image"], &containers[1]["image"]), (200, &json!("shop:1"), &json!("side:1")));
    assert_eq!(containers[0]["ports"].as_array().unwrap().len(), 2);
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"$patch": "delete", "name": "side"}]}}}});
    let (_, patched) = server.patch(&format!("{DEPLOYMENTS}/shop"), STRATEGIC, &patch);
    assert_eq!(patched["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(), 1);
}

#[test]
fn a_strategy_keeps_only_what_is_retained() {
    let mut server = Server::new();
    server.made(DEPLOYMENTS, &deployment("shop"));
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    let (_, patched) = server.patch(&format!("{DEPLOYMENTS}/shop"), STRATEGIC, &patch);
    assert_eq!(patched["spec"]["strategy"], json!({"type": "Recreate"}));
}

#[test]
fn a_custom_kind_has_no_strategic_merge() {
    let mut server = Server::new();
    server.made(CRDS, &widgets());
    server.made(WIDGETS, &widget("w", json!({"size": 1})));
    assert_eq!(server.patch(&format!("{WIDGETS}/w"), STRATEGIC, &json!({})).0, 415);
}

#[test]
fn a_status_is_replaced_as_the_controller_does() {
    let mut server = Server::new();
    server.made(CRDS, &widgets());
    let made = server.made(WIDGETS, &widget("w", json!({"size": 1})));
    let patch = json!([
        {"op": "replace", "path": "/metadata/resourceVersion", "value": made["metadata"]["resourceVersion"]},
        {"op": "add", "path": "/status", "value": {"phase": "Open"}},
    ]);
    let (code, patched) = server.patch(&format!("{WIDGETS}/w/status"), JSON_PATCH, &patch);
    assert_eq!(
        (code, &patched["status"], &patched["metadata"]["generation"]),
        (200, &json!({"phase": "Open"}), &json!(1))
    );
    assert_eq!(server.patch(&format!("{WIDGETS}/w/status"), JSON_PATCH, &patch).0, 409);
}
