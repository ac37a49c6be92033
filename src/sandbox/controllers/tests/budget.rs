//! PodDisruptionBudgets.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::World;
use crate::api::Span;
use crate::cluster::kind::PDB;

#[rstest]
#[case::min(json!({"minAvailable": 3}), [4, 3, 4, 1])]
#[case::min_share(json!({"minAvailable": "60%"}), [4, 3, 4, 1])]
#[case::max(json!({"maxUnavailable": 1}), [4, 3, 4, 1])]
#[case::max_share(json!({"maxUnavailable": "50%"}), [4, 2, 4, 2])]
#[case::none_at_all(json!({"maxUnavailable": 0}), [4, 4, 4, 0])]
fn a_budget_says_how_many_pods_may_go(#[case] spec: Value, #[case] expected: [i64; 4]) {
    let mut world = World::with_shop(4);
    let mut spec = spec;
    spec["selector"] = json!({"matchLabels": {"app": "shop"}});
    world.create(
        &PDB,
        json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": "shop", "namespace": "default"}, "spec": spec,
        }),
    );
    world.run(Span::seconds(1));
    let status = &world.get(&PDB, "shop")["status"];
    let is = ["currentHealthy", "desiredHealthy", "expectedPods", "disruptionsAllowed"];
    assert_eq!(is.map(|key| status[key].as_i64().unwrap()), expected);
    let allowed = if expected[3] > 0 { "True" } else { "False" };
    assert_eq!(status["conditions"][0]["status"], allowed);
}
