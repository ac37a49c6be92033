//! The same server for those who live in the process: no HTTP, the same order of writes.

use std::sync::Arc;

use serde_json::Value;

use super::access::AccessCheck;
use super::delete::Options;
use super::meta;
use super::refuse;
use super::resource::{NAMESPACE, Subresource};
use super::server::ApiServer;
use super::verbs::denied;
use super::write::{Intent, Ownership};
use crate::cluster::Kind;
use crate::sandbox::objects::{Objects, Refusal};
use crate::sandbox::user::User;

/// The field manager of a user: the last part of the name.
fn manager(user: &User) -> &str {
    user.name.rsplit(':').next().unwrap_or_default()
}

impl ApiServer {
    fn intent<'a>(&self, user: &'a User, kind: &Kind, namespace: &'a str) -> Result<Intent<'a>, Refusal> {
        let resource = self.known(kind)?;
        let namespace = if !resource.namespaced {
            ""
        } else if namespace.is_empty() {
            "default"
        } else {
            namespace
        };
        Ok(Intent {
            user,
            resource,
            namespace,
            subresource: None,
            manager: manager(user),
            dry_run: false,
            strict: false,
        })
    }

    fn allowed(&self, intent: &Intent<'_>, verb: &str, name: &str) -> Result<(), Refusal> {
        let check = AccessCheck {
            verb,
            group: intent.resource.kind.group,
            resource: intent.resource.kind.plural,
            subresource: intent.subresource.map(Subresource::as_str).unwrap_or_default(),
            namespace: intent.namespace,
            name,
        };
        if self.access.allows(intent.user, &check) {
            Ok(())
        } else {
            Err(denied(intent.user, &intent.resource, &check))
        }
    }

    fn replace(&mut self, by: &User, kind: &Kind, object: Value, part: Option<Subresource>) -> Result<Value, Refusal> {
        let (namespace, name) = (meta::text(&object, "namespace").to_owned(), meta::text(&object, "name").to_owned());
        let intent = Intent { subresource: part, ..self.intent(by, kind, &namespace)? };
        if let Some(part) = part.filter(|part| !intent.resource.has(*part)) {
            return Err(refuse::not_found(&intent.resource, &format!("{name}/{}", part.as_str())));
        }
        self.allowed(&intent, "update", &name)?;
        let old = self.store.get(intent.resource.shelf, intent.namespace, &name).cloned();
        let old = old.ok_or_else(|| refuse::not_found(&intent.resource, &name))?;
        self.change_object(&intent, &name, &old, object, Ownership::Update).map(Arc::unwrap_or_clone)
    }
}

impl ApiServer {
    /// Takes a namespace's own finalizers out, as the namespace controller does when nothing is left in it: one that is
    /// being deleted goes.
    pub fn finalize_namespace(&mut self, name: &str) -> Result<(), Refusal> {
        let controller = User::service_account("kube-system", "namespace-controller");
        let Some(mut namespace) = self.get(&NAMESPACE, "", name).cloned() else { return Ok(()) };
        if let Some(spec) = namespace.get_mut("spec").and_then(Value::as_object_mut) {
            spec.remove("finalizers");
        }
        self.replace(&controller, &NAMESPACE, namespace, Some(Subresource::Finalize)).map(drop)
    }
}

impl Objects for ApiServer {
    fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Option<&Value> {
        let resource = self.table.of(kind)?;
        self.store.get(resource.shelf, if resource.namespaced { namespace } else { "" }, name).map(|object| &**object)
    }

    fn list(&self, kind: &Kind, namespace: &str) -> Vec<&Value> {
        let Some(resource) = self.table.of(kind) else { return Vec::new() };
        self.store.list(resource.shelf, namespace).map(|(_, _, object)| &**object).collect()
    }

    fn create(&mut self, by: &User, kind: &Kind, object: Value) -> Result<Value, Refusal> {
        let namespace = meta::text(&object, "namespace").to_owned();
        let intent = self.intent(by, kind, &namespace)?;
        self.allowed(&intent, "create", meta::text(&object, "name"))?;
        let stored = self.create_object(&intent, object, Ownership::Update)?;
        Ok(Arc::unwrap_or_clone(self.establish(&intent, &stored)))
    }

    fn update(&mut self, by: &User, kind: &Kind, object: Value) -> Result<Value, Refusal> {
        self.replace(by, kind, object, None)
    }

    fn update_status(&mut self, by: &User, kind: &Kind, object: Value) -> Result<Value, Refusal> {
        self.replace(by, kind, object, Some(Subresource::Status))
    }

    /// A pod gets no grace period: who deletes through here has let it stop already.
    fn delete(&mut self, by: &User, kind: &Kind, namespace: &str, name: &str) -> Result<(), Refusal> {
        let intent = self.intent(by, kind, namespace)?;
        self.allowed(&intent, "delete", name)?;
        let options = Options { grace: Some(0), ..Options::default() };
        self.delete_object(&intent, name, &options).map(drop)
    }
}
