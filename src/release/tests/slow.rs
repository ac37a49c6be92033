//! Stories of slow requests that are not known: nothing of them is lost, nothing passes without them, and nobody is blamed.

use serde_json::json;

use super::*;
use crate::analysis::compare::{Signals, Tally};
use crate::api::{Comparison, SlowRecord};

const THRESHOLD: Span = Span::from_millis(500);
const TAIL: Span = Span::seconds(1);

fn rules(world: &mut World, latency: serde_json::Value, dry_run: bool) {
    let rules = json!({"interval": "5s", "undecidedFor": "2m", "latency": latency, "dryRun": dry_run});
    world.seen.release.spec.analysis.comparison = Some(serde_json::from_value::<Comparison>(rules).unwrap());
}

/// A good version in its first stage of a minute, compared in intervals of five seconds by slow requests too.
fn begin(dry_run: bool) -> World {
    begin_with(json!([{"slowerThan": "500ms"}]), dry_run)
}

fn begin_with(latency: serde_json::Value, dry_run: bool) -> World {
    let mut world = World::new();
    world.requests_per_second = 4_000.0;
    world.seen.release.spec.analysis.min_requests = 1;
    world.seen.release.spec.strategy.stages.as_mut().unwrap()[0].bake = Span::minutes(1);
    rules(&mut world, latency, dry_run);
    world.deploy("shop:v2", GOOD);
    world
}

fn slow(world: &World) -> Option<&SlowRecord> {
    world.status().comparison.as_ref()?.slow.first()
}

/// What is counted by a bound.
fn tally(world: &World, bound: Span) -> Option<&Tally> {
    let slow = &world.status().comparison.as_ref()?.slow;
    slow.iter().find(|slow| slow.slower_than == bound).map(|slow| &slow.signal.tally)
}

/// What is counted by failed and by slow requests.
fn tallies(world: &World) -> Option<(&Tally, &Tally)> {
    Some((&world.status().comparison.as_ref()?.errors.tally, &slow(world)?.signal.tally))
}

fn held(world: &World) -> String {
    let conditions = &world.seen.release.status.conditions;
    conditions.iter().find(|one| one.kind == "Held").map(|held| held.message.clone()).unwrap_or_default()
}

#[test]
fn an_interval_whose_slow_requests_were_not_known_is_asked_for_again() {
    let mut world = begin(false);
    world.run_until(100, |world| slow(world).is_some_and(|slow| slow.signal.tally.intervals > 0));
    world.no_bucket = vec![THRESHOLD];
    let before = tallies(&world).map(|(errors, slow)| (errors.intervals, slow.clone())).unwrap();
    world.run(14);
    let (errors, missed) = tallies(&world).unwrap();
    assert!(errors.intervals >= before.0 + 2, "failed requests are counted meanwhile: {errors:?}");
    assert_eq!(*missed, before.1);
    world.no_bucket.clear();
    world.run(8);
    let (errors, slow) = tallies(&world).unwrap();
    assert_eq!((slow.until, slow.all.requests), (errors.until, errors.all.requests), "nothing is lost");
    assert!(slow.intervals < errors.intervals, "in one longer interval");
}

/// Answers come and go by chance, and the controller dies at any moment.
#[rstest]
fn slow_requests_are_counted_once_and_none_is_lost(#[values(1, 2, 3)] seed: u64) {
    let mut world = begin(false);
    let mut chance = fastrand::Rng::with_seed(seed);
    world.run_until(100, |world| slow(world).is_some());
    let mut last = None;
    for _ in 0..15 {
        world.no_bucket = chance.bool().then_some(THRESHOLD).into_iter().collect();
        world.run_crashing(&[chance.usize(0..4), chance.usize(0..4)]);
        let (errors, slow) = tallies(&world).unwrap();
        assert!(slow.until >= last && slow.until <= errors.until, "{slow:?} beside {errors:?} after {last:?}");
        assert!(slow.all.requests <= errors.all.requests, "{slow:?} beside {errors:?}");
        last = slow.until;
    }
    world.no_bucket.clear();
    world.run(8);
    let (errors, slow) = tallies(&world).unwrap();
    assert_eq!((slow.until, slow.all), (errors.until, errors.all));
}

#[test]
fn a_missing_bucket_holds_the_stage_is_named_and_is_no_verdict_on_the_version() {
    let mut world = begin(false);
    world.no_bucket = vec![THRESHOLD];
    world.run_until(60, |world| condition(world, "Held").1 == "NoEvidence");
    for word in ["`slowerThan: 500ms` wants a bucket `le=\"0.5\"`", "took more than 500 ms", "latency[].slowerThan"] {
        assert!(held(&world).contains(word), "{}", held(&world));
    }
    let before = world.split();
    world.run(90);
    assert_eq!((world.split(), world.status().stage), (before, 0), "the weight stays, also when the bake time is over");
    world.run_until(120, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
}

#[rstest]
#[case::a_bound_that_there_is(json!([{"slowerThan": "300ms"}]))]
#[case::no_latency(json!([]))]
fn what_was_never_counted_may_be_corrected_in_the_manifest(#[case] latency: serde_json::Value) {
    let mut world = begin(false);
    world.no_bucket = vec![THRESHOLD];
    world.run_until(60, |world| condition(world, "Held").1 == "NoEvidence");
    let compared = latency != json!([]);
    rules(&mut world, latency, false);
    world.run_until(200, |world| world.status().stages[0].passed_at.is_some());
    assert_eq!(slow(&world).map(|slow| slow.slower_than), compared.then_some(Span::from_millis(300)));
    let verdict = &world.status().stages[0].verdict;
    assert_eq!(verdict.contains("requests took"), compared, "{verdict}");
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_comparison_on_trial_holds_nothing_for_a_bucket_that_is_missing() {
    let mut world = begin(true);
    world.no_bucket = vec![THRESHOLD];
    world.run_until(600, |world| {
        assert_ne!(condition(world, "Held").1, "NoEvidence");
        world.outcome() == Some(Outcome::Succeeded)
    });
}

/// By two bounds, one of which no bucket has: it is named and holds the stage, and by the other all is counted meanwhile.
#[test]
fn a_missing_bucket_is_named_and_the_other_bound_is_counted_on() {
    let mut world = begin_with(json!([{"slowerThan": "500ms"}, {"slowerThan": "1s", "allowedPercent": 0.5}]), false);
    world.no_bucket = vec![TAIL];
    world.run_until(60, |world| condition(world, "Held").1 == "NoEvidence");
    assert!(held(&world).contains("`slowerThan: 1s` wants a bucket `le=\"1\"`"), "{}", held(&world));
    assert!(!held(&world).contains("500ms"), "{}", held(&world));
    world.run(10);
    let errors = &world.status().comparison.as_ref().unwrap().errors.tally;
    let (there, missing) = (tally(&world, THRESHOLD).unwrap(), tally(&world, TAIL).unwrap());
    assert_eq!((there.until, there.all.requests), (errors.until, errors.all.requests));
    assert_eq!((missing.intervals, world.status().stage), (0, 0));
    // One that there is takes its place, with its share of the chance.
    rules(&mut world, json!([{"slowerThan": "500ms"}, {"slowerThan": "300ms"}]), false);
    world.run_until(200, |world| world.status().stages[0].passed_at.is_some());
    let record = world.status().comparison.clone().unwrap();
    assert_eq!(record.slow.iter().map(|slow| slow.slower_than).max(), Some(THRESHOLD));
    assert!(record.signals().all(|signal| signal.tally.intervals > 0), "{record:?}");
    assert!(record.signals().all(|signal| signal.setup.signals == Signals::errors_and(2)), "{record:?}");
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn buckets_that_are_missing_are_named_together() {
    let mut world = begin_with(json!([{"slowerThan": "500ms"}, {"slowerThan": "1s"}]), false);
    world.run_until(100, |world| tally(world, TAIL).is_some_and(|tally| tally.intervals > 0));
    world.no_bucket = vec![THRESHOLD, TAIL];
    world.run_until(60, |world| condition(world, "Held").1 == "NoEvidence");
    for word in ["`slowerThan: 500ms` wants", "`slowerThan: 1s` wants", "Give the histogram that bucket back"] {
        assert!(held(&world).contains(word), "{}", held(&world));
    }
}

/// The chance is divided when the first interval is counted: a bound more would have none.
#[test]
fn a_bound_that_is_named_later_waits_for_the_next_attempt() {
    let mut world = begin(false);
    world.run_until(100, |world| slow(world).is_some_and(|slow| slow.signal.tally.intervals > 0));
    rules(&mut world, json!([{"slowerThan": "500ms"}, {"slowerThan": "1s"}]), false);
    world.run_until(600, |world| {
        assert_eq!(tally(world, TAIL), None);
        world.outcome() == Some(Outcome::Succeeded)
    });
}
