//! What admission stamped on a workload for the gate's sake, and what of it goes with the gate.

use serde_json::Value;

use crate::api::gated_release::WorkloadKind;
use crate::api::names::{CHANGED_BY, PAUSED_BECAUSE, RESUMED_BY};

/// The stamps that may go: not one that a tool applies from a manifest, which would come back with the next apply, and not what
/// explains a hold that stands, which whoever describes the workload needs until it is let go.
pub(super) fn stamps(kind: WorkloadKind, object: &Value) -> Vec<&'static str> {
    let held = match kind {
        WorkloadKind::Deployment => object.pointer("/spec/paused") == Some(&true.into()),
        WorkloadKind::StatefulSet => {
            let partition = object.pointer("/spec/updateStrategy/rollingUpdate/partition");
            partition.and_then(Value::as_u64).is_some_and(|partition| partition > 0)
        }
    };
    let there = |key: &&str| object.pointer("/metadata/annotations").is_some_and(|all| all.get(*key).is_some());
    let stays = |key: &str| held && key == PAUSED_BECAUSE || is_applied(object, key);
    [CHANGED_BY, RESUMED_BY, PAUSED_BECAUSE].into_iter().filter(there).filter(|key| !stays(key)).collect()
}

/// Whether a manifest has the annotation. What admission adds to an apply is owned as an update, also where that came by apply.
fn is_applied(object: &Value, key: &str) -> bool {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries.into_iter().flatten().filter(|entry| entry["operation"] == "Apply").any(|entry| {
        let annotations = entry.pointer("/fieldsV1/f:metadata/f:annotations");
        annotations.is_some_and(|all| all.get(format!("f:{key}")).is_some())
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const ALL: [&str; 3] = [CHANGED_BY, RESUMED_BY, PAUSED_BECAUSE];

    fn workload(spec: &Value, operation: &str) -> Value {
        let annotations =
            json!({CHANGED_BY: "alice", RESUMED_BY: "bob", PAUSED_BECAUSE: "x", "tidegate.io/change": "git:1"});
        let fields = json!({"f:metadata": {"f:annotations": {format!("f:{CHANGED_BY}"): {}}}});
        let managed = json!([{"manager": "git", "operation": operation, "fieldsV1": fields}]);
        json!({"metadata": {"annotations": annotations, "managedFields": managed}, "spec": spec})
    }

    #[rstest]
    #[case::it_runs(WorkloadKind::Deployment, json!({}), "Update", &ALL)]
    #[case::it_is_held(WorkloadKind::Deployment, json!({"paused": true}), "Update", &ALL[..2])]
    #[case::in_a_manifest(WorkloadKind::Deployment, json!({}), "Apply", &ALL[1..])]
    #[case::held_by_a_partition(
        WorkloadKind::StatefulSet, json!({"updateStrategy": {"rollingUpdate": {"partition": 2_147_483_647_u32}}}), "Update", &ALL[..2]
    )]
    #[case::at_partition_0(
        WorkloadKind::StatefulSet, json!({"updateStrategy": {"rollingUpdate": {"partition": 0}}}), "Update", &ALL
    )]
    fn what_speaks_of_the_gate_goes(
        #[case] kind: WorkloadKind,
        #[case] spec: Value,
        #[case] operation: &str,
        #[case] wanted: &[&str],
    ) {
        assert_eq!(stamps(kind, &workload(&spec, operation)), wanted);
    }

    #[test]
    fn where_nothing_is_stamped_nothing_goes() {
        let plain = json!({"metadata": {"annotations": {"tidegate.io/change": "git:1"}}, "spec": {}});
        assert!(stamps(WorkloadKind::Deployment, &plain).is_empty());
    }
}
