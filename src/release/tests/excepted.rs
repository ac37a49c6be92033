//! Stories of exceptions: to risk points that are spent, to a line of the freeze, and to words that changed.

use serde_json::json;

use super::policy::{EXCEPTION, approve, asks, attest, budget, change, held, spent};
use super::*;
use crate::policy::Role;

/// `000_…` §5.4 and §7: what a budget has no points for ships as an exception, and whoever asks for one hears how far it is.
#[test]
fn who_asks_for_an_exception_to_spent_points_is_told_how_far_it_is() {
    let mut world = World::new();
    spent(&mut world, 100, 30);
    let other = json!({"reservations": [{"record": "cart-0007", "points": 60}]});
    world.seen.risk.as_mut().unwrap().ledger = serde_json::from_value(other).unwrap();
    world.workload().changed_by = "bob".into();
    world.deploy("shop:v2", GOOD);
    world.run(3);
    assert!(held(&world).starts_with("RiskPointsSpent"), "{}", held(&world));
    attest(&mut world, "exception", "bob", &EXCEPTION[1..]);
    world.run(3);
    assert!(held(&world).contains("incomplete: facts.reason is missing"), "{}", held(&world));
    assert!(held(&world).contains("it costs 12 RP"), "and why it needs one: {}", held(&world));
    attest(&mut world, "exception", "bob", EXCEPTION);
    world.run(3);
    assert!(held(&world).starts_with("ExceptionPending"), "{}", held(&world));
    let asked = asks(&world);
    assert!(!asked.is_empty(), "{}", held(&world));
    for role in asked {
        approve(&mut world, role, role.as_str());
    }
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    let charge = world.status().charge.clone().unwrap();
    assert_eq!((charge.points, charge.exception), (18, true));
}

/// Bob's change of infrastructure, which Warning blocks, and for which he asks for an exception.
fn infrastructure_in_warning(behaviour: Behaviour) -> World {
    let mut world = World::new();
    budget(&mut world, BudgetStatus::Warning, 42.0);
    change(&mut world, ChangeType::Infrastructure, None);
    world.workload().changed_by = "bob".into();
    world.deploy("shop:v2", behaviour);
    attest(&mut world, "exception", "bob", EXCEPTION);
    world.run(3);
    world
}

/// `001_…`, Warning: infrastructure is blocked as High and asks SRE; an exception takes the place of the first alone.
#[test]
fn who_is_asked_beside_a_block_is_asked_for_its_exception_too() {
    let mut world = infrastructure_in_warning(GOOD);
    assert!(held(&world).starts_with("ExceptionPending"), "{}", held(&world));
    for role in asks(&world) {
        assert_ne!(role, Role::Sre, "{}", held(&world));
        approve(&mut world, role, role.as_str());
    }
    world.run(3);
    assert!(held(&world).starts_with("ApprovalMissing"), "{}", held(&world));
    assert!(asks(&world).contains(&Role::Sre) && asks(&world).contains(&Role::SeniorEngineer), "{:?}", asks(&world));
}

/// `001_…`, Emergency: "multiple senior engineers review", whatever it is that ships.
#[test]
fn two_senior_engineers_review_an_exception_in_emergency() {
    let mut world = World::new();
    budget(&mut world, BudgetStatus::Emergency, 4.0);
    world.workload().changed_by = "bob".into();
    world.deploy("shop:v2", GOOD);
    attest(&mut world, "exception", "bob", EXCEPTION);
    world.run(3);
    for role in asks(&world) {
        approve(&mut world, role, role.as_str());
    }
    approve(&mut world, Role::SeniorEngineer, "one of them");
    world.run(3);
    assert!(held(&world).starts_with("ApprovalMissing"), "{}", held(&world));
    assert_eq!(asks(&world), [Role::SeniorEngineer], "{}", held(&world));
}

/// Who agreed before the request was put in other words is asked for it again, and told why.
#[test]
fn a_request_in_other_words_is_agreed_to_anew() {
    let mut world = infrastructure_in_warning(GOOD);
    approve(&mut world, Role::VpEngineering, "vp");
    world.run(3);
    assert!(!asks(&world).contains(&Role::VpEngineering), "{}", held(&world));
    let other: Vec<_> =
        EXCEPTION.iter().map(|(key, text)| (*key, if *key == "ticket" { "SEC-8" } else { *text })).collect();
    attest(&mut world, "exception", "bob", &other);
    world.run(3);
    assert!(asks(&world).contains(&Role::VpEngineering), "{}", held(&world));
    assert!(held(&world).contains("when its words last changed"), "{}", held(&world));
    approve(&mut world, Role::VpEngineering, "vp");
    world.run(3);
    assert!(!asks(&world).contains(&Role::VpEngineering), "{}", held(&world));
}

/// Who agreed to the first attempt did not know how it would end.
#[test]
fn an_exception_that_came_back_is_agreed_to_anew() {
    let mut world = infrastructure_in_warning(BAD);
    let roles = asks(&world);
    let all = |world: &mut World| {
        for role in roles.iter().chain(&[Role::Sre, Role::SeniorEngineer]) {
            approve(world, *role, role.as_str());
        }
    };
    all(&mut world);
    attest(&mut world, "start", "sam", &[]);
    world.run_until(4_000, |world| world.outcome() == Some(Outcome::RolledBack));
    world.run(5);
    world.retry("1");
    world.run(5);
    let why = held(&world);
    assert!(why.starts_with("ExceptionPending") && why.contains("when this attempt began"), "{why}");
    assert_eq!(asks(&world), roles);
    all(&mut world);
    world.run(5);
    assert!(!held(&world).starts_with("ExceptionPending"), "{}", held(&world));
}
