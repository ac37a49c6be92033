//! A column: its heading and how its cell is read from an object.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::age;
use super::path::Path;
use crate::api::Time;

/// A column of a Table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    name: Cow<'static, str>,
    kind: Cow<'static, str>,
    format: Cow<'static, str>,
    description: Cow<'static, str>,
    /// 0 is always shown, more only by `-o wide`.
    priority: i64,
    cell: Cell,
}

#[derive(Debug, Clone)]
enum Cell {
    Of(fn(&Value, Time) -> Value),
    At(Path),
    /// A path that this sandbox cannot read.
    Unreadable,
}

impl Column {
    fn new(name: &'static str, kind: &'static str, priority: i64, cell: fn(&Value, Time) -> Value) -> Self {
        Self {
            name: Cow::Borrowed(name),
            kind: Cow::Borrowed(kind),
            format: Cow::Borrowed(""),
            description: Cow::Borrowed(""),
            priority,
            cell: Cell::Of(cell),
        }
    }

    /// A column of text.
    pub(super) fn text(name: &'static str, cell: fn(&Value, Time) -> Value) -> Self {
        Self::new(name, "string", 0, cell)
    }

    /// A column of whole numbers.
    pub(super) fn number(name: &'static str, cell: fn(&Value, Time) -> Value) -> Self {
        Self::new(name, "integer", 0, cell)
    }

    /// A column of text that only `-o wide` shows.
    pub(super) fn wide(name: &'static str, cell: fn(&Value, Time) -> Value) -> Self {
        Self::new(name, "string", 1, cell)
    }

    /// The name of the object: what `-o name` and completion look for.
    pub(super) fn name() -> Self {
        let mut column = Self::new("Name", "string", 0, |object, _| json!(object.pointer("/metadata/name")));
        column.format = Cow::Borrowed("name");
        column.description = Cow::Borrowed("Name must be unique within a namespace.");
        column
    }

    /// The same, shown only by `-o wide`.
    pub(super) fn wide_name() -> Self {
        let mut column = Self::name();
        column.priority = 1;
        column
    }

    /// The time since the creation.
    pub(super) fn age() -> Self {
        Self::text("Age", |object, now| json!(age::since(object.pointer("/metadata/creationTimestamp"), now)))
    }

    /// One of `additionalPrinterColumns`, as a CustomResourceDefinition has it.
    pub(super) fn custom(column: &Value) -> Self {
        let text = |key: &str| Cow::Owned(column[key].as_str().unwrap_or_default().to_owned());
        let path = column["jsonPath"].as_str().unwrap_or_default();
        let description = match column["description"].as_str() {
            Some(description) => description.to_owned(),
            None => format!("Custom resource definition column (in JSONPath format): {path}"),
        };
        Self {
            name: text("name"),
            kind: text("type"),
            format: text("format"),
            description: Cow::Owned(description),
            priority: column["priority"].as_i64().unwrap_or_default(),
            cell: Path::parse(path).map_or(Cell::Unreadable, Cell::At),
        }
    }

    /// `columnDefinitions` of a Table.
    pub(super) fn definition(&self) -> Value {
        json!({
            "name": self.name, "type": self.kind, "format": self.format, "description": self.description,
            "priority": self.priority,
        })
    }

    /// What it shows of an object.
    pub(super) fn cell(&self, object: &Value, now: Time) -> Value {
        match &self.cell {
            Cell::Of(cell) => cell(object, now),
            Cell::At(path) => path.first(object).map_or(Value::Null, |value| typed(&self.kind, value, now)),
            Cell::Unreadable => Value::Null,
        }
    }
}

/// A value as the API server puts it into a cell of that type; null where it does not fit.
fn typed(kind: &str, value: &Value, now: Time) -> Value {
    match (kind, value) {
        (_, Value::Null) => Value::Null,
        ("string", Value::String(_)) => value.clone(),
        ("string", other) => json!(other.to_string()),
        ("integer", Value::Number(number)) => {
            // Kubernetes truncates a fraction, too.
            #[expect(clippy::cast_possible_truncation, reason = "saturating, and only shown")]
            let whole = number.as_i64().or_else(|| number.as_f64().map(|number| number as i64));
            json!(whole)
        }
        ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => value.clone(),
        ("date", Value::String(_)) => json!(age::since(Some(value), now)),
        _ => Value::Null,
    }
}
