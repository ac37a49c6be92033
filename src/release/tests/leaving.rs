//! A GatedRelease that is detached: in each phase the workload is left as it can run by itself.

use super::*;

/// As [`World::run_until`] the controller has left: the finalizer is off, and it says so.
fn leaves(world: &mut World) {
    world.run_until(200, |world| !world.seen.release.finalizer);
    world.run(3);
    assert_eq!(condition(world, "Ready"), (Truth::False, "Detached".into()));
    let plan = world.look(None);
    assert!(plan.actions.is_empty() && plan.events.is_empty(), "{plan:?}");
}

#[rstest]
#[case::plan(Phase::Plan)]
#[case::stage(Phase::Stage)]
#[case::release(Phase::Release)]
fn a_detached_release_leaves_stable_serving_and_the_new_template_paused(#[case] phase: Phase) {
    let mut world = World::new();
    if phase == Phase::Plan {
        let budget =
            BudgetSeen::Measured { status: BudgetStatus::Emergency, remaining_percent: 1.0, decided_by: "a".into() };
        world.seen.budget = budget;
    }
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(phase));
    world.seen.release.detached = true;
    leaves(&mut world);
    assert_eq!((world.split(), world.outcome()), (Split::HOME, Some(Outcome::Abandoned)));
    assert!(world.seen.canary.is_none() && world.seen.previous.is_none());
    let workload = world.workload();
    assert!(workload.paused, "a template that was not released is not let go");
    let says = workload.paused_because.clone().unwrap();
    assert!(says.contains("the GatedRelease was detached") && says.contains("kubectl rollout resume"), "{says}");
}

#[rstest]
#[case::promote(Phase::Promote)]
#[case::verify(Phase::Verify)]
fn a_detached_release_that_the_workload_runs_goes_forward(#[case] phase: Phase) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    let resumed = |world: &World| world.status().promotion.as_ref().is_some_and(|p| p.resumed_at.is_some());
    world.run_until(200, |world| world.phase() == Some(phase) && resumed(world));
    world.run(1);
    world.seen.release.detached = true;
    leaves(&mut world);
    assert_eq!((world.split(), world.outcome()), (Split::HOME, Some(Outcome::Abandoned)));
    assert!(world.seen.canary.is_none() && world.seen.previous.is_none());
    let workload = world.workload();
    let runs: Vec<_> = workload.sets.iter().filter(|set| set.replicas > 0).map(|set| &set.template).collect();
    assert_eq!((workload.paused, runs), (false, vec![&workload.template.clone()]));
}

#[test]
fn a_release_that_goes_back_already_is_detached_when_it_is_back() {
    let mut world = World::new();
    world.deploy("shop:v2", BAD);
    world.run_until(200, |world| world.phase() == Some(Phase::Rollback));
    world.seen.release.detached = true;
    leaves(&mut world);
    assert_eq!((world.split(), world.outcome()), (Split::HOME, Some(Outcome::RolledBack)));
    assert!(world.workload().paused && world.seen.canary.is_none());
}

#[test]
fn after_a_late_rollback_the_previous_version_goes_on_serving_what_is_detached() {
    let mut world = came_back_late();
    world.seen.release.detached = true;
    leaves(&mut world);
    assert_eq!(world.split().weight(Carrier::Previous), Weight::FULL);
    assert!(world.seen.previous.is_some(), "what serves stays");
}

#[test]
fn an_idle_workload_is_detached_at_once_and_taken_under_the_gate_again() {
    let mut world = World::new();
    world.seen.release.detached = true;
    leaves(&mut world);
    // Nobody holds it any more: the next template rolls.
    world.deploy("shop:v2", GOOD);
    let version = world.bump();
    let workload = world.workload();
    (workload.paused, workload.paused_because, workload.resource_version) = (false, None, version);
    world.run(10);
    assert_eq!(condition(&world, "Ready").1, "Detached");
    world.seen.release.detached = false;
    world.run(5);
    assert!(world.seen.release.finalizer);
    assert_eq!(condition(&world, "Ready"), (Truth::True, "InForce".into()));
    assert_eq!(world.outcome(), Some(Outcome::Bypassed), "what ran meanwhile is on record and is stable from now on");
    world.deploy("shop:v3", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_template_left_paused_by_detach_is_tried_again_when_asked() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.phase() == Some(Phase::Release));
    world.seen.release.detached = true;
    leaves(&mut world);
    world.seen.release.detached = false;
    world.run(10);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "Abandoned".into()));
    world.retry("1");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}
