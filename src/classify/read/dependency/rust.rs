//! Cargo; and lock files in its form, which Poetry and uv write too.

use serde_json::Value;

use super::{Manifest, Table, Written, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

const SECTIONS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

pub fn cargo_toml(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Required, |text| {
        let mut table: Table = toml::from_str(text).ok()?;
        let mut manifest = Manifest::default();
        sections(&mut table, "", &mut manifest);
        if let Some(Value::Object(workspace)) = table.get_mut("workspace") {
            sections(workspace, "", &mut manifest);
        }
        if let Some(Value::Object(targets)) = table.get_mut("target") {
            for (target, table) in targets.iter_mut().filter_map(|(name, value)| Some((name, value.as_object_mut()?))) {
                sections(table, target, &mut manifest);
            }
        }
        for patched in ["patch", "replace"].into_iter().filter_map(|name| table.remove(name)) {
            // Another place for a dependency.
            manifest.add("[patch]", "0", patched.to_string());
        }
        // The package's own version is not what runs.
        if let Some(Value::Object(package)) = table.get_mut("package") {
            package.remove("version");
        }
        manifest.rest = Value::Object(table).to_string();
        Some(manifest)
    })
}

fn sections(table: &mut Table, target: &str, manifest: &mut Manifest) {
    for section in SECTIONS {
        let Some(Value::Object(all)) = table.remove(*section) else { continue };
        for (name, value) in all {
            let (version, source) = requirement(&value);
            // The same name may stand in several sections, with different requirements.
            let place = [target, section]
                .into_iter()
                .filter(|part| !part.is_empty() && *part != "dependencies")
                .collect::<Vec<_>>()
                .join(" ");
            manifest.add(if place.is_empty() { name } else { format!("{name} ({place})") }, version, source);
        }
    }
}

/// The version, and everything else that is said: where it comes from, its features.
fn requirement(value: &Value) -> (String, String) {
    match value {
        Value::Object(fields) => {
            let mut rest = fields.clone();
            let version = rest.remove("version").and_then(|version| version.as_str().map(str::to_owned));
            let own = |key: &str| fields.contains_key(key);
            // Where it comes from elsewhere, the rest says from where; features change what is built, as a new place does.
            let plain = rest.is_empty() && !own("git") && !own("path");
            (version.unwrap_or_default(), if plain { String::new() } else { Value::Object(rest).to_string() })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            (value.as_str().map_or_else(|| value.to_string(), str::to_owned), String::new())
        }
    }
}

pub fn toml_lock(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let table: Table = toml::from_str(text).ok()?;
        let mut manifest = Manifest::default();
        for package in table.get("package").and_then(Value::as_array).into_iter().flatten() {
            let word = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
            let source = package.get("source").map(ToString::to_string).unwrap_or_default();
            // The package itself has no source; its own version is no dependency's.
            if source.is_empty() && file.path.ends_with("Cargo.lock") {
                continue;
            }
            manifest.sum(word("name"), word("version"), word("checksum"));
            manifest.add(word("name"), word("version"), place(&source));
        }
        Some(manifest)
    })
}

/// A source without the commit that was chosen.
fn place(source: &str) -> String {
    source.split('#').next().unwrap_or_default().to_owned()
}
