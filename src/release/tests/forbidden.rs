//! Stories of what the gate forbids while a release goes on: an incident, a restricted window; and of what a hold says when what it
//! waits for is another.

use serde_json::json;

use super::policy::{budget, change, held, spent};
use super::*;
use crate::api::{RiskBudgetSpec, Severity, Time};
use crate::policy::restricted::understand;
use crate::policy::score::{Incident, Seen, Signal};

/// An incident goes on, for as long as the answer is fresh and longer than any story.
fn incident(world: &mut World) {
    let incident = Incident { name: "INC-7".into(), severity: Some(2), ended: None };
    let at = world.now.plus(Span::days(1));
    world.seen.risk.as_mut().unwrap().signals.incidents = Signal::Known(Seen { value: vec![incident], at });
}

fn calm(world: &mut World) {
    world.seen.risk.as_mut().unwrap().signals.incidents = Signal::NotConfigured;
}

/// Nothing may be released for so many minutes from now on.
fn window(world: &mut World, minutes: u64) {
    let (from, to) = (world.now, world.now.plus(Span::minutes(minutes)));
    let spec: RiskBudgetSpec = serde_json::from_value(json!({
        "tier": 1, "slos": [{"name": "a", "objective": 99.5, "availability": {"service": "web"}}],
        "restrictedWindows": [{"name": "sale", "from": from, "to": to}],
    }))
    .unwrap();
    world.seen.risk.as_mut().unwrap().restricted = understand(&spec, |_| None).unwrap();
}

fn begun(kind: ChangeType) -> World {
    let mut world = World::new();
    change(&mut world, kind, Some(Severity::P1));
    world.deploy("shop:v2", GOOD);
    world
}

fn at_quarter(kind: ChangeType) -> World {
    let mut world = begun(kind);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    world
}

/// `000_…` §6.3, "If active incident …: block non-fix releases by default".
#[test]
fn in_an_incident_no_weight_rises_until_it_is_over() {
    let mut world = at_quarter(ChangeType::Feature);
    incident(&mut world);
    world.run(60);
    let says = held(&world);
    assert!(says.starts_with("GateBlocked") && says.contains("the weight stays: blocked by"), "{says}");
    assert!(says.contains("(INC-7 goes on). It goes on once the incident is over"), "{says}");
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
    calm(&mut world);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn an_incident_that_does_not_end_brings_it_back_when_the_hold_runs_out() {
    let mut world = at_quarter(ChangeType::Feature);
    incident(&mut world);
    world.run_until(1_000, |world| world.outcome() == Some(Outcome::RolledBack));
    let log = world.status().rollback.clone().unwrap();
    assert_eq!(log.trigger, Trigger::HoldExpired);
    assert!(log.value.contains("GateBlocked") && log.value.contains("no verdict on the version"), "{}", log.value);
}

/// What is not known never passes.
#[test]
fn where_nobody_can_tell_of_incidents_no_weight_rises_either() {
    let mut world = at_quarter(ChangeType::Feature);
    world.seen.risk.as_mut().unwrap().signals.incidents = Signal::Unknown("Prometheus does not answer".into());
    world.run(60);
    assert!(held(&world).contains("incidents are not known, which counts as bad"), "{}", held(&world));
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(25));
}

#[rstest]
#[case::before_it_has_users(begun(ChangeType::IncidentFix))]
#[case::later(at_quarter(ChangeType::SecurityFix))]
fn in_an_incident_a_fix_goes_on(#[case] mut world: World) {
    incident(&mut world);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// A window keeps what nobody met from its first users, and lets go on what somebody met before: two versions side by side for the
/// length of a holiday are no safer than one.
#[test]
fn a_window_holds_what_nobody_met_and_nothing_else() {
    let mut world = begun(ChangeType::Feature);
    step_until(&mut world, 100, |world| world.phase() == Some(Phase::Stage));
    window(&mut world, 2);
    world.run(30);
    let says = held(&world);
    assert!(says.starts_with("GateBlocked") && says.contains("no user meets it yet"), "{says}");
    assert!(says.contains("kubectl tidegate retry checkout -n shop"), "{says}");
    assert_eq!((world.split().weight(Carrier::Canary), &world.status().charge), (Weight::ZERO, &None));
    world.run_until(400, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    window(&mut world, 60);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// The incident is over, and by now something else blocks it: the hold says so.
#[test]
fn a_hold_tells_of_what_it_waits_for_by_now() {
    let mut world = begun(ChangeType::Feature);
    world.workload().change.categories = vec!["authentication".into()];
    incident(&mut world);
    world.run(5);
    assert!(held(&world).contains("Ships once the incident is over"), "{}", held(&world));
    let deadline = world.status().hold.as_ref().unwrap().deadline;
    calm(&mut world);
    spent(&mut world, 100, 80);
    world.run(5);
    let says = held(&world);
    assert!(says.starts_with("GateBlocked") && says.contains("30 % of the risk budget or more is left"), "{says}");
    assert!(!says.contains("the incident is over"), "{says}");
    assert_eq!(world.status().hold.as_ref().unwrap().deadline, deadline, "it has one patience");
}

/// Figures that move by themselves are not written at every look; another status is.
#[test]
fn a_freeze_that_gets_worse_is_told_and_a_figure_that_moves_is_not() {
    let mut world = begun(ChangeType::Feature);
    budget(&mut world, BudgetStatus::Critical, 25.0);
    world.run(5);
    let first = held(&world);
    assert!(first.starts_with("BudgetFreeze") && first.contains("25 %"), "{first}");
    budget(&mut world, BudgetStatus::Critical, 24.0);
    world.run(5);
    assert_eq!(held(&world), first);
    budget(&mut world, BudgetStatus::Emergency, 8.0);
    world.run(5);
    let says = held(&world);
    assert!(says.contains("Emergency") && says.contains("8 %"), "{says}");
}

#[test]
fn why_a_budget_is_not_known_is_told_anew() {
    let mut world = begun(ChangeType::Feature);
    world.seen.budget = BudgetSeen::Unmeasured("Prometheus is down".into());
    world.run(5);
    world.seen.budget = BudgetSeen::Unmeasured("its rules are not loaded".into());
    world.run(5);
    let says = held(&world);
    assert!(says.contains("its rules are not loaded") && !says.contains("Prometheus is down"), "{says}");
}

/// A hold that runs out before what it waits for says so, and what to type then.
#[rstest]
#[case::it_lasts(Some(2), false)]
#[case::it_ends_before(None, true)]
fn points_of_the_next_window_are_promised_only_where_the_hold_lasts(
    #[case] minutes: Option<u64>,
    #[case] sooner: bool,
) {
    let mut world = begun(ChangeType::Feature);
    spent(&mut world, 100, 0);
    let other = json!({"reservations": [{"record": "cart-0007", "points": 95}]});
    world.seen.risk.as_mut().unwrap().ledger = serde_json::from_value(other).unwrap();
    let until = minutes.map(|minutes| world.now.plus(Span::minutes(minutes)));
    if let Some(until) = until {
        world.seen.risk.as_mut().unwrap().budget.as_mut().unwrap().until = until;
    }
    world.run(5);
    let says = held(&world);
    assert!(says.starts_with("RiskPointsSpent") && says.contains("It waits for the next window on"), "{says}");
    assert_eq!(says.contains("This hold ends before that"), sooner, "{says}");
    assert_eq!(says.contains("kubectl tidegate retry checkout -n shop"), sooner, "{says}");
}

#[rstest]
#[case::it_lasts(2, false)]
#[case::it_ends_before(600, true)]
fn a_start_after_a_window_is_promised_only_where_the_hold_lasts(#[case] minutes: u64, #[case] sooner: bool) {
    let mut world = begun(ChangeType::Feature);
    window(&mut world, minutes);
    let until: Time = world.now.plus(Span::minutes(minutes));
    world.run(5);
    let says = held(&world);
    assert!(says.starts_with("GateBlocked") && says.contains(&until.clock()), "{says}");
    assert_eq!(says.contains("This hold ends before that"), sooner, "{says}");
    // Nothing in the cluster tells that a window is over.
    let wakes = world.look(None).wake.map(|wake| world.now.plus(wake));
    assert!(wakes.is_some_and(|at| at <= until), "it looks again at {wakes:?}, and the window ends at {until:?}");
    if sooner {
        world.run_until(1_000, |world| world.outcome() == Some(Outcome::Expired));
    }
}

/// The first weight is written, or the first pod asked for, and the first stage has not begun.
fn just_met(mut world: World, version: Behaviour) -> World {
    world.deploy("shop:v2", version);
    step_until(&mut world, 100, |world| world.status().charge.is_some());
    let given = world.seen.by_count() || world.split().weight(Carrier::Canary) > Weight::ZERO;
    assert!(given && world.status().stages[0].started_at.is_none(), "{}", world.trace.join("\n"));
    world
}

/// A version that has users is judged, whatever would have held it a moment ago: the hold comes before the next weight.
#[rstest]
#[case::by_routes(World::new())]
#[case::by_count(World::by_count("Deployment"))]
fn what_holds_it_right_after_its_first_users_came_lets_the_first_stage_judge_it(#[case] world: World) {
    let mut good = just_met(world, GOOD);
    incident(&mut good);
    window(&mut good, 60);
    good.run(60);
    let says = held(&good);
    assert!(says.starts_with("GateBlocked") && says.contains("the weight stays"), "{says}");
    assert!(good.status().stages[0].passed_at.is_some(), "{}", good.trace.join("\n"));
}

#[rstest]
#[case::by_routes(World::new())]
#[case::by_count(World::by_count("Deployment"))]
fn a_bad_version_comes_back_though_an_incident_began_with_its_first_users(#[case] world: World) {
    let mut bad = just_met(world, Behaviour { errors: 0.2, ..GOOD });
    incident(&mut bad);
    bad.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(bad.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate, "{}", bad.trace.join("\n"));
}
