//! Two GatedReleases name one workload: one releases it, the other waits and writes nothing.

use super::*;
use crate::release::action::Action;
use crate::release::lint::{Note, lint};
use crate::release::plan;
use crate::release::snapshot::{Listening, Side};
use crate::release::twins::Claim;

const EARLIER: &str = "2025-01-01T00:00:00Z";
const LATER: &str = "2026-06-01T00:00:00Z";

/// Another GatedRelease that has the same workload under the gate, created then.
fn another(world: &World, created: &str) -> Claim {
    let created = Some(crate::api::Time(created.parse().unwrap()));
    Claim { name: "first".into(), uid: "g0".into(), created, finalizer: true, ..Claim::of(&world.seen.release) }
}

/// What another release made for itself.
fn foreign(carrier: Carrier) -> Option<Side> {
    let foreign = Some(format!("Deployment shop/checkout-{carrier}"));
    Some(Side {
        carrier,
        deployment: None,
        endpoints: None,
        service: None,
        listening: Listening::new(),
        pdb: false,
        autoscaler: None,
        foreign,
    })
}

fn weights(world: &mut World, split: Split) {
    let route = world.seen.routes[0].state.as_mut().unwrap();
    (route.rules, route.marked) = (vec![Some(split)], split != Split::HOME);
}

/// A GatedRelease without a past, created while another one has the workload.
fn copy() -> World {
    let mut world = World::new();
    (world.seen.record, world.seen.release.status) = (None, Default::default());
    world.seen.release.finalizer = false;
    world.seen.others = vec![another(&world, EARLIER)];
    world.trace.clear();
    world
}

/// So many looks, a second apart, without what follows from pods: the other release looks after them.
fn looks(world: &mut World, times: u32) -> Vec<Action> {
    let mut all = Vec::new();
    for _ in 0..times {
        all.extend(world.look(None).actions);
        world.now = world.now.plus(Span::seconds(1));
    }
    all
}

#[rstest]
#[case::idle(false, Split::HOME)]
#[case::held(true, Split::HOME)]
#[case::in_a_stage(true, Split::canary(Weight::whole(25)))]
#[case::in_the_promotion(false, Split::canary(Weight::FULL))]
#[case::handing_back(false, Split::hand_back(Weight::whole(50)))]
#[case::verified(false, Split::previous(Weight::ZERO))]
#[case::came_back_late(false, Split::previous(Weight::FULL))]
fn the_later_one_writes_nothing_whatever_the_other_does(#[case] held: bool, #[case] split: Split) {
    let mut world = copy();
    if held {
        world.deploy("shop:v2", GOOD);
    }
    weights(&mut world, split);
    (world.seen.canary, world.seen.previous) = (foreign(Carrier::Canary), foreign(Carrier::Previous));
    world.seen.routes[0].owned = Some(world.route().resource_version.clone());
    let writes = looks(&mut world, 30);
    assert!(writes.is_empty(), "{writes:?}");
    assert_eq!(condition(&world, "Ready"), (Truth::False, "WorkloadTaken".into()));
    assert!(world.seen.release.status.message.contains("GatedRelease first"), "{}", world.seen.release.status.message);
    assert_eq!((&world.seen.record, world.split()), (&None, split));
    let told: Vec<_> = world.trace.iter().filter(|line| line.contains("WorkloadTaken")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn it_says_who_has_the_workload_and_what_to_type() {
    let mut world = copy();
    world.look(None);
    let all = &world.seen.release.status.conditions;
    let ready = all.iter().find(|condition| condition.kind == "Ready").unwrap();
    insta::assert_snapshot!(ready.message, @"spec.workloadRef: GatedRelease first, created 1 Jan 00:00:00 UTC, has Deployment checkout, and only one can have it: this one records nothing and writes nothing to it. Delete this one (kubectl delete gatedrelease checkout -n shop), or create it anew for another workload. It takes over when first is deleted or detached (kubectl tidegate detach first -n shop --keep-label).");
    let mut service = another(&world, EARLIER);
    service.workload.name = "cart".into();
    world.seen.others = vec![service];
    world.look(None);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "ServiceTaken".into()));
}

#[test]
fn the_first_one_goes_on_as_if_it_were_alone() {
    let mut world = at_a_quarter();
    world.seen.others = vec![another(&world, LATER), Claim { finalizer: false, ..another(&world, EARLIER) }];
    world.run_until(200, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.split(), Split::HOME);
}

#[rstest]
#[case::idle(false)]
#[case::held(true)]
fn it_takes_over_when_the_other_is_gone(#[case] held: bool) {
    let mut world = copy();
    if held {
        world.deploy("shop:v2", GOOD);
    }
    looks(&mut world, 3);
    world.seen.others.clear();
    world.run(3);
    assert_eq!(condition(&world, "Ready").0, Truth::True);
    match held {
        false => assert_eq!(world.outcome(), Some(Outcome::Bootstrap)),
        true => world.run_until(200, |world| world.outcome() == Some(Outcome::Succeeded)),
    }
}

#[test]
fn what_another_one_released_meanwhile_is_no_bypass() {
    let mut world = in_verification();
    world.run_until(200, |world| world.outcome() == Some(Outcome::Succeeded));
    world.seen.others = vec![another(&world, EARLIER)];
    world.run_until(100, |world| !world.seen.release.finalizer);
    // The other one ships v3.
    world.deploy("shop:v3", GOOD);
    let workload = world.workload();
    (workload.paused, workload.paused_because) = (false, None);
    let before = world.status().clone();
    world.run(30);
    assert_eq!(*world.status(), before, "{}", world.trace.join("\n"));
    world.seen.others.clear();
    world.run(5);
    assert_eq!(world.outcome(), Some(Outcome::Bootstrap), "{}", world.trace.join("\n"));
    assert!(world.seen.release.finalizer && world.status().charge.is_none());
    assert_eq!(condition(&world, "Ready"), (Truth::True, "InForce".into()));
}

/// Both were under the gate before it was known that they are two.
#[test]
fn one_that_loses_its_workload_takes_its_own_users_home() {
    let mut world = at_a_quarter();
    world.seen.others = vec![another(&world, EARLIER)];
    world.run_until(100, |world| !world.seen.release.finalizer);
    world.run(3);
    assert_eq!((world.split(), world.outcome()), (Split::HOME, Some(Outcome::Abandoned)));
    assert!(world.seen.canary.is_none() && world.workload().paused);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "WorkloadTaken".into()));
}

#[rstest]
#[case::stays(false)]
#[case::is_deleted(true)]
fn one_that_loses_its_workload_leaves_the_others_canary_alone(#[case] deleting: bool) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.look(None);
    let split = Split::canary(Weight::whole(25));
    weights(&mut world, split);
    (world.seen.canary, world.seen.release.deleting) = (foreign(Carrier::Canary), deleting);
    world.seen.others = vec![another(&world, EARLIER)];
    let writes = looks(&mut world, 5);
    assert!(matches!(writes[..], [Action::UpdateRecord { .. }, Action::RemoveFinalizer]), "{writes:?}");
    assert_eq!((world.split(), world.outcome()), (split, Some(Outcome::Abandoned)));
}

/// Nobody is known to have the workload, and the canary in the route is somebody's all the same.
#[rstest]
#[case::idle(false)]
#[case::deleted(true)]
fn weights_of_anothers_canary_are_not_taken_home(#[case] deleting: bool) {
    let mut world = World::new();
    let split = Split::canary(Weight::whole(25));
    weights(&mut world, split);
    (world.seen.canary, world.seen.release.deleting) = (foreign(Carrier::Canary), deleting);
    looks(&mut world, 5);
    assert_eq!((world.split(), world.seen.release.finalizer), (split, !deleting));
}

#[test]
fn the_linter_stops_a_write_to_what_another_one_has() {
    let world = copy();
    let mut plan = plan(&world.seen, world.now);
    plan.actions.push(Action::AddFinalizer);
    assert_eq!(lint(plan, &world.seen), Err(vec![Note::Taken("the finalizer")]));
}
