//! Tables: what `kubectl get` shows, made by the server. Columns belong here, and how a cell is read from an object; which
//! objects are shown, and what they are, does not.

mod age;
mod autoscaler;
mod cells;
mod column;
mod event;
mod path;
mod pods;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::api::Time;
use column::Column;

/// How much of each object goes along with its row (`includeObject`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// From the query parameter `includeObject`; what is not known is the default, the metadata.
    pub fn from_query(value: Option<&str>) -> Self {
        match value {
            Some("None") => Self::None,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// The columns of one kind, read once and used for many objects.
#[derive(Debug, Clone)]
pub struct Columns(Vec<Column>);

impl Columns {
    /// The columns of a kind. `printer` is `additionalPrinterColumns` of its CustomResourceDefinition, where it has one;
    /// an empty list there means the age, as with the API server.
    pub fn of(group: &str, kind: &str, printer: Option<&[Value]>) -> Self {
        let columns = match printer {
            Some([]) => vec![Column::name(), Column::age()],
            Some(printer) => std::iter::once(Column::name()).chain(printer.iter().map(Column::custom)).collect(),
            None => cells::built_in(group, kind).unwrap_or_else(cells::fallback),
        };
        Self(columns)
    }

    /// A `meta.k8s.io/v1` Table of these objects.
    ///
    /// `metadata` is that of the list, or the `resourceVersion` of the only object. A watch sends the headings (`headings`)
    /// with its first event only.
    pub fn table<'v>(
        &self,
        items: impl IntoIterator<Item = &'v Value>,
        metadata: &Value,
        include: Include,
        headings: bool,
        now: Time,
    ) -> Value {
        let definitions: Vec<_> = self.0.iter().filter(|_| headings).map(Column::definition).collect();
        let rows: Vec<_> = items.into_iter().map(|item| self.row(item, include, now)).collect();
        json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "columnDefinitions": definitions, "rows": rows,
        })
    }

    fn row(&self, item: &Value, include: Include, now: Time) -> Value {
        let cells: Vec<_> = self.0.iter().map(|column| column.cell(item, now)).collect();
        match include {
            Include::None => json!({"cells": cells}),
            Include::Metadata => json!({"cells": cells, "object": partial(item)}),
            Include::Object => json!({"cells": cells, "object": item}),
        }
    }
}

/// The metadata alone, as a `PartialObjectMetadata`.
pub fn partial(item: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]})
}
