//! Jobs that find out whether a new version is well, at the end of a stage.

use serde_json::json;

use super::*;
use crate::release::check_job::TemplateSeen;
use crate::release::problem::problems;
use crate::release::world::Jobs;

/// A release whose stages start a Job each.
fn with_job() -> World {
    let mut world = World::new();
    let check = json!({"name": "cart", "job": {"cronJob": "cart-probe"}, "timeout": "20s", "retries": 1});
    world.seen.release.spec.analysis.checks = vec![serde_json::from_value(check).unwrap()];
    let template = json!({"spec": {"template": {"spec": {"containers": [{"name": "probe", "image": "probe"}]}}}});
    world.seen.jobs.templates = [("cart-probe".to_owned(), TemplateSeen::Found(template))].into();
    world
}

fn begin() -> World {
    let mut world = with_job();
    world.deploy("shop:v2", GOOD);
    world
}

fn at(world: &World, weight: i64) -> bool {
    world.split().weight(Carrier::Canary) == Weight::new(weight).unwrap()
}

fn hold(world: &World) -> Option<(String, String)> {
    let hold = world.status().hold.as_ref()?;
    Some((hold.reason.clone(), hold.message.clone()))
}

fn started(world: &World) -> usize {
    world.trace.iter().filter(|line| line.contains("Job checkout-") && line.ends_with("started")).count()
}

#[test]
fn each_stage_starts_one_job_and_says_that_it_passed() {
    let mut world = begin();
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
    for stage in &world.status().stages {
        assert!(stage.verdict.ends_with("; checked: cart"), "{stage:?}");
    }
    assert_eq!(started(&world), 3, "{}", world.trace.join("\n"));
    assert_eq!(world.status().checks, []);
    assert!(!world.seen.jobs.all.iter().any(|job| job.runs()));
}

#[test]
fn a_job_that_fails_brings_the_change_back_with_its_last_words() {
    let mut world = begin();
    world.run_until(200, |world| at(world, 25));
    world.jobs = Jobs::Fail;
    world.run_until(200, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!((log.trigger, world.status().stage), (Trigger::SyntheticCheck, 1));
    assert_eq!(log.value, "check cart failed: probe: exit code 1: no cart");
    assert_eq!(log.threshold, "its Job completes");
}

#[test]
fn a_job_without_a_result_brings_the_change_back_and_is_ended() {
    let mut world = begin();
    world.jobs = Jobs::Hang;
    world.run_until(200, |world| world.seen.jobs.all.iter().any(|job| job.runs()));
    let told = world.seen.release.status.message.clone();
    assert!(told.contains("check cart (CronJob cart-probe) must pass: Job checkout-"), "{told}");
    world.run_until(200, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().value, "check cart failed: no result within 20s");
    assert_eq!(world.seen.jobs.all, [], "nothing runs that nobody waits for");
}

#[test]
fn what_could_not_run_is_held_and_not_blamed_and_tried_again() {
    let mut world = begin();
    world.jobs = Jobs::Wait;
    world.run_until(200, |world| hold(world).is_some());
    let (reason, message) = hold(&world).unwrap();
    assert_eq!(reason, "CheckNotRun");
    for word in [
        "no pod of Job checkout-",
        "started within 20s: probe: ImagePullBackOff",
        "kubectl describe job checkout-",
        "Not held against",
    ] {
        assert!(message.contains(word), "{message}");
    }
    let deadline = world.status().hold.as_ref().unwrap().deadline;
    world.run(25);
    assert_eq!(world.status().hold.as_ref().unwrap().deadline, deadline, "trying again is no new patience");
    assert!(started(&world) > 1, "{}", world.trace.join("\n"));
    world.jobs = Jobs::Complete;
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// A drained node takes the pod of a Job along before it ran, and Kubernetes calls the Job failed.
#[test]
fn a_job_whose_pod_was_taken_away_before_it_ran_is_not_blamed() {
    let mut world = begin();
    world.jobs = Jobs::Drained;
    world.run_until(200, |world| hold(world).is_some());
    let (reason, message) = hold(&world).unwrap();
    assert_eq!(reason, "CheckNotRun");
    assert!(message.contains("has no pod that ran: Job has reached the specified backoff limit"), "{message}");
    world.jobs = Jobs::Complete;
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_hold_for_a_job_that_is_refused_ends_by_its_deadline() {
    let mut world = begin();
    world.jobs = Jobs::Refused;
    world.run_until(200, |world| hold(world).is_some());
    let (reason, message) = hold(&world).unwrap();
    assert_eq!(reason, "CheckNotRun");
    assert!(message.contains("the Job of check \"cart\" cannot be made: exceeded quota: small"), "{message}");
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::HoldExpired);
    let tries = world.trace.iter().filter(|line| line.ends_with("refused")).count();
    assert!((2..=61).contains(&tries), "one try an interval of 2 s, for 2 min: {tries}");
}

#[test]
fn a_cron_job_that_went_away_in_the_middle_holds_by_its_name() {
    let mut world = begin();
    world.run_until(200, |world| at(world, 25));
    let found = world.seen.jobs.templates.insert("cart-probe".to_owned(), TemplateSeen::Missing).unwrap();
    world.run_until(200, |world| hold(world).is_some());
    let (reason, message) = hold(&world).unwrap();
    assert_eq!(reason, "CheckNotRun");
    assert!(message.contains("CronJob shop/cart-probe, which does not exist. Create it"), "{message}");
    world.seen.jobs.templates.insert("cart-probe".to_owned(), found);
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[rstest]
#[case(TemplateSeen::Missing, "CheckJobMissing", "Create it (with suspend: true it never runs by itself)")]
#[case(
    TemplateSeen::NotAllowed,
    "CheckJobNotAllowed",
    "kubectl label cronjob cart-probe -n shop tidegate.io/check=true"
)]
#[case(TemplateSeen::Unread("forbidden".into()), "CheckJobUnread", "may not read: forbidden. Give its ClusterRole")]
fn nothing_starts_without_something_to_start(
    #[case] template: TemplateSeen,
    #[case] reason: &str,
    #[case] remedy: &str,
) {
    let mut world = with_job();
    world.seen.jobs.templates.insert("cart-probe".to_owned(), template);
    let found = problems(&world.seen);
    let message = &found.iter().find(|one| one.reason == reason).unwrap().message;
    assert!(message.contains("check \"cart\" starts its Job from CronJob shop/cart-probe") && message.contains(remedy));
    world.deploy("shop:v2", GOOD);
    world.run(30);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::ZERO);
    assert_eq!(condition(&world, "Ready"), (Truth::False, reason.to_owned()));
}

#[test]
fn a_newer_template_ends_the_job_of_the_one_before_it() {
    let mut world = begin();
    world.jobs = Jobs::Hang;
    world.run_until(200, |world| world.seen.jobs.all.iter().any(|job| job.runs()));
    let old = world.seen.jobs.all[0].uid.clone();
    world.deploy("shop:v3", GOOD);
    world.run(2);
    assert!(world.seen.jobs.all.iter().all(|job| job.uid != old), "{}", world.trace.join("\n"));
}

#[test]
fn who_detaches_leaves_no_job_behind() {
    let mut world = begin();
    world.jobs = Jobs::Hang;
    world.run_until(200, |world| world.seen.jobs.all.iter().any(|job| job.runs()));
    world.seen.release.detached = true;
    world.run_until(200, |world| !world.seen.release.finalizer);
    assert_eq!(world.seen.jobs.all, []);
}

proptest! {
    /// Whenever the controller dies, a stage has one Job, and no weight rises without its result.
    #[test]
    fn a_crash_starts_no_second_job(crashes in proptest::collection::vec(0_usize..4, 1..40)) {
        let mut world = begin();
        world.run_crashing(&crashes);
        world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
        prop_assert_eq!(started(&world), 3, "{}", world.trace.join("\n"));
    }
}
