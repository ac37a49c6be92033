//! Writing objects: who writes, and what is done with a refusal.

use serde_json::Value;

use super::look::{at, name};
use super::{Pods, Timing};
use crate::api::Time;
use crate::cluster::Kind;
use crate::sandbox::objects::{Objects, Refusal};
use crate::sandbox::user::User;

/// The controllers, as the API server knows them.
#[derive(Debug)]
pub(super) struct Users {
    pub(super) deployment: User,
    pub(super) replica_set: User,
    pub(super) stateful_set: User,
    pub(super) kubelet: User,
    pub(super) endpoints: User,
    pub(super) router: User,
    pub(super) autoscaler: User,
    pub(super) disruption: User,
    pub(super) quota: User,
    pub(super) keda: User,
    pub(super) job: User,
    pub(super) garbage: User,
    pub(super) namespace: User,
}

impl Default for Users {
    fn default() -> Self {
        let controller = |name: &str| User::service_account("kube-system", name);
        Self {
            deployment: controller("deployment-controller"),
            replica_set: controller("replicaset-controller"),
            stateful_set: controller("statefulset-controller"),
            kubelet: User {
                name: "system:node:sandbox".to_owned(),
                groups: vec!["system:nodes".to_owned(), "system:authenticated".to_owned()],
            },
            endpoints: controller("endpointslice-controller"),
            router: User::service_account("sandbox-router", "sandbox-router"),
            autoscaler: controller("horizontal-pod-autoscaler"),
            disruption: controller("disruption-controller"),
            quota: controller("resourcequota-controller"),
            keda: User::service_account("keda", "keda-operator"),
            job: controller("job-controller"),
            garbage: controller("generic-garbage-collector"),
            namespace: controller("namespace-controller"),
        }
    }
}

/// What a controller works with.
pub(super) struct Context<'a> {
    pub(super) objects: &'a mut dyn Objects,
    pub(super) world: &'a dyn Pods,
    pub(super) now: Time,
    pub(super) timing: Timing,
    pub(super) users: &'a Users,
    pub(super) rng: &'a mut fastrand::Rng,
}

/// An object's place.
pub(super) type Place = (String, String);

impl Context<'_> {
    /// Changes an object as it is now; none where it is gone.
    pub(super) fn edit(
        &mut self,
        by: &User,
        kind: &Kind,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Option<Value>, Refusal> {
        let Some(mut object) = self.objects.get(kind, namespace, name).cloned() else { return Ok(None) };
        change(&mut object);
        self.objects.update(by, kind, object).map(Some)
    }

    /// Sets the status of an object, where it is another.
    pub(super) fn set_status(
        &mut self,
        by: &User,
        kind: &Kind,
        namespace: &str,
        name: &str,
        status: Value,
    ) -> Result<(), Refusal> {
        let Some(object) = self.objects.get(kind, namespace, name) else { return Ok(()) };
        if object.get("status") == Some(&status) {
            return Ok(());
        }
        // The specification is not taken, so it need not be copied; labels and annotations are, by some kinds.
        let metadata = ["name", "namespace", "uid", "resourceVersion", "labels", "annotations"]
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), at(object, &["metadata", key])?.clone())));
        let mut slim = serde_json::Map::new();
        for key in ["apiVersion", "kind"] {
            slim.extend(object.get(key).map(|value| (key.to_owned(), value.clone())));
        }
        slim.insert("metadata".to_owned(), metadata.collect::<serde_json::Map<_, _>>().into());
        slim.insert("status".to_owned(), status);
        self.objects.update_status(by, kind, slim.into()).map(drop)
    }

    pub(super) fn delete(&mut self, by: &User, kind: &Kind, place: &Place) {
        tried(self.objects.delete(by, kind, &place.0, &place.1));
    }
}

/// What a controller does with a refusal: the next look tries again.
pub(super) fn tried(what: Result<impl Sized, Refusal>) {
    if let Err(refusal) = what {
        refused(&refusal);
    }
}

pub(super) fn refused(refusal: &Refusal) {
    tracing::debug!(%refusal, "a simulated controller was refused");
}

/// Makes something due at a time, if it is not sooner.
pub(super) fn sooner(due: &mut Option<Time>, at: Time) {
    *due = Some(due.map_or(at, |due| due.min(at)));
}

/// Sets a value deep in an object, making the maps on the way.
pub(super) fn put(object: &mut Value, path: &[&str], value: Value) {
    let mut here = object;
    for key in path {
        if !here.is_object() {
            *here = Value::Object(serde_json::Map::new());
        }
        let Some(fields) = here.as_object_mut() else { return };
        here = fields.entry((*key).to_owned()).or_insert(Value::Null);
    }
    *here = value;
}

/// Adds a finalizer that is not there yet.
pub(super) fn add_finalizer(object: &mut Value, finalizer: &str) {
    if super::look::has_finalizer(object, finalizer) {
        return;
    }
    let mut all = super::look::items(object, &["metadata", "finalizers"]).to_vec();
    all.push(finalizer.into());
    put(object, &["metadata", "finalizers"], all.into());
}

/// Takes one finalizer away.
pub(super) fn drop_finalizer(object: &mut Value, finalizer: &str) {
    let all = object.get_mut("metadata").and_then(|metadata| metadata.get_mut("finalizers"));
    if let Some(all) = all.and_then(Value::as_array_mut) {
        all.retain(|one| one != finalizer);
    }
}

/// Takes the references to one owner away.
pub(super) fn drop_owner(object: &mut Value, uid: &str) {
    let all = object.get_mut("metadata").and_then(|metadata| metadata.get_mut("ownerReferences"));
    if let Some(all) = all.and_then(Value::as_array_mut) {
        all.retain(|owner| owner.get("uid").and_then(Value::as_str) != Some(uid));
    }
}

/// Letters that make no words, as in the names of pods.
pub(super) const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

pub(super) fn suffix(rng: &mut fastrand::Rng) -> String {
    (0..5).map(|_| LETTERS.get(rng.usize(..LETTERS.len())).map_or('b', |letter| char::from(*letter))).collect()
}

pub(super) fn place(object: &Value) -> Place {
    (super::look::namespace(object).to_owned(), name(object).to_owned())
}
