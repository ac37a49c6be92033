//! What counts as a rollback: a return to what users were served by lately, and nothing that was left or came back.

use super::*;
use crate::api::gated_release::CompletedRevision;
use crate::release::template;
use crate::release::world::pod_template;

fn name(image: &str) -> String {
    template::revision(&pod_template(image))
}

fn completed(world: &World) -> Vec<CompletedRevision> {
    world.seen.release.status.completed.clone().unwrap_or_default()
}

/// The list as images.
fn listed(world: &World) -> Vec<&'static str> {
    let all = ["shop:v1", "shop:v2", "shop:v3", "shop:v4"];
    let image = |one: &CompletedRevision| all.into_iter().find(|image| name(image) == one.revision).unwrap();
    completed(world).iter().map(image).collect()
}

/// Ships an image that does well; says as what it was judged.
fn shipped(world: &mut World, image: &str) -> ChangeType {
    let kind = begun(world, image);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(5);
    kind
}

/// Begins an attempt at an image; says as what it is judged.
fn begun(world: &mut World, image: &str) -> ChangeType {
    begun_as(world, image, GOOD)
}

fn begun_as(world: &mut World, image: &str, behaviour: Behaviour) -> ChangeType {
    let attempts = world.seen.release.status.attempts;
    world.deploy(image, behaviour);
    world.run_until(10, |world| world.seen.release.status.attempts > attempts);
    world.seen.record.as_ref().unwrap().spec.change.kind
}

/// Runs an image ungated, under break-glass.
fn forced(world: &mut World, image: &str) {
    world.deploy(image, GOOD);
    world.workload().paused = false;
    world.workload().paused_because = None;
    world.workload().break_glass = Some("INC-7".into());
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    world.run(5);
    world.workload().break_glass = None;
}

#[test]
fn a_revert_to_what_completed_lately_is_a_rollback() {
    let mut world = World::new();
    assert_eq!(listed(&world), ["shop:v1"]);
    assert_eq!(shipped(&mut world, "shop:v2"), ChangeType::Feature);
    assert_eq!(shipped(&mut world, "shop:v3"), ChangeType::Feature);
    assert_eq!(listed(&world), ["shop:v1", "shop:v2", "shop:v3"]);
    let records: Vec<_> = completed(&world).into_iter().map(|one| one.record.unwrap()).collect();
    assert_eq!(records, ["checkout-0001", "checkout-0002", "checkout-0003"]);
    assert_eq!(shipped(&mut world, "shop:v1"), ChangeType::Rollback);
    assert_eq!(listed(&world), ["shop:v1"], "what was left is no way back");
}

#[test]
fn forward_again_is_a_change() {
    let mut world = World::new();
    shipped(&mut world, "shop:v2");
    assert_eq!(shipped(&mut world, "shop:v1"), ChangeType::Rollback);
    assert_eq!(shipped(&mut world, "shop:v2"), ChangeType::Feature);
    assert_eq!(listed(&world), ["shop:v1", "shop:v2"]);
    assert_eq!(begun(&mut world, "shop:v1"), ChangeType::Rollback);
}

#[test]
fn what_came_back_is_no_way_back() {
    let mut world = World::new();
    begun_as(&mut world, "shop:v2", BAD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    shipped(&mut world, "shop:v3");
    // Its ReplicaSet may still be there; no user was served by it.
    let template = pod_template("shop:v2");
    let old = crate::release::snapshot::ReplicaSetSeen {
        name: "checkout-v2".into(),
        replicas: 0,
        existing: 0,
        available: 0,
        template,
        ..world.workload().sets[0].clone()
    };
    world.workload().sets.push(old);
    assert_eq!(begun(&mut world, "shop:v2"), ChangeType::Feature);
}

#[test]
fn a_way_back_that_failed_is_none_any_more() {
    let mut world = World::new();
    shipped(&mut world, "shop:v2");
    assert_eq!(begun_as(&mut world, "shop:v1", BAD), ChangeType::Rollback);
    world.run_until(200, |world| world.outcome() == Some(Outcome::RolledBack));
    world.run(5);
    assert_eq!(listed(&world), ["shop:v2"]);
    shipped(&mut world, "shop:v3");
    assert_eq!(begun(&mut world, "shop:v1"), ChangeType::Feature);
}

/// 30 days count from when another took its place, and not from when it completed: what ran for a year until yesterday is
/// what users know.
#[rstest]
#[case::just_left(Span::days(29), ChangeType::Rollback)]
#[case::long_ago(Span::days(31), ChangeType::Feature)]
fn a_way_back_ends(#[case] later: Span, #[case] kind: ChangeType) {
    let mut world = World::new();
    world.now = world.now.plus(Span::days(300));
    shipped(&mut world, "shop:v2");
    world.now = world.now.plus(later);
    assert_eq!(begun(&mut world, "shop:v1"), kind);
}

#[test]
fn after_break_glass_the_way_back_is_free_and_the_way_forward_is_not() {
    let mut world = World::new();
    forced(&mut world, "shop:v2");
    assert_eq!(listed(&world), ["shop:v1"], "what ran ungated did not complete");
    assert!(completed(&world)[0].served_until.is_some());
    assert_eq!(shipped(&mut world, "shop:v1"), ChangeType::Rollback);
    assert_eq!(begun(&mut world, "shop:v2"), ChangeType::Feature);
}

#[test]
fn break_glass_back_is_a_return_too() {
    let mut world = World::new();
    shipped(&mut world, "shop:v2");
    forced(&mut world, "shop:v1");
    assert_eq!((listed(&world), completed(&world)[0].served_until), (vec!["shop:v1"], None));
    assert_eq!(begun(&mut world, "shop:v2"), ChangeType::Feature);
}

#[test]
fn the_list_is_bounded() {
    let mut world = World::new();
    for number in 2..=12 {
        let image = format!("shop:v{number}");
        assert_eq!(shipped(&mut world, &image), ChangeType::Feature, "{image}");
    }
    let known = completed(&world);
    assert_eq!((known.len(), &known[9].revision), (10, &name("shop:v12")));
    assert!(known.iter().rev().skip(1).all(|one| one.served_until.is_some()) && known[9].served_until.is_none());
    assert_eq!(begun(&mut world, "shop:v2"), ChangeType::Feature);
    assert_eq!(begun(&mut world, "shop:v3"), ChangeType::Rollback);
}

#[test]
fn where_no_list_was_kept_the_last_record_tells_of_one_way_back() {
    let mut world = World::new();
    shipped(&mut world, "shop:v2");
    world.seen.release.status.completed = None;
    assert_eq!(begun(&mut world, "shop:v1"), ChangeType::Rollback);

    let mut world = World::new();
    shipped(&mut world, "shop:v2");
    shipped(&mut world, "shop:v1");
    world.seen.release.status.completed = None;
    assert_eq!(begun(&mut world, "shop:v2"), ChangeType::Feature, "it was left");
}

/// Dies right after the write that ends the attempt, so that no status tells of it.
#[test]
fn a_crash_at_the_end_of_an_attempt_forgets_nothing() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.status().promotion.as_ref().is_some_and(|one| one.verified_at.is_some()));
    let before = world.seen.release.status.clone();
    world.run_until(30, |world| world.outcome() == Some(Outcome::Succeeded));
    world.seen.release.status.completed = before.completed;
    assert_eq!(begun(&mut world, "shop:v3"), ChangeType::Feature);
    assert_eq!(listed(&world), ["shop:v1", "shop:v2"]);
}
