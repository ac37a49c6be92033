//! Stories of a GatedRelease that is deleted and created anew with another RiskBudget.

use super::policy::{approve, held};
use super::*;
use crate::policy::Role;

/// Released by one budget, created anew with another, and changed.
fn moved(template: &str) -> World {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(20);
    world.seen.release.spec.risk_budget_ref.name = "lenient".into();
    world.workload().changed_by = "eve".into();
    world.deploy(template, GOOD);
    world.run(3);
    world
}

#[test]
fn it_starts_when_both_managers_have_agreed_and_asks_once() {
    let mut world = moved("shop:v3");
    assert_eq!(world.seen.record.as_ref().unwrap().spec.budget_before.as_deref(), Some("checkout"));
    let says = held(&world);
    for role in ["product-manager", "development-manager"] {
        assert!(says.contains(&format!("kubectl tidegate approve checkout -n shop --role {role}")), "{says}");
    }
    assert!(says.contains("It spent RiskBudget checkout before, and lenient may allow more"), "{says}");
    approve(&mut world, Role::ProductManager, "ann");
    world.run(3);
    assert!(held(&world).contains("development-manager"), "{}", held(&world));
    approve(&mut world, Role::DevelopmentManager, "bob");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(20);
    world.deploy("shop:v4", GOOD);
    world.run(3);
    let spec = &world.seen.record.as_ref().unwrap().spec;
    assert_eq!((spec.attempt, spec.budget_before.as_deref()), (4, None), "agreed to once");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn an_attempt_that_ends_without_their_agreement_does_not_answer_for_the_next() {
    let mut world = moved("shop:v3");
    world.deploy("shop:v4", GOOD);
    world.run(6);
    let spec = &world.seen.record.as_ref().unwrap().spec;
    assert_eq!((spec.attempt, spec.budget_before.as_deref()), (4, Some("checkout")));
    assert!(held(&world).contains("product-manager"), "{}", held(&world));
}

#[test]
fn back_at_the_former_budget_nobody_is_asked() {
    let mut world = moved("shop:v3");
    world.seen.release.spec.risk_budget_ref.name = "checkout".into();
    world.deploy("shop:v4", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.seen.record.as_ref().unwrap().spec.budget_before, None);
}

#[test]
fn a_rollback_waits_for_nobody() {
    let mut world = moved("shop:v1");
    world.run_until(2_000, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.status().approvals, []);
}
