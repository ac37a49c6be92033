//! What the owner of a route writes in the middle of a release, with the policy in force and without it.

use super::*;
use crate::api::names::WEIGHTS_BEFORE;

fn at(path: &str, backends: Value) -> Value {
    json!({"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": backends})
}

fn named(name: &str, rule: Value) -> Value {
    let mut rule = rule;
    rule["name"] = json!(name);
    rule
}

const QUARTER: Split = Split::canary(Weight::whole(25));

/// The weights that each rule gives, by backend.
fn given(route: &Value) -> Vec<Vec<(String, Value)>> {
    let of = |one: &Value| (one["name"].as_str().unwrap().to_owned(), one["weight"].clone());
    let rules = route["spec"]["rules"].as_array().unwrap().iter();
    rules.map(|rule| rule["backendRefs"].as_array().unwrap().iter().map(of).collect()).collect()
}

fn pairs(weights: &[(&str, u32)]) -> Vec<(String, Value)> {
    weights.iter().map(|(name, weight)| ((*name).to_owned(), json!(weight))).collect()
}

fn divided() -> Vec<(String, Value)> {
    pairs(&[("web", 75), ("web-canary", 25)])
}

/// A route of three rules whose owner gave the Service 7, 5 and nothing, and a rule of somebody else; in mid-release.
fn released() -> Value {
    let plain = json!([{"name": "web", "port": 80}]);
    let other = json!([{"name": "docs", "port": 80}]);
    set(
        &route(json!([at("/a", json!([own(7)])), at("/b", json!([own(5)])), at("/docs", other), at("/c", plain)])),
        QUARTER,
    )
}

/// The same rules in another order, with those at the end put in above all.
fn turned(route: &Value, order: &[usize], above: &[Value]) -> Value {
    let mut turned = route.clone();
    let rules = order.iter().map(|index| route["spec"]["rules"][index].clone());
    turned["spec"]["rules"] = above.iter().cloned().chain(rules).collect();
    turned
}

/// The weight that the Service has in each rule that names it.
fn at_home(route: &Value) -> Vec<Value> {
    let home = set(route, Split::HOME);
    assert_eq!(home["metadata"]["annotations"], json!({}));
    let rules = home["spec"]["rules"].as_array().unwrap().clone();
    let backends = rules.iter().map(|rule| rule["backendRefs"].as_array().unwrap());
    let mut own = Vec::new();
    for backends in backends {
        assert!(backends.iter().all(|one| one["name"] != "web-canary" && one["name"] != "web-previous"), "{home}");
        own.extend(backends.iter().filter(|one| one["name"] == "web").map(|one| one["weight"].clone()));
    }
    own
}

#[test]
fn weights_come_back_to_the_rules_that_had_them_whatever_their_order() {
    assert_eq!(at_home(&released()), [json!(7), json!(5), Value::Null]);
    for (order, weights) in [
        (vec![3, 2, 1, 0], vec![Value::Null, json!(5), json!(7)]),
        (vec![1, 0, 3], vec![json!(5), json!(7), Value::Null]),
        (vec![1, 3], vec![json!(5), Value::Null]),
        (vec![0], vec![json!(7)]),
    ] {
        let turned = turned(&released(), &order, &[]);
        assert!(observe(&turned, "web").unwrap().is(QUARTER), "{order:?}");
        assert_eq!(at_home(&turned), weights, "{order:?}");
        // After more of the release, and on the way back.
        for split in [Split::canary(Weight::whole(50)), Split::hand_back(Weight::FULL), Split::canary(Weight::ZERO)] {
            assert_eq!(at_home(&set(&turned, split)), weights, "{order:?}, {split}");
        }
    }
}

#[test]
fn a_rule_that_is_put_in_takes_part_and_comes_back_as_it_was_written() {
    let new = at("/new", json!([own(3), {"name": "legacy", "port": 80, "weight": 0}]));
    let hundreds = at("/beside", json!([{"name": "legacy", "port": 80, "weight": 100}, own(300)]));
    let plain = at("/plain", json!([own(3)]));
    let before = turned(&released(), &[0, 1, 2, 3], &[plain, hundreds]);
    let seen = observe(&before, "web").unwrap();
    assert_eq!((seen.is(QUARTER), &seen.odd), (false, &None));
    let now = set(&before, QUARTER);
    assert!(observe(&now, "web").unwrap().is(QUARTER));
    assert_eq!(given(&now)[0], divided());
    assert_eq!(given(&now)[1], pairs(&[("legacy", 100), ("web", 225), ("web-canary", 75)]));
    assert_eq!(at_home(&now), [json!(3), json!(300), json!(7), json!(5), Value::Null]);
    // Moved on, with the first rule gone.
    assert_eq!(at_home(&turned(&now, &[5, 1, 3], &[])), [Value::Null, json!(300), json!(5)]);
    // One that cannot be divided is told of, and moves no other.
    let odd = set(&turned(&released(), &[0, 1, 2, 3], &[new]), QUARTER);
    let seen = observe(&odd, "web").unwrap();
    let why = seen.odd.clone().unwrap();
    assert!(why.contains("spec.rules[0]") && why.contains("weight 3") && why.contains("by 100"), "{why}");
    assert_eq!(given(&odd)[0], pairs(&[("web", 3), ("web-canary", 0), ("legacy", 0)]));
    assert!(seen.is(QUARTER) && given(&odd)[1] == divided(), "{seen:?}");
}

#[test]
fn a_rule_that_is_gone_is_forgotten() {
    let gone = set(&turned(&released(), &[0, 3], &[]), Split::canary(Weight::whole(50)));
    let back = turned(&gone, &[0, 1], &[at("/b", json!([own(9)]))]);
    assert_eq!(at_home(&set(&back, QUARTER)), [json!(9), json!(7), Value::Null]);
    let note = gone["metadata"]["annotations"][WEIGHTS_BEFORE].as_str().unwrap();
    assert_eq!(note.matches("matches:").count(), 2, "{note}");
}

#[test]
fn a_rule_is_known_by_its_name_or_by_what_it_matches() {
    let rules = json!([named("one", at("/a", json!([own(7)]))), named("two", at("/b", json!([own(5)])))]);
    let now = set(&route(rules), QUARTER);
    let mut other = turned(&now, &[1, 0], &[]);
    other["spec"]["rules"][1]["matches"] = at("/a2", json!([]))["matches"].clone();
    assert_eq!(at_home(&other), [json!(5), json!(7)]);
    let mut renamed = turned(&now, &[1, 0], &[]);
    renamed["spec"]["rules"][1]["name"] = json!("first");
    assert_eq!(at_home(&renamed), [json!(5), json!(7)]);
    // Neither: a rule without other backends divides nothing by its weight.
    renamed["spec"]["rules"][1]["matches"] = at("/a2", json!([]))["matches"].clone();
    assert_eq!(at_home(&renamed), [json!(5), Value::Null]);
}

#[test]
fn rules_that_match_the_same_are_told_apart_by_their_order() {
    let rules = json!([at("/", json!([own(7)])), {"backendRefs": [own(5)]}, at("/x", json!([own(2)]))]);
    let now = set(&route(rules), QUARTER);
    assert_eq!(at_home(&now), [json!(7), json!(5), json!(2)]);
    assert_eq!(at_home(&turned(&now, &[2, 0, 1], &[])), [json!(2), json!(7), json!(5)]);
}

#[test]
fn what_the_owner_writes_past_the_policy_is_his_last_word() {
    let mut wiped = released();
    wiped["spec"]["rules"][0]["backendRefs"] = json!([own(8)]);
    assert_eq!(at_home(&set(&wiped, QUARTER)), [json!(8), json!(5), Value::Null]);
}

#[test]
fn beside_other_backends_what_stands_is_what_is_divided_and_what_comes_back() {
    let rules = json!([at("/", json!([own(300), {"name": "legacy", "port": 80, "weight": 100}]))]);
    let mut now = set(&route(rules), QUARTER);
    // The owner gives it twice as much: the policy divided that as the rule was divided.
    now["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(450);
    now["spec"]["rules"][0]["backendRefs"][1]["weight"] = json!(150);
    assert!(observe(&now, "web").unwrap().is(QUARTER));
    assert_eq!(at_home(&now), [json!(600)]);
    // The first of several backends gets others beside it, and the last one loses them.
    now["spec"]["rules"][0]["backendRefs"] = json!([own(450), {"name": "web-canary", "port": 80, "weight": 150}]);
    let again = set(&now, QUARTER);
    assert_eq!(given(&again)[0], divided());
}

#[rstest]
#[case(150, QUARTER, [113, 37])]
#[case(1, QUARTER, [1, 0])]
#[case(1, Split::canary(Weight::FULL), [0, 1])]
#[case(7, Split::canary(Weight::whole(99)), [1, 6])]
fn parts_that_do_not_come_out_even_settle_and_come_home_whole(
    #[case] own_weight: u32,
    #[case] split: Split,
    #[case] shares: [u32; 2],
) {
    let before = route(json!([at("/a", json!([own(7)]))]));
    let new = at("/b", json!([own(own_weight), {"name": "legacy", "port": 80, "weight": 50}]));
    let edited = turned(&set(&before, QUARTER), &[0], std::slice::from_ref(&new));
    let now = set(&edited, split);
    let seen = observe(&now, "web").unwrap();
    assert!(seen.is(split) && seen.odd.is_some_and(|why| why.contains("by 100")), "{now}");
    assert_eq!(given(&now)[0][..2], pairs(&[("web", shares[0]), ("web-canary", shares[1])]));
    // Nothing is left to write, whatever is looked at again.
    assert_eq!(write(&now, "web", split, None).as_array().unwrap().len(), 1);
    for back in [Split::canary(Weight::ZERO), Split::FALL_BACK, Split::previous(Weight::FULL)] {
        assert!(observe(&set(&now, back), "web").unwrap().is(back), "{back}");
    }
    assert_eq!(set(&now, Split::HOME)["spec"]["rules"][0], new);
}

#[test]
fn a_rule_in_which_the_service_has_no_weight_is_let_be_and_told_of() {
    let parked = at("/b", json!([own(0), {"name": "maintenance", "port": 80, "weight": 1}]));
    let now = set(&turned(&released(), &[0], std::slice::from_ref(&parked)), Split::canary(Weight::whole(50)));
    assert_eq!(now["spec"]["rules"][0], parked);
    let seen = observe(&now, "web").unwrap();
    assert!(seen.is(Split::canary(Weight::whole(50))), "{seen:?}");
    assert!(seen.odd.is_some_and(|why| why.contains("weight 0")));
    assert_eq!(set(&now, Split::HOME)["spec"]["rules"][0], parked);
    // Its versions leave it where they stand in it with nothing.
    let mut emptied = now;
    emptied["spec"]["rules"][0]["backendRefs"] = json!([own(0), {"name": "web-canary", "port": 80, "weight": 0}, {"name": "maintenance", "port": 80, "weight": 1}]);
    assert!(!observe(&emptied, "web").unwrap().is(QUARTER));
    assert_eq!(set(&emptied, QUARTER)["spec"]["rules"][0], parked);
}

#[test]
fn a_service_named_twice_in_mid_release_is_told_of_and_can_be_steered() {
    let twice = at("/b", json!([own(1), own(2)]));
    let edited = turned(&released(), &[0], &[twice]);
    let why = observe(&edited, "web").unwrap().odd.unwrap();
    assert!(why.contains("more than once"), "{why}");
    assert!(observe(&set(&edited, QUARTER), "web").unwrap().is(QUARTER));
}

#[test]
fn every_parent_must_take_an_edit() {
    let mut edited = turned(&released(), &[1, 0], &[at("/new", json!([own(1)]))]);
    edited["spec"]["parentRefs"] = json!([{"name": "public"}, {"name": "partners"}]);
    let said = |name: &str, generation: i64| {
        let conditions = ["Accepted", "ResolvedRefs"].map(|kind| condition(kind, "True", generation));
        json!({"parentRef": {"name": name}, "conditions": conditions})
    };
    edited["status"] = json!({"parents": [said("public", 3), said("partners", 2)]});
    let now = set(&edited, QUARTER);
    let seen = observe(&now, "web").unwrap();
    assert!(seen.is(QUARTER) && seen.effective.is_err_and(|why| why.contains("partners")));
}

#[test]
fn a_note_of_places_is_read_and_written_anew() {
    let mut old = released();
    old["metadata"]["annotations"][WEIGHTS_BEFORE] = json!(r#"{"0":7,"1":5,"3":null}"#);
    assert_eq!(at_home(&old), [json!(7), json!(5), Value::Null]);
    let now = set(&old, Split::canary(Weight::whole(50)));
    assert_eq!(at_home(&turned(&now, &[3, 1, 0], &[])), [Value::Null, json!(5), json!(7)]);
    let note = now["metadata"]["annotations"][WEIGHTS_BEFORE].as_str().unwrap();
    assert!(note.starts_with(r#"{"web":{"matches:"#), "{note}");
}

#[test]
fn a_note_that_nobody_can_read_costs_no_more_than_the_weight_that_divides_nothing() {
    for text in ["", "[1]", r#"{"99":3}"#, r#"{"0":-1}"#] {
        let mut broken = released();
        broken["metadata"]["annotations"][WEIGHTS_BEFORE] = json!(text);
        assert_eq!(at_home(&broken), [Value::Null, Value::Null, Value::Null], "{text}");
    }
}
