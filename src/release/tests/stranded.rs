//! Users are not sent from somebody who answers to nobody: where the previous version lost its pods, where a canary misses a
//! probe while only it answers, where an attempt left something behind, and where a newer template waits meanwhile.

use super::*;
use crate::release::action::Action;
use crate::release::plan;
use crate::release::template;
use crate::release::world::pod_template;

/// Looks for so many seconds as [`World::run`] does, in a world in which users may be answered by nobody; `each` is done before
/// every look, after what the cluster did by itself.
pub(super) fn looks(world: &mut World, seconds: u32, each: impl Fn(&mut World)) {
    for _ in 0..seconds {
        for _ in 0..10 {
            each(world);
            if world.look(None).actions.is_empty() {
                break;
            }
        }
        world.settle();
        world.now = world.now.plus(Span::seconds(1));
    }
}

pub(super) fn nothing(_: &mut World) {}

fn behaves(world: &mut World, image: &str, behaviour: Behaviour) {
    world.behaviour.insert(template::revision(&pod_template(image)), behaviour);
}

fn held_for(world: &World) -> Option<String> {
    world.status().hold.as_ref().map(|hold| hold.reason.clone())
}

/// The workload runs v3 with a quarter of the traffic, which is judged there after a late rollback; the previous version, with
/// the rest, has lost all its pods.
fn judged_in_the_workload(behaviour: Behaviour) -> World {
    let mut world = came_back_late();
    world.seen.release.spec.strategy.hold_for = Span::minutes(1);
    world.deploy("shop:v3", GOOD);
    world.run_until(200, |world| world.split().weight(Carrier::Workload) == Weight::whole(25));
    behaves(&mut world, "shop:v1", NEVER_READY);
    behaves(&mut world, "shop:v3", behaviour);
    world.settle();
    looks(&mut world, 30, nothing);
    assert_eq!(held_for(&world).as_deref(), Some("NoWayBack"), "{}", world.trace.join("\n"));
    assert_eq!(world.split().weight(Carrier::Workload), Weight::whole(25), "it rises on recorded passes alone");
    world
}

#[test]
fn a_share_that_the_previous_version_leaves_unanswered_goes_to_the_workload_when_its_attempt_is_closed() {
    let mut world = judged_in_the_workload(BAD);
    looks(&mut world, 50, nothing);
    assert_eq!(world.outcome(), Some(Outcome::NotWithdrawn));
    assert_eq!(world.split(), Split::HOME, "{}", world.trace.join("\n"));
    assert!(world.seen.previous.is_none() && !world.workload().paused);
    assert_eq!(condition(&world, "Ready"), (Truth::True, "InForce".into()));
    // What the way back would have told is on record, for the figures too.
    let log = world.status().rollback.clone().unwrap();
    assert_eq!((log.trigger, log.took, log.within_time_budget), (Trigger::ErrorRate, None, Some(false)));
    assert!(world.status().ended_at.unwrap().since(log.at) >= Span::minutes(1), "{log:?}");
    let told = world.trace.iter().filter(|line| line.contains("RollingBack")).count();
    assert_eq!(told, 1, "of the one that did go back\n{}", world.trace.join("\n"));
}

#[test]
fn the_share_goes_to_the_workload_as_soon_as_it_answers() {
    let mut world = judged_in_the_workload(NEVER_READY);
    looks(&mut world, 60, nothing);
    assert_eq!(world.outcome(), Some(Outcome::NotWithdrawn));
    assert_eq!(world.split().weight(Carrier::Previous), Weight::whole(75), "nobody answers");
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NoWayBack".into()));
    behaves(&mut world, "shop:v3", GOOD);
    looks(&mut world, 10, nothing);
    assert_eq!(world.split(), Split::HOME, "{}", world.trace.join("\n"));
    assert!(world.seen.previous.is_none());
}

#[test]
fn the_share_stays_with_a_previous_version_that_answers_again() {
    let mut world = judged_in_the_workload(NEVER_READY);
    looks(&mut world, 60, nothing);
    behaves(&mut world, "shop:v1", GOOD);
    looks(&mut world, 10, nothing);
    assert_eq!(world.split().weight(Carrier::Previous), Weight::whole(75), "{}", world.trace.join("\n"));
    assert!(world.seen.previous.is_some());
    world.deploy("shop:v4", GOOD);
    looks(&mut world, 300, nothing);
    assert_eq!((world.outcome(), world.split()), (Some(Outcome::Succeeded), Split::HOME));
}

#[test]
fn a_version_that_came_back_gets_no_users_because_the_previous_one_has_no_pod() {
    let mut world = came_back_late();
    behaves(&mut world, "shop:v1", NEVER_READY);
    world.settle();
    looks(&mut world, 60, nothing);
    assert_eq!(world.split().weight(Carrier::Previous), Weight::FULL);
}

/// A canary with a quarter of the traffic that answers with errors; stable has no ready pod, and that is told.
fn only_the_canary_answers() -> World {
    let mut world = at_a_quarter();
    behaves(&mut world, "shop:v2", BAD);
    looks(&mut world, 5, stable_is_dead);
    assert_eq!(held_for(&world).as_deref(), Some("NoWayBack"));
    world
}

fn stable_is_dead(world: &mut World) {
    world.seen.service.as_mut().unwrap().ready_endpoints = 0;
}

fn both_are_dead(world: &mut World) {
    stable_is_dead(world);
    let canary = world.seen.canary.as_mut().unwrap();
    canary.endpoints = Some(0);
    if let Some(deployment) = &mut canary.deployment {
        deployment.available = 0;
    }
}

#[test]
fn a_canary_that_misses_a_probe_while_only_it_answers_keeps_its_users() {
    let mut world = only_the_canary_answers();
    let since = world.status().hold.as_ref().unwrap().since;
    for _ in 0..3 {
        looks(&mut world, 10, both_are_dead);
        assert_eq!(held_for(&world).as_deref(), Some("NobodyAnswers"), "{}", world.trace.join("\n"));
        let says = world.seen.release.status.conditions.iter().find(|it| it.kind == "Held").unwrap().message.clone();
        assert!(says.contains("neither its pods nor those of stable are ready") && says.contains("30s"), "{says}");
        looks(&mut world, 10, stable_is_dead);
        assert_eq!(held_for(&world).as_deref(), Some("NoWayBack"));
        assert_eq!(world.status().hold.as_ref().unwrap().since, since, "told since when nobody could take them over");
    }
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    world.run_until(30, |world| world.outcome() == Some(Outcome::RolledBack));
}

#[rstest]
#[case::the_usual_budget(Span::minutes(5), 30)]
#[case::a_shorter_budget(Span::seconds(10), 10)]
fn users_of_two_dead_versions_go_to_stable_after_a_moment(#[case] budget: Span, #[case] moment: u32) {
    let mut world = only_the_canary_answers();
    world.seen.release.spec.rollback.time_budget = budget;
    looks(&mut world, moment - 1, both_are_dead);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    looks(&mut world, 3, both_are_dead);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::ZERO, "{}", world.trace.join("\n"));
    world.run_until(30, |world| world.outcome() == Some(Outcome::RolledBack));
}

#[test]
fn the_moment_of_a_missed_probe_is_no_deadline_for_anything_else() {
    let mut world = only_the_canary_answers();
    looks(&mut world, 5, both_are_dead);
    behaves(&mut world, "shop:v2", GOOD);
    world.prometheus = false;
    looks(&mut world, 60, nothing);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25), "{}", world.trace.join("\n"));
    world.prometheus = true;
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_workload_that_is_scaled_to_nothing_is_no_place_to_go_back_to() {
    let mut world = at_a_quarter();
    behaves(&mut world, "shop:v2", BAD);
    world.workload().replicas = 0;
    for set in &mut world.workload().sets {
        (set.replicas, set.existing, set.available) = (0, 0, 0);
    }
    world.settle();
    looks(&mut world, 60, nothing);
    assert_eq!(held_for(&world).as_deref(), Some("NoWayBack"), "{}", world.trace.join("\n"));
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    world.workload().replicas = 4;
    looks(&mut world, 30, nothing);
    assert_eq!((world.outcome(), world.split()), (Some(Outcome::RolledBack), Split::HOME));
}

/// An attempt that was closed in the middle of its promotion: the canary has all users, the workload has no ready pod.
pub(super) fn left_with_the_canary() -> World {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.status().promotion.as_ref().is_some_and(|it| it.resumed_at.is_some()));
    let now = world.now;
    let status = world.seen.record.as_mut().unwrap().status.as_mut().unwrap();
    (status.outcome, status.ended_at, status.phase) = (Some(Outcome::NotWithdrawn), Some(now), Phase::Complete);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::FULL);
    world
}

#[test]
fn what_an_attempt_left_keeps_its_users_until_the_workload_answers_and_drains_before_it_goes() {
    let mut world = left_with_the_canary();
    looks(&mut world, 10, stable_is_dead);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NoWayBack".into()));
    looks(&mut world, 10, both_are_dead);
    assert_eq!(
        world.split().weight(Carrier::Canary),
        Weight::FULL,
        "one missed probe, or ten\n{}",
        world.trace.join("\n")
    );
    world.trace.clear();
    looks(&mut world, 20, nothing);
    assert_eq!(world.split(), Split::HOME);
    assert!(world.seen.canary.is_none() && world.seen.previous.is_none());
    drained(&world);
}

/// The canary leaves the route one drain after it got weight 0, then goes.
pub(super) fn drained(world: &World) {
    let at = |what: &str, is: fn(&str) -> bool| {
        let line = world.trace.iter().find(|line| is(line));
        let line = line.unwrap_or_else(|| panic!("nothing says that {what}\n{}", world.trace.join("\n")));
        line.trim_start().split('s').next().unwrap().parse::<u64>().unwrap()
    };
    let emptied = at("the canary gets weight 0", |line| line.contains("canary 0 %"));
    let left = at("it leaves the route", |line| line.ends_with("route: workload 100 %"));
    let gone = at("it goes", |line| line.ends_with("canary deleted"));
    assert!(left >= emptied + 2 && gone >= left, "{}", world.trace.join("\n"));
}

#[test]
fn a_newer_template_lets_a_good_canary_go_on_while_only_it_answers() {
    let mut world = at_a_quarter();
    behaves(&mut world, "shop:v1", NEVER_READY);
    world.settle();
    world.deploy("shop:v3", GOOD);
    looks(&mut world, 60, nothing);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::FULL, "{}", world.trace.join("\n"));
    assert_eq!(world.outcome(), None);
    behaves(&mut world, "shop:v1", GOOD);
    world.settle();
    let attempt = |world: &World| world.seen.record.as_ref().unwrap().spec.attempt;
    world.run_until(600, |world| attempt(world) == 3 && world.outcome() == Some(Outcome::Succeeded));
    let runs = &world.workload().template;
    assert_eq!(*runs, pod_template("shop:v3"));
}

/// A newer template is let run by a person in the middle of that hold: no more is needed to get out of it.
#[rstest]
#[case::resumed(|world: &mut World| world.workload().resumed_by = Some("bob".into()))]
#[case::break_glass(|world: &mut World| world.workload().break_glass = Some("checkout is down".into()))]
fn a_fix_that_is_let_go_gets_the_users_when_it_is_ready(#[case] how: fn(&mut World)) {
    let mut world = at_a_quarter();
    behaves(&mut world, "shop:v1", NEVER_READY);
    behaves(&mut world, "shop:v2", BAD);
    world.settle();
    world.deploy("shop:v3", GOOD);
    looks(&mut world, 60, nothing);
    let hold = world.status().hold.clone().unwrap();
    assert_eq!((hold.reason.as_str(), world.split().weight(Carrier::Canary)), ("NoWayBack", Weight::whole(25)));
    assert!(hold.message.contains("kubectl rollout resume deployment/checkout -n shop"), "{}", hold.message);
    let version = world.bump();
    let workload = world.workload();
    (workload.paused, workload.paused_because, workload.resource_version) = (false, None, version);
    how(&mut world);
    looks(&mut world, 30, nothing);
    assert_eq!(world.split(), Split::HOME, "{}", world.trace.join("\n"));
    assert_eq!(world.outcome(), Some(Outcome::Bypassed));
    let endpoints = world.seen.service.as_ref().unwrap().ready_endpoints;
    assert!(endpoints > 0 && world.seen.canary.is_none());
}

#[test]
fn objects_of_a_side_without_its_deployment_go_too() {
    let mut world = left_with_the_canary();
    world.run_until(60, |world| world.seen.canary.is_none());
    let mut orphan = left_with_the_canary().seen.canary.unwrap();
    orphan.deployment = None;
    for leaving in [false, true] {
        world.seen.canary = Some(orphan.clone());
        world.seen.release.deleting = leaving;
        let actions = plan(&world.seen, world.now).actions;
        assert!(actions.contains(&Action::Delete { carrier: Carrier::Canary }), "{actions:?}");
    }
}
