use rstest::rstest;
use serde_json::{Value, json};

use super::world::{CONTROLLER, MACHINE, PERSON, World, with};
use crate::admission::Override;

const ONLY: &str = "written by Tidegate only, not by ";

fn records() -> World {
    World::new(Override::Audit, ("tidegate.io", "v1alpha1", "releaserecords"))
}

fn record() -> Value {
    json!({
        "apiVersion": "tidegate.io/v1alpha1", "kind": "ReleaseRecord", "metadata": {"name": "c", "namespace": "shop"},
        "spec": {"release": "shop", "attempt": 1, "workloadUid": "u", "revision": "r1", "riskBudget": "shop",
            "change": {"type": "Feature"}},
    })
}

#[rstest]
#[case::a_person(PERSON)]
#[case::a_machine(MACHINE)]
#[case::the_clusters_admin("kubernetes-admin")]
fn a_record_is_created_by_the_controller_and_by_nobody_else(#[case] user: &str) {
    let mut world = records();
    let why = world.write(user, record(), None).unwrap_err();
    assert!(why.contains(&format!("{ONLY}{user}")), "{why}");
    world.write(CONTROLLER, record(), None).unwrap();
}

#[test]
fn a_records_status_and_labels_are_written_by_the_controller_only() {
    let mut world = records();
    world.write(CONTROLLER, record(), None).unwrap();
    let with_status = with(record(), json!({"status": {"phase": "Plan", "phaseSince": "2026-01-01T00:00:00Z"}}));
    assert!(world.write(PERSON, with_status.clone(), Some("status")).unwrap_err().contains(ONLY));
    world.write(CONTROLLER, with_status, Some("status")).unwrap();
    let relabelled = json!({"metadata": {"labels": {"tidegate.io/release": "other"}}});
    assert!(world.patch(PERSON, relabelled).unwrap_err().contains(ONLY));
}

#[test]
fn metadata_that_says_nothing_may_change() {
    let mut world = records();
    world.write(CONTROLLER, record(), None).unwrap();
    let collector = "system:serviceaccount:kube-system:generic-garbage-collector";
    world.patch(collector, json!({"metadata": {"finalizers": ["foregroundDeletion"]}})).unwrap();
}
