//! Stories of budgets that worsen while a release has users: who must agree to that is asked before the next stage.

use super::policy::{agreed, approve, asks, budget, change, enforced, held, say, spent};
use super::*;
use crate::api::Severity;
use crate::api::attestation::ClaimOutcome;
use crate::policy::{Band, Role, Tier};

fn mid_release(kind: ChangeType, severity: Option<Severity>) -> World {
    let mut world = World::new();
    change(&mut world, kind, severity);
    world.workload().changed_by = "bob".into();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    world
}

fn goes_on(world: &mut World) {
    world.run_until(100, |world| world.phase() == Some(Phase::Verify));
}

#[test]
fn a_worse_error_budget_asks_whom_its_process_asks_and_a_better_one_takes_nothing_back() {
    let mut world = mid_release(ChangeType::Feature, None);
    // Who agreed before it was worse did not agree to that.
    approve(&mut world, Role::SeniorEngineer, "ann");
    world.run(1);
    budget(&mut world, BudgetStatus::Warning, 42.0);
    world.run(15);
    let says = held(&world);
    assert!(says.starts_with("ApprovalMissing"), "{says}");
    assert!(says.contains("error budget from Healthy to Warning"), "{says}");
    // With what the enhanced process asks before all of the traffic.
    assert_eq!(asks(&world), [Role::SeniorEngineer, Role::Sre], "{says}");
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25), "the next stage waits");
    assert!(world.trace.iter().any(|line| line.contains("BudgetWorsened")), "{}", world.trace.join("\n"));
    budget(&mut world, BudgetStatus::Healthy, 70.0);
    world.run(5);
    assert!(held(&world).starts_with("ApprovalMissing"), "{}", held(&world));
    approve(&mut world, Role::SeniorEngineer, "ann");
    world.run(3);
    assert_eq!(asks(&world), [Role::Sre], "{}", held(&world));
    approve(&mut world, Role::Sre, "sam");
    goes_on(&mut world);
    let status = world.status();
    let worse = status.worsened.unwrap();
    assert_eq!((worse.status, worse.band, worse.remaining_percent), (BudgetStatus::Warning, Band::Green, 42.0));
    assert_eq!(agreed(status), ["ann as senior-engineer before 100 %: ", "sam as sre before 100 %: "]);
}

#[test]
fn a_change_that_would_be_blocked_by_now_goes_on_by_those_who_agree_to_an_exception() {
    let mut world = mid_release(ChangeType::Feature, None);
    budget(&mut world, BudgetStatus::Critical, 18.0);
    world.run(15);
    for role in ["development-manager", "on-call", "service-owner", "sre", "engineering-manager", "vp-engineering"] {
        assert!(held(&world).contains(&format!("--role {role}")), "{role}: {}", held(&world));
    }
    for role in asks(&world) {
        approve(&mut world, role, role.as_str());
    }
    goes_on(&mut world);
    assert_eq!(
        world.status().charge.as_ref().map(|charge| charge.exception),
        Some(false),
        "it began as it was meant to"
    );
}

#[test]
fn a_fix_goes_on_by_the_emergency_process_and_is_asked_anew_when_it_gets_worse_again() {
    let mut world = mid_release(ChangeType::IncidentFix, Some(Severity::P0));
    budget(&mut world, BudgetStatus::Critical, 18.0);
    world.run(15);
    assert_eq!(asks(&world), [Role::Sre, Role::VpEngineering]);
    budget(&mut world, BudgetStatus::Emergency, 4.0);
    approve(&mut world, Role::Sre, "sam");
    approve(&mut world, Role::VpEngineering, "vera");
    world.run(5);
    assert_eq!(world.status().worsened.unwrap().status, BudgetStatus::Emergency);
    assert!(asks(&world).contains(&Role::SeniorEngineer), "{}", held(&world));
    for (role, who) in [
        (Role::Sre, "sam"),
        (Role::VpEngineering, "vera"),
        (Role::SeniorEngineer, "ann"),
        (Role::SeniorEngineer, "carl"),
    ] {
        approve(&mut world, role, who);
    }
    goes_on(&mut world);
}

#[test]
fn without_agreement_it_comes_back() {
    let mut world = mid_release(ChangeType::Feature, None);
    budget(&mut world, BudgetStatus::Warning, 42.0);
    world.run_until(700, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
}

/// Who rejected it before the budget got worse did not agree to that either.
#[test]
fn a_rejection_from_before_holds_it_until_it_is_taken_back() {
    let mut world = mid_release(ChangeType::Feature, None);
    say(&mut world, "approval", Some("senior-engineer"), "carl", ClaimOutcome::Failed, &[]);
    world.run(2);
    budget(&mut world, BudgetStatus::Warning, 42.0);
    world.run(15);
    approve(&mut world, Role::SeniorEngineer, "ann");
    approve(&mut world, Role::Sre, "sam");
    world.run(3);
    assert!(held(&world).starts_with("Rejected") && held(&world).contains("carl"), "{}", held(&world));
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    say(&mut world, "approval", Some("senior-engineer"), "carl", ClaimOutcome::Withdrawn, &[]);
    goes_on(&mut world);
}

#[rstest]
#[case::high_risk_in_red(&["authentication"], 80, &[Role::DevelopmentManager, Role::OnCall, Role::ProductManager, Role::VpEngineering])]
#[case::low_risk_in_red(&["ui"], 80, &[])]
#[case::low_risk_in_exhausted(&["ui"], 100, &[Role::DevelopmentManager, Role::OnCall, Role::ProductManager, Role::VpEngineering])]
#[case::yellow(&["authentication"], 50, &[])]
fn a_worse_band_asks_who_agrees_to_what_it_blocks(
    #[case] categories: &[&str],
    #[case] consumed: u32,
    #[case] roles: &[Role],
) {
    let mut world = enforced(Tier::T2, categories);
    world.seen.risk.as_mut().unwrap().requirements =
        serde_json::from_value(serde_json::json!({"mode": "Audit"})).unwrap();
    world.workload().changed_by = "bob".into();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    spent(&mut world, 1_000, consumed * 10 + 40);
    if roles.is_empty() {
        return goes_on(&mut world);
    }
    world.run(15);
    assert_eq!(asks(&world), roles, "{}", held(&world));
    for role in roles {
        approve(&mut world, *role, role.as_str());
    }
    goes_on(&mut world);
}

/// What a release costs itself was judged when it began, and so was what was promised to others.
#[test]
fn what_was_known_at_the_start_worsens_nothing() {
    let mut world = World::new();
    spent(&mut world, 100, 60);
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!((world.status().worsened, world.seen.risk.as_ref().unwrap().band()), (None, Some(Band::Red)));
}

#[rstest]
#[case::comes_back(true)]
#[case::stays_away(false)]
fn a_budget_that_is_not_known_lets_no_weight_rise(#[case] comes_back: bool) {
    let mut world = mid_release(ChangeType::Feature, None);
    let measured = std::mem::replace(&mut world.seen.budget, BudgetSeen::Unmeasured("Prometheus is down".into()));
    world.run(30);
    assert!(held(&world).starts_with("BudgetUnknown"), "{}", held(&world));
    assert!(held(&world).contains("Prometheus is down"), "{}", held(&world));
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    if comes_back {
        world.seen.budget = measured;
        return goes_on(&mut world);
    }
    world.run_until(700, |world| world.outcome() == Some(Outcome::RolledBack));
}

#[test]
fn a_rollback_waits_for_no_budget() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(20);
    world.deploy("shop:v1", GOOD);
    world.run_until(60, |world| world.phase() == Some(Phase::Release));
    assert_eq!(world.seen.record.as_ref().unwrap().spec.change.kind, ChangeType::Rollback);
    budget(&mut world, BudgetStatus::Emergency, 2.0);
    world.run(5);
    world.seen.budget = BudgetSeen::Unmeasured("Prometheus is down".into());
    world.run_until(2_000, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.status().worsened, None);
}
