//! Changelogs of Liquibase: change sets that are only ever appended.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{at_least_additive, breaking, sql_text};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;
use crate::policy::Category::{Backfill, SchemaMigrationAdditive, SchemaMigrationBreaking};

/// One change of a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    name: String,
    /// A column that must not be empty and has no default, or something unique.
    strict: bool,
    /// The SQL that it runs.
    sql: Option<String>,
}

/// A change set: what it says as a whole, and its changes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set {
    text: String,
    changes: Vec<Change>,
}

type Sets = BTreeMap<String, Set>;

/// What an XML or YAML file says that is no changelog is nothing; the rule's path was too wide.
pub fn liquibase(file: &ChangedFile) -> Vec<Seen> {
    let Some((before, after)) = file.texts() else {
        return breaking("a changelog that is no text: cannot tell, which counts as breaking");
    };
    if file.path.ends_with(".sql") {
        return formatted_sql(file, before, after);
    }
    let read = |text: &str| match text.trim().is_empty() {
        true => Some(Sets::new()),
        false if file.path.ends_with(".xml") => xml(text),
        false => yaml(text),
    };
    let (Some(before), Some(after)) = (read(before), read(after)) else {
        return breaking("a changelog that cannot be read, which counts as breaking");
    };
    let mut seen = Vec::new();
    for (id, set) in &before {
        if after.get(id).is_none_or(|now| now.text != set.text) {
            seen.push(Seen::whole(
                SchemaMigrationBreaking,
                format!("change set {id} was edited or removed: where it ran, it does not run again"),
            ));
        }
    }
    let new = after.iter().filter(|(id, _)| !before.contains_key(*id));
    seen.extend(new.flat_map(|(id, set)| set.changes.iter().flat_map(move |change| judge(id, change))));
    at_least_additive(seen)
}

fn judge(id: &str, change: &Change) -> Vec<Seen> {
    let says = |what: &str| format!("change set {id}: {what}");
    if let Some(text) = &change.sql {
        return sql_text(text).into_iter().map(|seen| Seen::whole(seen.category, says(&seen.says))).collect();
    }
    let one = |category, what: String| vec![Seen::whole(category, says(&what))];
    match change.name.as_str() {
        "rollback" | "comment" | "preConditions" | "validCheckSum" | "tagDatabase" | "empty" | "output" => Vec::new(),
        "addColumn" | "createIndex" if change.strict => one(
            SchemaMigrationBreaking,
            format!(
                "{}, not empty without a default or unique: refuses rows that the former version may write",
                change.name
            ),
        ),
        "createTable" | "addColumn" | "createIndex" | "createSequence" | "createView" | "setTableRemarks"
        | "setColumnRemarks" => one(SchemaMigrationAdditive, change.name.clone()),
        "insert" | "loadData" | "loadUpdateData" | "update" => one(Backfill, format!("{} writes data", change.name)),
        other => one(SchemaMigrationBreaking, other.to_owned()),
    }
}

/// `--changeset author:id` begins one; each must stay as it was.
fn formatted_sql(file: &ChangedFile, before: &str, after: &str) -> Vec<Seen> {
    if file.was_there() && (!file.is_there() || !after.starts_with(before.trim_end())) {
        return breaking("SQL that was there already was edited: where it ran, it does not run again");
    }
    let added = after.get(before.trim_end().len()..).unwrap_or_default();
    sql_text(added)
}

fn xml(text: &str) -> Option<Sets> {
    let document = roxmltree::Document::parse(text).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != "databaseChangeLog" {
        return None;
    }
    let mut sets = Sets::new();
    for node in root.children().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        let body = text.get(node.range())?.split_whitespace().collect::<Vec<_>>().join(" ");
        if name != "changeSet" {
            // Includes name other files, which are judged by themselves; properties may change any change set.
            let id = format!(
                "{name} {}",
                node.attribute("file").or(node.attribute("path")).or(node.attribute("name")).unwrap_or_default()
            );
            sets.insert(id, Set { text: body, changes: Vec::new() });
            continue;
        }
        let id =
            format!("{}:{}", node.attribute("author").unwrap_or_default(), node.attribute("id").unwrap_or_default());
        let changes = node.children().filter(roxmltree::Node::is_element).map(|change| {
            let is_false = |node: &roxmltree::Node<'_, '_>| {
                node.has_tag_name_local("constraints") && node.attribute("nullable") == Some("false")
            };
            let unique = change.descendants().any(|node| node.attribute("unique") == Some("true"));
            let defaults =
                |node: roxmltree::Node<'_, '_>| node.attributes().any(|a| a.name().starts_with("defaultValue"));
            let columns = change.descendants().filter(|node| node.has_tag_name_local("column"));
            let mut empty =
                columns.filter(|column| column.descendants().any(|node| is_false(&node)) && !defaults(*column));
            let name = change.tag_name().name().to_owned();
            let sql = (name == "sql").then(|| change.text().unwrap_or_default().to_owned());
            Change { strict: unique || empty.next().is_some(), name, sql }
        });
        sets.insert(id, Set { text: body, changes: changes.collect() });
    }
    Some(sets)
}

/// Names without their namespace.
trait Local {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl Local for roxmltree::Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.tag_name().name() == name
    }
}

fn yaml(text: &str) -> Option<Sets> {
    let value: Value = serde_saphyr::from_str(text).ok()?;
    let mut sets = Sets::new();
    for (index, entry) in value.get("databaseChangeLog")?.as_array()?.iter().enumerate() {
        let Some(set) = entry.get("changeSet") else {
            sets.insert(format!("entry {index}"), Set { text: entry.to_string(), changes: Vec::new() });
            continue;
        };
        let word = |key: &str| {
            set.get(key).map(|value| value.as_str().map_or(value.to_string(), str::to_owned)).unwrap_or_default()
        };
        let changes = set.get("changes").and_then(Value::as_array).into_iter().flatten().flat_map(|change| {
            change.as_object().into_iter().flatten().map(|(name, body)| Change {
                name: name.clone(),
                strict: strict(body),
                sql: (name == "sql").then(|| body.get("sql").and_then(Value::as_str).unwrap_or_default().to_owned()),
            })
        });
        sets.insert(
            format!("{}:{}", word("author"), word("id")),
            Set { text: set.to_string(), changes: changes.collect() },
        );
    }
    Some(sets)
}

/// A column that must not be empty and has no default, or something unique, anywhere below.
fn strict(value: &Value) -> bool {
    let here = value.as_object().is_some_and(|fields| {
        let defaults = fields.keys().any(|key| key.starts_with("defaultValue"));
        let nullable = fields.get("constraints").and_then(|constraints| constraints.get("nullable"));
        fields.get("unique") == Some(&Value::Bool(true)) || (nullable == Some(&Value::Bool(false)) && !defaults)
    });
    let mut below: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(all) => Box::new(all.iter()),
        Value::Object(all) => Box::new(all.values()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Box::new(std::iter::empty()),
    };
    here || below.any(strict)
}
