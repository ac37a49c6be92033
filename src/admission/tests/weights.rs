use rstest::rstest;
use serde_json::{Value, json};

use super::world::{CONTROLLER, MACHINE, PERSON, World, with};

const SPLIT: [(&str, u32); 2] = [("shop", 75), ("shop-canary", 25)];

fn rule(path: &str, backends: &[(&str, u32)]) -> Value {
    let backends: Vec<_> =
        backends.iter().map(|(name, weight)| json!({"name": name, "port": 80, "weight": weight})).collect();
    json!({"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": backends})
}

fn route(rules: &[Value]) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "c", "namespace": "shop"},
        "spec": {"parentRefs": [{"name": "web"}], "rules": rules},
    })
}

fn git() -> Value {
    route(&[rule("/", &[("shop", 1)]), rule("/other", &[("other", 1)])])
}

/// A route as Git has it, then marked and split by the controller.
fn released(backends: &[(&str, u32)]) -> World {
    let mut world = World::routes();
    world.apply(PERSON, git());
    let marks = json!({"tidegate.io/weights": "shop", "tidegate.io/weights-before": "{\"0\":[1]}", "tidegate.io/withdrawn": "why"});
    let rules = [rule("/", backends), rule("/other", &[("other", 1)])];
    world.patch(CONTROLLER, json!({"metadata": {"annotations": marks}, "spec": {"rules": rules}})).unwrap();
    assert_eq!(weights(&world)[0], owned(backends));
    world
}

fn owned(backends: &[(&str, u32)]) -> Vec<(String, u64)> {
    backends.iter().map(|(name, weight)| ((*name).to_owned(), u64::from(*weight))).collect()
}

fn weights(world: &World) -> Vec<Vec<(String, u64)>> {
    let backend = |backend: &Value| (backend["name"].as_str().unwrap().to_owned(), backend["weight"].as_u64().unwrap());
    let rules = world.object()["spec"]["rules"].as_array().unwrap().iter();
    rules.map(|rule| rule["backendRefs"].as_array().unwrap().iter().map(backend).collect()).collect()
}

#[test]
fn a_re_apply_from_git_keeps_the_weights_in_apply_and_replace() {
    let mut world = released(&SPLIT);
    world.apply(MACHINE, git());
    assert_eq!(weights(&world), [owned(&SPLIT), owned(&[("other", 1)])]);
    world.write(MACHINE, git(), None).unwrap();
    assert_eq!(weights(&world)[0], owned(&SPLIT));
    let marks = ["weights", "weights-before", "withdrawn"].map(|mark| world.annotation(&format!("tidegate.io/{mark}")));
    assert_eq!(marks, [Some("shop"), Some("{\"0\":[1]}"), Some("why")]);
}

#[rstest]
#[case::weights_on_the_previous_version(&[("shop", 0), ("shop-previous", 100)])]
#[case::all_on_it(&[("shop-previous", 100)])]
#[case::or_none(&[("shop", 100), ("shop-canary", 0)])]
fn are_kept_too(#[case] backends: &[(&str, u32)]) {
    let mut world = released(backends);
    world.apply(MACHINE, git());
    assert_eq!(weights(&world)[0], owned(backends));
}

#[test]
fn other_edits_of_the_route_go_through_while_the_weights_stay() {
    let mut world = released(&SPLIT);
    let timed = with(rule("/", &[("shop", 1)]), json!({"timeouts": {"request": "3s"}}));
    let more = [("other", 2), ("more", 1)];
    world.apply(MACHINE, route(&[timed, rule("/other", &more), rule("/new", &[("shop", 1)])]));
    assert_eq!(world.object()["spec"]["rules"][0]["timeouts"], json!({"request": "3s"}));
    assert_eq!(weights(&world), [owned(&SPLIT), owned(&more), owned(&[("shop", 1)])]);
}

#[test]
fn rules_put_in_another_order_keep_their_weights() {
    let mut world = released(&SPLIT);
    world.apply(MACHINE, route(&[rule("/other", &[("other", 1)]), rule("/", &[("shop", 1)])]));
    assert_eq!(weights(&world), [owned(&[("other", 1)]), owned(&SPLIT)]);
}

#[test]
fn a_person_who_raises_the_canary_by_hand_changes_nothing() {
    let mut world = released(&SPLIT);
    let raised = route(&[rule("/", &[("shop-canary", 100)]), rule("/other", &[("other", 1)])]);
    world.patch(PERSON, json!({"spec": raised["spec"]})).unwrap();
    assert_eq!(weights(&world)[0], owned(&SPLIT));
}

#[test]
fn a_rule_moved_to_another_service_on_purpose_goes_through() {
    let mut world = released(&SPLIT);
    world.apply(PERSON, route(&[rule("/", &[("maintenance", 1)]), rule("/other", &[("other", 1)])]));
    assert_eq!(weights(&world)[0], owned(&[("maintenance", 1)]));
}

#[test]
fn break_glass_on_the_route_lets_anything_through() {
    let mut world = released(&SPLIT);
    let glass = json!({"metadata": {"annotations": {"tidegate.io/break-glass": "INC-7: Tidegate is down"}}});
    world.apply(PERSON, with(git(), glass));
    assert_eq!(weights(&world)[0], owned(&[("shop", 1)]));
}

#[test]
fn the_controller_raises_lowers_and_ends_afterwards_git_is_free_again() {
    let mut world = released(&SPLIT);
    let marks = json!({"tidegate.io/weights": null, "tidegate.io/weights-before": null, "tidegate.io/withdrawn": null});
    let ended = json!({"metadata": {"annotations": marks}, "spec": {"rules": git()["spec"]["rules"]}});
    world.patch(CONTROLLER, ended).unwrap();
    assert_eq!(weights(&world)[0], owned(&[("shop", 1)]));
    world.apply(MACHINE, route(&[rule("/", &[("shop", 7)])]));
    assert_eq!(weights(&world), [owned(&[("shop", 7)])]);
}
