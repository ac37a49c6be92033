//! What a StatefulSet alone does: pods change in their order, and the first is the way back.

use super::*;
use crate::api::names::HELD_PARTITION;

#[test]
fn a_change_that_took_no_traffic_is_closed_with_why_its_workload_leaves() {
    let mut world = World::by_count(STATEFUL_SET);
    let budget =
        BudgetSeen::Measured { status: BudgetStatus::Emergency, remaining_percent: 1.0, decided_by: "a".into() };
    world.seen.budget = budget;
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Plan) && world.outcome().is_none());
    world.run(1);
    world.seen.release.detached = true;
    world.run_until(100, |world| !world.seen.release.finalizer);
    assert_eq!(world.outcome(), Some(Outcome::Abandoned));
    assert_eq!(world.status().summary, "It took no traffic: the GatedRelease was detached before.");
}

#[test]
fn a_verified_stateful_set_that_is_detached_lets_its_first_pod_follow() {
    let mut world = World::by_count(STATEFUL_SET);
    world.deploy("shop:v2", GOOD);
    world.run_until(400, |world| world.phase() == Some(Phase::Verify));
    world.run(2);
    world.seen.release.detached = true;
    world.run_until(100, |world| !world.seen.release.finalizer);
    world.run(10);
    assert!(all(&world, "shop:v2"), "{:?}", world.images());
    let workload = world.workload();
    assert!(!workload.paused && workload.sets.len() == 1);
    assert_eq!(world.outcome(), Some(Outcome::Abandoned));
    assert!(world.status().summary.contains("the GatedRelease was detached"), "{}", world.status().summary);
}

#[test]
fn a_stateful_set_keeps_its_first_pod_until_it_is_verified_and_so_comes_back_late() {
    let mut world = World::by_count(STATEFUL_SET);
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    world.run(5);
    assert_eq!(world.images(), ["shop:v1", "shop:v2", "shop:v2", "shop:v2"]);
    assert_eq!(world.ordinals().partition, 1);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(60, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.images(), vec!["shop:v1"; 4]);
    assert_eq!(world.ordinals().partition, HELD_PARTITION);
    insta::assert_snapshot!(world.trace.join("\n"));
}

/// A StatefulSet whose version gets bad in its verification, with a pod that nothing makes ready, such as one whose node is gone.
fn bad_with_a_lost_pod(place: u32) -> World {
    let mut world = World::by_count(STATEFUL_SET);
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    world.run(5);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.lost = Some(place);
    world.run_until(60, |world| world.phase() == Some(Phase::Rollback));
    world.run(20);
    world
}

#[test]
fn a_withdrawal_waits_for_a_pod_that_nobody_gets_ready_no_longer_than_its_time_budget() {
    let mut world = bad_with_a_lost_pod(1);
    world.run(200);
    assert_eq!(world.images(), ["shop:v1", "shop:v2", "shop:v2"], "within the time budget another is waited for");
    let says = condition_message(&world, "Progressing");
    assert!(says.contains("1 are not, and are waited for no longer than the time budget (5m)"), "{says}");
    world.run_until(120, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.images(), ["shop:v1"], "what was deleted comes after the one before it");
    assert_eq!(world.status().rollback.as_ref().unwrap().within_time_budget, Some(false));
    let at = |pod: &str| {
        let line = world.trace.iter().find(|line| line.ends_with(&format!("pod {pod} deleted"))).unwrap();
        line.trim().split('s').next().unwrap().parse::<u32>().unwrap()
    };
    assert!(at("checkout-3") < at("checkout-2"), "one at a time, the highest first\n{}", world.trace.join("\n"));
    world.lost = None;
    world.run(10);
    assert_eq!(world.images(), vec!["shop:v1"; 4]);
}

#[test]
fn the_last_pods_that_answer_are_not_withdrawn_and_the_attempt_ends_all_the_same() {
    let mut world = bad_with_a_lost_pod(0);
    world.run_until(300, |world| condition(world, "Held") == (Truth::True, "NoWayBack".into()));
    let says = condition_message(&world, "Held");
    assert!(says.contains("no pod of the former version is ready"), "{says}");
    assert!(says.ends_with("then closed as what it is, not withdrawn."), "{says}");
    world.run_until(601, |world| world.outcome() == Some(Outcome::NotWithdrawn));
    world.run(20);
    assert_eq!(world.images(), vec!["shop:v2"; 3], "who answers stays");
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NoWayBack".into()));
    // Its node is back.
    let attempts = world.seen.release.status.attempts;
    world.lost = None;
    world.run(20);
    assert_eq!(world.images(), vec!["shop:v1"; 4], "{}", world.trace.join("\n"));
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NotWithdrawn".into()));
    assert_eq!(world.seen.release.status.attempts, attempts, "and the same template is not tried again");
    world.deploy("shop:v1", GOOD);
    world.run(10);
    assert_eq!(condition(&world, "Ready"), (Truth::True, "InForce".into()));
}

#[test]
fn no_pod_is_deleted_before_its_controller_has_seen_the_partition_by_which_it_comes_back() {
    let mut world = at_stage(STATEFUL_SET, GOOD, 1);
    world.deploy("shop:v1", GOOD);
    for _ in 0..5 {
        world.look(None);
    }
    assert_eq!(world.phase(), Some(Phase::Rollback));
    assert!(!world.ordinals().observed && world.ordinals().partition == HELD_PARTITION);
    assert!(world.seen.pods.iter().all(|pod| !pod.deleting), "{}", world.trace.join("\n"));
    world.settle();
    world.look(None);
    assert!(world.seen.pods.iter().any(|pod| pod.deleting), "{}", world.trace.join("\n"));
}

#[test]
fn a_stateful_set_that_is_scaled_up_in_its_stages_gives_the_new_places_no_more_than_the_stage() {
    let mut world = at_stage(STATEFUL_SET, GOOD, 1);
    assert_eq!(new_pods(&world), 1);
    world.workload().replicas = 6;
    world.run(8);
    let share = share(&world.seen);
    assert!(share.new <= 1 && share.of == 6, "{share}\n{}", world.trace.join("\n"));
}

#[test]
fn pods_that_an_attempt_left_behind_come_back_before_the_next_begins() {
    let mut world = World::by_count(STATEFUL_SET);
    world.deploy("shop:v2", GOOD);
    world.run_until(400, |world| {
        world.status().promotion.as_ref().is_some_and(|promotion| promotion.verified_at.is_some())
    });
    // The newest template is held before the first pod had followed: the former version is still what pods come back at.
    world.deploy("shop:v3", GOOD);
    world.run_until(60, |world| world.seen.record.as_ref().unwrap().spec.attempt == 3);
    assert!(!world.images().contains(&"shop:v2".to_owned()), "{:?}", world.images());
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.images(), vec!["shop:v3"; 4]);
}

/// Scales a StatefulSet to nothing and, some time later, up again, pod by pod.
fn to_nothing_and_back(world: &mut World) {
    for replicas in [0, 1, 2, 3, 4] {
        world.workload().replicas = replicas;
        world.workload().generation += 1;
        world.run(8);
    }
}

/// Held, and not shipped.
fn frozen() -> World {
    let mut world = World::by_count(STATEFUL_SET);
    emergency(&mut world);
    world.deploy("shop:v2", GOOD);
    world.run(10);
    world
}

fn came_back() -> World {
    let mut world = World::by_count(STATEFUL_SET);
    world.deploy("shop:v2", BAD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    assert!(all(&world, "shop:v1"));
    world
}

#[rstest]
#[case::before_it_may_ship(frozen())]
#[case::in_its_stages(at_stage(STATEFUL_SET, GOOD, 1))]
#[case::after_it_came_back(came_back())]
fn a_stateful_set_without_pods_forgets_its_former_version_and_that_is_on_record(#[case] mut world: World) {
    to_nothing_and_back(&mut world);
    assert!(all(&world, "shop:v2"), "{:?}", world.images());
    assert_eq!(world.outcome(), Some(Outcome::Bypassed), "{}", world.trace.join("\n"));
    assert!(world.status().summary.contains("forgets the former version"), "{}", world.status().summary);
    assert!(!world.workload().paused, "nothing keeps the only version that it has from its pods");
    let all_go = |line: &String| line.ends_with("partition 0");
    assert!(!world.trace.iter().any(all_go), "Tidegate lets not all pods go by itself\n{}", world.trace.join("\n"));
}
