//! Stories of the start by hand: a person starts one attempt of one revision.

use super::policy::{approve, attest, budget, change, held};
use super::*;
use crate::api::Severity;
use crate::policy::Role;

const DIGEST: &str = "sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// A P0 fix in Critical that all have agreed to and nobody has started.
fn waits_for_its_start(behaviour: Behaviour) -> World {
    let mut world = World::new();
    budget(&mut world, BudgetStatus::Critical, 18.0);
    change(&mut world, ChangeType::IncidentFix, Some(Severity::P0));
    world.workload().changed_by = "bob".into();
    world.deploy(&format!("shop@{DIGEST}"), behaviour);
    world.run(3);
    approve(&mut world, Role::Sre, "sam");
    approve(&mut world, Role::VpEngineering, "vera");
    world.run(3);
    assert!(held(&world).starts_with("ManualStart"), "{}", held(&world));
    world
}

/// The same image runs with any configuration.
#[test]
fn a_start_speaks_of_no_image() {
    let mut world = waits_for_its_start(GOOD);
    attest(&mut world, "start", "sam", &[]);
    world.seen.attestations.last_mut().unwrap().spec.revision = DIGEST.to_owned();
    world.run(3);
    assert!(held(&world).starts_with("ManualStart"), "{}", held(&world));
    attest(&mut world, "start", "sam", &[]);
    world.run_until(30, |world| world.phase() == Some(Phase::Stage));
}

/// Who started the first attempt did not know how it would end.
#[test]
fn what_came_back_is_started_anew() {
    let mut world = waits_for_its_start(BAD);
    attest(&mut world, "start", "sam", &[]);
    world.run_until(4_000, |world| world.outcome() == Some(Outcome::RolledBack));
    let attempts = world.seen.release.status.attempts;
    world.run(5);
    world.retry("1");
    world.run(5);
    assert_eq!(world.seen.release.status.attempts, attempts + 1);
    let why = held(&world);
    assert!(why.starts_with("ManualStart") && why.contains("a person starts it (the start of sam ("), "{why}");
    assert!(why.contains("is from before this attempt began, "), "{why}");
    attest(&mut world, "start", "sam", &[]);
    world.run_until(30, |world| world.phase() == Some(Phase::Stage));
}
