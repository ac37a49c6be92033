//! The release is taken away while its workload is deleted or scaled to nothing in mid-release: users stay where they are
//! answered for `readyWithin`, then traffic goes home as asked, and nothing of Tidegate's is left behind.

use serde_json::json;

use super::stranded::{drained, left_with_the_canary, looks, nothing};
use super::*;
use crate::release::snapshot::AutoscalerSeen;

type Deed = fn(&mut World);

fn delete(world: &mut World) {
    world.seen.release.deleting = true;
}

fn detach(world: &mut World) {
    world.seen.release.detached = true;
}

fn unlabel(world: &mut World) {
    if let Some(workload) = &mut world.seen.workload {
        workload.gated = false;
    }
}

fn deleted(world: &mut World) {
    world.seen.workload = None;
    world.seen.service.as_mut().unwrap().ready_endpoints = 0;
}

fn scaled_to_nothing(world: &mut World) {
    world.workload().replicas = 0;
    for set in &mut world.workload().sets {
        (set.replicas, set.existing, set.available) = (0, 0, 0);
    }
    world.seen.service.as_mut().unwrap().ready_endpoints = 0;
}

fn staging(world: &World) -> bool {
    world.phase() == Some(Phase::Stage)
}

fn in_its_stages(world: &World) -> bool {
    world.split().weight(Carrier::Canary) == Weight::whole(25)
}

fn warming(world: &World) -> bool {
    world.phase() == Some(Phase::Promote) && world.seen.previous.is_some()
}

pub(super) fn rolling(world: &World) -> bool {
    world.status().promotion.as_ref().is_some_and(|it| it.resumed_at.is_some() && it.rolled_at.is_none())
}

pub(super) fn half_back(world: &World) -> bool {
    world.split().weight(Carrier::Workload) == Weight::whole(50)
}

pub(super) fn verifying(world: &World) -> bool {
    world.phase() == Some(Phase::Verify)
}

/// Who has users and answers them.
fn answering(world: &World) -> Option<Carrier> {
    let split = world.split();
    let answers = |carrier: &Carrier| world.seen.side(*carrier).and_then(|side| side.endpoints).unwrap_or(0) > 0;
    [Carrier::Canary, Carrier::Previous].into_iter().find(|it| split.weight(*it) > Weight::ZERO && answers(it))
}

fn held_autoscaler() -> AutoscalerSeen {
    AutoscalerSeen {
        name: "checkout".into(),
        resource_version: "1".into(),
        spec: json!({"minReplicas": 2, "maxReplicas": 20, "scaleTargetRef": {"kind": "Deployment", "name": "checkout"}}),
        held: false,
        window: Span::minutes(5),
        scaled_object: None,
    }
}

#[rstest]
fn nobody_who_is_answered_is_sent_away_at_once_and_nothing_is_left(
    #[values(staging, in_its_stages, warming, rolling, half_back, verifying)] moment: fn(&World) -> bool,
    #[values(deleted, scaled_to_nothing)] gone: Deed,
    #[values(delete, detach, unlabel)] taken: Deed,
) {
    let mut world = World::new();
    world.seen.autoscalers = vec![held_autoscaler()];
    world.deploy("shop:v2", GOOD);
    world.run_until(300, moment);
    world.run(1);
    gone(&mut world);
    taken(&mut world);
    let kept = answering(&world);
    looks(&mut world, 50, nothing);
    if let Some(carrier) = kept {
        let to = answering(&world);
        assert!(to.is_some(), "{carrier} answered, and nobody does\n{}", world.trace.join("\n"));
    }
    looks(&mut world, 120, nothing);
    let told = || world.trace.join("\n");
    assert!(world.outcome().is_some(), "{:?}\n{}", world.status().hold, told());
    assert!(world.seen.canary.is_none(), "{}", told());
    if world.split().weight(Carrier::Previous) == Weight::FULL {
        // As after a late rollback: it answers, and has its own PodDisruptionBudget and autoscaler.
        assert!(answering(&world).is_some(), "{}", told());
    } else {
        assert_eq!(world.split(), Split::HOME, "{}", told());
        assert!(world.seen.previous.is_none(), "{}", told());
    }
    if world.seen.release.leaving().is_some() {
        assert!(!world.seen.release.finalizer, "{}", told());
        assert!(!world.seen.autoscalers[0].held, "the leaf is let go\n{}", told());
    }
}

#[test]
fn a_workload_that_is_put_back_in_time_takes_its_users_over() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, rolling);
    world.run(1);
    let (sets, replicas) = (world.workload().sets.clone(), world.workload().replicas);
    scaled_to_nothing(&mut world);
    detach(&mut world);
    looks(&mut world, 30, nothing);
    let held = (condition(&world, "Held"), world.split().weight(Carrier::Canary));
    assert_eq!(held, ((Truth::True, "NobodyHome".into()), Weight::FULL), "{}", world.trace.join("\n"));
    let says = world.seen.release.status.conditions.iter().find(|it| it.kind == "Held").unwrap().message.clone();
    assert!(says.contains("scale it up") && says.ends_with("then home all the same, as was asked."), "{says}");
    world.workload().replicas = replicas;
    world.workload().sets = sets;
    looks(&mut world, 60, nothing);
    let workload = world.seen.service.as_ref().unwrap().ready_endpoints;
    assert_eq!((world.split(), workload, world.seen.release.finalizer), (Split::HOME, replicas, false));
}

#[rstest]
#[case::deleted(delete)]
#[case::detached(detach)]
fn what_an_earlier_attempt_left_goes_home_when_the_gate_leaves_after_ready_within(#[case] taken: Deed) {
    let mut world = left_with_the_canary();
    let dead = |world: &mut World| world.seen.service.as_mut().unwrap().ready_endpoints = 0;
    looks(&mut world, 5, dead);
    taken(&mut world);
    looks(&mut world, 55, dead);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::FULL, "{}", world.trace.join("\n"));
    looks(&mut world, 30, dead);
    assert_eq!((world.split(), world.seen.release.finalizer), (Split::HOME, false), "{}", world.trace.join("\n"));
    assert!(world.seen.canary.is_none() && world.seen.previous.is_none());
    drained(&world);
}

/// The version that is judged in the workload has a quarter, the previous one the rest and no pods: nobody mends that once the
/// gate has left.
#[test]
fn a_share_that_nobody_answers_goes_home_when_the_gate_leaves() {
    let mut world = came_back_late();
    world.seen.release.spec.strategy.hold_for = Span::minutes(1);
    world.deploy("shop:v3", GOOD);
    world.run_until(200, |world| world.split().weight(Carrier::Workload) == Weight::whole(25));
    let previous = world.seen.previous.as_ref().unwrap().deployment.as_ref().unwrap().revision.clone();
    world.behaviour.insert(previous, NEVER_READY);
    world.settle();
    delete(&mut world);
    looks(&mut world, 120, nothing);
    assert_eq!((world.split(), world.seen.release.finalizer), (Split::HOME, false), "{}", world.trace.join("\n"));
    assert!(world.seen.previous.is_none());
}

/// Nobody takes the release away, and the workload is to have no pods: whoever wants that is not kept waiting for good.
#[test]
fn a_bad_version_goes_home_after_a_hold_where_the_workload_is_to_have_no_pods() {
    let mut world = World::new();
    world.deploy("shop:v2", Behaviour { errors: 0.005, ..GOOD });
    world.run_until(200, in_its_stages);
    scaled_to_nothing(&mut world);
    world.behaviour.values_mut().for_each(|behaviour| behaviour.errors = 0.5);
    world.run_until(60, |world| world.status().hold.as_ref().is_some_and(|hold| hold.reason == "NoWayBack"));
    let told = world.status().hold.clone().unwrap();
    assert!(told.message.contains("goes home as soon as one is, and at the latest after 10m"), "{}", told.message);
    world.run(590);
    assert_eq!(answering(&world), Some(Carrier::Canary), "users stay where they are answered");
    world.run_until(120, |world| world.outcome() == Some(Outcome::RolledBack));
    assert!(world.now >= told.deadline);
    assert_eq!(world.split(), Split::HOME);
}
