//! Breaches that must last, and limits that are on trial.

use super::*;
use crate::api::watched::TrialLimit;

/// Stages long enough for some looks, one every two seconds, over a window of five.
fn begin(consecutive: u32) -> World {
    let mut world = World::new();
    world.seen.release.spec.rollback.consecutive = consecutive;
    world
}

fn turn(world: &mut World, behaviour: Behaviour) {
    let revision = world.seen.record.as_ref().unwrap().spec.revision.clone();
    world.behaviour.insert(revision, behaviour);
}

fn count(world: &World) -> u32 {
    world.status().streaks.first().map_or(0, |streak| streak.count)
}

fn at_five(world: &mut World, behaviour: Behaviour) {
    world.deploy("shop:v2", behaviour);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(5));
}

#[test]
fn a_breach_that_lasts_brings_it_back_and_one_check_is_one() {
    let mut world = begin(3);
    at_five(&mut world, BAD);
    world.run_until(30, |world| count(world) == 1);
    let first = world.now;
    world.run_until(30, |world| world.phase() == Some(Phase::Rollback));
    let took = world.now.since(first);
    assert!(took >= Span::seconds(10) && took <= Span::seconds(14), "three windows of five seconds took {took}");
    world.run_until(60, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::ErrorRate);
    assert_eq!(world.status().streaks, [], "a sealed record keeps nothing to go on with");
}

#[test]
fn a_breach_that_ends_brings_nothing_back() {
    let mut world = begin(5);
    at_five(&mut world, BAD);
    world.run_until(30, |world| count(world) == 2);
    turn(&mut world, GOOD);
    world.run_until(30, |world| count(world) == 0);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn nothing_is_raised_while_a_limit_is_breached() {
    let mut world = begin(100);
    at_five(&mut world, BAD);
    world.run_until(100, |world| condition(world, "Held") == (Truth::True, "LimitBreached".to_owned()));
    let held = world.seen.release.status.conditions.iter().find(|one| one.kind == "Held").unwrap().message.clone();
    assert!(held.contains("of 100 checks in a row") && !held.contains("Not held against"), "{held}");
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(5));
    // The hold ends as every hold does, though the breaches are not enough yet.
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
}

/// Four windows of five seconds bring it back, and two were counted before.
#[rstest]
#[case::short(8, 2)]
#[case::as_long_as_three_windows(20, 4)]
fn an_outage_of_prometheus_neither_counts_nor_begins_anew_unless_it_lasts(#[case] seconds: u32, #[case] more: u64) {
    let mut world = begin(4);
    at_five(&mut world, BAD);
    world.run_until(30, |world| count(world) == 2);
    world.prometheus = false;
    world.run(seconds);
    world.prometheus = true;
    let back = world.now;
    world.run_until(60, |world| world.phase() == Some(Phase::Rollback));
    let took = world.now.since(back);
    let least = Span::seconds(5 * (more - 1) - 3);
    assert!(took >= least && took <= Span::seconds(5 * more + 2), "{more} more were enough, and took {took}");
}

#[test]
fn a_controller_that_dies_counts_no_check_twice_and_forgets_none() {
    let mut world = begin(3);
    at_five(&mut world, BAD);
    let mut last = (0, world.now);
    for _ in 0..100 {
        if world.status().rollback.is_some() {
            break;
        }
        world.run_crashing(&[1, 0, 2]);
        let now = count(&world);
        if now > last.0 {
            assert!(
                now == last.0 + 1,
                "a check counts every five seconds, and three have passed: {last:?}, then {now}"
            );
            last = (now, world.now);
        }
    }
    assert!(world.status().rollback.is_some() || world.outcome().is_some());
}

#[test]
fn a_crash_is_not_waited_for() {
    let mut world = begin(100);
    at_five(&mut world, GOOD);
    turn(&mut world, CRASHING);
    world.run_until(5, |world| world.phase() == Some(Phase::Rollback));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::Crashed);
}

#[test]
fn a_limit_on_trial_is_told_once_and_the_version_is_released() {
    let mut world = begin(1);
    world.seen.release.spec.rollback.dry_run = vec![TrialLimit::Latency];
    world.deploy("shop:v2", SLOW);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    let told = world.status().would_have.clone();
    assert_eq!(told.iter().map(|one| one.trigger).collect::<Vec<_>>(), [Trigger::Latency]);
    assert!(told[0].value.contains("300 ms"), "{told:?}");
    let events = world.trace.iter().filter(|line| line.contains("WouldHaveRolledBack")).count();
    assert_eq!(events, 1, "{}", world.trace.join("\n"));
    assert_eq!(condition(&world, "WouldHaveRolledBack"), (Truth::True, "Latency".to_owned()));
}

#[test]
fn a_limit_on_trial_waits_for_so_many_breaches_too() {
    let mut world = begin(4);
    world.seen.release.spec.rollback.dry_run = vec![TrialLimit::Latency];
    at_five(&mut world, SLOW);
    world.run_until(20, |world| count(world) == 2);
    turn(&mut world, GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.status().would_have, []);
}

#[test]
fn what_is_on_trial_does_not_shield_from_what_decides() {
    let mut world = begin(1);
    world.seen.release.spec.rollback.dry_run = TrialLimit::ALL.to_vec();
    world.deploy("shop:v2", BAD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate);
}

#[test]
fn a_comparison_on_trial_tells_and_holds_nothing() {
    let mut world = begin(1);
    world.requests_per_second = 400.0;
    world.seen.release.spec.rollback.error_rate_percent = crate::api::Percent::whole(5);
    let rules = serde_json::json!({"interval": "5s", "undecidedFor": "2m", "dryRun": true});
    world.seen.release.spec.analysis.comparison = serde_json::from_value(rules).unwrap();
    let running = world.workload().revision.clone();
    world.behaviour.insert(running, Behaviour { errors: 0.001, ..GOOD });
    world.deploy("shop:v2", Behaviour { errors: 0.03, ..GOOD });
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.status().would_have[0].trigger, Trigger::ErrorRate);
    assert!(!world.trace.iter().any(|line| line.contains("TooLittleToCompare")), "{}", world.trace.join("\n"));
}
