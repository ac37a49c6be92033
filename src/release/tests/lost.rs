//! A held Deployment that keeps no history and is scaled to nothing: stable's ReplicaSet is gone, and nothing runs in its place. Where
//! history is kept and a hand deletes that ReplicaSet, an older one is started: it is not taken for stable.

use rstest::rstest;
use serde_json::json;

use super::stranded::{looks, nothing};
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

/// v1 and v2 were released, and the ReplicaSets of both are kept.
fn with_history() -> World {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(3);
    let now = world.now;
    let sets = &mut world.workload().sets;
    assert_eq!(sets.len(), 2, "the story is of an older ReplicaSet");
    sets.iter_mut().filter(|set| set.replicas > 0).for_each(|set| set.created = now);
    world
}

/// Somebody deletes the ReplicaSet of v2, and Kubernetes starts the one that is left.
fn stable_is_deleted(world: &mut World) {
    world.workload().sets.retain(|set| set.template["spec"]["containers"][0]["image"] != "shop:v2");
    world.settle();
    assert_eq!(running(world), ["shop:v1"]);
}

fn plan_of_a_third() -> World {
    let mut world = with_history();
    world.seen.budget = BudgetSeen::Unmeasured("no answer".into());
    world.deploy("shop:v3", GOOD);
    world.run(3);
    assert_eq!(world.phase(), Some(Phase::Plan));
    world
}

fn third_came_back() -> World {
    let mut world = with_history();
    world.deploy("shop:v3", BAD);
    world.run_until(200, |world| world.outcome() == Some(Outcome::RolledBack));
    world
}

fn unseen_third() -> World {
    let mut world = with_history();
    world.deploy("shop:v3", GOOD);
    world
}

#[rstest]
#[case::in_plan(plan_of_a_third(), "Held")]
#[case::after_it_came_back(third_came_back(), "Ready")]
#[case::before_its_attempt(unseen_third(), "Ready")]
fn an_older_version_that_starts_in_the_place_of_stable_is_not_stable(#[case] mut world: World, #[case] kind: &str) {
    stable_is_deleted(&mut world);
    world.run(5);
    assert_eq!(condition(&world, kind).1, "StableLost", "{}", world.seen.release.status.message);
    let told = world.seen.release.status.conditions.iter().find(|condition| condition.kind == kind).unwrap();
    assert!(told.message.contains("another version: it keeps answering users"), "{}", told.message);
    // It goes on answering, past the end of the hold too.
    world.run(700);
    assert_eq!((running(&mut world), condition(&world, "Ready").1), (vec!["shop:v1".to_owned()], "StableLost".into()));
    assert!(world.workload().paused, "the new template runs ungated\n{}", world.trace.join("\n"));

    world.deploy("shop:v2", GOOD);
    world.run(30);
    assert_eq!(running(&mut world), ["shop:v2"], "{}", world.trace.join("\n"));
    assert!(!world.workload().paused);
    assert_ne!(world.outcome(), Some(Outcome::Bypassed));
    assert_ne!(condition(&world, "Ready").1, "StableLost");
}

/// Neither a weight nor a way back rests on the version that was started.
#[rstest]
#[case::in_release(|world: &World| world.split().weight(Carrier::Canary) == Weight::whole(25), 25)]
#[case::before_the_promotion(|world: &World| world.phase() == Some(Phase::Promote), 100)]
fn nothing_is_made_of_an_older_version_in_the_place_of_stable(#[case] when: fn(&World) -> bool, #[case] weight: i64) {
    let mut world = with_history();
    world.deploy("shop:v3", GOOD);
    step_until(&mut world, 400, when);
    assert!(world.seen.previous.is_none());
    stable_is_deleted(&mut world);
    step_until(&mut world, 60, |world| condition(world, "Held").1 == "StableLost");
    let most = Weight::new(weight).unwrap();
    step_until(&mut world, 2_000, |world| {
        assert!(world.seen.previous.is_none(), "a way back was made of it\n{}", world.trace.join("\n"));
        assert!(world.split().weight(Carrier::Canary) <= most, "{}", world.trace.join("\n"));
        world.outcome().is_some()
    });
    assert_eq!((world.outcome(), world.split()), (Some(Outcome::RolledBack), Split::HOME));
    assert_eq!(running(&mut world), ["shop:v1"], "somebody answers");
    let summary = world.status().summary.clone();
    assert!(summary.contains("stable's ReplicaSet is gone"), "{summary}");
    world.run(3);
    assert_eq!(condition(&world, "Ready").1, "StableLost");
}

/// The canary should go back and nothing of stable comes by itself: what ends that is said, and ends it.
#[rstest]
#[case::before_the_canary_fails(true)]
#[case::while_no_pod_of_stable_is_ready(false)]
fn who_should_go_back_to_a_lost_stable_is_told_that_a_revert_brings_it(#[case] first: bool) {
    let mut world = without_history();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    let served = crate::release::template::revision(&crate::release::world::pod_template("shop:v1"));
    if first {
        world.workload().sets.clear();
    } else {
        world.behaviour.insert(served.clone(), NEVER_READY);
    }
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.settle();
    looks(&mut world, 60, nothing);
    world.workload().sets.clear();
    looks(&mut world, 5, nothing);
    assert_eq!(condition(&world, "Held").1, "NoWayBack", "{}", world.trace.join("\n"));
    let says = world.status().hold.as_ref().map(|hold| hold.message.clone()).unwrap_or_default();
    assert!(says.contains("StableLost") && says.contains("Revert in Git"), "{says}");
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25), "users stay where they are answered");

    world.behaviour.insert(served, GOOD);
    world.deploy("shop:v1", GOOD);
    looks(&mut world, 120, nothing);
    assert!(world.outcome().is_some(), "{}", world.trace.join("\n"));
    assert_eq!((running(&mut world), world.split()), (vec!["shop:v1".to_owned()], Split::HOME));
}

#[test]
fn a_revert_rolls_over_what_was_started_in_the_middle_of_a_release_too() {
    let mut world = with_history();
    world.deploy("shop:v3", GOOD);
    world.run_until(200, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    stable_is_deleted(&mut world);
    world.run(5);
    assert_eq!(condition(&world, "Held").1, "StableLost", "{}", world.seen.release.status.message);
    world.deploy("shop:v2", GOOD);
    world.run_until(60, |world| world.outcome().is_some());
    world.run(10);
    assert_eq!(world.outcome(), Some(Outcome::Reverted), "{}", world.trace.join("\n"));
    assert_eq!((running(&mut world), world.split()), (vec!["shop:v2".to_owned()], Split::HOME));
}

/// What was started is what Git says now: it is let go, and goes on record as what nobody has gated.
#[test]
fn git_may_go_back_to_the_version_that_was_started() {
    let mut world = plan_of_a_third();
    stable_is_deleted(&mut world);
    world.run(5);
    world.deploy("shop:v1", GOOD);
    world.run(30);
    assert_eq!(running(&mut world), ["shop:v1"], "{}", world.trace.join("\n"));
    assert!(!world.workload().paused, "{}", world.seen.release.status.message);
}

/// An API server with new defaults calls every ReplicaSet's template by another name.
#[test]
fn stable_under_another_name_is_not_lost() {
    let mut world = with_history();
    for set in &mut world.workload().sets {
        set.template["spec"]["schedulerName"] = json!("default-scheduler");
    }
    let runs = world.workload().sets.iter().find(|set| set.replicas > 0).map(|set| set.name.clone());
    world.seen.budget = BudgetSeen::Unmeasured("no answer".into());
    world.deploy("shop:v3", GOOD);
    world.run(5);
    assert_eq!(world.phase(), Some(Phase::Plan));
    assert_ne!(condition(&world, "Held").1, "StableLost", "{}", world.seen.release.status.message);
    assert_eq!(world.seen.record.as_ref().unwrap().spec.stable_set, runs);
}
