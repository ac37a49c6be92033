//! What an API server itself checks: names, labels, and of built-in kinds what matters for controllers.

use serde_json::Value;

use super::meta;
use super::resource::{NAMESPACE, Resource};
use super::seams::FieldError;
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET, SERVICE};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
    must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
    end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
    character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is \
    '[a-z]([-a-z0-9]*[a-z0-9])?')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
    validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// What is wrong with an object.
pub(super) fn object(resource: &Resource, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if old.is_none() {
        name(resource, meta::text(object, "name"), &mut errors);
    }
    labels(object, &mut errors);
    if let Some(old) = old {
        finalizers(object, old, &mut errors);
    }
    if resource.kind == DEPLOYMENT || resource.kind == REPLICA_SET {
        workload(object, old, &mut errors);
    } else if resource.kind == SERVICE {
        service(object, &mut errors);
    }
    errors
}

fn error(field: impl Into<String>, message: impl Into<String>) -> FieldError {
    FieldError { field: field.into(), message: message.into() }
}

fn quoted(value: &Value) -> String {
    value.to_string()
}

fn name(resource: &Resource, name: &str, errors: &mut Vec<FieldError>) {
    const FIELD: &str = "metadata.name";
    if name.is_empty() {
        errors.push(error(FIELD, "Required value: name or generateName is required"));
        return;
    }
    let (longest, fits, rule) = if resource.kind == SERVICE {
        (63, is_label(name) && name.starts_with(|letter: char| letter.is_ascii_lowercase()), LABEL_1035)
    } else if resource.kind == NAMESPACE {
        (63, is_label(name), LABEL)
    } else {
        (253, name.split('.').all(is_label), SUBDOMAIN)
    };
    if name.len() > longest {
        errors.push(error(FIELD, format!("Invalid value: \"{name}\": must be no more than {longest} characters")));
    }
    if !fits {
        errors.push(error(FIELD, format!("Invalid value: \"{name}\": {rule}")));
    }
}

fn is_label(text: &str) -> bool {
    let edge = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(|&first| edge(first))
        && bytes.last().is_some_and(|&last| edge(last))
        && bytes.iter().all(|&letter| edge(letter) || letter == b'-')
}

fn is_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |letter: Option<&u8>| letter.is_some_and(u8::is_ascii_alphanumeric);
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b'.'))
}

fn labels(object: &Value, errors: &mut Vec<FieldError>) {
    let labels = meta::metadata(object).and_then(|metadata| metadata.get("labels")).and_then(Value::as_object);
    for (key, value) in labels.into_iter().flatten() {
        const FIELD: &str = "metadata.labels";
        let part = key.rsplit_once('/').map_or(key.as_str(), |(_, part)| part);
        if part.len() > 63 || !is_value(part) {
            errors.push(error(FIELD, format!("Invalid value: \"{key}\": {QUALIFIED}")));
        }
        let value = value.as_str().unwrap_or_default();
        if value.len() > 63 {
            errors.push(error(FIELD, format!("Invalid value: \"{value}\": must be no more than 63 characters")));
        } else if !value.is_empty() && !is_value(value) {
            errors.push(error(FIELD, format!("Invalid value: \"{value}\": {LABEL_VALUE}")));
        }
    }
}

fn finalizers(object: &Value, old: &Value, errors: &mut Vec<FieldError>) {
    if !meta::has(old, "deletionTimestamp") {
        return;
    }
    let new: Vec<&str> =
        meta::finalizers(object).filter(|name| !meta::finalizers(old).any(|known| known == *name)).collect();
    if !new.is_empty() {
        let found = new.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let why = format!(
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers \
             []string{{{found}}}"
        );
        errors.push(error("metadata.finalizers", why));
    }
}

fn workload(object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
    let at = |pointer: &str| object.pointer(pointer);
    match at("/spec/selector") {
        None | Some(Value::Null) => errors.push(error("spec.selector", "Required value")),
        Some(selector) if selector.as_object().is_some_and(|selector| selector.values().all(is_empty)) => {
            errors.push(error("spec.selector", "Invalid value: {}: empty selector is invalid for deployment"));
        }
        Some(selector) => {
            if let Some(was) = old.and_then(|old| old.pointer("/spec/selector")).filter(|was| *was != selector) {
                let _ = was;
                let why = format!("Invalid value: {}: field is immutable", quoted(selector));
                errors.push(error("spec.selector", why));
            }
            let labels = at("/spec/template/metadata/labels");
            let wanted = selector.get("matchLabels").and_then(Value::as_object);
            let fits =
                wanted.into_iter().flatten().all(|(key, value)| labels.and_then(|is| is.get(key)) == Some(value));
            if !fits {
                let shown = quoted(labels.unwrap_or(&Value::Null));
                let why = format!("Invalid value: {shown}: `selector` does not match template `labels`");
                errors.push(error("spec.template.metadata.labels", why));
            }
        }
    }
    let containers = at("/spec/template/spec/containers").and_then(Value::as_array);
    match containers {
        None => errors.push(error("spec.template.spec.containers", "Required value")),
        Some(all) if all.is_empty() => errors.push(error("spec.template.spec.containers", "Required value")),
        Some(all) => {
            for (at, container) in all.iter().enumerate() {
                for key in ["name", "image"] {
                    if container.get(key).is_none_or(is_empty) {
                        errors.push(error(format!("spec.template.spec.containers[{at}].{key}"), "Required value"));
                    }
                }
            }
        }
    }
    if let Some(replicas) = at("/spec/replicas").and_then(Value::as_i64).filter(|replicas| *replicas < 0) {
        let why = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        errors.push(error("spec.replicas", why));
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn service(object: &Value, errors: &mut Vec<FieldError>) {
    let spec = object.get("spec");
    let external = spec.and_then(|spec| spec.get("type")).is_some_and(|kind| kind == "ExternalName");
    let headless = spec.and_then(|spec| spec.get("clusterIP")).is_some_and(|ip| ip == "None");
    let ports = spec.and_then(|spec| spec.get("ports")).and_then(Value::as_array);
    if ports.is_none_or(Vec::is_empty) && !external && !headless {
        errors.push(error("spec.ports", "Required value"));
    }
    for (at, port) in ports.into_iter().flatten().enumerate() {
        match port.get("port").and_then(Value::as_i64) {
            Some(1..=65535) => {}
            Some(other) => {
                let why = format!("Invalid value: {other}: must be between 1 and 65535, inclusive");
                errors.push(error(format!("spec.ports[{at}].port"), why));
            }
            None => errors.push(error(format!("spec.ports[{at}].port"), "Required value")),
        }
        if ports.is_some_and(|ports| ports.len() > 1) && port.get("name").is_none_or(is_empty) {
            errors.push(error(format!("spec.ports[{at}].name"), "Required value"));
        }
    }
}
