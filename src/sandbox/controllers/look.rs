//! Reading objects. Paths are lists of keys: a JSON pointer would make new texts at every step.

use serde_json::{Map, Value, json};

use crate::api::Time;
use crate::cluster::Kind;

pub(super) fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, key| value.get(key)).filter(|value| !value.is_null())
}

pub(super) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn integer(object: &Value, path: &[&str]) -> Option<i64> {
    at(object, path).and_then(Value::as_i64)
}

/// A whole number; zero where there is none.
pub(super) fn number(object: &Value, path: &[&str]) -> i64 {
    integer(object, path).unwrap_or(0)
}

pub(super) fn is_set(object: &Value, path: &[&str]) -> bool {
    at(object, path).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn items<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

pub(super) fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

pub(super) fn uid(object: &Value) -> &str {
    text(object, &["metadata", "uid"])
}

/// The resourceVersion; zero where it is no number.
pub(super) fn version(object: &Value) -> u64 {
    text(object, &["metadata", "resourceVersion"]).parse().unwrap_or(0)
}

pub(super) fn labels(object: &Value) -> Option<&Value> {
    at(object, &["metadata", "labels"])
}

pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    at(object, &["metadata", "annotations", key]).and_then(Value::as_str)
}

/// Whether it is being deleted.
pub(super) fn leaving(object: &Value) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some()
}

pub(super) fn has_finalizer(object: &Value, finalizer: &str) -> bool {
    items(object, &["metadata", "finalizers"]).iter().any(|one| one == finalizer)
}

/// The reference to the owner that controls an object.
pub(super) fn controller(object: &Value) -> Option<&Value> {
    items(object, &["metadata", "ownerReferences"]).iter().find(|owner| is_set(owner, &["controller"]))
}

/// The uid of the owner that controls an object; empty where nobody does.
pub(super) fn controller_uid(object: &Value) -> &str {
    controller(object).map_or("", |owner| text(owner, &["uid"]))
}

/// A reference to an owner that controls.
pub(super) fn owner_reference(kind: &Kind, owner: &Value) -> Value {
    json!({
        "apiVersion": kind.api_version(), "kind": kind.kind, "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// A condition of a status by its type.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(object, &["status", "conditions"]).iter().find(|condition| text(condition, &["type"]) == kind)
}

/// Whether a pod's condition Ready is true.
pub(super) fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|ready| text(ready, &["status"]) == "True")
}

/// Whether a pod runs, will run, and is to go on running.
pub(super) fn is_active(pod: &Value) -> bool {
    !leaving(pod) && !is_over(pod)
}

/// Whether all containers of a pod have ended for good.
pub(super) fn is_over(pod: &Value) -> bool {
    matches!(text(pod, &["status", "phase"]), "Succeeded" | "Failed")
}

/// Whether labels hold all of a map, as the selector of a Service demands. An empty one matches nothing.
pub(super) fn matches_map(selector: Option<&Value>, labels: Option<&Value>) -> bool {
    let Some(selector) = selector.and_then(Value::as_object).filter(|selector| !selector.is_empty()) else {
        return false;
    };
    holds(selector, labels)
}

fn holds(wanted: &Map<String, Value>, labels: Option<&Value>) -> bool {
    wanted.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

/// Whether labels match a LabelSelector. One that is missing matches nothing, an empty one all.
pub(super) fn matches(selector: Option<&Value>, labels: Option<&Value>) -> bool {
    let Some(selector) = selector else { return false };
    let map = at(selector, &["matchLabels"]).and_then(Value::as_object);
    map.is_none_or(|map| holds(map, labels))
        && items(selector, &["matchExpressions"]).iter().all(|expression| fits(expression, labels))
}

fn fits(expression: &Value, labels: Option<&Value>) -> bool {
    let is = labels.and_then(|labels| labels.get(text(expression, &["key"])));
    let listed = is.is_some_and(|is| items(expression, &["values"]).contains(is));
    match text(expression, &["operator"]) {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => is.is_some(),
        "DoesNotExist" => is.is_none(),
        _ => false,
    }
}

/// A number, or a share of `whole` in percent; none where it is neither.
pub(super) fn scaled(value: Option<&Value>, whole: i64, up: bool) -> Option<i64> {
    let value = value?;
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    let percent: i64 = value.as_str()?.strip_suffix('%')?.parse().ok()?;
    let hundreds = percent.saturating_mul(whole);
    Some(if up { hundreds.saturating_add(99).div_euclid(100) } else { hundreds.div_euclid(100) })
}

/// As timestamps stand in objects: whole seconds.
pub(super) fn stamp(now: Time) -> String {
    now.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A timestamp of an object.
pub(super) fn time(value: &str) -> Option<Time> {
    value.parse().ok().map(Time)
}
