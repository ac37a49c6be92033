use rstest::rstest;
use serde_json::{Value, json};

use super::world::{CONTROLLER, MACHINE, PERSON, Right, World, with};
use crate::admission::Override;

const PURGE: [&str; 4] = ["tidegate.io", "releaserecords", "purge", ""];
const OF_ANOTHER: [&str; 4] = ["tidegate.io", "releaserecords", "purge", "other"];
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

/// What is charged is counted from records, and an audit rests on them.
#[rstest]
#[case::who_may_purge(PERSON, &[(PERSON, PURGE)], true)]
#[case::the_garbage_collector("system:serviceaccount:kube-system:generic-garbage-collector", &[], true)]
#[case::the_namespaces_end("system:serviceaccount:kube-system:namespace-controller", &[], true)]
#[case::a_manager_of_older_clusters("system:kube-controller-manager", &[], true)]
#[case::a_person(PERSON, &[], false)]
#[case::who_may_purge_another(PERSON, &[(PERSON, OF_ANOTHER)], false)]
#[case::a_tool(MACHINE, &[], false)]
fn a_record_is_deleted_by(#[case] user: &str, #[case] rights: &[Right], #[case] goes: bool) {
    for sealed in [false, true] {
        let mut world = kept(sealed);
        world.rights = rights.to_vec();
        match (world.delete(user), goes) {
            (Ok(()), true) => {}
            (Err(why), false) => {
                assert!(
                    why.contains("releaserecord shop/c: deleted by who holds the verb purge on releaserecords"),
                    "{why}"
                );
                assert!(why.contains(&format!("not by {user}")) && why.contains("tidegate audit verify"), "{why}");
            }
            (answer, _) => panic!("{answer:?}"),
        }
    }
}

#[test]
fn the_controller_prunes_what_is_sealed_and_nothing_that_goes_on() {
    let why = kept(false).delete(CONTROLLER).unwrap_err();
    assert!(why.contains("tells of something that goes on"), "{why}");
    kept(true).delete(CONTROLLER).unwrap();
}

/// A record that is there.
fn kept(sealed: bool) -> World {
    let mut world = records();
    world.write(CONTROLLER, record(), None).unwrap();
    let mut status = json!({"phase": "Plan", "phaseSince": "2026-01-01T00:00:00Z"});
    if sealed {
        status["outcome"] = json!("Succeeded");
    }
    world.write(CONTROLLER, with(record(), json!({"status": status})), Some("status")).unwrap();
    world
}
