//! Defaults, and fields that no schema knows.

use serde_json::{Map, Value};

use super::node::Node;
use super::path::Path;

/// Every object has these; what is in them is no matter of a schema.
const OF_EVERY_OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Sets defaults. A null where null is no value counts as absent.
pub(super) fn default(node: &Node, value: &mut Value) {
    match value {
        Value::Object(object) => {
            if !node.properties.is_empty() || node.additional.is_some() {
                object.retain(|name, value| !value.is_null() || node.child(name).is_none_or(|child| child.nullable));
            }
            for (name, child) in &node.properties {
                if let (Some(default), false) = (&child.default, object.contains_key(name)) {
                    object.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in object.iter_mut() {
                if let Some(child) = node.child(name) {
                    self::default(child, value);
                }
            }
        }
        Value::Array(list) => {
            let Some(items) = &node.items else { return };
            for item in list {
                if let (Value::Null, false, Some(default)) = (&*item, items.nullable, &items.default) {
                    *item = default.clone();
                }
                default(items, item);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Takes out the fields that the schema does not know.
pub(super) fn prune(node: &Node, value: &mut Value, whole: bool) {
    match value {
        Value::Object(object) => {
            let whole = whole || node.embedded;
            if !node.preserves {
                object.retain(|name, _| known(node, name, whole));
            }
            for (name, value) in object.iter_mut() {
                if let Some(child) = node.child(name).filter(|_| !of_every_object(name, whole)) {
                    prune(child, value, false);
                }
            }
        }
        Value::Array(list) => {
            for item in list {
                if let Some(items) = &node.items {
                    prune(items, item, false);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The paths of the fields that the schema does not know.
pub(super) fn unknown(node: &Node, value: &Value, whole: bool, path: &Path<'_>, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => unknown_of(node, object, whole || node.embedded, path, found),
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                if let Some(items) = &node.items {
                    unknown(items, item, false, &Path::Item(path, index), found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn unknown_of(node: &Node, object: &Map<String, Value>, whole: bool, path: &Path<'_>, found: &mut Vec<String>) {
    for (name, value) in object {
        let place = Path::Field(path, name);
        if !node.preserves && !known(node, name, whole) {
            found.push(place.to_string());
        } else if let Some(child) = node.child(name).filter(|_| !of_every_object(name, whole)) {
            unknown(child, value, false, &place, found);
        }
    }
}

fn known(node: &Node, name: &str, whole: bool) -> bool {
    // A node that says nothing of fields, such as `{}` or `type: object`, knows none.
    node.child(name).is_some() || of_every_object(name, whole)
}

fn of_every_object(name: &str, whole: bool) -> bool {
    whole && OF_EVERY_OBJECT.contains(&name)
}
