//! Stories of agreement in the course of a release: each stage of the emergency process (`001_…`, Emergency Process, step 8), and
//! all of the traffic in the enhanced one (step 7).

use super::policy::{agreed, approve, asks, attest, budget, change, held, say};
use super::*;
use crate::api::Severity;
use crate::api::attestation::ClaimOutcome;
use crate::policy::Role;

const BOTH: [(Role, &str); 2] = [(Role::Sre, "sam"), (Role::VpEngineering, "vera")];

fn both_agree(world: &mut World) {
    for (role, who) in BOTH {
        approve(world, role, who);
    }
}

/// A P0 fix in Critical, agreed to before its start, in its first stage.
fn emergency() -> World {
    let mut world = started();
    world.run_until(60, |world| stage_began(world, 0));
    world
}

/// The same before anybody met it.
fn started() -> World {
    let mut world = World::new();
    budget(&mut world, BudgetStatus::Critical, 18.0);
    change(&mut world, ChangeType::IncidentFix, Some(Severity::P0));
    world.workload().changed_by = "bob".into();
    world.deploy("shop:v2", GOOD);
    world.run(3);
    assert_eq!(asks(&world), [Role::Sre, Role::VpEngineering], "{}", held(&world));
    both_agree(&mut world);
    attest(&mut world, "start", "sam", &[]);
    world.run_until(60, |world| world.phase() == Some(Phase::Stage));
    world
}

fn stage_began(world: &World, stage: usize) -> bool {
    world.status().stages.get(stage).is_some_and(|stage| stage.started_at.is_some())
}

/// Runs until the stage before is over, and what comes of the next.
fn passed(world: &mut World, stage: usize) {
    world.run_until(4_000, |world| world.status().stages[stage].passed_at.is_some());
    world.run(3);
}

fn weight(world: &World) -> Weight {
    world.split().weight(Carrier::Canary)
}

#[test]
fn each_stage_waits_for_its_own_agreement() {
    let mut world = emergency();
    passed(&mut world, 0);
    assert!(
        held(&world).contains("until those agree to 5 %"),
        "the start's covers the first stage alone: {}",
        held(&world)
    );
    assert_eq!((asks(&world), weight(&world)), (vec![Role::Sre, Role::VpEngineering], Weight::whole(2)));
    both_agree(&mut world);
    world.run_until(30, |world| stage_began(world, 1));
    // What was agreed to for this stage opens no other.
    passed(&mut world, 1);
    assert!(held(&world).contains("until those agree to 10 %"), "{}", held(&world));
    assert_eq!((asks(&world), weight(&world)), (vec![Role::Sre, Role::VpEngineering], Weight::whole(5)));
    let on_record = [
        "sam as sre before start: ",
        "vera as vp-engineering before start: ",
        "sam as sre before 5 %: ",
        "vera as vp-engineering before 5 %: ",
    ];
    assert_eq!(agreed(world.status()), on_record);
}

/// Who agrees while the stage before goes on agrees to the next: it does not wait then. One alone is not enough.
#[test]
fn agreement_may_be_given_while_the_stage_before_goes_on() {
    let mut world = emergency();
    world.run(60);
    approve(&mut world, Role::Sre, "sam");
    passed(&mut world, 0);
    assert_eq!(asks(&world), [Role::VpEngineering], "{}", held(&world));
    approve(&mut world, Role::VpEngineering, "vera");
    world.run(3);
    world.run(60);
    both_agree(&mut world);
    world.run_until(4_000, |world| stage_began(world, 2));
    assert!(
        !world.trace.iter().any(|line| line.contains("agree to 10 %")),
        "it did not wait\n{}",
        world.trace.join("\n")
    );
}

#[test]
fn agreement_that_is_taken_back_before_the_stage_begins_does_not_count() {
    let mut world = emergency();
    world.run(60);
    both_agree(&mut world);
    world.run(60);
    say(&mut world, "approval", Some("sre"), "sam", ClaimOutcome::Withdrawn, &[]);
    passed(&mut world, 0);
    assert_eq!((asks(&world), weight(&world)), (vec![Role::Sre], Weight::whole(2)), "{}", held(&world));
    approve(&mut world, Role::Sre, "sue");
    world.run_until(30, |world| stage_began(world, 1));
    // Taken back after it began, it stops what comes next, not what goes on.
    say(&mut world, "approval", Some("sre"), "sue", ClaimOutcome::Withdrawn, &[]);
    world.run(30);
    assert_eq!((weight(&world), world.outcome()), (Weight::whole(5), None));
}

/// A stage begins within a second of which the API server tells no part: what is said in the rest of it comes after.
#[test]
fn agreement_of_the_second_in_which_a_stage_begins_is_for_the_next() {
    let mut world = emergency();
    world.now = world.now.plus(Span::from_millis(500));
    passed(&mut world, 0);
    both_agree(&mut world);
    world.run_until(30, |world| stage_began(world, 1));
    let began = world.status().stages[1].started_at.unwrap();
    let now = std::mem::replace(&mut world.now, began);
    approve(&mut world, Role::Sre, "sue");
    approve(&mut world, Role::VpEngineering, "vic");
    world.now = now;
    world.run_until(4_000, |world| stage_began(world, 2));
    let waited = world.trace.iter().any(|line| line.contains("agree to 10 %"));
    assert!(!waited, "it did not wait\n{}", world.trace.join("\n"));
}

#[test]
fn agreement_that_let_a_stage_begin_in_its_very_second_opens_no_other() {
    let mut world = emergency();
    passed(&mut world, 0);
    world.now = world.now.plus(Span::from_millis(500));
    both_agree(&mut world);
    world.run_until(30, |world| stage_began(world, 1));
    let given = world.seen.attestations.last().unwrap().at;
    let began = world.status().stages[1].started_at.unwrap();
    assert!(given < began && began.since(given) < Span::seconds(1), "{given}, {began}");
    passed(&mut world, 1);
    assert_eq!((asks(&world), weight(&world)), (vec![Role::Sre, Role::VpEngineering], Weight::whole(5)));
}

/// The author of the change agrees to nothing, in no stage.
#[test]
fn who_made_it_opens_no_stage() {
    let mut world = emergency();
    passed(&mut world, 0);
    approve(&mut world, Role::Sre, "bob");
    approve(&mut world, Role::VpEngineering, "vera");
    world.run(3);
    assert_eq!((asks(&world), stage_began(&world, 1)), (vec![Role::Sre], false), "{}", held(&world));
}

/// A change of bob's in Warning, which waits for its sign-offs.
fn enhanced() -> World {
    let mut world = World::new();
    budget(&mut world, BudgetStatus::Warning, 42.0);
    world.workload().changed_by = "bob".into();
    world.deploy("shop:v2", GOOD);
    world.run(3);
    world
}

#[test]
fn the_enhanced_process_hears_sre_from_the_first_traffic_on() {
    let mut world = enhanced();
    approve(&mut world, Role::SeniorEngineer, "ann");
    // Before anybody has met it there is nothing to sign off.
    approve(&mut world, Role::Sre, "early");
    attest(&mut world, "start", "ann", &[]);
    world.run_until(20_000, |world| world.status().stages.get(3).is_some_and(|stage| stage.passed_at.is_some()));
    world.run(3);
    assert_eq!((asks(&world), weight(&world)), (vec![Role::Sre], Weight::whole(50)), "{}", held(&world));
    approve(&mut world, Role::Sre, "sam");
    world.run_until(100, |world| weight(world) == Weight::FULL || world.phase() == Some(Phase::Promote));
}

/// A rejection holds until the same person takes it back, before whatever the role is asked.
#[test]
fn who_rejects_what_is_asked_before_all_of_the_traffic_is_heard_before_the_start() {
    let mut world = enhanced();
    say(&mut world, "approval", Some("sre"), "carl", ClaimOutcome::Failed, &[]);
    approve(&mut world, Role::SeniorEngineer, "ann");
    attest(&mut world, "start", "ann", &[]);
    world.run(3);
    assert!(held(&world).starts_with("Rejected") && held(&world).contains("carl"), "{}", held(&world));
    assert_eq!((world.phase(), weight(&world)), (Some(Phase::Plan), Weight::ZERO));
    say(&mut world, "approval", Some("sre"), "carl", ClaimOutcome::Withdrawn, &[]);
    world.run_until(20_000, |world| world.status().stages.get(3).is_some_and(|stage| stage.passed_at.is_some()));
    approve(&mut world, Role::Sre, "sam");
    world.run_until(100, |world| weight(world) == Weight::FULL || world.phase() == Some(Phase::Promote));
}

#[test]
fn who_rejects_between_the_start_and_the_first_traffic_is_heard_before_that() {
    let mut world = started();
    say(&mut world, "approval", Some("vp-engineering"), "carl", ClaimOutcome::Failed, &[]);
    world.now = world.now.plus(Span::seconds(2));
    world.run(30);
    assert!(held(&world).starts_with("Rejected") && held(&world).contains("carl"), "{}", held(&world));
    assert_eq!((weight(&world), stage_began(&world, 0)), (Weight::ZERO, false));
    say(&mut world, "approval", Some("vp-engineering"), "carl", ClaimOutcome::Withdrawn, &[]);
    world.run_until(60, |world| stage_began(world, 0));
}
