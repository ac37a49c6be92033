//! ReplicaSets of the workload that a hand scales: `kubectl scale replicaset`.

use serde_json::{Value, json};

use crate::cluster::kind::{DEPLOYMENT, GATED_RELEASE, REPLICA_SET};
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{NAME, NAMESPACE};
use crate::sandbox::simulate::people::merge;
use crate::sandbox::simulate::world::World;
use crate::sandbox::user::User;

fn path(name: &str) -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/replicasets/{name}")
}

fn workload() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}")
}

/// Scales the youngest ReplicaSet of the workload that wants no pods; none where there is none.
pub(super) fn scale(world: &mut World, person: &User, pods: u32) -> Option<u16> {
    let api = &mut world.cluster.api;
    let text =
        |object: &Value, place: &str| object.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
    let uid = api.get(&DEPLOYMENT, NAMESPACE, NAME).map(|workload| text(workload, "/metadata/uid"))?;
    let sets = api.list(&REPLICA_SET, NAMESPACE).into_iter();
    let empty = sets.filter(|set| {
        text(set, "/metadata/ownerReferences/0/uid") == uid
            && set.pointer("/spec/replicas").and_then(Value::as_u64) == Some(0)
    });
    let found = empty.max_by_key(|set| (text(set, "/metadata/creationTimestamp"), text(set, "/metadata/name")));
    let name = found.map(|set| text(set, "/metadata/name"))?;
    world.surroundings.scaled = Some(name.clone());
    world.checkers.circumstances.by_hand = Some((name.clone(), api.now()));
    Some(merge(api, person, &path(&name), &json!({"spec": {"replicas": pods}})))
}

/// Says how many ReplicaSets without pods are kept of the workload; none where there is no workload.
pub(super) fn keep(world: &mut World, person: &User, limit: u32) -> Option<u16> {
    let api = &mut world.cluster.api;
    api.get(&DEPLOYMENT, NAMESPACE, NAME)?;
    Some(merge(api, person, &workload(), &json!({"spec": {"revisionHistoryLimit": limit}})))
}

/// Scales it back to nothing; none where none was scaled.
pub(super) fn back(world: &mut World, person: &User) -> Option<u16> {
    let name = world.surroundings.scaled.take()?;
    world.checkers.circumstances.by_hand = None;
    Some(merge(&mut world.cluster.api, person, &path(&name), &json!({"spec": {"replicas": 0}})))
}

/// Lets the held template run where it is told that stable's ReplicaSet is gone; none where that is not so.
pub(super) fn let_go(world: &mut World, person: &User) -> Option<u16> {
    let api = &mut world.cluster.api;
    let release = api.get(&GATED_RELEASE, NAMESPACE, NAME)?;
    let conditions = release.pointer("/status/conditions").and_then(Value::as_array)?;
    let told = conditions.iter().any(|one| {
        one["reason"] == "StableLost"
            || (one["reason"] == "NoWayBack" && one["message"].to_string().contains("StableLost"))
    });
    let found = api.get(&DEPLOYMENT, NAMESPACE, NAME)?;
    let uid = found.pointer("/metadata/uid")?.clone();
    let owned = |set: &Value| set.pointer("/metadata/ownerReferences/0/uid") == Some(&uid);
    let lost = found["spec"]["paused"] == true
        && found["spec"]["replicas"] != 0
        && !api.list(&REPLICA_SET, NAMESPACE).into_iter().any(owned);
    (told && lost).then(|| merge(&mut world.cluster.api, person, &workload(), &json!({"spec": {"paused": null}})))
}
