//! Stories of what runs past its gate while its budget is not known: it is charged, once, whatever happens meanwhile.

use super::*;
use crate::api::names::GATED;
use crate::api::release_record::ReleaseRecordStatus;

/// What a test knows the budget as.
#[derive(Clone, Copy)]
enum Unknown {
    /// Prometheus does not answer, or Tidegate has only just started.
    Error,
    /// The window turned and was not counted yet.
    Points,
}

fn forget(world: &mut World, what: Unknown) {
    match what {
        Unknown::Error => world.seen.budget = BudgetSeen::Unmeasured("RiskBudget checkout: Prometheus is down".into()),
        Unknown::Points => world.seen.risk.as_mut().unwrap().budget = None,
    }
}

fn remember(world: &mut World) {
    let known = World::new();
    world.seen.budget = known.seen.budget;
    let risk = world.seen.risk.as_mut().unwrap();
    risk.budget = risk.budget.take().or(known.seen.risk.unwrap().budget);
}

/// Somebody resumes the held template before any user met it.
fn resumed(world: &mut World) {
    world.deploy("shop:v2", GOOD);
    let version = world.bump();
    let workload = world.workload();
    (workload.paused, workload.paused_because, workload.resource_version) = (false, None, version);
    workload.resumed_by = Some("bob".into());
}

/// Without the label nothing holds it.
fn without_label(world: &mut World) {
    resumed(world);
    (world.workload().gated, world.workload().resumed_by) = (false, None);
}

fn waits(world: &World) -> bool {
    world.status().charge_waits.is_some()
}

fn charges(world: &World) -> u64 {
    world.seen.risk.as_ref().unwrap().ledger.sequence
}

/// Points, number, and whether it is charged as an exception.
fn paid(status: &ReleaseRecordStatus) -> (u32, u64, bool) {
    let charge = status.charge.as_ref().unwrap();
    (charge.points, charge.sequence, charge.exception)
}

/// What the same bypass costs while everything is known.
fn usual(bypass: fn(&mut World)) -> u32 {
    let mut world = World::new();
    bypass(&mut world);
    world.run(5);
    paid(world.status()).0
}

#[rstest]
fn it_is_charged_as_soon_as_the_budget_is_known_and_as_if_it_had_been(
    #[values(resumed, without_label)] bypass: fn(&mut World),
    #[values(Unknown::Error, Unknown::Points)] what: Unknown,
) {
    let mut world = World::new();
    forget(&mut world, what);
    bypass(&mut world);
    world.run(30);
    assert_eq!((world.outcome(), waits(&world), charges(&world)), (Some(Outcome::Bypassed), true, 0));
    assert!(world.status().digest.is_none(), "not sealed");
    let says = world.status().summary.clone();
    assert!(
        says.contains("It is charged as soon as its budget is known (") && says.contains("as if nothing"),
        "{says}"
    );
    remember(&mut world);
    world.run(3);
    assert_eq!((paid(world.status()), charges(&world)), ((usual(bypass), 1, true), 1), "{}", world.trace.join("\n"));
    assert!(!waits(&world) && world.status().digest.is_some());
    assert!(world.status().summary.contains("The budget is known again: charged"), "{}", world.status().summary);
    assert!(world.trace.iter().any(|line| line.contains("Warning Charged: ")), "{}", world.trace.join("\n"));
    let sealed = world.status().clone();
    world.run(30);
    assert_eq!((world.status(), charges(&world)), (&sealed, 1));
}

#[test]
fn after_a_day_it_is_charged_as_if_nothing_were_left() {
    let mut world = World::new();
    forget(&mut world, Unknown::Error);
    resumed(&mut world);
    world.run(5);
    world.now = world.now.plus(Span::hours(23));
    world.run(5);
    assert!(waits(&world));
    world.now = world.now.plus(Span::hours(1));
    world.run(5);
    let (points, number, exception) = paid(world.status());
    // "+3: error budget < 50% remaining", and half as much again.
    assert_eq!((number, exception), (1, true));
    assert!(points > usual(resumed), "{points}");
    assert!(world.status().summary.contains("as if nothing were left of what is not known: RiskBudget checkout"));
    remember(&mut world);
    world.run(20);
    assert_eq!((paid(world.status()).0, charges(&world)), (points, 1), "never twice");
}

/// The next template is not kept waiting, and neither is whoever leaves.
#[test]
fn what_needs_its_place_does_not_wait_for_prometheus() {
    let mut world = World::new();
    forget(&mut world, Unknown::Error);
    resumed(&mut world);
    world.run(8);
    assert!(waits(&world));
    let mut left = world.clone();
    world.deploy("shop:v3", GOOD);
    world.run(3);
    let attempt = world.seen.record.as_ref().unwrap().spec.attempt;
    assert_eq!((attempt, charges(&world)), (3, 1), "{}", world.trace.join("\n"));
    assert!(world.seen.record.as_ref().unwrap().spec.previous_digest.is_some(), "it was sealed first");
    left.seen.release.detached = true;
    left.run(5);
    assert_eq!((paid(left.status()).1, left.seen.release.finalizer), (1, false), "{}", left.trace.join("\n"));
}

/// At any write, and with the status lost.
#[rstest]
fn a_controller_that_dies_charges_it_once(
    #[values(0, 1)] before: usize,
    #[values(0, 1)] after: usize,
    #[values(false, true)] torn: bool,
) {
    let mut world = World::new();
    world.torn = torn;
    forget(&mut world, Unknown::Error);
    resumed(&mut world);
    world.run_crashing(&[before, before]);
    world.run(2);
    assert!(waits(&world), "{}", world.trace.join("\n"));
    remember(&mut world);
    world.run_crashing(&[after]);
    // It is forgotten again between the number and the record.
    forget(&mut world, Unknown::Error);
    world.run(2);
    remember(&mut world);
    world.run(3);
    assert_eq!((paid(world.status()), charges(&world)), ((usual(resumed), 1, true), 1), "{}", world.trace.join("\n"));
}

#[test]
fn where_there_is_no_budget_there_is_nothing_to_wait_for() {
    let mut world = World::new();
    (world.seen.budget, world.seen.risk) = (BudgetSeen::Missing, None);
    resumed(&mut world);
    world.run(5);
    assert_eq!((world.outcome(), waits(&world)), (Some(Outcome::Bypassed), false));
    assert!(world.status().charge.is_none() && world.status().digest.is_some());
}

/// The label's name stands where it was off.
#[test]
fn why_it_ran_stays_in_the_record() {
    let mut world = World::new();
    forget(&mut world, Unknown::Points);
    without_label(&mut world);
    world.run(5);
    remember(&mut world);
    world.run(3);
    assert!(world.status().summary.contains(GATED), "{}", world.status().summary);
}

/// "Budget before and after" of a record: what was left of the window when it was charged, and what is with it.
#[test]
fn a_charge_says_what_was_left_before_and_after() {
    let mut world = at_a_quarter();
    let charge = world.status().charge.clone().unwrap();
    let before = charge.remaining.unwrap();
    assert_eq!(charge.remaining_after, Some(before - i64::from(charge.points)));
    let now = world.seen.risk.as_ref().unwrap().unspent();
    assert_eq!(now, charge.remaining_after);
    world.workload().paused = false;
    world.workload().resumed_by = Some("bob".into());
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    let penalty = world.status().charge.clone().unwrap();
    assert_eq!((penalty.remaining, penalty.remaining_after), (Some(before), Some(before - i64::from(penalty.points))));
}
