//! How objects are shown: plain, as metadata only, or as a table; one or many.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::call::{Answer, Call, Query};
use super::lean::Shown;
use super::resource::Resource;
use super::selector::Selector;
use super::server::ApiServer;
use super::{events, meta, refuse};
use crate::sandbox::objects::Refusal;

/// How somebody wants to see objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Plain,
    /// Metadata only.
    Partial,
    Table,
}

impl View {
    /// The first that the `Accept` header names and that is known; none where JSON is not among them.
    pub(super) fn of(accept: &str) -> Option<Self> {
        if accept.trim().is_empty() {
            return Some(Self::Plain);
        }
        accept.split(',').find_map(|one| {
            let mut parts = one.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default();
            if !matches!(media, "application/json" | "application/*" | "*/*") {
                return None;
            }
            match parts.find_map(|part| part.strip_prefix("as=")) {
                None => Some(Self::Plain),
                Some("Table") => Some(Self::Table),
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Some(Self::Partial),
                Some(_) => None,
            }
        })
    }
}

const JSON: &str = "application/json";

/// A response with a JSON body.
pub(super) fn answer(code: u16, body: &impl Serialize) -> Answer {
    // A `Value` always can be written: its keys are texts.
    Answer::Done { code, content_type: JSON, body: serde_json::to_vec(body).unwrap_or_default() }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    kind: String,
    api_version: &'a str,
    metadata: Value,
    items: Vec<Shown<'a>>,
}

/// An object as it is shown through a resource, without its view.
pub(super) fn face<'a>(resource: &Resource, object: &'a Value) -> Cow<'a, Value> {
    let api_version = super::resource::api_version(&resource.kind);
    if events::is_core_event(resource) {
        let mut event = object.clone();
        events::to_core(&mut event);
        return Cow::Owned(event);
    }
    if object.get("apiVersion").is_some_and(|version| version != api_version) {
        let mut other = object.clone();
        if let Some(fields) = other.as_object_mut() {
            fields.insert("apiVersion".to_owned(), api_version.into());
        }
        return Cow::Owned(other);
    }
    Cow::Borrowed(object)
}

fn partial(object: &Value) -> Value {
    json!({
        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
        "metadata": object.get("metadata").cloned().unwrap_or_default(),
    })
}

impl ApiServer {
    /// One object in the view that was asked for.
    pub(super) fn show<'a>(&self, view: View, resource: &Resource, object: &'a Value, query: &str) -> Cow<'a, Value> {
        let object = face(resource, object);
        match view {
            View::Plain => object,
            View::Partial => Cow::Owned(partial(&object)),
            View::Table => match self.table_of(resource, &[&object], query) {
                Some(mut table) => {
                    let version = meta::text(&object, "resourceVersion");
                    table_metadata(&mut table, json!({"resourceVersion": version}));
                    Cow::Owned(table)
                }
                None => object,
            },
        }
    }

    fn table_of(&self, resource: &Resource, items: &[&Value], query: &str) -> Option<Value> {
        self.present.as_ref()?.table(resource, items, query, self.now)
    }

    /// A list: selected, cut into pages, shown.
    pub(super) fn list_answer(
        &self,
        call: &Call,
        query: &Query,
        resource: &Arc<Resource>,
        namespace: &str,
        view: View,
    ) -> Result<Answer, Refusal> {
        let selector = Selector::parse(resource, query.get("labelSelector"), query.get("fieldSelector"))?;
        let asked = query.get("resourceVersion").parse().unwrap_or(0);
        if asked > self.version() {
            return Err(refuse::too_new(asked, self.version()));
        }
        let (version, after) = self.page(query.get("continue"))?;
        let limit = query.get("limit").parse::<usize>().ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let mut found = self.store.list(resource.shelf, namespace).filter(|(place, name, object)| {
            after.as_ref().is_none_or(|(last_place, last)| (*place, *name) > (last_place.as_str(), last.as_str()))
                && selector.matches(object)
        });
        let page: Vec<_> = found.by_ref().take(limit).collect();
        let left = found.count();
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if let (Some((place, name, _)), true, Some(metadata)) = (page.last(), left > 0, metadata.as_object_mut()) {
            metadata.insert("continue".to_owned(), format!("{version}/{place}/{name}").into());
            metadata.insert("remainingItemCount".to_owned(), left.into());
        }
        let items: Vec<Cow<'_, Value>> = page.iter().map(|(_, _, object)| face(resource, object)).collect();
        if view == View::Table {
            let rows: Vec<&Value> = items.iter().map(|item| &**item).collect();
            if let Some(mut table) = self.table_of(resource, &rows, &call.query) {
                table_metadata(&mut table, metadata);
                return Ok(answer(200, &table));
            }
        }
        if view == View::Partial {
            let items: Vec<Cow<'_, Value>> = items.iter().map(|item| Cow::Owned(partial(item))).collect();
            let kind = "PartialObjectMetadataList".to_owned();
            let items = self.shown(&items);
            return Ok(answer(200, &List { kind, api_version: "meta.k8s.io/v1", metadata, items }));
        }
        let kind = format!("{}List", resource.kind.kind);
        let api_version = super::resource::api_version(&resource.kind);
        Ok(answer(200, &List { kind, api_version, metadata, items: self.shown(&items) }))
    }

    fn shown<'a>(&self, items: &'a [Cow<'a, Value>]) -> Vec<Shown<'a>> {
        items.iter().map(|object| Shown { object, lean: self.lean }).collect()
    }

    /// A response with an object.
    pub(super) fn answer_with(&self, code: u16, object: &Value) -> Answer {
        answer(code, &Shown { object, lean: self.lean })
    }

    /// The version of a list and after whom it goes on.
    fn page(&self, token: &str) -> Result<(u64, Option<(String, String)>), Refusal> {
        if token.is_empty() {
            return Ok((self.version(), None));
        }
        let mut parts = token.splitn(3, '/');
        let version = parts.next().and_then(|version| version.parse::<u64>().ok());
        let (Some(version), Some(namespace), Some(name)) = (version, parts.next(), parts.next()) else {
            return Err(refuse::bad_request("continue key is not valid"));
        };
        if version < self.store.compacted() {
            let why = "The provided continue parameter is too old to display a consistent list result. You must start a \
                       new list without the continue parameter.";
            return Err(refuse::expired(why.to_owned()));
        }
        Ok((version, Some((namespace.to_owned(), name.to_owned()))))
    }
}

fn table_metadata(table: &mut Value, metadata: Value) {
    if let Some(table) = table.as_object_mut() {
        table.insert("metadata".to_owned(), metadata);
    }
}
