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

const AWAY: &str = "metrics source \"default\": HTTP 500";

/// What a condition says: its status, reason and message.
fn says(world: &World, kind: &str) -> Option<(Truth, String, String)> {
    let found = world.seen.release.status.conditions.iter().find(|one| one.kind == kind)?;
    Some((found.status, found.reason.clone(), found.message.clone()))
}

#[test]
fn a_burn_that_nobody_can_ask_for_any_more_is_held_as_before() {
    let mut world = begin(0.01);
    burns(&mut world, 0);
    world.run_until(100, |world| held(world).is_some());
    let (before, first) = (world.split(), held(&world).unwrap());
    let deadline = world.status().hold.as_ref().unwrap().deadline;
    world.burn_not_known = Some(AWAY.into());
    world.run(30);
    let message = held(&world).unwrap();
    for word in ["BudgetBurning", "burns 21.6 times too fast over 1h", "is not known: metrics source", "held as before"]
    {
        assert!(message.contains(word), "{message}");
    }
    let (truth, reason, told) = says(&world, "BudgetBurning").unwrap();
    assert_eq!((truth, reason.as_str()), (Truth::True, "Page"));
    assert!(told.contains("is not known, so it counts as before"), "{told}");
    assert_eq!((world.split(), world.status().hold.as_ref().unwrap().deadline), (before, deadline));
    // It is asked again, and still burns: the message says so again.
    world.burn_not_known = None;
    world.run(10);
    assert_eq!(held(&world).unwrap(), first);
    world.burning = None;
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(says(&world, "BudgetBurning"), None);
}

/// Prometheus goes away altogether, and comes back for the version before it does for the budget: nobody has seen the burn end.
#[test]
fn an_outage_of_prometheus_ends_no_burn() {
    let mut world = begin(0.01);
    burns(&mut world, 0);
    world.run_until(100, |world| held(world).is_some());
    let before = world.split();
    world.burn_not_known = Some(AWAY.into());
    world.prometheus = false;
    world.run_until(60, |world| held(world).is_some_and(|told| told.contains("MetricsUnreachable")));
    world.prometheus = true;
    world.run(30);
    assert!(held(&world).unwrap().contains("BudgetBurning"), "{:?}", held(&world));
    assert_eq!(world.split(), before);
    world.run_until(600, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
}

#[test]
fn without_a_burn_before_it_is_told_that_nobody_knows_and_the_version_decides() {
    let mut world = begin(0.01);
    world.burn_not_known = Some(AWAY.into());
    world.run_until(100, |world| says(world, "BudgetBurning").is_some());
    let (truth, reason, told) = says(&world, "BudgetBurning").unwrap();
    assert_eq!((truth, reason.as_str()), (Truth::Unknown, "NotKnown"));
    assert!(
        told.contains("is not known: metrics source") && told.contains("what is seen of the version decides"),
        "{told}"
    );
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
    let verdict = &world.status().stages.last().unwrap().verdict;
    assert!(verdict.contains("whether the error budget burns was not known"), "{verdict}");
}

#[test]
fn no_weight_rises_where_neither_the_burn_nor_the_version_is_known() {
    let mut world = begin(0.01);
    world.burn_not_known = Some(AWAY.into());
    world.prometheus = false;
    let before = world.split();
    world.run(60);
    assert_eq!(world.split(), before);
    assert!(held(&world).unwrap().contains("MetricsUnreachable"), "{:?}", held(&world));
}

#[test]
fn in_the_verification_too_a_burn_that_cannot_be_asked_for_is_waited_for() {
    let mut world = begin(0.01);
    world.run_until(600, |world| world.phase() == Some(Phase::Verify));
    burns(&mut world, 0);
    world.run_until(100, |world| held(world).is_some());
    world.burn_not_known = Some(AWAY.into());
    world.run(20);
    assert!(held(&world).unwrap().contains("held as before"), "{:?}", held(&world));
    world.run_until(1_000, |world| world.outcome() == Some(Outcome::Succeeded));
    let summary = &world.status().summary;
    assert!(summary.contains("objective availability burns") && summary.contains("is not known"), "{summary}");
}

#[test]
fn a_burn_that_opens_a_ticket_stops_nothing() {
    let mut world = begin(0.01);
    burns(&mut world, 2);
    world.run_until(100, |world| says(world, "BudgetBurning").is_some());
    let (truth, reason, told) = says(&world, "BudgetBurning").unwrap();
    assert_eq!((truth, reason.as_str()), (Truth::True, "Ticket"));
    assert_eq!(
        told,
        "Objective availability burns more than 3 times too fast over 1d and still over 2h, which opens a ticket. It holds nothing: it is for working hours."
    );
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// Nobody is left beside it: stable's usual hours of the day before is what it is held against.
#[test]
fn a_burn_while_it_is_verified_that_stables_day_does_not_explain_brings_the_version_back() {
    let mut world = begin(0.01);
    world.run_until(600, |world| world.phase() == Some(Phase::Verify));
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, Behaviour { errors: 0.04, ..GOOD });
    burns(&mut world, 0);
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::BudgetBurn);
    for word in ["4 % of its", "stable, which has no users any more, up to 1 % in a usual hour of the day before"] {
        assert!(log.value.contains(word), "{log:?}");
    }
}

#[test]
fn a_burn_while_it_is_verified_that_stables_day_had_too_blames_nobody() {
    let mut world = begin(0.01);
    world.run_until(600, |world| world.phase() == Some(Phase::Verify));
    burns(&mut world, 0);
    world.run(60);
    assert_eq!(world.phase(), Some(Phase::Verify));
    world.burning = None;
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// An objective of latency at 200 ms, and a version of which one request in ten takes longer; its contract allows ten times stable's latency.
fn begin_slow(compliance: bool) -> World {
    let mut world = World::new();
    world.requests_per_second = 1_000.0;
    world.seen.release.spec.rollback.latency_factor = Some(10.0);
    let slo =
        serde_json::json!({"name": "fast", "objective": 95, "latency": {"service": "checkout", "threshold": "200ms"}});
    world.seen.risk.as_mut().unwrap().objectives.slos = vec![serde_json::from_value(slo).unwrap()];
    if compliance {
        let rules = serde_json::json!({"window": "10s", "within": "10m"});
        world.seen.release.spec.analysis.slo_compliance = Some(serde_json::from_value(rules).unwrap());
    }
    world.deploy("shop:v2", SLOW);
    world.run_until(200, |world| world.split().weight(Carrier::Canary) > Weight::ZERO);
    burns(&mut world, 0);
    world.burning.as_mut().unwrap().objective = "fast".into();
    world
}

#[test]
fn a_burn_of_latency_is_explained_by_slow_requests() {
    let mut world = begin_slow(true);
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::BudgetBurn);
    assert!(
        log.value.contains("10 % of its") && log.value.contains("requests took more than 200 ms, stable 0 % of"),
        "{log:?}"
    );
}

#[test]
fn a_burn_of_latency_whose_slow_requests_nobody_asks_for_is_not_said_to_be_measured() {
    let mut world = begin_slow(false);
    world.run_until(100, |world| held(world).is_some());
    let message = held(&world).unwrap();
    assert!(message.contains("whose slow requests are not asked for beside stable's"), "{message}");
    assert!(!message.contains("no more often"), "{message}");
}
