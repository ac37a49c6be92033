//! pip and what describes itself in `pyproject.toml`.

use serde_json::Value;

use super::{Manifest, Table, Written, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

pub fn requirements(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Required, |text| {
        let mut manifest = Manifest::default();
        for line in text.lines() {
            let line = line.split(" #").next().unwrap_or_default().trim().trim_end_matches('\\').trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with("--hash") {
                continue;
            }
            if line.starts_with('-') {
                // An index or another file: another place for everything.
                manifest.add("an option of pip", "0", line);
                continue;
            }
            let (name, version, source) = specifier(line);
            manifest.add(name, version, source);
        }
        Some(manifest)
    })
}

/// `name[extra] >=1.2 ; marker` or `name @ address`: name, requirement, and everything else.
fn specifier(text: &str) -> (String, String, String) {
    let (text, marker) = text.split_once(';').unwrap_or((text, ""));
    let text = text.split(" --hash").next().unwrap_or_default();
    if let Some((name, address)) = text.split_once('@') {
        return (name.trim().to_lowercase(), "0".to_owned(), format!("{} {marker}", address.trim()));
    }
    let end = text.find(['=', '<', '>', '~', '!', ' ']).unwrap_or(text.len());
    let (name, version) = text.split_at(end);
    (name.trim().to_lowercase(), version.replace(' ', ""), marker.trim().to_owned())
}

pub fn pyproject(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Required, |text| {
        let mut table: Table = toml::from_str(text).ok()?;
        let mut manifest = Manifest::default();
        if let Some(Value::Object(project)) = table.get_mut("project") {
            list(project.remove("dependencies"), "", &mut manifest);
            for (group, all) in taken(project, "optional-dependencies") {
                list(Some(all), &format!(" ({group})"), &mut manifest);
            }
            ["version", "description", "readme", "authors", "keywords", "classifiers", "urls", "license"]
                .iter()
                .for_each(|key| drop(project.remove(*key)));
        }
        for (group, all) in taken(&mut table, "dependency-groups") {
            list(Some(all), &format!(" ({group})"), &mut manifest);
        }
        if let Some(Value::Object(build)) = table.get_mut("build-system") {
            list(build.remove("requires"), " (build)", &mut manifest);
        }
        if let Some(Value::Object(poetry)) = table.get_mut("tool").and_then(|tool| tool.get_mut("poetry")) {
            poetry.remove("version");
            for (name, value) in taken(poetry, "dependencies") {
                poetry_one(&name, "", &value, &mut manifest);
            }
            for (group, fields) in taken(poetry, "group") {
                for (name, value) in fields.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
                    poetry_one(name, &format!(" ({group})"), value, &mut manifest);
                }
            }
        }
        manifest.rest = Value::Object(table).to_string();
        Some(manifest)
    })
}

fn taken(table: &mut Table, key: &str) -> Table {
    match table.remove(key) {
        Some(Value::Object(all)) => all,
        Some(_) | None => Table::new(),
    }
}

fn list(all: Option<Value>, group: &str, manifest: &mut Manifest) {
    for text in all
        .iter()
        .filter_map(Value::as_array)
        .flatten()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    {
        let (name, version, source) = specifier(&text);
        manifest.add(format!("{name}{group}"), version, source);
    }
}

fn poetry_one(name: &str, group: &str, value: &Value, manifest: &mut Manifest) {
    let name = format!("{}{group}", name.to_lowercase());
    match value {
        Value::Object(fields) => {
            let mut rest = fields.clone();
            let version = rest.remove("version").and_then(|version| version.as_str().map(str::to_owned));
            manifest.add(name, version.unwrap_or_default(), Value::Object(rest).to_string());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            manifest.add(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned), "")
        }
    }
}
