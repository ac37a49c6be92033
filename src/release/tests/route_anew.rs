//! After a late rollback a route is made anew, led elsewhere or put back: users do not stay with the version that came back,
//! and the one that serves is not taken away.

use super::*;
use crate::release::snapshot::{CircuitSeen, RouteState};
use crate::release::template;
use crate::release::world::{plain_route, pod_template};

const SERVES: Split = Split::previous(Weight::FULL);

/// The route as its owner has it, with another object's resourceVersion and none of our marks.
fn fresh(world: &mut World) -> RouteState {
    plain_route(world.bump())
}

fn made_anew(world: &mut World) {
    world.seen.routes[0].state = Ok(fresh(world));
}

/// The owner writes the weights back past admission; the marks stay.
fn put_home(world: &mut World) {
    let route = world.seen.routes[0].state.as_mut().unwrap();
    route.rules = vec![Some(Split::HOME)];
}

fn part_put_home(world: &mut World) {
    let route = world.seen.routes[0].state.as_mut().unwrap();
    route.rules = vec![Some(Split::HOME), Some(Split::previous(Weight::whole(50)))];
}

fn stands(world: &World) -> bool {
    let side = world.seen.previous.as_ref().and_then(|side| side.deployment.as_ref());
    side.is_some_and(|deployment| !deployment.deleting)
}

fn ready(world: &World) -> (Truth, String, String) {
    let all = &world.seen.release.status.conditions;
    let ready = all.iter().find(|condition| condition.kind == "Ready").unwrap();
    (ready.status, ready.reason.clone(), ready.message.clone())
}

fn previous_is_ready(world: &mut World, ready: bool) {
    let pods = if ready { 4 } else { 0 };
    let side = world.seen.previous.as_mut().unwrap();
    side.endpoints = Some(pods);
    side.deployment.as_mut().unwrap().available = pods;
}

/// A circuit breaker that keeps whatever is planned from starting.
fn open_circuit() -> CircuitSeen {
    CircuitSeen { name: "payments".into(), above: 5.0, halts_fixes: true, note: String::new(), reading: Ok(7.0) }
}

fn size_of_previous(world: &World) -> u32 {
    world.seen.previous.as_ref().unwrap().deployment.as_ref().unwrap().replicas
}

/// Who serves grows with the workload, whatever is going on in it: nothing, a template that waits, or one that is judged.
#[rstest]
#[case::nothing(None)]
#[case::another_version(Some(GOOD))]
fn the_previous_version_grows_with_the_workload(#[case] next: Option<Behaviour>) {
    let mut world = came_back_late();
    let before = size_of_previous(&world);
    if let Some(next) = next {
        world.seen.circuits = vec![open_circuit()];
        world.deploy("shop:v3", next);
        world.run_until(60, |world| condition(world, "Held").1 == "CircuitOpen");
        assert_eq!(world.phase(), Some(Phase::Plan));
    }
    world.workload().replicas = before + 5;
    world.run(10);
    assert_eq!(size_of_previous(&world), before + 5);
    world.workload().replicas = before;
    world.run(30);
    assert_eq!(size_of_previous(&world), before + 5, "it never shrinks while it has all users");
}

#[rstest]
#[case::made_anew(made_anew)]
#[case::put_home_by_its_owner(put_home)]
#[case::put_home_in_a_part(part_put_home)]
fn users_are_sent_back_to_the_previous_version_before_anything_else(#[case] edit: fn(&mut World)) {
    let mut world = came_back_late();
    edit(&mut world);
    let plan = world.look(None);
    assert_eq!((plan.actions.len(), world.split()), (1, SERVES), "{:?}", plan.actions);
    let told = plan.events.iter().find(|event| event.reason == "SentBack").unwrap();
    for says in ["until Git reverts or fixes", "kubectl tidegate retry checkout -n shop", "kubectl tidegate detach"] {
        assert!(told.note.contains(says), "{}", told.note);
    }
    world.run(10);
    assert!(stands(&world) && world.split() == SERVES, "{}", world.trace.join("\n"));
    assert_eq!(condition(&world, "Ready"), (Truth::False, "RolledBack".into()));
    // The rest is as ever.
    world.deploy("shop:v1", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(5);
    assert!(world.split() == Split::HOME && world.seen.previous.is_none());
}

#[rstest]
#[case::missing(RouteProblem::Missing, "RouteMissing")]
#[case::led_elsewhere(RouteProblem::NoBackend { marked: Some("9".to_owned()) }, "RouteWithoutService")]
fn while_the_route_is_away_nothing_is_deleted_and_that_is_said(#[case] away: RouteProblem, #[case] reason: &str) {
    let mut world = came_back_late();
    world.seen.routes[0].state = Err(away);
    for _ in 0..20 {
        let plan = world.look(None);
        assert!(plan.actions.is_empty(), "{:?}", plan.actions);
        world.settle();
        world.now = world.now.plus(Span::seconds(1));
    }
    let (status, because, says) = ready(&world);
    assert_eq!((status, because.as_str()), (Truth::False, reason));
    assert!(says.contains("The previous version stays, and users go to it (Service checkout-previous)"), "{says}");
    assert!(says.contains("Create it") || says.contains("Correct the route"), "{says}");
    made_anew(&mut world);
    let plan = world.look(None);
    assert_eq!((plan.actions.len(), world.split()), (1, SERVES), "{:?}", plan.actions);
    world.run(5);
    assert!(stands(&world));
}

#[test]
fn a_previous_version_without_a_ready_pod_is_waited_for_and_kept() {
    let mut world = came_back_late();
    made_anew(&mut world);
    for _ in 0..10 {
        previous_is_ready(&mut world, false);
        let plan = world.look(None);
        assert!(plan.actions.is_empty() && plan.wake.is_some(), "{plan:?}");
        world.now = world.now.plus(Span::seconds(1));
    }
    let (status, reason, says) = ready(&world);
    assert_eq!((status, reason.as_str()), (Truth::False, "NoWayBack"));
    assert!(says.contains("checkout-previous has no ready pod") && says.contains("kubectl get pods -n shop"), "{says}");
    previous_is_ready(&mut world, true);
    world.look(None);
    assert!(world.split() == SERVES && stands(&world));
}

#[test]
fn the_label_s_absence_is_told_as_what_it_is_then() {
    let mut world = came_back_late();
    world.workload().gated = false;
    made_anew(&mut world);
    world.run(3);
    assert_eq!(world.split(), SERVES);
    let (_, reason, says) = ready(&world);
    assert_eq!(reason, "NotGated");
    assert!(says.contains("answered by the previous version (Service checkout-previous)"), "{says}");
    assert!(!says.contains("Bypassed") && says.contains("tidegate.io/gated=true"), "{says}");
}

#[test]
fn a_fix_that_is_held_does_not_leave_users_with_what_came_back_and_its_hold_keeps_its_deadline() {
    let mut world = came_back_late();
    world.seen.budget =
        BudgetSeen::Measured { status: BudgetStatus::Emergency, remaining_percent: 1.0, decided_by: "a".into() };
    world.deploy("shop:v3", GOOD);
    world.run(3);
    let hold = world.status().hold.clone().unwrap();
    assert_eq!(world.phase(), Some(Phase::Plan));
    made_anew(&mut world);
    world.run(1);
    assert_eq!((world.split(), world.status().hold.as_ref()), (SERVES, Some(&hold)));
    // Closed unreleased, its record has no way back of its own: who served goes on.
    world.run_until(700, |world| world.outcome() == Some(Outcome::Expired));
    made_anew(&mut world);
    world.run(5);
    assert!(world.split() == SERVES && stands(&world), "{}", world.trace.join("\n"));
}

#[test]
fn a_version_that_is_judged_in_the_workload_keeps_its_weight_while_it_waits_for_the_next() {
    let mut world = came_back_late();
    world.deploy("shop:v3", GOOD);
    world.run_until(300, |world| world.split().weight(Carrier::Workload) == Weight::whole(25));
    world.seen.budget = BudgetSeen::Unmeasured("Prometheus is away".into());
    world.run_until(60, |world| world.status().hold.is_some());
    let hold = world.status().hold.clone();
    assert_eq!((world.status().stage, hold.as_ref().map(|hold| hold.reason.as_str())), (2, Some("BudgetUnknown")));
    made_anew(&mut world);
    world.run(1);
    assert_eq!(world.split().weight(Carrier::Workload), Weight::whole(25), "{}", world.trace.join("\n"));
    assert_eq!(world.status().hold, hold);
}

#[test]
fn a_way_back_that_a_new_route_undoes_waits_for_pods_of_the_previous_version() {
    let mut world = in_verification();
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(100, |world| world.phase() == Some(Phase::Rollback));
    world.behaviour.insert(template::revision(&pod_template("shop:v1")), NEVER_READY);
    made_anew(&mut world);
    world.settle();
    world.run(5);
    assert_eq!(world.status().hold.as_ref().map(|hold| hold.reason.as_str()), Some("NoWayBack"));
    world.behaviour.insert(template::revision(&pod_template("shop:v1")), GOOD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.split(), SERVES);
}

/// Another template that its owner let run past the gate, and to which he leads the route, is his will.
#[test]
fn a_template_that_was_let_go_past_the_gate_keeps_the_users_whom_its_owner_sends_there() {
    let mut world = came_back_late();
    world.deploy("shop:v3", GOOD);
    let version = world.bump();
    let workload = world.workload();
    (workload.paused, workload.paused_because, workload.resource_version) = (false, None, version);
    workload.break_glass = Some("checkout is down".into());
    (0..30).for_each(|_| world.settle());
    made_anew(&mut world);
    world.run(10);
    assert_eq!((world.outcome(), world.split()), (Some(Outcome::Bypassed), Split::HOME), "{}", world.trace.join("\n"));
    assert!(world.seen.previous.is_none());
}

#[test]
fn without_the_record_the_route_decides() {
    let mut world = came_back_late();
    world.seen.record = None;
    world.look(None);
    assert!(stands(&world) && world.split() == SERVES);
}

#[test]
fn who_leaves_right_after_the_route_was_made_anew_leaves_users_with_the_previous_version() {
    let mut world = came_back_late();
    made_anew(&mut world);
    world.seen.release.detached = true;
    world.run_until(20, |world| !world.seen.release.finalizer);
    assert!(world.split() == SERVES && stands(&world));
}

#[test]
fn marks_do_not_stay_on_a_route_that_leads_to_somebody_else() {
    let mut world = World::new();
    world.seen.routes[0].state = Err(RouteProblem::NoBackend { marked: Some("9".to_owned()) });
    let plan = world.look(None);
    assert_eq!(plan.actions.len(), 1, "{:?}", plan.actions);
    assert_eq!(world.seen.routes[0].state, Err(RouteProblem::NoBackend { marked: None }));
    assert!(world.look(None).actions.is_empty());
    // Nor on one that came back with them.
    made_anew(&mut world);
    world.seen.routes[0].state.as_mut().unwrap().marked = true;
    world.run(2);
    assert!(!world.route().marked);
}
