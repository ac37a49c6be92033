//! The autoscalers of the workload, KEDA's recognised, and the copy that the previous version has.

use serde_json::Value;

use super::{items, number, text};
use crate::api::Span;
use crate::api::gated_release::WorkloadKind;
use crate::api::names::SCALE_DOWN_MANAGER;
use crate::cluster::kind::{HPA, SCALED_OBJECT};
use crate::cluster::{Cluster, Error, Kind};
use crate::release::snapshot::{AutoscalerSeen, ScaledObjectSeen};

/// What the API server assumes where an autoscaler says nothing.
const DEFAULT_WINDOW_SECONDS: u32 = 300;

/// All autoscalers of a namespace; none where they may not be read.
pub(super) async fn list(cluster: &Cluster, namespace: &str) -> Result<Vec<Value>, Error> {
    match cluster.list(&HPA, namespace, "").await {
        Err(Error::Refused { code: 403 | 404, .. }) => Ok(Vec::new()),
        other => other,
    }
}

/// Those among them that scale the workload.
pub(super) async fn of_workload(
    cluster: &Cluster,
    namespace: &str,
    kind: WorkloadKind,
    workload: &str,
    all: &[Value],
) -> Result<Vec<AutoscalerSeen>, Error> {
    let mut found = Vec::new();
    for object in all.iter().filter(|object| scales(object, kind, workload)) {
        let mut seen = seen(object);
        if let Some(name) = owner(object) {
            seen.scaled_object = Some(scaled_object(cluster, namespace, name).await?);
        }
        found.push(seen);
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn scales(object: &Value, kind: WorkloadKind, workload: &str) -> bool {
    let target = |field: &str| text(object, &format!("/spec/scaleTargetRef/{field}"));
    let is_apps = target("apiVersion").is_none_or(|version| version.starts_with("apps/"));
    is_apps && target("kind") == Some(kind.as_str()) && target("name") == Some(workload)
}

fn seen(object: &Value) -> AutoscalerSeen {
    let window = number(object, "/spec/behavior/scaleDown/stabilizationWindowSeconds");
    AutoscalerSeen {
        name: text(object, "/metadata/name").unwrap_or_default().to_owned(),
        resource_version: text(object, "/metadata/resourceVersion").unwrap_or_default().to_owned(),
        spec: object["spec"].clone(),
        held: is_held(object),
        window: Span::seconds(u64::from(window.unwrap_or(DEFAULT_WINDOW_SECONDS))),
        scaled_object: None,
    }
}

/// Whether our leaf stands in it.
fn is_held(object: &Value) -> bool {
    items(object, "/metadata/managedFields").iter().any(|entry| entry["manager"] == SCALE_DOWN_MANAGER)
}

fn owner(object: &Value) -> Option<&str> {
    let owners = items(object, "/metadata/ownerReferences").iter();
    owners.filter(|owner| owner["kind"] == SCALED_OBJECT.kind).find_map(|owner| owner["name"].as_str())
}

async fn scaled_object(cluster: &Cluster, namespace: &str, name: &str) -> Result<ScaledObjectSeen, Error> {
    let kind: &Kind = &SCALED_OBJECT;
    let object = match cluster.get(kind, namespace, name).await {
        Err(Error::Refused { code: 403, .. }) => None,
        other => other?,
    };
    Ok(ScaledObjectSeen {
        name: name.to_owned(),
        resource_version: object
            .as_ref()
            .and_then(|object| text(object, "/metadata/resourceVersion"))
            .unwrap_or_default()
            .to_owned(),
        held: object.as_ref().is_some_and(is_held),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}), true)]
    #[case(json!({"kind": "Deployment", "name": "web"}), true)]
    #[case(json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web"}), false)]
    #[case(json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-canary"}), false)]
    #[case(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Deployment", "name": "web"}), false)]
    fn an_autoscaler_belongs_to_the_workload_that_it_scales(#[case] target: Value, #[case] belongs: bool) {
        assert_eq!(scales(&json!({"spec": {"scaleTargetRef": target}}), WorkloadKind::Deployment, "web"), belongs);
    }

    #[test]
    fn what_an_autoscaler_says_is_read() {
        let object = json!({
            "metadata": {"name": "web", "resourceVersion": "7",
                "managedFields": [{"manager": "kubectl"}, {"manager": SCALE_DOWN_MANAGER, "operation": "Apply"}],
                "ownerReferences": [{"kind": "ScaledObject", "name": "web-keda"}]},
            "spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}},
        });
        let seen = seen(&object);
        assert_eq!((seen.held, seen.window, owner(&object)), (true, Span::minutes(1), Some("web-keda")));
        let plain = super::seen(&json!({"metadata": {"name": "web"}, "spec": {}}));
        assert_eq!((plain.held, plain.window), (false, Span::minutes(5)));
    }
}
