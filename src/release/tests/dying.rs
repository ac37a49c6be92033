//! A controller that dies between any two writes.

use super::*;

/// What ran before the gate came, and what goes ungated later, is recorded at once, however the controller dies.
#[rstest]
#[case::by_routes(World::new())]
#[case::of_a_deployment(World::by_count("Deployment"))]
#[case::of_a_stateful_set(World::by_count("StatefulSet"))]
fn a_controller_that_dies_in_the_middle_of_a_record_begins_no_attempt_with_it(#[case] mut world: World) {
    let torn = |world: &mut World| {
        world.torn = true;
        let is_torn = |world: &World| world.seen.record.as_ref().is_some_and(|record| record.status.is_none());
        world.run_crashing(&[0]);
        if !is_torn(world) {
            // What is charged gets its number first.
            world.run_crashing(&[1]);
        }
        world.torn = false;
        assert!(is_torn(world), "it died between the record and its status");
        world.run(3);
    };
    world.seen.record = None;
    world.seen.release.status = Default::default();
    torn(&mut world);
    assert_eq!(world.outcome(), Some(Outcome::Bootstrap), "{}", world.trace.join("\n"));
    assert_eq!(world.status().summary, "Taken under the gate as it runs.");
    // Under break-glass.
    world.deploy("shop:v2", GOOD);
    let workload = world.workload();
    (workload.paused, workload.paused_because) = (false, None);
    if workload.kind != crate::release::snapshot::KindSeen::Deployment {
        world.ordinals().partition = 0;
    }
    torn(&mut world);
    assert_eq!(world.outcome(), Some(Outcome::Bypassed));
    assert_eq!(world.status().summary, "Runs ungated. It is the stable revision from now on.");
    // An attempt is begun all the same.
    world.run(20);
    world.deploy("shop:v3", GOOD);
    torn(&mut world);
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the version does and wherever the controller dies: the release ends, at home, with nothing left.
    #[test]
    fn a_release_ends_whatever_dies(
        errors in prop_oneof![Just(0.0), Just(0.2)],
        onset in 0_u32..120,
        crashes in prop::collection::vec(0_usize..4, 0..160),
        newer in prop::option::of(0_usize..160),
        down in prop::option::of(0_usize..160),
    ) {
        let mut world = World::new();
        world.deploy("shop:v2", GOOD);
        let (mut highest_after_abort, mut aborted) = (Weight::ZERO, false);
        for (second, crash) in crashes.iter().enumerate() {
            if Some(second) == newer { world.deploy("shop:v3", GOOD); }
            if Some(second) == down { world.prometheus = false; }
            if second as u32 == onset {
                let revision = world.workload().revision.clone();
                world.behaviour.insert(revision, Behaviour { errors, ..GOOD });
            }
            let record = world.seen.record.as_ref().unwrap().name.clone();
            let before = world.split().weight(Carrier::Canary);
            world.run_crashing(&[*crash]);
            let status = world.status().clone();
            let same = world.seen.record.as_ref().unwrap().name == record;
            if same && aborted { highest_after_abort = highest_after_abort.max(world.split().weight(Carrier::Canary)); }
            if same && status.rollback.is_some() && !aborted { aborted = true; highest_after_abort = Weight::ZERO; }
            if !same { aborted = false; }
            if aborted { prop_assert!(world.split().weight(Carrier::Canary) <= before, "raised after abort"); }
        }
        world.prometheus = true;
        for _ in 0..2000 {
            if world.outcome().is_some() && world.look(None).actions.is_empty() {
                break;
            }
            world.run(1);
        }
        prop_assert!(world.outcome().is_some(), "still going: {:?}\n{}", world.phase(), world.trace.join("\n"));
        let late = world.split() == Split::previous(Weight::FULL);
        prop_assert!(world.split() == Split::HOME || late, "{}", world.split());
        prop_assert!(world.seen.canary.is_none());
    }
}
