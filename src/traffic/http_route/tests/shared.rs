//! One route that leads to several Services, each with a release of its own.

use std::collections::BTreeSet;

use super::*;
use crate::api::names::{WEIGHTS, WEIGHTS_BEFORE, WITHDRAWN};

const QUARTER: Split = Split::canary(Weight::whole(25));
const BOTH: [&str; 2] = ["cart", "web"];

fn backend(name: &str, weight: u32) -> Value {
    json!({"name": name, "port": 80, "weight": weight})
}

fn at(path: &str, backends: Value) -> Value {
    json!({"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": backends})
}

/// Rules of each alone, one of both, and one of somebody else.
fn shared() -> Value {
    let mut route = route(json!([
        at("/cart", json!([backend("cart", 3)])),
        at("/both", json!([backend("docs", 100), backend("web", 300), backend("old", 1), backend("cart", 200)])),
        at("/docs", json!([{"name": "docs", "port": 80}])),
        at("/", json!([{"name": "web", "port": 80}])),
    ]));
    route["metadata"]["annotations"] = json!({"mine": "yes"});
    route
}

fn to(route: &Value, service: &str, split: Split) -> Value {
    patched(route, &write(route, service, split, None))
}

/// Why a release of the Service came back.
fn reason(service: &str) -> (String, RollbackLog) {
    (format!("{service}-0002"), RollbackLog { traffic_to: format!("{service}-previous"), ..log() })
}

/// What the route gives the versions of the Service, in each rule.
fn family(route: &Value, service: &str) -> Vec<Vec<Value>> {
    let own = |one: &Value| {
        let name = one["name"].as_str().unwrap();
        name == service || name.starts_with(&format!("{service}-"))
    };
    let rules = route["spec"]["rules"].as_array().unwrap().iter();
    rules.map(|rule| rule["backendRefs"].as_array().unwrap().iter().filter(|one| own(one)).cloned().collect()).collect()
}

/// All orders in which two courses of `left` and `right` steps can meet: whose step comes next.
fn orders(left: usize, right: usize) -> Vec<Vec<usize>> {
    let mut orders = Vec::new();
    for (who, rest) in
        [(0, left.checked_sub(1).map(|less| (less, right))), (1, right.checked_sub(1).map(|less| (left, less)))]
    {
        let Some((left, right)) = rest else { continue };
        orders.extend(self::orders(left, right).into_iter().map(|tail| [vec![who], tail].concat()));
    }
    if left + right == 0 { vec![Vec::new()] } else { orders }
}

#[test]
fn two_releases_in_any_order_of_their_writes_leave_each_other_alone_and_end_in_the_owners_route() {
    let w = Weight::whole;
    // One is promoted, and one comes back late and is mended after that.
    let promoted =
        [(Split::canary(w(0)), false), (QUARTER, false), (Split::hand_back(w(50)), false), (Split::HOME, false)];
    let came_back =
        [(QUARTER, false), (Split::FALL_BACK, true), (Split::previous(Weight::FULL), false), (Split::HOME, false)];
    for order in orders(promoted.len(), came_back.len()) {
        let mut courses = [promoted.iter(), came_back.iter()];
        let mut stands = [(Split::HOME, None), (Split::HOME, None)];
        let mut now = shared();
        for who in &order {
            let (split, withdrawn) = *courses[*who].next().unwrap();
            let service = BOTH[*who];
            let other = BOTH[1 - who];
            let (was, said) = (family(&now, other), observe(&now, other).unwrap());
            let why = withdrawn.then(|| reason(service));
            now = patched(&now, &write(&now, service, split, why.as_ref()));
            let kept = if split == Split::HOME { None } else { why.or_else(|| stands[*who].1.clone()) };
            stands[*who] = (split, kept);
            assert_eq!(family(&now, other), was, "{service} wrote {split} in {order:?}");
            assert_eq!(observe(&now, other).unwrap(), said, "{service} wrote {split} in {order:?}");
            for (service, (split, withdrawn)) in BOTH.iter().zip(&stands) {
                let seen = observe(&now, service).unwrap();
                assert!(seen.is(*split) && seen.withdrawn == *withdrawn, "{service} in {order:?}: {seen:?}");
            }
        }
        assert_eq!(now, shared(), "{order:?}");
    }
}

#[test]
fn each_mark_names_its_service_and_goes_with_the_last_of_them() {
    let one = to(&shared(), "web", QUARTER);
    assert_eq!(annotation(&one, WEIGHTS), Some("web"));
    let both = to(&one, "cart", QUARTER);
    assert_eq!(annotation(&both, WEIGHTS), Some("cart,web"));
    let note: Value = serde_json::from_str(annotation(&both, WEIGHTS_BEFORE).unwrap()).unwrap();
    let noted = |service: &str| note[service].as_object().unwrap().values().map(Value::as_u64).collect::<BTreeSet<_>>();
    assert_eq!(noted("cart"), BTreeSet::from([Some(3), Some(200)]), "{note}");
    assert_eq!(noted("web"), BTreeSet::from([None, Some(300)]), "{note}");
    let back = patched(&both, &write(&both, "cart", Split::canary(Weight::ZERO), Some(&reason("cart"))));
    let why: Value = serde_json::from_str(annotation(&back, WITHDRAWN).unwrap()).unwrap();
    assert_eq!(why.as_object().unwrap().keys().collect::<Vec<_>>(), ["cart"]);
    let left = to(&back, "cart", Split::HOME);
    assert_eq!((annotation(&left, WEIGHTS), annotation(&left, WITHDRAWN)), (Some("web"), None));
    assert_eq!(to(&left, "web", Split::HOME), shared());
}

/// What a Tidegate wrote that knew one Service by route: the last writer's name and note.
fn of_old(mut route: Value, writer: &str, note: Option<&str>, withdrawn: Option<&(String, RollbackLog)>) -> Value {
    let marks = route["metadata"]["annotations"].as_object_mut().unwrap();
    marks.insert(WEIGHTS.to_owned(), json!(writer));
    let keyed: Value = serde_json::from_str(marks[WEIGHTS_BEFORE].as_str().unwrap()).unwrap();
    let flat = note.map_or_else(|| keyed[writer].to_string(), str::to_owned);
    marks.insert(WEIGHTS_BEFORE.to_owned(), json!(flat));
    marks.remove(WITHDRAWN);
    if let Some((record, log)) = withdrawn {
        marks.insert(WITHDRAWN.to_owned(), json!(json!({"record": record, "log": log}).to_string()));
    }
    route
}

#[test]
fn marks_of_a_release_that_an_earlier_tidegate_began_are_its_services_and_are_named_at_the_next_write() {
    let back = patched(&shared(), &write(&shared(), "cart", Split::FALL_BACK, Some(&reason("cart"))));
    let old = of_old(back.clone(), "cart", None, Some(&reason("cart")));
    assert_eq!(observe(&old, "cart").unwrap(), observe(&back, "cart").unwrap());
    let plain = observe(&old, "web").unwrap();
    assert!(plain.is(Split::HOME) && plain.withdrawn.is_none(), "{plain:?}");
    // Its own next write, or another's.
    for now in [to(&old, "cart", Split::FALL_BACK), to(&to(&old, "web", QUARTER), "web", Split::HOME)] {
        assert_eq!(now, back);
    }
    assert_eq!(to(&old, "cart", Split::HOME), shared());
}

#[test]
fn a_release_whose_marks_another_had_taken_over_gets_its_own_back() {
    let both = to(&to(&shared(), "cart", QUARTER), "web", QUARTER);
    // The reason is kept by who wrote last, whose it is not.
    let old = of_old(both, "web", None, Some(&reason("cart")));
    let seen = observe(&old, "cart").unwrap();
    assert!(!seen.marked && !seen.is(QUARTER) && seen.withdrawn == Some(reason("cart")), "{seen:?}");
    assert!(observe(&old, "web").unwrap().is(QUARTER) && observe(&old, "web").unwrap().withdrawn.is_none());
    let now = to(&old, "cart", QUARTER);
    assert!(BOTH.iter().all(|service| observe(&now, service).unwrap().is(QUARTER)), "{now}");
    assert_eq!(annotation(&now, WEIGHTS), Some("cart,web"));
    // What nobody knows any more is the one weight of a rule that divides nothing by it.
    let mut home = shared();
    home["spec"]["rules"][0]["backendRefs"][0].as_object_mut().unwrap().remove("weight");
    assert_eq!(to(&to(&now, "cart", Split::HOME), "web", Split::HOME), home);
}

#[test]
fn places_that_were_noted_for_one_service_are_its_own() {
    let both = to(&to(&shared(), "cart", QUARTER), "web", QUARTER);
    let old = of_old(both, "web", Some(r#"{"1":300,"3":7}"#), None);
    let home = to(&to(&old, "web", Split::HOME), "cart", Split::HOME);
    assert_eq!(home["spec"]["rules"][3]["backendRefs"], json!([backend("web", 7)]));
    assert_eq!(home["spec"]["rules"][0]["backendRefs"][0]["name"], "cart");
}

#[rstest]
#[case::no_names(WEIGHTS, "")]
#[case::no_names_between(WEIGHTS, " , ,")]
#[case::no_json(WEIGHTS_BEFORE, "{")]
#[case::a_list(WEIGHTS_BEFORE, "[1]")]
#[case::words(WEIGHTS_BEFORE, r#"{"cart":{"name:x":"many"},"web":3}"#)]
#[case::no_reason(WITHDRAWN, r#"{"cart":{"record":"cart-0002"}}"#)]
#[case::a_text(WITHDRAWN, "why")]
fn marks_that_nobody_can_read_say_nothing_and_go(#[case] key: &str, #[case] text: &str) {
    let mut odd = shared();
    odd["metadata"]["annotations"][key] = json!(text);
    assert!(BOTH.iter().all(|service| observe(&odd, service).unwrap().is(Split::HOME)));
    assert_eq!(to(&to(&odd, "cart", QUARTER), "cart", Split::HOME), shared());
}

#[test]
fn what_belongs_to_a_service_that_is_neither_marked_nor_divided_is_forgotten() {
    let both = to(&to(&shared(), "cart", QUARTER), "web", QUARTER);
    // Somebody took the mark and the versions of the one out.
    let mut edited = both.clone();
    edited["metadata"]["annotations"][WEIGHTS] = json!("web");
    assert!(
        annotation(&to(&edited, "web", Split::FALL_BACK), WEIGHTS_BEFORE).unwrap().contains("cart"),
        "it is divided"
    );
    edited["spec"]["rules"] = shared()["spec"]["rules"].clone();
    let now = to(&edited, "web", QUARTER);
    assert_eq!(annotation(&now, WEIGHTS), Some("web"));
    assert!(!annotation(&now, WEIGHTS_BEFORE).unwrap().contains("cart"), "{now}");
}
