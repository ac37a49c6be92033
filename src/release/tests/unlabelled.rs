//! Stories of a workload whose label was taken off: what ships meanwhile is on record and charged, each once.

use super::taken_away::{half_back, rolling, verifying};
use super::*;
use crate::api::names::GATED;
use crate::api::release_record::ChargeRecord;

/// Somebody takes the label off, or puts it back.
fn label(world: &mut World, gated: bool) {
    let version = world.bump();
    let workload = world.workload();
    (workload.gated, workload.resource_version) = (gated, version);
}

/// Another template without the label: nothing holds it, and nobody stamps who changed it.
fn ships(world: &mut World, image: &str) {
    world.deploy(image, GOOD);
    let_go(world);
}

fn let_go(world: &mut World) {
    let version = world.bump();
    let workload = world.workload();
    (workload.paused, workload.paused_because, workload.resource_version) = (false, None, version);
}

fn attempt(world: &World) -> u32 {
    world.seen.record.as_ref().unwrap().spec.attempt
}

fn charge(world: &World) -> ChargeRecord {
    world.status().charge.clone().unwrap()
}

/// How many charges the budget was given.
fn charges(world: &World) -> u64 {
    world.seen.risk.as_ref().unwrap().ledger.sequence
}

fn runs(world: &World, image: &str) -> bool {
    let sets = &world.seen.workload.as_ref().unwrap().sets;
    let mut active = sets.iter().filter(|set| set.is_active());
    active.all(|set| set.template["spec"]["containers"][0]["image"] == image)
}

#[test]
fn what_ships_without_the_label_is_recorded_and_charged_while_it_is_off() {
    let mut world = World::new();
    label(&mut world, false);
    world.run(3);
    ships(&mut world, "shop:v2");
    world.run(6);
    assert_eq!((world.outcome(), attempt(&world)), (Some(Outcome::Bypassed), 2));
    assert!(world.status().summary.contains(GATED), "{}", world.status().summary);
    let spec = &world.seen.record.as_ref().unwrap().spec;
    assert_eq!(spec.changed_by, "", "the stamp is of an earlier change");
    assert!(charge(&world).exception);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NotGated".into()));
    ships(&mut world, "shop:v3");
    world.run(6);
    assert_eq!((attempt(&world), charges(&world)), (3, 2), "each has a record of its own");

    label(&mut world, true);
    world.run(10);
    assert_eq!((attempt(&world), charges(&world)), (3, 2), "the label's return is no change");
    assert_eq!(condition(&world, "Ready"), (Truth::True, "InForce".into()));
    world.deploy("shop:v4", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[rstest]
fn so_it_is_without_a_route(#[values("Deployment", "StatefulSet")] kind: &str) {
    let mut world = World::by_count(kind);
    label(&mut world, false);
    ships(&mut world, "shop:v2");
    if kind == "StatefulSet" {
        world.ordinals().partition = 0;
    }
    world.run(10);
    assert_eq!((world.outcome(), attempt(&world), charges(&world)), (Some(Outcome::Bypassed), 2, 1));
}

#[test]
fn a_label_that_goes_and_comes_back_leaves_nothing() {
    let mut world = World::new();
    label(&mut world, false);
    world.run(5);
    let plan = world.look(None);
    assert!(plan.actions.is_empty() && plan.events.is_empty(), "{plan:?}");
    let ready = world.seen.release.status.conditions.iter().find(|it| it.kind == "Ready").unwrap();
    assert!(ready.message.contains("recorded as Bypassed and charged"), "{}", ready.message);
    label(&mut world, true);
    world.run(5);
    assert_eq!((world.outcome(), attempt(&world), charges(&world)), (Some(Outcome::Bootstrap), 1, 0));
}

#[test]
fn a_workload_that_was_never_under_the_gate_is_nobody_s_bypass() {
    let mut world = World::new();
    label(&mut world, false);
    world.seen.record = None;
    world.seen.release.status = Default::default();
    ships(&mut world, "shop:v2");
    world.run(5);
    assert_eq!((world.seen.record.as_ref(), charges(&world)), (None, 0));
}

#[test]
fn what_no_user_meets_is_not_charged() {
    let mut world = World::new();
    label(&mut world, false);
    world.workload().replicas = 0;
    for set in &mut world.workload().sets {
        (set.replicas, set.existing, set.available) = (0, 0, 0);
    }
    ships(&mut world, "shop:v2");
    world.look(None);
    assert_eq!((attempt(&world), charges(&world)), (1, 0), "no pod runs it");
    world.workload().replicas = 4;
    (0..5).for_each(|_| world.settle());
    world.run(10);
    assert_eq!((world.outcome(), charges(&world)), (Some(Outcome::Bypassed), 1));

    let mut world = came_back_late();
    let (before, charged) = (attempt(&world), charges(&world));
    label(&mut world, false);
    ships(&mut world, "shop:v3");
    world.run(10);
    assert_eq!((attempt(&world), charges(&world)), (before, charged), "the previous version has all users");
    label(&mut world, true);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!((attempt(&world), charges(&world)), (before + 1, charged + 1), "it is judged where it is");
}

/// What was held when the label went is held until somebody lets it go; that users met it in stages before was another exposure.
#[test]
fn what_was_held_and_is_let_go_without_the_label_is_charged_when_it_runs() {
    let mut world = at_a_quarter();
    label(&mut world, false);
    world.run_until(60, |world| world.outcome() == Some(Outcome::Abandoned));
    world.run(10);
    assert_eq!((attempt(&world), charges(&world), world.split()), (2, 1, Split::HOME));
    let_go(&mut world);
    world.run(10);
    assert_eq!((world.outcome(), attempt(&world), charges(&world)), (Some(Outcome::Bypassed), 3, 2));
    assert!(charge(&world).exception);
    label(&mut world, true);
    world.run(10);
    assert_eq!((attempt(&world), charges(&world)), (3, 2));
}

/// In mid-promotion the label's removal brings users back to the previous version; its return is no new exposure.
#[rstest]
fn a_version_that_the_workload_was_taking_over_is_charged_once(
    #[values(rolling, half_back, verifying)] moment: fn(&World) -> bool,
) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, moment);
    world.run(1);
    label(&mut world, false);
    world.run_until(100, |world| world.outcome() == Some(Outcome::Abandoned));
    world.run(20);
    assert_eq!((attempt(&world), charges(&world), charge(&world).exception), (2, 1, false));
    assert_eq!(world.split().weight(Carrier::Previous), Weight::FULL, "{}", world.trace.join("\n"));
    label(&mut world, true);
    world.run(20);
    assert_eq!((attempt(&world), charges(&world)), (2, 1), "{}", world.trace.join("\n"));
    world.deploy("shop:v3", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!((attempt(&world), charges(&world)), (3, 2));
}

fn detach(world: &mut World) {
    world.seen.release.detached = true;
    world.run_until(200, |world| !world.seen.release.finalizer);
    assert_eq!(world.outcome(), Some(Outcome::Abandoned));
    world.run(5);
    world.seen.release.detached = false;
}

/// Who detaches in mid-promotion goes forward: what the workload runs stays, was charged when users met it first, and is stable.
#[rstest]
fn what_the_workload_took_over_before_it_was_detached_is_charged_once_and_is_stable(
    #[values(rolling, half_back, verifying)] moment: fn(&World) -> bool,
) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, moment);
    world.run(1);
    detach(&mut world);
    world.run(10);
    assert_eq!((attempt(&world), charges(&world), charge(&world).exception), (2, 1, false));
    assert_eq!(condition(&world, "Ready"), (Truth::True, "InForce".into()), "{}", world.trace.join("\n"));
    assert!(!world.workload().paused && runs(&world, "shop:v2"));
    let v2 = world.workload().revision.clone();
    world.deploy("shop:v3", GOOD);
    world.run(3);
    assert_eq!(world.seen.record.as_ref().unwrap().spec.stable, Some(v2));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// The next template is held before anybody has looked again, and the version before the last one must not be taken for stable.
#[test]
fn a_template_that_comes_before_the_gate_is_back_leaves_what_runs_alone() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, verifying);
    detach(&mut world);
    world.deploy("shop:v3", BAD);
    for _ in 0..20 {
        world.run(1);
        assert!(runs(&world, "shop:v2"), "{}", world.trace.join("\n"));
    }
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    assert!(runs(&world, "shop:v2"), "{}", world.trace.join("\n"));
}
