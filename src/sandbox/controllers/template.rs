//! Pod templates: when two are the same to the Deployment controller, and the short name of one.

use serde_json::{Map, Value};

use super::write::LETTERS;
use crate::api::names::POD_TEMPLATE_HASH;

/// Whether two templates are semantically equal, their `pod-template-hash` left aside: missing and empty lists and maps
/// are one, quantities count by their value. A missing struct is not an empty one (`emptyDir: {}`).
pub(super) fn same(one: &Value, other: &Value) -> bool {
    equal(Some(one), Some(other), "")
}

/// Fields that are maps: empty is as good as missing.
const MAPS: [&str; 7] = ["labels", "annotations", "nodeSelector", "matchLabels", "limits", "requests", "metadata"];

fn equal(one: Option<&Value>, other: Option<&Value>, key: &str) -> bool {
    match (present(one), present(other)) {
        (None, None) => true,
        (Some(Value::Object(one)), Some(Value::Object(other))) => fields(one, other, key) && fields(other, one, key),
        (Some(Value::Object(lone)), None) | (None, Some(Value::Object(lone))) => {
            MAPS.contains(&key) && fields(lone, &Map::new(), key)
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(Some(one), Some(other), ""))
        }
        (one, other) => one == other,
    }
}

/// Whether all fields of one stand in the other.
fn fields(one: &Map<String, Value>, other: &Map<String, Value>, parent: &str) -> bool {
    one.iter().filter(|(key, _)| !(parent == "labels" && *key == POD_TEMPLATE_HASH)).all(|(key, value)| {
        if matches!(parent, "limits" | "requests") {
            return amount(Some(value)) == amount(other.get(key));
        }
        equal(Some(value), other.get(key), key)
    })
}

fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    })
}

#[derive(PartialEq)]
enum Amount<'a> {
    /// In thousand-millionths.
    Number(i128),
    Other(Option<&'a Value>),
}

fn amount(value: Option<&Value>) -> Amount<'_> {
    let text = match value {
        Some(Value::String(text)) => nanos(text),
        Some(Value::Number(number)) => nanos(&number.to_string()),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
    };
    text.map_or(Amount::Other(value), Amount::Number)
}

/// A quantity such as `500m`, `1.5` or `2Gi`, in thousand-millionths.
fn nanos(text: &str) -> Option<i128> {
    const SUFFIXES: [(&str, i128); 15] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
        ("Pi", 1 << 50),
        ("Ei", 1 << 60),
        ("n", 0),
        ("u", 0),
        ("m", 0),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("P", 1_000_000_000_000_000),
        ("E", 1_000_000_000_000_000_000),
    ];
    const NANO: i128 = 1_000_000_000;
    let (digits, suffix) = SUFFIXES
        .iter()
        .find_map(|(suffix, _)| text.strip_suffix(suffix).map(|digits| (digits, *suffix)))
        .unwrap_or((text, ""));
    let unit = match suffix {
        "" => NANO,
        "m" => 1_000_000,
        "u" => 1_000,
        "n" => 1,
        other => SUFFIXES.iter().find(|(suffix, _)| *suffix == other)?.1 * NANO,
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let denominator = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let number: i128 = format!("{whole}{part}").parse().ok()?;
    Some(number.checked_mul(unit)? / denominator)
}

/// The short name of a template, as in the names of ReplicaSets; another one for each collision so far.
pub(super) fn hash(template: &Value, collisions: Option<i64>) -> String {
    let mut state = Fnv(0x811c_9dc5);
    state.value(template);
    if let Some(collisions) = collisions {
        state.bytes(&collisions.to_le_bytes());
    }
    let digits = state.0.to_string();
    digits.bytes().map(|digit| LETTERS.get(usize::from(digit) % 27).map_or('b', |letter| char::from(*letter))).collect()
}

/// FNV-1a over a value, keys in their order.
struct Fnv(u32);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                let mut keys: Vec<_> = fields.iter().collect();
                keys.sort_by_key(|(key, _)| *key);
                self.bytes(b"{");
                for (key, value) in keys {
                    self.bytes(key.as_bytes());
                    self.bytes(b":");
                    self.value(value);
                }
            }
            Value::Array(items) => {
                self.bytes(b"[");
                items.iter().for_each(|item| self.value(item));
            }
            Value::String(text) => {
                self.bytes(b"\"");
                self.bytes(text.as_bytes());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.bytes(value.to_string().as_bytes()),
        }
        self.bytes(b",");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::hash(json!({"metadata": {"labels": {"a": "b", "pod-template-hash": "x"}}}), json!({"metadata": {"labels": {"a": "b"}}}), true)]
    #[case::only_the_hash(json!({"metadata": {"labels": {"pod-template-hash": "x"}}, "spec": {}}), json!({"spec": {}}), true)]
    #[case::empty_lists_and_maps(json!({"metadata": {"annotations": {}}, "spec": {"volumes": []}}), json!({"spec": {}}), true)]
    #[case::nulls(json!({"metadata": {"creationTimestamp": null}, "spec": {}}), json!({"spec": {}}), true)]
    #[case::empty_structs(json!({"spec": {"volumes": [{"name": "a", "emptyDir": {}}]}}), json!({"spec": {"volumes": [{"name": "a"}]}}), false)]
    #[case::quantities(json!({"resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}}}), json!({"resources": {"limits": {"cpu": 1, "memory": "1024Mi"}}}), true)]
    #[case::another_quantity(json!({"resources": {"limits": {"cpu": "1"}}}), json!({"resources": {"limits": {"cpu": "1.5"}}}), false)]
    #[case::one_limit_more(json!({"limits": {"cpu": "1"}}), json!({"limits": {"cpu": "1", "memory": "1"}}), false)]
    #[case::annotation(json!({"metadata": {"annotations": {"a": "b"}}}), json!({"metadata": {}}), false)]
    #[case::order_in_lists(json!({"spec": {"containers": [1, 2]}}), json!({"spec": {"containers": [2, 1]}}), false)]
    fn templates_are_compared_by_meaning(#[case] one: Value, #[case] other: Value, #[case] equal: bool) {
        assert_eq!((same(&one, &other), same(&other, &one)), (equal, equal));
    }

    #[test]
    fn a_hash_is_short_stable_and_tells_templates_and_collisions_apart() {
        let one = json!({"spec": {"containers": [{"name": "a", "image": "shop:1"}]}});
        let other = json!({"spec": {"containers": [{"name": "a", "image": "shop:2"}]}});
        let again = json!({"spec": {"containers": [{"image": "shop:1", "name": "a"}]}});
        assert_eq!(hash(&one, None), hash(&again, None));
        assert_ne!(hash(&one, None), hash(&other, None));
        assert_ne!(hash(&one, None), hash(&one, Some(1)));
        assert!(hash(&one, None).len() <= 10);
    }
}
