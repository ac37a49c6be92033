//! The service's error budget goes too fast while a release has users.

use super::*;
use crate::policy::burn::{Burn, PAIRS};
use crate::release::ask::Burning;

fn burns(world: &mut World, pair: usize) {
    let pair = PAIRS[pair];
    world.burning = Some(Burning { objective: "availability".into(), burn: Burn { pair, rate: pair.factor * 1.5 } });
}

/// Stable fails one request in a hundred, the contract allows five.
fn begin(new: f64) -> World {
    let mut world = World::new();
    world.seen.release.spec.rollback.error_rate_percent = crate::api::Percent::whole(5);
    let running = world.workload().revision.clone();
    world.behaviour.insert(running, Behaviour { errors: 0.01, ..GOOD });
    world.requests_per_second = 1_000.0;
    world.deploy("shop:v2", Behaviour { errors: new, ..GOOD });
    world.run_until(200, |world| world.split().weight(Carrier::Canary) == Weight::new(25).unwrap());
    world
}

fn held(world: &World) -> Option<String> {
    let held = world.seen.release.status.conditions.iter().find(|one| one.kind == "Held")?;
    (held.status == Truth::True).then(|| format!("{}: {}", held.reason, held.message))
}

#[test]
fn a_burn_that_the_new_version_explains_brings_it_back_below_its_limit() {
    let mut world = begin(0.04);
    burns(&mut world, 0);
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::BudgetBurn);
    for word in ["objective availability burns 21.6 times too fast over 1h", "4 % of its", "stable 1 % of"] {
        assert!(log.value.contains(word), "{log:?}");
    }
}

#[test]
fn a_burn_of_both_versions_holds_and_blames_nobody() {
    let mut world = begin(0.01);
    burns(&mut world, 1);
    world.run_until(100, |world| held(world).is_some());
    let message = held(&world).unwrap();
    for word in ["BudgetBurning", "6h", "Not held against the new version"] {
        assert!(message.contains(word), "{message}");
    }
    let before = world.split();
    world.run(30);
    assert_eq!(world.split(), before, "the weight stays");
    world.burning = None;
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_hold_for_a_burn_ends_with_its_deadline() {
    let mut world = begin(0.01);
    burns(&mut world, 0);
    world.run_until(600, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
}

#[test]
fn a_fix_goes_on_into_a_burn() {
    let mut world = World::new();
    world.workload().change.kind = ChangeType::IncidentFix;
    world.workload().change_annotated = true;
    burns(&mut world, 0);
    world.deploy("shop:v2", GOOD);
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_burn_that_opens_a_ticket_stops_nothing() {
    let mut world = begin(0.01);
    burns(&mut world, 2);
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}
