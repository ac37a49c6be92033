//! Whoever applies a route without force is refused for no longer than until the next look: its rules are given back after
//! each write of weights, whatever else goes on.

use super::*;
use crate::release::action::Action;

const fn gives_back(action: &Action) -> bool {
    matches!(action, Action::DisownRules { .. })
}

const fn steers(action: &Action) -> bool {
    matches!(action, Action::SetSplit { .. })
}

fn owned(world: &World) -> bool {
    world.seen.routes[0].owned.is_some()
}

/// The rules are Tidegate's, as an earlier version left them.
fn left_owned(world: &mut World) {
    let version = world.bump();
    world.seen.routes[0].owned = Some(version.clone());
    if let Ok(route) = &mut world.seen.routes[0].state {
        route.resource_version = version;
    }
}

#[rstest]
#[case::good(GOOD, Outcome::Succeeded)]
#[case::bad(BAD, Outcome::RolledBack)]
fn the_look_after_a_write_of_weights_gives_the_rules_back(#[case] how: Behaviour, #[case] outcome: Outcome) {
    let mut world = World::new();
    world.deploy("shop:v2", how);
    let (mut given, mut after_weights) = (0, false);
    for _ in 0..1_000 {
        let plan = world.look(None);
        let steered = plan.actions.iter().any(steers);
        let back = plan.actions.iter().any(gives_back);
        assert_eq!(back, after_weights && !steered, "{:?}\n{}", plan.actions, world.trace.join("\n"));
        assert!(!back || plan.actions.first().is_some_and(gives_back), "nothing that fails keeps it from its turn");
        given += usize::from(back);
        after_weights = steered;
        if plan.actions.is_empty() {
            world.run(1);
        }
        world.settle();
    }
    assert_eq!((world.outcome(), owned(&world)), (Some(outcome), false));
    assert!(given > 2, "{given}");
}

#[rstest]
#[case::the_route_leads_here(None)]
#[case::the_route_leads_elsewhere(Some(RouteProblem::NoBackend { marked: None }))]
#[case::the_route_cannot_be_divided(Some(RouteProblem::Unsplittable("why".into())))]
fn what_an_earlier_version_left_is_given_back_and_nothing_else_is_written(#[case] problem: Option<RouteProblem>) {
    let mut world = World::new();
    if let Some(problem) = problem {
        world.seen.routes[0].state = Err(problem);
        while !world.look(None).actions.is_empty() {}
    }
    left_owned(&mut world);
    let writes = world.look(None).actions;
    assert!(matches!(&writes[..], [Action::DisownRules { .. }]), "{writes:?}");
    assert!(world.look(None).actions.is_empty() && !owned(&world));
}

/// A controller that dies after each first write, or each second, comes through all the same, and leaves nothing owned.
#[rstest]
#[case::first(1)]
#[case::second(2)]
fn a_crash_between_the_two_writes_heals(#[case] writes: usize) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_crashing(&[writes; 40]);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(2);
    assert!(!owned(&world));
}

#[rstest]
#[case::in_mid_release(at_a_quarter())]
#[case::in_verification(in_verification())]
#[case::after_a_late_rollback(came_back_late())]
fn who_leaves_gives_the_rules_back_before(#[case] mut world: World) {
    left_owned(&mut world);
    world.seen.release.detached = true;
    step_until(&mut world, 500, |world| !world.seen.release.finalizer);
    assert!(!owned(&world));
    // What it owned after that is as its owner left it.
    left_owned(&mut world);
    assert!(world.look(None).actions.is_empty(), "who is detached writes to no route");
}

#[test]
fn pods_that_are_refused_keep_no_owner_waiting() {
    let mut world = at_a_quarter();
    left_owned(&mut world);
    assert!(world.look(Some(1)).actions.first().is_some_and(gives_back));
    assert!(!owned(&world));
}
