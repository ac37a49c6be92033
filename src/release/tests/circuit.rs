//! Circuit breakers of the administrator's.

use super::policy::budget;
use super::*;
use crate::release::snapshot::CircuitSeen;

fn says(world: &mut World, reading: Result<f64, &str>) {
    world.seen.circuits = vec![CircuitSeen {
        name: "payments".into(),
        above: 5.0,
        halts_fixes: false,
        note: "Runbook: payments".into(),
        reading: reading.map_err(str::to_owned),
    }];
}

fn message(world: &World, kind: &str) -> String {
    let all = &world.seen.release.status.conditions;
    all.iter().find(|one| one.kind == kind).map(|one| one.message.clone()).unwrap_or_default()
}

fn is_held(world: &World) -> bool {
    condition(world, "Held") == (Truth::True, "CircuitOpen".to_owned())
}

#[test]
fn it_stops_at_once_and_lets_go_on_when_it_closes() {
    let mut world = at_a_quarter();
    says(&mut world, Ok(7.0));
    world.run_until(60, is_held);
    let held = message(&world, "Held");
    for word in [
        "payments is open since",
        "7 above 5",
        "Runbook: payments.",
        "Not held against the new version",
        "then rolled back",
    ] {
        assert!(held.contains(word), "{held}");
    }
    let before = world.split();
    // The figure moves, and nothing is written for that.
    says(&mut world, Ok(70.0));
    world.run(60);
    assert_eq!((world.split(), message(&world, "Held")), (before, held));
    says(&mut world, Ok(5.0));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.status().circuits, []);
    for reason in ["CircuitOpened", "CircuitClosed"] {
        assert_eq!(world.trace.iter().filter(|line| line.contains(reason)).count(), 1, "{}", world.trace.join("\n"));
    }
}

#[test]
fn nothing_starts_while_it_is_open() {
    let mut world = World::new();
    says(&mut world, Ok(7.0));
    world.deploy("shop:v2", GOOD);
    world.run_until(30, is_held);
    world.run(30);
    assert!(world.seen.canary.is_none() && world.split() == Split::HOME, "{:?}", world.seen.canary);
    assert!(message(&world, "Held").contains("not started") && message(&world, "Held").contains("closed unreleased"));
}

#[test]
fn a_version_that_hurts_comes_back_whatever_it_says() {
    let mut world = at_a_quarter();
    says(&mut world, Ok(7.0));
    world.run_until(60, is_held);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(60, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate);
}

#[test]
fn what_is_not_known_neither_opens_nor_closes_and_is_told() {
    let mut world = at_a_quarter();
    says(&mut world, Err("connection refused"));
    world.run(1);
    assert_eq!(condition(&world, "CircuitOpen"), (Truth::Unknown, "NotKnown".to_owned()));
    assert!(message(&world, "CircuitOpen").contains("stays closed: connection refused"));
    says(&mut world, Ok(7.0));
    world.run_until(60, is_held);
    says(&mut world, Err("connection refused"));
    world.run(60);
    assert!(is_held(&world));
    assert!(
        message(&world, "CircuitOpen").contains("stays open: connection refused"),
        "{}",
        message(&world, "CircuitOpen")
    );
    says(&mut world, Ok(0.0));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_fix_goes_on_unless_the_breaker_says_otherwise() {
    let fix = || {
        let mut world = World::new();
        world.workload().change.kind = ChangeType::IncidentFix;
        world.workload().change_annotated = true;
        says(&mut world, Ok(7.0));
        world.deploy("shop:v2", GOOD);
        world
    };
    fix().run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
    let mut world = fix();
    world.seen.circuits[0].halts_fixes = true;
    world.run_until(30, is_held);
}

#[test]
fn it_stays_open_over_a_restart_and_a_hold_ends() {
    let mut world = at_a_quarter();
    says(&mut world, Ok(7.0));
    world.run_crashing(&[1, 0, 2, 0, 1, 2, 0, 1]);
    let since = world.status().circuits[0].since;
    world.run(30);
    assert_eq!(world.status().circuits[0].since, since);
    world.run_until(1_000, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
}

#[test]
fn a_verified_version_keeps_its_way_back_meanwhile_and_is_complete_in_the_end() {
    let mut world = in_verification();
    says(&mut world, Ok(7.0));
    world.run_until(200, is_held);
    assert!(world.seen.previous.is_some());
    assert!(message(&world, "Held").contains("complete all the same"), "{}", message(&world, "Held"));
    world.run_until(1_000, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn the_workload_is_not_let_go_while_it_is_open() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Promote));
    if world.workload().paused {
        says(&mut world, Ok(7.0));
        world.run_until(60, is_held);
        world.run(30);
        assert!(world.workload().paused, "{}", world.trace.join("\n"));
        world.seen.circuits.clear();
    }
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// Pods have `readyWithin` (60 s) to be ready; a breaker that is open for longer takes nothing of it away.
#[rstest]
#[case::before_a_weight(|world: &World| world.seen.record.is_some() && world.status().stage == 1)]
#[case::before_the_promotion(|world: &World| world.seen.record.is_some() && world.status().phase == Phase::Promote)]
fn the_time_to_be_ready_begins_when_it_closes(#[case] when: fn(&World) -> bool) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, 1_000, |world| when(world) && world.status().hold.is_none());
    says(&mut world, Ok(7.0));
    world.run_until(10, is_held);
    world.run(120);
    assert!(is_held(&world));
    says(&mut world, Ok(0.0));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// Whatever a version is held for, its own time to be ready is not spent: a budget that is gone, a route that cannot be divided.
#[rstest]
#[case::no_budget(|world: &mut World, away: bool| {
    if away { world.seen.budget = BudgetSeen::Missing } else { budget(world, BudgetStatus::Healthy, 90.0) }
}, "RiskBudgetMissing")]
#[case::odd_route(|world: &mut World, away: bool| {
    let odd = away.then(|| "rule 1 cannot be divided.".to_owned());
    world.seen.routes[0].state.as_mut().unwrap().odd = odd;
}, "RouteNotSplittable")]
#[case::two_sets(|world: &mut World, away: bool| {
    let stable = world.workload().sets[0].clone();
    let template = crate::release::world::pod_template("shop:v0");
    let other = crate::release::snapshot::ReplicaSetSeen { name: "other".into(), template, replicas: 1, existing: 1, available: 1, ..stable };
    world.workload().sets.retain(|set| set.name != "other");
    if away { world.workload().sets.push(other) }
}, "NotSettled")]
fn no_hold_takes_away_the_time_to_be_ready(#[case] set: fn(&mut World, bool), #[case] reason: &str) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, 1_000, |world| world.seen.record.is_some() && world.status().stage == 1);
    set(&mut world, true);
    world.run_until(10, |world| condition(world, "Held").1 == reason);
    // Longer than readyWithin.
    for _ in 0..100 {
        set(&mut world, true);
        world.run(1);
    }
    assert_eq!((condition(&world, "Held").1, world.outcome()), (reason.to_owned(), None));
    set(&mut world, false);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// The controller was away for longer than readyWithin when the stage before had just passed.
#[test]
fn a_controller_that_was_away_takes_nothing_of_the_time_to_be_ready() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, 1_000, |world| world.seen.record.is_some() && world.status().stage == 1);
    world.now = world.now.plus(Span::minutes(30));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// A breaker that opens and closes all the time lends no version more than its own time to be ready, all together.
#[test]
fn a_flapping_breaker_does_not_keep_what_is_never_ready_for_ever() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, 1_000, |world| world.seen.record.is_some() && world.status().stage == 1);
    let mut seconds = 0;
    while world.status().rollback.is_none() {
        says(&mut world, Ok(if seconds / 10 % 2 == 0 { 7.0 } else { 0.0 }));
        world.run(1);
        if let Some(deployment) = world.seen.canary.as_mut().and_then(|side| side.deployment.as_mut()) {
            deployment.available = deployment.available.min(1);
        }
        seconds += 1;
        assert!(seconds < 400, "{}", world.trace.join("\n"));
    }
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::NotReady);
    assert!(seconds > 100, "half of the time it was held: {seconds}");
}

/// A verified version waits for a breaker; Prometheus fails just before that wait is over, and answers again.
#[test]
fn a_failure_near_the_end_of_a_wait_brings_no_verified_version_back() {
    let mut world = in_verification();
    says(&mut world, Ok(7.0));
    world.run_until(200, is_held);
    let by = world.status().hold.as_ref().unwrap().deadline;
    while by.since(world.now) > Span::seconds(5) {
        world.run(1);
    }
    world.prometheus = false;
    world.run_until(30, |world| world.outcome().is_some());
    assert!(world.now >= by && world.outcome() == Some(Outcome::Succeeded), "{}", message(&world, "Held"));
    assert!(world.status().summary.contains("complete without"), "{}", world.status().summary);
}

/// Failures in between move the deadline of that wait nowhere, and it takes nothing over from them either.
#[test]
fn a_flapping_prometheus_does_not_prolong_the_wait_of_a_verified_version() {
    let mut world = in_verification();
    says(&mut world, Ok(7.0));
    world.run_until(200, is_held);
    let by = world.status().hold.as_ref().unwrap().deadline;
    for second in 0_u32.. {
        world.prometheus = second / 20 % 2 == 1;
        world.run(1);
        let hold = world.status().hold.clone();
        assert!(hold.is_none_or(|hold| hold.reason != "CircuitOpen" || hold.deadline == by));
        if world.now >= by {
            break;
        }
    }
    world.prometheus = true;
    world.run_until(30, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn pods_that_do_not_get_ready_then_come_back_all_the_same() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    step_until(&mut world, 1_000, |world| world.seen.record.is_some() && world.status().stage == 1);
    says(&mut world, Ok(7.0));
    world.run_until(10, is_held);
    world.run(120);
    // What grows from now on asks for more than the namespace has.
    world.seen.circuits.clear();
    let mut more = 0;
    while world.status().rollback.is_none() && more < 200 {
        world.run(1);
        if let Some(deployment) = world.seen.canary.as_mut().and_then(|side| side.deployment.as_mut()) {
            deployment.available = deployment.available.min(1);
        }
        more += 1;
    }
    assert_eq!(
        world.status().rollback.as_ref().map(|log| log.trigger),
        Some(Trigger::NotReady),
        "{}",
        world.trace.join("\n")
    );
}
