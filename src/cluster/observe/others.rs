//! Other GatedReleases that claim what one names.

use serde_json::Value;

use super::{items, text};
use crate::api::GatedReleaseSpec;
use crate::api::Time;
use crate::api::names::{DETACH, FINALIZER};
use crate::cluster::kind::GATED_RELEASE;
use crate::cluster::{Cluster, Error};
use crate::release::snapshot::Release;
use crate::release::twins::{Claim, divided};

/// The claims of GatedReleases of these names, as they are now.
pub async fn of_names(cluster: &Cluster, namespace: &str, names: &[String]) -> Result<Vec<Claim>, Error> {
    let read = names.iter().map(|name| cluster.get(&GATED_RELEASE, namespace, name));
    let found = futures::future::try_join_all(read).await?;
    Ok(found.iter().flatten().filter_map(claim).collect())
}

/// The same where nothing says which to read: of all others in the namespace.
pub async fn listed(cluster: &Cluster, release: &Release) -> Result<Vec<Claim>, Error> {
    let all = cluster.list_all(&GATED_RELEASE, &release.namespace, "").await?;
    let others = all.iter().filter(|object| text(object, "/metadata/name") != Some(release.name.as_str()));
    Ok(others.filter_map(claim).collect())
}

/// What a GatedRelease claims. One that cannot be read is not looked after and claims nothing, unless it has its workload already.
fn claim(object: &Value) -> Option<Claim> {
    let finalizer = items(object, "/metadata/finalizers").iter().any(|one| one == FINALIZER);
    let spec = serde_json::from_value::<GatedReleaseSpec>(object["spec"].clone());
    let (workload, service) = match spec {
        Ok(spec) => (spec.workload_ref.clone(), divided(&spec)),
        Err(_) if finalizer => (serde_json::from_value(object.pointer("/spec/workloadRef")?.clone()).ok()?, None),
        Err(_) => return None,
    };
    let detached = object.pointer("/metadata/annotations").is_some_and(|all| all.get(DETACH).is_some());
    Some(Claim {
        name: text(object, "/metadata/name")?.to_owned(),
        uid: text(object, "/metadata/uid").unwrap_or_default().to_owned(),
        created: text(object, "/metadata/creationTimestamp").and_then(|at| at.parse().ok()).map(Time),
        finalizer,
        leaves: detached || object.pointer("/metadata/deletionTimestamp").is_some(),
        workload,
        service,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn object(patch: Value) -> Value {
        let mut object = json!({
            "metadata": {"name": "web", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FINALIZER]},
            "spec": {
                "workloadRef": {"name": "web"}, "riskBudgetRef": {"name": "web"},
                "traffic": {"service": "web", "httpRoutes": [{"name": "web"}]},
                "rollback": {"errorRatePercent": 1, "latencyFactor": 2},
            },
        });
        json_patch::merge(&mut object, &patch);
        object
    }

    /// What is claimed: by whom, whether under the gate already, whether it leaves, and the Service.
    #[rstest]
    #[case::usual(json!({}), Some((true, false, Some("web"))))]
    #[case::by_count(json!({"spec": {"traffic": {"httpRoutes": null}}}), Some((true, false, None)))]
    #[case::detached(json!({"metadata": {"annotations": {DETACH: ""}}}), Some((true, true, Some("web"))))]
    #[case::deleted(json!({"metadata": {"deletionTimestamp": "2026-01-02T00:00:00Z"}}), Some((true, true, Some("web"))))]
    #[case::new(json!({"metadata": {"finalizers": []}}), Some((false, false, Some("web"))))]
    #[case::unreadable(json!({"spec": {"strategy": 7}}), Some((true, false, None)))]
    #[case::unreadable_and_new(json!({"metadata": {"finalizers": []}, "spec": {"strategy": 7}}), None)]
    fn what_is_claimed(#[case] patch: Value, #[case] expected: Option<(bool, bool, Option<&str>)>) {
        let claim = claim(&object(patch));
        let claimed = claim.as_ref().map(|claim| (claim.finalizer, claim.leaves, claim.service.as_deref()));
        assert_eq!(claimed, expected);
        assert!(claim.is_none_or(|claim| claim.workload.name == "web" && claim.created.is_some()));
    }
}
