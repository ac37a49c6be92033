//! The errors of both versions are compared, interval by interval.

use serde_json::json;

use super::*;
use crate::api::{Comparison, Percent};
use crate::release::ask::question;
use crate::release::world::Day;

fn rules(world: &mut World, rules: serde_json::Value) {
    world.seen.release.spec.analysis.comparison = Some(serde_json::from_value::<Comparison>(rules).unwrap());
}

/// A contract that allows 5 % errors, stable with so many, and a comparison in intervals of five seconds.
fn begin(stable: f64, per_second: f64) -> World {
    let mut world = World::new();
    world.requests_per_second = per_second;
    world.seen.release.spec.rollback.error_rate_percent = Percent::whole(5);
    world.seen.release.spec.analysis.min_requests = 1;
    rules(&mut world, json!({"interval": "5s", "undecidedFor": "2m"}));
    let running = world.workload().revision.clone();
    world.behaviour.insert(running, Behaviour { errors: stable, ..GOOD });
    world
}

fn with_errors(errors: f64) -> Behaviour {
    Behaviour { errors, ..GOOD }
}

fn verdicts(world: &World) -> Vec<&str> {
    world.status().stages.iter().map(|stage| stage.verdict.as_str()).collect()
}

#[test]
fn a_version_that_is_worse_than_stable_comes_back_though_it_keeps_its_limit() {
    let mut world = begin(0.001, 400.0);
    world.deploy("shop:v2", with_errors(0.03));
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::ErrorRate);
    for word in ["3 % of", "stable 0.1 % of"] {
        assert!(log.value.contains(word) || log.threshold.contains(word), "{log:?}");
    }
    assert!(world.status().comparison.is_none(), "a sealed record keeps nothing to go on with");
}

#[test]
fn a_version_that_is_slow_more_often_comes_back_where_latency_is_compared() {
    let mut world = begin(0.001, 400.0);
    world.seen.release.spec.rollback.latency_factor = Some(10.0);
    rules(&mut world, json!({"interval": "5s", "latency": [{"slowerThan": "200ms", "allowedPercent": 1}]}));
    world.deploy("shop:v2", SLOW);
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::Latency);
    assert!(log.value.contains("took more than 200 ms"), "{log:?}");
}

/// One request in ten takes more than 200 ms, with stable as well, and of the new version 3 % take two seconds: its p95 is as before.
#[rstest]
#[case::by_the_second_bound(json!([{"slowerThan": "200ms"}, {"slowerThan": "1s", "allowedPercent": 0.5}]), Outcome::RolledBack)]
#[case::not_by_the_first_alone(json!([{"slowerThan": "200ms"}]), Outcome::Succeeded)]
fn a_version_whose_tail_is_worse_comes_back(#[case] latency: serde_json::Value, #[case] outcome: Outcome) {
    let mut world = begin(0.0, 4_000.0);
    rules(&mut world, json!({"interval": "5s", "latency": latency}));
    let running = world.workload().revision.clone();
    world.behaviour.insert(running, SLOW);
    world.deploy("shop:v2", Behaviour { tail: 0.03, ..SLOW });
    world.run_until(900, |world| world.outcome() == Some(outcome));
    let Some(log) = world.status().rollback.clone() else { return };
    assert_eq!(log.trigger, Trigger::Latency);
    assert!(log.value.contains("requests took more than 1000 ms"), "{log:?}");
    let summary = &world.status().summary;
    assert!(summary.contains("took more than 1000 ms"), "{summary}");
}

#[test]
fn without_a_comparison_the_same_version_stays() {
    let mut world = begin(0.001, 400.0);
    world.seen.release.spec.analysis.comparison = None;
    world.deploy("shop:v2", with_errors(0.03));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_version_that_fails_as_often_as_stable_is_released_and_its_verdicts_say_so() {
    let mut world = begin(0.02, 400.0);
    world.deploy("shop:v2", with_errors(0.02));
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
    assert!(verdicts(&world).iter().any(|verdict| verdict.contains("not worse")), "{:?}", verdicts(&world));
}

#[test]
fn too_little_traffic_holds_tells_the_time_that_is_missing_and_brings_the_version_back() {
    let mut world = begin(0.001, 2.0);
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| condition(world, "Held").1 == "TooLittleToCompare");
    let held = world.seen.release.status.conditions.iter().find(|one| one.kind == "Held").unwrap();
    for word in ["needs about", "at 2 requests/s", "5 % of them to the new version", "brings it back"] {
        assert!(held.message.contains(word), "{}", held.message);
    }
    let before = world.split();
    world.run(60);
    assert_eq!(world.split(), before, "the weight stays");
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
}

#[test]
fn too_little_traffic_passes_on_the_limits_where_the_manifest_says_so_and_the_record_tells() {
    let mut world = begin(0.001, 2.0);
    rules(&mut world, json!({"interval": "5s", "undecidedFor": "2m", "whenUndecided": "PassOnLimits"}));
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| condition(world, "Held").1 == "TooLittleToCompare");
    world.run_until(1_500, |world| world.outcome() == Some(Outcome::Succeeded));
    assert!(verdicts(&world)[0].contains("passed on the limits alone"), "{:?}", verdicts(&world));
}

#[test]
fn nothing_is_held_where_no_time_is_given_for_it() {
    let mut world = begin(0.001, 2.0);
    rules(&mut world, json!({"interval": "5s", "undecidedFor": "0s", "whenUndecided": "PassOnLimits"}));
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| {
        assert_ne!(condition(world, "Held").1, "TooLittleToCompare");
        world.outcome() == Some(Outcome::Succeeded)
    });
}

/// While the version has users, in the stages and again in Verify, each second is counted once at most.
#[test]
fn an_interval_is_counted_once_also_by_a_controller_that_dies() {
    let mut world = begin(0.001, 400.0);
    world.deploy("shop:v2", GOOD);
    let mut last = (0, None);
    for _ in 0..200 {
        world.run_crashing(&[0, 1, 2]);
        if world.outcome().is_some() {
            break;
        }
        let Some(comparison) = &world.status().comparison else { continue };
        let tally = &comparison.errors.tally;
        assert!(tally.intervals >= last.0 && tally.until >= last.1, "{tally:?} after {last:?}");
        let since = world.status().stages[0].started_at.unwrap();
        let most = 400.0 * tally.until.map_or(0.0, |until| until.since(since).as_secs_f64());
        let counted = tally.all.requests + tally.all.base_requests;
        assert!(counted <= most + 1.0, "{counted} of {most} requests at most");
        last = (tally.intervals, tally.until);
    }
    assert!(last.0 > 2, "{last:?}");
}

#[test]
fn a_prometheus_that_is_away_when_stable_should_be_read_is_asked_again() {
    let mut world = begin(0.001, 400.0);
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Stage));
    world.prometheus = false;
    world.run_until(200, |world| world.phase() == Some(Phase::Release));
    world.run(20);
    assert!(world.status().comparison.is_none());
    assert_eq!(condition(&world, "Held").1, "MetricsUnreachable");
    world.prometheus = true;
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn half_an_answer_for_the_day_of_stable_is_asked_again_while_the_first_stage_bakes() {
    let mut world = begin(0.001, 400.0);
    world.day = Day::Half;
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.status().stages.first().is_some_and(|stage| stage.started_at.is_some()));
    world.run(5);
    assert!(world.status().comparison.is_none());
    world.day = Day::Known;
    world.run_until(600, |world| world.phase() == Some(Phase::Verify));
    assert!(world.status().comparison.as_ref().unwrap().errors.setup.base_rate.is_some());
    assert!(!verdicts(&world).join(" ").contains("not compared at 100 %"), "{:?}", verdicts(&world));
}

#[test]
fn where_the_day_stays_half_known_everybodys_stage_passes_and_its_verdict_says_so() {
    let mut world = begin(0.001, 400.0);
    world.day = Day::Half;
    world.deploy("shop:v2", GOOD);
    world.run_until(900, |world| world.phase() == Some(Phase::Verify));
    let last = verdicts(&world).last().copied().unwrap().to_owned();
    assert!(last.contains("not compared at 100 %: stable's day was not known"), "{:?}", verdicts(&world));
}

/// Prometheus answers for the present, and the range of a day takes it too long.
#[test]
fn a_day_that_takes_too_long_to_read_is_assumed_after_the_first_bake_and_a_worse_version_comes_back() {
    let mut world = begin(0.001, 400.0);
    world.day = Day::TooLong;
    world.deploy("shop:v2", with_errors(0.03));
    world.run_until(300, |world| world.status().stages.first().is_some_and(|stage| stage.started_at.is_some()));
    world.run(4);
    assert!(world.status().comparison.is_none());
    world.run_until(60, |world| world.status().comparison.is_some());
    assert_eq!(world.status().comparison.as_ref().unwrap().errors.setup.base_rate, None);
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate);
}

#[test]
fn a_day_of_slow_requests_that_takes_too_long_keeps_no_errors_from_being_counted() {
    let mut world = begin(0.001, 4_000.0);
    rules(&mut world, json!({"interval": "5s", "undecidedFor": "2m", "latency": [{"slowerThan": "500ms"}]}));
    world.day = Day::SlowTooLong;
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| {
        world.status().comparison.as_ref().is_some_and(|record| record.errors.tally.intervals > 0)
    });
    let record = world.status().comparison.clone().unwrap();
    assert!(record.errors.setup.base_rate.is_some() && record.slow.is_empty(), "{record:?}");
    world.run_until(60, |world| world.status().comparison.as_ref().is_some_and(|record| !record.slow.is_empty()));
    assert_eq!(world.status().stages[0].passed_at, None, "what is compared is known before the first stage passes");
    world.run_until(900, |world| world.phase() == Some(Phase::Verify));
    let slow = world.status().comparison.as_ref().and_then(|record| record.slow.first()).unwrap();
    assert!(slow.signal.tally.intervals > 0 && slow.signal.setup.base_rate.is_none(), "{slow:?}");
    let last = verdicts(&world).last().copied().unwrap().to_owned();
    assert!(last.contains("slow requests (500ms) not compared at 100 %: stable's day of them was not known"), "{last}");
}

/// Nothing makes a store read as much: 60 looks of a first bake time, and as many after it.
#[test]
fn a_day_that_takes_too_long_to_read_is_not_asked_for_at_each_look() {
    let mut world = begin(0.001, 400.0);
    world.day = Day::TooLong;
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.status().stages.first().is_some_and(|stage| stage.started_at.is_some()));
    let status = world.seen.record.as_mut().unwrap().status.as_mut().unwrap();
    status.stages[0].spec.bake = Span::minutes(15);
    let started = status.stages[0].started_at.unwrap();
    world.seen.release.spec.analysis.interval = Span::seconds(15);
    let asked = |from: Span| {
        let looks = (0..60).map(|look| started.plus(from).plus(Span::seconds(15 * look)));
        looks.filter(|now| question(&world.seen, *now).unwrap().compare.is_some()).count()
    };
    assert_eq!([asked(Span::ZERO), asked(Span::minutes(15))], [7, 7]);
}

/// Probes and callers that go past the route stay with an arm that has no users; they are faster than any user.
#[test]
fn who_has_no_users_is_no_measure_for_a_version_that_has_everybody() {
    let mut world = begin(0.0, 400.0);
    world.seen.release.spec.analysis.comparison = None;
    world.seen.release.spec.rollback.latency_factor = Some(2.0);
    let stable = world.workload().revision.clone();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.split().weight(Carrier::Canary) == Weight::FULL);
    world.aside_per_second = 10.0;
    world.behaviour.insert(stable, Behaviour { latency: GOOD.latency / 10.0, ..GOOD });
    world.run_until(900, |world| world.outcome().is_some());
    assert_eq!(world.outcome(), Some(Outcome::Succeeded));
}

#[test]
fn a_version_that_turns_worse_while_it_is_verified_comes_back() {
    let mut world = begin(0.001, 400.0);
    world.deploy("shop:v2", GOOD);
    world.run_until(600, |world| world.phase() == Some(Phase::Verify));
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, with_errors(0.04));
    world.run_until(600, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert!(log.value.contains("in a usual hour of the day before") || log.threshold.contains("hour"), "{log:?}");
}

/// 18 intervals are planned; who has to agree takes more than five times as long.
#[test]
fn a_version_that_turns_worse_while_it_waits_long_beyond_its_plan_comes_back_soon() {
    let mut world = begin(0.001, 4_000.0);
    world.deploy("shop:v2", with_errors(0.001));
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    super::policy::budget(&mut world, crate::api::BudgetStatus::Warning, 42.0);
    world.run(8 * 60);
    assert_eq!(condition(&world, "Held").1, "ApprovalMissing");
    let record = world.status().comparison.as_ref().unwrap().errors.clone();
    assert!(record.tally.intervals > 5 * record.setup.horizon.get(), "{record:?}");
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, with_errors(0.03));
    let turned = world.now;
    world.run_until(300, |world| world.status().rollback.is_some());
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate);
    let took = world.now.since(turned);
    assert!(took <= Span::seconds(6 * 5), "six intervals, and it took {took}");
}

#[rstest]
#[case::deployment("Deployment")]
#[case::stateful_set("StatefulSet")]
fn without_a_route_both_versions_are_compared_as_well(#[case] kind: &str) {
    let mut world = World::by_count(kind);
    world.requests_per_second = 4_000.0;
    world.seen.release.spec.rollback.error_rate_percent = Percent::whole(5);
    rules(&mut world, json!({"interval": "5s", "undecidedFor": "2m"}));
    world.deploy("shop:v2", GOOD);
    world.run_until(900, |world| world.status().stages.first().is_some_and(|stage| stage.passed_at.is_some()));
    assert!(verdicts(&world)[0].contains("not worse"), "{:?}", verdicts(&world));
}
