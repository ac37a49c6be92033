//! Whose the rules are. `spec.rules` is one value to the API server, so each of our writes to it makes all of it ours in
//! `metadata.managedFields`, and whoever applies the route without force is refused for a conflict. So we give it back.
//!
//! That takes a request of its own: one that changes the rules claims them again, and one that changes nothing but
//! `managedFields` claims nothing. Our annotations stay ours: nobody else applies them.

use serde_json::{Value, json};

use super::{list, replace, resource_version, text};
use crate::api::names::MANAGER;

/// What of a route we change besides its metadata: its rules, and nothing else of the spec.
const OURS: &str = "f:spec";

/// The resourceVersion of a route whose rules are ours; none where they are not.
pub fn owned(route: &Value) -> Option<String> {
    entries(route).next().map(|_| resource_version(route))
}

/// The JSON patch after which no rule is ours; fenced by the resourceVersion that `route` has.
pub fn disown(route: &Value) -> Value {
    let mut ops = vec![replace("/metadata/resourceVersion", route["metadata"]["resourceVersion"].clone())];
    // From the end, so that the places of the others stay what they are.
    let mut all: Vec<_> = entries(route).collect();
    all.reverse();
    ops.extend(all.into_iter().map(|(at, entry)| {
        let alone = entry["fieldsV1"].as_object().is_some_and(|fields| fields.len() == 1);
        let part = if alone { String::new() } else { format!("/fieldsV1/{OURS}") };
        json!({"op": "remove", "path": format!("/metadata/managedFields/{at}{part}")})
    }));
    Value::Array(ops)
}

/// Our entries that have a part of the spec, one a version of the API, with their places.
fn entries(route: &Value) -> impl Iterator<Item = (usize, &Value)> {
    list(route, "/metadata/managedFields").iter().enumerate().filter(|(_, entry)| {
        text(entry, "/manager") == Some(MANAGER)
            && text(entry, "/operation") == Some("Update")
            && text(entry, "/subresource").is_none_or(str::is_empty)
            && entry["fieldsV1"].get(OURS).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "gateway.networking.k8s.io/v1",
               "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn route(entries: Value) -> Value {
        json!({"metadata": {"name": "web", "resourceVersion": "7", "managedFields": entries}})
    }

    fn rules() -> Value {
        json!({"f:spec": {"f:rules": {}}})
    }

    #[test]
    fn what_others_own_is_theirs() {
        let mut status = entry(MANAGER, "Update", rules());
        status["subresource"] = json!("status");
        let marks = entry(MANAGER, "Update", json!({"f:metadata": {"f:annotations": {}}}));
        let all = [entry("helm", "Apply", rules()), entry(MANAGER, "Apply", rules()), status, marks];
        assert_eq!(owned(&route(json!(all))), None);
        assert_eq!(owned(&json!({"metadata": {"resourceVersion": "7"}})), None);
    }

    #[test]
    fn the_rules_go_and_the_annotations_stay() {
        let both = json!({"f:metadata": {"f:annotations": {"f:tidegate.io/weights": {}}}, "f:spec": {"f:rules": {}}});
        let all = [entry(MANAGER, "Update", rules()), entry("helm", "Apply", rules()), entry(MANAGER, "Update", both)];
        let route = route(json!(all));
        assert_eq!(owned(&route).as_deref(), Some("7"));
        let mut after = route.clone();
        let patch: json_patch::Patch = serde_json::from_value(disown(&route)).unwrap();
        json_patch::patch(&mut after, &patch).unwrap();
        assert_eq!(owned(&after), None);
        let left = json!({"f:metadata": {"f:annotations": {"f:tidegate.io/weights": {}}}});
        let wanted = [entry("helm", "Apply", rules()), entry(MANAGER, "Update", left)];
        assert_eq!(after["metadata"]["managedFields"], json!(wanted));
        assert_eq!(disown(&route)[0]["value"], "7", "it is fenced");
    }
}
