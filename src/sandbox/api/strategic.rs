//! Strategic merge patch: a merge patch that knows which lists merge by key.

use serde_json::{Map, Value};

use super::shape::{Grain, Shape};

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Merges a patch into an object; the error says what is wrong with the patch.
pub(super) fn merge(object: &mut Value, patch: Value, shape: Shape<'_>) -> Result<(), String> {
    let Value::Object(mut patch) = patch else {
        *object = patch;
        return Ok(());
    };
    match patch.remove(DIRECTIVE).as_ref().map(Value::as_str) {
        None | Some(Some("merge")) => {}
        Some(Some("replace")) => {
            *object = Value::Object(patch);
            return Ok(());
        }
        Some(Some("delete")) => {
            *object = Value::Object(Map::new());
            return Ok(());
        }
        Some(other) => return Err(format!("Unknown patch type: {}", other.unwrap_or("none"))),
    }
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Some(fields) = object.as_object_mut() else { return Ok(()) };
    let retained = patch.remove(RETAIN);
    for (key, part) in patch {
        if key.starts_with(ORDER) {
            continue;
        }
        if let Some(list) = key.strip_prefix(DELETE_FROM) {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (fields.get_mut(list), part) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if part.is_null() || part.get(DIRECTIVE).is_some_and(|directive| directive == "delete") {
            fields.remove(&key);
            continue;
        }
        merge_field(fields, key, part, shape)?;
    }
    if let Some(Value::Array(retained)) = retained {
        fields.retain(|key, _| retained.iter().any(|kept| kept == key));
    }
    Ok(())
}

fn merge_field(fields: &mut Map<String, Value>, key: String, part: Value, above: Shape<'_>) -> Result<(), String> {
    let shape = above.field(&key);
    match (part, shape.list()) {
        (part @ Value::Object(_), _) => merge(fields.entry(key).or_insert(Value::Null), part, shape),
        (Value::Array(items), Grain::List(keys)) => {
            let stands = fields.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            if !stands.is_array() {
                *stands = Value::Array(Vec::new());
            }
            let Some(stands) = stands.as_array_mut() else { return Ok(()) };
            // A strategic merge knows one key, the first.
            keys.first().map_or(Ok(()), |key| merge_list(stands, items, key, shape))
        }
        (Value::Array(items), Grain::Set) => {
            if let Some(stands) = fields.entry(key).or_insert_with(|| Value::Array(Vec::new())).as_array_mut() {
                for item in items {
                    if !stands.contains(&item) {
                        stands.push(item);
                    }
                }
            }
            Ok(())
        }
        (part, _) => {
            fields.insert(key, part);
            Ok(())
        }
    }
}

fn merge_list(stands: &mut Vec<Value>, items: Vec<Value>, key: &str, shape: Shape<'_>) -> Result<(), String> {
    if items.iter().any(|item| item.get(DIRECTIVE).is_some_and(|directive| directive == "replace")) {
        *stands = items.into_iter().filter(|item| item.get(DIRECTIVE).is_none()).collect();
        return Ok(());
    }
    for item in items {
        let Some(value) = item.get(key).cloned() else {
            return Err(format!("map: {item} does not contain declared merge key: {key}"));
        };
        let found = stands.iter().position(|is| is.get(key) == Some(&value));
        if item.get(DIRECTIVE).is_some_and(|directive| directive == "delete") {
            stands.retain(|is| is.get(key) != Some(&value));
            continue;
        }
        match found.and_then(|at| stands.get_mut(at)) {
            Some(is) => merge(is, item, shape.item())?,
            None => {
                let mut new = Value::Object(Map::new());
                merge(&mut new, item, shape.item())?;
                stands.push(new);
            }
        }
    }
    Ok(())
}
