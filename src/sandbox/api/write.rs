//! The order of a write: decode, place, default, own, admit, validate, store.

use std::sync::Arc;

use serde_json::Value;

use super::access::AccessCheck;
use super::resource::{CRD, NAMESPACE, Resource, Subresource};
use super::seams::{Operation, Review};
use super::server::ApiServer;
use super::shape::Shape;
use super::strategy::{all_but_status, is_finished, only, preconditions, raise_generation, wants_other};
use super::{decode, defaults, events, managed, meta, refuse, validate};
use crate::sandbox::objects::Refusal;
use crate::sandbox::user::User;

/// Who wants to write where, and how.
#[derive(Clone)]
pub(super) struct Intent<'a> {
    pub(super) user: &'a User,
    pub(super) resource: Arc<Resource>,
    /// Empty for what has none.
    pub(super) namespace: &'a str,
    pub(super) subresource: Option<Subresource>,
    /// The field manager.
    pub(super) manager: &'a str,
    pub(super) dry_run: bool,
    /// Whether unknown fields are refused.
    pub(super) strict: bool,
}

/// Who keeps the managed fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    /// The write, by what it changes.
    Update,
    /// They are in the object already: it was applied.
    Applied,
    /// The write, and admission was asked already: a scale.
    Admitted,
}

impl ApiServer {
    /// Creates an object.
    pub(super) fn create_object(
        &mut self,
        intent: &Intent<'_>,
        object: Value,
        ownership: Ownership,
    ) -> Result<Arc<Value>, Refusal> {
        let resource = &*intent.resource;
        let mut object = self.read(intent, object)?;
        if !meta::text(&object, "resourceVersion").is_empty() {
            return Err(refuse::bad_request("resourceVersion should not be set on objects to be created"));
        }
        if meta::text(&object, "name").is_empty() && !meta::text(&object, "generateName").is_empty() {
            let name = format!("{}{}", meta::text(&object, "generateName"), self.suffix());
            meta::set(&mut object, "name", Some(name.into()));
        }
        let name = meta::text(&object, "name").to_owned();
        self.home(intent, &name)?;
        for key in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"] {
            meta::set(&mut object, key, None);
        }
        self.identify(&mut object);
        if resource.generation {
            meta::set(&mut object, "generation", Some(1.into()));
        }
        if resource.has(Subresource::Status)
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        self.default(intent, &mut object, None);
        if ownership == Ownership::Update {
            let now = self.stamp();
            managed::created(&mut object, self.manager(intent, &now), Shape::of(resource));
        }
        let object = self.admit(intent, Operation::Create, &name, object, None)?;
        self.check(resource, &name, &object, None)?;
        if self.store.get(resource.shelf, intent.namespace, &name).is_some() {
            return Err(refuse::exists(resource, &name));
        }
        self.has_room(resource, intent.namespace, &name)?;
        if resource.kind == CRD {
            self.define(&object, intent.dry_run)?;
        }
        self.finish(intent, &name, object)
    }

    /// Changes an object, or through a subresource a part of it. `new` is the whole object as it is wanted.
    pub(super) fn change_object(
        &mut self,
        intent: &Intent<'_>,
        name: &str,
        old: &Arc<Value>,
        new: Value,
        ownership: Ownership,
    ) -> Result<Arc<Value>, Refusal> {
        let resource = &*intent.resource;
        let new = self.read(intent, new)?;
        preconditions(resource, name, old, &new)?;
        let mut new = match intent.subresource {
            Some(part @ (Subresource::Status | Subresource::Finalize)) => only(resource, part, old, new),
            Some(Subresource::Scale | Subresource::Eviction) | None => all_but_status(resource, old, new),
        };
        self.default(intent, &mut new, Some(old));
        if ownership != Ownership::Applied {
            let now = self.stamp();
            managed::updated(old, &mut new, self.manager(intent, &now), Shape::of(resource));
        }
        if ownership != Ownership::Admitted {
            new = self.admit(intent, Operation::Update, name, new, Some(old))?;
        }
        self.check(resource, name, &new, Some(old))?;
        if new == **old {
            return Ok(Arc::clone(old));
        }
        if resource.generation && intent.subresource != Some(Subresource::Status) && wants_other(old, &new) {
            raise_generation(&mut new);
        }
        if resource.kind == CRD && intent.subresource.is_none() {
            self.define(&new, intent.dry_run)?;
        }
        if is_finished(resource, &new) {
            return Ok(self.remove(intent, name, new));
        }
        self.finish(intent, name, new)
    }

    /// An object of the right kind, in its place, in the form in which it is kept.
    fn read(&self, intent: &Intent<'_>, object: Value) -> Result<Value, Refusal> {
        let resource = &*intent.resource;
        let mut object = decode::object(resource, object)?;
        if events::is_core_event(resource) {
            events::to_kept(&mut object);
        }
        let namespace = meta::text(&object, "namespace");
        if resource.namespaced && namespace.is_empty() {
            meta::set(&mut object, "namespace", Some(intent.namespace.into()));
        } else if namespace != intent.namespace {
            let why = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(refuse::bad_request(why));
        }
        if intent.strict
            && resource.custom()
            && let Some(schemas) = &self.schemas
        {
            let unknown = schemas.unknown_fields(resource.kind.group, resource.kind.kind, &object);
            if !unknown.is_empty() {
                let all: Vec<_> = unknown.iter().map(|field| format!("unknown field \"{field}\"")).collect();
                let kind = resource.kind;
                return Err(refuse::bad_request(format!(
                    "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
                    kind.kind,
                    kind.version,
                    kind.kind,
                    all.join(", ")
                )));
            }
        }
        Ok(object)
    }

    /// Whether something new may be put into the namespace.
    fn home(&self, intent: &Intent<'_>, name: &str) -> Result<(), Refusal> {
        if !intent.resource.namespaced {
            return Ok(());
        }
        let namespaces = self.known(&NAMESPACE)?;
        let Some(home) = self.store.get(namespaces.shelf, "", intent.namespace) else {
            return Err(refuse::not_found(&namespaces, intent.namespace));
        };
        // What only tells of the end may still be written.
        if meta::has(home, "deletionTimestamp") && intent.resource.kind.kind != "Event" {
            return Err(refuse::terminating(&intent.resource, name, intent.namespace));
        }
        Ok(())
    }

    fn default(&mut self, intent: &Intent<'_>, object: &mut Value, old: Option<&Value>) {
        let resource = &*intent.resource;
        if resource.custom() {
            if let Some(schemas) = &self.schemas {
                schemas.default_and_prune(resource.kind.group, resource.kind.kind, object);
            }
            return;
        }
        managed::without_nulls(object);
        defaults::set(resource, object, old, || self.address());
    }

    fn manager<'a>(&self, intent: &'a Intent<'_>, now: &'a str) -> managed::Manager<'a> {
        managed::Manager {
            name: intent.manager,
            api_version: super::resource::api_version(&intent.resource.kind),
            subresource: intent.subresource,
            now,
        }
    }

    /// Asks admission; what it changed is put into shape again.
    pub(super) fn admit(
        &mut self,
        intent: &Intent<'_>,
        operation: Operation,
        name: &str,
        object: Value,
        old: Option<&Value>,
    ) -> Result<Value, Refusal> {
        match self.ask(intent, operation, name, Some(&object), old)? {
            None => Ok(object),
            Some(mut changed) => {
                self.default(intent, &mut changed, old);
                Ok(changed)
            }
        }
    }

    /// Asks admission.
    pub(super) fn ask(
        &self,
        intent: &Intent<'_>,
        operation: Operation,
        name: &str,
        object: Option<&Value>,
        old: Option<&Value>,
    ) -> Result<Option<Value>, Refusal> {
        let Some(admission) = &self.admission else { return Ok(None) };
        let kind = intent.resource.kind;
        admission.admit(Review {
            operation,
            group: kind.group,
            version: kind.version,
            resource: kind.plural,
            subresource: intent.subresource.map(Subresource::as_str),
            user: intent.user,
            namespace: intent.namespace,
            name,
            object,
            old,
            dry_run: intent.dry_run,
            may: &|check: &AccessCheck<'_>| self.access.allows(intent.user, check),
        })
    }

    fn check(&self, resource: &Resource, name: &str, object: &Value, old: Option<&Value>) -> Result<(), Refusal> {
        let mut errors = validate::object(resource, object, old);
        if resource.custom()
            && let Some(schemas) = &self.schemas
        {
            errors.extend(schemas.validate(resource.kind.group, resource.kind.kind, object, old));
        }
        if errors.is_empty() { Ok(()) } else { Err(refuse::invalid(resource, name, &errors)) }
    }

    /// Stores, unless it was only asked what would be.
    pub(super) fn finish(&mut self, intent: &Intent<'_>, name: &str, object: Value) -> Result<Arc<Value>, Refusal> {
        if intent.dry_run {
            return Ok(Arc::new(object));
        }
        let part = intent.subresource.map(Subresource::as_str);
        let stored = self.commit(&intent.resource, intent.namespace, name, intent.user, part, Some(object));
        Ok(stored.unwrap_or_default())
    }

    /// Removes an object; answers its last state.
    pub(super) fn remove(&mut self, intent: &Intent<'_>, name: &str, last: Value) -> Arc<Value> {
        if !intent.dry_run {
            let part = intent.subresource.map(Subresource::as_str);
            self.commit(&intent.resource, intent.namespace, name, intent.user, part, None);
            self.undefine(intent, &last);
        }
        Arc::new(last)
    }
}
