//! What runs beside a workload: the controller alone says what that is.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::{CONTROLLER, MACHINE, PERSON, World};

/// A canary's Deployment.
fn canary() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "c", "namespace": "shop", "labels": {"tidegate.io/role": "canary", "tidegate.io/release": "web"},
            "annotations": {"tidegate.io/revision": "0123"},
        },
        "spec": {"replicas": 1, "template": {
            "metadata": {"labels": {"app": "web-canary"}, "annotations": {"team": "shop"}},
            "spec": {"containers": [{"name": "app", "image": "app:2"}]},
        }},
    })
}

fn world() -> World {
    let mut world = World::deployments();
    world.write(CONTROLLER, canary(), None).unwrap();
    world
}

fn runs(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}})
}

#[rstest]
#[case::another_image(runs("app:3"), "spec.template: deployment shop/c runs a version as it was judged")]
#[case::another_label(json!({"spec": {"template": {"metadata": {"labels": {"app": "web"}}}}}), "spec.template: deployment shop/c")]
#[case::another_annotation(json!({"spec": {"template": {"metadata": {"annotations": {"team": null}}}}}), "spec.template: deployment shop/c")]
#[case::another_revision(json!({"metadata": {"annotations": {"tidegate.io/revision": "4567"}}}), "may not change them: leave them as they are")]
#[case::no_revision(json!({"metadata": {"annotations": {"tidegate.io/revision": null}}}), "may not change them")]
#[case::another_release(json!({"metadata": {"labels": {"tidegate.io/release": "api"}}}), "may not change them")]
#[case::out_of_sight(json!({"metadata": {"labels": {"tidegate.io/role": null}}}), "may not change them")]
fn nobody_else_changes(#[case] patch: Value, #[case] says: &str) {
    for user in [PERSON, MACHINE, "sam", "system:masters"] {
        let why = world().patch(user, patch.clone()).unwrap_err();
        assert!(why.contains(says) && why.contains(user), "{user}: {why}");
    }
    world().patch(CONTROLLER, patch).unwrap();
}

#[rstest]
#[case::its_size(json!({"spec": {"replicas": 3}}))]
#[case::a_restart(json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}))]
#[case::marks_of_others(json!({"metadata": {"labels": {"team": "shop"}, "annotations": {"deployment.kubernetes.io/revision": "2"}}}))]
fn anybody_changes(#[case] patch: Value) {
    world().patch(PERSON, patch).unwrap();
}

#[test]
fn nobody_else_makes_one_or_makes_one_of_another_deployment() {
    let why = World::deployments().write(PERSON, canary(), None).unwrap_err();
    assert!(
        why.contains("metadata.labels[tidegate.io/role]: deployment shop/c would be taken for what Tidegate"),
        "{why}"
    );

    let mut world = World::deployments();
    let mut ordinary = canary();
    ordinary["metadata"]["labels"] = json!({"app": "web"});
    ordinary["metadata"]["annotations"] = json!({});
    world.write(PERSON, ordinary, None).unwrap();
    let why = world.patch(PERSON, json!({"metadata": {"labels": {"tidegate.io/role": "canary"}}})).unwrap_err();
    assert!(why.contains("may not change them"), "{why}");
}

#[test]
fn anybody_deletes_it_and_the_cluster_writes_its_status() {
    let mut world = world();
    let mut counted = world.object().clone();
    counted["status"] = json!({"replicas": 1});
    world.write("system:serviceaccount:kube-system:deployment-controller", counted, Some("status")).unwrap();
    world.delete(PERSON).unwrap();
}
