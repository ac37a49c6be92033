//! Label and field selectors.

use serde_json::Value;

use super::meta;
use super::refuse;
use super::resource::Resource;
use crate::sandbox::objects::Refusal;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

/// Which objects are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    /// `(pointer of the field, its value, whether it has to be equal)`.
    fields: Vec<(String, String, bool)>,
}

impl Selector {
    pub(super) fn parse(resource: &Resource, labels: &str, fields: &str) -> Result<Self, Refusal> {
        Ok(Self { labels: parse_labels(labels)?, fields: parse_fields(resource, fields)? })
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        self.labels.iter().all(|requirement| requirement.holds(object))
            && self.fields.iter().all(|(pointer, value, equal)| (field(object, pointer) == *value) == *equal)
    }
}

impl Requirement {
    fn holds(&self, object: &Value) -> bool {
        let labels = meta::metadata(object).and_then(|metadata| metadata.get("labels"));
        let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        let within = |key: &str, values: &[String]| label(key).is_some_and(|is| values.iter().any(|value| value == is));
        match self {
            Self::In(key, values) => within(key, values),
            Self::NotIn(key, values) => !within(key, values),
            Self::Exists(key) => label(key).is_some(),
            Self::Missing(key) => label(key).is_none(),
        }
    }
}

fn field(object: &Value, pointer: &str) -> String {
    match object.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, Refusal> {
    let mut all = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = end_of_requirement(rest);
        let (one, after) = rest.split_at(end);
        all.push(parse_requirement(one.trim()).ok_or_else(|| {
            refuse::bad_request(format!("unable to parse requirement: found '{}' in label selector", one.trim()))
        })?);
        rest = after.trim_start_matches(',').trim_start();
    }
    Ok(all)
}

/// The next comma that is not within brackets.
fn end_of_requirement(text: &str) -> usize {
    let mut depth = 0_u32;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn parse_requirement(text: &str) -> Option<Requirement> {
    if let Some((key, values)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let (key, word) = key.trim().rsplit_once(char::is_whitespace)?;
        let key = name(key)?;
        return match word {
            "in" => Some(Requirement::In(key, values)),
            "notin" => Some(Requirement::NotIn(key, values)),
            _ => None,
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Requirement::NotIn(name(key)?, vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = text.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value).trim().to_owned();
        return Some(Requirement::In(name(key)?, vec![value]));
    }
    match text.strip_prefix('!') {
        Some(key) => Some(Requirement::Missing(name(key)?)),
        None => Some(Requirement::Exists(name(text)?)),
    }
}

fn name(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '/');
    (!text.is_empty() && text.chars().all(fits)).then(|| text.to_owned())
}

/// What each built-in kind can be selected by, beside name and namespace; prefixes end in a dot.
const SELECTABLE: &[(&str, &[&str])] = &[
    (
        "Pod",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
        ],
    ),
    ("Namespace", &["status.phase"]),
    ("ReplicaSet", &["status.replicas"]),
    ("Secret", &["type"]),
    (
        "Event",
        &["involvedObject.", "regarding.", "reason", "type", "reportingComponent", "reportingController", "source"],
    ),
];

fn parse_fields(resource: &Resource, text: &str) -> Result<Vec<(String, String, bool)>, Refusal> {
    let mut all = Vec::new();
    for one in text.split(',').filter(|one| !one.trim().is_empty()) {
        let (key, value, equal) = if let Some((key, value)) = one.split_once("!=") {
            (key, value, false)
        } else if let Some((key, value)) = one.split_once('=') {
            (key, value.strip_prefix('=').unwrap_or(value), true)
        } else {
            return Err(refuse::bad_request(format!("invalid field selector: {one}")));
        };
        let key = key.trim();
        let general = matches!(key, "metadata.name" | "metadata.namespace");
        let known = !resource.custom()
            && SELECTABLE.iter().filter(|(kind, _)| *kind == resource.kind.kind).any(|(_, keys)| {
                keys.iter().any(|known| key == *known || (known.ends_with('.') && key.starts_with(known)))
            });
        if !general && !known {
            return Err(refuse::bad_request(format!("field label not supported: {key}")));
        }
        // Events are kept as of events.k8s.io/v1.
        let key = if let Some(rest) = key.strip_prefix("involvedObject.") {
            format!("regarding.{rest}")
        } else {
            match key {
                "reportingComponent" => "reportingController".to_owned(),
                "source" => "deprecatedSource.component".to_owned(),
                other => other.to_owned(),
            }
        };
        all.push((format!("/{}", key.replace('.', "/")), value.trim().to_owned(), equal));
    }
    Ok(all)
}
