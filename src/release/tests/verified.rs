//! What brings a version back that everybody has.

use super::*;

fn turn(world: &mut World, behaviour: Behaviour) {
    let revision = world.seen.record.as_ref().unwrap().spec.revision.clone();
    world.behaviour.insert(revision, behaviour);
}

#[test]
fn a_version_that_crashes_in_the_workload_comes_back() {
    let mut world = in_verification();
    turn(&mut world, CRASHING);
    world.run_until(60, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::Crashed);
    assert!(log.value.contains("CrashLoopBackOff"), "{log:?}");
    assert_eq!(world.split(), Split::previous(Weight::FULL));
}

/// Nothing is compared, and no window holds more than one request.
#[test]
fn a_version_that_fails_every_request_comes_back_where_there_is_one_a_minute() {
    let mut world = World::new();
    world.seen.release.spec.strategy.verify = Some(Span::hours(1));
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    world.requests_per_second = 1.0 / 60.0;
    turn(&mut world, Behaviour { errors: 1.0, ..GOOD });
    let since = world.now;
    world.run_until(600, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::ErrorRate);
    assert_eq!(log.value, "100 % of 5 requests");
    let took = world.now.since(since);
    assert!(took <= Span::minutes(7), "after {took}");
}

/// One interval in which every request failed, however many: a moment is no version.
#[test]
fn a_moment_of_failures_at_little_traffic_brings_nothing_back() {
    let mut world = World::new();
    world.seen.release.spec.strategy.verify = Some(Span::minutes(20));
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    world.requests_per_second = 1.0 / 60.0;
    turn(&mut world, Behaviour { errors: 1.0, ..GOOD });
    world.run(100);
    turn(&mut world, GOOD);
    let counted = |world: &World| world.status().comparison.as_ref().and_then(|record| record.course);
    world.run_until(1_200, |world| counted(world).is_some_and(|course| course.intervals >= 12));
    assert!(world.status().rollback.is_none());
}
