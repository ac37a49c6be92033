//! The scale of a workload: its number of replicas as an object of its own.

use std::sync::Arc;

use serde_json::{Value, json};

use super::meta;
use super::refuse;
use super::seams::Operation;
use super::server::ApiServer;
use super::write::{Intent, Ownership};
use crate::sandbox::objects::Refusal;

/// The scale of a workload.
pub(super) fn of(object: &Value) -> Value {
    let replicas = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let selector: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let text = |key: &str| meta::text(object, key);
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": text("name"), "namespace": text("namespace"), "uid": text("uid"),
            "resourceVersion": text("resourceVersion"), "creationTimestamp": text("creationTimestamp"),
        },
        "spec": {"replicas": replicas("/spec/replicas")},
        "status": {"replicas": replicas("/status/replicas"), "selector": selector.join(",")},
    })
}

impl ApiServer {
    /// Sets the replicas to those of a scale; answers the workload.
    pub(super) fn scale(
        &mut self,
        intent: &Intent<'_>,
        name: &str,
        old: &Arc<Value>,
        wanted: Value,
    ) -> Result<Arc<Value>, Refusal> {
        let version = meta::text(&wanted, "resourceVersion");
        if !matches!(version, "" | "0") && version != meta::text(old, "resourceVersion") {
            return Err(refuse::modified(&intent.resource, name));
        }
        let now = of(old);
        let wanted = self.ask(intent, Operation::Update, name, Some(&wanted), Some(&now))?.unwrap_or(wanted);
        let replicas = wanted.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(0);
        let mut new = (**old).clone();
        if let Some(spec) = new.get_mut("spec").and_then(Value::as_object_mut) {
            spec.insert("replicas".to_owned(), replicas.into());
        }
        // Admission has judged the scale, which is what the request holds; fields change hands as in any update.
        self.change_object(intent, name, old, new, Ownership::Admitted)
    }
}
