//! Stories of those who made something: nobody approves or reviews what is their own.

use super::policy::{attest, enforced, held, missing};
use super::*;
use crate::policy::Tier;
use crate::policy::obligation::RecordFacts;
use crate::release::config::FORMAT;
use crate::release::snapshot::ConfigSeen;

const PIPELINE: &str = "system:serviceaccount:ci:builder";

fn edit(world: &mut World, mark: &str) {
    let seen = ConfigSeen { mark: format!("{FORMAT}{mark}"), by: "kubectl-edit".into() };
    world.workload().config = [("app-config".to_owned(), seen)].into();
}

/// Managed fields name a program: whoever edits a ConfigMap is not known, and who changed the template before did not do it.
#[rstest]
fn who_changed_the_template_did_not_edit_its_config_map(#[values(true, false)] budget_known: bool) {
    let mut world = World::new();
    world.workload().changed_by = "ann".into();
    attest(&mut world, "sast", PIPELINE, &[("change-author", "vera")]);
    edit(&mut world, "a");
    world.run(2);
    let known = world.seen.budget.clone();
    if !budget_known {
        world.seen.budget = BudgetSeen::Unmeasured("RiskBudget checkout: Prometheus is down".into());
    }
    edit(&mut world, "b");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Bypassed));
    world.run(2);
    assert_eq!(world.status().charge.is_some(), budget_known);
    world.seen.budget = known;
    world.run_until(60, |world| world.status().charge.is_some());
    let record = world.seen.record.as_ref().unwrap();
    assert_eq!((record.spec.attempt, record.spec.changed_by.as_str()), (2, ""));
    let facts = RecordFacts::of(&record.name, &record.spec, record.status.as_ref().unwrap()).unwrap();
    assert!(facts.unapproved.is_some() && !facts.knows_author, "two executives approve it");
    assert_eq!(facts.people, Vec::<String>::new());
}

/// `000_…` §6.2, G1, "1 peer review": of a change that a machine applied and nobody named the author of.
#[test]
fn a_review_of_ones_own_is_none() {
    let mut world = enforced(Tier::T1, &["ui"]);
    world.deploy("shop:v2", GOOD);
    world.run(3);
    let lacks = |world: &World| missing(world).contains(&"peer-review".to_owned());
    let says = |world: &World| {
        let risk = world.seen.release.status.risk.as_ref().unwrap();
        risk.missing.iter().find(|line| line.starts_with("peer-review")).cloned().unwrap_or_default()
    };
    // One of two people is somebody else.
    attest(&mut world, "peer-review", "bob", &[("change-author", "mallory")]);
    world.run(3);
    assert!(lacks(&world), "{}", held(&world));
    assert!(says(&world).contains("who made the change is not known, so two people say it: bob ("), "{}", says(&world));
    attest(&mut world, "peer-review", "carl", &[]);
    world.run(3);
    assert!(!lacks(&world), "{}", says(&world));
    // It comes out that one of them made it: the other reviewed it.
    attest(&mut world, "build", PIPELINE, &[("change-author", "bob")]);
    world.run(3);
    assert!(!lacks(&world), "{}", says(&world));
    // And that both did.
    attest(&mut world, "lint", PIPELINE, &[("change-author", "bob, carl")]);
    world.run(3);
    assert!(lacks(&world) && says(&world).contains("does not count: "), "{}", says(&world));
    // The pipeline tells what the code host let pass.
    attest(&mut world, "peer-review", PIPELINE, &[]);
    world.run(3);
    assert!(!lacks(&world), "{}", says(&world));
}
