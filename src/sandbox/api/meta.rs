//! Reading and writing `metadata`.

use serde_json::{Map, Value};

/// A text of the metadata; empty where it is missing or no text.
pub(super) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    metadata(object).and_then(|metadata| metadata.get(key)).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn metadata(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata").and_then(Value::as_object)
}

pub(super) fn metadata_mut(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object.get_mut("metadata").and_then(Value::as_object_mut)
}

/// Sets a field of the metadata; one that is none goes.
pub(super) fn set(object: &mut Value, key: &str, value: Option<Value>) {
    let Some(metadata) = metadata_mut(object) else { return };
    match value {
        Some(value) => drop(metadata.insert(key.to_owned(), value)),
        None => drop(metadata.remove(key)),
    }
}

pub(super) fn set_version(object: &mut Value, version: u64) {
    set(object, "resourceVersion", Some(version.to_string().into()));
}

pub(super) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    let all = metadata(object).and_then(|metadata| metadata.get("finalizers")).and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str)
}

pub(super) fn has(object: &Value, key: &str) -> bool {
    metadata(object).and_then(|metadata| metadata.get(key)).is_some_and(|value| !value.is_null())
}
