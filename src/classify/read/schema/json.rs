//! JSON Schema, by itself and within OpenAPI.

use serde_json::{Map, Value};

use super::{Adding, Contract, Side, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

/// Fields that describe and promise nothing.
pub const DESCRIBES: &[&str] =
    &["description", "title", "summary", "example", "examples", "externalDocs", "$comment", "deprecated", "tags"];

/// How deep a schema may lie; what is deeper counts as changed where it differs.
const DEEPEST: usize = 40;

/// Whether a field only describes; extensions (`x-…`) are for tools.
pub fn describes(field: &str) -> bool {
    DESCRIBES.contains(&field) || field.starts_with("x-")
}

/// An object without the fields that describe it. What lies deeper stays: a name of the user's may look like such a field.
pub fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.iter().filter(|(name, _)| !describes(name)).map(|(k, v)| (k.clone(), v.clone())).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => value.clone(),
    }
}

/// Adds a schema and what lies in it. Whether it is read or written is not known, so that what either side may not
/// take counts as breaking: a field that becomes required, one that is so no longer, a value more or less of an enum.
pub fn schema(contract: &mut Contract, name: &str, parent: Option<&str>, side: Side, value: &Value, adding: Adding) {
    nested(contract, name, parent, side, value, adding, 0);
}

fn nested(
    contract: &mut Contract,
    name: &str,
    parent: Option<&str>,
    side: Side,
    value: &Value,
    adding: Adding,
    depth: usize,
) {
    let Value::Object(fields) = value else {
        contract.add(name, parent, side, value.to_string(), adding);
        return;
    };
    if depth > DEEPEST {
        contract.add(name, parent, side, value.to_string(), adding);
        return;
    }
    let mut rest: Map<String, Value> =
        fields.iter().filter(|(field, _)| !describes(field)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let mut below = Vec::new();
    let required: Vec<String> = match rest.remove("required") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(other) => vec![other.to_string()],
        None => Vec::new(),
    };
    // Where nothing more may come, readers refuse what comes.
    let closed =
        rest.get("additionalProperties") == Some(&Value::Bool(false)) || rest.contains_key("unevaluatedProperties");
    if let Some(Value::Object(properties)) = rest.get("properties") {
        for (property, value) in properties {
            let adding = match (required.contains(property), closed) {
                (true, _) => Adding::Breaks("it is required"),
                (false, true) => Adding::Breaks("former readers refuse fields that they do not know"),
                (false, false) => Adding::Compatible,
            };
            below.push((format!("{name}.{property}"), value.clone(), adding));
        }
        rest.remove("properties");
    }
    for key in ["$defs", "definitions"] {
        if let Some(Value::Object(all)) = rest.get(key) {
            below.extend(
                all.iter()
                    .map(|(definition, value)| (format!("{name}#{definition}"), value.clone(), Adding::Compatible)),
            );
            rest.remove(key);
        }
    }
    if let Some(items) = rest.get("items").filter(|items| items.is_object()) {
        below.push((format!("{name}[]"), items.clone(), Adding::Breaks("what an array may hold was open")));
        rest.remove("items");
    }
    // What is left (types, enums, formats, limits, allOf …) must stay as it is.
    contract.add(name, parent, side, Value::Object(rest).to_string(), adding);
    for field in required {
        contract.add(
            format!("{name}: {field} required"),
            Some(name),
            side,
            "",
            Adding::Breaks("whoever leaves it out is refused"),
        );
    }
    for (below_name, value, adding) in below {
        nested(contract, &below_name, Some(name), side, &value, adding, depth + 1);
    }
}

pub fn json_schema(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Side::Payload, |text| {
        let value: Result<Value, _> = serde_saphyr::from_str(text);
        let value = match value {
            Ok(value) => value,
            Err(_) => return Some(Err("it cannot be read".to_owned())),
        };
        let known = value.get("$schema").is_some() || value.get("properties").is_some() || value.get("$defs").is_some();
        known.then(|| {
            let mut contract = Contract::default();
            schema(&mut contract, "schema", None, Side::Payload, &value, Adding::Compatible);
            Ok(contract)
        })
    })
}
