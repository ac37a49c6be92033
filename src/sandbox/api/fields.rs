//! Sets of fields, in the form in which `managedFields` shows them (`fieldsV1`), and what can be done with them.
//!
//! A node is a member where it is empty or holds `"."`; its other keys are its children: `f:<field>`, `k:{<keys of an item>}`,
//! `v:<value of an item>`.

use serde_json::{Map, Value};

use super::shape::{Grain, Shape, default_key};

/// A set of fields.
pub(super) type Set = Map<String, Value>;

const SELF: &str = ".";

fn is_member(node: &Set) -> bool {
    node.is_empty() || node.contains_key(SELF)
}

fn children(node: &Set) -> impl Iterator<Item = (&String, &Set)> {
    node.iter().filter(|(key, _)| *key != SELF).filter_map(|(key, node)| Some((key, node.as_object()?)))
}

fn leaf() -> Value {
    Value::Object(Map::new())
}

/// The key of a list's item among the fields.
pub(super) fn item_key(item: &Value, keys: &[&str]) -> String {
    let values: Map<String, Value> = keys
        .iter()
        .map(|&key| (key.to_owned(), item.get(key).cloned().unwrap_or_else(|| default_key(key))))
        .filter(|(_, value)| !value.is_null())
        .collect();
    format!("k:{}", Value::Object(values))
}

fn value_key(item: &Value) -> String {
    format!("v:{item}")
}

/// The parts of a value with their keys and shapes; none where it is taken as a whole.
fn parts<'v>(value: &'v Value, shape: Shape<'v>) -> Option<Vec<(String, &'v Value, Shape<'v>)>> {
    let items = || value.as_array().into_iter().flatten();
    Some(match shape.grain(value) {
        Grain::Leaf => return None,
        Grain::Map => {
            let fields = value.as_object().into_iter().flatten();
            fields.map(|(key, part)| (format!("f:{key}"), part, shape.field(key))).collect()
        }
        Grain::List(keys) => items().map(|item| (item_key(item, &keys), item, shape.item())).collect(),
        Grain::Set => items().map(|item| (value_key(item), item, Shape::Free)).collect(),
    })
}

/// The fields of a value, which itself is no member unless it is taken as a whole.
pub(super) fn fields_of(value: &Value, shape: Shape<'_>) -> Set {
    let mut set = Set::new();
    for (key, part, shape) in parts(value, shape).unwrap_or_default() {
        let mut node = if key.starts_with("v:") { Set::new() } else { fields_of(part, shape) };
        if key.starts_with("k:") && !node.is_empty() {
            node.insert(SELF.to_owned(), leaf());
        }
        set.insert(key, Value::Object(node));
    }
    set
}

/// What differs: fields that are new or have another value, and fields that are gone (as a whole: without their parts).
#[derive(Default)]
pub(super) struct Difference {
    pub(super) changed: Set,
    pub(super) removed: Set,
}

/// From one value to another; none where they do not differ in parts but as a whole.
pub(super) fn compare(old: &Value, new: &Value, shape: Shape<'_>) -> Option<Difference> {
    let mut difference = Difference::default();
    if old == new {
        return Some(difference);
    }
    // An empty map or list has the grain of what it is compared with.
    let grain = if is_hollow(new) { shape.grain(old) } else { shape.grain(new) };
    let same = is_hollow(old) || shape.grain(old) == grain;
    if !same || grain == Grain::Leaf || old.is_object() != new.is_object() || old.is_array() != new.is_array() {
        return None;
    }
    if let (Value::Object(before), Value::Object(after), Grain::Map) = (old, new, &grain) {
        // By far the most frequent case, and the one where equal parts are cheap to skip.
        for (key, now) in after {
            match before.get(key) {
                Some(was) if was == now => {}
                was => difference.add(&format!("f:{key}"), was, Some(now), shape.field(key)),
            }
        }
        for (key, was) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
            difference.add(&format!("f:{key}"), Some(was), None, shape.field(key));
        }
        return Some(difference);
    }
    let (before, after) = (parts(old, shape).unwrap_or_default(), parts(new, shape).unwrap_or_default());
    for (key, now, shape) in &after {
        let was = before.iter().find(|(other, ..)| other == key).map(|(_, was, _)| *was);
        difference.add(key, was, Some(now), *shape);
    }
    for (key, was, shape) in before.iter().filter(|(key, ..)| !after.iter().any(|(other, ..)| other == key)) {
        difference.add(key, Some(was), None, *shape);
    }
    Some(difference)
}

impl Difference {
    fn add(&mut self, key: &str, was: Option<&Value>, now: Option<&Value>, shape: Shape<'_>) {
        match (was, now) {
            (Some(was), Some(now)) if was == now => {}
            (Some(was), Some(now)) => match compare(was, now, shape) {
                Some(inner) => {
                    for (set, part) in [(&mut self.changed, inner.changed), (&mut self.removed, inner.removed)] {
                        if !part.is_empty() {
                            set.insert(key.to_owned(), Value::Object(part));
                        }
                    }
                }
                None => {
                    self.removed.insert(key.to_owned(), leaf());
                    self.changed.insert(key.to_owned(), Value::Object(new_part(key, now, shape)));
                }
            },
            (None, Some(now)) => drop(self.changed.insert(key.to_owned(), Value::Object(new_part(key, now, shape)))),
            (_, None) => drop(self.removed.insert(key.to_owned(), leaf())),
        }
    }
}

fn new_part(key: &str, now: &Value, shape: Shape<'_>) -> Set {
    let mut node = if key.starts_with("v:") { Set::new() } else { fields_of(now, shape) };
    if !node.is_empty() {
        node.insert(SELF.to_owned(), leaf());
    }
    node
}

/// Adds the members of `more`.
pub(super) fn unite(set: &mut Set, more: &Set) {
    for (key, theirs) in children(more) {
        match set.get_mut(key).and_then(Value::as_object_mut) {
            None => drop(set.insert(key.clone(), Value::Object(theirs.clone()))),
            Some(ours) => {
                let member = is_member(ours) || is_member(theirs);
                unite(ours, theirs);
                mark(ours, member);
            }
        }
    }
}

/// Makes a node a member, or not; a node without children is one by its emptiness.
fn mark(node: &mut Set, member: bool) {
    node.remove(SELF);
    if member && !node.is_empty() {
        node.insert(SELF.to_owned(), leaf());
    }
}

/// Takes the members of `less` away.
pub(super) fn subtract(set: &mut Set, less: &Set) {
    remove(set, less, false);
}

/// Takes the members of `less` away, each with all that is below it.
pub(super) fn subtract_trees(set: &mut Set, less: &Set) {
    remove(set, less, true);
}

fn remove(set: &mut Set, less: &Set, trees: bool) {
    for (key, theirs) in children(less) {
        let Some(ours) = set.get_mut(key).and_then(Value::as_object_mut) else { continue };
        let member = is_member(ours) && !is_member(theirs);
        if trees && is_member(theirs) {
            ours.clear();
        } else {
            remove(ours, theirs, trees);
            mark(ours, member);
        }
        if ours.is_empty() && !member {
            set.remove(key);
        }
    }
}

/// The members that are in both.
pub(super) fn intersect(one: &Set, other: &Set) -> Set {
    let mut both = Set::new();
    for (key, ours) in children(one) {
        let Some(theirs) = other.get(key).and_then(Value::as_object) else { continue };
        let member = is_member(ours) && is_member(theirs);
        let mut node = intersect(ours, theirs);
        if member || !node.is_empty() {
            mark(&mut node, member);
            both.insert(key.clone(), Value::Object(node));
        }
    }
    both
}

/// The members, as `.spec.template.spec.containers[name="app"].image`.
pub(super) fn paths(set: &Set) -> Vec<String> {
    let mut all = Vec::new();
    collect(set, "", &mut all);
    all
}

fn collect(set: &Set, above: &str, all: &mut Vec<String>) {
    for (key, node) in children(set) {
        let path = match key.split_at_checked(2) {
            Some(("f:", field)) => format!("{above}.{field}"),
            Some(("k:", keys)) => format!("{above}[{}]", key_text(keys)),
            Some(("v:", value)) => format!("{above}[={value}]"),
            _ => format!("{above}{key}"),
        };
        if is_member(node) {
            all.push(path.clone());
        }
        collect(node, &path, all);
    }
}

fn key_text(keys: &str) -> String {
    let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
    keys.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// Merges what an applier wants into what stands.
pub(super) fn merge(live: &mut Value, wanted: &Value, shape: Shape<'_>) {
    let grain = shape.grain(wanted);
    match (&mut *live, wanted, grain) {
        (Value::Object(live), Value::Object(wanted), Grain::Map) => {
            for (key, part) in wanted {
                match live.get_mut(key) {
                    Some(stands) => merge(stands, part, shape.field(key)),
                    None => drop(live.insert(key.clone(), part.clone())),
                }
            }
        }
        // An empty map asks for no more than that it is there, unless it is one value.
        (Value::Object(_), Value::Object(wanted), Grain::Leaf) if wanted.is_empty() && !shape.is_atomic() => {}
        (Value::Array(live), Value::Array(wanted), Grain::List(keys)) => {
            for item in wanted {
                let key = item_key(item, &keys);
                match live.iter_mut().find(|stands| item_key(stands, &keys) == key) {
                    Some(stands) => merge(stands, item, shape.item()),
                    None => live.push(item.clone()),
                }
            }
        }
        (Value::Array(live), Value::Array(wanted), Grain::Set) => {
            for item in wanted {
                if !live.contains(item) {
                    live.push(item.clone());
                }
            }
        }
        (live, wanted, _) => *live = wanted.clone(),
    }
}

/// Removes the members of `gone`, unless `kept` has them or something below them.
pub(super) fn prune(value: &mut Value, gone: &Set, kept: &Set, shape: Shape<'_>) {
    let none = Set::new();
    let grain = shape.grain(value);
    for (key, node) in children(gone) {
        let keep = kept.get(key).and_then(Value::as_object);
        let whole = is_member(node) && keep.is_none();
        let keep = keep.unwrap_or(&none);
        match (&grain, &mut *value) {
            (Grain::Map, Value::Object(fields)) => {
                let Some(name) = key.strip_prefix("f:") else { continue };
                if whole {
                    fields.remove(name);
                } else if let Some(part) = fields.get_mut(name) {
                    prune(part, node, keep, shape.field(name));
                    if is_hollow(part) && !kept.contains_key(key) {
                        fields.remove(name);
                    }
                }
            }
            (Grain::List(keys), Value::Array(items)) => {
                if whole {
                    items.retain(|item| item_key(item, keys) != *key);
                } else if let Some(item) = items.iter_mut().find(|item| item_key(item, keys) == *key) {
                    prune_item(item, node, keep, keys, shape.item());
                }
            }
            (Grain::Set, Value::Array(items)) if whole => items.retain(|item| value_key(item) != *key),
            _ => {}
        }
    }
}

/// The keys stay as long as the item does.
fn prune_item(item: &mut Value, gone: &Set, kept: &Set, keys: &[&str], shape: Shape<'_>) {
    let mut gone = gone.clone();
    for key in keys {
        gone.remove(&format!("f:{key}"));
    }
    prune(item, &gone, kept, shape);
}

fn is_hollow(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}
