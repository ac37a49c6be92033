//! Server-side apply: ownership, conflicts, release.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn apply(server: &mut Server, path: &str, manager: &str, body: &Value) -> (u16, Value) {
    server.patch(&format!("{path}?fieldManager={manager}"), APPLY, body)
}

fn force(server: &mut Server, path: &str, manager: &str, body: &Value) -> (u16, Value) {
    server.patch(&format!("{path}?fieldManager={manager}&force=true"), APPLY, body)
}

fn owned(object: &Value, manager: &str) -> Value {
    let entries = object["metadata"]["managedFields"].as_array();
    entries
        .into_iter()
        .flatten()
        .find(|entry| entry["manager"] == manager)
        .map_or(Value::Null, |entry| entry["fieldsV1"].clone())
}

const ONE: &str = "/api/v1/namespaces/default/configmaps/one";

#[test]
fn apply_creates_and_owns() {
    let mut server = Server::new();
    let (code, made) = apply(&mut server, ONE, "git", &config_map("one", json!({"a": "1"})));
    assert_eq!((code, owned(&made, "git")), (201, json!({"f:data": {"f:a": {}}})));
    assert_eq!(made["metadata"]["managedFields"][0]["operation"], "Apply");
    let version = server.0.version();
    let (code, again) = apply(&mut server, ONE, "git", &config_map("one", json!({"a": "1"})));
    assert_eq!((code, again == made, server.0.version()), (200, true, version));
}

#[test]
fn what_is_not_listed_any_more_goes() {
    let mut server = Server::new();
    apply(&mut server, ONE, "git", &config_map("one", json!({"a": "1", "b": "2"})));
    apply(&mut server, ONE, "other", &config_map("one", json!({"b": "2", "c": "3"})));
    let (_, left) = apply(&mut server, ONE, "git", &config_map("one", json!({})));
    assert_eq!(left["data"], json!({"b": "2", "c": "3"}));
    assert_eq!(owned(&left, "git"), json!({"f:data": {}}));
    let nothing = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}});
    let (code, left) = apply(&mut server, ONE, "other", &nothing);
    assert_eq!((code, &left["data"]), (200, &json!({})), "who applied an empty map keeps it");
    assert_eq!((owned(&left, "other"), owned(&left, "git")), (Value::Null, json!({"f:data": {}})));
}

#[test]
fn another_value_conflicts_with_its_owner_unless_forced() {
    let mut server = Server::new();
    apply(&mut server, ONE, "git", &config_map("one", json!({"a": "1", "b": "2"})));
    let (code, status) = apply(&mut server, ONE, "hand", &config_map("one", json!({"a": "9"})));
    assert_eq!((code, &status["reason"]), (409, &json!("Conflict")));
    assert_eq!(status["message"], "Apply failed with 1 conflict: conflict with \"git\" using v1: .data.a");
    assert_eq!(
        status["details"]["causes"],
        json!([{"reason": "FieldManagerConflict", "message": "conflict with \"git\" using v1", "field": ".data.a"}])
    );
    let (code, forced) = force(&mut server, ONE, "hand", &config_map("one", json!({"a": "9"})));
    assert_eq!((code, &forced["data"]["a"]), (200, &json!("9")));
    assert_eq!(owned(&forced, "git"), json!({"f:data": {"f:b": {}}}));
    // The same value is shared, not fought over.
    let (code, shared) = apply(&mut server, ONE, "third", &config_map("one", json!({"a": "9"})));
    assert_eq!((code, owned(&shared, "third")), (200, owned(&shared, "hand")));
}

#[test]
fn an_update_takes_what_it_changes() {
    let mut server = Server::new();
    apply(&mut server, ONE, "git", &config_map("one", json!({"a": "1", "b": "2"})));
    let (_, edited) = server.patch(&format!("{ONE}?fieldManager=hand"), MERGE, &json!({"data": {"a": "5"}}));
    assert_eq!(owned(&edited, "git"), json!({"f:data": {"f:b": {}}}));
    assert_eq!(owned(&edited, "hand"), json!({"f:data": {"f:a": {}}}));
    assert_eq!(edited["metadata"]["managedFields"][1]["operation"], "Update");
    assert_eq!(apply(&mut server, ONE, "git", &config_map("one", json!({"a": "1", "b": "2"}))).0, 409);
}

#[test]
fn containers_have_an_owner_each() {
    let mut server = Server::new();
    let path = format!("{DEPLOYMENTS}/shop");
    let (code, made) = apply(&mut server, &path, "git", &deployment("shop"));
    assert_eq!(code, 201);
    let fields = owned(&made, "git");
    let container = &fields["f:spec"]["f:template"]["f:spec"]["f:containers"]["k:{\"name\":\"main\"}"];
    assert_eq!(container["."], json!({}));
    assert_eq!(container["f:ports"]["k:{\"containerPort\":80,\"protocol\":\"TCP\"}"]["f:containerPort"], json!({}));
    assert_eq!(fields["f:spec"]["f:selector"], json!({}), "a selector is one value");
    assert_eq!(fields["f:spec"].get("f:replicas"), None, "a default has no owner");

    let side = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {
        "template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}},
    }});
    let (_, both) = apply(&mut server, &path, "mesh", &side);
    assert_eq!(both["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(), 2);
    let (_, again) = apply(&mut server, &path, "git", &deployment("shop"));
    assert_eq!(again, both);
    let empty = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}});
    let (code, alone) = apply(&mut server, &path, "mesh", &empty);
    assert_eq!((code, alone["spec"]["template"]["spec"]["containers"].as_array().unwrap().len()), (200, 1), "{alone}");
}

#[test]
fn one_leaf_is_held_and_released() {
    let mut server = Server::new();
    let path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/shop";
    let whole = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "shop"},
        "spec": {"maxReplicas": 9, "scaleTargetRef": {"kind": "Deployment", "name": "shop"}}});
    apply(&mut server, path, "git", &whole);
    let leaf = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "shop"},
        "spec": {"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}});
    force(&mut server, path, "tidegate", &leaf);
    let (_, kept) = force(&mut server, path, "git", &whole);
    assert_eq!(kept["spec"]["behavior"]["scaleDown"]["selectPolicy"], "Disabled");
    let none = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "shop"}});
    let (_, released) = force(&mut server, path, "tidegate", &none);
    assert_eq!(released["spec"].get("behavior"), None, "{released}");
    assert_eq!(owned(&released, "tidegate"), Value::Null);
}

#[test]
fn the_rules_of_a_route_are_one_value() {
    let mut server = Server::new();
    let path = "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes/shop";
    let route = |weight: i32| {
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "shop"},
            "spec": {"rules": [{"backendRefs": [{"name": "shop", "port": 80, "weight": weight}]}]}})
    };
    let (_, made) = apply(&mut server, path, "git", &route(100));
    assert_eq!(owned(&made, "git"), json!({"f:spec": {"f:rules": {}}}));
    assert_eq!(made["spec"]["rules"][0]["matches"], json!([{"path": {"type": "PathPrefix", "value": "/"}}]));
    let split = json!([{"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 75}]);
    server.patch(&format!("{path}?fieldManager=tidegate"), JSON_PATCH, &split);
    let (_, wiped) = force(&mut server, path, "git", &route(100));
    assert_eq!(wiped["spec"]["rules"][0]["backendRefs"][0]["weight"], 100);
}

#[test]
fn who_changed_the_rules_of_a_route_owns_them_until_they_are_given_back() {
    let mut server = Server::new();
    let path = "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes/shop";
    let route = |weight: i32| {
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "shop"},
            "spec": {"parentRefs": [{"name": "public"}],
                     "rules": [{"backendRefs": [{"name": "shop", "port": 80, "weight": weight}]}]}})
    };
    let patch =
        |server: &mut Server, ops: Value| server.patch(&format!("{path}?fieldManager=tidegate"), JSON_PATCH, &ops).1;
    apply(&mut server, path, "helm", &route(100));
    let weight = "/spec/rules/0/backendRefs/0/weight";
    let divided = patch(&mut server, json!([{"op": "replace", "path": weight, "value": 75}]));
    assert_eq!(owned(&divided, "tidegate"), json!({"f:spec": {"f:rules": {}}}));
    let (code, status) = apply(&mut server, path, "helm", &route(100));
    let says =
        "Apply failed with 1 conflict: conflict with \"tidegate\" using gateway.networking.k8s.io/v1: .spec.rules";
    assert_eq!((code, &status["message"]), (409, &json!(says)));

    let gone = json!({"op": "remove", "path": "/metadata/managedFields/1"});
    let claimed = patch(&mut server, json!([gone, {"op": "replace", "path": weight, "value": 50}]));
    assert_eq!(owned(&claimed, "tidegate"), json!({"f:spec": {"f:rules": {}}}), "who changes them has them again");
    let back = patch(&mut server, json!([gone]));
    assert_eq!((owned(&back, "tidegate"), &back["spec"]), (Value::Null, &claimed["spec"]));
    assert_eq!(back["metadata"]["generation"], claimed["metadata"]["generation"], "no router looks again");
    assert_eq!(apply(&mut server, path, "helm", &route(100)).0, 200);
}

#[rstest]
#[case::forgotten(json!([]), Value::Null)]
#[case::forgotten_by_an_empty_entry(json!([{}]), Value::Null)]
#[case::unreadable(json!([{"manager": "git", "operation": "Guess"}]), json!({"f:data": {"f:a": {}}}))]
fn an_update_may_bring_managed_fields_along(#[case] entries: Value, #[case] left: Value) {
    let mut server = Server::new();
    apply(&mut server, ONE, "git", &config_map("one", json!({"a": "1"})));
    let patch = json!({"metadata": {"managedFields": entries}});
    let (_, after) = server.patch(&format!("{ONE}?fieldManager=hand"), MERGE, &patch);
    assert_eq!(owned(&after, "git"), left);
}

#[test]
fn a_custom_kind_says_how_its_lists_merge() {
    let mut server = Server::new();
    server.made(CRDS, &widgets());
    let path = format!("{WIDGETS}/w");
    let one = json!({"parts": [{"id": "a", "count": 1}], "tags": ["x"], "rules": [{"r": 1}]});
    apply(&mut server, &path, "one", &widget("w", one));
    let two = json!({"parts": [{"id": "b", "count": 2}], "tags": ["y"]});
    let (code, both) = apply(&mut server, &path, "two", &widget("w", two));
    assert_eq!(code, 200);
    assert_eq!(both["spec"]["parts"], json!([{"id": "a", "count": 1}, {"id": "b", "count": 2}]));
    assert_eq!(both["spec"]["tags"], json!(["x", "y"]));
    let other_rules = json!({"rules": [{"r": 2}]});
    let (code, status) = apply(&mut server, &path, "two", &widget("w", other_rules));
    assert_eq!((code, &status["details"]["causes"][0]["field"]), (409, &json!(".spec.rules")));
    let (_, left) = apply(&mut server, &path, "one", &widget("w", json!({"tags": ["x"]})));
    assert_eq!(left["spec"], json!({"parts": [{"id": "b", "count": 2}], "tags": ["x", "y"]}));
}

#[test]
fn a_status_is_applied_through_its_own_door() {
    let mut server = Server::new();
    server.made(CRDS, &widgets());
    apply(&mut server, &format!("{WIDGETS}/w"), "git", &widget("w", json!({"size": 1})));
    let mut status = widget("w", json!({"size": 9}));
    status["status"] = json!({"phase": "Open"});
    let (code, applied) = apply(&mut server, &format!("{WIDGETS}/w/status"), "controller", &status);
    assert_eq!((code, &applied["spec"]["size"], &applied["status"]["phase"]), (200, &json!(1), &json!("Open")));
    assert_eq!(owned(&applied, "controller"), json!({"f:status": {"f:phase": {}}}));
}

#[rstest]
#[case::nameless(format!("{ONE}?force=true"), config_map("one", json!({})), 422)]
#[case::owned(format!("{ONE}?fieldManager=a"), json!({"metadata": {"managedFields": [{}]}}), 400)]
#[case::renamed(format!("{ONE}?fieldManager=a"), config_map("two", json!({})), 400)]
#[case::versioned(format!("{ONE}?fieldManager=a"), json!({"metadata": {"resourceVersion": "3"}}), 404)]
fn an_apply_can_be_refused(#[case] target: String, #[case] body: Value, #[case] code: u16) {
    assert_eq!(Server::new().patch(&target, APPLY, &body).0, code);
}

#[test]
fn yaml_is_read() {
    let body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata: {a: '1'}\n";
    let mut server = Server::new();
    let target = format!("{ONE}?fieldManager=git");
    let (code, made) = server.send(&call(http::Method::PATCH, &target, APPLY, body.as_bytes().to_vec()));
    assert_eq!((code, &made["data"]["a"]), (201, &json!("1")));
}
