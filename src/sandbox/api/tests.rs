//! How the server behaves, as a client sees it.

mod apply;
mod client;
mod deletion;
mod held;
mod kinds;
mod patches;
mod properties;
mod reading;
mod watches;
mod writes;

use http::Method;
use serde_json::{Value, json};

use super::{Answer, ApiServer, Call, Polled, Watch};
use crate::sandbox::user::User;

pub(super) const MERGE: &str = "application/merge-patch+json";
pub(super) const JSON_PATCH: &str = "application/json-patch+json";
pub(super) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(super) const APPLY: &str = "application/apply-patch+yaml";
pub(super) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
pub(super) const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

pub(super) fn call(method: Method, target: &str, content_type: &str, body: Vec<u8>) -> Call {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Call {
        user: User::person("alice"),
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        content_type: content_type.to_owned(),
        accept: "application/json".to_owned(),
        body,
        user_agent: "tester/1.0".to_owned(),
    }
}

/// A server under test.
pub(super) struct Server(pub(super) ApiServer);

impl Server {
    pub(super) fn new() -> Self {
        Self(ApiServer::new(7))
    }

    pub(super) fn send(&mut self, call: &Call) -> (u16, Value) {
        match self.0.call(call) {
            Answer::Done { code, body, .. } => (code, serde_json::from_slice(&body).unwrap()),
            Answer::Watch(_) => panic!("a watch was opened"),
        }
    }

    pub(super) fn get(&mut self, target: &str) -> (u16, Value) {
        self.send(&call(Method::GET, target, "", Vec::new()))
    }

    pub(super) fn post(&mut self, target: &str, body: &Value) -> (u16, Value) {
        self.send(&call(Method::POST, target, "application/json", body.to_string().into_bytes()))
    }

    pub(super) fn put(&mut self, target: &str, body: &Value) -> (u16, Value) {
        self.send(&call(Method::PUT, target, "application/json", body.to_string().into_bytes()))
    }

    pub(super) fn patch(&mut self, target: &str, kind: &str, body: &Value) -> (u16, Value) {
        self.send(&call(Method::PATCH, target, kind, body.to_string().into_bytes()))
    }

    pub(super) fn delete(&mut self, target: &str, body: &Value) -> (u16, Value) {
        self.send(&call(Method::DELETE, target, "application/json", body.to_string().into_bytes()))
    }

    /// Creates what must be creatable.
    pub(super) fn made(&mut self, target: &str, body: &Value) -> Value {
        let (code, made) = self.post(target, body);
        assert_eq!(code, 201, "{made}");
        made
    }

    pub(super) fn watch(&mut self, target: &str) -> Watch {
        match self.0.call(&call(Method::GET, target, "", Vec::new())) {
            Answer::Watch(watch) => *watch,
            Answer::Done { body, .. } => panic!("{}", String::from_utf8_lossy(&body)),
        }
    }

    /// `(type, object)` of the events since the last poll.
    pub(super) fn poll(&self, watch: &mut Watch) -> Vec<(String, Value)> {
        let Polled::Lines(lines) = self.0.poll_watch(watch) else { panic!("the watch has ended") };
        let lines = String::from_utf8(lines).unwrap();
        lines
            .lines()
            .map(|line| {
                let event: Value = serde_json::from_str(line).unwrap();
                (event["type"].as_str().unwrap().to_owned(), event["object"].clone())
            })
            .collect()
    }
}

pub(super) fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

pub(super) fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": "shop:1", "ports": [{"containerPort": 80}]}]},
            },
        },
    })
}

/// A custom kind with a status, a list by keys and a set.
pub(super) fn widgets() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.io"},
        "spec": {
            "group": "example.io", "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "shortNames": ["wd"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {
                        "size": {"type": "integer"},
                        "parts": {
                            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
                            "items": {"type": "object", "properties": {
                                "id": {"type": "string"}, "count": {"type": "integer"},
                            }},
                        },
                        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                        "rules": {"type": "array", "items": {"type": "object"}},
                    }},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                }}},
            }],
        },
    })
}

pub(super) const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
pub(super) const WIDGETS: &str = "/apis/example.io/v1/namespaces/default/widgets";

pub(super) fn widget(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "example.io/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}
