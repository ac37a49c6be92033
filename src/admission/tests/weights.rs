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
fn backends_of_others_are_the_owners_beside_a_divided_service() {
    let mut world = released(&[("legacy", 100), ("shop", 225), ("shop-canary", 75)]);
    // As in Git, with another share for the others, one more of them, and more or less for the Service.
    for (sent, stands) in [
        (vec![("legacy", 100), ("shop", 300)], vec![("legacy", 100), ("shop", 225), ("shop-canary", 75)]),
        (vec![("legacy", 50), ("shop", 300)], vec![("legacy", 50), ("shop", 225), ("shop-canary", 75)]),
        (vec![("shop", 400), ("new", 1)], vec![("shop", 300), ("shop-canary", 100), ("new", 1)]),
        (vec![("shop", 300)], vec![("shop", 75), ("shop-canary", 25)]),
        (vec![("new", 100), ("shop", 100)], vec![("new", 100), ("shop", 75), ("shop-canary", 25)]),
        // Not in hundredths: the new version never gets more than its share.
        (vec![("shop", 150), ("new", 1)], vec![("shop", 113), ("shop-canary", 37), ("new", 1)]),
        // The route as it stands, edited.
        (
            vec![("shop", 113), ("shop-canary", 37), ("new", 7), ("legacy", 9)],
            vec![("shop", 113), ("shop-canary", 37), ("new", 7), ("legacy", 9)],
        ),
    ] {
        world.apply(MACHINE, route(&[rule("/", &sent), rule("/other", &[("other", 1)])]));
        assert_eq!(weights(&world)[0], owned(&stands), "{sent:?}");
    }
}

#[rstest]
#[case::the_rest_is_the_previous_versions(&[("shop", 75), ("shop-previous", 225), ("new", 1)], 1, &[("shop", 0), ("shop-previous", 1), ("new", 1)])]
#[case::all_is_the_canarys(&[("shop", 0), ("shop-canary", 300), ("new", 1)], 1, &[("shop", 0), ("shop-canary", 1), ("new", 1)])]
#[case::all_is_the_previous_versions(&[("shop", 0), ("shop-previous", 300), ("new", 1)], 7, &[("shop", 0), ("shop-previous", 7), ("new", 1)])]
#[case::half_and_half(&[("shop", 150), ("shop-canary", 150), ("shop-previous", 0), ("new", 1)], 1, &[("shop", 1), ("shop-canary", 0), ("shop-previous", 0), ("new", 1)])]
#[case::of_a_lean_release(&[("shop", 0), ("shop-canary", 150), ("shop-previous", 150), ("new", 1)], 3, &[("shop", 0), ("shop-canary", 1), ("shop-previous", 2), ("new", 1)])]
#[case::nothing_is_nothing(&[("shop", 225), ("shop-canary", 75), ("new", 1)], 0, &[("shop", 0), ("new", 1)])]
fn what_the_service_is_given_anew_is_divided(
    #[case] stands: &[(&str, u32)],
    #[case] given: u32,
    #[case] comes: &[(&str, u32)],
) {
    let mut world = released(stands);
    world.apply(MACHINE, route(&[rule("/", &[("shop", given), ("new", 1)])]));
    assert_eq!(weights(&world), [owned(comes)]);
    // A second run of the policy changes nothing.
    world.patch(PERSON, json!({"metadata": {"labels": {"team": "shop"}}})).unwrap();
    assert_eq!(weights(&world), [owned(comes)]);
}

#[test]
fn port_and_filters_of_the_backend_are_the_owners_for_every_version() {
    let mut world = released(&SPLIT);
    let mut edited = git();
    let filters = json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x"]}}]);
    edited["spec"]["rules"][0]["backendRefs"][0] =
        json!({"group": "", "kind": "Service", "name": "shop", "port": 8080, "weight": 1, "filters": filters});
    world.apply(MACHINE, edited);
    let backends = world.object()["spec"]["rules"][0]["backendRefs"].as_array().unwrap().clone();
    let backend = |name: &str, weight: u32| json!({"group": "", "kind": "Service", "name": name, "port": 8080, "weight": weight, "filters": filters});
    assert_eq!(backends, [backend("shop", 75), backend("shop-canary", 25)]);
}

#[test]
fn a_service_of_the_same_name_elsewhere_is_somebody_elses() {
    let mut world = released(&[("shop", 75), ("shop-canary", 25)]);
    let mut edited = git();
    let elsewhere = json!({"name": "shop", "namespace": "old", "port": 80, "weight": 100});
    edited["spec"]["rules"][0]["backendRefs"] = json!([elsewhere, {"name": "shop", "port": 80, "weight": 100}]);
    world.apply(MACHINE, edited);
    let backends = world.object()["spec"]["rules"][0]["backendRefs"].as_array().unwrap().clone();
    assert_eq!(backends[0], elsewhere);
    assert_eq!(weights(&world)[0][1..], owned(&SPLIT));
}

fn named(name: &str, rule: Value) -> Value {
    with(rule, json!({"name": name}))
}

#[test]
fn a_rule_put_in_above_is_its_owners_and_the_others_stay_divided() {
    let mut world = released(&SPLIT);
    world.apply(
        MACHINE,
        route(&[rule("/new", &[("shop", 1)]), rule("/other", &[("shop", 2)]), rule("/", &[("shop", 1)])]),
    );
    assert_eq!(weights(&world), [owned(&[("shop", 1)]), owned(&[("shop", 2)]), owned(&SPLIT)]);
}

#[test]
fn rules_that_match_the_same_are_divided_each() {
    let mut world = released(&SPLIT);
    world.apply(MACHINE, route(&[rule("/", &[("shop", 1)]), rule("/", &[("shop", 1)]), rule("/", &[("other", 1)])]));
    assert_eq!(weights(&world), [owned(&SPLIT), owned(&SPLIT), owned(&[("other", 1)])]);
}

#[test]
fn a_rule_with_a_name_stays_divided_whatever_it_matches() {
    let mut world = released(&SPLIT);
    world.patch(CONTROLLER, json!({"spec": {"rules": [named("all", rule("/", &SPLIT))]}})).unwrap();
    world.apply(MACHINE, route(&[named("all", rule("/v2", &[("shop", 1)])), named("x", rule("/y", &[("shop", 1)]))]));
    assert_eq!(weights(&world), [owned(&SPLIT), owned(&[("shop", 1)])]);
    // And under another name, where it matches the same.
    world.apply(MACHINE, route(&[named("whole", rule("/v2", &[("shop", 1)]))]));
    assert_eq!(weights(&world), [owned(&SPLIT)]);
}

#[test]
fn where_the_service_has_no_users_a_new_rule_sends_it_none() {
    let mut world = released(&[("shop", 0), ("shop-previous", 100)]);
    let new = [("shop", 50), ("other", 50)];
    world.apply(MACHINE, route(&[rule("/new", &[("shop", 1)]), rule("/beside", &new), rule("/", &[("shop", 1)])]));
    let all = owned(&[("shop", 0), ("shop-previous", 100)]);
    let beside = owned(&[("shop", 0), ("shop-previous", 50), ("other", 50)]);
    assert_eq!(weights(&world), [all.clone(), beside, all]);
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

const CART: [(&str, u32); 2] = [("cart", 95), ("cart-canary", 5)];

/// A route of two Services as Git has it, with other backends beside them where they share a rule.
fn git_of_two() -> Value {
    route(&[
        rule("/cart", &[("cart", 3)]),
        rule("/both", &[("docs", 1), ("shop", 100), ("old", 7), ("cart", 200)]),
        rule("/docs", &[("docs", 1)]),
        rule("/", &[("shop", 1)]),
    ])
}

/// The same, divided and marked for whoever is named.
fn two_released(marked: &str) -> World {
    let mut world = World::routes();
    world.apply(PERSON, git_of_two());
    let both = [("docs", 1), ("shop", 75), ("shop-canary", 25), ("old", 7), ("cart", 190), ("cart-canary", 10)];
    let rules = [rule("/cart", &CART), rule("/both", &both), rule("/docs", &[("docs", 1)]), rule("/", &SPLIT)];
    let marks =
        json!({"tidegate.io/weights": marked, "tidegate.io/weights-before": "{}", "tidegate.io/withdrawn": "{}"});
    world.patch(CONTROLLER, json!({"metadata": {"annotations": marks}, "spec": {"rules": rules}})).unwrap();
    world
}

#[test]
fn each_of_two_services_keeps_its_own_shares_at_every_re_apply() {
    let mut world = two_released("cart,shop");
    let stands = weights(&world);
    for _ in 0..2 {
        world.apply(MACHINE, git_of_two());
        assert_eq!(weights(&world), stands);
        world.write(MACHINE, git_of_two(), None).unwrap();
        assert_eq!(weights(&world), stands);
    }
    let marks = ["weights", "weights-before", "withdrawn"].map(|mark| world.annotation(&format!("tidegate.io/{mark}")));
    assert_eq!(marks, [Some("cart,shop"), Some("{}"), Some("{}")]);
}

#[test]
fn what_is_not_marked_is_as_it_is_sent_beside_what_is() {
    let mut world = two_released("cart");
    world.apply(MACHINE, git_of_two());
    let both = [("docs", 1), ("shop", 100), ("old", 7), ("cart", 190), ("cart-canary", 10)];
    assert_eq!(weights(&world), [owned(&CART), owned(&both), owned(&[("docs", 1)]), owned(&[("shop", 1)])]);
}

#[test]
fn edits_of_a_rule_of_two_services_go_through_and_both_keep_their_shares_of_it() {
    let mut world = two_released("cart,shop");
    for (sent, stands) in [
        // In another order, one with more, the others' weights and a new one.
        (
            vec![("cart", 400), ("new", 5), ("shop", 100), ("docs", 9)],
            vec![("cart", 380), ("cart-canary", 20), ("new", 5), ("shop", 75), ("shop-canary", 25), ("docs", 9)],
        ),
        // As it stands now, edited.
        (
            vec![("cart-canary", 20), ("shop-canary", 25), ("cart", 380), ("shop", 75)],
            vec![("cart", 380), ("cart-canary", 20), ("shop", 75), ("shop-canary", 25)],
        ),
        // Side by side, and nobody else.
        (
            vec![("shop", 300), ("cart", 100)],
            vec![("shop", 225), ("shop-canary", 75), ("cart", 95), ("cart-canary", 5)],
        ),
        // The one is led away, the other has the rule to itself.
        (vec![("cart", 7)], vec![("cart", 95), ("cart-canary", 5)]),
        (vec![("docs", 3)], vec![("docs", 3)]),
    ] {
        let more = with(rule("/", &[("shop", 1)]), json!({"timeouts": {"request": "3s"}}));
        world.apply(MACHINE, route(&[more, rule("/both", &sent), rule("/cart", &[("cart", 1)])]));
        assert_eq!(weights(&world), [owned(&SPLIT), owned(&stands), owned(&CART)], "{sent:?}");
        assert_eq!(world.object()["spec"]["rules"][0]["timeouts"], json!({"request": "3s"}));
    }
}

#[test]
fn a_new_rule_sends_nobody_to_the_one_that_came_back_and_is_the_owners_for_the_other() {
    let mut world = World::routes();
    let git = [rule("/cart", &[("cart", 1)]), rule("/", &[("shop", 1)])];
    world.apply(PERSON, route(&git));
    let away = [("cart", 0), ("cart-previous", 100)];
    let divided = json!({"rules": [rule("/cart", &away), rule("/", &SPLIT)]});
    let marks = json!({"tidegate.io/weights": "cart,shop"});
    world.patch(CONTROLLER, json!({"metadata": {"annotations": marks}, "spec": divided})).unwrap();
    let new = [("cart", 50), ("shop", 50)];
    world.apply(MACHINE, route(&[git[0].clone(), rule("/new", &new), git[1].clone()]));
    let comes = [("cart", 0), ("cart-previous", 50), ("shop", 50)];
    assert_eq!(weights(&world), [owned(&away), owned(&comes), owned(&SPLIT)]);
}

#[test]
fn sixteen_services_keep_their_shares_in_the_largest_route() {
    let mut world = World::routes();
    let names: Vec<_> = (0..16).map(|place| format!("s{place:02}")).collect();
    let canaries: Vec<_> = names.iter().map(|name| format!("{name}-canary")).collect();
    let rule_of = |at: usize, own: u32, canary: Option<u32>| {
        // What stands beside it fills the rule.
        let mut backends: Vec<_> = (0..14).map(|other| (names[(at + 1 + other) % 16].as_str(), 1)).collect();
        backends.insert(7, (names[at].as_str(), own));
        backends.extend(canary.map(|weight| (canaries[at].as_str(), weight)));
        rule(&format!("/{at}"), &backends)
    };
    let git: Vec<_> = (0..16).map(|at| rule_of(at, 100, None)).collect();
    world.apply(PERSON, route(&git));
    let divided: Vec<_> = (0..16).map(|at| rule_of(at, 90, Some(10))).collect();
    let marks = json!({"tidegate.io/weights": names.join(",")});
    world.patch(CONTROLLER, json!({"metadata": {"annotations": marks}, "spec": {"rules": divided}})).unwrap();
    world.apply(MACHINE, route(&git));
    for (at, backends) in weights(&world).into_iter().enumerate() {
        let of = |name: &str| backends.iter().find(|(other, _)| other == name).map(|(_, weight)| *weight);
        assert_eq!((of(&names[at]), of(&canaries[at]), backends.len()), (Some(90), Some(10), 16), "{at}: {backends:?}");
    }
}
