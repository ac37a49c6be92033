//! Where an autoscaler sizes the workload, a copy of it sizes the previous version, which has no traffic until it is needed: the copy
//! takes nothing away of what Tidegate wants there, whatever became of the workload since it was made.

use super::*;
use crate::api::gated_release::Capacity;
use crate::release::action::Action;
use crate::release::snapshot::AutoscalerSeen;
use serde_json::{Value, json};

fn autoscaler() -> AutoscalerSeen {
    AutoscalerSeen {
        name: "checkout".into(),
        resource_version: "1".into(),
        spec: json!({"minReplicas": 2, "maxReplicas": 20, "scaleTargetRef": {"kind": "Deployment", "name": "checkout"}}),
        held: false,
        window: Span::minutes(5),
        scaled_object: None,
    }
}

fn begun(capacity: Capacity) -> World {
    let mut world = World::new();
    world.seen.autoscalers = vec![autoscaler()];
    world.seen.release.spec.strategy.capacity = capacity;
    world.deploy("shop:v2", GOOD);
    world
}

fn in_verification(capacity: Capacity) -> World {
    let mut world = begun(capacity);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    world
}

fn size(world: &World) -> u32 {
    world.seen.previous.as_ref().unwrap().deployment.as_ref().unwrap().replicas
}

fn copy(world: &World) -> &Value {
    world.seen.previous.as_ref().unwrap().autoscaler.as_ref().unwrap()
}

/// What is written to the previous version in so many seconds.
fn written(world: &mut World, seconds: u32) -> usize {
    let mut all = 0;
    for _ in 0..seconds {
        let plan = world.look(None);
        let is = |action: &&Action| {
            matches!(
                action,
                Action::Apply { carrier: Carrier::Previous, .. } | Action::ScaleSide { carrier: Carrier::Previous, .. }
            )
        };
        all += plan.actions.iter().filter(is).count();
        world.settle();
        world.now = world.now.plus(Span::seconds(1));
    }
    all
}

/// The workload has so many pods already.
fn has(world: &mut World, replicas: u32) {
    world.workload().replicas = replicas;
    let set = world.workload().sets.iter_mut().max_by_key(|set| set.replicas).unwrap();
    (set.replicas, set.existing, set.available) = (replicas, replicas, replicas);
    world.seen.service.as_mut().unwrap().ready_endpoints = replicas;
}

fn goes_bad(world: &mut World) {
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
}

/// Lean, it is made with five of eight, while the canary has half of the users; it grows when the canary goes.
#[rstest]
#[case::lean(Capacity::Lean)]
#[case::full(Capacity::Full)]
fn nobody_takes_from_the_way_back_what_it_needs(#[case] capacity: Capacity) {
    let mut world = begun(capacity);
    world.workload().replicas = 8;
    world.workload().sets[0].replicas = 8;
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    world.run(3);
    assert_eq!((size(&world), &copy(&world)["minReplicas"]), (8, &json!(8)), "{}", world.trace.join("\n"));
    assert_eq!(written(&mut world, 30), 0, "no hand works against another\n{}", world.trace.join("\n"));
    assert_eq!(size(&world), 8);
}

#[rstest]
#[case::that_stays(|_: &mut World| {})]
#[case::that_its_owner_takes_away(|world: &mut World| world.seen.autoscalers.clear())]
fn it_grows_with_the_workload_beside_an_autoscaler(#[case] then: fn(&mut World)) {
    let mut world = in_verification(Capacity::Full);
    then(&mut world);
    let before = size(&world);
    has(&mut world, before + 5);
    world.run(5);
    assert_eq!(size(&world), before + 5, "{}", world.trace.join("\n"));
    assert_eq!(written(&mut world, 20), 0, "{}", world.trace.join("\n"));
    has(&mut world, before);
    world.run(5);
    goes_bad(&mut world);
    assert_eq!(size(&world), before + 5, "users come back to as many as were warm");
}

#[test]
fn who_serves_after_a_late_rollback_grows_beside_an_autoscaler() {
    let mut world = in_verification(Capacity::Full);
    goes_bad(&mut world);
    let before = size(&world);
    world.workload().replicas = before + 5;
    world.run(5);
    assert_eq!((size(&world), &copy(&world)["minReplicas"]), (before + 5, &json!(before + 5)));
    // What the copy adds is the copy's.
    world.seen.previous.as_mut().unwrap().deployment.as_mut().unwrap().replicas = before + 9;
    assert_eq!(written(&mut world, 20), 0, "{}", world.trace.join("\n"));
    assert_eq!(size(&world), before + 9);
}

#[test]
fn what_the_owner_changes_of_the_autoscaler_the_copy_has_and_it_leaves_as_many() {
    let mut world = in_verification(Capacity::Full);
    world.run(3);
    let floor = copy(&world)["minReplicas"].clone();
    world.seen.autoscalers[0].spec["maxReplicas"] = json!(40);
    world.seen.autoscalers[0].spec["minReplicas"] = json!(1);
    world.run(3);
    assert_eq!((&copy(&world)["maxReplicas"], &copy(&world)["minReplicas"]), (&json!(40), &floor));
    assert_eq!(copy(&world)["scaleTargetRef"]["name"], "checkout-previous");
    assert_eq!(written(&mut world, 20), 0);
}
