//! Stories of exceptions to risk points that are spent.

use serde_json::json;

use super::policy::{EXCEPTION, approve, asks, attest, held, spent};
use super::*;

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
