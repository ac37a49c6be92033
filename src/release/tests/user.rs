//! What people, GitOps and autoscalers do to the workload in the middle of a release.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::api::gated_release::{Capacity, NewerTemplate};
use crate::release::action::{Action, Scaler};
use crate::release::snapshot::{AutoscalerSeen, ConfigSeen, ReplicaSetSeen, ScaledObjectSeen};
use crate::release::template;
use crate::release::world::pod_template;

/// Ten seconds into the stage of 25 %.
fn in_the_stages() -> World {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    world
}

/// An empty ReplicaSet that was made after stable.
fn younger(world: &mut World, image: &str) {
    let of = world.workload().sets[0].clone();
    let template = pod_template(image);
    let name = format!("checkout-{}", template::revision(&template));
    let created = of.created.plus(Span::hours(1));
    let empty = ReplicaSetSeen { name, template, created, replicas: 0, existing: 0, available: 0, ..of };
    world.workload().sets.push(empty);
}

/// The workload, settled at another size.
fn scale(world: &mut World, replicas: u32) {
    world.workload().replicas = replicas;
    let set = world.workload().sets.iter_mut().find(|set| set.replicas > 0).unwrap();
    (set.replicas, set.existing, set.available) = (replicas, replicas, replicas);
    world.seen.service.as_mut().unwrap().ready_endpoints = replicas;
}

fn running(world: &mut World) -> Vec<String> {
    let sets = world.workload().sets.iter().filter(|set| set.replicas > 0);
    sets.map(|set| set.template["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[case::before_it_may_ship(BudgetStatus::Emergency)]
#[case::in_the_stages(BudgetStatus::Healthy)]
fn a_held_workload_that_is_scaled_to_nothing_and_back_starts_stable(#[case] budget: BudgetStatus) {
    let mut world = World::new();
    younger(&mut world, "shop:v0");
    world.seen.budget =
        BudgetSeen::Measured { status: budget, remaining_percent: 5.0, decided_by: "availability".into() };
    world.deploy("shop:v2", GOOD);
    world.run(12);
    assert_eq!(world.workload().sets.len(), 1, "what could start instead is gone\n{}", world.trace.join("\n"));
    world.workload().replicas = 0;
    for set in &mut world.workload().sets {
        (set.replicas, set.existing, set.available) = (0, 0, 0);
    }
    world.look(None);
    world.workload().replicas = 4;
    world.settle();
    assert_eq!(running(&mut world), ["shop:v1"]);
}

/// What `kubectl rollout restart` leaves: the old ReplicaSet empty, a new one of the same program with all pods.
fn restart(world: &mut World, at: &str) {
    world.workload().template["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = json!(at);
    let template = world.workload().template.clone();
    let old = world.workload().sets.iter_mut().find(|set| set.replicas > 0).unwrap();
    let new = ReplicaSetSeen {
        name: format!("checkout-zz{at}"),
        template,
        created: old.created.plus(Span::minutes(1)),
        ..old.clone()
    };
    (old.replicas, old.existing, old.available) = (0, 0, 0);
    world.workload().sets.push(new);
    world.run(2);
}

#[test]
fn a_restart_before_a_release_changes_nothing_about_what_is_stable() {
    let mut world = World::new();
    restart(&mut world, "1");
    world.deploy("shop:v2", GOOD);
    for _ in 0..30 {
        world.run(1);
        let promoted = world.status().promotion.is_some();
        let serving = world.workload().sets.iter().filter(|set| set.replicas > 0).map(|set| set.name.clone());
        let serving: Vec<_> = serving.collect();
        assert!(promoted || serving == ["checkout-zz1"], "{serving:?}\n{}", world.trace.join("\n"));
    }
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_revert_after_a_restart_is_released() {
    let mut world = World::new();
    restart(&mut world, "1");
    let restarted = world.workload().template.clone();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(3);
    world.deploy("shop:v1", GOOD);
    world.workload().template = restarted;
    let outcome = |world: &World| world.outcome().filter(|_| world.seen.record.as_ref().unwrap().spec.attempt == 3);
    world.run_until(400, |world| outcome(world).is_some());
    assert_eq!(outcome(&world), Some(Outcome::Succeeded), "{}", world.trace.join("\n"));
}

#[test]
fn a_template_that_arrives_in_the_middle_of_a_restart_is_judged() {
    let mut world = World::new();
    restart(&mut world, "1");
    let half = world.workload().sets.iter_mut().find(|set| set.replicas == 0).unwrap();
    (half.replicas, half.existing, half.available) = (2, 2, 2);
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(running(&mut world), ["shop:v2"]);
}

#[test]
fn what_started_instead_of_stable_is_taken_back() {
    let mut world = in_the_stages();
    world.run(2);
    let stable = &mut world.workload().sets[0];
    (stable.replicas, stable.existing, stable.available) = (0, 0, 0);
    younger(&mut world, "shop:v0");
    let wrong = world.workload().sets.last_mut().unwrap();
    (wrong.replicas, wrong.existing, wrong.available) = (4, 4, 4);
    world.look(None);
    world.settle();
    assert_eq!(running(&mut world), ["shop:v1"], "{}", world.trace.join("\n"));
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_second_replica_set_beside_stable_is_reported() {
    let mut world = in_the_stages();
    younger(&mut world, "shop:v0");
    let second = world.workload().sets.last_mut().unwrap();
    (second.replicas, second.existing, second.available) = (1, 1, 1);
    world.look(None);
    let hold = world.status().hold.clone().unwrap();
    assert!(hold.reason == "NotSettled" && hold.message.contains("kubectl scale replicaset"), "{hold:?}");
    world.workload().sets.pop();
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[test]
fn a_workload_without_pods_keeps_its_new_template_until_it_has_some() {
    let mut world = World::new();
    world.workload().replicas = 0;
    for set in &mut world.workload().sets {
        (set.replicas, set.existing, set.available) = (0, 0, 0);
    }
    world.deploy("shop:v2", GOOD);
    world.run(5);
    assert!(world.workload().paused, "nothing has been judged");
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NoPods".into()));
    world.workload().replicas = 4;
    world.settle();
    assert_eq!(running(&mut world), ["shop:v1"]);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(running(&mut world), ["shop:v2"]);
}

#[test]
fn a_workload_in_a_rolling_update_is_taken_under_the_gate_afterwards() {
    let mut world = World::new();
    world.seen.record = None;
    world.seen.release.status = Default::default();
    younger(&mut world, "shop:v0");
    let second = world.workload().sets.last_mut().unwrap();
    (second.replicas, second.existing) = (1, 1);
    world.look(None);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NotSettled".into()));
    assert!(world.seen.record.is_none());
    world.workload().sets.pop();
    world.look(None);
    assert_eq!(world.outcome(), Some(Outcome::Bootstrap));
}

/// A person let v2 go, v3 was pushed before its roll had ended, and Git went back: the roll goes on, and is charged once.
#[test]
fn a_roll_that_was_let_go_goes_on_when_what_interrupted_it_is_reverted() {
    let mut world = World::new();
    world.deploy("shop:v2", NEVER_READY);
    let workload = world.workload();
    (workload.paused, workload.paused_because, workload.resumed_by) = (false, None, Some("bob".into()));
    world.run(3);
    assert_eq!(world.outcome(), Some(Outcome::Bypassed));
    world.deploy("shop:v3", GOOD);
    world.run(3);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "NotSettled".into()));
    assert!(world.workload().paused && running(&mut world).len() == 2);
    world.deploy("shop:v2", GOOD);
    world.run(10);
    assert_eq!(running(&mut world), ["shop:v2"], "{}", world.trace.join("\n"));
    assert_eq!(condition(&world, "Ready"), (Truth::True, "InForce".into()));
    let sequence = world.seen.risk.as_ref().unwrap().ledger.sequence;
    assert_eq!((world.seen.record.as_ref().unwrap().spec.attempt, sequence), (2, 1));
}

#[test]
fn queued_templates_wait_for_the_one_in_its_stages_and_the_latest_is_next() {
    let mut world = World::new();
    world.seen.release.spec.strategy.newer_template = NewerTemplate::Queue;
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    world.deploy("shop:v3", GOOD);
    world.run(3);
    world.deploy("shop:v4", GOOD);
    let attempt = |world: &World| world.seen.record.as_ref().unwrap().spec.attempt;
    world.run_until(300, |world| attempt(world) == 3);
    assert_eq!(running(&mut world), ["shop:v2"], "what was judged is what runs\n{}", world.trace.join("\n"));
    assert!(world.workload().paused, "the newest is held");
    world.run_until(400, |world| attempt(world) == 3 && world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(running(&mut world), ["shop:v4"]);
    assert_eq!((world.split(), world.workload().paused), (Split::HOME, false));
}

#[test]
fn a_queued_template_is_next_when_the_one_before_it_comes_back() {
    let mut world = World::new();
    world.seen.release.spec.strategy.newer_template = NewerTemplate::Queue;
    world.deploy("shop:v2", BAD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) > Weight::ZERO);
    world.deploy("shop:v3", GOOD);
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(running(&mut world), ["shop:v3"]);
    assert!(world.trace.iter().any(|line| line.contains("RolledBack: ")), "v2 came back first");
}

#[test]
fn a_lean_release_needs_half_the_pods_beside_the_workload() {
    let mut world = World::new();
    world.seen.release.spec.strategy.capacity = Capacity::Lean;
    scale(&mut world, 8);
    world.deploy("shop:v2", GOOD);
    let (mut canary, mut beside) = (Weight::ZERO, 0);
    for _ in 0..200 {
        world.run(1);
        if world.status().promotion.as_ref().is_none_or(|promotion| promotion.rolled_at.is_none()) {
            canary = canary.max(world.split().weight(Carrier::Canary));
        }
        let sides = [&world.seen.canary, &world.seen.previous].into_iter().flatten();
        beside = beside.max(sides.filter_map(|side| side.deployment.as_ref()).map(|d| d.replicas).sum::<u32>());
        if world.outcome() == Some(Outcome::Succeeded) {
            break;
        }
    }
    assert_eq!((world.outcome(), canary), (Some(Outcome::Succeeded), Weight::whole(50)));
    assert_eq!(beside, 10, "canary and previous 5 each, then previous alone 8");
    insta::assert_snapshot!(world.trace.join("\n"));
}

#[test]
fn a_lean_release_that_comes_back_late_goes_to_a_previous_that_grows() {
    let mut world = World::new();
    world.seen.release.spec.strategy.capacity = Capacity::Lean;
    scale(&mut world, 8);
    world.deploy("shop:v2", GOOD);
    world.run_until(200, |world| world.status().promotion.as_ref().is_some_and(|p| p.half_at.is_some()));
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(100, |world| world.outcome() == Some(Outcome::RolledBack));
    let previous = world.seen.previous.as_ref().unwrap().deployment.as_ref().unwrap();
    assert_eq!((world.split().weight(Carrier::Previous), previous.replicas), (Weight::FULL, 8));
}

fn autoscaler(keda: bool) -> AutoscalerSeen {
    AutoscalerSeen {
        name: "checkout".into(),
        resource_version: "1".into(),
        spec: json!({"minReplicas": 2, "maxReplicas": 20, "scaleTargetRef": {"kind": "Deployment", "name": "checkout"}}),
        held: false,
        window: Span::minutes(5),
        scaled_object: keda.then(|| ScaledObjectSeen {
            name: "checkout-keda".into(),
            resource_version: "1".into(),
            held: false,
        }),
    }
}

#[test]
fn an_autoscaler_may_not_take_pods_away_until_one_of_its_windows_after_the_release() {
    let mut world = World::new();
    world.seen.autoscalers = vec![autoscaler(false)];
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().of(Carrier::Canary).is_some());
    assert!(world.seen.autoscalers[0].held, "before the route knows the canary");
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    world.seen.autoscalers[0].held = false;
    world.run(1);
    assert!(world.seen.autoscalers[0].held, "somebody took the leaf away");
    assert!(world.seen.previous.as_ref().unwrap().autoscaler.is_some(), "the previous version has one of its own");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    let ended = world.now;
    assert!(world.seen.autoscalers[0].held);
    world.run_until(400, |world| !world.seen.autoscalers[0].held);
    let after = world.now.since(ended);
    assert!(after >= Span::seconds(295) && after <= Span::seconds(310), "{after}");
}

#[test]
fn an_autoscaler_is_let_go_when_the_gate_leaves() {
    let mut world = in_the_stages();
    world.seen.autoscalers = vec![AutoscalerSeen { held: true, ..autoscaler(false) }];
    world.seen.release.deleting = true;
    world.run_until(100, |world| !world.seen.release.finalizer);
    assert!(!world.seen.autoscalers[0].held);
}

#[test]
fn where_keda_owns_the_autoscaler_its_scaled_object_is_written() {
    let mut world = World::new();
    world.seen.autoscalers = vec![autoscaler(true)];
    world.deploy("shop:v2", GOOD);
    let mut held = Vec::new();
    for _ in 0..20 {
        let plan = world.look(None);
        held.extend(plan.actions.into_iter().filter(|action| matches!(action, Action::ScaleDown { .. })));
        if let Some(Action::ScaleDown { name, scaler, held, .. }) = held.first() {
            assert_eq!((name.as_str(), *scaler, *held), ("checkout-keda", Scaler::ScaledObject, true));
            return;
        }
        world.settle();
        world.now = world.now.plus(Span::seconds(1));
    }
    panic!("it was not held\n{}", world.trace.join("\n"));
}

#[test]
fn the_previous_version_grows_with_the_workload() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    scale(&mut world, 6);
    world.run(2);
    assert_eq!(world.seen.previous.as_ref().unwrap().deployment.as_ref().unwrap().replicas, 6);
    world.workload().replicas = 3;
    world.run(2);
    assert_eq!(world.seen.previous.as_ref().unwrap().deployment.as_ref().unwrap().replicas, 6, "never shrinks");
}

#[test]
fn a_config_map_that_is_edited_in_place_goes_on_record_when_no_release_goes_on() {
    let edit = |world: &mut World, mark: &str| {
        let seen = ConfigSeen { mark: format!("{}{mark}", crate::release::config::FORMAT), by: "kubectl-edit".into() };
        world.workload().config = [("app-config".to_owned(), seen)].into();
    };
    let mut world = World::new();
    edit(&mut world, "a");
    world.run(2);
    assert_eq!(world.outcome(), Some(Outcome::Bootstrap), "what is read for the first time is no edit");
    world.deploy("shop:v2", GOOD);
    world.run(20);
    edit(&mut world, "b");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Bypassed));
    let record = world.seen.record.as_ref().unwrap();
    assert_eq!(
        (record.spec.attempt, record.spec.change.kind),
        (3, ChangeType::Config),
        "the release was not cut short"
    );
    assert!(world.status().summary.contains("app-config (by kubectl-edit)"), "{}", world.status().summary);
    world.run(5);
    assert_eq!(world.seen.record.as_ref().unwrap().spec.attempt, 3, "once");
    edit(&mut world, "c");
    world.run(60);
    assert_eq!(world.seen.record.as_ref().unwrap().spec.attempt, 3, "edits of an hour share a record");
    world.now = world.now.plus(Span::hours(1));
    world.run(2);
    assert_eq!(world.seen.record.as_ref().unwrap().spec.attempt, 4);
    assert_eq!(condition(&world, "Ready").0, Truth::True);
}

#[test]
fn what_is_taken_as_it_runs_is_no_record_of_an_edit_whatever_it_calls_itself() {
    let edit = |world: &mut World, mark: &str| {
        let seen = ConfigSeen { mark: format!("{}{mark}", crate::release::config::FORMAT), by: "kubectl-edit".into() };
        world.workload().config = [("app-config".to_owned(), seen)].into();
    };
    let mut world = World::new();
    world.workload().change.kind = ChangeType::Config;
    edit(&mut world, "a");
    world.run(2);
    assert_eq!(world.outcome(), Some(Outcome::Bootstrap));
    edit(&mut world, "b");
    world.run_until(300, |world| world.outcome() == Some(Outcome::Bypassed));
    assert_eq!(world.seen.record.as_ref().unwrap().spec.attempt, 2);
}

/// The controller dies between the record of an edit and the note of it, also in the middle of making that record.
#[rstest]
fn an_edit_goes_on_record_once_whoever_dies_in_between(
    #[values(true, false)] torn: bool,
    #[values(0, 1, 2)] writes: usize,
) {
    let edit = |world: &mut World, name: &str, mark: &str| {
        let seen = ConfigSeen { mark: format!("{}{mark}", crate::release::config::FORMAT), by: "kubectl-edit".into() };
        world.workload().config.insert(name.to_owned(), seen);
    };
    let attempt = |world: &World| world.seen.record.as_ref().unwrap().spec.attempt;
    let mut world = World::new();
    edit(&mut world, "app-config", "a");
    edit(&mut world, "other", "a");
    world.run(2);
    world.torn = torn;
    edit(&mut world, "app-config", "b");
    world.run_crashing(&[writes]);
    world.torn = false;
    world.run(5);
    assert_eq!((attempt(&world), world.outcome()), (2, Some(Outcome::Bypassed)));
    world.now = world.now.plus(Span::hours(2));
    world.run(5);
    assert_eq!(attempt(&world), 2, "once\n{}", world.trace.join("\n"));
    // The next edit is another one.
    edit(&mut world, "other", "b");
    world.run(5);
    assert_eq!(attempt(&world), 3);
    assert!(!world.status().summary.contains("app-config"), "{}", world.status().summary);
}

/// Lets another template run past the gate, as admission does under break-glass.
fn break_glass(world: &mut World, image: &str) {
    world.deploy(image, GOOD);
    let workload = world.workload();
    (workload.paused, workload.paused_because) = (false, None);
    workload.break_glass = Some("checkout is down".into());
}

#[rstest]
#[case::in_the_stages(25)]
#[case::warming_the_previous_version(34)]
#[case::while_the_workload_rolls(36)]
#[case::with_half_of_the_traffic_back(42)]
#[case::in_verification(60)]
fn break_glass_in_mid_release_gets_the_traffic_and_is_on_record(#[case] after: u32) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run(after);
    assert!(world.outcome().is_none(), "{:?}", world.phase());
    break_glass(&mut world, "shop:v3");
    world.run_until(100, |world| world.outcome() == Some(Outcome::Bypassed));
    world.run(3);
    assert_eq!((world.split(), running(&mut world)), (Split::HOME, vec!["shop:v3".to_owned()]));
    assert!(world.status().summary.contains("checkout is down"));
    assert!(
        world.trace.iter().any(|line| line.contains("Superseded: ")),
        "v2 is no bypass\n{}",
        world.trace.join("\n")
    );
}

#[test]
fn a_quota_that_keeps_pods_from_being_made_is_told_and_on_record() {
    let mut world = World::new();
    world.deploy("shop:v2", NEVER_READY);
    world.run_until(60, |world| world.seen.canary.as_ref().is_some_and(|canary| canary.deployment.is_some()));
    let why = "exceeded quota: small, requested: pods=1, used: pods=6, limited: pods=6";
    world.seen.canary.as_mut().unwrap().deployment.as_mut().unwrap().refused = Some(why.to_owned());
    world.look(None);
    let status = &world.seen.release.status;
    let progressing = status.conditions.iter().find(|condition| condition.kind == "Progressing").unwrap();
    let said = format!("no pods are made: {why} (0 of 1 canary pods are available); rolled back");
    assert!(progressing.message.contains(&said), "{}", progressing.message);
    assert!(status.message.contains("no pods are made: exceeded quota: small"), "{}", status.message);
    world.run_until(900, |world| world.outcome() == Some(Outcome::RolledBack));
    let status = world.seen.record.as_ref().unwrap().status.clone().unwrap();
    assert!(status.rollback.unwrap().value.ends_with(&format!("no pods are made: {why}")));
}

#[rstest]
fn what_must_not_run_beside_another_version_is_held_until_it_may(#[values(true, false)] routed: bool) {
    let mut world = if routed { World::new() } else { World::by_count("Deployment") };
    world.workload().strategy = "Recreate".into();
    world.deploy("shop:v2", GOOD);
    world.run(5);
    let hold = world.status().hold.clone().unwrap();
    assert_eq!((hold.reason.as_str(), world.phase()), ("RecreateStrategy", Some(Phase::Plan)));
    assert!(hold.message.contains("Set spec.strategy.type to RollingUpdate"), "{}", hold.message);
    assert!(world.seen.canary.is_none() && running(&mut world) == ["shop:v1"]);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "RecreateStrategy".into()));
    world.workload().strategy = "RollingUpdate".into();
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
}
