//! Stories of somebody on call who watches a release: their word lapses, and is renewed or not.

use serde_json::json;

use super::policy::{enforced, held, waive};
use super::*;
use crate::api::{AttestationSpec, Time};
use crate::policy::requirement::CATALOGUE;
use crate::release::snapshot::{AttestationSeen, Proof};

/// A release in G3 that must show nothing but that somebody watches it.
fn watched() -> World {
    let mut world = enforced(crate::policy::Tier::T3, &["authentication"]);
    let watch = ["on-call-presence", "on-call-validation"];
    for entry in CATALOGUE.iter().filter(|entry| !watch.contains(&entry.name)) {
        waive(&mut world, entry.name);
    }
    world.deploy("shop:v2", GOOD);
    world
}

/// Somebody said so at this moment, and goes earlier than a shift is long where they say it.
fn here(world: &mut World, at: Time, until: Option<Time>) {
    let revision = world.workload().revision.clone();
    let spec: AttestationSpec = serde_json::from_value(json!({
        "releaseRef": {"name": "checkout"}, "revision": revision, "type": "on-call-presence", "author": "ann",
        "outcome": "Passed",
    }))
    .unwrap();
    let spec = AttestationSpec { expires_at: until, ..spec };
    world.seen.attestations.push(AttestationSeen { spec, at, proof: Proof::Author });
}

fn here_now(world: &mut World) {
    let now = world.now;
    here(world, now, None);
}

/// Somebody watches for so many seconds more, and nobody after that.
fn here_for(world: &mut World, seconds: u64) {
    let until = world.now.plus(Span::seconds(seconds));
    let now = world.now;
    here(world, now, Some(until));
}

/// A quarter of the users has it, and nobody watches any more.
fn lapsed_at_a_quarter() -> World {
    let mut world = watched();
    here_now(&mut world);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    here_for(&mut world, 4);
    world.run(8);
    world
}

/// The same in its verification.
fn lapsed_in_verification() -> World {
    let mut world = watched();
    here_now(&mut world);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    here_for(&mut world, 4);
    world.run(8);
    world
}

#[test]
fn nothing_is_given_to_a_version_that_nobody_ever_watched() {
    let mut world = watched();
    world.run(30);
    assert!(held(&world).starts_with("OnCallMissing"), "{}", held(&world));
    assert_eq!(world.split().weight(Carrier::Canary), Weight::ZERO);
    here_now(&mut world);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
}

/// Eight hours from when the API server took it.
#[test]
fn a_shift_ends_in_the_middle_of_a_stage_and_the_next_one_goes_on() {
    let mut world = watched();
    here(&mut world, Time("2025-12-31T16:00:40Z".parse().unwrap()), None);
    world.run_until(100, |world| condition(world, "Held").1 == "OnCallLapsed");
    assert!(world.now > Time("2026-01-01T00:00:40Z".parse().unwrap()), "not before the shift ends");
    let says = held(&world);
    assert!(says.contains("is older than 8h"), "{says}");
    assert!(
        says.contains("kubectl tidegate attest checkout -n shop --type on-call-presence"),
        "how it is renewed: {says}"
    );
    let weight = world.split().weight(Carrier::Canary);
    world.run(60);
    assert_eq!(world.split().weight(Carrier::Canary), weight, "nobody more meets it");
    here_now(&mut world);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
}

#[test]
fn who_is_not_relieved_holds_it_until_it_comes_back() {
    let mut world = lapsed_at_a_quarter();
    assert!(held(&world).starts_with("OnCallLapsed"), "{}", held(&world));
    let deadline = world.status().hold.as_ref().unwrap().deadline;
    world.run(500);
    assert_eq!(world.status().hold.as_ref().unwrap().deadline, deadline);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    world.run_until(150, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
}

#[test]
fn what_hurts_comes_back_at_once_although_nobody_watches() {
    let mut world = lapsed_at_a_quarter();
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(15, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate);
}

#[test]
fn a_revert_waits_for_nobody_on_call() {
    let mut world = lapsed_at_a_quarter();
    world.deploy("shop:v1", GOOD);
    world.run_until(20, |world| world.split() == Split::HOME && !world.seen.workload.as_ref().unwrap().paused);
    assert_eq!(world.outcome(), Some(Outcome::Reverted));
}

#[test]
fn the_workload_is_not_let_go_while_nobody_watches() {
    let mut world = watched();
    here_now(&mut world);
    world.run_until(300, |world| world.phase() == Some(Phase::Promote));
    here_for(&mut world, 0);
    world.run(30);
    assert!(held(&world).starts_with("OnCallLapsed"), "{}", held(&world));
    assert!(world.workload().paused);
    here_now(&mut world);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
}

#[test]
fn a_verification_is_complete_as_soon_as_somebody_watches_again() {
    let mut world = lapsed_in_verification();
    assert!(held(&world).starts_with("OnCallLapsed"), "{}", held(&world));
    assert!(held(&world).contains("complete without it, which stays on record"), "{}", held(&world));
    world.run(120);
    assert_eq!(world.phase(), Some(Phase::Verify), "its time alone does not complete it");
    here_now(&mut world);
    world.run_until(10, |world| world.outcome() == Some(Outcome::Succeeded));
    assert!(world.status().assessment.as_ref().unwrap().not_shown.iter().all(|name| name != "on-call-validation"));
}

/// What serves well is not taken back because a shift ended: 60 s of verification and 10 min of patience, then it is complete.
#[test]
fn a_verification_that_nobody_watches_any_more_ends_and_says_so() {
    let mut world = lapsed_in_verification();
    let began = world.status().phase_since;
    assert_eq!(world.status().hold.as_ref().unwrap().deadline, began.plus(Span::seconds(660)));
    world.run_until(700, |world| world.outcome() == Some(Outcome::Succeeded));
    assert!(world.now.since(began) >= Span::seconds(660));
    assert!(world.status().assessment.as_ref().unwrap().not_shown.contains(&"on-call-validation".to_owned()));
}

/// A Prometheus that fails meanwhile brings nothing back either: both waits have one end.
#[test]
fn what_is_not_seen_in_a_verification_that_nobody_watches_is_complete_by_the_same_deadline() {
    let mut world = lapsed_in_verification();
    world.prometheus = false;
    world.run(3);
    assert!(!held(&world).starts_with("OnCallLapsed"), "{}", held(&world));
    world.run_until(700, |world| world.outcome() == Some(Outcome::Succeeded));
    assert!(world.now.since(world.status().promotion.as_ref().unwrap().verified_at.unwrap()) < Span::seconds(10));
    assert!(world.status().summary.contains("complete without"), "{}", world.status().summary);
}
