//! What an update may change, and what it has to fit: the part of the old object that stays, by verb and subresource.

use serde_json::{Map, Value};

use super::resource::{NAMESPACE, Resource, Subresource};
use super::seams::FieldError;
use super::{meta, refuse};
use crate::cluster::Kind;
use crate::cluster::kind::{DEPLOYMENT, LEASE, STATEFUL_SET};
use crate::sandbox::objects::Refusal;

/// Whether an update of this kind has to say which version it replaces.
pub(super) fn needs_version(resource: &Resource) -> bool {
    resource.custom() || resource.kind == LEASE || resource.kind.group == "gateway.networking.k8s.io"
}

/// The refusal for an update that does not say it.
pub(super) fn no_version(resource: &Resource, name: &str) -> Refusal {
    let message = "Invalid value: 0: must be specified for an update".to_owned();
    refuse::invalid(resource, name, &[FieldError { field: "metadata.resourceVersion".to_owned(), message }])
}

/// The name, uid and version that the new object carries have to be those of the old.
pub(super) fn preconditions(resource: &Resource, name: &str, old: &Value, new: &Value) -> Result<(), Refusal> {
    let named = meta::text(new, "name");
    if !named.is_empty() && named != name {
        let why = format!("the name of the object ({named}) does not match the name on the URL ({name})");
        return Err(refuse::bad_request(why));
    }
    let (uid, is) = (meta::text(new, "uid"), meta::text(old, "uid"));
    if !uid.is_empty() && uid != is {
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {is}");
        return Err(refuse::conflict(resource, name, &why));
    }
    let version = meta::text(new, "resourceVersion");
    if !matches!(version, "" | "0") && version != meta::text(old, "resourceVersion") {
        return Err(refuse::modified(resource, name));
    }
    Ok(())
}

/// What a client cannot change.
const SYSTEM: [&str; 8] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
];

/// The new object with what only the server or the status door may change as it was.
pub(super) fn all_but_status(resource: &Resource, old: &Value, mut new: Value) -> Value {
    for key in SYSTEM {
        meta::set(&mut new, key, meta::metadata(old).and_then(|metadata| metadata.get(key)).cloned());
    }
    let Some(fields) = new.as_object_mut() else { return new };
    if resource.has(Subresource::Status) {
        copy(fields, old, "status");
    }
    if resource.kind == NAMESPACE {
        copy(fields, old, "spec");
    }
    new
}

fn copy(fields: &mut Map<String, Value>, from: &Value, key: &str) {
    match from.get(key) {
        Some(value) => drop(fields.insert(key.to_owned(), value.clone())),
        None => drop(fields.remove(key)),
    }
}

/// What a write of the status takes along, beside the status: the strategies of `apps` keep no more of the old object than this leaves.
fn along(part: Subresource, kind: Kind) -> &'static [&'static str] {
    match part {
        Subresource::Status if kind == DEPLOYMENT => &["annotations"],
        Subresource::Status if kind == STATEFUL_SET => &["annotations", "labels"],
        Subresource::Status | Subresource::Scale | Subresource::Eviction | Subresource::Finalize => &[],
    }
}

/// The old object with nothing new but this part.
pub(super) fn only(resource: &Resource, part: Subresource, old: &Value, mut new: Value) -> Value {
    let mut whole = old.clone();
    for key in along(part, resource.kind) {
        meta::set(&mut whole, key, meta::metadata(&new).and_then(|metadata| metadata.get(*key)).cloned());
    }
    let field = if part == Subresource::Finalize { "spec" } else { "status" };
    if let Some(managed) = meta::metadata_mut(&mut new).and_then(|metadata| metadata.remove("managedFields")) {
        meta::set(&mut whole, "managedFields", Some(managed));
    }
    let wanted = new.as_object_mut().and_then(|new| new.remove(field));
    if let Some(fields) = whole.as_object_mut() {
        match wanted {
            Some(value) => drop(fields.insert(field.to_owned(), value)),
            None => drop(fields.remove(field)),
        }
    }
    whole
}

/// Whether something else is wanted: all that is neither metadata nor status.
pub(super) fn wants_other(old: &Value, new: &Value) -> bool {
    let rest = |object: &Value, other: &Value| {
        let fields = object.as_object().into_iter().flatten();
        fields
            .filter(|(key, _)| !matches!(key.as_str(), "metadata" | "status" | "apiVersion" | "kind"))
            .any(|(key, value)| other.get(key) != Some(value))
    };
    rest(old, new) || rest(new, old)
}

/// Counts a change of what is wanted.
pub(super) fn raise_generation(object: &mut Value) {
    let is = meta::metadata(object).and_then(|metadata| metadata.get("generation")).and_then(Value::as_i64);
    meta::set(object, "generation", Some((is.unwrap_or(0) + 1).into()));
}

/// Whether a deleted object has nothing left to wait for.
pub(super) fn is_finished(resource: &Resource, object: &Value) -> bool {
    let waits = |key: &str| object.pointer(key).is_some_and(|value| value.as_i64().unwrap_or(0) > 0);
    let held = object.pointer("/spec/finalizers").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    meta::has(object, "deletionTimestamp")
        && meta::finalizers(object).next().is_none()
        && !waits("/metadata/deletionGracePeriodSeconds")
        && !(resource.kind == NAMESPACE && held)
}
