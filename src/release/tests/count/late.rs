//! What a Deployment alone does: it rolls as a whole, and has no way back once it was let go.

use super::*;

#[test]
fn a_scaled_deployment_is_followed_by_its_canary() {
    let mut world = at_stage(DEPLOYMENT, GOOD, 1);
    assert_eq!(new_pods(&world), 1);
    world.workload().replicas = 12;
    world.run(4);
    assert_eq!(new_pods(&world), 4, "4 of 16 pods are 25 %");
    world.workload().replicas = 3;
    world.workload().sets[0].replicas = 3;
    world.run(3);
    assert_eq!(new_pods(&world), 1, "and goes down with it, so that the share does not rise");
}

/// A Deployment whose new version gets bad once it has taken the workload over.
fn bad_in_verification() -> World {
    let mut world = World::by_count(DEPLOYMENT);
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    world.run(3);
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(30, |world| world.phase() == Some(Phase::Rollback));
    world.run(2);
    world
}

#[test]
fn a_late_breach_of_a_deployment_says_that_there_is_no_way_back() {
    let mut world = bad_in_verification();
    let hold = world.status().hold.clone().unwrap();
    assert_eq!(hold.reason, "NoWayBack");
    assert!(hold.message.contains("kubectl rollout undo deployment/checkout -n shop"), "{}", hold.message);
    let held = world.seen.release.status.conditions.iter().find(|it| it.kind == "Held").unwrap().message.clone();
    assert!(held.contains("not withdrawn"), "{held}");
    assert_eq!(world.images(), vec!["shop:v2"; 4]);
    world.run_until(700, |world| world.outcome() == Some(Outcome::NotWithdrawn));
    assert_eq!(condition(&world, "Released"), (Truth::False, "NotWithdrawn".into()));
    assert_eq!(world.images(), vec!["shop:v2"; 4]);
    insta::assert_snapshot!(world.trace.join("\n"));
}

#[test]
fn a_revert_after_a_late_breach_ships_at_once() {
    let mut world = bad_in_verification();
    world.deploy("shop:v1", GOOD);
    world.run_until(30, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.images(), vec!["shop:v1"; 4]);
    world.run(3);
    assert!(!world.workload().paused);
    assert_eq!(condition(&world, "Ready").0, Truth::True);
}

#[test]
fn a_revert_after_a_late_breach_that_does_not_get_ready_ends_the_attempt_all_the_same() {
    let mut world = bad_in_verification();
    world.deploy("shop:v1", NEVER_READY);
    world.run(5);
    assert_eq!(condition(&world, "Held"), (Truth::True, "RevertNotReady".into()));
    let says = condition_message(&world, "Held");
    assert!(says.ends_with("then closed as reverted, and the roll goes on by itself."), "{says}");
    world.run_until(70, |world| world.outcome() == Some(Outcome::Reverted));
    assert!(
        world.status().summary.contains("kubectl rollout status deployment/checkout"),
        "{}",
        world.status().summary
    );
    world.run(3);
    assert_eq!(condition(&world, "Ready"), (Truth::True, "InForce".into()), "what was asked for is what is let go");
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, GOOD);
    world.run(10);
    assert_eq!(world.images(), vec!["shop:v1"; 4]);
}

#[test]
fn a_fix_after_a_late_breach_goes_through_the_gate_and_starts_from_what_runs() {
    let mut world = bad_in_verification();
    world.deploy("shop:v3", GOOD);
    world.run_until(30, |world| world.seen.record.as_ref().unwrap().spec.attempt == 3);
    assert!(world.trace.iter().any(|line| line.contains("NotWithdrawn: ")), "{}", world.trace.join("\n"));
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.images(), vec!["shop:v3"; 4]);
}

#[test]
fn a_newer_template_in_the_roll_of_a_deployment_waits_until_one_version_runs() {
    let mut world = World::by_count(DEPLOYMENT);
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.status().promotion.as_ref().is_some_and(|it| it.resumed_at.is_some()));
    world.run(1);
    world.deploy("shop:v3", GOOD);
    world.run_until(60, |world| world.phase() == Some(Phase::Verify));
    assert_eq!(world.images(), vec!["shop:v2"; 4], "{}", world.trace.join("\n"));
    world.run_until(400, |world| {
        world.seen.record.as_ref().unwrap().spec.attempt == 3 && world.outcome() == Some(Outcome::Succeeded)
    });
}

#[rstest]
#[case::by_its_promotion(false)]
#[case::by_a_person(true)]
fn a_newer_template_in_a_roll_that_is_not_on_record_ends_it_all_the_same(#[case] person: bool) {
    let mut world = World::by_count(DEPLOYMENT);
    world.deploy("shop:v2", GOOD);
    match person {
        true => {
            world.run_until(200, |world| world.phase() == Some(Phase::Release));
            let workload = world.workload();
            (workload.paused, workload.paused_because) = (false, None);
        }
        false => {
            world.run_until(200, |world| world.phase() == Some(Phase::Promote));
            while world.workload().paused {
                world.run_crashing(&[1]);
            }
        }
    }
    // The controller sees nothing of the roll before the next template freezes it.
    world.settle();
    world.settle();
    world.deploy("shop:v3", GOOD);
    if person {
        // Two versions serve in the workload by nobody's decision but a person's: that is told, and no attempt hangs on it.
        world.run_until(60, |world| world.outcome() == Some(Outcome::Superseded));
        world.run(2);
        return assert_eq!(condition(&world, "Ready"), (Truth::False, "NotSettled".into()));
    }
    world.run_until(600, |world| {
        world.outcome() == Some(Outcome::Succeeded) && world.images().iter().all(|image| image == "shop:v3")
    });
}

#[test]
fn a_deployment_without_pods_gets_none_of_the_new_version_either_and_goes_on_when_it_has_some() {
    let mut world = at_stage(DEPLOYMENT, GOOD, 1);
    world.workload().replicas = 0;
    world.workload().sets[0].replicas = 0;
    world.run(5);
    assert_eq!(new_pods(&world), 0);
    assert_eq!(condition(&world, "Held"), (Truth::True, "NoPods".into()));
    world.workload().replicas = 4;
    world.workload().sets[0].replicas = 4;
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
}
