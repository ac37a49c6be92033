//! Stories of agreement to the last half of the users, where the stages of a release stop at the first: a lean one, and a
//! Deployment without a route.

use super::policy::{agreed, approve, asks, attest, budget, change, held, say};
use super::*;
use crate::api::Severity;
use crate::api::attestation::ClaimOutcome;
use crate::api::gated_release::Capacity;
use crate::policy::Role;

/// Bob's feature in its last stage, with half of the users.
fn at_half() -> World {
    let mut world = lean();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| began(world, 2));
    world
}

fn lean() -> World {
    let mut world = World::new();
    world.seen.release.spec.strategy.capacity = Capacity::Lean;
    change(&mut world, ChangeType::Feature, None);
    world.workload().changed_by = "bob".into();
    world
}

fn began(world: &World, stage: usize) -> bool {
    world.status().stages.get(stage).is_some_and(|stage| stage.started_at.is_some())
}

/// The time passes for which a stage is watched.
fn baked(world: &mut World, stage: usize) {
    world.now = world.now.plus(world.status().stages[stage].spec.bake);
}

fn resumed(world: &World) -> bool {
    world.status().promotion.as_ref().is_some_and(|promotion| promotion.resumed_at.is_some())
}

fn warning(world: &mut World) {
    budget(world, BudgetStatus::Warning, 42.0);
}

fn both_agree(world: &mut World) {
    approve(world, Role::SeniorEngineer, "ann");
    approve(world, Role::Sre, "sam");
}

#[test]
fn what_worsens_at_half_is_asked_about_before_the_other_half() {
    let mut world = at_half();
    warning(&mut world);
    // Longer than the new version has to be ready: that is not its own time.
    world.run(150);
    let says = held(&world);
    assert!(says.starts_with("ApprovalMissing") && says.contains("until those agree to 100 %"), "{says}");
    assert!(says.contains("error budget from Healthy to Warning"), "{says}");
    assert_eq!(asks(&world), [Role::SeniorEngineer, Role::Sre], "{says}");
    assert_eq!((world.phase(), world.split()), (Some(Phase::Promote), Split::canary(Weight::whole(50))));
    assert!(world.workload().paused && world.seen.previous.is_none(), "its way back is the workload");
    both_agree(&mut world);
    world.run_until(200, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(agreed(world.status()), ["ann as senior-engineer before 100 %: ", "sam as sre before 100 %: "]);
}

#[test]
fn without_agreement_it_comes_back_from_half() {
    let mut world = at_half();
    warning(&mut world);
    world.run_until(700, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
    assert!(!resumed(&world), "the workload was not let go");
}

#[rstest]
#[case::agreed_to(true)]
#[case::not_agreed_to(false)]
fn what_worsens_while_the_workload_rolls_is_asked_about_before_it_gets_users(#[case] agree: bool) {
    let mut world = at_half();
    world.run_until(100, resumed);
    warning(&mut world);
    world.run(30);
    let says = held(&world);
    assert!(says.starts_with("ApprovalMissing") && says.contains("until those agree to 100 %"), "{says}");
    assert_eq!(world.split(), Split::LEAN, "half of the users have the former version");
    if agree {
        both_agree(&mut world);
        return world.run_until(200, |world| world.outcome() == Some(Outcome::Succeeded));
    }
    world.run_until(700, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.split().weight(Carrier::Previous), Weight::FULL);
}

#[test]
fn agreement_that_is_taken_back_while_the_workload_rolls_does_not_count() {
    let mut world = at_half();
    warning(&mut world);
    world.run(20);
    both_agree(&mut world);
    world.run_until(100, resumed);
    say(&mut world, "approval", Some("sre"), "sam", ClaimOutcome::Withdrawn, &[]);
    world.run(30);
    assert_eq!((asks(&world), world.split()), (vec![Role::Sre], Split::LEAN), "{}", held(&world));
}

#[test]
fn a_budget_that_is_not_known_keeps_the_other_half() {
    let mut world = at_half();
    let measured = std::mem::replace(&mut world.seen.budget, BudgetSeen::Unmeasured("Prometheus is down".into()));
    world.run(30);
    assert!(held(&world).starts_with("BudgetUnknown"), "{}", held(&world));
    assert!(world.workload().paused);
    world.seen.budget = measured;
    world.run_until(200, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn who_agreed_stands_on_record_once_wherever_the_controller_dies() {
    for crash in 0..3 {
        let mut world = at_half();
        warning(&mut world);
        world.run(20);
        both_agree(&mut world);
        for _ in 0..60 {
            world.run_crashing(&[crash]);
        }
        world.run_until(200, |world| world.outcome() == Some(Outcome::Succeeded));
        let on_record = agreed(world.status());
        assert_eq!(on_record, ["ann as senior-engineer before 100 %: ", "sam as sre before 100 %: "], "{crash}");
    }
}

/// `001_…`, Enhanced Process, step 7: before 100 %, which is not half.
#[test]
fn the_enhanced_process_asks_sre_before_all_and_not_before_half() {
    let mut world = lean();
    warning(&mut world);
    world.deploy("shop:v2", GOOD);
    world.run(3);
    approve(&mut world, Role::SeniorEngineer, "ann");
    attest(&mut world, "start", "ann", &[]);
    for stage in 0..4 {
        world.run_until(60, |world| began(world, stage));
        baked(&mut world, stage);
    }
    world.run_until(60, |world| world.phase() == Some(Phase::Promote));
    assert!(!world.trace.iter().any(|line| line.contains("agree to 50 %")), "half waits for nobody");
    world.run(3);
    assert_eq!((asks(&world), world.split()), (vec![Role::Sre], Split::canary(Weight::whole(50))), "{}", held(&world));
    approve(&mut world, Role::Sre, "sam");
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
}

/// The emergency process asks for two approvals before each stage: the other half is one of them.
#[test]
fn each_stage_is_one_of_the_other_half_too() {
    let mut world = lean();
    budget(&mut world, BudgetStatus::Critical, 18.0);
    change(&mut world, ChangeType::IncidentFix, Some(Severity::P0));
    world.deploy("shop:v2", GOOD);
    world.run(3);
    let both = |world: &mut World| {
        approve(world, Role::Sre, "sam");
        approve(world, Role::VpEngineering, "vera");
    };
    both(&mut world);
    attest(&mut world, "start", "sam", &[]);
    world.run_until(60, |world| began(world, 0));
    for (stage, weight) in [(1, "5 %"), (2, "10 %"), (3, "25 %"), (4, "50 %")] {
        baked(&mut world, stage - 1);
        world.run_until(60, |world| held(world).contains(&format!("until those agree to {weight}")));
        both(&mut world);
        world.run_until(60, |world| began(world, stage));
    }
    baked(&mut world, 4);
    world.run_until(60, |world| held(world).contains("until those agree to 100 %"));
    assert_eq!((asks(&world), world.phase()), (vec![Role::Sre, Role::VpEngineering], Some(Phase::Promote)));
    both(&mut world);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
}

/// A Deployment without a route has no way back once it is let go.
#[test]
fn without_a_route_the_workload_is_let_go_once_those_agreed_to_all() {
    let mut world = World::by_count("Deployment");
    change(&mut world, ChangeType::Feature, None);
    world.workload().changed_by = "bob".into();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.phase() == Some(Phase::Release) && began(world, 2));
    warning(&mut world);
    world.run(60);
    assert_eq!(asks(&world), [Role::SeniorEngineer, Role::Sre], "{}", held(&world));
    assert!(world.workload().paused, "{}", world.trace.join("\n"));
    both_agree(&mut world);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(agreed(world.status()), ["ann as senior-engineer before 100 %: ", "sam as sre before 100 %: "]);
}
