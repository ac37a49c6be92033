//! Messages whose JSON is not an object of their fields: times, quantities, numbers that may be words.

use serde_json::{Value, json};

use super::read::{Wire, fields, text};

/// The JSON of such a message; the error names one that is not known.
pub(super) fn value(message: &str, bytes: &[u8]) -> Result<Value, String> {
    match message {
        "meta.v1.Time" => time(bytes, false),
        "meta.v1.MicroTime" => time(bytes, true),
        "meta.v1.FieldsV1" | "runtime.RawExtension" => match first(bytes)? {
            Some(raw) => serde_json::from_slice(raw).map_err(|why| format!("{message}: {why}")),
            None => Ok(Value::Null),
        },
        "resource.Quantity" => Ok(text(first(bytes)?.unwrap_or_default())?.into()),
        "intstr.IntOrString" => int_or_string(bytes),
        "authentication.v1.ExtraValue" | "authorization.v1.ExtraValue" => {
            let mut all = Vec::new();
            for field in fields(bytes) {
                if let (1, Wire::Bytes(item)) = field? {
                    all.push(text(item)?);
                }
            }
            Ok(json!(all))
        }
        _ => Err(format!("{message} is not known here as protobuf")),
    }
}

fn first(bytes: &[u8]) -> Result<Option<&[u8]>, String> {
    for field in fields(bytes) {
        if let (1, Wire::Bytes(value)) = field? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Seconds (1) and nanoseconds (2); the zero time is written as nothing, and is null.
fn time(bytes: &[u8], micro: bool) -> Result<Value, String> {
    let (mut seconds, mut nanos) = (None, 0);
    for field in fields(bytes) {
        match field? {
            (1, Wire::Number(number)) => seconds = Some(number.cast_signed()),
            (2, Wire::Number(number)) => nanos = i32::try_from(number).unwrap_or_default(),
            _ => {}
        }
    }
    let Some(seconds) = seconds else { return Ok(Value::Null) };
    let at = jiff::Timestamp::new(seconds, nanos).map_err(|why| format!("a time in the protobuf body: {why}"))?;
    Ok(json!(if micro { format!("{at:.6}") } else { format!("{at:.0}") }))
}

/// Type (1), a number (2) where that is 0, else a text (3).
fn int_or_string(bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut number, mut word) = (false, 0, String::new());
    for field in fields(bytes) {
        match field? {
            (1, Wire::Number(kind)) => is_text = kind != 0,
            (2, Wire::Number(value)) => number = value.cast_signed(),
            (3, Wire::Bytes(bytes)) => word = text(bytes)?,
            _ => {}
        }
    }
    Ok(if is_text { json!(word) } else { json!(number) })
}

/// Bytes as JSON has them, through the client library's type, which writes them so.
pub(super) fn base64(bytes: &[u8]) -> Value {
    // A text always can be written.
    serde_json::to_value(k8s_openapi::ByteString(bytes.to_vec())).unwrap_or_default()
}
