//! Bodies in Kubernetes' protobuf encoding: some clients (kubectl's `create` and `auth`, since 1.36) send nothing else for
//! built-in kinds.
//!
//! Here belongs the way from such a body to JSON; answers are JSON always, as the `Accept` of those clients allows. The
//! fields stand in `fields.txt`, which `make-fields` writes.

mod decode;
mod read;
mod special;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

/// The media type of such bodies.
pub(super) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// What every body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// The object in a body, as JSON; none for a kind that is not in the table, and so not served either. The error says what is
/// wrong with the body.
pub(super) fn to_json(body: &[u8]) -> Result<Option<Value>, String> {
    let envelope = body.strip_prefix(MAGIC).ok_or("the body does not begin as protobuf of Kubernetes does")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in read::fields(envelope) {
        match field? {
            (1, read::Wire::Bytes(type_meta)) => {
                for field in read::fields(type_meta) {
                    match field? {
                        (1, read::Wire::Bytes(text)) => api_version = read::text(text)?,
                        (2, read::Wire::Bytes(text)) => kind = read::text(text)?,
                        _ => {}
                    }
                }
            }
            (2, read::Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let message = message(&api_version, &kind);
    let Some(known) = MESSAGES.get(message.as_str()) else { return Ok(None) };
    let mut object = decode::object(known, raw, 0)?;
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    Ok(Some(Value::Object(object)))
}

/// `apps/v1 Deployment` is `apps.v1.Deployment`, `v1 Pod` is `core.v1.Pod`.
fn message(api_version: &str, kind: &str) -> String {
    if kind == "DeleteOptions" {
        return "meta.v1.DeleteOptions".to_owned();
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    format!("{}.{version}.{kind}", group.split('.').next().unwrap_or(group))
}

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    /// An element of a list.
    Repeated,
    /// An entry of a map by text.
    Entry,
    /// A message whose fields are those of its parent.
    Inline,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Bool,
    Bytes,
    Message(&'static str),
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
struct Field {
    number: u64,
    name: &'static str,
    shape: Shape,
    kind: Kind,
    /// Go writes it always, and JSON leaves it out where it is zero.
    drops_zero: bool,
}

type Messages = BTreeMap<&'static str, Vec<Field>>;

static MESSAGES: LazyLock<Messages> = LazyLock::new(|| {
    let lines = include_str!("fields.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.filter_map(field).collect()))
        })
        .collect()
});

/// `3:command:*s`
fn field(word: &'static str) -> Option<Field> {
    let mut parts = word.splitn(3, ':');
    let (number, name, kind) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
    let (kind, drops_zero) = kind.strip_suffix('?').map_or((kind, false), |kind| (kind, true));
    let (shape, kind) = match (name, kind.chars().next()?) {
        ("<", _) => (Shape::Inline, kind),
        (_, '*') => (Shape::Repeated, kind.get(1..)?),
        (_, '%') => (Shape::Entry, kind.get(1..)?),
        _ => (Shape::One, kind),
    };
    let kind = match kind {
        "s" => Kind::Text,
        "i" => Kind::Integer,
        "b" => Kind::Bool,
        "y" => Kind::Bytes,
        message => Kind::Message(message),
    };
    Some(Field { number, name, shape, kind, drops_zero })
}
