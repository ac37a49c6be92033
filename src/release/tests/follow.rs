//! What a release keeps up whatever it waits for: the size of whoever has users, the share of every rule, what is copied for them.

use serde_json::{Value, json};

use super::*;
use crate::release::snapshot::CircuitSeen;

/// A breaker of the administrator's opens, or closes.
fn breaker(world: &mut World, open: bool) {
    let (above, reading) = (5.0, Ok(if open { 7.0 } else { 0.0 }));
    world.seen.circuits =
        vec![CircuitSeen { name: "payments".into(), above, halts_fixes: false, note: String::new(), reading }];
}

fn held(world: &World) -> bool {
    condition(world, "Held") == (Truth::True, "CircuitOpen".to_owned())
}

fn size(world: &World, carrier: Carrier) -> u32 {
    world.seen.side(carrier).and_then(|side| side.deployment.as_ref()).map_or(0, |deployment| deployment.replicas)
}

fn scale(world: &mut World, replicas: u32) {
    world.workload().replicas = replicas;
    world.workload().generation += 1;
}

/// The workload has so many pods already.
fn settled_at(world: &mut World, replicas: u32) {
    scale(world, replicas);
    let set = world.workload().sets.iter_mut().find(|set| set.replicas > 0).unwrap();
    (set.replicas, set.existing, set.available) = (replicas, replicas, replicas);
    world.seen.service.as_mut().unwrap().ready_endpoints = replicas;
}

/// One look after the other, and a second whenever there is nothing to write.
fn step_until(world: &mut World, what: impl Fn(&World) -> bool) {
    for _ in 0..2_000 {
        if what(world) {
            return;
        }
        if world.look(None).actions.is_empty() {
            world.run(1);
        }
        world.settle();
    }
    panic!("never; {}", world.trace.join("\n"));
}

/// Held between the stage of a quarter and that of everybody: neither pods nor weight have moved yet.
fn held_after_a_quarter() -> World {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, |world| world.seen.record.is_some() && world.status().stage == 2);
    assert!(world.status().stages[2].started_at.is_none());
    breaker(&mut world, true);
    world.run_until(10, held);
    assert_eq!((world.split(), size(&world, Carrier::Canary)), (Split::canary(Weight::whole(25)), 2));
    world
}

#[test]
fn a_canary_grows_with_the_workload_while_its_next_stage_waits() {
    let mut world = held_after_a_quarter();
    scale(&mut world, 12);
    world.run(3);
    assert_eq!(size(&world, Carrier::Canary), 4, "a quarter of 12, and a quarter more");
    scale(&mut world, 4);
    world.run(3);
    assert_eq!(size(&world, Carrier::Canary), 4, "what serves never shrinks");
    assert!(held(&world));
    breaker(&mut world, false);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_rule_that_comes_while_a_stage_waits_gets_the_present_share() {
    let mut world = held_after_a_quarter();
    world.seen.routes[0].state.as_mut().unwrap().rules.push(Some(Split::HOME));
    world.run(2);
    assert_eq!(world.split(), Split::canary(Weight::whole(25)));
    assert!(world.route().is(Split::canary(Weight::whole(25))), "{:?}", world.route());
    assert!(held(&world));
}

/// Who writes past the admission policy while a stage waits has moved nothing for good.
#[test]
fn a_share_that_is_written_over_while_a_stage_waits_is_put_back() {
    let mut world = held_after_a_quarter();
    world.seen.routes[0].state.as_mut().unwrap().rules = vec![Some(Split::canary(Weight::whole(90)))];
    world.run(2);
    assert_eq!(world.split(), Split::canary(Weight::whole(25)));
    world.seen.routes[0].state.as_mut().unwrap().rules = vec![Some(Split::canary(Weight::whole(5)))];
    world.run(2);
    assert_eq!(world.split(), Split::canary(Weight::whole(25)));
}

/// What was raised already when the breaker opened keeps what it has: nothing rises, and nothing is taken back.
#[test]
fn a_weight_that_was_raised_before_the_wait_stays_with_the_rule_that_comes() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, |world| world.route().rules[0] == Some(Split::canary(Weight::FULL)));
    assert!(world.status().stages[2].started_at.is_none());
    breaker(&mut world, true);
    world.seen.routes[0].state.as_mut().unwrap().rules.push(Some(Split::HOME));
    world.run(2);
    assert!(held(&world) && world.route().is(Split::canary(Weight::FULL)), "{:?}", world.route());
}

/// Before anybody has met it a new rule learns of the canary and gives it nobody.
#[test]
fn nobody_meets_a_version_whose_first_stage_waits() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, |world| world.phase() == Some(Phase::Release));
    breaker(&mut world, true);
    world.seen.routes[0].state.as_mut().unwrap().rules.push(Some(Split::HOME));
    world.run(3);
    assert!(held(&world) && world.route().is(Split::canary(Weight::ZERO)), "{:?}", world.route());
}

#[test]
fn at_full_weight_the_canary_keeps_the_workloads_size_while_the_promotion_waits() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, |world| world.seen.record.is_some() && world.status().phase == Phase::Promote);
    breaker(&mut world, true);
    world.run_until(10, held);
    scale(&mut world, 9);
    world.seen.routes[0].state.as_mut().unwrap().rules.push(Some(Split::HOME));
    world.run(3);
    assert_eq!(size(&world, Carrier::Canary), 9);
    assert!(held(&world) && world.route().is(Split::canary(Weight::FULL)), "{:?}", world.route());
    breaker(&mut world, false);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// While the workload rolls the canary has everybody, and the previous version is the way back: both keep its size.
#[test]
fn canary_and_previous_version_grow_while_the_workload_rolls() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, |world| {
        world.seen.record.is_some() && world.status().promotion.as_ref().is_some_and(|it| it.resumed_at.is_some())
    });
    scale(&mut world, 9);
    world.look(None);
    world.look(None);
    assert_eq!((size(&world, Carrier::Canary), size(&world, Carrier::Previous)), (9, 9));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// Without a route a share is counted: fewer pods beside the canary make it larger.
#[rstest]
#[case::larger(4, 12, 4)]
#[case::smaller(12, 4, 1)]
fn pods_beside_a_workload_keep_their_share_while_a_stage_waits(#[case] from: u32, #[case] to: u32, #[case] pods: u32) {
    let mut world = World::by_count("Deployment");
    scale(&mut world, from);
    world.run(10);
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, |world| world.seen.record.is_some() && world.status().stage == 2);
    breaker(&mut world, true);
    world.run_until(20, held);
    scale(&mut world, to);
    world.run(10);
    assert!(held(&world));
    assert_eq!(
        size(&world, Carrier::Canary),
        pods,
        "at most a quarter of all, beside {to}\n{}",
        world.trace.join("\n")
    );
    breaker(&mut world, false);
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// Pods that are added to a StatefulSet come up with the version that is exposed: they go back to the share that passed.
#[test]
fn places_of_a_stateful_set_keep_their_share_while_a_stage_waits() {
    let mut world = World::by_count("StatefulSet");
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, |world| world.seen.record.is_some() && world.status().stage == 2);
    breaker(&mut world, true);
    world.run_until(20, held);
    scale(&mut world, 8);
    world.run(60);
    assert!(held(&world));
    assert_eq!(world.ordinals().partition, 6, "a quarter of 8");
    assert_eq!(world.images().iter().filter(|image| *image == "shop:v2").count(), 2);
}

fn policy(ports: Value) -> Value {
    let spec = json!({"podSelector": {"matchLabels": {"app": "checkout"}}, "policyTypes": ["Ingress"], "ingress": [{"ports": ports}]});
    json!({"metadata": {"name": "allow"}, "spec": spec})
}

fn spec<'a>(all: &'a [Value], name: &str) -> &'a Value {
    &all.iter().find(|one| one["metadata"]["name"] == name).unwrap_or_else(|| panic!("no {name}"))["spec"]
}

/// While a release goes on, and while the previous version is kept warm.
#[rstest]
#[case::in_the_stages(at_a_quarter as fn() -> World, Carrier::Canary)]
#[case::in_verification(in_verification as fn() -> World, Carrier::Previous)]
fn copies_follow_what_they_are_copied_from(#[case] begin: fn() -> World, #[case] carrier: Carrier) {
    let mut world = begin();
    let (policy_name, budget_name) = (format!("allow-checkout-{carrier}"), format!("checkout-{carrier}"));
    world.seen.release.spec.traffic.clone_network_policies = true;
    world.seen.network_policies.push(policy(json!([{"port": 80}])));
    world.run(2);
    let made = spec(&world.seen.network_policies, &policy_name);
    assert_eq!(made["ingress"][0]["ports"], json!([{"port": 80}]), "made in the middle, it is copied");
    assert_eq!(made["podSelector"]["matchLabels"]["app"], format!("checkout-{carrier}"));
    let own = |least: u32| {
        let selector = json!({"matchLabels": {"app": "checkout"}});
        json!({"metadata": {"name": "own"}, "spec": {"minAvailable": least, "selector": selector}})
    };
    assert_eq!(spec(&world.seen.disruption_budgets, &budget_name)["maxUnavailable"], json!(1));
    world.seen.disruption_budgets.push(own(4));
    world.run(2);
    assert_eq!(spec(&world.seen.disruption_budgets, &budget_name)["maxUnavailable"], json!(0), "none of four may go");
    // What is asked for of a larger workload lets some go: the copy's pods too.
    settled_at(&mut world, 8);
    for one in &mut world.seen.network_policies {
        if one["metadata"]["name"] == "allow" {
            *one = policy(json!([{"port": 8080}]));
        }
    }
    world.run(2);
    assert_eq!(spec(&world.seen.network_policies, &policy_name)["ingress"][0]["ports"], json!([{"port": 8080}]));
    assert_eq!(spec(&world.seen.disruption_budgets, &budget_name)["maxUnavailable"], json!("50%"));
    assert!(world.look(None).actions.is_empty(), "and that is all");
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    let left = |all: &[Value]| all.iter().any(|one| one["metadata"]["labels"]["tidegate.io/role"].is_string());
    assert!(!left(&world.seen.network_policies) && !left(&world.seen.disruption_budgets));
}

/// A version that should go back and finds nobody to go back to is not given more of anything.
#[test]
fn nothing_is_kept_up_of_a_version_that_should_go_back() {
    let mut world = at_a_quarter();
    for set in &mut world.workload().sets {
        (set.available, set.existing) = (0, 0);
    }
    world.seen.service.as_mut().unwrap().ready_endpoints = 0;
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    for _ in 0..12 {
        world.now = world.now.plus(Span::seconds(1));
        world.look(None);
    }
    assert_eq!(condition(&world, "Held").1, "NoWayBack");
    let before = size(&world, Carrier::Canary);
    scale(&mut world, 40);
    world.look(None);
    assert_eq!(size(&world, Carrier::Canary), before);
}
