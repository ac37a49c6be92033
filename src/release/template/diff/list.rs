//! Lists whose items have a name.

use serde_json::Value;

/// An item of two lists: its name, and what it is in either; None where it is not there.
pub(super) type Pair<'a> = (String, Option<&'a Value>, Option<&'a Value>);

/// The items of two lists that differ, by name: those of the first list in its order, then what is new. Of items with
/// the same name the first counts.
pub(super) fn pairs<'a>(before: &'a Value, after: &'a Value, name: fn(&Value) -> String) -> Vec<Pair<'a>> {
    let named = |list: &'a Value| -> Vec<(String, &'a Value)> {
        let mut all: Vec<(String, &'a Value)> = Vec::new();
        for item in list.as_array().into_iter().flatten() {
            let key = name(item);
            if !all.iter().any(|(known, _)| *known == key) {
                all.push((key, item));
            }
        }
        all
    };
    let (old, new) = (named(before), named(after));
    let find =
        |all: &[(String, &'a Value)], key: &str| all.iter().find(|(known, _)| known == key).map(|(_, item)| *item);
    let kept = old.iter().map(|(key, item)| (key.clone(), Some(*item), find(&new, key)));
    let added =
        new.iter().filter(|(key, _)| find(&old, key).is_none()).map(|(key, item)| (key.clone(), None, Some(*item)));
    kept.chain(added).filter(|(_, old, new)| old != new).collect()
}

/// The text of a field; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
