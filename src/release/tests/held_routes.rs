//! Which routes may not be taken off the list: those that lead to a version beside the workload, as long as they do.

use super::*;
use crate::release::snapshot::RouteSeen;
use crate::release::world::plain_route;

const BOTH: [&str; 2] = ["checkout", "second"];

/// Two routes lead to the workload.
fn with_two_routes(mut world: World) -> World {
    let plain = plain_route(world.bump());
    world.seen.routes.push(RouteSeen { name: "second".into(), state: Ok(plain), owned: None });
    world
}

fn held(world: &World) -> &[String] {
    &world.seen.release.status.held_routes
}

fn late() -> World {
    let mut world = with_two_routes(World::new());
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    assert_eq!(held(&world), BOTH, "the previous version is in both at weight 0");
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    world.run(3);
    world
}

#[test]
fn routes_are_held_after_a_late_rollback_until_git_has_reverted() {
    let mut world = late();
    assert_eq!((held(&world), world.seen.release.status.weight), (&BOTH.map(str::to_owned)[..], None));

    // The next attempt is planned, and waits.
    world.seen.budget = BudgetSeen::Unmeasured("no answer".into());
    world.deploy("shop:v1", GOOD);
    world.run(5);
    assert_eq!((world.phase(), world.seen.release.status.weight), (Some(Phase::Plan), None));
    assert_eq!(held(&world), BOTH);

    world.seen.budget = World::new().seen.budget;
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(3);
    assert!(world.seen.previous.as_ref().is_none_or(|side| side.deployment.is_none()));
    assert_eq!(held(&world), [""; 0], "{}", world.trace.join("\n"));
}

#[test]
fn a_route_that_is_gone_or_leads_elsewhere_is_not_held() {
    let mut world = late();
    world.seen.routes[1].state = Err(RouteProblem::Missing);
    world.run(3);
    assert_eq!(held(&world), ["checkout"]);
    world.seen.routes[1].state = Err(RouteProblem::NoBackend { marked: None });
    world.run(3);
    assert_eq!(held(&world), ["checkout"]);
}

/// Somebody writes weights that add up to nothing, while nothing stands beside the workload and while the previous version does.
#[rstest]
#[case::nothing_beside(with_two_routes(World::new()), &[])]
#[case::with_a_previous_version(late(), &BOTH)]
fn weights_that_say_nothing_are_held_as_long_as_a_version_stands(#[case] mut world: World, #[case] wanted: &[&str]) {
    world.run(3);
    world.seen.routes[1].state.as_mut().unwrap().rules = vec![None];
    world.look(None);
    assert_eq!(held(&world), wanted);
}

#[test]
fn nothing_is_held_before_a_release() {
    let mut world = with_two_routes(World::new());
    world.run(5);
    assert_eq!(held(&world), [""; 0]);
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.phase() == Some(Phase::Release));
    assert_eq!(held(&world), BOTH);
}
