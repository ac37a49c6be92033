//! The pods behind a workload's selector, where exposure is by their number.

use serde_json::Value;

use super::workload::is_owned;
use super::{items, number, side, strings, text};
use crate::api::Time;
use crate::api::names::{CONTROLLER_REVISION_HASH, RELEASE, ROLE};
use crate::cluster::kind::POD;
use crate::cluster::{Cluster, Error};
use crate::release::snapshot::{PodSeen, Release, Workload};
use crate::release::split::Carrier;

/// The pods of a Deployment and of the canary beside it, which carries the same labels and one more.
pub(super) async fn of_deployment(
    cluster: &Cluster,
    release: &Release,
    selector: Option<&str>,
) -> Result<Vec<PodSeen>, Error> {
    let Some(selector) = selector else { return Ok(Vec::new()) };
    let all = cluster.list(&POD, &release.namespace, selector).await?;
    Ok(all.iter().filter_map(|pod| of_replica_set(pod, &release.name)).collect())
}

/// How often a container of the workload's own pods was started again after errors, for it to count: they run for hours, and one that
/// its node killed once says nothing of the version.
const RESTARTS: u32 = 2;

/// Reads what crashes in the pods of a Deployment, and tells it of the ReplicaSet that they belong to.
pub(super) async fn crashes(cluster: &Cluster, release: &Release, workload: &mut Workload) -> Result<(), Error> {
    let Some(selector) = super::workload::selector_of(&workload.selector) else { return Ok(()) };
    let pods = cluster.list(&POD, &release.namespace, &selector).await?;
    for set in &mut workload.sets {
        let own = pods.iter().filter(|pod| set_of(pod) == Some(set.name.as_str()));
        set.crashes = own.flat_map(|pod| side::crashed_containers(pod, RESTARTS)).take(side::CRASHES_MAX).collect();
    }
    Ok(())
}

/// The ReplicaSet that controls a pod.
fn set_of(pod: &Value) -> Option<&str> {
    let owner = items(pod, "/metadata/ownerReferences").iter().find(|owner| owner["controller"] == true)?;
    owner["name"].as_str().filter(|_| owner["kind"] == "ReplicaSet")
}

fn of_replica_set(pod: &Value, release: &str) -> Option<PodSeen> {
    // A ReplicaSet neither counts nor deletes a pod that was evicted by its node, or that ended: it is nobody's any more.
    if matches!(text(pod, "/status/phase"), Some("Failed" | "Succeeded")) {
        return None;
    }
    let of = set_of(pod)?;
    let labels = strings(pod, "/metadata/labels");
    let label = |key: &str| labels.get(key).map(String::as_str);
    let canary = label(ROLE) == Some(Carrier::Canary.as_str()) && label(RELEASE) == Some(release);
    Some(PodSeen { of: of.to_owned(), canary, ..seen(pod) })
}

/// The pods of a StatefulSet.
pub(super) async fn of_stateful_set(
    cluster: &Cluster,
    namespace: &str,
    object: &Value,
    selector: &str,
) -> Result<Vec<PodSeen>, Error> {
    let uid = text(object, "/metadata/uid").unwrap_or_default();
    let start = number(object, "/spec/ordinals/start").unwrap_or(0);
    let all = cluster.list(&POD, namespace, selector).await?;
    Ok(all.iter().filter(|pod| is_owned(pod, uid)).filter_map(|pod| with_ordinal(pod, start)).collect())
}

/// None where the name carries no ordinal, which no pod that a StatefulSet made lacks.
fn with_ordinal(pod: &Value, start: u32) -> Option<PodSeen> {
    let seen = seen(pod);
    let ordinal: u32 = seen.name.rsplit('-').next()?.parse().ok()?;
    let of = strings(pod, "/metadata/labels").remove(CONTROLLER_REVISION_HASH).unwrap_or_default();
    Some(PodSeen { of, place: ordinal.checked_sub(start)?, ..seen })
}

fn seen(pod: &Value) -> PodSeen {
    let is_ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    let deleting = pod.pointer("/metadata/deletionTimestamp").is_some();
    PodSeen {
        name: text(pod, "/metadata/name").unwrap_or_default().to_owned(),
        uid: text(pod, "/metadata/uid").unwrap_or_default().to_owned(),
        of: String::new(),
        canary: false,
        place: 0,
        ready: !deleting && items(pod, "/status/conditions").iter().any(is_ready),
        deleting,
        since: since(pod),
        crashes: side::crashed_containers(pod, 1),
    }
}

/// Since when it is ready, not ready, or on its way out. A deletion counts from when its grace is over.
fn since(pod: &Value) -> Option<Time> {
    let ready = items(pod, "/status/conditions").iter().find(|condition| condition["type"] == "Ready");
    let changed = ready.and_then(|condition| text(condition, "/lastTransitionTime"));
    let deleted = text(pod, "/metadata/deletionTimestamp");
    deleted.or(changed).or_else(|| text(pod, "/metadata/creationTimestamp"))?.parse().ok().map(Time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn an_ordinal_is_counted_from_where_the_set_begins() {
        let pod = json!({"metadata": {"name": "db-7", "uid": "u", "labels": {CONTROLLER_REVISION_HASH: "db-6f"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        let seen = with_ordinal(&pod, 5).unwrap();
        assert_eq!((seen.place, seen.of.as_str(), seen.ready), (2, "db-6f", true));
        assert_eq!(with_ordinal(&pod, 8), None, "of an older numbering");
    }

    #[rstest]
    #[case::on_its_way_out(json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:09Z", "creationTimestamp": "2026-01-01T00:00:01Z"},
        "status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:05Z"}]}}), Some("2026-01-01T00:00:09Z"))]
    #[case::not_ready(json!({"metadata": {"creationTimestamp": "2026-01-01T00:00:01Z"},
        "status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:05Z"}]}}), Some("2026-01-01T00:00:05Z"))]
    #[case::just_made(json!({"metadata": {"creationTimestamp": "2026-01-01T00:00:01Z"}}), Some("2026-01-01T00:00:01Z"))]
    #[case::untold(json!({}), None)]
    fn a_pod_tells_since_when_it_is_as_it_is(#[case] pod: Value, #[case] told: Option<&str>) {
        assert_eq!(since(&pod), told.map(|told| Time(told.parse().unwrap())));
    }

    #[test]
    fn a_canary_is_known_by_its_labels_and_a_bare_pod_is_nobodys() {
        let owners = json!([{"kind": "ReplicaSet", "name": "web-canary-5f", "controller": true}]);
        let labels = json!({"app": "web", ROLE: "canary", RELEASE: "web"});
        let pod = json!({"metadata": {"name": "web-canary-5f-x", "labels": labels, "ownerReferences": owners}});
        let seen = of_replica_set(&pod, "web").unwrap();
        assert!(seen.canary && !seen.ready && seen.of == "web-canary-5f");
        assert!(!of_replica_set(&pod, "another").unwrap().canary);
        assert_eq!(of_replica_set(&json!({"metadata": {"name": "debug"}}), "web"), None);
        let mut evicted = pod;
        evicted["status"] = json!({"phase": "Failed", "reason": "Evicted"});
        assert_eq!(of_replica_set(&evicted, "web"), None, "its ReplicaSet has made another one");
    }
}
