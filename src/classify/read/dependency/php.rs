//! Composer.

use serde_json::{Map, Value};

use super::{Manifest, Written, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

fn word(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

pub fn composer_json(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Required, |text| {
        let mut fields: Map<String, Value> = serde_json::from_str(text).ok()?;
        let mut manifest = Manifest::default();
        for (section, group) in [("require", ""), ("require-dev", " (require-dev)")] {
            let all = fields.remove(section).unwrap_or_default();
            for (name, version) in all.as_object().into_iter().flatten() {
                manifest.add(format!("{name}{group}"), word(Some(version)), "");
            }
        }
        if let Some(places) = fields.remove("repositories") {
            manifest.add("repositories", "0", places.to_string());
        }
        ["version", "description", "keywords", "homepage", "authors", "license"]
            .iter()
            .for_each(|key| drop(fields.remove(*key)));
        manifest.rest = Value::Object(fields).to_string();
        Some(manifest)
    })
}

pub fn composer_lock(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let value: Value = serde_json::from_str(text).ok()?;
        let mut manifest = Manifest::default();
        for section in ["packages", "packages-dev"] {
            for package in value.get(section)?.as_array()? {
                let source = word(package.get("source").and_then(|source| source.get("url")));
                manifest.add(word(package.get("name")), word(package.get("version")), source);
            }
        }
        Some(manifest)
    })
}
