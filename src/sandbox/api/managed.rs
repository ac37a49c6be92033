//! `metadata.managedFields`: who owns which field, kept at every write; and server-side apply, which rests on it.

use serde_json::{Map, Value, json};

use super::fields::{self, Set};
use super::meta;
use super::resource::Subresource;
use super::shape::Shape;
use crate::sandbox::objects::Refusal;

/// Who writes, as managed fields name it.
#[derive(Clone, Copy)]
pub(super) struct Manager<'a> {
    pub(super) name: &'a str,
    pub(super) api_version: &'a str,
    pub(super) subresource: Option<Subresource>,
    /// RFC 3339, whole seconds.
    pub(super) now: &'a str,
}

const UPDATE: &str = "Update";
const APPLY: &str = "Apply";
/// What no manager can own.
const NOBODYS: [&str; 9] = [
    "f:name",
    "f:namespace",
    "f:creationTimestamp",
    "f:selfLink",
    "f:uid",
    "f:generation",
    "f:managedFields",
    "f:resourceVersion",
    "f:deletionTimestamp",
];

fn strip(set: &mut Set) {
    set.remove("f:apiVersion");
    set.remove("f:kind");
    let Some(metadata) = set.get_mut("f:metadata").and_then(Value::as_object_mut) else { return };
    for field in NOBODYS {
        metadata.remove(field);
    }
    if metadata.keys().all(|key| key == ".") {
        set.remove("f:metadata");
    }
}

fn entries(object: &mut Value) -> Vec<Value> {
    let metadata = meta::metadata_mut(object);
    match metadata.and_then(|metadata| metadata.remove("managedFields")) {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    }
}

fn set_of(entry: &Value) -> Option<&Set> {
    entry.get("fieldsV1").and_then(Value::as_object)
}

fn set_of_mut(entry: &mut Value) -> Option<&mut Set> {
    entry.get_mut("fieldsV1").and_then(Value::as_object_mut)
}

impl Manager<'_> {
    fn is(&self, entry: &Value, operation: &str) -> bool {
        entry.get("manager").is_some_and(|name| name == self.name)
            && entry.get("operation").is_some_and(|is| is == operation)
            && entry.get("apiVersion").is_some_and(|version| version == self.api_version)
            && entry.get("subresource").and_then(Value::as_str) == self.subresource.map(Subresource::as_str)
    }

    fn entry(&self, operation: &str, set: Set) -> Value {
        let mut entry = json!({
            "manager": self.name, "operation": operation, "apiVersion": self.api_version, "time": self.now,
            "fieldsType": "FieldsV1", "fieldsV1": set,
        });
        if let (Some(part), Some(entry)) = (self.subresource, entry.as_object_mut()) {
            entry.insert("subresource".to_owned(), part.as_str().into());
        }
        entry
    }
}

fn put(object: &mut Value, mut entries: Vec<Value>) {
    entries.retain(|entry| set_of(entry).is_some_and(|set| !set.is_empty()));
    meta::set(object, "managedFields", (!entries.is_empty()).then_some(Value::Array(entries)));
}

/// Gives a new object's fields to who made it.
pub(super) fn created(object: &mut Value, by: Manager<'_>, shape: Shape<'_>) {
    meta::set(object, "managedFields", None);
    let mut set = fields::fields_of(object, shape);
    strip(&mut set);
    put(object, vec![by.entry(UPDATE, set)]);
}

/// The managed fields that an update begins with: those that it brings along, so that who changes nothing else can give
/// fields away; those that stand where it brings none, or goes through a subresource. An empty list, or one of an empty
/// entry, is how a client asks to forget them all.
fn brought(old: &Value, new: &Value, by: Manager<'_>) -> Vec<Value> {
    let all = |object| meta::metadata(object).and_then(|metadata| metadata.get("managedFields")?.as_array());
    match all(new).filter(|_| by.subresource.is_none()) {
        Some(entries) if entries.is_empty() || entries == &[json!({})] => Vec::new(),
        Some(entries) if entries.iter().all(is_valid) => entries.clone(),
        Some(_) | None => all(old).cloned().unwrap_or_default(),
    }
}

/// Whether an entry can be read: by whom, how, and which fields.
fn is_valid(entry: &Value) -> bool {
    let operation = entry.get("operation").and_then(Value::as_str);
    entry.get("manager").is_some_and(Value::is_string)
        && operation.is_some_and(|is| [UPDATE, APPLY].contains(&is))
        && set_of(entry).is_some()
}

/// Gives what an update changed to who changed it. The managed fields of `new` are set from those that it begins with.
pub(super) fn updated(old: &Value, new: &mut Value, by: Manager<'_>, shape: Shape<'_>) {
    let mut entries = brought(old, new, by);
    meta::set(new, "managedFields", None);
    let mut difference = compare_objects(old, new, shape);
    strip(&mut difference.changed);
    strip(&mut difference.removed);
    if difference.changed.is_empty() && difference.removed.is_empty() {
        put(new, entries);
        return;
    }
    let mut found = false;
    for entry in &mut entries {
        let own = by.is(entry, UPDATE);
        let Some(set) = set_of_mut(entry) else { continue };
        fields::subtract_trees(set, &difference.removed);
        if own {
            found = true;
            let before = set.clone();
            fields::unite(set, &difference.changed);
            // The time says when the set changed last.
            if *set != before
                && let Some(entry) = entry.as_object_mut()
            {
                entry.insert("time".to_owned(), by.now.into());
            }
        } else {
            fields::subtract(set, &difference.changed);
        }
    }
    if !found {
        entries.push(by.entry(UPDATE, difference.changed));
    }
    put(new, entries);
}

/// The difference of two objects without their managed fields.
fn compare_objects(old: &Value, new: &Value, shape: Shape<'_>) -> fields::Difference {
    let mut difference = fields::compare(old, new, shape).unwrap_or_default();
    for set in [&mut difference.changed, &mut difference.removed] {
        strip(set);
    }
    difference
}

/// Applies: what `wanted` lists becomes the manager's, what it no longer lists goes unless somebody else owns it. `live` is
/// an object without fields where it does not exist yet. Answers the conflicts, as `(owner, path)`, where it is not forced.
pub(super) fn apply(
    live: &Value,
    wanted: &Value,
    by: Manager<'_>,
    force: bool,
    shape: Shape<'_>,
) -> Result<Value, Vec<(String, String)>> {
    let mut merged = live.clone();
    let mut entries = entries(&mut merged);
    let mut set = fields::fields_of(wanted, shape);
    strip(&mut set);
    let before = merged.clone();
    fields::merge(&mut merged, wanted, shape);

    let own = entries.iter().position(|entry| by.is(entry, APPLY));
    if let Some(mut gone) = own.and_then(|own| set_of(entries.get(own)?).cloned()) {
        fields::subtract(&mut gone, &set);
        let mut kept = set.clone();
        for (at, entry) in entries.iter().enumerate() {
            if let (Some(theirs), true) = (set_of(entry), Some(at) != own) {
                fields::unite(&mut kept, theirs);
            }
        }
        fields::prune(&mut merged, &gone, &kept, shape);
    }

    let difference = compare_objects(&before, &merged, shape);
    let mut conflicts = Vec::new();
    for (at, entry) in entries.iter_mut().enumerate() {
        if Some(at) == own {
            continue;
        }
        let who = owner(entry);
        let Some(theirs) = set_of_mut(entry) else { continue };
        let clash = fields::intersect(theirs, &difference.changed);
        conflicts.extend(fields::paths(&clash).into_iter().map(|path| (who.clone(), path)));
        fields::subtract(theirs, &clash);
        fields::subtract_trees(theirs, &difference.removed);
    }
    if !force && !conflicts.is_empty() {
        return Err(conflicts);
    }
    match own.and_then(|own| entries.get_mut(own)) {
        // The time says when the set changed last.
        Some(entry) if set_of(entry) == Some(&set) => {}
        Some(entry) => *entry = by.entry(APPLY, set),
        None => entries.push(by.entry(APPLY, set)),
    }
    put(&mut merged, entries);
    Ok(merged)
}

fn owner(entry: &Value) -> String {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    let part = match text("subresource") {
        "" => String::new(),
        part => format!(" with subresource \"{part}\""),
    };
    format!("\"{}\"{part} using {}", text("manager"), text("apiVersion"))
}

/// Drops fields that are null: an apply configuration cannot ask for them.
pub(super) fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, part| !part.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The configuration that an applier may own through this path: all but the status, or nothing but the status.
pub(super) fn applicable(wanted: &Value, part: Option<Subresource>, has_status: bool) -> Value {
    let fields = wanted.as_object().into_iter().flatten();
    let of_status = part == Some(Subresource::Status);
    let kept: Map<String, Value> = fields
        .filter(|(key, _)| match key.as_str() {
            "apiVersion" | "kind" => true,
            "metadata" => !of_status,
            "status" => of_status || !has_status,
            _ => !of_status,
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Value::Object(kept)
}

/// The refusal for an applier without a name.
pub(super) fn nameless() -> Refusal {
    super::refuse::unprocessable(
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
            .to_owned(),
    )
}
