//! What a schema says of values, in the words of an API server.

use serde_json::Value;

use super::node::{Kind, ListType, Node};
use super::path::Path;
use super::words;
use crate::sandbox::api::FieldError;

/// What is found wrong.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) errors: Vec<FieldError>,
    /// Whether something is wrong that keeps rules from being evaluated: a missing field, a wrong type, a list too long.
    pub(super) blocking: bool,
}

impl Findings {
    pub(super) fn add(&mut self, path: &Path<'_>, message: impl Into<String>) {
        self.errors.push(FieldError { field: path.to_string(), message: message.into() });
    }

    fn block(&mut self, path: &Path<'_>, message: impl Into<String>) {
        self.blocking = true;
        self.add(path, message);
    }
}

/// Looks at a value and all below it. What was stored in the same place and is the same is not looked at again: objects
/// that were valid once can still be updated.
pub(super) fn check(node: &Node, value: &Value, old: Option<&Value>, path: &Path<'_>, found: &mut Findings) {
    if old == Some(value) {
        return;
    }
    if value.is_null() && node.nullable {
        return;
    }
    if !has_type(node.kind, value) {
        let (is, should) = (words::type_of(value), words::name_of(node.kind));
        found.block(path, format!("Invalid value: \"{is}\": {path} in body must be of type {should}: \"{is}\""));
        return;
    }
    if let Some(values) = node.one_of_values.as_ref().filter(|values| !values.contains(value)) {
        found.block(path, words::unsupported(value, values));
    }
    match value {
        Value::Object(object) => check_object(node, object, old, path, found),
        Value::Array(list) => check_list(node, list, old, path, found),
        Value::String(text) => check_text(node, value, text, path, found),
        Value::Number(number) => check_number(node, value, number.as_f64().unwrap_or(f64::NAN), path, found),
        Value::Null | Value::Bool(_) => {}
    }
    check_combinations(node, value, path, found);
}

fn has_type(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Any => true,
        Kind::Object => value.is_object(),
        Kind::Array => value.is_array(),
        Kind::String => value.is_string(),
        Kind::Boolean => value.is_boolean(),
        Kind::Number => value.is_number(),
        Kind::Integer => words::is_whole(value),
        Kind::IntOrString => value.is_string() || words::is_whole(value),
    }
}

fn check_object(
    node: &Node,
    object: &serde_json::Map<String, Value>,
    old: Option<&Value>,
    path: &Path<'_>,
    found: &mut Findings,
) {
    for name in node.required.iter().filter(|name| !object.contains_key(*name)) {
        found.block(&Path::Field(path, name), "Required value");
    }
    if let Some(most) = node.limits.max_properties.filter(|most| object.len() > *most) {
        found.block(path, words::too_many(object.len(), most));
    }
    if let Some(least) = node.limits.min_properties.filter(|least| object.len() < *least) {
        let message =
            format!("Invalid value: {}: {path} in body should have at least {least} properties", object.len());
        found.add(path, message);
    }
    for (name, value) in object {
        let old = old.and_then(|old| old.get(name));
        match (node.properties.get(name), &node.additional) {
            (Some(child), _) => check(child, value, old, &Path::Field(path, name), found),
            (None, Some(child)) => check(child, value, old, &Path::Key(path, name), found),
            (None, None) => {}
        }
    }
}

fn check_list(node: &Node, list: &[Value], old: Option<&Value>, path: &Path<'_>, found: &mut Findings) {
    if let Some(most) = node.limits.max_items.filter(|most| list.len() > *most) {
        found.block(path, words::too_many(list.len(), most));
    }
    if let Some(least) = node.limits.min_items.filter(|least| list.len() < *least) {
        let message = format!("Invalid value: {}: {path} in body should have at least {least} items", list.len());
        found.add(path, message);
    }
    for (index, item) in list.iter().enumerate() {
        let place = Path::Item(path, index);
        if let Some(items) = &node.items {
            check(items, item, node.list.counterpart(item, old), &place, found);
        }
        let before = list.get(..index).unwrap_or_default();
        match &node.list {
            ListType::Atomic => {}
            ListType::Set if before.contains(item) => {
                found.add(&place, format!("Duplicate value: {}", words::shown(item)));
            }
            ListType::Set => {}
            ListType::Map(keys)
                if before.iter().any(|other| keys.iter().all(|key| other.get(key) == item.get(key))) =>
            {
                let key: serde_json::Map<String, Value> =
                    keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone()))).collect();
                found.add(&place, format!("Duplicate value: {}", Value::Object(key)));
            }
            ListType::Map(_) => {}
        }
    }
}

impl ListType {
    /// The item of the stored list that an item is compared with: the one with its keys, in lists that have keys.
    pub(super) fn counterpart<'v>(&self, item: &Value, old: Option<&'v Value>) -> Option<&'v Value> {
        let Self::Map(keys) = self else { return None };
        old?.as_array()?.iter().find(|other| keys.iter().all(|key| other.get(key) == item.get(key)))
    }
}

fn check_text(node: &Node, value: &Value, text: &str, path: &Path<'_>, found: &mut Findings) {
    let length = text.chars().count();
    if let Some(most) = node.limits.max_length.filter(|most| length > *most) {
        found.block(path, format!("Too long: may not be more than {most} bytes"));
    }
    if let Some(least) = node.limits.min_length.filter(|least| length < *least) {
        let message =
            format!("Invalid value: {}: {path} in body should be at least {least} chars long", words::shown(value));
        found.add(path, message);
    }
    if let Some((pattern, _)) = node.pattern.as_ref().filter(|(_, check)| !check.fits(value)) {
        let message = format!("Invalid value: {}: {path} in body should match '{pattern}'", words::shown(value));
        found.add(path, message);
    }
    if let Some((format, _)) = node.format.as_ref().filter(|(_, check)| !check.fits(value)) {
        let shown = words::shown(value);
        found.block(path, format!("Invalid value: {shown}: {path} in body must be of type {format}: {shown}"));
    }
}

fn check_number(node: &Node, value: &Value, number: f64, path: &Path<'_>, found: &mut Findings) {
    let limits = &node.limits;
    let mut wrong = |what: String| {
        found.add(path, format!("Invalid value: {}: {path} in body should be {what}", words::shown(value)));
    };
    if let Some(least) = limits.minimum {
        if limits.above && number <= least {
            wrong(format!("greater than {least}"));
        } else if number < least {
            wrong(format!("greater than or equal to {least}"));
        }
    }
    if let Some(most) = limits.maximum {
        if limits.below && number >= most {
            wrong(format!("less than {most}"));
        } else if number > most {
            wrong(format!("less than or equal to {most}"));
        }
    }
    if let Some(step) = limits.multiple_of.filter(|step| (number / step).fract() != 0.0) {
        wrong(format!("a multiple of {step}"));
    }
}

fn check_combinations(node: &Node, value: &Value, path: &Path<'_>, found: &mut Findings) {
    let fits = |node: &Node| {
        let mut inner = Findings::default();
        check(node, value, None, path, &mut inner);
        inner.errors.is_empty()
    };
    // The value is left out, as the API server does.
    let mut wrong = |what: &str| found.add(path, format!("Invalid value: \"\": \"{path}\" {what}"));
    if !node.all_of.iter().all(fits) {
        wrong("must validate all the schemas (allOf)");
    }
    if !node.any_of.is_empty() && !node.any_of.iter().any(fits) {
        wrong("must validate at least one schema (anyOf)");
    }
    if !node.one_of.is_empty() {
        match node.one_of.iter().filter(|node| fits(node)).count() {
            0 => wrong("must validate one and only one schema (oneOf). Found none valid"),
            1 => {}
            count => wrong(&format!("must validate one and only one schema (oneOf). Found {count} valid alternatives")),
        }
    }
    if node.not.as_deref().is_some_and(fits) {
        wrong("must not validate the schema (not)");
    }
}
