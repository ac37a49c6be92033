//! From a call to a verb, and from its outcome to an answer.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::access::AccessCheck;
use super::call::{Answer, Call, Query, Route, route};
use super::delete::{Deleted, Options};
use super::list::{View, answer};
use super::resource::{Resource, Subresource};
use super::selector::Selector;
use super::server::ApiServer;
use super::strategy::{needs_version, no_version};
use super::write::{Intent, Ownership};
use super::{decode, meta, refuse};
use crate::sandbox::objects::Refusal;
use crate::sandbox::user::User;

impl ApiServer {
    /// Answers a call.
    pub fn call(&mut self, call: &Call) -> Answer {
        self.attempt(call).unwrap_or_else(|refusal| answer(refusal.code, &refuse::status_of(&refusal)))
    }

    fn attempt(&mut self, call: &Call) -> Result<Answer, Refusal> {
        let Some(route) = route(&self.table, &call.path) else {
            let page = self.present.clone().and_then(|present| present.page(self, call));
            return page.ok_or_else(refuse::unknown_path);
        };
        let route = route.map_err(|()| refuse::unknown_path())?;
        let view = View::of(&call.accept).ok_or_else(refuse::not_acceptable)?;
        let query = Query::parse(&call.query);
        let verb = verb(call, &query, &route).ok_or_else(refuse::method_not_allowed)?;
        let resource = Arc::clone(&route.resource);
        if !resource.verbs.contains(&verb) {
            return Err(refuse::method_not_allowed());
        }
        let name = route.name.as_deref().unwrap_or_default();
        let check = AccessCheck {
            verb,
            group: resource.kind.group,
            resource: resource.kind.plural,
            subresource: route.subresource.map(Subresource::as_str).unwrap_or_default(),
            namespace: &route.namespace,
            name,
        };
        if !self.access.allows(&call.user, &check) {
            return Err(denied(&call.user, &resource, &check));
        }
        match verb {
            "get" => self.get_answer(call, &route, name, view),
            "list" => self.list_answer(call, &query, &resource, &route.namespace, view),
            "watch" => {
                let name = route.name.as_deref();
                let watch = self.open_watch(call, &query, &resource, &route.namespace, name, view)?;
                Ok(Answer::Watch(Box::new(watch)))
            }
            _ => self.write(call, &query, &route, verb, view),
        }
    }

    fn get_answer(&self, call: &Call, route: &Route, name: &str, view: View) -> Result<Answer, Refusal> {
        let resource = &*route.resource;
        let object = self.store.get(resource.shelf, &route.namespace, name);
        let object = object.ok_or_else(|| refuse::not_found(resource, name))?;
        if route.subresource == Some(Subresource::Scale) {
            return Ok(answer(200, &super::scale::of(object)));
        }
        Ok(self.answer_with(200, &self.show(view, resource, object, &call.query)))
    }

    fn write(&mut self, call: &Call, query: &Query, route: &Route, verb: &str, view: View) -> Result<Answer, Refusal> {
        let resource = &route.resource;
        let agent = call.user_agent.split('/').next().filter(|agent| !agent.is_empty()).unwrap_or("unknown");
        let intent = Intent {
            user: &call.user,
            resource: Arc::clone(resource),
            namespace: &route.namespace,
            subresource: route.subresource,
            manager: Some(query.get("fieldManager")).filter(|name| !name.is_empty()).unwrap_or(agent),
            dry_run: query.has("dryRun", "All"),
            strict: query.get("fieldValidation") == "Strict",
        };
        let name = route.name.as_deref().unwrap_or_default();
        if route.subresource == Some(Subresource::Eviction) {
            let body = decode::body(&call.content_type, &call.body)?;
            self.evict(&intent, name, &body)?;
            let status =
                json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
            return Ok(answer(201, &status));
        }
        let (code, object) = match verb {
            "create" => {
                let body = decode::body(&call.content_type, &call.body)?;
                if resource.verbs.len() == 1 {
                    return Ok(answer(201, &self.review(&call.user, resource, body)));
                }
                let stored = self.create_object(&intent, body, Ownership::Update)?;
                (201, self.establish(&intent, &stored))
            }
            "update" => (200, self.put(&intent, name, decode::body(&call.content_type, &call.body)?)?),
            "patch" => {
                let (made, object) = self.patch(&intent, name, call, query)?;
                (if made { 201 } else { 200 }, if made { self.establish(&intent, &object) } else { object })
            }
            "delete" => return self.delete_answer(call, query, &intent, name, view),
            _ => return self.delete_all(call, query, &intent),
        };
        if route.subresource == Some(Subresource::Scale) {
            return Ok(answer(code, &super::scale::of(&object)));
        }
        Ok(self.answer_with(code, &self.show(view, resource, &object, &call.query)))
    }

    fn put(&mut self, intent: &Intent<'_>, name: &str, body: Value) -> Result<Arc<Value>, Refusal> {
        let resource = &*intent.resource;
        let old = self.store.get(resource.shelf, intent.namespace, name).cloned();
        let old = old.ok_or_else(|| refuse::not_found(resource, name))?;
        if intent.subresource == Some(Subresource::Scale) {
            return self.scale(intent, name, &old, body);
        }
        if meta::text(&body, "resourceVersion").is_empty() && needs_version(resource) {
            return Err(no_version(resource, name));
        }
        self.change_object(intent, name, &old, body, Ownership::Update)
    }

    fn delete_answer(
        &mut self,
        call: &Call,
        query: &Query,
        intent: &Intent<'_>,
        name: &str,
        view: View,
    ) -> Result<Answer, Refusal> {
        let (options, dry_run) = delete_options(call, query)?;
        let intent = Intent { dry_run: intent.dry_run || dry_run, ..intent.clone() };
        let resource = &intent.resource;
        match self.delete_object(&intent, name, &options)? {
            Deleted::Waiting(object) => Ok(self.answer_with(200, &self.show(view, resource, &object, &call.query))),
            Deleted::Gone(object) => {
                let mut details = json!({
                    "name": name, "kind": resource.kind.plural, "uid": meta::text(&object, "uid"),
                });
                if let (Some(details), false) = (details.as_object_mut(), resource.kind.group.is_empty()) {
                    details.insert("group".to_owned(), resource.kind.group.into());
                }
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
                });
                Ok(answer(200, &status))
            }
        }
    }

    fn delete_all(&mut self, call: &Call, query: &Query, intent: &Intent<'_>) -> Result<Answer, Refusal> {
        let resource = Arc::clone(&intent.resource);
        let selector = Selector::parse(&resource, query.get("labelSelector"), query.get("fieldSelector"))?;
        let (options, dry_run) = delete_options(call, query)?;
        let found: Vec<(String, String, Arc<Value>)> = self
            .store
            .list(resource.shelf, intent.namespace)
            .filter(|(_, _, object)| selector.matches(object))
            .map(|(namespace, name, object)| (namespace.to_owned(), name.to_owned(), Arc::clone(object)))
            .collect();
        for (namespace, name, _) in &found {
            let one = Intent { namespace, dry_run: intent.dry_run || dry_run, ..intent.clone() };
            self.delete_object(&one, name, &options)?;
        }
        let items: Vec<Value> =
            found.iter().map(|(_, _, object)| super::list::face(&resource, object).into_owned()).collect();
        Ok(answer(
            200,
            &json!({
                "kind": format!("{}List", resource.kind.kind), "apiVersion": resource.kind.api_version(),
                "metadata": {"resourceVersion": self.version().to_string()}, "items": items,
            }),
        ))
    }

    /// Answers a question about the one who asks, or about another.
    fn review(&self, user: &User, resource: &Resource, mut body: Value) -> Value {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let status = if resource.kind.kind == "SelfSubjectReview" {
            json!({"userInfo": {"username": user.name, "groups": user.groups}})
        } else {
            let other = User {
                name: text("/spec/user"),
                groups: body
                    .pointer("/spec/groups")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(|group| group.as_str().map(str::to_owned))
                    .collect(),
            };
            let asked = |key: &str| text(&format!("/spec/resourceAttributes/{key}"));
            let parts = ["verb", "group", "resource", "subresource", "namespace", "name"].map(asked);
            let [verb, group, plural, subresource, namespace, name] = parts.each_ref().map(String::as_str);
            let check = AccessCheck { verb, group, resource: plural, subresource, namespace, name };
            let about = if resource.kind.kind == "SelfSubjectAccessReview" { user } else { &other };
            json!({"allowed": self.access.allows(about, &check)})
        };
        if let Some(fields) = body.as_object_mut() {
            fields.insert("apiVersion".to_owned(), resource.kind.api_version().into());
            fields.insert("kind".to_owned(), resource.kind.kind.into());
            fields.insert("status".to_owned(), status);
        }
        body
    }
}

fn delete_options(call: &Call, query: &Query) -> Result<(Options, bool), Refusal> {
    let body = if call.body.is_empty() { Value::Null } else { decode::body(&call.content_type, &call.body)? };
    let mut options = Options::read(&body);
    if !query.get("propagationPolicy").is_empty() {
        options.propagation = query.get("propagationPolicy").to_owned();
    }
    if let Ok(seconds) = query.get("gracePeriodSeconds").parse() {
        options.grace = Some(seconds);
    }
    let dry_run = body.get("dryRun").and_then(Value::as_array).is_some_and(|all| all.iter().any(|one| one == "All"));
    Ok((options, dry_run))
}

/// The verb of a call; none where the method does not fit the path.
fn verb(call: &Call, query: &Query, route: &Route) -> Option<&'static str> {
    let named = route.name.is_some();
    if call.method == Method::GET {
        return Some(match (query.is("watch"), named) {
            (true, _) => "watch",
            (false, true) => "get",
            (false, false) => "list",
        });
    }
    let whole = route.subresource.is_none();
    if route.subresource == Some(Subresource::Eviction) {
        return (call.method == Method::POST && named).then_some("create");
    }
    if call.method == Method::POST && !named {
        Some("create")
    } else if call.method == Method::PUT && named {
        Some("update")
    } else if call.method == Method::PATCH && named && route.subresource != Some(Subresource::Finalize) {
        Some("patch")
    } else if call.method == Method::DELETE && whole {
        Some(if named { "delete" } else { "deletecollection" })
    } else {
        None
    }
}

pub(super) fn denied(user: &User, resource: &Resource, check: &AccessCheck<'_>) -> Refusal {
    let part = if check.subresource.is_empty() { String::new() } else { format!("/{}", check.subresource) };
    let place = if check.namespace.is_empty() {
        " at the cluster scope".to_owned()
    } else {
        format!(" in the namespace \"{}\"", check.namespace)
    };
    let why = format!(
        "User \"{}\" cannot {} resource \"{}{part}\" in API group \"{}\"{place}",
        user.name, check.verb, check.resource, check.group
    );
    refuse::forbidden(resource, check.name, &why)
}
