//! CustomResourceDefinitions: what they add to the table, and what their end takes along.

use std::sync::Arc;

use serde_json::{Value, json};

use super::delete::{INSTANCES, Options};
use super::meta;
use super::refuse;
use super::resource::{CRD, Resource, Subresource, custom, intern};
use super::seams::FieldError;
use super::server::ApiServer;
use super::write::Intent;
use crate::cluster::Kind;
use crate::sandbox::objects::Refusal;

fn strings(value: Option<&Value>) -> Vec<String> {
    let all = value.and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The served versions of a definition.
fn resources(crd: &Value, shelf: usize) -> Result<Vec<Resource>, FieldError> {
    let wrong = |field: &str| FieldError { field: field.to_owned(), message: "Required value".to_owned() };
    let text = |pointer: &str, field: &str| {
        crd.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or_else(|| wrong(field))
    };
    let (group, kind) = (text("/spec/group", "spec.group")?, text("/spec/names/kind", "spec.names.kind")?);
    let plural = text("/spec/names/plural", "spec.names.plural")?;
    if meta::text(crd, "name") != format!("{plural}.{group}") {
        let message =
            format!("Invalid value: \"{}\": must be spec.names.plural+\".\"+spec.group", meta::text(crd, "name"));
        return Err(FieldError { field: "metadata.name".to_owned(), message });
    }
    let names = crd.pointer("/spec/names");
    let named = |key: &str| names.and_then(|names| names.get(key));
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array).ok_or_else(|| wrong("spec.versions"))?;
    let mut all = Vec::new();
    for version in versions.iter().filter(|version| version.get("served").is_some_and(|served| served == true)) {
        let name = version.get("name").and_then(Value::as_str).ok_or_else(|| wrong("spec.versions[*].name"))?;
        let schema = version.pointer("/schema/openAPIV3Schema").ok_or_else(|| wrong("spec.versions[*].schema"))?;
        let part = |key: &str| version.get("subresources").and_then(|parts| parts.get(key)).is_some();
        let place = Kind::new(intern(group), intern(name), intern(kind), intern(plural));
        let singular = named("singular").and_then(Value::as_str).map_or_else(|| kind.to_lowercase(), str::to_owned);
        all.push(Resource {
            singular,
            short_names: strings(named("shortNames")),
            categories: strings(named("categories")),
            namespaced: crd.pointer("/spec/scope").is_none_or(|scope| scope != "Cluster"),
            subresources: if part("status") { vec![Subresource::Status] } else { Vec::new() },
            columns: version.get("additionalPrinterColumns").and_then(Value::as_array).cloned().unwrap_or_default(),
            ..custom(place, Arc::new(schema.clone()), shelf)
        });
    }
    Ok(all)
}

impl ApiServer {
    /// Serves what a definition defines; with `dry_run` it is only checked.
    pub(super) fn define(&mut self, crd: &Value, dry_run: bool) -> Result<(), Refusal> {
        let definitions = self.known(&CRD)?;
        let name = meta::text(crd, "name");
        let invalid = |error: FieldError| refuse::invalid(&definitions, name, &[error]);
        let stands = self.custom_shelf(crd);
        let shelf = stands.unwrap_or(0);
        let resources = resources(crd, shelf).map_err(invalid)?;
        if dry_run {
            return Ok(());
        }
        if let Some(schemas) = &mut self.schemas {
            let field = "spec.versions[0].schema.openAPIV3Schema".to_owned();
            schemas
                .install(crd)
                .map_err(|why| invalid(FieldError { field, message: format!("Invalid value: {why}") }))?;
        }
        let shelf = stands.unwrap_or_else(|| self.table.new_shelf());
        self.table.remove_shelf(shelf);
        for resource in resources {
            self.table.add(Resource { shelf, ..resource });
        }
        Ok(())
    }

    /// Says of a new definition that it is served, as the controllers of a real server do within moments.
    pub(super) fn establish(&mut self, intent: &Intent<'_>, stored: &Arc<Value>) -> Arc<Value> {
        if intent.resource.kind != CRD || intent.dry_run || stored.get("status").is_some() {
            return Arc::clone(stored);
        }
        let now = self.stamp();
        let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now});
        let mut crd = (**stored).clone();
        let versions: Vec<Value> = crd
            .pointer("/spec/versions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|version| version.get("storage").is_some_and(|storage| storage == true))
            .filter_map(|version| version.get("name").cloned())
            .collect();
        let status = json!({
            "acceptedNames": crd.pointer("/spec/names"),
            "storedVersions": versions,
            "conditions": [
                condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
            ],
        });
        if let Some(fields) = crd.as_object_mut() {
            fields.insert("status".to_owned(), status);
        }
        let name = meta::text(stored, "name");
        let stored = self.commit(&intent.resource, "", name, intent.user, Some("status"), Some(crd));
        stored.unwrap_or_default()
    }

    fn custom_shelf(&self, crd: &Value) -> Option<usize> {
        let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str);
        let (group, plural) = (text("/spec/group")?, text("/spec/names/plural")?);
        let row = self.table.rows().iter().find(|row| row.kind.group == group && row.kind.plural == plural)?;
        row.custom().then_some(row.shelf)
    }

    /// Deletes all objects of a definition that goes; it goes with the last of them.
    pub(super) fn delete_instances(&mut self, intent: &Intent<'_>, crd: &Value) -> Result<(), Refusal> {
        let Some(shelf) = self.custom_shelf(crd) else { return self.drop_definition(intent, crd) };
        let Some(resource) = self.table.rows().iter().find(|row| row.shelf == shelf).cloned() else { return Ok(()) };
        let all: Vec<(String, String)> =
            self.store.list(shelf, "").map(|(namespace, name, _)| (namespace.to_owned(), name.to_owned())).collect();
        for (namespace, name) in &all {
            let one = Intent { resource: Arc::clone(&resource), namespace, ..intent.clone() };
            if let Some(old) = self.store.get(shelf, namespace, name).cloned() {
                self.delete_found(&one, name, &old, &Options::default())?;
            }
        }
        if self.store.is_empty(shelf) { self.drop_definition(intent, crd) } else { Ok(()) }
    }

    fn drop_definition(&mut self, intent: &Intent<'_>, crd: &Value) -> Result<(), Refusal> {
        let definitions = self.known(&CRD)?;
        let name = meta::text(crd, "name").to_owned();
        let Some(stands) = self.store.get(definitions.shelf, "", &name).cloned() else { return Ok(()) };
        let left: Vec<&str> = meta::finalizers(&stands).filter(|finalizer| *finalizer != INSTANCES).collect();
        let mut last = (*stands).clone();
        meta::set(&mut last, "finalizers", (!left.is_empty()).then(|| json!(left)));
        if left.is_empty() {
            self.commit(&definitions, "", &name, intent.user, None, None);
            if let Some(shelf) = self.custom_shelf(&last) {
                self.table.remove_shelf(shelf);
            }
        } else {
            self.commit(&definitions, "", &name, intent.user, None, Some(last));
        }
        Ok(())
    }

    /// After an object is gone: a definition that waited for its last instance goes too.
    pub(super) fn undefine(&mut self, intent: &Intent<'_>, last: &Value) {
        let resource = &*intent.resource;
        if resource.kind == CRD {
            if let Some(shelf) = self.custom_shelf(last) {
                self.table.remove_shelf(shelf);
            }
            return;
        }
        if !resource.custom() || !self.store.is_empty(resource.shelf) {
            return;
        }
        let name = resource.group_resource();
        let definition = self.table.of(&CRD).and_then(|crds| self.store.get(crds.shelf, "", &name)).cloned();
        if let Some(definition) = definition.filter(|definition| meta::has(definition, "deletionTimestamp")) {
            // A definition that is there can be dropped.
            let _ = self.drop_definition(intent, &definition);
        }
    }
}
