//! New ReplicaSets, and what a Deployment writes into the annotations of its ReplicaSets.

use serde_json::{Map, Value, json};

use super::super::look::{annotation, at, integer, name, namespace, number, owner_reference};
use super::super::template::hash;
use super::super::write::{Context, put};
use super::roll::grown;
use super::status::{Conditions, with};
use super::view::{DESIRED, MAX, REVISION, REVISION_HISTORY, Set, Sets, Wanted};
use crate::api::names::POD_TEMPLATE_HASH;
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET};
use crate::sandbox::objects::Refusal;

/// Annotations of a Deployment that its ReplicaSets do not get.
const NOT_COPIED: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.deployment.rollback.to",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAX,
];
/// How long the list of a ReplicaSet's former revisions may get, in bytes.
const HISTORY_MAX: usize = 2_000;
/// How long a name may be.
const NAME_MAX: usize = 253;

/// Brings the annotations of the new ReplicaSet up to date, or, where they are, the Deployment's revision.
pub(super) fn annotate_new(
    cx: &mut Context<'_>,
    deployment: &Value,
    wanted: &Wanted,
    sets: &mut Sets,
    conditions: &mut Conditions,
) -> Result<(), Refusal> {
    let revision = sets.old().map(|set| set.revision).max().unwrap_or(0).max(0) + 1;
    let Some(new) = sets.new.and_then(|new| sets.all.get_mut(new)) else { return Ok(()) };
    let Some(set) = cx.objects.get(&REPLICA_SET, namespace(deployment), &new.name) else { return Ok(()) };
    let is = annotation(set, REVISION).unwrap_or_default();
    let raises = is.is_empty() || is.parse().is_ok_and(|is: i64| is < revision);
    let copies = copied(deployment).any(|(key, value)| at(set, &["metadata", "annotations", key]) != Some(value));
    if raises || copies || number(set, &["spec", "minReadySeconds"]) != wanted.min_ready {
        cx.edit(&cx.users.deployment, &REPLICA_SET, namespace(deployment), &new.name, |set| {
            for (key, value) in copied(deployment) {
                put(set, &["metadata", "annotations", key], value.clone());
            }
            if raises {
                raise(set, revision);
            }
            put(set, &["spec", "minReadySeconds"], wanted.min_ready.into());
        })?;
        if raises {
            new.revision = revision;
        }
        return Ok(());
    }
    conditions.found(wanted, &new.name);
    let is = is.to_owned();
    note_revision(cx, deployment, &is)
}

fn copied(deployment: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = at(deployment, &["metadata", "annotations"]).and_then(Value::as_object);
    all.into_iter().flatten().map(|(key, value)| (key.as_str(), value)).filter(|(key, _)| !NOT_COPIED.contains(key))
}

/// A ReplicaSet that comes back gets the newest revision, and remembers those that it had.
fn raise(set: &mut Value, revision: i64) {
    if let Some(was) = annotation(set, REVISION).filter(|was| !was.is_empty()).map(str::to_owned) {
        let history = annotation(set, REVISION_HISTORY).unwrap_or_default();
        let mut all: Vec<&str> = history.split(',').filter(|one| !one.is_empty()).chain([was.as_str()]).collect();
        while all.len() > 1 && all.iter().map(|one| one.len() + 1).sum::<usize>() > HISTORY_MAX {
            all.remove(0);
        }
        let all = all.join(",");
        put(set, &["metadata", "annotations", REVISION_HISTORY], all.into());
    }
    put(set, &["metadata", "annotations", REVISION], revision.to_string().into());
}

/// The real controller sends it along with the status; here a status brings nothing else.
fn note_revision(cx: &mut Context<'_>, deployment: &Value, revision: &str) -> Result<(), Refusal> {
    if annotation(deployment, REVISION) == Some(revision) {
        return Ok(());
    }
    cx.edit(&cx.users.deployment, &DEPLOYMENT, namespace(deployment), name(deployment), |deployment| {
        put(deployment, &["metadata", "annotations", REVISION], revision.into());
    })
    .map(drop)
}

/// Notes in a ReplicaSet for which Deployment it was sized.
pub(super) fn note_size(set: &mut Value, wanted: &Wanted) {
    put(set, &["metadata", "annotations", DESIRED], wanted.replicas.to_string().into());
    put(set, &["metadata", "annotations", MAX], wanted.most().to_string().into());
}

/// Creates the ReplicaSet of a new template. A name that is taken by another counts as a collision of hashes: the next
/// look tries another name.
pub(super) fn create_new(
    cx: &mut Context<'_>,
    deployment: &Value,
    wanted: &Wanted,
    sets: &mut Sets,
    conditions: &mut Conditions,
) -> Result<(), Refusal> {
    let Some(template) = at(deployment, &["spec", "template"]) else { return Ok(()) };
    let collisions = integer(deployment, &["status", "collisionCount"]);
    let hash = hash(template, collisions);
    let size = grown(wanted, sets, 0);
    let revision = sets.old().map(|set| set.revision).max().unwrap_or(0).max(0) + 1;
    let set = replica_set(deployment, template, &hash, wanted, size, revision);
    let called = name(&set).to_owned();
    let (space, own) = (namespace(deployment), name(deployment));
    match cx.objects.create(&cx.users.deployment, &REPLICA_SET, set) {
        Ok(made) => {
            conditions.created(wanted, &called, None);
            sets.all.push(Set::of(&made, Some(template)));
            *sets = Sets::of(std::mem::take(&mut sets.all));
            note_revision(cx, deployment, &revision.to_string())
        }
        Err(refusal) if refusal.reason == "AlreadyExists" => {
            let mut status = with(deployment, conditions.clone());
            put(&mut status, &["collisionCount"], (collisions.unwrap_or(0) + 1).into());
            cx.set_status(&cx.users.deployment, &DEPLOYMENT, space, own, status)?;
            Err(refusal)
        }
        Err(refusal) => {
            conditions.created(wanted, &called, Some(&refusal.message));
            let status = with(deployment, conditions.clone());
            cx.set_status(&cx.users.deployment, &DEPLOYMENT, space, own, status)?;
            Err(refusal)
        }
    }
}

fn replica_set(deployment: &Value, template: &Value, hash: &str, wanted: &Wanted, size: i64, revision: i64) -> Value {
    let mut template = template.clone();
    put(&mut template, &["metadata", "labels", POD_TEMPLATE_HASH], hash.into());
    let mut selector = at(deployment, &["spec", "selector"]).cloned().unwrap_or_else(|| json!({}));
    put(&mut selector, &["matchLabels", POD_TEMPLATE_HASH], hash.into());
    let mut annotations: Map<String, Value> =
        copied(deployment).map(|(key, value)| (key.to_owned(), value.clone())).collect();
    annotations.insert(REVISION.to_owned(), revision.to_string().into());
    let own: String = wanted.name.chars().take(NAME_MAX - 1 - hash.len()).collect();
    let mut set = json!({
        "apiVersion": REPLICA_SET.api_version(), "kind": REPLICA_SET.kind,
        "metadata": {
            "name": format!("{own}-{hash}"), "namespace": namespace(deployment),
            "labels": at(&template, &["metadata", "labels"]), "annotations": annotations,
            "ownerReferences": [owner_reference(&DEPLOYMENT, deployment)],
        },
        "spec": {"replicas": size, "selector": selector, "template": template},
    });
    if wanted.min_ready > 0 {
        put(&mut set, &["spec", "minReadySeconds"], wanted.min_ready.into());
    }
    note_size(&mut set, wanted);
    set
}
