//! Deletion: preconditions, propagation, grace, finalizers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::resource::{CRD, NAMESPACE};
use super::seams::Operation;
use super::server::ApiServer;
use super::strategy::{is_finished, raise_generation};
use super::write::Intent;
use super::{meta, refuse};
use crate::cluster::kind::POD;
use crate::sandbox::objects::Refusal;

/// How it is to be deleted.
#[derive(Debug, Default, Clone)]
pub(super) struct Options {
    pub(super) uid: Option<String>,
    pub(super) resource_version: Option<String>,
    /// `Background` (also where it is empty), `Foreground`, `Orphan`.
    pub(super) propagation: String,
    /// Seconds that a pod gets; its own where there are none.
    pub(super) grace: Option<i64>,
}

impl Options {
    /// From a `DeleteOptions`.
    pub(super) fn read(body: &Value) -> Self {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let orphan = body.get("orphanDependents").and_then(Value::as_bool).unwrap_or(false);
        Self {
            uid: text("/preconditions/uid"),
            resource_version: text("/preconditions/resourceVersion"),
            propagation: text("/propagationPolicy").unwrap_or_else(|| if orphan { "Orphan" } else { "" }.to_owned()),
            grace: body.get("gracePeriodSeconds").and_then(Value::as_i64),
        }
    }
}

/// What is left.
pub(super) enum Deleted {
    /// Nothing.
    Gone(Arc<Value>),
    /// The object, which waits for its finalizers or its grace period.
    Waiting(Arc<Value>),
}

/// While instances of a custom resource are left.
pub(super) const INSTANCES: &str = "customresourcecleanup.apiextensions.k8s.io";

impl ApiServer {
    /// Deletes an object.
    pub(super) fn delete_object(
        &mut self,
        intent: &Intent<'_>,
        name: &str,
        options: &Options,
    ) -> Result<Deleted, Refusal> {
        let resource = Arc::clone(&intent.resource);
        let found = self.store.get(resource.shelf, intent.namespace, name).cloned();
        let old = found.ok_or_else(|| refuse::not_found(&resource, name))?;
        for (wanted, key, word) in
            [(&options.uid, "uid", "UID"), (&options.resource_version, "resourceVersion", "ResourceVersion")]
        {
            let is = meta::text(&old, key);
            if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != is) {
                let why = format!("Precondition failed: {word} in precondition: {wanted}, {word} in object meta: {is}");
                return Err(refuse::conflict(&resource, name, &why));
            }
        }
        if resource.kind == NAMESPACE && ["default", "kube-public", "kube-system"].contains(&name) {
            return Err(refuse::forbidden(&resource, name, "this namespace may not be deleted"));
        }
        self.ask(intent, Operation::Delete, name, None, Some(&old))?;
        self.delete_found(intent, name, &old, options)
    }

    /// Deletes an object that was found, and that nobody is asked about any more: the instances of a definition that goes
    /// are deleted by the API server itself.
    pub(super) fn delete_found(
        &mut self,
        intent: &Intent<'_>,
        name: &str,
        old: &Arc<Value>,
        options: &Options,
    ) -> Result<Deleted, Refusal> {
        let resource = Arc::clone(&intent.resource);
        let mut doomed = (**old).clone();
        self.mark(intent, &mut doomed, options);
        if is_finished(&resource, &doomed) {
            return Ok(Deleted::Gone(self.remove(intent, name, (**old).clone())));
        }
        if doomed == **old {
            return Ok(Deleted::Waiting(Arc::clone(old)));
        }
        let doomed = self.finish(intent, name, doomed)?;
        if resource.kind == CRD && !intent.dry_run {
            self.delete_instances(intent, &doomed)?;
            let left = self.store.get(resource.shelf, "", name).cloned();
            return Ok(left.map_or(Deleted::Gone(doomed), Deleted::Waiting));
        }
        Ok(Deleted::Waiting(doomed))
    }

    /// Puts into the object that it is to go, and what it has to wait for.
    fn mark(&self, intent: &Intent<'_>, object: &mut Value, options: &Options) {
        let resource = &*intent.resource;
        let mut wanted: Vec<String> = meta::finalizers(object).map(str::to_owned).collect();
        let extra = match options.propagation.as_str() {
            "Foreground" => Some("foregroundDeletion"),
            "Orphan" => Some("orphan"),
            _ if resource.kind == CRD => Some(INSTANCES),
            _ => None,
        };
        if let Some(extra) = extra.filter(|extra| !wanted.iter().any(|known| known == extra)) {
            wanted.push(extra.to_owned());
        }
        if !wanted.is_empty() {
            meta::set(object, "finalizers", Some(json!(wanted)));
        }
        let grace = if resource.kind == POD { grace_of_pod(object, options.grace) } else { 0 };
        let leaving = meta::has(object, "deletionTimestamp");
        let before = object.pointer("/metadata/deletionGracePeriodSeconds").and_then(Value::as_i64);
        if leaving && before.is_none_or(|before| before <= grace) {
            return;
        }
        meta::set(object, "deletionTimestamp", Some(self.stamp_after(grace).into()));
        meta::set(object, "deletionGracePeriodSeconds", Some(grace.into()));
        if !leaving && resource.generation {
            raise_generation(object);
        }
        if resource.kind == NAMESPACE
            && let Some(status) = object.get_mut("status").and_then(Value::as_object_mut)
        {
            status.insert("phase".to_owned(), "Terminating".into());
        }
    }
}

/// A pod that runs nowhere, or no more, goes at once.
fn grace_of_pod(pod: &Value, asked: Option<i64>) -> i64 {
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if text("/spec/nodeName").is_empty() || matches!(text("/status/phase"), "Succeeded" | "Failed") {
        return 0;
    }
    let own = pod.pointer("/spec/terminationGracePeriodSeconds").and_then(Value::as_i64);
    asked.or(own).unwrap_or(30).max(0)
}
