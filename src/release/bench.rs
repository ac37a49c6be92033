//! For `benches/`: what the small world of the tests looks like at three moments, as one look of the controller sees it.

use std::collections::BTreeMap;

use serde_json::json;

use super::snapshot::{AttestationSeen, Snapshot};
use super::world::{GOOD, World};
use crate::api::release_record::Phase;
use crate::api::{AttestationSpec, Time};
use crate::policy::Tier;
use crate::policy::requirement::CATALOGUE;

/// Nothing is being released.
pub fn idle() -> (Snapshot, Time) {
    seen(World::new())
}

/// A change of authentication in Tier 3 that has shown everything it must show before its start but a captain's word: the
/// whole policy is judged, and it is held.
pub fn held_in_plan() -> (Snapshot, Time) {
    let mut world = World::new();
    if let Some(risk) = &mut world.seen.risk {
        risk.tier = Tier::T3;
        risk.requirements = Default::default();
    }
    world.workload().change.categories = vec!["authentication".to_owned()];
    world.workload().change_annotated = true;
    world.deploy("shop:v2", GOOD);
    world.run(3);
    let revision = world.workload().revision.clone();
    for entry in CATALOGUE {
        let facts: BTreeMap<&str, &str> = [("change-author", "bob")].into();
        let spec: AttestationSpec = serde_json::from_value(json!({
            "releaseRef": {"name": "checkout"}, "revision": revision, "type": entry.name, "author": "ci", "facts": facts,
        }))
        .unwrap();
        let at = world.now;
        world.seen.attestations.push(AttestationSeen { spec, at });
    }
    world.run(3);
    assert_eq!(world.phase(), Some(Phase::Plan), "held");
    seen(world)
}

/// A good version has a part of the traffic, and Prometheus has answered.
pub fn in_release() -> (Snapshot, Time) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.phase() == Some(Phase::Release) && world.status().stage == 1);
    world.run(3);
    let (seen, now) = seen(world);
    assert!(seen.answers.is_some(), "judged");
    (seen, now)
}

fn seen(mut world: World) -> (Snapshot, Time) {
    world.seen.answers = world.answer();
    (world.seen, world.now)
}
