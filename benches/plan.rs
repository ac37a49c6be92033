//! What one decision costs: a `plan()` of what is seen most of the time, and the same with the check of the linter.
//!
//! `cargo bench --profile e2e --bench plan`
//!
//! What is decided upon comes from the small world in which the stories of the planner are told (`src/release/world.rs`), so that
//! records, splits and answers are those of a release that came this far. Reading objects and asking Prometheus is not in it.

use divan::Bencher;
use tidegate::{analysis, api, policy};

use api::ChangeType;
use api::release_record::Phase;
use release::world::{GOOD, World};
use release::{Snapshot, lint, plan};

/// The room of the library, with the world of its tests.
#[path = "../src/release"]
#[allow(dead_code, unused_imports, clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm)]
mod release {
    pub use tidegate::release::*;

    pub(crate) mod world;
}

/// Where a release stands.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Nothing is released: what a quiet cluster computes all day.
    Idle,
    /// A new template is held for what its gate asks for, all of it missing.
    Gate,
    /// The second stage bakes, with answers of both versions.
    Stage,
    /// The new version has all users and is watched, with answers.
    Verify,
}

const MOMENTS: [Moment; 4] = [Moment::Idle, Moment::Gate, Moment::Stage, Moment::Verify];

/// What is seen at such a moment, at the look after everything was written that there was to write.
fn seen(moment: Moment) -> (Snapshot, api::Time) {
    let mut world = World::new();
    let is = |phase: Phase| move |world: &World| world.phase() == Some(phase);
    match moment {
        Moment::Idle => {}
        Moment::Gate => {
            if let Some(risk) = &mut world.seen.risk {
                (risk.tier, risk.requirements) = (policy::Tier::T1, Default::default());
            }
            let workload = world.workload();
            workload.change.kind = ChangeType::Feature;
            workload.change.categories = vec!["authentication".to_owned()];
            workload.change_annotated = true;
            world.deploy("shop:v2", GOOD);
            world.run_until(60, is(Phase::Plan));
            world.run(5);
            let asked = world.seen.release.status.risk.as_ref().map_or(0, |risk| risk.missing.len());
            assert!(world.phase() == Some(Phase::Plan) && asked > 0, "it is held for what is missing");
        }
        Moment::Stage => {
            world.deploy("shop:v2", GOOD);
            world.run_until(120, |world| world.status().stage == 1 && world.phase() == Some(Phase::Release));
            world.run(3);
        }
        Moment::Verify => {
            world.deploy("shop:v2", GOOD);
            world.run_until(600, is(Phase::Verify));
            world.run(10);
            assert_eq!(world.phase(), Some(Phase::Verify), "it is still watched");
        }
    }
    world.seen.answers = world.answer();
    (world.seen.clone(), world.now)
}

#[divan::bench(args = MOMENTS)]
fn planned(bencher: Bencher<'_, '_>, moment: Moment) {
    let (seen, now) = seen(moment);
    bencher.bench(|| plan(&seen, now));
}

/// As a controller does it before it writes anything, and as `tidegate_plan_seconds` counts it.
#[divan::bench(args = MOMENTS)]
fn planned_and_checked(bencher: Bencher<'_, '_>, moment: Moment) {
    let (seen, now) = seen(moment);
    bencher.bench(|| lint(plan(&seen, now), &seen));
}

fn main() {
    divan::main();
}
