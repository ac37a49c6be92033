//! Stories of releases that are held before any user meets them: they cost nothing, whatever becomes of them.

use super::policy::{enforced, held, waive};
use super::*;
use crate::policy::obligation::RecordFacts;
use crate::policy::requirement::CATALOGUE;
use crate::release::action::Action;

/// A release in G3 that must show nothing but that somebody watches it, and that nobody watches.
fn unwatched() -> World {
    let mut world = enforced(crate::policy::Tier::T3, &["authentication"]);
    let watch = ["on-call-presence", "on-call-validation"];
    for entry in CATALOGUE.iter().filter(|entry| !watch.contains(&entry.name)) {
        waive(&mut world, entry.name);
    }
    world.deploy("shop:v2", GOOD);
    world.run(30);
    assert!(held(&world).starts_with("OnCallMissing"), "{}", held(&world));
    assert_eq!(world.split().weight(Carrier::Canary), Weight::ZERO);
    world
}

/// Whether the ledger gave a number to anything, and whether the record says a charge or people owe a word about it.
fn cost(world: &World) -> (u64, bool, bool) {
    let record = world.seen.record.as_ref().unwrap();
    let owes = RecordFacts::of(&record.name, &record.spec, world.status()).is_some();
    (world.seen.risk.as_ref().unwrap().ledger.sequence, world.status().charge.is_some(), owes)
}

const NOTHING: (u64, bool, bool) = (0, false, false);

#[test]
fn one_that_nobody_watches_until_it_expires_costs_nothing() {
    let mut world = unwatched();
    assert_eq!(cost(&world), NOTHING);
    world.run_until(1_000, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
    assert_eq!(cost(&world), NOTHING, "{}", world.trace.join("\n"));
    let risk = world.seen.risk.as_ref().unwrap();
    assert_eq!(risk.budget.as_ref().unwrap().consumed, 0);
}

#[test]
fn one_that_is_replaced_while_nobody_watches_it_costs_nothing() {
    let mut world = unwatched();
    let first = world.seen.record.as_ref().unwrap().name.clone();
    world.deploy("shop:v3", GOOD);
    step_until(&mut world, 300, |world| world.outcome() == Some(Outcome::Superseded));
    assert_eq!(world.seen.record.as_ref().unwrap().name, first);
    assert_eq!(cost(&world), NOTHING, "{}", world.trace.join("\n"));
}

/// A release by routes, or by the number of its pods.
fn made(kind: Option<&str>) -> World {
    let mut world = kind.map_or_else(World::new, World::by_count);
    world.deploy("shop:v2", GOOD);
    world
}

/// Whatever holds it: here what is left of the error budget is not known any more.
#[rstest]
fn a_hold_before_the_first_users_is_not_charged_and_what_goes_on_is_once(
    #[values(None, Some("Deployment"), Some("StatefulSet"))] kind: Option<&str>,
) {
    let mut world = made(kind);
    let known = world.seen.budget.clone();
    step_until(&mut world, 100, |world| world.phase() == Some(Phase::Stage));
    world.seen.budget = BudgetSeen::Unmeasured("Prometheus is down".into());
    world.run(30);
    assert!(held(&world).starts_with("BudgetUnknown"), "{}\n{}", held(&world), world.trace.join("\n"));
    assert_eq!((world.phase(), cost(&world)), (Some(Phase::Release), NOTHING));
    world.seen.budget = known;
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(cost(&world), (1, true, false), "{}", world.trace.join("\n"));
}

/// The controller dies as soon as the charge has its number.
fn numbered(kind: Option<&str>) -> World {
    let mut world = made(kind);
    step_until(&mut world, 100, |world| world.phase() == Some(Phase::Release));
    for _ in 0..100 {
        let writes = world.look(Some(0)).actions;
        if matches!(writes.first(), Some(Action::WriteLedger { .. })) {
            world.look(Some(1));
            assert_eq!(cost(&world), (1, false, false));
            return world;
        }
        if world.look(None).actions.is_empty() {
            world.run(1);
        }
        world.settle();
    }
    panic!("never charged; {}", world.trace.join("\n"));
}

/// The number and the weight are in one plan, the number first: whoever dies between them raises later, and charges nothing again.
#[rstest]
fn who_dies_after_the_number_raises_later_and_charges_once(
    #[values(None, Some("Deployment"), Some("StatefulSet"))] kind: Option<&str>,
) {
    let mut world = numbered(kind);
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(cost(&world), (1, true, false), "{}", world.trace.join("\n"));
}

/// A number that was given is never taken back: it stands in the record whatever comes next, or its record would be missed and
/// somebody looked for who had deleted it.
#[test]
fn a_number_stands_in_its_record_although_the_release_is_held_then() {
    let mut world = numbered(None);
    world.seen.budget = BudgetSeen::Unmeasured("Prometheus is down".into());
    world.run(5);
    assert!(held(&world).starts_with("BudgetUnknown"), "{}", held(&world));
    assert_eq!(cost(&world), (1, true, false));
}

#[rstest]
fn a_number_stands_in_its_record_although_its_gated_release_is_deleted_then(
    #[values(None, Some("Deployment"), Some("StatefulSet"))] kind: Option<&str>,
) {
    let mut world = numbered(kind);
    world.seen.release.deleting = true;
    world.run_until(60, |world| world.outcome().is_some());
    let sequence = world.status().charge.as_ref().map(|charge| charge.sequence);
    assert_eq!(sequence, Some(1), "{}", world.trace.join("\n"));
}
