//! What is said about the loosening of a RiskBudget.

use rstest::rstest;
use serde_json::{Value, json};

use super::{RISK_BUDGET, World, world};
use crate::policy::loosening::remember;
use crate::sandbox::objects::Objects as _;

/// The budget of `shop/web` was Tier 3 and is to be Tier 1; the controller has seen it.
fn loosened() -> World {
    let world = world();
    let mut budget = world.with(|api| api.get(&RISK_BUDGET, "shop", "web").unwrap().clone());
    let generation = 1;
    budget["metadata"]["generation"] = json!(generation);
    let mut former = budget["spec"].clone();
    former["tier"] = json!(3);
    let former = remember(&serde_json::from_value(former).unwrap()).unwrap();
    budget["status"] = json!({
        "observedGeneration": generation, "inForce": {"generation": generation, "spec": former},
        "loosening": {"revision": "spec-1", "since": "2026-01-01T11:00:00Z", "roles": ["product-manager", "development-manager"],
            "fields": [{"field": "spec.tier", "from": "3", "to": "1"}]},
    });
    world.put(&RISK_BUDGET, budget);
    world
}

#[tokio::test]
async fn an_approval_shows_what_is_allowed_and_is_bound_to_the_spec() {
    let world = loosened();
    let told = world.done("dana", "approve --budget web --role product-manager --note agreed").await;
    let (page, last) = told.trim_end().rsplit_once('\n').unwrap();
    insta::assert_snapshot!(page, @r"
    RiskBudget shop/web: generation 1 would allow more since 1 Jan 11:00:00 UTC
      spec.tier: 3 → 1
      takes      product-manager and development-manager
    ");
    assert!(last.starts_with("approved as product-manager by dana: attestation web-product-manager-"), "{last}");
    assert_eq!(
        world.attested(),
        [json!({
            "releaseRef": {"kind": "RiskBudget", "name": "web"}, "revision": "spec-1", "type": "approval",
            "role": "product-manager", "outcome": "Passed", "author": "dana", "groups": ["system:authenticated"],
            "facts": {"note": "agreed"},
        })]
    );
}

#[tokio::test]
async fn who_speaks_in_one_role_does_not_speak_in_the_other() {
    let world = loosened();
    world.done("dana", "approve --budget web --role product-manager").await;
    let why = world.refused("dana", "approve --budget web --role development-manager").await;
    assert!(why.starts_with("--role development-manager: dana speaks as product-manager already"), "{why}");
    assert!(why.ends_with(": tidegate withdraw --budget web -n shop --role product-manager"), "{why}");
    world.done("dana", "withdraw --budget web").await;
    world.done("dana", "approve --budget web --role development-manager").await;
}

#[tokio::test]
async fn what_was_said_is_taken_back() {
    let world = loosened();
    let told = world.done("dana", "reject --budget web --role development-manager").await;
    assert!(told.contains("\nrejected as development-manager by dana: attestation "), "{told}");
    let told = world.done("dana", "withdraw --budget web").await;
    assert!(told.contains("\nwithdrawn as development-manager by dana: attestation "), "{told}");
    let mut outcomes: Vec<Value> = world.attested().iter().map(|one| one["outcome"].clone()).collect();
    outcomes.sort_by_key(Value::to_string);
    assert_eq!(outcomes, [json!("Failed"), json!("Withdrawn")]);
    assert_eq!(
        world.refused("dana", "withdraw --budget web").await,
        "RiskBudget shop/web: dana said nothing about its loosening that stands"
    );
}

#[rstest]
#[case::unknown(
    "approve --budget other --role product-manager",
    "RiskBudget shop/other: riskbudgets.tidegate.io \"other\" not found"
)]
#[case::a_role_that_nobody_asks(
    "approve --budget web --role sre",
    "--role sre: nobody asks for this role here. One of product-manager, development-manager"
)]
#[case::a_role_of_ones_own_for_another(
    "approve --budget web --role platform",
    "--role platform: nobody asks for this role here. One of product-manager, development-manager"
)]
#[tokio::test]
async fn what_would_not_count_is_told_and_not_made(#[case] line: &str, #[case] expected: &str) {
    let world = loosened();
    assert_eq!(world.refused("dana", line).await, expected);
    assert_eq!(world.attested(), [Value::Null; 0]);
}

#[tokio::test]
async fn who_is_not_in_the_role_that_is_in_force_is_told() {
    let world = loosened();
    let mut budget = world.with(|api| api.get(&RISK_BUDGET, "shop", "web").unwrap().clone());
    let mut former: Value = serde_json::from_str(budget["status"]["inForce"]["spec"].as_str().unwrap()).unwrap();
    former["roles"] = json!([{"name": "product-manager", "users": ["ann"]}]);
    budget["status"]["inForce"]["spec"] = json!(remember(&serde_json::from_value(former).unwrap()).unwrap());
    world.put(&RISK_BUDGET, budget);
    assert_eq!(
        world.refused("dana", "approve --budget web --role product-manager").await,
        "--role product-manager: dana is not in role product-manager of the RiskBudget (spec.roles) and would not be heard"
    );
    world.done("ann", "approve --budget web --role product-manager").await;
}

#[rstest]
#[case::nothing_waits(json!({"loosening": null}), "RiskBudget shop/web: nothing is waiting: its spec is in force as it stands.")]
#[case::not_seen_yet(json!({"observedGeneration": 0}), "RiskBudget shop/web: its last edit was not looked at yet.")]
#[tokio::test]
async fn where_nothing_waits_nothing_is_said(#[case] status: Value, #[case] expected: &str) {
    let world = loosened();
    let mut budget = world.with(|api| api.get(&RISK_BUDGET, "shop", "web").unwrap().clone());
    json_patch::merge(&mut budget["status"], &status);
    world.put(&RISK_BUDGET, budget);
    let why = world.refused("dana", "approve --budget web --role product-manager").await;
    assert!(why.starts_with(expected), "{why}");
}

#[tokio::test]
async fn a_machine_does_not_agree_to_it() {
    let world = loosened();
    let why = world.refused("system:serviceaccount:ci:ci", "approve --budget web --role product-manager").await;
    assert!(why.starts_with("spec.type: approval is said by people"), "{why}");
}

#[tokio::test]
async fn who_can_tells_who_agrees_to_a_loosening_and_refuses_who_is_not_asked() {
    let world = loosened();
    let told = world.done("dana", "who-can --budget web").await;
    let asks = "RiskBudget shop/web would allow more, and asks for product-manager, development-manager\n";
    assert!(told.starts_with(asks), "{told}");
    for role in ["product-manager", "development-manager"] {
        assert!(told.contains(&format!("\n{role}\n  listed   nobody in particular: open")), "{role}: {told}");
    }
    let told = world.done("dana", "who-can --budget web --role product-manager").await;
    assert!(!told.contains("development-manager\n  listed"), "{told}");
    assert_eq!(
        world.refused("dana", "who-can --budget web --role on-call").await,
        "--role on-call: nobody asks for this role here. One of product-manager, development-manager"
    );
    assert_eq!(
        world.refused("dana", "who-can --budget other").await,
        "RiskBudget shop/other: riskbudgets.tidegate.io \"other\" not found"
    );
}

#[tokio::test]
async fn who_can_tells_whom_a_loosening_would_take_where_none_waits() {
    let told = world().done("dana", "who-can --budget web").await;
    let says = "is in force as it stands, and asks for nobody now. What would allow more takes product-manager and development-manager (to lift a freeze sre alone will do):\n";
    assert!(told.contains(says), "{told}");
    assert!(told.contains("\nplatform (stands for sre)\n  listed   users kim\n"), "{told}");
}
