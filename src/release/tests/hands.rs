//! What people do to a release that goes on: they resume, delete, take the label off, write the route.

use super::*;
use crate::release::glass::BreakGlass;

#[test]
fn a_person_who_resumes_is_recorded_and_traffic_goes_home() {
    let mut world = at_a_quarter();
    world.workload().paused = false;
    world.workload().resumed_by = Some("bob".into());
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    world.run(5);
    assert_eq!(world.split(), Split::HOME);
    assert_eq!(condition(&world, "Ready").0, Truth::True);
}

/// `000_…` §7: 12 RP when users met it, 18 once somebody let it go past its gate; one number, and the ledger is not written.
#[test]
fn whoever_resumes_what_users_have_met_pays_the_rest_of_an_exception_once() {
    let mut world = at_a_quarter();
    let plain = world.status().charge.clone().unwrap();
    assert_eq!((plain.points, plain.exception), (12, false));
    world.workload().paused = false;
    world.workload().resumed_by = Some("bob".into());
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    world.run(5);
    let charge = world.status().charge.clone().unwrap();
    assert_eq!((charge.points, charge.exception), (18, true), "{}", world.trace.join("\n"));
    assert_eq!((charge.sequence, charge.at), (plain.sequence, plain.at));
    let says = &world.status().summary;
    assert!(says.contains("charged 12 RP when users met it first, and costs 18 past its gate"), "{says}");
    let risk = world.seen.risk.as_ref().unwrap();
    assert_eq!(risk.ledger.sequence, 1);
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
fn a_route_that_was_reset_before_the_workload_is_let_go_is_put_back_first() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Promote));
    world.seen.routes[0].state.as_mut().unwrap().rules = vec![Some(Split::HOME)];
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn the_label_taken_off_in_mid_release_brings_traffic_home() {
    let mut world = at_a_quarter();
    world.workload().gated = false;
    world.run_until(60, |world| world.outcome() == Some(Outcome::Abandoned));
    assert_eq!(world.split(), Split::HOME);
    let log = world.seen.record.as_ref().and_then(|record| record.status.clone()?.rollback).unwrap();
    assert!(log.state_after.contains("put the label back"), "{}", log.state_after);
    world.run(3);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NotGated".into()));
}

#[test]
fn weights_that_somebody_wiped_are_written_again() {
    let mut world = at_a_quarter();
    world.run(2);
    world.seen.routes[0].state.as_mut().unwrap().rules = vec![Some(Split::HOME)];
    world.run(1);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_rule_that_is_put_in_takes_part_at_the_stage_of_the_moment() {
    let mut world = at_a_quarter();
    world.run(2);
    let started = world.status().stages[world.status().stage as usize].started_at;
    world.seen.routes[0].state.as_mut().unwrap().rules.push(Some(Split::HOME));
    world.run(1);
    assert_eq!(world.seen.routes[0].state.as_ref().unwrap().rules, [Some(Split::canary(Weight::whole(25)))]);
    assert_eq!(world.status().stages[world.status().stage as usize].started_at, started);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_rule_that_cannot_be_divided_holds_the_release_and_keeps_the_way_back() {
    let mut world = at_a_quarter();
    world.seen.routes[0].state.as_mut().unwrap().odd = Some("spec.rules[1] is odd. Mend it.".to_owned());
    world.run(3);
    assert_eq!(condition(&world, "Held"), (Truth::True, "RouteNotSplittable".into()));
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    let message = &world.status().hold.as_ref().unwrap().message;
    assert!(message.contains("spec.rules[1] is odd. Mend it. No stage begins meanwhile"), "{message}");
    // It goes on once it is mended.
    let mut mended = world.clone();
    mended.seen.routes[0].state.as_mut().unwrap().odd = None;
    mended.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    // Users who are hurt go home meanwhile.
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.split(), Split::HOME);
}

#[test]
fn after_a_late_rollback_a_new_rule_leads_to_the_previous_version_too() {
    let mut world = came_back_late();
    let serves = Split::previous(Weight::FULL);
    world.seen.routes[0].state.as_mut().unwrap().rules = vec![Some(Split::HOME), Some(serves)];
    world.run(1);
    assert_eq!(world.seen.routes[0].state.as_ref().unwrap().rules, [Some(serves)]);
    // Not where nobody would answer there.
    world.seen.routes[0].state.as_mut().unwrap().rules = vec![Some(Split::HOME), Some(serves)];
    world.seen.previous.as_mut().unwrap().endpoints = Some(0);
    let plan = world.look(None);
    assert!(plan.actions.is_empty(), "{:?}", plan.actions);
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

/// A reason of an earlier change is not why this one runs, and does not keep it from being held.
#[test]
fn a_reason_for_break_glass_that_is_spent_says_so_and_is_nobodys_bypass() {
    let mut world = World::new();
    world.seen.risk.as_mut().unwrap().requirements = Default::default();
    world.deploy("shop:v2", GOOD);
    world.workload().break_glass = Some(BreakGlass::Spent("checkout is down".into()));
    world.run(3);
    assert_eq!(world.phase(), Some(Phase::Plan), "held");
    let held = world.seen.release.status.conditions.iter().find(|condition| condition.kind == "Held");
    let message = &held.unwrap().message;
    assert!(message.contains("kubectl annotate deployment checkout -n shop tidegate.io/break-glass-"), "{message}");
    world.workload().paused = false;
    world.workload().resumed_by = Some("bob".into());
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    let said = format!("{:?}", world.status());
    assert!(said.contains("bob") && !said.contains("checkout is down"), "{said}");
}

#[test]
fn whoever_resumes_before_the_start_pays_and_the_ledger_knows_the_number() {
    let mut world = World::new();
    world.seen.risk.as_mut().unwrap().requirements = Default::default();
    world.deploy("shop:v2", GOOD);
    world.run(3);
    assert_eq!(world.phase(), Some(Phase::Plan), "held");
    world.workload().paused = false;
    world.workload().resumed_by = Some("bob".into());
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    let charge = world.status().charge.clone().unwrap();
    assert!(charge.exception);
    assert_eq!(world.seen.risk.as_ref().unwrap().ledger.sequence, charge.sequence, "{}", world.trace.join("\n"));
}
