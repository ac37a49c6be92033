//! What happens at the very end of a stage is seen before the next weight, however late it is scraped.

use super::*;
use crate::api::{Comparison, Percent};
use serde_json::json;

/// Stages of a minute, scraped every 15 s, `apart` seconds from the beginning of a minute.
fn begin(apart: u32) -> World {
    let mut world = World::new();
    let stages = json!([{"weight": 5, "bake": "1m"}, {"weight": 25, "bake": "1m"}, {"weight": 100, "bake": "1m"}]);
    world.seen.release.spec.strategy.stages = serde_json::from_value(stages).unwrap();
    world.seen.release.spec.analysis.window = Span::seconds(40);
    world.seen.release.spec.strategy.hand_back = Span::seconds(40);
    world.scrape_every(Span::seconds(15));
    world.run(60 + apart);
    world
}

/// When the stage that goes on has baked.
fn end_of_stage(world: &World, stage: usize) -> Option<crate::api::Time> {
    let status = world.seen.record.as_ref()?.status.as_ref()?;
    let stage = status.stages.get(stage)?;
    Some(stage.started_at?.plus(stage.spec.bake))
}

/// The version turns bad so many seconds before its first stage ends.
#[rstest]
fn a_regression_in_the_last_moments_of_a_stage_is_seen_before_the_next_weight(
    #[values(0, 2, 4, 6, 8, 10, 12, 14)] apart: u32,
    #[values(1, 7, 14)] before: u64,
) {
    let mut world = begin(apart);
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| {
        end_of_stage(world, 0).is_some_and(|end| end.since(world.now) <= Span::seconds(before))
    });
    let revision = world.seen.record.as_ref().unwrap().spec.revision.clone();
    world.behaviour.insert(revision, Behaviour { errors: 0.5, ..GOOD });
    world.run_until(200, |world| {
        assert!(world.split().weight(Carrier::Canary) <= Weight::whole(5), "{}", world.trace.join("\n"));
        world.outcome() == Some(Outcome::RolledBack)
    });
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate);
}

#[test]
fn a_good_version_waits_for_two_scrapes_and_no_longer() {
    let mut world = begin(3);
    world.deploy("shop:v2", GOOD);
    world.run_until(900, |world| world.outcome() == Some(Outcome::Succeeded));
    for stage in &world.status().stages {
        let took = stage.passed_at.unwrap().since(stage.started_at.unwrap());
        assert!(took > Span::seconds(75) && took <= Span::seconds(60 + 30 + 3), "{took}");
    }
    assert!(!world.trace.iter().any(|line| line.contains("NoEvidence")), "{}", world.trace.join("\n"));
}

#[test]
fn scrapes_that_hang_when_a_stage_ends_hold_it_for_so_long_as_evidence_may_be_missing() {
    let mut world = begin(0);
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| end_of_stage(world, 0).is_some_and(|end| end.since(world.now) <= Span::seconds(1)));
    world.scrapes.as_mut().unwrap().hang = true;
    let ended = end_of_stage(&world, 0).unwrap();
    world.run_until(100, |world| condition(world, "Held") == (Truth::True, "NoEvidence".into()));
    assert!(world.now.since(ended) <= Span::seconds(45), "{}", world.now.since(ended));
    world.run_until(200, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
}

/// Intervals of 7 s and stages of 10 s: some interval lies across every end.
#[test]
fn the_interval_in_which_a_stage_ends_is_compared_before_the_next_weight() {
    let mut world = World::new();
    world.requests_per_second = 4_000.0;
    world.seen.release.spec.rollback.error_rate_percent = Percent::whole(5);
    let rules = serde_json::from_value::<Comparison>(json!({"interval": "7s", "undecidedFor": "2m"})).unwrap();
    world.seen.release.spec.analysis.comparison = Some(rules);
    world.deploy("shop:v2", GOOD);
    let mut passed = 0;
    world.run_until(100, |world| world.phase() == Some(Phase::Release));
    for _ in 0..200 {
        world.run(1);
        let status = world.status().clone();
        let now_passed = status.stages.iter().filter(|stage| stage.passed_at.is_some()).count();
        if now_passed > passed {
            let until = status.comparison.as_ref().unwrap().errors.tally.until;
            assert!(until >= end_of_stage(&world, now_passed - 1), "{until:?}: {status:?}");
            passed = now_passed;
        }
        if status.phase != Phase::Release {
            break;
        }
    }
    assert_eq!(passed, 3);
}
