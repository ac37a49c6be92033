//! What the records of ordinary releases take: less than the 4 KB that are promised, without anything being cut.

use super::*;
use crate::release::room::RECORD_MAX;

/// Bytes of the newest record as it is stored, spec and status in JSON.
fn size(world: &World) -> usize {
    let spec = &world.seen.record.as_ref().unwrap().spec;
    serde_json::to_vec(&serde_json::json!({"spec": spec, "status": world.status()})).unwrap().len()
}

fn shipped(world: &mut World) {
    world.deploy("shop:v2", GOOD);
    world.run_until(400, |world| world.outcome().is_some());
}

fn failed(behaviour: Behaviour) -> World {
    let mut world = World::new();
    world.deploy("shop:v2", behaviour);
    world.run_until(400, |world| world.outcome().is_some());
    world
}

fn reverted() -> World {
    let mut world = at_a_quarter();
    world.deploy("shop:v1", GOOD);
    world.run_until(100, |world| world.outcome().is_some());
    world
}

fn broke_the_glass() -> World {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    let workload = world.workload();
    (workload.paused, workload.paused_because) = (false, None);
    workload.break_glass = Some("INC-7: checkout answers nobody, the fix is in this image".into());
    world.run_until(100, |world| world.outcome().is_some());
    world
}

fn good(mut world: World) -> World {
    shipped(&mut world);
    world
}

#[rstest]
#[case::good(good(World::new()), Outcome::Succeeded)]
#[case::good_by_count(good(World::by_count("Deployment")), Outcome::Succeeded)]
#[case::good_stateful(good(World::by_count("StatefulSet")), Outcome::Succeeded)]
#[case::bad(failed(BAD), Outcome::RolledBack)]
#[case::slow(failed(SLOW), Outcome::RolledBack)]
#[case::crashing(failed(CRASHING), Outcome::RolledBack)]
#[case::never_ready(failed(NEVER_READY), Outcome::RolledBack)]
#[case::late(came_back_late(), Outcome::RolledBack)]
#[case::reverted(reverted(), Outcome::Superseded)]
#[case::past_its_gate(broke_the_glass(), Outcome::Bypassed)]
fn the_record_of_an_ordinary_release_takes_less_than_four_kilobytes(#[case] world: World, #[case] outcome: Outcome) {
    assert_eq!(world.outcome(), Some(outcome), "{}", world.status().summary);
    assert!(size(&world) <= 4 * 1024, "{} bytes: {:#?}", size(&world), world.status());
    assert_eq!(RECORD_MAX, 9_216, "docs/records.md and e2e/run gates say so");
}
