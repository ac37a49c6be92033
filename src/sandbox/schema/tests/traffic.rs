//! Edits of `spec.traffic` while routes lead to a version beside the workload.

use rstest::rstest;
use serde_json::{Value, json};

use crate::sandbox::schema::Schemas;

/// What an API server says of an edit that makes `spec.traffic` so; a GatedRelease of two routes, with such a status.
fn edited(status: Value, traffic: Value) -> String {
    let release = |traffic: Value| {
        let mut release = json!({
            "apiVersion": "tidegate.io/v1alpha1", "kind": "GatedRelease", "metadata": {"name": "shop"},
            "spec": {
                "workloadRef": {"name": "shop"}, "riskBudgetRef": {"name": "shop"}, "traffic": traffic,
                "rollback": {"errorRatePercent": 1, "latencyFactor": 2},
            },
            "status": status,
        });
        Schemas::tidegate().unwrap().default_and_prune("tidegate.io", "GatedRelease", &mut release);
        release
    };
    let old = release(json!({"service": "shop", "httpRoutes": [{"name": "a"}, {"name": "b"}]}));
    let errors = Schemas::tidegate().unwrap().validate("tidegate.io", "GatedRelease", &release(traffic), Some(&old));
    errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("\n")
}

/// The previous version serves after a late rollback: no weight of a release stands in the status.
#[rstest]
#[case::a_route_less(json!({"service": "shop", "httpRoutes": [{"name": "a"}]}))]
#[case::another_route(json!({"service": "shop", "httpRoutes": [{"name": "a"}, {"name": "c"}]}))]
#[case::no_route(json!({"service": "shop"}))]
#[case::another_service(json!({"service": "web", "httpRoutes": [{"name": "a"}, {"name": "b"}]}))]
#[case::another_label(json!({"service": "shop", "httpRoutes": [{"name": "a"}, {"name": "b"}], "canaryLabel": "app"}))]
fn what_would_leave_a_route_with_a_version_that_goes_is_refused(#[case] traffic: Value) {
    let told = edited(json!({"phase": "Idle", "heldRoutes": ["a", "b"]}), traffic.clone());
    assert!(told.contains("revert or fix in Git first"), "{told}");
    // When they are home again anything goes.
    assert_eq!(edited(json!({"phase": "Idle"}), traffic), "");
}

#[rstest]
#[case::the_same(json!(["a", "b"]), json!({"service": "shop", "httpRoutes": [{"name": "a"}, {"name": "b"}]}))]
#[case::in_another_order(json!(["a", "b"]), json!({"service": "shop", "httpRoutes": [{"name": "b"}, {"name": "a"}]}))]
#[case::one_more(json!(["a", "b"]), json!({"service": "shop", "httpRoutes": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}))]
#[case::without_one_that_is_not_held(json!(["a"]), json!({"service": "shop", "httpRoutes": [{"name": "a"}]}))]
#[case::held_but_not_listed(json!(["a", "z"]), json!({"service": "shop", "httpRoutes": [{"name": "a"}, {"name": "b"}]}))]
#[case::copies(json!(["a", "b"]), json!({"service": "shop", "httpRoutes": [{"name": "a"}, {"name": "b"}], "cloneNetworkPolicies": true}))]
fn what_keeps_every_held_route_is_allowed(#[case] held: Value, #[case] traffic: Value) {
    assert_eq!(edited(json!({"phase": "Idle", "heldRoutes": held}), traffic), "");
}
