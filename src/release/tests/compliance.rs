//! The objectives must have been met for a while before everybody gets the new version.

use super::*;
use serde_json::json;

/// 99.9 % of the requests are to succeed over 40 s; stages of 10 s at 5 % and 25 %.
fn begin(within: &str) -> World {
    let mut world = World::new();
    world.requests_per_second = 1_000.0;
    world.seen.release.spec.rollback.error_rate_percent = crate::api::Percent::whole(10);
    let rules = json!({"window": "40s", "within": within});
    world.seen.release.spec.analysis.slo_compliance = Some(serde_json::from_value(rules).unwrap());
    world
}

fn is_held(world: &World) -> bool {
    condition(world, "Held") == (Truth::True, "SloNotSustained".to_owned())
}

fn message(world: &World) -> String {
    let held = world.seen.release.status.conditions.iter().find(|one| one.kind == "Held").unwrap();
    held.message.clone()
}

fn turn(world: &mut World, behaviour: Behaviour) {
    let revision = world.seen.record.as_ref().unwrap().spec.revision.clone();
    world.behaviour.insert(revision, behaviour);
}

#[test]
fn the_stages_before_count_and_the_last_one_waits_for_the_rest() {
    let mut world = begin("2m");
    world.deploy("shop:v2", GOOD);
    world.run_until(100, is_held);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    let first = world.status().stages[0].started_at.unwrap();
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::FULL);
    let took = world.now.since(first);
    assert!(took >= Span::seconds(40) && took <= Span::seconds(56), "after {took}");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert!(world.status().stages[1].verdict.contains("objectives met over 40s"), "{:?}", world.status().stages);
    assert!(world.status().complies.is_none(), "a sealed record keeps nothing to go on with");
}

#[test]
fn a_miss_counts_until_it_is_long_enough_ago_and_is_named() {
    let mut world = begin("5m");
    world.deploy("shop:v2", GOOD);
    world.run_until(100, is_held);
    turn(&mut world, Behaviour { errors: 0.08, ..GOOD });
    world.run(6);
    turn(&mut world, GOOD);
    let over = world.now;
    world.run_until(100, |world| message(world).contains("it has not (availability: "));
    world.run_until(200, |world| world.split().weight(Carrier::Canary) == Weight::FULL);
    let took = world.now.since(over);
    assert!(took >= Span::seconds(28) && took <= Span::seconds(60), "after {took}");
}

#[test]
fn a_version_that_misses_them_for_good_comes_back_at_the_end_of_its_hold() {
    let mut world = begin("1m");
    world.deploy("shop:v2", Behaviour { errors: 0.02, ..GOOD });
    world.run_until(100, is_held);
    assert!(message(&world).contains("then rolled back"), "{}", message(&world));
    world.run_until(200, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
}

#[test]
fn time_in_which_it_is_not_known_does_not_count() {
    let mut world = begin("5m");
    world.deploy("shop:v2", GOOD);
    world.run_until(100, is_held);
    let first = world.status().stages[0].started_at.unwrap();
    world.prometheus = false;
    world.run(30);
    world.prometheus = true;
    world.run_until(200, |world| world.split().weight(Carrier::Canary) == Weight::FULL);
    let took = world.now.since(first);
    // 30 s away, of which the window of 5 s before and after sees some.
    assert!(took >= Span::seconds(62) && took <= Span::seconds(90), "after {took}");
}

#[test]
fn slow_requests_count_by_a_latency_objective() {
    let mut world = begin("1m");
    world.seen.release.spec.rollback.latency_factor = Some(10.0);
    let slos = json!([{"name": "fast", "objective": 95, "latency": {"service": "checkout", "threshold": "200ms"}}]);
    world.seen.risk.as_mut().unwrap().objectives.slos = serde_json::from_value(slos).unwrap();
    world.deploy("shop:v2", SLOW);
    world.run_until(100, |world| is_held(world) && message(world).contains("fast: 10 % of"));
    assert!(message(&world).contains("took more than 200 ms"), "{}", message(&world));
}

#[test]
fn a_fix_goes_on_and_so_does_what_is_not_asked() {
    let mut world = begin("1m");
    world.workload().change.kind = ChangeType::IncidentFix;
    world.workload().change_annotated = true;
    world.deploy("shop:v2", Behaviour { errors: 0.02, ..GOOD });
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    let mut world = begin("1m");
    world.seen.release.spec.analysis.slo_compliance = None;
    world.deploy("shop:v2", Behaviour { errors: 0.02, ..GOOD });
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert!(world.status().complies.is_none());
}

#[test]
fn without_an_objective_it_is_told_that_nothing_is_known() {
    let mut world = begin("1m");
    world.seen.risk.as_mut().unwrap().objectives.slos.clear();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, is_held);
    assert!(message(&world).contains("no objective of this Service"), "{}", message(&world));
}

#[test]
fn a_controller_that_dies_goes_on_where_it_was() {
    let mut world = begin("5m");
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.phase() == Some(Phase::Release));
    let mut last = None;
    for _ in 0..40 {
        world.run_crashing(&[1, 0, 2]);
        let until = world.status().complies.as_ref().and_then(|sums| Some(sums.parts.last()?.until));
        assert!(until >= last || until.is_none(), "{until:?} after {last:?}");
        last = until.or(last);
        if world.split().weight(Carrier::Canary) == Weight::FULL {
            break;
        }
    }
    let first = world.status().stages[0].started_at.unwrap();
    assert!(world.now.since(first) >= Span::seconds(40));
}
