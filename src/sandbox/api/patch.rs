//! Patches: JSON, merge, strategic merge, apply.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::{Call, Query};
use super::resource::Subresource;
use super::server::ApiServer;
use super::shape::Shape;
use super::write::{Intent, Ownership};
use super::{decode, events, list, managed, meta, refuse, scale, strategic};
use crate::sandbox::objects::Refusal;

const APPLY: [&str; 2] = ["application/apply-patch+yaml", "application/apply-patch+json"];
const KNOWN: &str = "application/json-patch+json, application/merge-patch+json, \
                     application/strategic-merge-patch+json, application/apply-patch+yaml";

impl ApiServer {
    /// Patches an object; answers whether it was made, and the object.
    pub(super) fn patch(
        &mut self,
        intent: &Intent<'_>,
        name: &str,
        call: &Call,
        query: &Query,
    ) -> Result<(bool, Arc<Value>), Refusal> {
        let media = call.content_type.split(';').next().unwrap_or_default().trim();
        if APPLY.contains(&media) {
            return self.apply(intent, name, call, query);
        }
        let resource = &*intent.resource;
        let old = self.store.get(resource.shelf, intent.namespace, name).cloned();
        let old = old.ok_or_else(|| refuse::not_found(resource, name))?;
        let scaling = intent.subresource == Some(Subresource::Scale);
        let mut new = if scaling { scale::of(&old) } else { list::face(resource, &old).into_owned() };
        match media {
            "application/json-patch+json" => json_patch(&mut new, &call.body)?,
            "application/merge-patch+json" => json_patch::merge(&mut new, &patch_object(&call.body)?),
            "application/strategic-merge-patch+json" if !resource.custom() => {
                let shape = if scaling { Shape::Free } else { Shape::of(resource) };
                strategic::merge(&mut new, patch_object(&call.body)?, shape).map_err(refuse::bad_request)?;
            }
            other => return Err(refuse::unsupported_media(other, KNOWN)),
        }
        let changed = if scaling {
            self.scale(intent, name, &old, new)?
        } else {
            self.change_object(intent, name, &old, new, Ownership::Update)?
        };
        Ok((false, changed))
    }

    fn apply(
        &mut self,
        intent: &Intent<'_>,
        name: &str,
        call: &Call,
        query: &Query,
    ) -> Result<(bool, Arc<Value>), Refusal> {
        let resource = Arc::clone(&intent.resource);
        if query.get("fieldManager").is_empty() {
            return Err(managed::nameless());
        }
        let mut wanted = decode::body("application/apply-patch+yaml", &call.body)?;
        managed::without_nulls(&mut wanted);
        let old = self.store.get(resource.shelf, intent.namespace, name).cloned();
        if intent.subresource == Some(Subresource::Scale) {
            let old = old.ok_or_else(|| refuse::not_found(&resource, name))?;
            return Ok((false, self.scale(intent, name, &old, wanted)?));
        }
        let mut wanted = decode::object(&resource, wanted)?;
        if meta::has(&wanted, "managedFields") {
            return Err(refuse::bad_request("metadata.managedFields must be nil"));
        }
        let named = meta::text(&wanted, "name");
        if !named.is_empty() && named != name {
            let why = format!("the name of the object ({named}) does not match the name on the URL ({name})");
            return Err(refuse::bad_request(why));
        }
        if events::is_core_event(&resource) {
            events::to_kept(&mut wanted);
        }
        if old.is_none() && (intent.subresource.is_some() || !meta::text(&wanted, "resourceVersion").is_empty()) {
            return Err(refuse::not_found(&resource, name));
        }
        let has_status = resource.has(Subresource::Status);
        // What it may own is cut to the path; its preconditions stay.
        let mut own = managed::applicable(&wanted, intent.subresource, has_status);
        let base =
            json!({"apiVersion": wanted.get("apiVersion"), "kind": wanted.get("kind"), "metadata": {"name": name}});
        let live = old.as_deref().unwrap_or(&base);
        for key in ["resourceVersion", "uid"] {
            let asked = meta::text(&wanted, key);
            if !asked.is_empty() && asked != meta::text(live, key) {
                return Err(refuse::modified(&resource, name));
            }
        }
        for key in ["uid", "resourceVersion", "creationTimestamp", "generation", "deletionTimestamp"] {
            meta::set(&mut own, key, None);
        }
        let now = self.stamp();
        let by = managed::Manager {
            name: intent.manager,
            api_version: super::resource::api_version(&resource.kind),
            subresource: intent.subresource,
            now: &now,
        };
        let merged = managed::apply(live, &own, by, query.is("force"), Shape::of(&resource))
            .map_err(|conflicts| refuse::apply_conflict(&conflicts))?;
        let made = old.is_none();
        let object = match old {
            None => self.create_object(intent, back(merged, &resource), Ownership::Applied)?,
            Some(old) => self.change_object(intent, name, &old, back(merged, &resource), Ownership::Applied)?,
        };
        Ok((made, object))
    }
}

/// In the form in which the resource shows it, as the write expects it.
fn back(object: Value, resource: &super::Resource) -> Value {
    if events::is_core_event(resource) { list::face(resource, &object).into_owned() } else { object }
}

fn patch_object(body: &[u8]) -> Result<Value, Refusal> {
    let patch = decode::json(body)?;
    if patch.is_object() { Ok(patch) } else { Err(refuse::bad_request("a merge patch has to be an object")) }
}

fn json_patch(object: &mut Value, body: &[u8]) -> Result<(), Refusal> {
    let patch: json_patch::Patch =
        serde_json::from_slice(body).map_err(|why| refuse::bad_request(format!("error decoding patch: {why}")))?;
    json_patch::patch(object, &patch).map_err(|why| {
        refuse::unprocessable(format!("the server rejected our request due to an error in our request: {why}"))
    })
}
