//! Which labels a selector selects, as the API server decides it.

use std::collections::BTreeMap;

use serde_json::Value;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// The labels at a place of an object, such as `/metadata/labels`.
pub fn labels(object: &Value, place: &str) -> Labels {
    let map = object.pointer(place).and_then(Value::as_object);
    let pairs = map.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    pairs.collect()
}

/// Whether a selector with `matchLabels` and `matchExpressions` selects these labels. An empty one selects all, one that
/// is not there selects none, and so does an operator that is not known.
pub fn selects(selector: Option<&Value>, labels: &Labels) -> bool {
    let Some(Value::Object(selector)) = selector else { return false };
    let plain = selector.get("matchLabels").and_then(Value::as_object);
    let terms = selector.get("matchExpressions").and_then(Value::as_array);
    plain.into_iter().flatten().all(|(key, value)| labels.get(key).map(String::as_str) == value.as_str())
        && terms.into_iter().flatten().all(|term| fits(term, labels))
}

/// Whether a plain map, such as a Service's selector, selects these labels; an empty one selects none.
pub fn map_selects(map: Option<&Value>, labels: &Labels) -> bool {
    let Some(Value::Object(map)) = map else { return false };
    !map.is_empty() && map.iter().all(|(key, value)| labels.get(key).map(String::as_str) == value.as_str())
}

fn fits(term: &Value, labels: &Labels) -> bool {
    let text = |key: &str| term.get(key).and_then(Value::as_str).unwrap_or_default();
    let value = labels.get(text("key"));
    let values = term.get("values").and_then(Value::as_array);
    let listed = || values.into_iter().flatten().any(|one| one.as_str() == value.map(String::as_str));
    match text("operator") {
        "In" => value.is_some() && listed(),
        "NotIn" => value.is_none() || !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({}), true)]
    #[case(json!(null), false)]
    #[case(json!({"matchLabels": {"app": "web"}}), true)]
    #[case(json!({"matchLabels": {"app": "web", "tier": "b"}}), false)]
    #[case(json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "cart"]}]}), true)]
    #[case(json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["cart"]}]}), false)]
    #[case(json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}), false)]
    #[case(json!({"matchExpressions": [{"key": "old", "operator": "NotIn", "values": ["web"]}]}), true)]
    #[case(json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]}), true)]
    #[case(json!({"matchExpressions": [{"key": "old", "operator": "Exists"}]}), false)]
    #[case(json!({"matchExpressions": [{"key": "old", "operator": "DoesNotExist"}]}), true)]
    #[case(json!({"matchExpressions": [{"key": "app", "operator": "Gt", "values": ["1"]}]}), false)]
    fn a_selector_is_judged_as_the_api_server_does(#[case] selector: Value, #[case] yes: bool) {
        let labels = Labels::from([("app".to_owned(), "web".to_owned())]);
        assert_eq!(selects(Some(&selector), &labels), yes);
    }

    #[test]
    fn a_map_that_is_empty_selects_nobody() {
        let labels = Labels::from([("app".to_owned(), "web".to_owned())]);
        assert!(map_selects(Some(&json!({"app": "web"})), &labels));
        assert!(!map_selects(Some(&json!({})), &labels) && !map_selects(None, &labels));
        assert!(!map_selects(Some(&json!({"app": "cart"})), &labels));
    }
}
