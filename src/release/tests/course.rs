//! The usual courses: a good version, a bad one, a newer one, a revert, a hold, a spent budget.

use super::*;

#[test]
fn a_running_workload_is_taken_under_the_gate() {
    let world = World::new();
    assert_eq!(world.outcome(), Some(Outcome::Bootstrap));
    assert_eq!(condition(&world, "Ready"), (Truth::True, "InForce".into()));
}

#[test]
fn a_quiet_world_is_written_nothing() {
    let mut world = World::new();
    let plan = world.look(None);
    assert_eq!((plan.actions.as_slice(), plan.events.as_slice()), ([].as_slice(), [].as_slice()));
    assert_eq!(plan.status, world.seen.release.status);
}

#[test]
fn a_good_version_is_released() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(5);
    assert_eq!(world.split(), Split::HOME);
    assert!(world.seen.canary.is_none() && world.seen.previous.is_none(), "nothing is left behind");
    assert!(!world.workload().paused);
    assert_eq!(world.phase(), Some(Phase::Complete));
    insta::assert_snapshot!(world.trace.join("\n"));
}

#[rstest]
#[case("errors", BAD, Trigger::ErrorRate)]
#[case("slow", SLOW, Trigger::Latency)]
#[case("never_ready", NEVER_READY, Trigger::NotReady)]
#[case("crashing", CRASHING, Trigger::Crashed)]
fn a_bad_version_comes_back(#[case] name: &str, #[case] behaviour: Behaviour, #[case] trigger: Trigger) {
    let mut world = World::new();
    world.deploy("shop:v2", behaviour);
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    world.run(5);
    assert_eq!(world.split(), Split::HOME);
    assert!(world.seen.canary.is_none() && world.seen.previous.is_none());
    assert!(world.workload().paused, "the Deployment stays paused with the bad template");
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, trigger);
    assert_eq!(log.within_time_budget, Some(true));
    assert!(!log.check.is_empty() && !log.state_after.is_empty());
    assert_eq!(condition(&world, "Ready"), (Truth::False, "RolledBack".into()));
    insta::assert_snapshot!(name, world.trace.join("\n"));
}

#[test]
fn the_bad_template_is_not_tried_again_until_asked() {
    let mut world = World::new();
    world.deploy("shop:v2", BAD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    let attempts = world.seen.release.status.attempts;
    world.run(60);
    assert_eq!(world.seen.release.status.attempts, attempts);
    world.retry("1");
    world.run(10);
    assert_eq!(world.seen.release.status.attempts, attempts + 1);
}

#[test]
fn a_revert_after_a_rollback_lets_the_workload_go() {
    let mut world = World::new();
    world.deploy("shop:v2", BAD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    world.deploy("shop:v1", GOOD);
    world.run(5);
    assert!(!world.workload().paused);
    assert_eq!(condition(&world, "Ready").0, Truth::True);

    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_newer_template_takes_the_place_of_a_canary() {
    let mut world = at_a_quarter();
    world.deploy("shop:v3", GOOD);
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(5);
    insta::assert_snapshot!(world.trace.join("\n"));
}

#[test]
fn a_newer_template_during_promotion_waits_and_is_released_next() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.status().promotion.as_ref().is_some_and(|p| p.resumed_at.is_some()));
    world.deploy("shop:v3", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    let sets = &world.workload().sets;
    assert_eq!(sets.iter().filter(|set| set.replicas > 0).count(), 1, "one revision runs");
    world.run_until(400, |world| {
        world.seen.record.as_ref().unwrap().spec.attempt == 3 && world.outcome() == Some(Outcome::Succeeded)
    });
}

#[test]
fn a_feature_in_verification_waits_and_that_is_said_and_a_fix_goes_at_once() {
    let mut world = in_verification();
    world.deploy("shop:v3", GOOD);
    world.run(3);
    assert_eq!(world.phase(), Some(Phase::Verify));
    let said = world.seen.release.status.message.clone();
    assert!(said.contains("A newer template waits"), "{said}");
    world.deploy("shop:v4", GOOD);
    world.workload().change.kind = ChangeType::BugFix;
    world.run_until(30, |world| world.seen.record.as_ref().unwrap().spec.attempt == 3);
    assert_eq!(world.seen.record.as_ref().unwrap().spec.change.kind, ChangeType::BugFix);
}

#[test]
fn a_late_breach_goes_to_the_previous_version_and_a_revert_brings_it_home() {
    let mut world = in_verification();
    world.run(3);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.split().weight(Carrier::Previous), Weight::FULL);
    world.deploy("shop:v1", GOOD);
    world.run(2);
    assert_eq!(world.seen.record.as_ref().unwrap().spec.change.kind, ChangeType::Rollback);
    world.run_until(6000, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(5);
    assert_eq!(world.split(), Split::HOME);
    assert!(world.seen.previous.is_none() && !world.workload().paused);
    insta::assert_snapshot!(world.trace.join("\n"));
}

#[test]
fn prometheus_down_holds_the_weight_and_the_release_goes_on_after() {
    let mut world = at_a_quarter();
    world.run(2);
    world.prometheus = false;
    world.run(30);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    assert_eq!(condition(&world, "Held").0, Truth::True);
    world.prometheus = true;
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_hold_that_runs_out_brings_the_version_back() {
    let mut world = at_a_quarter();
    world.prometheus = false;
    world.run_until(200, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
}

#[test]
fn a_spent_budget_holds_a_feature_and_a_recovered_one_lets_it_go() {
    let mut world = World::new();
    let budget = |status, remaining_percent| BudgetSeen::Measured {
        status,
        remaining_percent,
        decided_by: "availability".into(),
    };
    world.seen.budget = budget(BudgetStatus::Critical, 18.0);
    world.deploy("shop:v2", GOOD);
    world.run(20);
    assert_eq!((world.phase(), condition(&world, "Held").0), (Some(Phase::Plan), Truth::True));
    assert!(world.seen.canary.is_none());
    world.seen.budget = budget(BudgetStatus::Healthy, 51.0);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn errors_are_seen_while_the_workload_is_about_to_take_over() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    // The previous version never comes up, so the canary carries everybody for as long as that is waited for.
    world.run_until(200, |world| world.split().weight(Carrier::Canary) == Weight::FULL);
    for second in 0..60 {
        if let Some(side) = &mut world.seen.previous {
            side.endpoints = Some(0);
        }
        if second == 20 {
            assert_eq!(world.phase(), Some(Phase::Promote));
            let revision = world.workload().revision.clone();
            world.behaviour.insert(revision, BAD);
        }
        if world.status().rollback.is_some() {
            break;
        }
        world.run(1);
    }
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate);
}

#[test]
fn a_canary_that_serves_never_shrinks() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::FULL);
    world.workload().replicas = 1;
    world.workload().generation += 1;
    world.run(3);
    assert_eq!(world.seen.canary.as_ref().unwrap().deployment.as_ref().unwrap().replicas, 4);
}

#[test]
fn a_late_rollback_can_be_tried_again() {
    let mut world = came_back_late();
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, GOOD);
    world.retry("again");
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.split(), Split::HOME);
}

#[test]
fn a_scaled_workload_is_followed_by_its_canary() {
    let mut world = at_a_quarter();
    world.workload().replicas = 12;
    world.workload().generation += 1;
    world.run(3);
    assert_eq!(world.seen.canary.as_ref().unwrap().deployment.as_ref().unwrap().replicas, 4);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_missing_reference_is_named_with_its_remedy_and_mended_by_itself() {
    let mut world = World::new();
    let route = std::mem::replace(&mut world.seen.routes[0].state, Err(RouteProblem::Missing));
    let plan = world.look(None);
    let ready = &plan.status.conditions[0];
    assert_eq!((ready.status, ready.reason.as_str()), (Truth::False, "RouteMissing"));
    assert!(
        ready.message.contains("spec.traffic.httpRoutes[0].name") && ready.message.contains("Create it"),
        "{}",
        ready.message
    );
    world.seen.routes[0].state = route;
    assert_eq!(world.look(None).status.conditions[0].status, Truth::True);
}
