//! A held Deployment that keeps no history and is scaled to nothing: stable's ReplicaSet is gone, and nothing runs in its place.

use rstest::rstest;
use serde_json::json;

use super::*;

/// Scales the workload to nothing: Kubernetes deletes what has no pods where no history is kept.
fn to_nothing(world: &mut World) {
    world.workload().replicas = 0;
    for set in &mut world.workload().sets {
        (set.replicas, set.existing, set.available) = (0, 0, 0);
    }
    world.settle();
}

/// A workload without history that is held with a new template, scaled to nothing and back, with the controller looking in between
/// or not.
fn scaled_to_nothing_and_back(mut world: World, looks: bool) -> World {
    to_nothing(&mut world);
    assert!(world.workload().sets.is_empty(), "the story is of a lost stable");
    if looks {
        world.run(5);
    }
    world.workload().replicas = 4;
    world.run(5);
    world
}

fn without_history() -> World {
    let mut world = World::new();
    world.workload().spec = json!({"revisionHistoryLimit": 0});
    world.run(3);
    world
}

/// Held by a budget, so that its attempt is open.
fn in_plan() -> World {
    let mut world = without_history();
    world.seen.budget = BudgetSeen::Unmeasured("no answer".into());
    world.deploy("shop:v2", GOOD);
    world.run(3);
    assert_eq!(world.phase(), Some(Phase::Plan));
    world
}

/// Its attempt came back.
fn rolled_back() -> World {
    let mut world = without_history();
    world.deploy("shop:v2", BAD);
    world.run_until(200, |world| world.outcome() == Some(Outcome::RolledBack));
    world
}

/// It came while there were no pods, so that no attempt began.
fn unopened() -> World {
    let mut world = without_history();
    to_nothing(&mut world);
    world.deploy("shop:v2", GOOD);
    world
}

fn running(world: &mut World) -> Vec<String> {
    let sets = world.workload().sets.iter().filter(|set| set.replicas > 0);
    sets.map(|set| set.template["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()).collect()
}

fn stays_down(world: &mut World) {
    assert!(world.workload().paused, "the new template runs ungated\n{}", world.trace.join("\n"));
    assert!(world.workload().sets.is_empty());
}

#[rstest]
#[case::in_plan(in_plan(), "Held")]
#[case::after_it_came_back(rolled_back(), "Ready")]
#[case::before_its_attempt(unopened(), "Ready")]
fn what_is_held_does_not_run_where_stable_is_lost(
    #[case] world: World,
    #[case] kind: &str,
    #[values(false, true)] looks: bool,
) {
    let mut world = scaled_to_nothing_and_back(world, looks);
    stays_down(&mut world);
    assert_eq!(condition(&world, kind).1, "StableLost", "{}", world.seen.release.status.message);
    let told = world.seen.release.status.conditions.iter().find(|condition| condition.kind == kind).unwrap();
    assert!(told.message.contains("users get no answer"), "{}", told.message);
    // The hold has an end, and nothing runs then either.
    world.run(700);
    stays_down(&mut world);
    assert_eq!(condition(&world, "Ready").1, "StableLost");

    world.deploy("shop:v1", GOOD);
    world.run(20);
    assert_eq!(running(&mut world), ["shop:v1"], "a revert is let go at once");
    assert!(!world.workload().paused);
    assert_ne!(world.outcome(), Some(Outcome::Bypassed));
}

/// The canary has users: they stay with it until what Git reverted to has pods.
#[test]
fn a_revert_is_let_go_in_the_middle_of_a_release_too() {
    let mut world = at_a_quarter();
    world.workload().spec = json!({"revisionHistoryLimit": 0});
    let mut world = scaled_to_nothing_and_back(world, true);
    assert_eq!(condition(&world, "Held").1, "StableLost", "{}", world.seen.release.status.message);
    world.deploy("shop:v1", GOOD);
    world.run_until(60, |world| world.outcome().is_some());
    assert_eq!(world.outcome(), Some(Outcome::Reverted), "{}", world.trace.join("\n"));
    assert_eq!(running(&mut world), ["shop:v1"]);
    assert_eq!(world.split(), Split::HOME);
}

#[test]
fn a_person_may_let_the_new_template_run_where_stable_is_lost() {
    let mut world = scaled_to_nothing_and_back(in_plan(), true);
    world.workload().paused = false;
    world.workload().paused_because = None;
    world.workload().resumed_by = Some("alice".into());
    world.run(60);
    assert_eq!(running(&mut world), ["shop:v2"]);
    assert_eq!(world.outcome(), Some(Outcome::Bypassed));
}
