//! The router sends users elsewhere than the route says.

use super::*;

/// The first stage of 5 %, and four of five requests go past the route.
fn past_the_route() -> World {
    let mut world = World::new();
    world.aside_per_second = 400.0;
    world.seen.release.spec.analysis.share_tolerance_percent = Some(crate::api::Percent::whole(50));
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| condition(world, "Held").0 == Truth::True);
    world
}

#[test]
fn a_stage_whose_share_does_not_arrive_is_held_and_says_why() {
    let mut world = past_the_route();
    let before = world.split();
    assert_eq!(condition(&world, "Held").1, "OtherShare");
    world.run(60);
    assert_eq!(world.split(), before, "the weight stays");
    let held = world.seen.release.status.conditions.iter().find(|one| one.kind == "Held").unwrap();
    for word in ["1 % of 2,500 requests", "the route gives it 5 %", "spec.analysis.shareTolerancePercent"] {
        assert!(held.message.contains(word), "{}", held.message);
    }
}

#[test]
fn callers_past_the_route_are_nothing_against_a_version_where_nobody_asked_for_its_share() {
    let mut world = World::new();
    world.aside_per_second = 400.0;
    world.deploy("shop:v2", GOOD);
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn it_goes_on_when_the_callers_come_through_the_route_or_somebody_says_that_it_is_right() {
    let mut world = past_the_route();
    world.aside_per_second = 0.0;
    world.run_until(900, |world| world.outcome() == Some(Outcome::Succeeded));
    let mut world = past_the_route();
    world.seen.release.spec.analysis.share_tolerance_percent = Some(crate::api::Percent::HUNDRED);
    world.run_until(900, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_share_that_stays_wrong_brings_the_version_back_at_the_deadline() {
    let mut world = past_the_route();
    world.run_until(3_000, |world| world.outcome() == Some(Outcome::RolledBack));
    let record = world.seen.record.as_ref().unwrap().status.as_ref().unwrap();
    let log = record.rollback.as_ref().unwrap();
    assert_eq!(log.trigger, Trigger::HoldExpired);
    assert!(log.value.contains("OtherShare") || log.value.contains("the route gives it"), "{}", log.value);
}
