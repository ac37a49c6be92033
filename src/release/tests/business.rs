//! A business metric that no stage shows by itself is found over all of them.

use serde_json::json;

use super::*;
use crate::api::{Percent, Span, Time};

/// What does not fail is an order; stable fails nothing. Six stages of 40 s at 200 requests/s, windows of 5 s, 10 % allowed.
fn begin() -> World {
    let mut world = World::new();
    world.requests_per_second = 200.0;
    let stages: Vec<_> =
        [20, 30, 40, 50, 60, 75].iter().map(|weight| json!({"weight": weight, "bake": "40s"})).collect();
    let stages = [stages, vec![json!({"weight": 100, "bake": "10s"})]].concat();
    let spec = &mut world.seen.release.spec;
    spec.strategy.stages = serde_json::from_value(json!(stages)).unwrap();
    spec.rollback.error_rate_percent = Percent::whole(60);
    spec.rollback.business = serde_json::from_value(json!({"name": "orders", "query": "q"})).unwrap();
    world
}

/// So many orders less than with stable.
fn fewer(share: f64) -> Behaviour {
    Behaviour { errors: share, ..GOOD }
}

#[test]
fn fifteen_percent_down_comes_back_before_everybody_has_it() {
    let mut world = begin();
    world.deploy("shop:v2", fewer(0.15));
    world.run_until(400, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::BusinessMetric);
    assert!(log.value.contains("orders 15 % below stable's since "), "{log:?}");
    assert!(world.status().stage >= 2, "no stage shows it by itself");
    assert!(world.status().business.is_none(), "a sealed record keeps nothing to go on with");
}

#[test]
fn what_is_within_the_limit_is_released() {
    let mut world = begin();
    world.deploy("shop:v2", fewer(0.05));
    world.run_until(800, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn on_trial_it_only_tells() {
    let mut world = begin();
    let trial = json!(["BusinessMetric"]);
    world.seen.release.spec.rollback.dry_run = serde_json::from_value(trial).unwrap();
    world.deploy("shop:v2", fewer(0.15));
    world.run_until(800, |world| world.outcome() == Some(Outcome::Succeeded));
    let told = &world.status().would_have;
    assert!(told.iter().any(|one| one.trigger == Trigger::BusinessMetric), "{told:?}");
}

/// Each second of a stage is counted once at most, and none between two stages.
#[test]
fn an_interval_is_counted_once_also_by_a_controller_that_dies() {
    let mut world = begin();
    world.deploy("shop:v2", GOOD);
    let mut last: (u32, Option<Time>) = (0, None);
    for _ in 0..400 {
        world.run_crashing(&[0, 1, 2]);
        if world.outcome().is_some() {
            break;
        }
        let status = world.status();
        let Some(tally) = &status.business else { continue };
        assert!(tally.intervals >= last.0 && tally.until >= last.1, "{tally:?} after {last:?}");
        if tally.intervals == last.0 {
            assert_eq!(tally.until, last.1);
        }
        let since = status.stages[0].started_at.unwrap();
        let most = tally.until.unwrap().since(since).as_secs_f64() / 5.0;
        assert!(f64::from(tally.intervals) <= most + 7.0, "{} of {most}", tally.intervals);
        last = (tally.intervals, tally.until);
    }
    assert!(last.0 > 10, "{last:?}");
}

#[test]
fn another_query_begins_anew_and_counts_nothing_twice() {
    let mut world = begin();
    world.deploy("shop:v2", GOOD);
    let counted = |world: &World| world.status().business.as_ref().map_or(0, |tally| tally.intervals);
    world.run_until(300, |world| counted(world) >= 5);
    let before = world.status().business.clone().unwrap();
    let other = json!({"name": "orders", "query": "another"});
    world.seen.release.spec.rollback.business = serde_json::from_value(other).unwrap();
    world.run_until(60, |world| counted(world) == 1);
    let after = world.status().business.clone().unwrap();
    assert!(after.until > before.until && after.rules != before.rules, "{after:?}");
}

/// A look comes when it comes, not when a window is just over.
#[test]
fn a_bake_of_two_windows_is_two_intervals_also_where_looks_come_late() {
    let mut world = begin();
    let analysis = &mut world.seen.release.spec.analysis;
    (analysis.window, analysis.interval) = (Span::seconds(20), Span::seconds(7));
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.status().stage == 1);
    assert_eq!(world.status().business.as_ref().map(|tally| tally.intervals), Some(2));
}
