//! Requests of Tidegate's own at the end of a stage.

use serde_json::json;

use super::*;
use crate::api::synthetic::{CheckRecord, SyntheticCheck};
use crate::release::ask::{Place, due};
use crate::release::world::Requests;

fn check(name: &str, retries: u32) -> SyntheticCheck {
    let text = json!({"name": name, "http": {"path": "/cart"}, "retries": retries});
    serde_json::from_value(text).unwrap()
}

/// A release whose stages ask two things of Tidegate's own, each of which may fail twice.
fn begin() -> World {
    let mut world = World::new();
    world.seen.release.spec.analysis.checks = vec![check("cart", 2), check("login", 2)];
    world.deploy("shop:v2", GOOD);
    world
}

fn at(world: &World, weight: i64) -> bool {
    world.split().weight(Carrier::Canary) == Weight::new(weight).unwrap()
}

#[test]
fn each_stage_is_checked_and_says_so() {
    let mut world = begin();
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
    let status = world.status();
    for stage in &status.stages {
        assert!(stage.verdict.ends_with("; checked: cart, login"), "{stage:?}");
    }
    assert_eq!(status.checks, [], "what was needed to go on is gone");
}

#[test]
fn a_check_that_fails_after_the_second_stage_brings_the_change_back() {
    let mut world = begin();
    world.run_until(200, |world| at(world, 25));
    world.requests = Requests::Failed;
    world.run_until(200, |world| world.outcome() == Some(Outcome::RolledBack));
    let status = world.status();
    assert_eq!(status.stage, 1, "no stage passed on a check that failed");
    let log = status.rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::SyntheticCheck);
    assert_eq!(log.value, "check cart failed 3 times: answered 500, not 200");
    assert_eq!(log.threshold, "at most twice in a stage");
    assert_eq!(status.checks, []);
}

#[test]
fn a_check_that_fails_and_then_passes_costs_an_interval_and_no_release() {
    let mut world = begin();
    world.run_until(200, |world| at(world, 25));
    world.requests = Requests::Failed;
    world.run_until(60, |world| world.status().checks.iter().any(|check| check.failed == 1));
    let told = world.seen.release.status.message.clone();
    for word in ["check cart (GET /cart) must pass", "failed once of 2 allowed", "answered 500"] {
        assert!(told.contains(word), "{told}");
    }
    world.requests = Requests::Answered;
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn tries_are_an_interval_apart_however_often_it_is_looked_at() {
    let mut world = begin();
    world.run_until(200, |world| at(world, 25));
    world.requests = Requests::Failed;
    world.run_until(60, |world| world.status().checks.iter().any(|check| check.failed == 1));
    for _ in 0..5 {
        assert_eq!(due(&world.seen, world.now), []);
    }
    let before = world.now;
    world.run_until(60, |world| world.status().checks.iter().any(|check| check.failed == 2));
    assert!(world.now.since(before) >= world.seen.release.spec.analysis.interval);
}

/// What stands in the record of the first check that is owed.
fn owed(world: &World) -> Option<&CheckRecord> {
    world.status().checks.iter().find(|check| !check.passed)
}

/// The second stage of a release whose checks get to nobody, as where a mesh demands mutual TLS of Tidegate, too.
fn not_sent() -> World {
    let mut world = begin();
    world.run_until(200, |world| at(world, 25));
    world.requests = Requests::NotSent;
    world.run_until(60, |world| owed(world).is_some());
    world
}

#[test]
fn a_check_that_cannot_be_sent_is_waited_for_and_never_held_against_the_version() {
    let mut world = not_sent();
    let hold = world.status().hold.clone().unwrap();
    assert_eq!(hold.reason, "CheckNotAsked");
    for word in [
        "check cart (GET /cart) got no answer over HTTP: no connection within 5s; nor does stable answer.",
        "reach Service checkout-canary",
        "PeerAuthentication with STRICT",
        "exempt the port from STRICT, let Tidegate's namespace in, or make it a check with a Job",
        "kubectl get service,networkpolicy -n shop",
        "Not held against",
    ] {
        assert!(hold.message.contains(word), "{}", hold.message);
    }
    assert_eq!(hold.deadline, hold.since.plus(world.seen.release.spec.analysis.evidence_within));
    let tried = owed(&world).cloned().unwrap();
    assert_eq!(
        (tried.failed, tried.not_asked.as_deref()),
        (0, Some("no connection within 5s; nor does stable answer"))
    );
    // Many more times than a check may fail.
    world.run(100);
    assert_eq!(world.status().hold.as_ref(), Some(&hold), "trying again is no new patience");
    assert!(owed(&world).is_some_and(|again| again.failed == 0 && again.at.0 > tried.at.0));
    world.run_until(60, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::HoldExpired);
    assert!(log.value.contains("CheckNotAsked") && log.value.contains("no verdict on the version"), "{log:?}");
}

#[test]
fn a_version_that_refuses_what_stable_answers_comes_back() {
    let mut world = begin();
    world.run_until(200, |world| at(world, 25));
    world.requests = Requests::Refused;
    world.run_until(200, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(
        (log.trigger, log.value.as_str()),
        (Trigger::SyntheticCheck, "check cart failed 3 times: connection refused; stable answers 200")
    );
}

/// One that refuses because nobody of it is there would clear whatever the new version refuses.
#[test]
fn a_stable_without_ready_pods_is_no_control() {
    let mut world = begin();
    world.run_until(200, |world| at(world, 25));
    world.requests = Requests::Refused;
    let mut asked = false;
    for _ in 0..60 {
        world.seen.service.as_mut().unwrap().ready_endpoints = 0;
        let found = due(&world.seen, world.now);
        assert!(found.iter().all(|due| due.control.is_none()), "{found:?}");
        asked |= !found.is_empty();
        world.run(1);
    }
    assert!(asked, "nothing was due");
}

/// What is asked stands in what was observed: no name is looked up after the Service was found to lead to pods.
#[test]
fn the_address_that_was_observed_is_asked_and_stable_beside_it() {
    let mut world = begin();
    world.run_until(200, |world| at(world, 25));
    world.requests = Requests::NotSent;
    world.run_until(60, |world| owed(world).is_some());
    world.now = world.now.plus(world.seen.release.spec.analysis.interval);
    let place = |service: &str, socket: &str| Place {
        service: service.to_owned(),
        port: 80,
        sockets: vec![socket.parse().unwrap()],
    };
    for due in due(&world.seen, world.now) {
        assert_eq!(due.asked, place("checkout-canary", "10.96.0.11:80"));
        assert_eq!(due.control, Some(place("checkout", "10.96.0.10:80")));
    }
}

#[test]
fn a_check_that_can_be_sent_again_lets_the_stage_pass() {
    let mut world = not_sent();
    world.run(60);
    world.requests = Requests::Answered;
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
    assert!(world.status().stages[1].verdict.ends_with("; checked: cart, login"));
}

/// Two of three failures are no reason to go back, whatever lies between them and the end.
#[rstest]
#[case::then_answered(Requests::Answered, Outcome::Succeeded)]
#[case::then_failed_once_more(Requests::Failed, Outcome::RolledBack)]
fn what_asked_nobody_neither_counts_nor_forgives(#[case] then: Requests, #[case] outcome: Outcome) {
    let mut world = begin();
    world.run_until(200, |world| at(world, 25));
    world.requests = Requests::Failed;
    world.run_until(60, |world| owed(world).is_some_and(|check| check.failed == 2));
    world.requests = Requests::NotSent;
    world.run_until(60, |world| owed(world).is_some_and(|check| check.not_asked.is_some()));
    world.run(30);
    assert!(owed(&world).is_some_and(|check| check.failed == 2 && check.said == "answered 500, not 200"));
    world.requests = then;
    world.run_until(600, |world| world.outcome().is_some());
    assert_eq!(world.outcome(), Some(outcome));
    if let Some(log) = &world.status().rollback {
        assert_eq!(
            (log.trigger, log.value.as_str()),
            (Trigger::SyntheticCheck, "check cart failed 3 times: answered 500, not 200")
        );
    }
}

#[test]
fn what_cannot_be_sent_is_tried_once_an_interval() {
    let mut world = not_sent();
    for _ in 0..5 {
        assert_eq!(due(&world.seen, world.now), []);
    }
    let (before, tried) = (world.now, owed(&world).unwrap().at);
    world.run_until(60, |world| owed(world).is_some_and(|check| check.at != tried));
    assert!(world.now.since(before) >= world.seen.release.spec.analysis.interval);
}

#[test]
fn a_service_without_ready_pods_is_not_asked() {
    let mut world = not_sent();
    world.now = world.now.plus(world.seen.release.spec.analysis.interval);
    assert_eq!(due(&world.seen, world.now).len(), 2);
    world.seen.canary.as_mut().unwrap().endpoints = Some(0);
    assert_eq!(due(&world.seen, world.now), []);
}

#[test]
fn a_port_that_the_service_does_not_have_is_told_before_the_start() {
    let mut world = World::new();
    let mut wrong = check("cart", 2);
    wrong.http.as_mut().unwrap().port = Some(8081);
    world.seen.release.spec.analysis.checks = vec![check("home", 0), wrong];
    let found = crate::release::problem::problems(&world.seen);
    let message = &found.iter().find(|one| one.reason == "CheckPortUnknown").unwrap().message;
    assert!(message.contains("\"cart\" asks port 8081") && message.contains("has 80"), "{message}");
}

/// After a late rollback the new version runs in the workload, and its checks go to the user's own Service: who turns that to
/// somewhere else sends Tidegate nowhere.
#[rstest]
#[case::external(json!({"type": "ExternalName", "externalName": "metadata.internal", "selector": {"app": "checkout"}, "ports": [{"port": 80}]}))]
#[case::without_selector(json!({"ports": [{"port": 80}]}))]
fn a_service_that_leads_elsewhere_is_never_asked(#[case] spec: serde_json::Value) {
    let mut world = came_back_late();
    world.seen.release.spec.analysis.checks = vec![check("cart", 2)];
    world.deploy("shop:v3", GOOD);
    world
        .run_until(300, |world| world.phase() == Some(Phase::Release) && world.status().stages[0].started_at.is_some());
    let own = world.seen.service.clone();
    world.seen.service.as_mut().unwrap().object["spec"] = spec;
    let asked = |world: &World| !due(&world.seen, world.now).is_empty();
    for _ in 0..30 {
        world.run(1);
        assert!(!asked(&world));
    }
    assert_eq!(condition(&world, "Held"), (Truth::True, "ServiceNotOfPods".to_owned()));
    world.seen.service = own;
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_service_that_is_another_name_starts_no_release() {
    let mut world = World::new();
    world.seen.service.as_mut().unwrap().object["spec"]["type"] = json!("ExternalName");
    world.deploy("shop:v2", GOOD);
    world.run(5);
    assert_eq!((condition(&world, "Ready").1, world.phase()), ("ServiceExternalName".to_owned(), Some(Phase::Plan)));
    assert!(world.seen.canary.is_none());
}
