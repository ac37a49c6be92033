//! Refusals, worded and shaped as Kubernetes does.

use serde_json::{Value, json};

use super::resource::Resource;
use super::seams::FieldError;
use crate::sandbox::objects::Refusal;

/// The `Status` object of a refusal.
pub fn status_of(refusal: &Refusal) -> Value {
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": refusal.message, "reason": refusal.reason, "code": refusal.code,
    });
    if let (Some(details), Some(status)) = (&refusal.details, status.as_object_mut()) {
        status.insert("details".to_owned(), details.clone());
    }
    status
}

fn refuse(code: u16, reason: &'static str, message: String, details: Option<Value>) -> Refusal {
    Refusal { code, reason, message, details }
}

/// `group` and `kind` are left out where empty, as Go does.
fn about(resource: &Resource, name: &str, kind: &str) -> Value {
    let mut details = json!({"kind": kind});
    if let Some(details) = details.as_object_mut() {
        for (key, value) in [("name", name), ("group", resource.kind.group)] {
            if !value.is_empty() {
                details.insert(key.to_owned(), value.into());
            }
        }
    }
    details
}

pub(super) fn bad_request(message: impl Into<String>) -> Refusal {
    refuse(400, "BadRequest", message.into(), None)
}

pub(super) fn unknown_path() -> Refusal {
    refuse(404, "NotFound", "the server could not find the requested resource".to_owned(), Some(json!({})))
}

pub(super) fn not_found(resource: &Resource, name: &str) -> Refusal {
    let message = format!("{} \"{name}\" not found", resource.group_resource());
    refuse(404, "NotFound", message, Some(about(resource, name, resource.kind.plural)))
}

pub(super) fn exists(resource: &Resource, name: &str) -> Refusal {
    let message = format!("{} \"{name}\" already exists", resource.group_resource());
    refuse(409, "AlreadyExists", message, Some(about(resource, name, resource.kind.plural)))
}

pub(super) fn conflict(resource: &Resource, name: &str, why: &str) -> Refusal {
    let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.group_resource());
    refuse(409, "Conflict", message, Some(about(resource, name, resource.kind.plural)))
}

pub(super) fn modified(resource: &Resource, name: &str) -> Refusal {
    conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and try again",
    )
}

pub(super) fn forbidden(resource: &Resource, name: &str, why: &str) -> Refusal {
    let name_quoted = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
    let message = format!("{}{name_quoted} is forbidden: {why}", resource.group_resource());
    refuse(403, "Forbidden", message, Some(about(resource, name, resource.kind.plural)))
}

/// A PodDisruptionBudget does not let a pod go.
pub(super) fn disruption(budget: &str, healthy: i64, desired: i64) -> Refusal {
    let why = format!("The disruption budget {budget} needs {desired} healthy pods and has {healthy} currently");
    let details = json!({"causes": [{"reason": "DisruptionBudget", "message": why}]});
    let message = "Cannot evict pod as it would violate the pod's disruption budget.".to_owned();
    refuse(429, "TooManyRequests", message, Some(details))
}

/// The namespace is on its way out.
pub(super) fn terminating(resource: &Resource, name: &str, namespace: &str) -> Refusal {
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let mut refusal = forbidden(resource, name, &why);
    if let Some(details) = refusal.details.as_mut().and_then(Value::as_object_mut) {
        let message = format!("namespace {namespace} is being terminated");
        let cause = json!({"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"});
        details.insert("causes".to_owned(), json!([cause]));
    }
    refusal
}

pub(super) fn invalid(resource: &Resource, name: &str, errors: &[FieldError]) -> Refusal {
    let lines: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
    let all = match lines.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    let causes: Vec<Value> = errors
        .iter()
        .map(|error| json!({"reason": cause(&error.message), "message": error.message, "field": error.field}))
        .collect();
    let mut details = about(resource, name, resource.kind.kind);
    if let Some(details) = details.as_object_mut() {
        details.insert("causes".to_owned(), causes.into());
    }
    let message = format!("{} \"{name}\" is invalid: {all}", resource.group_kind());
    refuse(422, "Invalid", message, Some(details))
}

fn cause(message: &str) -> &'static str {
    const CAUSES: [(&str, &str); 7] = [
        ("Required value", "FieldValueRequired"),
        ("Duplicate value", "FieldValueDuplicate"),
        ("Unsupported value", "FieldValueNotSupported"),
        ("Forbidden", "FieldValueForbidden"),
        ("Not found", "FieldValueNotFound"),
        ("Too long", "FieldValueTooLong"),
        ("Too many", "FieldValueTooMany"),
    ];
    CAUSES.iter().find(|(start, _)| message.starts_with(start)).map_or("FieldValueInvalid", |(_, cause)| cause)
}

pub(super) fn unsupported_media(content_type: &str, wanted: &str) -> Refusal {
    let message = format!(
        "the body of the request was in an unknown format - accepted media types include: {wanted} (not {content_type})"
    );
    refuse(415, "UnsupportedMediaType", message, Some(json!({})))
}

pub(super) fn method_not_allowed() -> Refusal {
    let message = "the server does not allow this method on the requested resource".to_owned();
    refuse(405, "MethodNotAllowed", message, Some(json!({})))
}

pub(super) fn not_acceptable() -> Refusal {
    let message = "only the following media types are accepted: application/json".to_owned();
    refuse(406, "NotAcceptable", message, Some(json!({})))
}

pub(super) fn expired(message: String) -> Refusal {
    refuse(410, "Expired", message, None)
}

pub(super) fn too_new(asked: u64, newest: u64) -> Refusal {
    let message = format!("Too large resource version: {asked}, current: {newest}");
    let causes = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
    refuse(504, "Timeout", message, Some(json!({"causes": causes, "retryAfterSeconds": 1})))
}

pub(super) fn unprocessable(message: String) -> Refusal {
    refuse(422, "Invalid", message, Some(json!({})))
}

/// The fields are owned by others: `(manager with its version, path)`.
pub(super) fn apply_conflict(conflicts: &[(String, String)]) -> Refusal {
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|(with, field)| {
            json!({"reason": "FieldManagerConflict", "message": format!("conflict with {with}"), "field": field})
        })
        .collect();
    let message = match conflicts {
        [(with, field)] => format!("Apply failed with 1 conflict: conflict with {with}: {field}"),
        many => {
            let mut text = format!("Apply failed with {} conflicts: ", many.len());
            let mut last = "";
            let mut groups = Vec::new();
            for (with, field) in many {
                if with != last {
                    groups.push(format!("conflicts with {with}:"));
                    last = with;
                }
                groups.push(format!("- {field}"));
            }
            text.push_str(&groups.join("\n"));
            text
        }
    };
    refuse(409, "Conflict", message, Some(json!({"causes": causes})))
}
