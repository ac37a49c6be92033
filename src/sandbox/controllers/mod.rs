//! What the controllers of a cluster do with Deployments, ReplicaSets, pods, endpoints and routes.
//!
//! Here belongs what kube-controller-manager, a kubelet and a router would do, with their own traps. What must never enter:
//! anything that knows of Tidegate.

mod collect;
mod deployment;
mod endpoints;
mod pods;
mod route;
mod template;

use serde_json::Value;

use super::objects::{Objects, Refusal};
use super::user::User;
use crate::api::{Span, Time};
use crate::cluster::Kind;

/// How the pods of a template behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// How long a container takes until it is ready.
    pub ready_after: Span,
    /// Whether it becomes ready at all.
    pub ready: bool,
    /// Whether it exits again and again instead.
    pub crashes: bool,
}

/// Decides how pods behave.
pub trait Pods {
    /// How the pods of a template behave.
    fn behaviour(&self, template: &Value) -> Behaviour;
    /// Whether a pod that would be ready is not at the moment.
    fn flaps(&self, pod: &str, now: Time) -> bool;
    /// How long the router takes to take a route up.
    fn router_lag(&self) -> Span;
}

/// The controllers of a cluster.
#[derive(Debug, Default)]
pub struct Controllers {
    routes: route::Routes,
    names: u64,
}

impl Controllers {
    /// Does what is due now; answers when something is due next, besides whatever changes meanwhile.
    pub fn step(&mut self, objects: &mut dyn Objects, world: &dyn Pods, now: Time) -> Option<Time> {
        collect::collect(objects);
        deployment::sync_all(objects);
        let pods = pods::sync_all(objects, world, &mut self.names, now);
        deployment::status_of_all(objects);
        endpoints::sync_all(objects);
        let routes = self.routes.sync_all(objects, world, now);
        [pods, routes].into_iter().flatten().min_by_key(|time| time.0)
    }
}

/// A controller of the cluster, as the API server knows it.
fn controller(name: &str) -> User {
    User::service_account("kube-system", name)
}

/// What a controller does with a refusal: the next look tries again.
fn tried(what: Result<impl Sized, Refusal>) {
    if let Err(refusal) = what {
        tracing::debug!(%refusal, "a simulated controller was refused");
    }
}

/// Changes an object, where it is still as it was seen.
fn edit(objects: &mut dyn Objects, by: &User, kind: &Kind, object: &Value, change: impl FnOnce(&mut Value)) {
    let mut object = object.clone();
    change(&mut object);
    tried(objects.update(by, kind, object));
}

/// Writes a status, where it differs.
fn set_status(objects: &mut dyn Objects, by: &User, kind: &Kind, object: &Value, status: Value) {
    if object.get("status") == Some(&status) {
        return;
    }
    let mut object = object.clone();
    object["status"] = status;
    tried(objects.update_status(by, kind, object));
}

fn text<'a>(value: &'a Value, place: &str) -> &'a str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, place: &str) -> i64 {
    value.pointer(place).and_then(Value::as_i64).unwrap_or(0)
}

fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

/// The UID of the owner that controls an object.
fn owner(object: &Value) -> &str {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let controls = |owner: &&Value| owner.get("controller") == Some(&true.into());
    owners.and_then(|owners| owners.iter().find(controls)).map_or("", |owner| text(owner, "/uid"))
}

fn owned_by(kind: &Kind, object: &Value) -> Value {
    serde_json::json!([{
        "apiVersion": kind.api_version(), "kind": kind.kind, "name": name(object),
        "uid": text(object, "/metadata/uid"), "controller": true, "blockOwnerDeletion": true,
    }])
}

/// Whether labels match `matchLabels`, or the selector of a Service.
fn matches(selector: Option<&Value>, labels: Option<&Value>) -> bool {
    let Some(selector) = selector.and_then(Value::as_object).filter(|selector| !selector.is_empty()) else {
        return false;
    };
    selector.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}
