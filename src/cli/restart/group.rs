//! Which pods a restart is about: groups whose pods stand in for each other, each by a selector.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::ListParams;
use kube::core::{Expression, Selector};
use kube::{Api, Client, ResourceExt};

use crate::api::gated_release::WorkloadKind;
use crate::api::names::{CONTROLLER_REVISION_HASH, RELEASE, ROLE};
use crate::cli::{Failure, why};

/// Pods that stand in for each other.
pub(super) struct Group {
    /// Whose pods they are.
    pub(super) name: String,
    /// What they are in a release.
    pub(super) role: String,
    pub(super) selector: Selector,
}

/// The workload.
pub(super) struct Found {
    /// Whether something keeps its template from its pods.
    pub(super) held: bool,
    pub(super) groups: Vec<Group>,
}

/// Reads the workload.
pub(super) async fn find(client: &Client, namespace: &str, kind: WorkloadKind, name: &str) -> Result<Found, Failure> {
    let failed = |error: kube::Error| format!("{kind} {namespace}/{name}: {}", why(&error));
    match kind {
        WorkloadKind::Deployment => {
            of_deployment(&Api::namespaced(client.clone(), namespace).get(name).await.map_err(failed)?)
        }
        WorkloadKind::StatefulSet => {
            of_stateful_set(&Api::namespaced(client.clone(), namespace).get(name).await.map_err(failed)?)
        }
    }
}

/// What Tidegate made beside the workload.
pub(super) async fn sides(client: &Client, namespace: &str, release: &str) -> Result<Vec<Group>, Failure> {
    let ours = ListParams::default().labels(&format!("{RELEASE}={release}"));
    let all = Api::<Deployment>::namespaced(client.clone(), namespace).list(&ours).await;
    let all = all.map_err(|error| format!("Deployments of the release: {}", why(&error)))?;
    let side = |one: &Deployment| {
        let role = one.labels().get(ROLE).map_or("canary", String::as_str).to_owned();
        let selector =
            selector(WorkloadKind::Deployment, &one.name_any(), one.spec.as_ref().map(|spec| &spec.selector))?;
        Ok(Group { name: one.name_any(), role, selector })
    };
    all.items.iter().map(side).collect()
}

fn of_deployment(object: &Deployment) -> Result<Found, Failure> {
    let (name, spec) = (object.name_any(), object.spec.as_ref());
    let mut selector = selector(WorkloadKind::Deployment, &name, spec.map(|spec| &spec.selector))?;
    // Without routes the canary's pods carry the workload's labels, and one more.
    selector.extend(Expression::DoesNotExist(ROLE.to_owned()));
    let held = spec.and_then(|spec| spec.paused).unwrap_or(false);
    Ok(Found { held, groups: vec![Group { name, role: "workload".to_owned(), selector }] })
}

/// In the middle of a release its pods are of two revisions, and the pods of one do not stand in for the other's.
fn of_stateful_set(object: &StatefulSet) -> Result<Found, Failure> {
    let (name, spec) = (object.name_any(), object.spec.as_ref());
    let all = selector(WorkloadKind::StatefulSet, &name, spec.map(|spec| &spec.selector))?;
    let strategy = spec.and_then(|spec| spec.update_strategy.as_ref()?.rolling_update.as_ref());
    let held = strategy.and_then(|rolling| rolling.partition).unwrap_or(0) > 0;
    let status = object.status.clone().unwrap_or_default();
    let revisions = (status.current_revision.unwrap_or_default(), status.update_revision.unwrap_or_default());
    let group = |role: &str, revision: Option<String>| {
        let mut selector = all.clone();
        selector.extend(revision.map(|revision| Expression::Equal(CONTROLLER_REVISION_HASH.to_owned(), revision)));
        Group { name: name.clone(), role: role.to_owned(), selector }
    };
    let groups = match revisions {
        (current, update) if current != update => {
            vec![group("workload, former version", Some(current)), group("workload, new version", Some(update))]
        }
        _ => vec![group("workload", None)],
    };
    Ok(Found { held, groups })
}

fn selector(kind: WorkloadKind, name: &str, labels: Option<&LabelSelector>) -> Result<Selector, Failure> {
    let labels = labels.cloned().unwrap_or_default();
    let all = labels.match_labels.unwrap_or_default();
    if all.is_empty() || labels.match_expressions.is_some_and(|all| !all.is_empty()) {
        return Err(format!(
            "{kind} {name}: spec.selector is not made of labels alone. Evict its pods by hand: kubectl delete pod NAME, one after another"
        ));
    }
    Ok(all.into_iter().map(|(key, value)| Expression::Equal(key, value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stateful_set(partition: u32, current: &str, update: &str) -> Found {
        let object = json!({
            "metadata": {"name": "db"},
            "spec": {"selector": {"matchLabels": {"app": "db"}}, "serviceName": "db", "template": {},
                "updateStrategy": {"rollingUpdate": {"partition": partition}}},
            "status": {"replicas": 3, "currentRevision": current, "updateRevision": update},
        });
        of_stateful_set(&serde_json::from_value(object).unwrap()).unwrap()
    }

    fn told(found: &Found) -> Vec<String> {
        found.groups.iter().map(|group| format!("{}: {}", group.role, group.selector)).collect()
    }

    #[test]
    fn the_canary_of_a_release_without_routes_is_a_group_of_its_own() {
        let object = json!({"metadata": {"name": "web"}, "spec": {"paused": true, "selector": {"matchLabels": {"app": "web"}}, "template": {}}});
        let found = of_deployment(&serde_json::from_value(object).unwrap()).unwrap();
        assert!(found.held);
        assert_eq!(told(&found), ["workload: app=web,!tidegate.io/role"]);
    }

    #[test]
    fn the_versions_of_a_stateful_set_are_groups_of_their_own() {
        let found = stateful_set(2, "db-1", "db-2");
        assert!(found.held);
        let wanted = [
            "workload, former version: app=db,controller-revision-hash=db-1",
            "workload, new version: app=db,controller-revision-hash=db-2",
        ];
        assert_eq!(told(&found), wanted);
        let idle = stateful_set(0, "db-2", "db-2");
        assert!(!idle.held);
        assert_eq!(told(&idle), ["workload: app=db"]);
    }

    #[test]
    fn a_selector_of_other_than_labels_is_refused() {
        let labels = json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]});
        let labels: LabelSelector = serde_json::from_value(labels).unwrap();
        let refused = selector(WorkloadKind::StatefulSet, "db", Some(&labels)).unwrap_err();
        assert!(refused.starts_with("StatefulSet db: spec.selector is not made of labels alone"), "{refused}");
    }
}
