//! Stories of rejections: whoever is in a role of the policy stops a change, asked or not, until they take it back.

use rstest::rstest;

use super::policy::{attest, budget, change, enforced, held, missing, say, spent, waive};
use super::*;
use crate::api::Severity;
use crate::api::attestation::ClaimOutcome;
use crate::policy::requirement::CATALOGUE;
use crate::policy::{Role, Tier};

const PIPELINE: &str = "system:serviceaccount:ci:builder";

fn reject(world: &mut World, role: Role, who: &str) {
    say(world, "approval", Some(role.as_str()), who, ClaimOutcome::Failed, &[("note", "no dashboard")]);
}

fn withdraw(world: &mut World, role: Role, who: &str) {
    world.now = world.now.plus(Span::seconds(1));
    say(world, "approval", Some(role.as_str()), who, ClaimOutcome::Withdrawn, &[]);
}

/// Nobody is asked in a healthy budget, and what the gate asks for is only told.
#[rstest]
fn a_rejection_in_any_role_holds_it_where_nobody_is_asked(
    #[values(Role::Sre, Role::Privacy, Role::VpEngineering, Role::ServiceOwner)] role: Role,
) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    reject(&mut world, role, "carl");
    world.run(5);
    let told = held(&world);
    assert!(told.starts_with("Rejected") && told.contains(&format!("rejects it as {role}: no dashboard")), "{told}");
    assert!(
        told.contains(&format!("or carl takes that back: kubectl tidegate withdraw checkout -n shop --role {role}")),
        "{told}"
    );
    withdraw(&mut world, role, "carl");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_rejection_on_the_way_holds_the_next_stage_where_nobody_is_asked() {
    let mut world = at_a_quarter();
    reject(&mut world, Role::Sre, "carl");
    world.run(15);
    let told = held(&world);
    assert!(told.starts_with("Rejected") && told.contains("carl takes that back: kubectl tidegate withdraw"), "{told}");
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    withdraw(&mut world, Role::Sre, "carl");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// CI tells of a review, and a code owner rejects it.
#[test]
fn what_ci_attested_does_not_outweigh_a_code_owner() {
    let mut world = enforced(Tier::T1, &["ui"]);
    for entry in CATALOGUE.iter().filter(|entry| entry.name != "code-owner-review") {
        waive(&mut world, entry.name);
    }
    world.seen.risk.as_mut().unwrap().tier = Tier::T2;
    world.deploy("shop:v2", GOOD);
    world.run(3);
    attest(&mut world, "code-owner-review", PIPELINE, &[]);
    reject(&mut world, Role::CodeOwner, "ann");
    world.run(5);
    assert!(held(&world).starts_with("Rejected"), "{}", held(&world));
    assert_eq!(missing(&world), ["code-owner-review"]);
    withdraw(&mut world, Role::CodeOwner, "ann");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// Only who is in the role: the RiskBudget lists them.
#[test]
fn who_is_not_in_the_role_rejects_nothing() {
    let mut world = World::new();
    let listed = serde_json::json!({"name": "sre", "users": ["sam"]});
    world.seen.risk.as_mut().unwrap().roles = vec![serde_json::from_value(listed).unwrap()];
    world.deploy("shop:v2", GOOD);
    reject(&mut world, Role::Sre, "carl");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_way_back_waits_for_no_rejection() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(20);
    spent(&mut world, 100, 100);
    budget(&mut world, BudgetStatus::Emergency, 2.0);
    world.deploy("shop:v1", GOOD);
    reject(&mut world, Role::Sre, "carl");
    world.run(2);
    world.run_until(2_000, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.seen.record.as_ref().unwrap().spec.change.kind, ChangeType::Rollback);
}

/// An exhausted budget asks in both modes of the requirements, unless that is waived.
#[test]
fn a_waived_sign_off_of_an_exhausted_budget_is_not_asked_for() {
    let mut world = World::new();
    spent(&mut world, 100, 100);
    change(&mut world, ChangeType::SecurityFix, Some(Severity::P1));
    world.deploy("shop:v2", GOOD);
    world.run(5);
    assert!(held(&world).starts_with("ApprovalMissing"), "{}", held(&world));
    waive(&mut world, "budget-sign-off");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}
