//! The CEL rules of a schema.

use serde_json::Value;

use super::node::{Node, Rule};
use super::path::Path;
use super::validate::Findings;
use super::words;
use crate::cel::{Scope, Val};

/// Evaluates the rules of a node and of all below it, except where nothing changed since it was stored.
pub(super) fn check(node: &Node, value: &Value, old: Option<&Value>, path: &Path<'_>, found: &mut Findings) {
    if !node.ruled || value.is_null() || old == Some(value) {
        return;
    }
    for rule in &node.rules {
        evaluate(rule, value, old, path, found);
    }
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let old = old.and_then(|old| old.get(name));
                match (node.properties.get(name), &node.additional) {
                    (Some(child), _) => check(child, value, old, &Path::Field(path, name), found),
                    (None, Some(child)) => check(child, value, old, &Path::Key(path, name), found),
                    (None, None) => {}
                }
            }
        }
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                if let Some(items) = &node.items {
                    check(items, item, node.list.counterpart(item, old), &Path::Item(path, index), found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn evaluate(rule: &Rule, value: &Value, old: Option<&Value>, path: &Path<'_>, found: &mut Findings) {
    if rule.transition && old.is_none() {
        return;
    }
    let mut names = vec![("self", Val::from(value))];
    if rule.optional_old {
        names.push(("oldSelf", Val::optional(old.map(Val::from))));
    } else if let Some(old) = old {
        names.push(("oldSelf", Val::from(old)));
    }
    let scope = Scope::new(names).with_escaped_fields();
    let message = match scope.eval(&rule.program).and_then(|holds| holds.truth()) {
        Ok(true) => return,
        Ok(false) => told(rule, &scope),
        Err(why) => {
            let about = rule.message.as_deref().unwrap_or_else(|| rule.program.text().trim());
            found.add(path, format!("Invalid value: \"{}\": {why} evaluating rule: {about}", words::type_of(value)));
            return;
        }
    };
    // The value of an object or a list is left out.
    let shown =
        if value.is_object() || value.is_array() { String::new() } else { format!(": {}", words::shown(value)) };
    let message = match rule.reason.as_deref() {
        Some("FieldValueForbidden") => format!("Forbidden: {message}"),
        Some("FieldValueRequired") => format!("Required value: {message}"),
        Some("FieldValueDuplicate") => format!("Duplicate value{shown}"),
        _ => format!("Invalid value{shown}: {message}"),
    };
    match rule.field_path.as_deref() {
        Some(field) => found.add(&Path::Field(path, field.trim_start_matches('.')), message),
        None => found.add(path, message),
    }
}

/// The message of a rule that does not hold.
fn told<'a>(rule: &'a Rule, scope: &Scope<'a>) -> String {
    let evaluated = rule.message_expression.as_ref().and_then(|expression| scope.eval(expression).ok());
    if let Some(Val::Text(message)) = evaluated {
        let message = message.trim();
        if !message.is_empty() && !message.contains('\n') {
            return message.to_owned();
        }
    }
    rule.message.clone().unwrap_or_else(|| format!("failed rule: {}", rule.program.text().trim()))
}
