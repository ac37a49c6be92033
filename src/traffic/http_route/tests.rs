use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::api::release_record::{Phase, Trigger};
use crate::api::{Time, Weight};

fn route(rules: Value) -> Value {
    json!({
        "metadata": {"name": "shop", "namespace": "shop", "resourceVersion": "7", "generation": 3},
        "spec": {"parentRefs": [{"name": "public"}], "rules": rules},
    })
}

fn own(weight: u32) -> Value {
    json!({"group": "", "kind": "Service", "name": "web", "port": 80, "weight": weight})
}

/// Carries a JSON patch out, as the API server would.
fn patched(route: &Value, patch: &Value) -> Value {
    let mut route = route.clone();
    for op in patch.as_array().unwrap() {
        let (parent, key) = op["path"].as_str().unwrap().rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        let parent = route.pointer_mut(parent).unwrap();
        match op["op"].as_str().unwrap() {
            "remove" => drop(parent.as_object_mut().unwrap().remove(&key).unwrap()),
            "replace" | "add" => parent[key.as_str()] = op["value"].clone(),
            other => panic!("{other}"),
        }
    }
    route
}

fn set(route: &Value, split: Split) -> Value {
    patched(route, &write(route, "web", split, None))
}

fn log() -> RollbackLog {
    RollbackLog {
        trigger: Trigger::ErrorRate,
        value: "20 %".into(),
        threshold: "1 %".into(),
        at: Time(jiff::Timestamp::UNIX_EPOCH),
        phase: Phase::Release,
        from_weight: Weight::whole(25),
        traffic_to: "web".into(),
        home_at: None,
        took: None,
        within_time_budget: None,
        state_after: String::new(),
        check: String::new(),
    }
}

fn splits() -> [Split; 6] {
    let w = Weight::whole;
    [
        Split::canary(w(0)),
        Split::canary(w(5)),
        Split::canary(w(100)),
        Split::hand_back(w(50)),
        Split::previous(w(100)),
        Split::FALL_BACK,
    ]
}

#[rstest]
#[case::one_backend(json!([{"backendRefs": [own(1)]}]))]
#[case::without_a_weight(json!([{"backendRefs": [{"name": "web", "port": 80}]}]))]
#[case::with_filters(json!([{"backendRefs": [{"name": "web", "port": 80, "weight": 3, "filters": [{"type": "RequestHeaderModifier"}]}]}]))]
#[case::several_rules(json!([{"backendRefs": [own(1)]}, {"backendRefs": [{"name": "other", "port": 80, "weight": 1}]}, {"backendRefs": [own(100)]}]))]
#[case::beside_others(json!([{"backendRefs": [{"name": "legacy", "port": 80, "weight": 100}, own(300), {"name": "static", "port": 80, "weight": 1}]}]))]
#[case::a_redirect(json!([{"filters": [{"type": "RequestRedirect"}]}, {"backendRefs": [own(1)], "timeouts": {"request": "5s"}}]))]
fn what_was_written_is_seen_and_home_is_exactly_as_before(#[case] rules: Value) {
    let mut original = route(rules);
    let seen = observe(&original, "web").unwrap();
    assert!(seen.is(Split::HOME), "{seen:?}");
    original["metadata"]["annotations"] = json!({"mine": "yes"});
    let mut now = original.clone();
    for split in splits() {
        now = set(&now, split);
        let seen = observe(&now, "web").unwrap();
        assert!(seen.is(split), "{split}: {now}");
    }
    assert_eq!(set(&now, Split::HOME), original);
}

/// Its owner names it twice in the middle of a release: the way back is steered by what both have, beside the others.
#[rstest]
#[case::beside_others(json!([own(100), {"name": "old", "weight": 100}, own(200)]), json!([225, 75, 100]), json!([300, 100]))]
#[case::alone(json!([own(3), own(4)]), json!([75, 25]), json!([3]))]
fn a_service_that_is_named_twice_keeps_the_share_of_both(
    #[case] refs: Value,
    #[case] divided: Value,
    #[case] home: Value,
) {
    let mut now = set(&route(json!([{"backendRefs": [own(1)]}])), Split::canary(Weight::whole(25)));
    now["spec"]["rules"][0]["backendRefs"] = refs;
    let seen = observe(&now, "web").unwrap();
    assert!(seen.rules == [None] && seen.odd.unwrap().contains("more than once"));
    let weights = |route: &Value| -> Value {
        let refs = route["spec"]["rules"][0]["backendRefs"].as_array().unwrap();
        refs.iter().map(|one| one["weight"].clone()).collect()
    };
    let now = set(&now, Split::canary(Weight::whole(25)));
    assert_eq!(weights(&now), divided);
    assert_eq!(weights(&set(&now, Split::HOME)), home);
}

#[test]
fn the_canary_copies_port_and_filters_and_stands_beside_the_service() {
    let rule = json!([{"backendRefs": [{"name": "web", "port": 80, "filters": [{"type": "X"}]}, ]}]);
    let now = set(&route(rule), Split::canary(Weight::whole(25)));
    assert_eq!(
        now["spec"]["rules"][0]["backendRefs"],
        json!([
            {"name": "web", "port": 80, "weight": 75, "filters": [{"type": "X"}]},
            {"name": "web-canary", "port": 80, "weight": 25, "filters": [{"type": "X"}]},
        ])
    );
}

#[test]
fn other_backends_keep_their_share() {
    let now = set(
        &route(json!([{"backendRefs": [own(300), {"name": "old", "weight": 100}]}])),
        Split::canary(Weight::whole(5)),
    );
    let weights: Vec<_> =
        now["spec"]["rules"][0]["backendRefs"].as_array().unwrap().iter().map(|b| b["weight"].clone()).collect();
    assert_eq!(weights, [json!(285), json!(15), json!(100)]);
}

#[test]
fn rules_of_others_are_not_in_the_patch() {
    let both = route(json!([{"backendRefs": [{"name": "other"}]}, {"backendRefs": [own(1)]}]));
    let patch = write(&both, "web", Split::canary(Weight::whole(5)), None).to_string();
    assert!(!patch.contains("/spec/rules/0") && patch.contains("/spec/rules/1/backendRefs"), "{patch}");
}

#[test]
fn every_patch_is_fenced() {
    for split in splits() {
        let patch = write(&route(json!([{"backendRefs": [own(1)]}])), "web", split, None);
        assert_eq!(patch[0], json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}));
    }
}

#[rstest]
#[case(json!([{"backendRefs": [own(0)]}]), "weight 0")]
#[case(json!([{"backendRefs": [own(1), {"name": "old", "weight": 1}]}]), "by 100")]
#[case(json!([{"backendRefs": [own(150), {"name": "old", "weight": 1}]}]), "weight 150")]
#[case(json!([{"backendRefs": [own(1), own(2)]}]), "more than once")]
fn what_cannot_be_split_is_refused_with_the_remedy(#[case] rules: Value, #[case] says: &str) {
    match observe(&route(rules), "web") {
        Err(RouteProblem::Unsplittable(why)) => assert!(why.contains(says) && why.contains("spec.rules[0]"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case(json!([]))]
#[case(json!([{"backendRefs": [{"name": "web", "kind": "Bucket", "group": "x.io"}]}]))]
#[case(json!([{"backendRefs": [{"name": "web", "namespace": "other"}]}]))]
#[case(json!([{"backendRefs": [{"name": "webshop"}]}]))]
fn a_route_to_something_else_is_not_ours(#[case] rules: Value) {
    assert_eq!(observe(&route(rules), "web"), Err(RouteProblem::NoBackend { marked: None }));
}

#[test]
fn the_mark_of_another_release_leaves_a_route_plain() {
    let rules = json!([{"backendRefs": [own(1)]}, {"backendRefs": [{"name": "api", "port": 80}]}]);
    let now = set(&route(rules), Split::canary(Weight::whole(25)));
    let seen = observe(&now, "api").unwrap();
    assert!(seen.is(Split::HOME) && !seen.marked, "{seen:?}");
}

#[test]
fn marks_that_were_left_on_a_route_to_something_else_are_seen_and_taken_off() {
    let mut now = set(&route(json!([{"backendRefs": [own(1)]}])), Split::previous(Weight::FULL));
    now["spec"]["rules"] = json!([{"backendRefs": [{"name": "maintenance", "port": 80}]}]);
    assert_eq!(observe(&now, "web"), Err(RouteProblem::NoBackend { marked: Some("7".to_owned()) }));
    assert_eq!(observe(&now, "api"), Err(RouteProblem::NoBackend { marked: None }), "another release's");
    let plain = set(&now, Split::HOME);
    assert_eq!((&plain["spec"], &plain["metadata"]["annotations"]), (&now["spec"], &json!({})));
    assert_eq!(observe(&plain, "web"), Err(RouteProblem::NoBackend { marked: None }));
}

#[test]
fn the_reason_of_a_rollback_is_written_with_it_stays_and_goes_at_home() {
    let now = set(&route(json!([{"backendRefs": [own(1)]}])), Split::canary(Weight::whole(25)));
    let mark = ("web-0002".to_owned(), log());
    let withdrawn = patched(&now, &write(&now, "web", Split::canary(Weight::ZERO), Some(&mark)));
    assert_eq!(observe(&withdrawn, "web").unwrap().withdrawn, Some(mark.clone()));
    let again = set(&withdrawn, Split::canary(Weight::ZERO));
    assert_eq!(observe(&again, "web").unwrap().withdrawn, Some(mark));
    let home = set(&again, Split::HOME);
    assert_eq!(home["metadata"]["annotations"], json!({}));
    assert!(observe(&home, "web").unwrap().is(Split::HOME));
}

#[test]
fn a_route_that_somebody_disturbed_can_still_be_steered_home() {
    let mut now = set(&route(json!([{"backendRefs": [own(1)]}])), Split::canary(Weight::whole(25)));
    now["spec"]["rules"][0]["backendRefs"] = json!([{"name": "web-canary", "port": 80, "weight": 1}]);
    assert_eq!(observe(&now, "web").unwrap().rules, [None]);
    assert_eq!(
        set(&now, Split::HOME)["spec"]["rules"][0]["backendRefs"],
        json!([{"name": "web", "port": 80, "weight": 1}])
    );
    now["spec"]["rules"][0]["backendRefs"] = json!([own(7), {"name": "web-canary", "weight": 8}]);
    assert_eq!(observe(&now, "web").unwrap().rules, [None]);
}

fn answered(conditions: Value) -> Value {
    let mut route = route(json!([{"backendRefs": [own(1)]}]));
    route["status"] = json!({"parents": [{"parentRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public"}, "conditions": conditions}]});
    route
}

fn condition(kind: &str, status: &str, generation: i64) -> Value {
    json!({"type": kind, "status": status, "reason": "Why", "message": "because", "observedGeneration": generation})
}

#[rstest]
#[case(json!([condition("Accepted", "True", 3), condition("ResolvedRefs", "True", 3)]), None)]
#[case(json!([condition("Accepted", "True", 3), condition("ResolvedRefs", "False", 3)]), Some("ResolvedRefs is False (Why): because"))]
#[case(json!([condition("Accepted", "True", 3), condition("ResolvedRefs", "True", 2)]), Some("generation 2, not yet of 3"))]
#[case(json!([condition("Accepted", "True", 3)]), Some("nothing about ResolvedRefs"))]
#[case(json!([condition("Accepted", "False", 3), condition("ResolvedRefs", "True", 3)]), Some("Accepted is False"))]
fn a_route_is_effective_when_every_parent_took_this_generation(#[case] conditions: Value, #[case] says: Option<&str>) {
    let seen = observe(&answered(conditions), "web").unwrap().effective;
    match says {
        None => assert_eq!(seen, Ok(())),
        Some(says) => assert!(seen.as_ref().unwrap_err().contains(says), "{seen:?}"),
    }
}

#[test]
fn a_parent_that_nobody_answered_for_is_waited_for() {
    let mut route = answered(json!([condition("Accepted", "True", 3), condition("ResolvedRefs", "True", 3)]));
    route["spec"]["parentRefs"] = json!([{"name": "public"}, {"name": "internal"}]);
    let why = observe(&route, "web").unwrap().effective.unwrap_err();
    assert_eq!(why, "parent Gateway internal: no gateway controller has answered yet");
}

mod edits;
mod shared;
