//! Maven and Gradle.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};
use serde_json::Value;

use super::{Manifest, Table, Written, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

/// Elements that name something with a version.
const NAMED: &[&str] = &["dependency", "plugin", "parent", "extension"];

pub fn maven(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let document = Document::parse(text).ok()?;
        let root = document.root_element();
        let properties: BTreeMap<&str, &str> = children(root, "properties")
            .flat_map(|all| all.children().filter(Node::is_element))
            .map(|node| (node.tag_name().name(), node.text().unwrap_or_default().trim()))
            .collect();
        let mut manifest = Manifest::default();
        let mut used = Vec::new();
        for node in root.descendants().filter(|node| NAMED.contains(&node.tag_name().name())) {
            let field = |name: &'static str| {
                children(node, name).next().and_then(|node| node.text()).unwrap_or_default().trim()
            };
            let mut version = field("version");
            if let Some(name) = version.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
                used.push(name);
                version = properties.get(name).copied().unwrap_or(version);
            }
            manifest.add(format!("{}:{}", field("groupId"), field("artifactId")), version, "");
        }
        for node in root.descendants().filter(Node::is_element) {
            let name = node.tag_name().name();
            let above = node.parent().map(|parent| parent.tag_name().name()).unwrap_or_default();
            let is_version = name == "version" && (NAMED.contains(&above) || node.parent() == Some(root));
            let is_property = above == "properties" && used.contains(&name);
            // A whole dependency is no rest, but what else it says (scope, exclusions) is.
            let is_name =
                NAMED.contains(&name) || (NAMED.contains(&above) && ["groupId", "artifactId"].contains(&name));
            if !(is_version || is_property || is_name) {
                let said: Vec<String> = node.attributes().map(|a| format!("{}={}", a.name(), a.value())).collect();
                let text: String =
                    node.children().filter(Node::is_text).filter_map(|text| text.text()).map(str::trim).collect();
                manifest.rest.push_str(&format!("{above}/{name} {} {text}\n", said.join(" ")));
            }
        }
        Some(manifest)
    })
}

fn children<'a, 'input>(node: Node<'a, 'input>, name: &'static str) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

pub fn gradle_lock(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let mut manifest = Manifest::default();
        for line in
            text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("empty=") && !line.trim().is_empty())
        {
            let coordinate = line.split('=').next()?;
            let (name, version) = coordinate.rsplit_once(':')?;
            manifest.add(name, version, "");
        }
        Some(manifest)
    })
}

pub fn gradle_catalog(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let mut table: Table = toml::from_str(text).ok()?;
        let mut manifest = Manifest::default();
        let versions = table.remove("versions").unwrap_or(Value::Object(Table::new()));
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        for (section, group) in [("libraries", ""), ("plugins", " (plugin)")] {
            let Some(Value::Object(all)) = table.remove(section) else { continue };
            for (alias, value) in all {
                if let Some(coordinate) = value.as_str() {
                    let (name, version) = coordinate.rsplit_once(':').unwrap_or((coordinate, ""));
                    manifest.add(format!("{name}{group}"), version, "");
                    continue;
                }
                let version = value.get("version").map(|version| match version.get("ref").and_then(Value::as_str) {
                    Some(reference) => versions.get(reference).map(&plain).unwrap_or_default(),
                    None => plain(version),
                });
                let mut rest = value.clone();
                if let Value::Object(fields) = &mut rest {
                    fields.remove("version");
                }
                manifest.add(format!("{alias}{group}"), version.unwrap_or_default(), rest.to_string());
            }
        }
        manifest.rest = Value::Object(table).to_string();
        Some(manifest)
    })
}
