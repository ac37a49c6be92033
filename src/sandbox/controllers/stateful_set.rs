//! StatefulSets: pods in their places, one after the other, at the revision that the partition gives each.
//!
//! As the StatefulSet controller of Kubernetes 1.36 with `podManagementPolicy: OrderedReady`, its traps included: a raised
//! partition brings no pod back, a pod that does not become ready stops everything after it, and the former revision is
//! forgotten as soon as every pod runs the new one. `Parallel` and `maxUnavailable` are taken for `OrderedReady` and 1.

use serde_json::{Map, Value, json};

use super::look::{
    at, controller_uid, integer, is_ready, labels, leaving, name, namespace, number, owner_reference, text, uid,
};
use super::pod::FINALIZER;
use super::template::{hash, same};
use super::write::{Context, place, put, sooner, tried};
use crate::api::names::CONTROLLER_REVISION_HASH;
use crate::api::{Span, Time};
use crate::cluster::kind::{CONTROLLER_REVISION, POD, STATEFUL_SET};
use crate::sandbox::objects::Refusal;

/// How long until something refused is tried again.
const RETRY: Span = Span::seconds(5);

/// One step for each StatefulSet.
pub(super) fn run(cx: &mut Context<'_>) -> Option<Time> {
    let mut due: Option<Time> = None;
    let sets: Vec<Value> = cx.objects.list(&STATEFUL_SET, "").into_iter().cloned().collect();
    for set in sets.iter().filter(|set| !leaving(set)) {
        let done = sync(cx, set);
        if done.is_err() {
            sooner(&mut due, cx.now.plus(RETRY));
        }
        tried(done);
    }
    due
}

/// What a StatefulSet has and wants, at one moment.
struct Look<'a> {
    set: &'a Value,
    replicas: i64,
    partition: i64,
    current: String,
    update: String,
    /// Its pods by their places.
    pods: Vec<(i64, Value)>,
}

/// What is done in one step.
#[derive(Debug, PartialEq, Eq)]
enum Deed {
    Create { place: i64, revision: String },
    Delete(String),
}

fn sync(cx: &mut Context<'_>, set: &Value) -> Result<(), Refusal> {
    let update = revision(cx, set)?;
    let current = match text(set, &["status", "currentRevision"]) {
        "" => update.clone(),
        stands => stands.to_owned(),
    };
    let start = number(set, &["spec", "ordinals", "start"]);
    let own = cx.objects.list(&POD, namespace(set)).into_iter().filter(|pod| controller_uid(pod) == uid(set));
    let mut pods: Vec<(i64, Value)> =
        own.filter_map(|pod| Some((name(pod).rsplit('-').next()?.parse::<i64>().ok()? - start, pod.clone()))).collect();
    pods.sort_by_key(|(place, _)| *place);
    let look = Look {
        set,
        replicas: integer(set, &["spec", "replicas"]).unwrap_or(1),
        partition: number(set, &["spec", "updateStrategy", "rollingUpdate", "partition"]),
        current,
        update,
        pods,
    };
    match next(&look) {
        Some(Deed::Create { place, revision }) => {
            let pod = pod_of(cx, &look, place, &revision);
            if let Some(pod) = pod {
                cx.objects.create(&cx.users.stateful_set, &POD, pod)?;
            }
        }
        Some(Deed::Delete(pod)) => cx.objects.delete(&cx.users.stateful_set, &POD, namespace(set), &pod)?,
        None => {}
    }
    let (home, called) = place(set);
    let status = status(&look);
    cx.set_status(&cx.users.stateful_set, &STATEFUL_SET, &home, &called, status)
}

fn revision_of(pod: &Value) -> &str {
    labels(pod).and_then(|labels| labels.get(CONTROLLER_REVISION_HASH)).and_then(Value::as_str).unwrap_or_default()
}

/// The one thing to do next: pods come in their order, each after the one before it is ready; then those that are too many
/// go, then an update takes its course from the last place down to the partition.
fn next(look: &Look<'_>) -> Option<Deed> {
    for place in 0..look.replicas {
        let Some((_, pod)) = look.pods.iter().find(|(at, _)| *at == place) else {
            let revision = if place < look.partition { &look.current } else { &look.update };
            return Some(Deed::Create { place, revision: revision.clone() });
        };
        if leaving(pod) || !is_ready(pod) {
            return None;
        }
    }
    if let Some((_, pod)) = look.pods.iter().rfind(|(place, _)| *place >= look.replicas) {
        return (!leaving(pod)).then(|| Deed::Delete(name(pod).to_owned()));
    }
    if text(look.set, &["spec", "updateStrategy", "type"]) == "OnDelete" {
        return None;
    }
    let old = |(place, pod): &&(i64, Value)| *place >= look.partition && revision_of(pod) != look.update;
    look.pods.iter().rfind(old).map(|(_, pod)| Deed::Delete(name(pod).to_owned()))
}

fn status(look: &Look<'_>) -> Value {
    let count = |which: &dyn Fn(&Value) -> bool| {
        i64::try_from(look.pods.iter().filter(|(_, pod)| which(pod)).count()).unwrap_or(i64::MAX)
    };
    let of = |revision: &str| count(&|pod| !leaving(pod) && revision_of(pod) == revision);
    let (pods, ready) = (count(&|_| true), count(&|pod| !leaving(pod) && is_ready(pod)));
    let whole = of(&look.update) == look.replicas && ready == look.replicas && pods == look.replicas;
    let current = if whole { &look.update } else { &look.current };
    let mut status = Map::new();
    status.insert("replicas".to_owned(), pods.into());
    status.insert("availableReplicas".to_owned(), ready.into());
    status.insert("collisionCount".to_owned(), 0.into());
    status.insert("observedGeneration".to_owned(), number(look.set, &["metadata", "generation"]).into());
    status.insert("currentRevision".to_owned(), current.clone().into());
    status.insert("updateRevision".to_owned(), look.update.clone().into());
    for (key, count) in
        [("readyReplicas", ready), ("currentReplicas", of(current)), ("updatedReplicas", of(&look.update))]
    {
        if count > 0 {
            status.insert(key.to_owned(), count.into());
        }
    }
    status.into()
}

/// The revision of the present template: one that is equal is used again and becomes the newest.
fn revision(cx: &mut Context<'_>, set: &Value) -> Result<String, Refusal> {
    let home = namespace(set);
    let template = at(set, &["spec", "template"]).cloned().unwrap_or_default();
    let own = || cx.objects.list(&CONTROLLER_REVISION, home).into_iter().filter(|one| controller_uid(one) == uid(set));
    let newest = own().map(|one| number(one, &["revision"])).max().unwrap_or(0);
    let equal = own().find(|one| same(&template_of(one), &template)).cloned();
    if let Some(mut equal) = equal {
        let called = name(&equal).to_owned();
        if number(&equal, &["revision"]) < newest {
            put(&mut equal, &["revision"], (newest + 1).into());
            cx.objects.update(&cx.users.stateful_set, &CONTROLLER_REVISION, equal)?;
        }
        return Ok(called);
    }
    let called = format!("{}-{}", name(set), hash(&template, None));
    let mut data = template.clone();
    put(&mut data, &["$patch"], "replace".into());
    let object = json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": {
            "name": called, "namespace": home, "labels": at(&template, &["metadata", "labels"]),
            "ownerReferences": [owner_reference(&STATEFUL_SET, set)],
        },
        "data": {"spec": {"template": data}},
        "revision": newest + 1,
    });
    cx.objects.create(&cx.users.stateful_set, &CONTROLLER_REVISION, object)?;
    Ok(called)
}

fn template_of(revision: &Value) -> Value {
    let mut template = at(revision, &["data", "spec", "template"]).cloned().unwrap_or_default();
    if let Some(template) = template.as_object_mut() {
        template.remove("$patch");
    }
    template
}

/// A new pod of a revision; none where the revision is gone.
fn pod_of(cx: &Context<'_>, look: &Look<'_>, place: i64, revision: &str) -> Option<Value> {
    let set = look.set;
    let template = template_of(cx.objects.get(&CONTROLLER_REVISION, namespace(set), revision)?);
    let ordinal = place + number(set, &["spec", "ordinals", "start"]);
    let called = format!("{}-{ordinal}", name(set));
    let mut metadata = Map::new();
    for key in ["labels", "annotations"] {
        metadata.extend(at(&template, &["metadata", key]).map(|value| (key.to_owned(), value.clone())));
    }
    let mut metadata = Value::Object(metadata);
    for (key, value) in [
        (CONTROLLER_REVISION_HASH, revision.to_owned()),
        ("statefulset.kubernetes.io/pod-name", called.clone()),
        ("apps.kubernetes.io/pod-index", ordinal.to_string()),
    ] {
        put(&mut metadata, &["labels", key], value.into());
    }
    put(&mut metadata, &["name"], called.clone().into());
    put(&mut metadata, &["namespace"], namespace(set).into());
    put(&mut metadata, &["ownerReferences"], json!([owner_reference(&STATEFUL_SET, set)]));
    put(&mut metadata, &["finalizers"], json!([FINALIZER]));
    let mut spec = at(&template, &["spec"]).cloned().unwrap_or_else(|| json!({}));
    put(&mut spec, &["nodeName"], "sandbox".into());
    put(&mut spec, &["hostname"], called.into());
    Some(json!({"apiVersion": POD.version, "kind": POD.kind, "metadata": metadata, "spec": spec}))
}
