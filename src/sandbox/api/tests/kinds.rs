//! Events with two faces, reviews, custom kinds, access, and what others bring.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::cluster::Kind;
use crate::sandbox::api::{Admission, FieldError, Operation, Review, Schemas};
use crate::sandbox::objects::Refusal;

#[test]
fn an_event_has_two_faces() {
    let mut server = Server::new();
    let event =
        json!({"metadata": {"name": "e"}, "regarding": {"kind": "Pod", "name": "p"}, "note": "seen", "reason": "Seen"});
    server.made("/apis/events.k8s.io/v1/namespaces/default/events", &event);
    let (_, core) = server.get("/api/v1/namespaces/default/events/e");
    assert_eq!((&core["apiVersion"], &core["message"]), (&json!("v1"), &json!("seen")));
    assert_eq!(core["involvedObject"]["name"], "p");
    let mut core_made = config_map("f", json!({}));
    core_made["kind"] = json!("Event");
    core_made["message"] = json!("other");
    server.made("/api/v1/namespaces/default/events", &core_made);
    let (_, new) = server.get("/apis/events.k8s.io/v1/namespaces/default/events/f");
    assert_eq!((&new["apiVersion"], &new["note"]), (&json!("events.k8s.io/v1"), &json!("other")));
    let (_, found) = server.get("/api/v1/events?fieldSelector=involvedObject.name%3Dp,involvedObject.kind%3DPod");
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_definition_is_served_at_once() {
    let mut server = Server::new();
    assert_eq!(server.get(WIDGETS).0, 404);
    let made = server.made(CRDS, &widgets());
    assert_eq!(made["status"]["conditions"][1]["type"], "Established");
    let row = server.0.resource(&Kind::new("example.io", "v1", "Widget", "widgets")).unwrap();
    assert_eq!((row.short_names.as_slice(), row.columns[0]["name"].as_str()), (&["wd".to_owned()][..], Some("Size")));
    server.made(WIDGETS, &widget("w", json!({"size": 1})));
    let (code, status) = server.put(&format!("{WIDGETS}/w"), &widget("w", json!({"size": 2})));
    assert_eq!((code, &status["details"]["causes"][0]["field"]), (422, &json!("metadata.resourceVersion")));
}

#[test]
fn questions_about_rights_are_answered() {
    let mut server = Server::new();
    server.0.deny("bob", "delete", "apps", "deployments");
    let (_, me) = server.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &json!({}));
    assert_eq!(me["status"]["userInfo"]["username"], "alice");
    let ask = |verb: &str, group: &str, resource: &str| json!({"spec": {"user": "bob", "resourceAttributes": {"verb": verb, "group": group, "resource": resource}}});
    let reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    assert_eq!(server.post(reviews, &ask("delete", "apps", "deployments")).1["status"]["allowed"], false);
    assert_eq!(server.post(reviews, &ask("get", "apps", "deployments")).1["status"]["allowed"], true);
    let own = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let bypass = ask("bypass", "tidegate.io", "gatedreleases");
    assert_eq!(server.post(own, &bypass).1["status"]["allowed"], false);
    server.0.grant("alice", "bypass", "tidegate.io", "gatedreleases");
    assert_eq!(server.post(own, &bypass).1["status"]["allowed"], true);
}

#[test]
fn who_may_not_is_told_so() {
    let mut server = Server::new();
    server.0.deny("alice", "patch", "apps", "deployments");
    server.made(DEPLOYMENTS, &deployment("shop"));
    let (code, status) = server.patch(&format!("{DEPLOYMENTS}/shop"), MERGE, &json!({}));
    assert_eq!(code, 403);
    assert_eq!(
        status["message"],
        "deployments.apps \"shop\" is forbidden: User \"alice\" cannot patch resource \"deployments\" in API group \"apps\" \
         in the namespace \"default\""
    );
}

/// Pauses every changed Deployment and holds on to what is called `kept`.
struct Policy;

impl Admission for Policy {
    fn admit(&self, review: Review<'_>) -> Result<Option<Value>, Refusal> {
        if review.operation == Operation::Delete && review.name == "kept" {
            let message = "it is kept".to_owned();
            return Err(Refusal { code: 403, reason: "Forbidden", message, details: None });
        }
        if review.operation != Operation::Update || review.resource != "deployments" || review.subresource.is_some() {
            return Ok(None);
        }
        let mut object = review.object.cloned().unwrap_or_default();
        object["spec"]["paused"] = json!(true);
        Ok(Some(object))
    }
}

#[test]
fn admission_changes_without_owning() {
    let mut server = Server::new();
    server.0.set_admission(Arc::new(Policy));
    let target = format!("{DEPLOYMENTS}/shop?fieldManager=git");
    server.patch(&target, APPLY, &deployment("shop"));
    let mut next = deployment("shop");
    next["spec"]["template"]["spec"]["containers"][0]["image"] = json!("shop:2");
    let (_, paused) = server.patch(&target, APPLY, &next);
    assert_eq!(paused["spec"]["paused"], true);
    assert!(!paused["metadata"]["managedFields"].to_string().contains("f:paused"), "{paused}");
    let version = server.0.version();
    assert_eq!((server.patch(&target, APPLY, &next).0, server.0.version()), (200, version));
    server.made(CONFIG_MAPS, &config_map("kept", json!({})));
    assert_eq!(server.delete(&format!("{CONFIG_MAPS}/kept"), &json!({})).0, 403);
}

/// Knows `size`, which has to be positive and is 1 by default.
struct Sizes;

impl Schemas for Sizes {
    fn default_and_prune(&self, _group: &str, _kind: &str, object: &mut Value) {
        if object["spec"]["size"].is_null() {
            object["spec"]["size"] = json!(1);
        }
    }
    fn unknown_fields(&self, _group: &str, _kind: &str, object: &Value) -> Vec<String> {
        if object["spec"].get("colour").is_some() { vec!["spec.colour".to_owned()] } else { Vec::new() }
    }
    fn validate(&self, _group: &str, _kind: &str, object: &Value, _old: Option<&Value>) -> Vec<FieldError> {
        let message = "Invalid value: 0: should be greater than or equal to 1".to_owned();
        let bad = object["spec"]["size"] == 0;
        if bad { vec![FieldError { field: "spec.size".to_owned(), message }] } else { Vec::new() }
    }
    fn install(&mut self, _crd: &Value) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn schemas_default_validate_and_know_fields() {
    let mut server = Server::new();
    server.made(CRDS, &widgets());
    server.0.set_schemas(Box::new(Sizes)).unwrap();
    assert_eq!(server.made(WIDGETS, &widget("a", json!({})))["spec"]["size"], 1);
    let (code, status) = server.post(WIDGETS, &widget("b", json!({"size": 0})));
    assert_eq!(code, 422);
    assert_eq!(
        status["message"],
        "Widget.example.io \"b\" is invalid: spec.size: Invalid value: 0: should be greater than or equal to 1"
    );
    let target = format!("{WIDGETS}?fieldValidation=Strict");
    let (code, status) = server.post(&target, &widget("c", json!({"colour": "red"})));
    assert_eq!(code, 400);
    assert!(status["message"].as_str().unwrap().ends_with("strict decoding error: unknown field \"spec.colour\""));
}
