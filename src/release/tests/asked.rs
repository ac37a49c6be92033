//! Stories of people who are asked: the service owner where a budget says so, two people where nobody knows who made the change; and
//! of what a limit on trial is worth.

use rstest::rstest;

use super::policy::{approve, asks, attest, budget, change, enforced, held, missing, waive};
use super::*;
use crate::api::risk_budget::OwnerApproval;
use crate::api::watched::TrialLimit;
use crate::api::{BudgetStatus, ChangeType, Severity};
use crate::policy::requirement::CATALOGUE;
use crate::policy::{Role, Tier};

/// A budget that asks its service owner, and for nothing else.
fn owned(status: BudgetStatus, remaining: f64) -> World {
    let mut world = World::new();
    world.seen.risk.as_mut().unwrap().requirements.owner_approval = OwnerApproval::Asked;
    world.workload().changed_by = "bob".into();
    budget(&mut world, status, remaining);
    world
}

#[test]
fn a_service_owner_who_is_asked_approves_the_start_of_a_healthy_service() {
    let mut world = owned(BudgetStatus::Healthy, 80.0);
    world.deploy("shop:v2", GOOD);
    world.run(5);
    assert!(held(&world).starts_with("ApprovalMissing"), "{}", held(&world));
    assert!(held(&world).contains("001, Healthy, Requirements; Roles, Service Owner"), "{}", held(&world));
    assert_eq!(asks(&world), [Role::ServiceOwner]);
    approve(&mut world, Role::ServiceOwner, "bob");
    world.run(5);
    assert!(held(&world).starts_with("ApprovalMissing"), "its author does not approve it: {}", held(&world));
    approve(&mut world, Role::ServiceOwner, "olga");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.status().approvals[0].author, "olga");
}

#[test]
fn nobody_asks_a_service_owner_whose_manifest_approves() {
    let mut world = owned(BudgetStatus::Healthy, 80.0);
    world.seen.risk.as_mut().unwrap().requirements.owner_approval = OwnerApproval::Manifest;
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert!(world.status().approvals.is_empty());
}

/// The ordinary case of GitOps: a machine applied it, and no pipeline names anybody.
#[test]
fn where_nobody_knows_who_made_it_the_hold_says_that_two_people_sign_and_why() {
    let mut world = owned(BudgetStatus::Healthy, 80.0);
    world.workload().changed_by = "system:serviceaccount:argocd:controller".into();
    world.deploy("shop:v2", GOOD);
    world.run(5);
    let once = "service-owner: kubectl tidegate approve checkout";
    for approved in [false, true] {
        let told = held(&world);
        assert_eq!(told.matches(once).count(), 1, "{told}");
        assert!(told.contains("two people, because who made the change is not known"), "{told}");
        if !approved {
            approve(&mut world, Role::ServiceOwner, "olga");
            world.run(5);
        }
    }
    approve(&mut world, Role::ServiceOwner, "pete");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    let mut by: Vec<&str> = world.status().approvals.iter().map(|one| one.author.as_str()).collect();
    by.sort_unstable();
    assert_eq!(by, ["olga", "pete"]);
}

/// `001_…`, Emergency: whatever the gate, somebody watches it, and how it comes back is written down.
#[test]
fn in_emergency_a_hotfix_shows_a_plan_and_somebody_who_watches_at_any_gate() {
    let mut world = enforced(Tier::T1, &["ui"]);
    for entry in CATALOGUE.iter().filter(|entry| !["release-plan", "on-call-presence"].contains(&entry.name)) {
        waive(&mut world, entry.name);
    }
    change(&mut world, ChangeType::IncidentFix, Some(Severity::P0));
    budget(&mut world, BudgetStatus::Emergency, 7.0);
    world.deploy("shop:v2", GOOD);
    world.run(5);
    assert_eq!(missing(&world), ["release-plan", "on-call-presence"]);
}

/// What decides nothing gates nothing.
#[rstest]
#[case::it_judges(&[], true)]
#[case::on_trial(&[TrialLimit::Latency], false)]
#[case::another_is_on_trial(&[TrialLimit::Complaints], true)]
fn a_latency_limit_on_trial_is_no_health_gate_and_takes_no_point_off(
    #[case] on_trial: &[TrialLimit],
    #[case] counts: bool,
) {
    let mut world = enforced(Tier::T3, &["authentication"]);
    for entry in CATALOGUE.iter().filter(|entry| entry.name != "health-gates") {
        waive(&mut world, entry.name);
    }
    world.seen.release.spec.rollback.dry_run = on_trial.to_vec();
    world.deploy("shop:v2", GOOD);
    attest(&mut world, "rollback-rehearsal", "system:serviceaccount:ci:builder", &[]);
    world.run(3);
    assert_eq!(missing(&world).is_empty(), counts, "{:?}", missing(&world));
    let risk = world.seen.release.status.risk.clone().unwrap();
    let terms = serde_json::to_string(&risk.terms).unwrap();
    assert_eq!(terms.contains("health gates"), counts, "{terms}");
}

/// `000_…` §5.3: "mitigations count only when verified", by whom is on record.
#[test]
fn the_record_names_who_verified_a_mitigation() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    attest(&mut world, "isolation", "system:serviceaccount:ci:builder", &[]);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    let terms = world.status().assessment.as_ref().unwrap().terms.clone();
    let of_it = terms.iter().find(|term| term.contains("attested by")).unwrap_or_else(|| panic!("{terms:?}"));
    assert!(of_it.contains("system:serviceaccount:ci:builder"), "{of_it}");
}
