//! What could not be seen takes nothing back that serves well; in the stages the manifest decides.

use serde_json::json;

use super::*;
use crate::policy::burn::{Burn, PAIRS};
use crate::release::ask::Burning;

fn held(world: &World) -> String {
    let held = world.seen.release.status.conditions.iter().find(|one| one.kind == "Held");
    held.map_or_else(String::new, |held| format!("{}: {}", held.reason, held.message))
}

/// A verification in which Prometheus goes away, for longer than evidence may be missing in a stage.
fn unseen() -> World {
    let mut world = in_verification();
    world.prometheus = false;
    world.run(60 + 3 * 60);
    assert_eq!(world.phase(), Some(Phase::Verify));
    let message = held(&world);
    for word in ["MetricsUnreachable", "Not held against the new version", "completes it unseen", "complete without it"]
    {
        assert!(message.contains(word), "{message}");
    }
    world
}

/// Half a store shows a bad version as a good one: it neither passes nor blames, from the first request on.
#[test]
fn a_release_that_begins_with_half_the_answers_is_held_and_says_so() {
    let mut world = World::new();
    world.half = true;
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| held(world).starts_with("PartialEvidence"));
    assert_eq!((world.phase(), world.status().stage), (Some(Phase::Release), 0));
    let mut page = held(&world);
    world.run_until(900, |world| world.outcome().is_some());
    let (status, log) = (world.status(), world.status().rollback.clone().unwrap());
    assert_eq!((status.outcome, log.trigger), (Some(Outcome::RolledBack), Trigger::HoldExpired));
    assert!(status.stages.iter().all(|stage| stage.passed_at.is_none()), "{:?}", status.stages);
    page = format!("{page}\n\nat the bound: {} (wanted: {})\n{}", log.value, log.threshold, status.summary);
    insta::assert_snapshot!("half_the_answers_at_the_start", page);
}

#[test]
fn a_store_that_is_whole_again_lets_the_first_stage_pass() {
    let mut world = World::new();
    world.half = true;
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| held(world).starts_with("PartialEvidence"));
    world.half = false;
    world.run_until(900, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_verified_version_is_not_taken_back_because_prometheus_is_away() {
    let mut world = unseen();
    world.prometheus = true;
    world.run_until(60, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.status().summary, "Released and verified.");
}

#[test]
fn where_prometheus_stays_away_it_is_complete_and_its_record_says_without_what() {
    let mut world = unseen();
    world.run_until(700, |world| world.outcome().is_some());
    assert_eq!(world.outcome(), Some(Outcome::Succeeded));
    let status = world.status();
    let summary = &status.summary;
    assert!(summary.contains("complete without") && summary.contains("does not answer"), "{summary}");
    assert!(status.promotion.as_ref().unwrap().complete_without.is_some());
    assert!(status.ended_at.unwrap().since(status.phase_since) <= Span::minutes(1), "{status:?}");
}

#[test]
fn a_version_that_turns_bad_while_nobody_sees_comes_back_when_somebody_does() {
    let mut world = unseen();
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.prometheus = true;
    world.run_until(60, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate);
}

#[test]
fn a_burn_of_somebody_else_takes_no_verified_version_back() {
    let mut world = in_verification();
    let pair = PAIRS[0];
    world.burning = Some(Burning { objective: "availability".into(), burn: Burn { pair, rate: pair.factor * 1.5 } });
    world.run(60 + 3 * 60);
    assert_eq!(world.phase(), Some(Phase::Verify));
    assert!(held(&world).contains("BudgetBurning") && held(&world).contains("completes it"), "{}", held(&world));
    world.run_until(700, |world| world.outcome().is_some());
    assert_eq!(world.outcome(), Some(Outcome::Succeeded));
    assert!(world.status().summary.contains("objective availability burns"), "{}", world.status().summary);
}

#[rstest]
#[case("Deployment")]
#[case("StatefulSet")]
fn by_count_too_a_verified_version_stays(#[case] kind: &str) {
    let mut world = World::by_count(kind);
    world.deploy("shop:v2", GOOD);
    world.run_until(400, |world| world.phase() == Some(Phase::Verify));
    world.prometheus = false;
    world.run_until(1_000, |world| world.outcome().is_some());
    assert_eq!(world.outcome(), Some(Outcome::Succeeded));
    assert!(world.status().summary.contains("complete without"), "{}", world.status().summary);
}

/// So few users that the first stage sees one request in ten seconds.
fn quiet(rules: serde_json::Value, per_second: f64) -> World {
    let mut world = World::new();
    world.requests_per_second = per_second;
    world.seen.release.spec.analysis.comparison = serde_json::from_value(rules).unwrap();
    world.seen.release.spec.analysis.min_requests = 500;
    world.deploy("shop:v2", GOOD);
    world
}

fn came_back_for_policy(world: &World) {
    let log = world.status().rollback.clone().unwrap();
    assert_eq!((world.outcome(), log.trigger), (Some(Outcome::RolledBack), Trigger::HoldExpired));
    assert!(log.value.contains("no verdict on the version"), "{log:?}");
}

#[rstest]
#[case(json!(null))]
#[case(json!({"interval": "5s"}))]
fn too_little_traffic_tells_how_long_it_takes_and_comes_back_by_policy(#[case] rules: serde_json::Value) {
    let mut world = quiet(rules, 2.0);
    world.run_until(200, |world| condition(world, "Held").1 == "TooLittleTraffic");
    let message = held(&world);
    for word in ["of the 500 requests", "needs about 84 min more at 0.1 requests/s", "PassOnLimits"] {
        assert!(message.contains(word), "{message}");
    }
    world.run_until(300, |world| world.outcome().is_some());
    came_back_for_policy(&world);
}

#[rstest]
#[case(false)]
#[case(true)]
fn too_little_traffic_passes_on_the_limits_where_the_manifest_says_so(#[case] on_trial: bool) {
    let rules = json!({"interval": "5s", "undecidedFor": "90s", "whenUndecided": "PassOnLimits", "dryRun": on_trial});
    let mut world = quiet(rules, 2.0);
    world.run_until(200, |world| condition(world, "Held").1 == "TooLittleTraffic");
    assert!(held(&world).contains("passes on the limits alone"), "{}", held(&world));
    world.run(60);
    assert_eq!(world.status().stage, 0, "it waits for more first");
    world.run_until(1_500, |world| world.outcome().is_some());
    assert_eq!(world.outcome(), Some(Outcome::Succeeded));
    let verdict = &world.status().stages[0].verdict;
    assert!(verdict.contains("passed on the limits alone") && verdict.contains("of the 500"), "{verdict}");
    assert!(world.status().summary.contains("of the 500 requests needed"), "{}", world.status().summary);
}

#[test]
fn few_requests_that_fail_bring_it_back_all_the_same() {
    let rules = json!({"interval": "5s", "undecidedFor": "2m", "whenUndecided": "PassOnLimits"});
    let mut world = quiet(rules, 2.0);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, Behaviour { errors: 1.0, ..GOOD });
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate);
}

#[test]
fn no_request_and_no_answer_never_pass() {
    let rules = json!({"interval": "5s", "undecidedFor": "1m", "whenUndecided": "PassOnLimits"});
    let mut world = quiet(rules.clone(), 0.0);
    world.run_until(400, |world| world.outcome() == Some(Outcome::RolledBack));
    came_back_for_policy(&world);
    let mut world = quiet(rules, 2.0);
    world.run_until(200, |world| world.phase() == Some(Phase::Release));
    world.prometheus = false;
    world.run_until(400, |world| world.outcome() == Some(Outcome::RolledBack));
    came_back_for_policy(&world);
}
