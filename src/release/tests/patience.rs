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

/// The manifest's choice without any comparison.
fn choose(world: &mut World, choice: serde_json::Value) {
    let mut analysis = serde_json::to_value(&world.seen.release.spec.analysis).unwrap();
    json_patch::merge(&mut analysis, &choice);
    world.seen.release.spec.analysis = serde_json::from_value(analysis).unwrap();
}

/// Limits and no comparison, at 2 requests a second; `errors` of them fail, of which chance explains the first few.
fn by_limits_alone(errors: f64, min_requests: u32, choice: serde_json::Value) -> World {
    let mut world = World::new();
    world.requests_per_second = 2.0;
    choose(&mut world, json!({"minRequests": min_requests}));
    choose(&mut world, choice);
    world.deploy("shop:v2", Behaviour { errors, ..GOOD });
    world
}

/// What cannot be told by limits alone: too few requests, or a failure among few.
#[rstest]
#[case::too_few(0.0, 500, "TooLittleTraffic", "of the 500 requests needed")]
#[case::chance(0.02, 1, "Undecided", "above the limit, but chance would explain it")]
fn what_limits_cannot_tell_is_held_for_a_time_of_its_own_and_comes_back(
    #[case] errors: f64,
    #[case] min_requests: u32,
    #[case] reason: &str,
    #[case] why: &str,
) {
    let mut world = by_limits_alone(errors, min_requests, json!({"undecidedFor": "40s"}));
    world.run_until(200, |world| condition(world, "Held").1 == reason);
    let (message, hold) = (held(&world), world.status().hold.clone().unwrap());
    for word in [why, "needs about", "requests/s to the new version", "brings it back", "whenUndecided: PassOnLimits"] {
        assert!(message.contains(word), "{word}: {message}");
    }
    assert_eq!(hold.deadline, hold.since.plus(Span::seconds(40)), "evidenceWithin is for evidence that does not come");
    world.run_until(60, |world| world.outcome().is_some());
    came_back_for_policy(&world);
}

#[rstest]
#[case::too_few(0.0, 500, "TooLittleTraffic", "of the 500 requests needed")]
#[case::chance(0.02, 1, "Undecided", "above the limit, but chance would explain it")]
fn what_limits_cannot_tell_passes_on_them_where_the_manifest_says_so_and_the_record_tells(
    #[case] errors: f64,
    #[case] min_requests: u32,
    #[case] reason: &str,
    #[case] why: &str,
) {
    let choice = json!({"undecidedFor": "40s", "whenUndecided": "PassOnLimits"});
    let mut world = by_limits_alone(errors, min_requests, choice);
    world.run_until(200, |world| condition(world, "Held").1 == reason);
    let message = held(&world);
    for word in [why, "needs about", "passes on the limits alone"] {
        assert!(message.contains(word), "{word}: {message}");
    }
    world.run(30);
    assert_eq!(world.status().stage, 0, "it waits for more first");
    world.run_until(30, |world| world.status().stage == 1);
    let verdict = &world.status().stages[0].verdict;
    assert!(verdict.starts_with("passed on the limits alone: ") && verdict.contains(why), "{verdict}");
}

/// Of so few requests so many fail that chance does not explain it, though they are too few to blame it.
#[test]
fn what_speaks_against_a_version_is_not_let_pass_on_its_limits() {
    let choice = json!({"undecidedFor": "40s", "whenUndecided": "PassOnLimits"});
    let mut world = by_limits_alone(1.0, 1, choice);
    world.run_until(200, |world| condition(world, "Held").1 == "Undecided");
    assert!(held(&world).contains("too many failed to let it pass"), "{}", held(&world));
    assert!(!held(&world).contains("PassOnLimits"), "it is chosen already: {}", held(&world));
    world.run_until(60, |world| world.outcome() == Some(Outcome::RolledBack));
}

/// Where the choice stood once, the API server wrote the defaults of that time.
#[rstest]
#[case::as_before(json!({}), "passes on the limits alone", 90)]
#[case::elsewhere_too(json!({"undecidedFor": "40s", "whenUndecided": "RollBack"}), "brings it back", 40)]
#[case::the_time_alone(json!({"undecidedFor": "40s"}), "passes on the limits alone", 40)]
fn the_choice_is_read_where_it_stood_before_and_the_new_place_goes_first(
    #[case] choice: serde_json::Value,
    #[case] then: &str,
    #[case] seconds: u64,
) {
    let before = json!({"interval": "5s", "undecidedFor": "90s", "whenUndecided": "PassOnLimits"});
    let mut world = quiet(before, 2.0);
    choose(&mut world, choice);
    world.run_until(200, |world| condition(world, "Held").1 == "TooLittleTraffic");
    assert!(held(&world).contains(then), "{}", held(&world));
    let hold = world.status().hold.clone().unwrap();
    assert_eq!(hold.deadline, hold.since.plus(Span::seconds(seconds)));
}

/// Its figures move at each look, two seconds apart, and an interval is a minute.
#[rstest]
#[case::too_few(0.0, 500, "TooLittleTraffic")]
#[case::chance(0.02, 1, "Undecided")]
fn the_message_of_a_hold_follows_what_is_seen_and_is_not_written_at_each_look(
    #[case] errors: f64,
    #[case] min_requests: u32,
    #[case] reason: &str,
) {
    let mut world = by_limits_alone(errors, min_requests, json!({"undecidedFor": "10m"}));
    world.run_until(200, |world| condition(world, "Held").1 == reason);
    let mut messages = vec![held(&world)];
    for _ in 0..150 {
        world.run(2);
        assert_eq!(condition(&world, "Held").1, reason);
        messages.push(held(&world));
    }
    messages.dedup();
    assert!((3..=6).contains(&messages.len()), "{messages:#?}");
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
