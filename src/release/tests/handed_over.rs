//! Stories of a GatedRelease that is given its workload in the middle of a roll: what ran then costs nobody anything, and what is let
//! past the gate from then on is recorded and charged.

use super::*;
use crate::release::template;
use crate::release::twins::Claim;
use crate::release::world::pod_template;

/// A release that knows v1, and that waits while another one has the workload.
fn waits() -> World {
    let mut world = World::new();
    let first = Claim { name: "first".into(), uid: "g0".into(), finalizer: true, ..Claim::of(&world.seen.release) };
    world.seen.others = vec![first];
    world.run_until(10, |world| !world.seen.release.finalizer);
    world.run(2);
    world
}

/// Nothing holds the template any more.
fn let_go(world: &mut World, who: Option<&str>) {
    let workload = world.workload();
    (workload.paused, workload.paused_because) = (false, None);
    workload.resumed_by = who.map(str::to_owned);
}

/// Somebody else ships a template, whose roll goes on until its pods get ready.
fn rolls(world: &mut World, image: &str) {
    world.deploy(image, NEVER_READY);
    let_go(world, None);
    world.run(2);
    assert_eq!(active(world).len(), 2, "{}", world.trace.join("\n"));
}

/// The roll ends.
fn rolled(world: &mut World, image: &str) {
    world.behaviour.insert(template::revision(&pod_template(image)), GOOD);
    world.run(6);
    assert_eq!(active(world), [image], "{}", world.trace.join("\n"));
}

fn active(world: &World) -> Vec<&str> {
    let sets = world.seen.workload.as_ref().unwrap().sets.iter().filter(|set| set.is_active());
    sets.map(|set| set.template["spec"]["containers"][0]["image"].as_str().unwrap()).collect()
}

fn charges(world: &World) -> u64 {
    world.seen.risk.as_ref().unwrap().ledger.sequence
}

fn attempts(world: &World) -> u32 {
    world.seen.record.as_ref().map_or(0, |record| record.spec.attempt)
}

fn not_settled(world: &World) -> bool {
    let all = &world.seen.release.status.conditions;
    all.iter().any(|it| (it.kind.as_str(), it.reason.as_str()) == ("Ready", "NotSettled"))
}

/// The first release of two is deleted while the workload rolls.
fn taken_over() -> World {
    let mut world = waits();
    rolls(&mut world, "shop:v2");
    world.seen.others.clear();
    world
}

/// A GatedRelease that is created while the workload rolls, and has never had it before.
fn created() -> World {
    let mut world = World::new();
    (world.seen.record, world.seen.release.finalizer) = (None, false);
    world.seen.release.status = Default::default();
    // Nobody looks yet.
    world.deploy("shop:v2", NEVER_READY);
    let_go(&mut world, None);
    (0..2).for_each(|_| world.settle());
    world
}

/// The same under the name of one that was deleted: its records are still there.
fn created_anew() -> World {
    let mut world = created();
    world.seen.record = World::new().seen.record;
    world
}

/// One that another one had, that waits for its label too, and is given both in the middle of a roll.
fn labelled() -> World {
    let mut world = waits();
    world.workload().gated = false;
    rolls(&mut world, "shop:v2");
    world.seen.others.clear();
    world.look(None);
    world.look(None);
    world.workload().gated = true;
    world
}

#[rstest]
fn what_rolled_when_it_was_handed_over_is_waited_for_and_is_stable(
    #[values(taken_over, created, created_anew, labelled)] handed: fn() -> World,
    #[values(false, true)] dies: bool,
) {
    let mut world = handed();
    let (records, before) = (attempts(&world), charges(&world));
    if dies {
        world.run_crashing(&[0]);
    }
    step_until(&mut world, 5, not_settled);
    world.run(5);
    assert!(not_settled(&world) && attempts(&world) == records, "{}", world.trace.join("\n"));
    rolled(&mut world, "shop:v2");
    assert_eq!(world.outcome(), Some(Outcome::Bootstrap), "{}", world.trace.join("\n"));
    assert_eq!((attempts(&world), charges(&world)), (records + 1, before));
    assert_eq!(condition(&world, "Ready"), (Truth::True, "InForce".into()));
    assert!(world.seen.release.finalizer && world.seen.release.status.handed_over.is_none());
    world.deploy("shop:v3", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

fn resumed(world: &mut World) {
    world.deploy("shop:v3", GOOD);
    world.run(3);
    assert!(not_settled(world) && active(world).len() == 2, "{}", world.trace.join("\n"));
    let_go(world, Some("bob"));
}

/// Between two looks.
fn resumed_at_once(world: &mut World) {
    world.deploy("shop:v3", GOOD);
    let_go(world, Some("bob"));
}

fn unlabelled(world: &mut World) {
    world.workload().gated = false;
    world.run(1);
    world.deploy("shop:v3", GOOD);
    let_go(world, None);
}

fn forced(world: &mut World) {
    resumed_at_once(world);
    world.workload().break_glass = Some("INC-7".into());
}

#[rstest]
fn what_is_let_past_the_gate_afterwards_is_recorded_and_charged(
    #[values(taken_over, created, created_anew, labelled)] handed: fn() -> World,
    #[values(resumed, resumed_at_once, unlabelled, forced)] deed: fn(&mut World),
) {
    let mut world = handed();
    step_until(&mut world, 5, not_settled);
    let (records, before) = (attempts(&world), charges(&world));
    deed(&mut world);
    world.run(10);
    assert_eq!(active(&world), ["shop:v3"]);
    assert_eq!(world.outcome(), Some(Outcome::Bypassed), "{}", world.trace.join("\n"));
    assert!(world.status().charge.as_ref().is_some_and(|charge| charge.exception));
    assert_eq!((attempts(&world), charges(&world)), (records + 1, before + 1), "{}", world.trace.join("\n"));
    world.workload().gated = true;
    world.run(10);
    assert_eq!((attempts(&world), charges(&world)), (records + 1, before + 1), "once");
}

#[test]
fn who_lets_a_held_template_go_before_its_release_is_made_anew_pays_for_it() {
    let mut world = created_anew();
    world.workload().resumed_by = Some("bob".into());
    world.run(10);
    assert_eq!((world.outcome(), charges(&world)), (Some(Outcome::Bypassed), 1), "{}", world.trace.join("\n"));
}

/// What was tried here, and let run while nobody looked, is no ordinary roll.
#[test]
fn what_was_held_before_the_release_left_is_a_bypass_when_it_comes_back() {
    let mut world = at_a_quarter();
    world.seen.release.detached = true;
    world.run_until(100, |world| !world.seen.release.finalizer);
    let_go(&mut world, None);
    world.run(2);
    let before = charges(&world);
    world.seen.release.detached = false;
    world.run(10);
    assert_eq!((world.outcome(), charges(&world)), (Some(Outcome::Bypassed), before + 1), "{}", world.trace.join("\n"));
}

/// The other one shipped v2 and holds v3: v2 is what serves, and not what this release knew last.
#[rstest]
fn what_runs_in_a_workload_that_is_handed_over_held_is_stable(
    #[values(GOOD, BAD)] behaviour: Behaviour,
    #[values(false, true)] dies: bool,
) {
    let mut world = waits();
    rolls(&mut world, "shop:v2");
    rolled(&mut world, "shop:v2");
    world.deploy("shop:v3", behaviour);
    world.run(2);
    world.seen.others.clear();
    if dies {
        world.run_crashing(&[0, 1]);
    }
    for _ in 0..20 {
        world.run(1);
        assert_eq!(active(&world), ["shop:v2"], "{}", world.trace.join("\n"));
    }
    let v2 = template::revision(&pod_template("shop:v2"));
    let record = world.seen.record.clone().unwrap();
    assert_eq!((record.spec.attempt, record.spec.stable), (3, Some(v2)), "{}", world.trace.join("\n"));
    let end = if behaviour == GOOD { Outcome::Succeeded } else { Outcome::RolledBack };
    world.run_until(300, |world| world.outcome() == Some(end));
    world.run(5);
    assert_eq!(active(&world), [if behaviour == GOOD { "shop:v3" } else { "shop:v2" }]);
}

/// Held in the middle of a roll, it waits for a person; which of the two versions they leave does not matter.
#[rstest]
fn a_workload_that_is_handed_over_held_in_the_middle_of_a_roll_waits_for_one_version(#[values(0, 1)] left: usize) {
    let mut world = waits();
    rolls(&mut world, "shop:v2");
    world.deploy("shop:v3", GOOD);
    world.seen.others.clear();
    world.run(5);
    assert!(not_settled(&world) && active(&world).len() == 2, "{}", world.trace.join("\n"));
    world.behaviour.insert(template::revision(&pod_template("shop:v2")), GOOD);
    for (place, set) in world.workload().sets.iter_mut().enumerate() {
        set.replicas = if place == left { 4 } else { 0 };
    }
    (0..2).for_each(|_| world.settle());
    world.run(3);
    let serves = template::revision(&pod_template(["shop:v1", "shop:v2"][left]));
    assert_eq!(world.seen.record.as_ref().unwrap().spec.stable, Some(serves), "{}", world.trace.join("\n"));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!((active(&world), charges(&world)), (vec!["shop:v3"], 1));
}

#[test]
fn a_roll_that_is_undone_to_what_the_release_knows_is_forgotten() {
    let mut world = taken_over();
    step_until(&mut world, 5, not_settled);
    world.workload().template = pod_template("shop:v1");
    world.workload().revision = template::revision(&pod_template("shop:v1"));
    world.workload().generation += 1;
    world.run(10);
    assert_eq!((active(&world), attempts(&world)), (vec!["shop:v1"], 1));
    assert_eq!(world.seen.release.status.handed_over, None);
    rolls(&mut world, "shop:v2");
    world.run(10);
    assert_eq!(world.outcome(), Some(Outcome::Bypassed), "what was handed over does not come back for free");
}
