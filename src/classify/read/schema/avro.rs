//! Avro. Former readers must understand what is written now, and present readers what was written before: both, because
//! messages wait in topics.

use serde_json::Value;

use super::{Adding, Contract, Side, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

const DESCRIBES: &[&str] = &["doc", "name", "namespace", "fields", "items", "values", "default"];

pub fn avro(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Side::Payload, |text| {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return Some(Err("it is no JSON".to_owned())) };
        let mut contract = Contract::default();
        kind(&mut contract, "schema", None, &value, Adding::Compatible);
        Some(Ok(contract))
    })
}

/// A type: a name, a union, or an object that describes one.
fn kind(contract: &mut Contract, name: &str, parent: Option<&str>, value: &Value, adding: Adding) {
    let Some(object) = value.as_object() else {
        // A name, or a union: as a whole, because a branch more or less is one that some reader does not know.
        contract.add(name, parent, Side::Payload, value.to_string(), adding);
        return;
    };
    let shape: serde_json::Map<String, Value> = object
        .iter()
        .filter(|(field, _)| !DESCRIBES.contains(&field.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let full = |key: &str| object.get(key).map(Value::to_string).unwrap_or_default();
    // A record is known by its name.
    let shape = format!("{} {} {}", full("namespace"), full("name"), Value::Object(shape));
    contract.add(name, parent, Side::Payload, shape, adding);
    for field in object.get("fields").and_then(Value::as_array).into_iter().flatten() {
        let own = field.get("name").and_then(Value::as_str).unwrap_or_default();
        let below = format!("{name}.{own}");
        let has_default = field.get("default").is_some();
        let adding = if has_default {
            Adding::Compatible
        } else {
            Adding::Breaks("it has no default: what was written before cannot be read")
        };
        let rest = format!(
            "default {:?}, aliases {:?}, order {:?}",
            field.get("default"),
            field.get("aliases"),
            field.get("order")
        );
        contract.add(&below, Some(name), Side::Payload, rest, adding);
        kind(
            contract,
            &format!("{below}: type"),
            Some(&below),
            field.get("type").unwrap_or(&Value::Null),
            Adding::Compatible,
        );
    }
    for key in ["items", "values"] {
        if let Some(inner) = object.get(key) {
            kind(contract, &format!("{name}[]"), Some(name), inner, Adding::Breaks("cannot tell what it does"));
        }
    }
}
