//! The stories of a release, told by the small world: what is written, in which order, and what is said.

use proptest::prelude::*;
use rstest::rstest;

mod carried;
mod count;
mod policy;
mod share;
mod user;

use super::split::{Carrier, Split};
use super::world::{Behaviour, GOOD, World};
use crate::api::condition::Truth;
use crate::api::release_record::{Outcome, Phase, Trigger};
use crate::api::{BudgetStatus, ChangeType, Span, Weight};
use crate::release::snapshot::{BudgetSeen, RouteProblem};

const BAD: Behaviour = Behaviour { errors: 0.2, ..GOOD };
const SLOW: Behaviour = Behaviour { latency: 0.3, ..GOOD };
const NEVER_READY: Behaviour = Behaviour { ready: false, ..GOOD };
const CRASHING: Behaviour = Behaviour { crashes: true, ..GOOD };

/// A version that got bad in its verification: the previous one serves.
fn came_back_late() -> World {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    world
}

fn condition(world: &World, kind: &str) -> (Truth, String) {
    let all = &world.seen.release.status.conditions;
    let found = all.iter().find(|condition| condition.kind == kind).unwrap();
    (found.status, found.reason.clone())
}

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
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
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
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
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
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
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
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
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
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
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
fn a_person_who_resumes_is_recorded_and_traffic_goes_home() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    world.workload().paused = false;
    world.workload().resumed_by = Some("bob".into());
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    world.run(5);
    assert_eq!(world.split(), Split::HOME);
    assert_eq!(condition(&world, "Ready").0, Truth::True);
}

#[rstest]
#[case(20)]
#[case(60)]
#[case(75)]
fn deleting_brings_traffic_home_at_any_time(#[case] after: u32) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run(after);
    world.seen.release.deleting = true;
    world.run_until(100, |world| !world.seen.release.finalizer);
    world.run(3);
    assert_eq!(world.split(), Split::HOME);
    assert!(world.seen.canary.is_none() && world.seen.previous.is_none());
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
fn nobody_ready_behind_the_promoted_workload_goes_to_previous_at_once() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    world.run(2);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, NEVER_READY);
    world.seen.service.as_mut().unwrap().ready_endpoints = 0;
    world.look(None);
    assert_eq!(world.split().weight(Carrier::Previous), Weight::FULL);
}

#[test]
fn without_a_way_back_traffic_goes_to_nobody_else_and_the_status_says_so() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    world.run(2);
    let stable = world.workload().sets[0].template.clone();
    world.behaviour.insert(crate::release::template::revision(&stable), NEVER_READY);
    world.run(1);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run(5);
    assert_eq!(world.split().weight(Carrier::Workload), Weight::FULL);
    assert_eq!(condition(&world, "Held"), (Truth::True, "NoWayBack".into()));
    let says = world.seen.release.status.conditions.iter().find(|it| it.kind == "Held").unwrap().message.clone();
    assert!(says.ends_with("then closed as what it is, not withdrawn."), "{says}");
    world.behaviour.remove(&crate::release::template::revision(&stable));
    world.run(3);
    assert_eq!(world.split().weight(Carrier::Previous), Weight::FULL, "as soon as one pod is ready");
}

#[test]
fn a_way_back_that_nobody_gets_ready_in_time_ends_the_attempt_as_what_it_is() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    world.run(2);
    let stable = world.workload().sets[0].template.clone();
    world.behaviour.insert(crate::release::template::revision(&stable), NEVER_READY);
    // A hold that runs out takes no way back either, and does not begin the patience anew for ever.
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

/// What ran before the gate came, and what goes ungated later, is recorded at once, however the controller dies.
#[rstest]
#[case::by_routes(World::new())]
#[case::of_a_deployment(World::by_count("Deployment"))]
#[case::of_a_stateful_set(World::by_count("StatefulSet"))]
fn a_controller_that_dies_in_the_middle_of_a_record_begins_no_attempt_with_it(#[case] mut world: World) {
    let torn = |world: &mut World| {
        world.torn = true;
        let is_torn = |world: &World| world.seen.record.as_ref().is_some_and(|record| record.status.is_none());
        world.run_crashing(&[0]);
        if !is_torn(world) {
            // What is charged gets its number first.
            world.run_crashing(&[1]);
        }
        world.torn = false;
        assert!(is_torn(world), "it died between the record and its status");
        world.run(3);
    };
    world.seen.record = None;
    world.seen.release.status = Default::default();
    torn(&mut world);
    assert_eq!(world.outcome(), Some(Outcome::Bootstrap), "{}", world.trace.join("\n"));
    assert_eq!(world.status().summary, "Taken under the gate as it runs.");
    // Under break-glass.
    world.deploy("shop:v2", GOOD);
    let workload = world.workload();
    (workload.paused, workload.paused_because) = (false, None);
    if workload.kind != crate::release::snapshot::KindSeen::Deployment {
        world.ordinals().partition = 0;
    }
    torn(&mut world);
    assert_eq!(world.outcome(), Some(Outcome::Bypassed));
    assert_eq!(world.status().summary, "Runs ungated. It is the stable revision from now on.");
    // An attempt is begun all the same.
    world.run(20);
    world.deploy("shop:v3", GOOD);
    torn(&mut world);
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_route_that_was_reset_before_the_workload_is_let_go_is_put_back_first() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Promote));
    world.seen.routes[0].state.as_mut().unwrap().rules = vec![Some(Split::HOME)];
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
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
fn a_late_rollback_can_be_tried_again() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    world.prometheus = false;
    world.run_until(600, |world| world.outcome() == Some(Outcome::RolledBack));
    world.prometheus = true;
    world.retry("again");
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.split(), Split::HOME);
}

#[test]
fn the_label_taken_off_in_mid_release_brings_traffic_home() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    world.workload().gated = false;
    world.run_until(60, |world| world.outcome() == Some(Outcome::Abandoned));
    assert_eq!(world.split(), Split::HOME);
    let log = world.seen.record.as_ref().and_then(|record| record.status.clone()?.rollback).unwrap();
    assert!(log.state_after.contains("put the label back"), "{}", log.state_after);
    world.run(3);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NotGated".into()));
}

#[test]
fn a_scaled_workload_is_followed_by_its_canary() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    world.workload().replicas = 12;
    world.workload().generation += 1;
    world.run(3);
    assert_eq!(world.seen.canary.as_ref().unwrap().deployment.as_ref().unwrap().replicas, 4);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn weights_that_somebody_wiped_are_written_again() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    world.run(2);
    world.seen.routes[0].state.as_mut().unwrap().rules = vec![Some(Split::HOME)];
    world.run(1);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn break_glass_is_on_record() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.workload().paused = false;
    world.workload().paused_because = None;
    world.workload().break_glass = Some("checkout is down".into());
    world.run(10);
    assert_eq!(world.outcome(), Some(Outcome::Bypassed));
    assert!(world.status().summary.contains("checkout is down"), "{}", world.status().summary);
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the version does and wherever the controller dies: the release ends, at home, with nothing left.
    #[test]
    fn a_release_ends_whatever_dies(
        errors in prop_oneof![Just(0.0), Just(0.2)],
        onset in 0_u32..120,
        crashes in prop::collection::vec(0_usize..4, 0..160),
        newer in prop::option::of(0_usize..160),
        down in prop::option::of(0_usize..160),
    ) {
        let mut world = World::new();
        world.deploy("shop:v2", GOOD);
        let (mut highest_after_abort, mut aborted) = (Weight::ZERO, false);
        for (second, crash) in crashes.iter().enumerate() {
            if Some(second) == newer { world.deploy("shop:v3", GOOD); }
            if Some(second) == down { world.prometheus = false; }
            if second as u32 == onset {
                let revision = world.workload().revision.clone();
                world.behaviour.insert(revision, Behaviour { errors, ..GOOD });
            }
            let record = world.seen.record.as_ref().unwrap().name.clone();
            let before = world.split().weight(Carrier::Canary);
            world.run_crashing(&[*crash]);
            let status = world.status().clone();
            let same = world.seen.record.as_ref().unwrap().name == record;
            if same && aborted { highest_after_abort = highest_after_abort.max(world.split().weight(Carrier::Canary)); }
            if same && status.rollback.is_some() && !aborted { aborted = true; highest_after_abort = Weight::ZERO; }
            if !same { aborted = false; }
            if aborted { prop_assert!(world.split().weight(Carrier::Canary) <= before, "raised after abort"); }
        }
        world.prometheus = true;
        for _ in 0..2000 {
            if world.outcome().is_some() && world.look(None).actions.is_empty() {
                break;
            }
            world.run(1);
        }
        prop_assert!(world.outcome().is_some(), "still going: {:?}\n{}", world.phase(), world.trace.join("\n"));
        let late = world.split() == Split::previous(Weight::FULL);
        prop_assert!(world.split() == Split::HOME || late, "{}", world.split());
        prop_assert!(world.seen.canary.is_none());
    }
}

#[test]
fn what_is_verified_stays_released_whatever_happens_while_it_is_tidied_up() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
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
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
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
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    world.prometheus = false;
    world.run_until(600, |world| world.outcome() == Some(Outcome::RolledBack));
    world.prometheus = true;
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

/// A bad canary with a quarter of the traffic, beside a stable without a ready pod: held for so many seconds.
fn nobody_home(seconds: u32) -> World {
    use crate::release::{template, world::pod_template};
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
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
fn at_the_holds_deadline_the_attempt_is_closed_and_users_stay_where_they_are_answered() {
    let mut world = nobody_home(0);
    world.seen.release.spec.strategy.hold_for = Span::minutes(1);
    nobody_answers_at_home(&mut world, 90);
    assert_eq!(world.outcome(), Some(Outcome::RolledBack), "{}", world.trace.join("\n"));
    let (summary, log) = (world.status().summary.clone(), world.status().rollback.clone().unwrap());
    assert!(summary.contains("The canary keeps the traffic until one is, then it goes home."), "{summary}");
    assert_eq!((log.home_at, log.within_time_budget), (None, Some(false)));
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NoWayBack".into()));
    world.run(5);
    assert_eq!(world.split(), Split::HOME, "home as soon as stable answers");
    assert!(world.seen.canary.is_none());
    assert_eq!(condition(&world, "Ready"), (Truth::False, "RolledBack".into()));
}

#[test]
fn a_release_that_is_detached_while_only_the_canary_answers_leaves_when_stable_does() {
    let mut world = nobody_home(0);
    world.seen.release.spec.strategy.hold_for = Span::minutes(1);
    world.seen.release.detached = true;
    nobody_answers_at_home(&mut world, 150);
    assert!(world.seen.release.finalizer && world.outcome().is_some(), "{}", world.trace.join("\n"));
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    leaves(&mut world);
    assert_eq!((world.split(), world.seen.canary.is_none()), (Split::HOME, true));
}
