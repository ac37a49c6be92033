//! What has to hold for any objects and any order of writes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

const W: &str = "/apis/example.io/v1/namespaces/default/widgets/w";

fn with_widgets() -> Server {
    let mut server = Server::new();
    server.made(CRDS, &widgets());
    server
}

prop_compose! {
    fn spec()(
        size in proptest::option::of(0..5_i64),
        parts in proptest::collection::btree_map("[abc]", proptest::option::of(0..3_i64), 0..3),
        tags in proptest::collection::btree_set("[xyz]", 0..3),
        rules in proptest::option::of(proptest::collection::vec(0..3_i64, 0..3)),
        free in proptest::collection::btree_map("[kl]", "[01]", 0..3),
    ) -> Value {
        let mut spec = Map::new();
        if let Some(size) = size {
            spec.insert("size".to_owned(), size.into());
        }
        if let Some(rules) = rules {
            spec.insert("rules".to_owned(), rules.iter().map(|rule| json!({"r": rule})).collect());
        }
        let parts: Vec<Value> = parts
            .iter()
            .map(|(id, count)| count.map_or(json!({"id": id}), |count| json!({"id": id, "count": count})))
            .collect();
        if !parts.is_empty() {
            spec.insert("parts".to_owned(), parts.into());
        }
        if !tags.is_empty() {
            spec.insert("tags".to_owned(), tags.into_iter().collect());
        }
        if !free.is_empty() {
            spec.insert("free".to_owned(), json!(free));
        }
        Value::Object(spec)
    }
}

/// Whether all that is wanted is there.
fn holds(is: &Value, wanted: &Value) -> bool {
    match (is, wanted) {
        (Value::Object(is), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| is.get(key).is_some_and(|is| holds(is, value)))
        }
        (Value::Array(is), Value::Array(wanted)) => wanted.iter().all(|wanted| is.iter().any(|is| holds(is, wanted))),
        (is, wanted) => is == wanted,
    }
}

/// The merge patch from one value to another.
fn difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return to.clone() };
    let mut patch = Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in to {
        match from.get(key) {
            Some(was) if was == value => {}
            Some(was) => drop(patch.insert(key.clone(), difference(was, value))),
            None => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(patch)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn to_apply_twice_is_to_apply_once(specs in proptest::collection::vec((spec(), "[ab]"), 1..6)) {
        let mut server = with_widgets();
        for (spec, manager) in &specs {
            let target = format!("{W}?fieldManager={manager}&force=true");
            let (_, once) = server.patch(&target, APPLY, &widget("w", spec.clone()));
            prop_assert!(holds(&once["spec"], spec), "{once} lacks some of {spec}");
            let version = server.0.version();
            let (_, twice) = server.patch(&target, APPLY, &widget("w", spec.clone()));
            prop_assert_eq!(&once, &twice);
            prop_assert_eq!(version, server.0.version());
        }
    }

    #[test]
    fn one_applier_alone_gets_what_it_says(specs in proptest::collection::vec(spec(), 1..5)) {
        let mut server = with_widgets();
        for spec in &specs {
            server.patch(&format!("{W}?fieldManager=a"), APPLY, &widget("w", spec.clone()));
        }
        let last = specs.last().unwrap();
        let is = server.get(W).1;
        let rest = is["spec"].as_object().into_iter().flatten().all(|(key, _)| last.get(key).is_some());
        prop_assert!(rest && holds(&is["spec"], last), "{} is not {last}", is["spec"]);
    }

    #[test]
    fn nobody_loses_what_only_they_own(mine in spec(), theirs in proptest::collection::vec(spec(), 1..4)) {
        let mut server = with_widgets();
        server.patch(&format!("{W}?fieldManager=me"), APPLY, &widget("w", mine.clone()));
        for spec in &theirs {
            // Without force: what would take something of mine is refused.
            server.patch(&format!("{W}?fieldManager=they"), APPLY, &widget("w", spec.clone()));
            let is = server.get(W).1;
            prop_assert!(holds(&is["spec"], &mine), "{} lacks some of {mine}", is["spec"]);
        }
    }

    #[test]
    fn a_merge_patch_of_the_difference_gives_the_target(from in spec(), to in spec()) {
        let mut server = with_widgets();
        server.made(WIDGETS, &widget("w", from.clone()));
        let (code, patched) = server.patch(W, MERGE, &json!({"spec": difference(&from, &to)}));
        prop_assert_eq!((code, &patched["spec"]), (200, &to));
    }

    #[test]
    fn a_watch_replays_to_what_a_list_shows(
        writes in proptest::collection::vec((0..4_u8, "[abc]", "[xy]"), 0..40), poll_every in 1..5_usize,
    ) {
        let mut server = Server::new();
        let mut watch = server.watch(&format!("{CONFIG_MAPS}?watch=true&labelSelector=app!%3Dy"));
        let mut seen: BTreeMap<String, Value> = BTreeMap::new();
        for (at, (what, name, app)) in writes.iter().enumerate() {
            let path = format!("{CONFIG_MAPS}/{name}");
            match what {
                0 => drop(server.post(CONFIG_MAPS, &config_map(name, json!({})))),
                1 => drop(server.patch(&path, MERGE, &json!({"metadata": {"labels": {"app": app}}}))),
                2 => drop(server.patch(&path, MERGE, &json!({"data": {"at": at.to_string()}}))),
                _ => drop(server.delete(&path, &json!({}))),
            }
            if at % poll_every == 0 {
                replay(&mut seen, server.poll(&mut watch));
            }
        }
        replay(&mut seen, server.poll(&mut watch));
        let (_, list) = server.get(&format!("{CONFIG_MAPS}?labelSelector=app!%3Dy"));
        let shown: Vec<&Value> = list["items"].as_array().unwrap().iter().collect();
        prop_assert_eq!(seen.values().collect::<Vec<_>>(), shown);
    }
}

fn replay(seen: &mut BTreeMap<String, Value>, events: Vec<(String, Value)>) {
    for (kind, object) in events {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        match (kind.as_str(), seen.contains_key(&name)) {
            ("ADDED", false) | ("MODIFIED", true) => drop(seen.insert(name, object)),
            ("DELETED", true) => drop(seen.remove(&name)),
            (kind, there) => panic!("{kind} of {name}, there: {there}"),
        }
    }
}
