//! Bodies into objects.

use serde_json::{Map, Value, json};

use super::refuse;
use super::resource::Resource;
use crate::sandbox::objects::Refusal;

/// A body as JSON; YAML where the content type says so.
pub(super) fn body(content_type: &str, body: &[u8]) -> Result<Value, Refusal> {
    let plain = content_type.split(';').next().unwrap_or_default().trim();
    match plain {
        "" | "application/json" => json(body),
        "application/yaml" | "application/apply-patch+yaml" => json(body).or_else(|_| yaml(body)),
        other => Err(refuse::unsupported_media(other, "application/json, application/yaml")),
    }
}

/// A body that has to be JSON.
pub(super) fn json(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|why| refuse::bad_request(format!("unable to parse the body as JSON: {why}")))
}

fn yaml(body: &[u8]) -> Result<Value, Refusal> {
    let bad = |why: String| refuse::bad_request(format!("error decoding YAML: {why}"));
    let text = std::str::from_utf8(body).map_err(|why| bad(why.to_string()))?;
    serde_saphyr::from_str(text).map_err(|why| bad(why.to_string()))
}

/// Makes sure that it is an object of this kind with a `metadata` that is one too; fills in what may be left out.
pub(super) fn object(resource: &Resource, mut value: Value) -> Result<Value, Refusal> {
    let kind = &resource.kind;
    let version = kind.api_version();
    let cannot = |why: String| {
        let message =
            format!("{} in version \"{}\" cannot be handled as a {}: {why}", kind.kind, kind.version, kind.kind);
        refuse::bad_request(message)
    };
    let Some(fields) = value.as_object_mut() else { return Err(cannot("it is no object".to_owned())) };
    for (key, wanted) in [("apiVersion", version.as_str()), ("kind", kind.kind)] {
        let is = fields.entry(key).or_insert_with(|| wanted.into());
        if is != wanted {
            return Err(refuse::bad_request(format!(
                "the API version in the data ({}) does not match the expected API version ({version}, {})",
                fields.get("apiVersion").and_then(Value::as_str).unwrap_or_default(),
                kind.kind
            )));
        }
    }
    let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
    if metadata.is_null() {
        *metadata = json!({});
    }
    let Some(metadata) = metadata.as_object_mut() else {
        return Err(cannot("metadata: Invalid value: must be an object".to_owned()));
    };
    tidy(metadata).map_err(cannot)?;
    Ok(value)
}

/// Metadata of the wrong type cannot be read at all.
fn tidy(metadata: &mut Map<String, Value>) -> Result<(), String> {
    metadata.retain(|_, value| !value.is_null());
    for (key, value) in metadata.iter_mut() {
        let fits = match key.as_str() {
            "name" | "namespace" | "generateName" | "uid" | "resourceVersion" | "creationTimestamp"
            | "deletionTimestamp" => value.is_string(),
            "labels" | "annotations" => {
                let all = value.as_object();
                all.is_some_and(|all| all.values().all(|value| value.is_string() || value.is_null()))
            }
            "finalizers" => value.as_array().is_some_and(|all| all.iter().all(Value::is_string)),
            "ownerReferences" | "managedFields" => value.as_array().is_some_and(|all| all.iter().all(Value::is_object)),
            _ => true,
        };
        if !fits {
            return Err(format!("json: cannot unmarshal {value} into Go struct field ObjectMeta.metadata.{key}"));
        }
        if let Value::Object(texts) = value {
            texts.retain(|_, text| !text.is_null());
        }
    }
    metadata.remove("selfLink");
    metadata.retain(|_, value| !(value.as_object().is_some_and(Map::is_empty)));
    Ok(())
}
