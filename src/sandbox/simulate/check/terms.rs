//! Affinity and topology spread terms of a template: a canary's name the canary's pods where the user's name the user's, and what is
//! made of a judged template for the workload is the user's, byte for byte.

use serde_json::Value;

use super::{Checkers, Rule, Seen, image, text};

/// What stands in the place of the template's own label.
const OWN: &str = "its own";

/// The template, with its own label in its terms as a mark: two of them that are equal spread their own pods in the same way.
pub(super) fn named(template: &Value) -> Value {
    let mut marked = template.clone();
    let Some(own) = text(template, "/metadata/labels/app") else { return marked };
    for place in ["/spec/affinity", "/spec/topologySpreadConstraints"] {
        if let Some(terms) = marked.pointer_mut(place) {
            mark(terms, own);
        }
    }
    marked
}

fn mark(value: &mut Value, own: &str) {
    match value {
        Value::Object(object) => {
            if let Some(app) = object.get_mut("app").filter(|app| *app == own) {
                *app = OWN.into();
            }
            let of_app = object.get("key").is_some_and(|key| key == "app");
            if let Some(values) = object.get_mut("values").and_then(Value::as_array_mut).filter(|_| of_app) {
                values.iter_mut().filter(|value| **value == own).for_each(|value| *value = OWN.into());
            }
            object.values_mut().for_each(|inner| mark(inner, own));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| mark(inner, own)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Tidegate makes a ReplicaSet of the workload: its template is one that a user gave.
pub(super) fn verbatim(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (None, Some(template)) = (seen.before, seen.after.and_then(|set| set.pointer("/spec/template"))) else {
        return;
    };
    let plain = |template: &Value| {
        let mut template = template.clone();
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.remove("pod-template-hash");
        }
        if let Some(meta) = template.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            meta.retain(|_, value| !value.is_null());
            // A restart is no change of the program.
            meta.remove("annotations");
        }
        template
    };
    let given = checkers.templates.get(image(template)).map(plain);
    if given.as_ref() != Some(&plain(template)) {
        let says = format!("ReplicaSet {} is made of a template that no user gave", seen.name);
        checkers.violated(Rule::TemplateDiffers, seen.now, says);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn template(own: &str, named: &str, other: &str) -> Value {
        let apart = |app: &str| json!({"podAffinityTerm": {"labelSelector": {"matchLabels": {"app": app}}}});
        json!({
            "metadata": {"labels": {"app": own}},
            "spec": {
                "affinity": {"podAntiAffinity": {"preferred": [apart(named), apart(other)]}},
                "topologySpreadConstraints": [{"labelSelector": {"matchExpressions": [{"key": "app", "values": [named]}]}}],
            },
        })
    }

    #[rstest]
    #[case::rewritten(template("web-canary", "web-canary", "docs"), true)]
    #[case::not_rewritten(template("web-canary", "web", "docs"), false)]
    #[case::somebody_elses_rewritten(template("web-canary", "web-canary", "web-canary"), false)]
    fn a_copys_terms_name_the_copys_pods(#[case] copy: Value, #[case] right: bool) {
        let spec = |template: &Value| named(template)["spec"].take();
        assert_eq!(spec(&copy) == spec(&template("web", "web", "docs")), right);
    }
}
