//! From fields to JSON, by the table.

use serde_json::{Map, Value, json};

use super::read::{Wire, fields, text};
use super::{Field, Kind, MESSAGES, Shape, special};

/// No kind is nested deeper; a body that is would be made to exhaust the stack.
const DEPTH_MAX: usize = 32;

/// A message by its fields. Those that the table does not know are dropped, as by an API server.
pub(super) fn object(known: &[Field], bytes: &[u8], depth: usize) -> Result<Map<String, Value>, String> {
    if depth > DEPTH_MAX {
        return Err("the protobuf body is nested too deeply".to_owned());
    }
    let mut object = Map::new();
    for field in fields(bytes) {
        let (number, wire) = field?;
        let Some(field) = known.iter().find(|known| known.number == number) else { continue };
        match field.shape {
            Shape::One => {
                let value = one(field, wire, depth)?;
                let left_out = value.is_null() || field.drops_zero && zero(&value);
                if !left_out {
                    object.insert(field.name.to_owned(), value);
                }
            }
            Shape::Repeated => {
                let value = one(field, wire, depth)?;
                if let Value::Array(all) = object.entry(field.name).or_insert_with(|| json!([])) {
                    all.push(value);
                }
            }
            Shape::Entry => {
                let (key, value) = entry(field, wire, depth)?;
                if let Value::Object(all) = object.entry(field.name).or_insert_with(|| json!({})) {
                    all.insert(key, value);
                }
            }
            Shape::Inline => {
                if let Value::Object(inner) = one(field, wire, depth)? {
                    object.extend(inner);
                }
            }
        }
    }
    Ok(object)
}

fn one(field: &Field, wire: Wire<'_>, depth: usize) -> Result<Value, String> {
    match (field.kind, wire) {
        (Kind::Text, Wire::Bytes(bytes)) => Ok(text(bytes)?.into()),
        // Negative numbers are written as their two's complement.
        (Kind::Integer, Wire::Number(number)) => Ok(number.cast_signed().into()),
        (Kind::Bool, Wire::Number(number)) => Ok((number != 0).into()),
        (Kind::Bytes, Wire::Bytes(bytes)) => Ok(special::base64(bytes)),
        (Kind::Message(name), Wire::Bytes(bytes)) => match MESSAGES.get(name) {
            Some(known) => Ok(Value::Object(object(known, bytes, depth + 1)?)),
            None => special::value(name, bytes),
        },
        (Kind::Text | Kind::Bytes | Kind::Message(_), Wire::Number(_))
        | (Kind::Integer | Kind::Bool, Wire::Bytes(_)) => Err(format!("field {} is of another type", field.name)),
    }
}

/// A map is written as a list of messages of key (1) and value (2); either is left out where it is zero.
fn entry(field: &Field, wire: Wire<'_>, depth: usize) -> Result<(String, Value), String> {
    let Wire::Bytes(bytes) = wire else { return Err(format!("field {} is of another type", field.name)) };
    let (mut key, mut value) = (String::new(), None);
    for part in fields(bytes) {
        match part? {
            (1, Wire::Bytes(bytes)) => key = text(bytes)?,
            (2, wire) => value = Some(one(field, wire, depth)?),
            _ => {}
        }
    }
    let empty = match field.kind {
        Kind::Text | Kind::Bytes => json!(""),
        Kind::Integer => json!(0),
        Kind::Bool => json!(false),
        Kind::Message(_) => json!({}),
    };
    Ok((key, value.unwrap_or(empty)))
}

fn zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}
