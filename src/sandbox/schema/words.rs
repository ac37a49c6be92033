//! How an API server writes values and types in its messages.

use serde_json::Value;

use super::node::Kind;

/// A value as it stands in a message.
pub(super) fn shown(value: &Value) -> String {
    match value {
        // Without the fraction that a whole number does not have.
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (None, Some(double)) => double.to_string(),
            (_, _) => number.to_string(),
        },
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// `Unsupported value: "Hotfix": supported values: "Feature", "Fix"`.
pub(super) fn unsupported(value: &Value, values: &[Value]) -> String {
    let supported: Vec<String> = values
        .iter()
        .map(|value| value.as_str().map_or_else(|| format!("\"{value}\""), |text| format!("\"{text}\"")))
        .collect();
    format!("Unsupported value: {}: supported values: {}", shown(value), supported.join(", "))
}

/// `Too many: 21: must have at most 20 items`.
pub(super) fn too_many(count: usize, most: usize) -> String {
    let items = if most == 1 { "item" } else { "items" };
    format!("Too many: {count}: must have at most {most} {items}")
}

/// The type that a value has.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) if is_whole(value) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The type that a schema asks for.
pub(super) fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Any => "any",
        Kind::Object => "object",
        Kind::Array => "array",
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::IntOrString => "integer,string",
    }
}

/// Whether it is a number without a fraction; `5.0` is one.
pub(super) fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}
