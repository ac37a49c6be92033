//! How an API server words what admission refuses.

use serde_json::{Value, json};

use super::policy::Policy;
use super::review::{Refusal, Review};

/// A validation did not hold.
pub(super) fn denied(review: &Review<'_>, policy: &Policy, message: &str, reason: Option<&str>) -> Refusal {
    let why = format!(
        "ValidatingAdmissionPolicy '{}' with binding '{}' denied request: {message}",
        policy.name, policy.binding
    );
    let (code, reason) = match reason {
        Some("Forbidden") => (403, "Forbidden"),
        Some("Unauthorized") => (401, "Unauthorized"),
        Some("RequestEntityTooLarge") => (413, "RequestEntityTooLarge"),
        _ => (422, "Invalid"),
    };
    refusal(review, code, reason, &why)
}

/// A mutating policy could not do its work, and fails.
pub(super) fn failed(review: &Review<'_>, policy: &Policy, why: &dyn std::fmt::Display) -> Refusal {
    let why =
        format!("MutatingAdmissionPolicy '{}' with binding '{}' denied request: {why}", policy.name, policy.binding);
    refusal(review, 403, "Forbidden", &why)
}

fn refusal(review: &Review<'_>, code: u16, reason: &'static str, why: &str) -> Refusal {
    let resource = match review.group {
        "" => review.resource.to_owned(),
        group => format!("{}.{group}", review.resource),
    };
    let name = if review.name.is_empty() { String::new() } else { format!(" \"{}\"", review.name) };
    let mut details = json!({"kind": review.resource, "causes": [{"message": why}]});
    if let Some(details) = details.as_object_mut() {
        for (key, value) in [("name", review.name), ("group", review.group)] {
            if !value.is_empty() {
                details.insert(key.to_owned(), Value::from(value));
            }
        }
    }
    Refusal { code, reason, message: format!("{resource}{name} is forbidden: {why}"), details: Some(details) }
}
