//! One object, and who writes it.

use k8s_openapi::ByteString;
use serde_json::{Map, Value, json};

use crate::admission::{Operation, Override, Policies, Review, User};
use crate::cel::AccessCheck;
use crate::server::webhook::review::answer;

pub const PERSON: &str = "dana";
pub const MACHINE: &str = "system:serviceaccount:flux-system:kustomize-controller";
pub const CONTROLLER: &str = "system:serviceaccount:tidegate:tidegate";
const STAMPS: [&str; 3] = ["tidegate.io/changed-by", "tidegate.io/resumed-by", "tidegate.io/paused-because"];

/// A right: who holds it, and what group, resource, verb and name it is about. An empty name stands for all.
pub type Right = (&'static str, [&'static str; 4]);

/// One object under the policies.
pub struct World {
    policies: Policies,
    /// What is granted in the namespace `shop`.
    pub rights: Vec<Right>,
    resource: (&'static str, &'static str, &'static str),
    object: Option<Value>,
    /// What was applied from Git, so that the next apply takes away what it no longer names.
    applied: Value,
    /// A webhook that rewrites objects between the policies and their second run.
    pub webhook: Option<fn(&mut Value)>,
}

impl World {
    pub fn new(mode: Override, resource: (&'static str, &'static str, &'static str)) -> Self {
        let policies = Policies::shipped(mode).unwrap();
        let rights = vec![("sam", ["tidegate.io", "gatedreleases", "bypass", ""])];
        Self { policies, rights, resource, object: None, applied: Value::Null, webhook: None }
    }

    /// Where the administrator says of a user that it is a machine.
    pub fn with_machine_user(name: &str, resource: (&'static str, &'static str, &'static str)) -> Self {
        let mut text = include_str!("../policies.yaml").to_owned();
        for user in ["variables.user", "request.userInfo.username"] {
            text = text.replace(&format!("{user} in []"), &format!("{user} in [\"{name}\"]"));
        }
        Self { policies: Policies::read(&text).unwrap(), ..Self::new(Override::Audit, resource) }
    }

    pub fn deployments() -> Self {
        Self::new(Override::Audit, ("apps", "v1", "deployments"))
    }

    pub fn routes() -> Self {
        Self::new(Override::Audit, ("gateway.networking.k8s.io", "v1", "httproutes"))
    }

    /// The object as it is stored.
    pub fn object(&self) -> &Value {
        self.object.as_ref().unwrap()
    }

    /// Writes a whole object, or a subresource of it.
    pub fn write(&mut self, user: &str, object: Value, subresource: Option<&str>) -> Result<(), String> {
        let user = User::person(user);
        let may = |check: &AccessCheck<'_>| self.allows(&user, check);
        let admitted = |object: &Value| {
            let operation = if self.object.is_some() { Operation::Update } else { Operation::Create };
            let review = self.review(operation, &user, subresource, Some(object), &may);
            let by_policy = self.policies.mutate(&review).map_err(|refusal| refusal.to_string());
            assert_eq!(by_policy.as_ref().ok(), Some(&through_the_webhook(&self.policies, &review)));
            self.policies.admit(&review).map_err(|refusal| refusal.to_string())
        };
        let mut object = admitted(&object)?.unwrap_or(object);
        if let Some(webhook) = self.webhook {
            webhook(&mut object);
            object = admitted(&object)?.unwrap_or(object);
        }
        self.object = Some(object);
        Ok(())
    }

    /// Deletes the object; it stays where that is refused.
    pub fn delete(&mut self, user: &str) -> Result<(), String> {
        let user = User::person(user);
        let may = |check: &AccessCheck<'_>| self.allows(&user, check);
        let review = self.review(Operation::Delete, &user, None, None, &may);
        self.policies.admit(&review).map_err(|refusal| refusal.to_string())?;
        self.object = None;
        Ok(())
    }

    fn allows(&self, user: &User, check: &AccessCheck<'_>) -> bool {
        let asked = [check.group, check.resource, check.verb];
        check.namespace == "shop"
            && self.rights.iter().any(|(who, [group, resource, verb, name])| {
                *who == user.name && [*group, *resource, *verb] == asked && (name.is_empty() || *name == check.name)
            })
    }

    fn review<'a>(
        &'a self,
        operation: Operation,
        user: &'a User,
        subresource: Option<&'a str>,
        object: Option<&'a Value>,
        may: &'a dyn Fn(&AccessCheck<'_>) -> bool,
    ) -> Review<'a> {
        let (group, version, resource) = self.resource;
        let old = self.object.as_ref();
        let (namespace, name, dry_run) = ("shop", "c", false);
        Review { operation, group, version, resource, subresource, user, namespace, name, object, old, dry_run, may }
    }

    /// Applies a manifest as kubectl and GitOps tools do: what it names is set, what it named before and no longer does is
    /// removed, everything else stays.
    pub fn apply(&mut self, user: &str, manifest: Value) {
        let mut object = self.object.clone().unwrap_or_else(|| json!({}));
        remove(&mut object, &self.applied, &manifest);
        json_patch::merge(&mut object, &manifest);
        self.applied = manifest;
        self.write(user, object, None).unwrap();
    }

    /// Patches the object as `kubectl patch --type=merge` does.
    pub fn patch(&mut self, user: &str, patch: Value) -> Result<(), String> {
        let mut object = self.object().clone();
        json_patch::merge(&mut object, &patch);
        self.write(user, object, None)
    }

    pub fn paused(&self) -> bool {
        self.object().pointer("/spec/paused").is_some_and(|paused| paused == true)
    }

    /// Who changed it, who resumed it, and why it is paused.
    pub fn stamps(&self) -> [Option<&str>; 3] {
        STAMPS.map(|stamp| self.annotation(stamp))
    }

    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.object()["metadata"]["annotations"].get(key).and_then(Value::as_str)
    }
}

/// The object as the webhook changes it: an API server's question, and the patch of the answer applied.
fn through_the_webhook(policies: &Policies, review: &Review<'_>) -> Option<Value> {
    let question = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "1", "operation": review.operation.as_str(), "dryRun": review.dry_run,
            "namespace": review.namespace, "name": review.name, "subResource": review.subresource,
            "resource": {"group": review.group, "version": review.version, "resource": review.resource},
            "userInfo": {"username": review.user.name, "groups": review.user.groups},
            "object": review.object, "oldObject": review.old,
        },
    });
    let answer = answer(policies, question.to_string().as_bytes()).unwrap();
    let response = &answer.review["response"];
    assert_eq!(response["allowed"], true, "{response}");
    let patch: ByteString = serde_json::from_value(response.get("patch")?.clone()).unwrap();
    let mut object = review.object?.clone();
    json_patch::patch(&mut object, &serde_json::from_slice::<json_patch::Patch>(&patch.0).unwrap()).unwrap();
    Some(object)
}

fn remove(object: &mut Value, before: &Value, now: &Value) {
    let (Some(object), Some(before)) = (object.as_object_mut(), before.as_object()) else { return };
    let nothing = Map::new();
    let now = now.as_object().unwrap_or(&nothing);
    for (key, before) in before {
        match (object.get_mut(key), now.get(key)) {
            (Some(_), None) if !before.is_object() => drop(object.remove(key)),
            (Some(inner), now) => remove(inner, before, now.unwrap_or(&Value::Null)),
            (None, _) => {}
        }
    }
}

/// A gated Deployment as Git has it.
pub fn deployment(image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "c", "namespace": "shop", "labels": {"tidegate.io/gated": "true"}},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": "c"}},
            "template": {
                "metadata": {"labels": {"app": "c"}, "annotations": {"team": "shop"}},
                "spec": {"containers": [{"name": "app", "image": image}]},
            },
        },
    })
}

/// A manifest with more in it.
pub fn with(mut manifest: Value, more: Value) -> Value {
    json_patch::merge(&mut manifest, &more);
    manifest
}

/// A Deployment whose second template is held.
pub fn held(user: &str) -> World {
    held_in(World::deployments(), user)
}

pub fn held_in(mut world: World, user: &str) -> World {
    world.apply(PERSON, deployment("app:1"));
    world.apply(user, deployment("app:2"));
    assert!(world.paused(), "the changed template was not held");
    world
}
