use rstest::rstest;
use serde_json::{Value, json};

use super::world::{CONTROLLER, MACHINE, PERSON, Right, World};
use crate::admission::Override;

const PURGE: [&str; 4] = ["tidegate.io", "riskbudgets", "purge", ""];
const OF_ANOTHER: [&str; 4] = ["tidegate.io", "riskbudgets", "purge", "other"];
const COLLECTOR: &str = "system:serviceaccount:kube-system:generic-garbage-collector";

fn world(rights: &[Right]) -> World {
    let mut world = World::new(Override::Audit, ("tidegate.io", "v1alpha1", "riskbudgets"));
    world.rights = rights.to_vec();
    world.write(PERSON, budget(), None).unwrap();
    world
}

fn budget() -> Value {
    json!({
        "apiVersion": "tidegate.io/v1alpha1", "kind": "RiskBudget", "metadata": {"name": "c", "namespace": "shop"},
        "spec": {"tier": 2, "slos": [{"name": "a", "objective": 99.5, "availability": {"service": "web"}}]},
    })
}

#[rstest]
#[case::who_may_purge(PERSON, &[(PERSON, PURGE)], true)]
#[case::the_garbage_collector(COLLECTOR, &[], true)]
#[case::the_namespaces_end("system:serviceaccount:kube-system:namespace-controller", &[], true)]
#[case::a_manager_of_older_clusters("system:kube-controller-manager", &[], true)]
#[case::who_made_it(PERSON, &[], false)]
#[case::who_may_purge_another(PERSON, &[(PERSON, OF_ANOTHER)], false)]
#[case::a_tool(MACHINE, &[], false)]
#[case::the_controller(CONTROLLER, &[], false)]
fn a_budget_is_deleted_by(#[case] user: &str, #[case] rights: &[Right], #[case] goes: bool) {
    let mut world = world(rights);
    match (world.delete(user), goes) {
        (Ok(()), true) => {}
        (Err(why), false) => {
            assert!(
                why.contains("riskbudget shop/c: deleted by who holds the verb purge on riskbudgets.tidegate.io"),
                "{why}"
            );
            assert!(why.contains(&format!("not by {user}")), "{why}");
            assert!(why.contains("kubectl tidegate approve --budget c -n shop"), "{why}");
        }
        (answer, _) => panic!("{answer:?}"),
    }
}

#[test]
fn nobody_gives_it_an_owner_that_takes_it_along() {
    let mut world = world(&[]);
    let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "1"}]);
    let why = world.patch(PERSON, json!({"metadata": {"ownerReferences": owner}})).unwrap_err();
    assert!(why.contains("metadata.ownerReferences: an owner would let riskbudget shop/c be deleted"), "{why}");
    world.patch(PERSON, json!({"spec": {"tier": 3}, "metadata": {"labels": {"team": "shop"}}})).unwrap();
}
