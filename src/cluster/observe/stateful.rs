//! The user's StatefulSet with its revisions, made to look like any other workload: what a ReplicaSet is to a Deployment a
//! ControllerRevision is to it.

use serde_json::Value;

use super::workload::{is_owned, selector};
use super::{created, number, pods, text};
use crate::api::Time;
use crate::api::names::HELD_PARTITION;
use crate::cluster::kind::{CONTROLLER_REVISION, STATEFUL_SET};
use crate::cluster::{Cluster, Error};
use crate::release::snapshot::{KindSeen, Ordinals, PodSeen, ReplicaSetSeen, Workload};

/// Reads a StatefulSet and its pods; the pods and the revisions only where they can matter, which is while its template is
/// held or not all of its pods run it.
pub(super) async fn read(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
) -> Result<(Option<Workload>, Vec<PodSeen>), Error> {
    let Some(object) = cluster.get(&STATEFUL_SET, namespace, name).await? else { return Ok((None, Vec::new())) };
    let ordinals = ordinals(&object);
    let quiet = ordinals.partition == 0 && ordinals.observed && ordinals.current == ordinals.update;
    let (Some(selector), false) = (selector(&object), quiet) else {
        let all = [whole(&object, &ordinals)];
        return Ok((Some(super::workload::seen(object, KindSeen::StatefulSet(ordinals), all.into())), Vec::new()));
    };
    let (revisions, pods) = tokio::try_join!(
        cluster.list(&CONTROLLER_REVISION, namespace, &selector),
        pods::of_stateful_set(cluster, namespace, &object, &selector),
    )?;
    let uid = text(&object, "/metadata/uid").unwrap_or_default();
    let owned = revisions.into_iter().filter(|revision| is_owned(revision, uid));
    let sets = owned.filter_map(|revision| set(revision, &ordinals, &pods)).collect();
    Ok((Some(super::workload::seen(object, KindSeen::StatefulSet(ordinals), sets)), pods))
}

fn ordinals(object: &Value) -> Ordinals {
    let whole = |place: &str| object.pointer(place).and_then(Value::as_i64).unwrap_or(0);
    let of = |place: &str| text(object, place).unwrap_or_default().to_owned();
    Ordinals {
        partition: number(object, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0).min(HELD_PARTITION),
        current: of("/status/currentRevision"),
        update: of("/status/updateRevision"),
        observed: whole("/status/observedGeneration") >= whole("/metadata/generation"),
    }
}

/// The one revision of a StatefulSet that rests.
fn whole(object: &Value, ordinals: &Ordinals) -> ReplicaSetSeen {
    let of = |place: &str| number(object, place).unwrap_or(0);
    ReplicaSetSeen {
        name: ordinals.current.clone(),
        resource_version: String::new(),
        created: Time(jiff::Timestamp::UNIX_EPOCH),
        replicas: of("/status/replicas"),
        existing: of("/status/replicas"),
        available: of("/status/readyReplicas"),
        template: object["spec"]["template"].clone(),
        crashes: Vec::new(),
    }
}

/// A revision with its pods counted; none where it neither has pods nor is what pods come back at. A held template has a
/// revision of its own from the first moment on, which says nothing about whether it ever ran.
fn set(mut revision: Value, ordinals: &Ordinals, pods: &[PodSeen]) -> Option<ReplicaSetSeen> {
    let name = text(&revision, "/metadata/name").unwrap_or_default().to_owned();
    let count = |which: fn(&PodSeen) -> bool| {
        u32::try_from(pods.iter().filter(|pod| pod.of == name && which(pod)).count()).unwrap_or(u32::MAX)
    };
    let existing = count(|_| true);
    if existing == 0 && name != ordinals.current {
        return None;
    }
    let mut template = revision["data"]["spec"]["template"].take();
    if let Some(template) = template.as_object_mut() {
        template.remove("$patch");
    }
    Some(ReplicaSetSeen {
        resource_version: text(&revision, "/metadata/resourceVersion").unwrap_or_default().to_owned(),
        created: created(&revision),
        replicas: count(|pod| !pod.deleting),
        existing,
        available: count(|pod| pod.ready && !pod.deleting),
        template,
        crashes: Vec::new(),
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(place: u32, of: &str, ready: bool) -> PodSeen {
        PodSeen {
            name: format!("db-{place}"),
            uid: format!("u{place}"),
            of: of.to_owned(),
            canary: false,
            place,
            ready,
            deleting: false,
            since: None,
            crashes: Vec::new(),
        }
    }

    #[test]
    fn a_held_template_whose_pods_never_ran_is_no_revision_that_ran() {
        let object = json!({"metadata": {"generation": 3}, "spec": {"updateStrategy": {"rollingUpdate": {"partition": 2_147_483_647_u32}}},
            "status": {"observedGeneration": 3, "currentRevision": "db-1", "updateRevision": "db-2"}});
        let ordinals = ordinals(&object);
        assert!(ordinals.observed && ordinals.partition == HELD_PARTITION);
        let revision = |name: &str| {
            json!({"metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "data": {"spec": {"template": {"$patch": "replace", "spec": {"containers": []}}}}})
        };
        let pods = [pod(0, "db-1", true), pod(1, "db-1", false)];
        assert_eq!(set(revision("db-2"), &ordinals, &pods), None);
        let current = set(revision("db-1"), &ordinals, &pods).unwrap();
        assert_eq!((current.replicas, current.existing, current.available), (2, 2, 1));
        assert_eq!(current.template, json!({"spec": {"containers": []}}));
        let pods = [pod(0, "db-1", true), pod(1, "db-2", true)];
        assert_eq!(set(revision("db-2"), &ordinals, &pods).unwrap().available, 1);
    }
}
