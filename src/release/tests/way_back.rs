//! Where traffic goes when the new version must go: to whom it may, to nobody who does not answer, and what is said where
//! nobody is left.

use super::*;
use crate::release::template;
use crate::release::world::pod_template;

/// In its verification, and the version to go back to is ready nowhere.
fn without_a_way_back() -> World {
    let mut world = in_verification();
    world.run(2);
    let stable = template::revision(&world.workload().sets[0].template);
    world.behaviour.insert(stable, NEVER_READY);
    world
}

#[test]
fn a_canary_that_is_refused_all_the_time_comes_back_at_its_deadline() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    // The API server refuses the canary, as a quota would: only the record is written.
    for _ in 0..70 {
        let plan = world.look(Some(1));
        world.seen.release.status = plan.status;
        world.seen.canary = None;
        world.now = world.now.plus(Span::seconds(1));
    }
    world.run(10);
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::NotReady);
    assert_eq!(world.outcome(), Some(Outcome::RolledBack));
}

#[test]
fn a_version_that_came_back_stays_back_when_scaled_to_nothing() {
    let mut world = World::new();
    world.deploy("shop:v2", BAD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    let workload = world.workload();
    workload.replicas = 0;
    workload.generation += 1;
    for set in &mut workload.sets {
        (set.replicas, set.existing, set.available) = (0, 0, 0);
    }
    world.run(5);
    assert!(world.workload().paused, "the bad template is not let go");
    assert_eq!(world.outcome(), Some(Outcome::RolledBack));
}

#[test]
fn nobody_ready_behind_the_promoted_workload_goes_to_previous_at_once() {
    let mut world = in_verification();
    world.run(2);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, NEVER_READY);
    world.seen.service.as_mut().unwrap().ready_endpoints = 0;
    world.look(None);
    assert_eq!(world.split().weight(Carrier::Previous), Weight::FULL);
}

#[test]
fn without_a_way_back_traffic_goes_to_nobody_else_and_the_status_says_so() {
    let mut world = without_a_way_back();
    world.run(1);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run(5);
    assert_eq!(world.split().weight(Carrier::Workload), Weight::FULL);
    assert_eq!(condition(&world, "Held"), (Truth::True, "NoWayBack".into()));
    let says = world.seen.release.status.conditions.iter().find(|it| it.kind == "Held").unwrap().message.clone();
    assert!(says.ends_with("then closed as what it is, not withdrawn."), "{says}");
    let stable = template::revision(&world.workload().sets[0].template);
    world.behaviour.remove(&stable);
    world.run(3);
    assert_eq!(world.split().weight(Carrier::Previous), Weight::FULL, "as soon as one pod is ready");
}

#[test]
fn a_way_back_that_nobody_gets_ready_in_time_ends_the_attempt_as_what_it_is() {
    let mut world = without_a_way_back();
    world.run(1);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run(5);
    assert_eq!(condition(&world, "Held").1, "NoWayBack");
    // That nobody sees it any more makes it no better, and does not begin the patience anew for ever.
    world.prometheus = false;
    world.run_until(900, |world| world.outcome() == Some(Outcome::NotWithdrawn));
    assert_eq!(world.split().weight(Carrier::Workload), Weight::FULL, "traffic stays");
    world.prometheus = true;
    world.run(10);
    assert!(world.seen.previous.is_none() && world.split() == Split::HOME);
    assert_eq!(condition(&world, "Ready").0, Truth::True);
    world.deploy("shop:v3", GOOD);
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_rollback_ends_where_the_router_never_took_the_canary() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(20, |world| world.phase() == Some(Phase::Stage));
    world.seen.routes[0].state.as_mut().unwrap().effective = Err("ResolvedRefs is False".into());
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::RouteNotEffective);
    assert!(world.seen.canary.is_none() || world.split() == Split::HOME);
}

#[test]
fn what_is_verified_stays_released_whatever_happens_while_it_is_tidied_up() {
    let mut world = in_verification();
    // The former version is gone, the controller dies, and somebody makes the workload anew before it is back.
    let now = world.now;
    let record = world.seen.record.as_mut().unwrap().status.as_mut().unwrap();
    record.promotion.as_mut().unwrap().verified_at = Some(now);
    world.seen.previous = None;
    world.workload().uid = "another".to_owned();
    world.look(None);
    world.look(None);
    assert_eq!(world.outcome(), Some(Outcome::Succeeded));
}

#[test]
fn a_workload_that_leaves_the_gate_in_verification_stays_where_nothing_is_left_to_go_back_to() {
    let mut world = in_verification();
    world.seen.previous = None;
    world.workload().gated = false;
    world.run_until(30, |world| world.outcome().is_some());
    assert_eq!((world.outcome(), world.split()), (Some(Outcome::Abandoned), Split::HOME));
}

#[test]
fn a_breach_right_after_the_workload_was_let_go_goes_to_previous() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.seen.previous.is_some());
    while world.workload().paused {
        world.look(None);
        world.settle();
        world.now = world.now.plus(Span::seconds(1));
    }
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.look(None);
    assert_eq!(world.split().weight(Carrier::Previous), Weight::FULL, "the workload is rolling already");
}

#[test]
fn a_canary_without_a_pod_does_not_get_wiped_weights_back() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.phase() == Some(Phase::Release) && world.split() != Split::HOME);
    world.run(2);
    if let Some(deployment) = world.seen.canary.as_mut().and_then(|side| side.deployment.as_mut()) {
        deployment.available = 0;
    }
    if let Ok(route) = &mut world.seen.routes[0].state {
        (route.rules, route.marked) = (vec![Some(Split::HOME)], false);
    }
    world.look(None);
    assert_eq!(world.split(), Split::HOME);
    assert_eq!(world.status().phase, Phase::Rollback);
}

#[rstest]
#[case::in_release(Phase::Release)]
#[case::in_promotion(Phase::Promote)]
fn a_workload_that_is_deleted_under_a_release_strands_nobody(#[case] phase: Phase) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    let resumed = |world: &World| world.status().promotion.as_ref().is_some_and(|it| it.resumed_at.is_some());
    let carries_all = |world: &World| world.split().weight(Carrier::Canary) == Weight::FULL;
    world.run_until(200, |world| if phase == Phase::Promote { resumed(world) } else { carries_all(world) });
    world.seen.workload = None;
    world.seen.service.as_mut().unwrap().ready_endpoints = 0;
    world.look(None);
    assert_eq!(
        world.split().weight(Carrier::Workload),
        Weight::ZERO,
        "nobody answers there\n{}",
        world.trace.join("\n")
    );
}

#[test]
fn a_hold_for_a_workload_that_is_gone_ends() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.split().weight(Carrier::Canary) == Weight::FULL);
    world.seen.workload = None;
    world.seen.service.as_mut().unwrap().ready_endpoints = 0;
    for _ in 0..1_200 {
        world.look(None);
        world.now = world.now.plus(Span::seconds(1));
    }
    assert!(world.outcome().is_some(), "{:?}", world.status().hold);
}

#[test]
fn a_workload_that_leaves_the_gate_while_it_is_judged_itself_and_has_no_way_back_is_held_and_told() {
    let mut world = came_back_late();
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, GOOD);
    world.retry("again");
    world.run_until(400, |world| {
        world.phase() == Some(Phase::Release) && world.split().weight(Carrier::Workload) > Weight::ZERO
    });
    world.seen.previous.as_mut().unwrap().deployment.as_mut().unwrap().available = 0;
    world.workload().gated = false;
    world.look(None);
    world.look(None);
    assert_eq!(world.status().hold.as_ref().map(|hold| hold.reason.as_str()), Some("NoWayBack"));
}

/// A bad canary with a quarter of the traffic, beside a stable without a ready pod, looked at for so many seconds.
fn nobody_home(seconds: u32) -> World {
    let mut world = at_a_quarter();
    world.behaviour.insert(template::revision(&pod_template("shop:v2")), BAD);
    nobody_answers_at_home(&mut world, seconds);
    world
}

/// Looks for so many seconds, in which stable has no ready pod and nothing comes back by itself.
fn nobody_answers_at_home(world: &mut World, seconds: u32) {
    for _ in 0..seconds {
        world.seen.service.as_mut().unwrap().ready_endpoints = 0;
        world.look(None);
        world.now = world.now.plus(Span::seconds(1));
    }
}

#[test]
fn a_bad_canary_keeps_its_users_as_long_as_stable_has_no_ready_pod() {
    let mut world = nobody_home(20);
    assert_eq!(condition(&world, "Held"), (Truth::True, "NoWayBack".into()), "{}", world.trace.join("\n"));
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    world.run_until(30, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.split(), Split::HOME);
}

#[test]
fn users_stay_where_they_are_answered_past_the_deadline_and_go_home_with_the_first_ready_pod() {
    let mut world = nobody_home(0);
    world.seen.release.spec.strategy.hold_for = Span::minutes(1);
    nobody_answers_at_home(&mut world, 150);
    assert_eq!((world.outcome(), world.split().weight(Carrier::Canary)), (None, Weight::whole(25)));
    let held = world.seen.release.status.conditions.iter().find(|one| one.kind == "Held").unwrap();
    let said = &held.message;
    assert!(said.contains("goes home as soon as one is") && !said.contains("rolled back"), "{said}");
    world.run_until(30, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.split(), Split::HOME);
    let log = world.status().rollback.clone().unwrap();
    assert_eq!((log.trigger, log.within_time_budget), (Trigger::ErrorRate, Some(true)));
}

#[test]
fn a_newer_template_waits_for_a_ready_pod_of_stable_as_well_and_is_taken_up_then() {
    let mut world = nobody_home(5);
    world.deploy("shop:v3", GOOD);
    nobody_answers_at_home(&mut world, 30);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.split(), Split::HOME);
}

/// Who takes the release away is not kept waiting for ever.
#[rstest]
#[case::detached(|world: &mut World| world.seen.release.detached = true)]
#[case::deleted(|world: &mut World| world.seen.release.deleting = true)]
#[case::unlabelled(|world: &mut World| world.workload().gated = false)]
fn a_release_that_is_taken_away_while_only_the_canary_answers_goes_home_after_ready_within(
    #[case] taken: fn(&mut World),
) {
    let mut world = nobody_home(5);
    taken(&mut world);
    let patience = world.seen.release.spec.strategy.ready_within.as_millis() / 1_000;
    nobody_answers_at_home(&mut world, 10);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    nobody_answers_at_home(&mut world, u32::try_from(patience).unwrap() + 60);
    assert_eq!(world.split(), Split::HOME, "{}", world.trace.join("\n"));
    world.run(5);
    assert!(world.outcome().is_some() && world.seen.canary.is_none());
}
