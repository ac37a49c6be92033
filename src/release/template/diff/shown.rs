//! Fields side by side, and how a value is shown.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Difference, Matter, Part};

/// No value is shown longer than this, in characters.
const LONGEST: usize = 60;

/// The fields of two objects that differ, in order of their names; Null stands for a field that is not there.
pub(super) fn fields<'a>(before: &'a Value, after: &'a Value) -> Vec<(&'a str, &'a Value, &'a Value)> {
    let keys = |value: &'a Value| value.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    let all: BTreeSet<&str> = keys(before).chain(keys(after)).collect();
    let side = |value: &'a Value, key: &str| value.get(key).unwrap_or(&Value::Null);
    all.into_iter().map(|key| (key, side(before, key), side(after, key))).filter(|(_, old, new)| old != new).collect()
}

/// One difference for each value below `path` that differs. Lists are compared as a whole.
pub(super) fn leaves(
    path: &str,
    matter: Matter,
    part: Option<Part>,
    before: &Value,
    after: &Value,
    out: &mut Vec<Difference>,
) {
    let below = fields(before, after);
    if below.is_empty() {
        let text = |value: &Value| (!value.is_null()).then(|| shown(value));
        out.push(Difference { path: path.to_owned(), matter, part, before: text(before), after: text(after) });
    }
    for (field, old, new) in below {
        leaves(&format!("{path}.{field}"), matter, part, old, new, out);
    }
}

/// A value in few characters. Of lists and objects only the size: what stands in them may be a secret.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > LONGEST => text.chars().take(LONGEST - 1).chain(['…']).collect(),
        Value::String(text) => text.clone(),
        Value::Array(items) => entries(items.len()),
        Value::Object(fields) => entries(fields.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// `no entries`, `1 entry`, `2 entries`.
pub(super) fn entries(number: usize) -> String {
    match number {
        0 => "no entries".to_owned(),
        1 => "1 entry".to_owned(),
        many => format!("{many} entries"),
    }
}
