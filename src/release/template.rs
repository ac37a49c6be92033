//! Pod templates as raw JSON: what is the same program, and how a canary's copy differs by one label.
//!
//! Identity is semantic equality, as the Deployment controller's. The revision is the name that approvals, evidence and
//! records go by: long enough that nobody makes up two templates that share it. It may change when an API server learns
//! new defaults.

use serde_json::{Map, Value};

use crate::api::names::{IGNORED_TEMPLATE_ANNOTATIONS, POD_TEMPLATE_HASH};
use crate::policy::canonical::short;

pub mod diff;

/// Whether two templates run the same program: equal but for `pod-template-hash`, ignored annotations and empty fields.
pub fn same(one: &Value, other: &Value) -> bool {
    normal(one) == normal(other)
}

/// The name of a template: forty hexadecimal digits, 160 bits of its digest.
pub fn revision(template: &Value) -> String {
    hashed(template, 20)
}

/// The beginning of a revision, for sentences and names of objects: ten digits. Nothing is decided by it.
pub fn short_of(revision: &str) -> &str {
    revision.get(..10).unwrap_or(revision)
}

/// Whether a person means this revision: by its whole name, or by at least the ten digits that sentences show.
pub fn is_named(revision: &str, said: &str) -> bool {
    revision == said || (said.len() >= short_of(revision).len() && revision.starts_with(said))
}

/// The whole digest of a template, for what is kept for weeks: `sha256:` and 64 hexadecimal digits.
pub fn digest(template: &Value) -> String {
    format!("sha256:{}", hashed(template, 32))
}

fn hashed(template: &Value, bytes: usize) -> String {
    let mut text = String::new();
    canonical(&normal(template), &mut text);
    short(text, bytes)
}

/// The template without the label that the Deployment controller adds in ReplicaSets.
pub fn without_hash(mut template: Value) -> Value {
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(POD_TEMPLATE_HASH);
    }
    template
}

fn normal(template: &Value) -> Value {
    let mut template = without_hash(template.clone());
    drop_nulls(&mut template);
    if let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) {
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|key, _| !IGNORED_TEMPLATE_ANNOTATIONS.contains(&key.as_str()));
        }
        metadata.retain(|_, value| value.as_object().is_none_or(|object| !object.is_empty()));
    }
    template
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Keys in order, whatever the map behind `Value` does.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(object) => {
            let mut keys: Vec<_> = object.keys().collect();
            keys.sort();
            out.push('{');
            for key in keys {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(&object[key.as_str()], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

/// The label that tells canary from stable, and the value that it gets in the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relabel {
    /// The label's key.
    pub key: String,
    /// Its value on the user's pods.
    pub from: String,
    /// Its value on the copy's pods.
    pub to: String,
}

impl Relabel {
    /// The way back: from the carrier's value to the user's.
    pub fn back(&self) -> Self {
        Self { key: self.key.clone(), from: self.to.clone(), to: self.from.clone() }
    }

    /// A copy of a template with the label rewritten where it stands, in its own affinity terms too: a rule that spreads
    /// the user's pods then spreads the copy's.
    pub fn template(&self, template: &Value) -> Value {
        let mut copy = without_hash(template.clone());
        if let Some(labels) = copy.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            self.map(labels);
        }
        for place in ["/spec/affinity/podAffinity", "/spec/affinity/podAntiAffinity", "/spec/topologySpreadConstraints"]
        {
            if let Some(terms) = copy.pointer_mut(place) {
                self.selectors_within(terms);
            }
        }
        copy
    }

    /// A copy of a label selector with the label rewritten.
    pub fn selector(&self, selector: &Value) -> Value {
        let mut copy = selector.clone();
        self.in_selector(&mut copy);
        copy
    }

    /// Rewrites the label in a map of labels.
    pub fn map(&self, labels: &mut Map<String, Value>) {
        if labels.get(&self.key).and_then(Value::as_str) == Some(&self.from) {
            labels.insert(self.key.clone(), Value::from(self.to.as_str()));
        }
    }

    fn selectors_within(&self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                for (key, inner) in object.iter_mut() {
                    if key == "labelSelector" { self.in_selector(inner) } else { self.selectors_within(inner) }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.selectors_within(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn in_selector(&self, selector: &mut Value) {
        if let Some(labels) = selector.get_mut("matchLabels").and_then(Value::as_object_mut) {
            self.map(labels);
        }
        let expressions = selector.get_mut("matchExpressions").and_then(Value::as_array_mut);
        for expression in expressions.into_iter().flatten() {
            if expression.get("key").and_then(Value::as_str) != Some(&self.key) {
                continue;
            }
            let values = expression.get_mut("values").and_then(Value::as_array_mut);
            for value in values.into_iter().flatten() {
                if value.as_str() == Some(&self.from) {
                    *value = Value::from(self.to.as_str());
                }
            }
        }
    }
}

/// The images that a template's containers run, in its order.
pub fn images(template: &Value) -> impl Iterator<Item = &str> {
    let lists = ["/spec/containers", "/spec/initContainers"].into_iter().filter_map(|place| template.pointer(place));
    lists.filter_map(Value::as_array).flatten().filter_map(|container| container.get("image")?.as_str())
}

/// The digest that an image is named by, with its algorithm; none where it is named by a tag, which may look like one.
pub fn image_digest(image: &str) -> Option<&str> {
    let (_, digest) = image.rsplit_once('@')?;
    digest.starts_with("sha256:").then_some(digest)
}

/// Whether a container of a template runs the image of a digest.
pub fn has_image(template: &Value, digest: &str) -> bool {
    images(template).any(|image| image_digest(image) == Some(digest))
}

/// The images that a template runs and another does not, by their digests where these are written: a tag is only a name then.
pub fn new_images<'a>(template: &'a Value, other: &Value) -> Vec<&'a str> {
    let known: Vec<&str> = images(other).map(|image| image_digest(image).unwrap_or(image)).collect();
    images(template).filter(|image| !known.contains(&image_digest(image).unwrap_or(image))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn template() -> Value {
        json!({
            "metadata": {"labels": {"app": "shop", "tier": "web"}, "creationTimestamp": null},
            "spec": {"containers": [{"name": "app", "image": "shop:1"}], "affinity": {"podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector":
                    {"matchLabels": {"app": "shop"}, "matchExpressions": [{"key": "app", "operator": "In", "values": ["shop", "cart"]}]}}]}}}
        })
    }

    #[rstest]
    #[case::whole("6c9f7d5b84c0a1f2e3d4b5a69788796a5b4c3d2e", true)]
    #[case::as_sentences_show_it("6c9f7d5b84", true)]
    #[case::somewhat_longer("6c9f7d5b84c0", true)]
    #[case::too_short_to_mean_one("6c9f7d5b8", false)]
    #[case::another("6c9f7d5b85", false)]
    #[case::none("", false)]
    fn a_revision_is_meant_by_ten_digits(#[case] said: &str, #[case] meant: bool) {
        assert_eq!(is_named("6c9f7d5b84c0a1f2e3d4b5a69788796a5b4c3d2e", said), meant);
    }

    #[test]
    fn a_revision_is_too_long_to_be_made_up_twice() {
        let named = revision(&template());
        assert_eq!(named.len() * 4, 160);
        assert_eq!(short_of(&named), &named[..10]);
    }

    /// A repository may be called `sha256`, and its tag may have as many digits as a digest.
    #[rstest]
    #[case::by_digest("registry.example/shop@sha256:0a0a", true)]
    #[case::by_both("shop:1@sha256:0a0a", true)]
    #[case::by_a_tag("shop:1", false)]
    #[case::by_a_tag_that_looks_like_one("registry.example/sha256:0a0a", false)]
    #[case::by_another_digest("shop@sha256:0b0a0a", false)]
    fn an_image_is_known_by_its_digest(#[case] image: &str, #[case] known: bool) {
        let template = json!({"spec": {"containers": [{"name": "app", "image": image}]}});
        assert_eq!(has_image(&template, "sha256:0a0a"), known);
    }

    #[test]
    fn a_restart_or_a_hash_is_no_new_program() {
        let mut restarted = template();
        restarted["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"});
        restarted["metadata"]["labels"]["pod-template-hash"] = json!("abc");
        assert!(same(&template(), &restarted));
        assert_eq!(revision(&template()), revision(&restarted));
    }

    #[test]
    fn any_other_difference_is_a_new_program() {
        for (place, value) in [
            ("/spec/containers/0/image", json!("shop:2")),
            ("/metadata/labels/tier", json!("db")),
            ("/metadata/annotations", json!({"config": "2"})),
        ] {
            let mut other = template();
            if let Some(at) = other.pointer_mut(place) {
                *at = value;
            } else {
                other["metadata"]["annotations"] = value;
            }
            assert!(!same(&template(), &other), "{place}");
            assert_ne!(revision(&template()), revision(&other), "{place}");
        }
    }

    #[test]
    fn the_copy_differs_by_the_label_alone() {
        let relabel = Relabel { key: "app".into(), from: "shop".into(), to: "shop-canary".into() };
        let copy = relabel.template(&template());
        assert_eq!(copy["metadata"]["labels"], json!({"app": "shop-canary", "tier": "web"}));
        let term = &copy["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0];
        assert_eq!(term["labelSelector"]["matchLabels"]["app"], "shop-canary");
        assert_eq!(term["labelSelector"]["matchExpressions"][0]["values"], json!(["shop-canary", "cart"]));
        let back = Relabel { key: "app".into(), from: "shop-canary".into(), to: "shop".into() };
        assert_eq!(back.template(&copy), template());
    }
}
