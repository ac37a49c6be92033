//! Takes a sound moment of a release, breaks one thing, names the note that is expected.

use rstest::rstest;

use super::*;
use crate::api::gated_release::HoldStatus;
use crate::api::release_record::{ChargeRecord, Outcome, Trigger};
use crate::api::risk_budget::PendingCharge;
use crate::release::plan::with_penalty;
use crate::release::world::{Behaviour, GOOD, World};

/// A moment in which the canary has 25 % and the stage is not judged yet.
fn at_25() -> World {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| world.split().weight(Carrier::Canary) == Weight::whole(25));
    world.run(2);
    world
}

fn with(world: &World, actions: Vec<Action>) -> Plan {
    Plan { actions, wake: None, status: world.seen.release.status.clone(), events: Vec::new() }
}

fn set(world: &World, split: Split) -> Action {
    let resource_version = world.route().resource_version.clone();
    Action::SetSplit { route: "checkout".into(), resource_version, split, withdrawn: None }
}

fn update(world: &World, change: impl Fn(&mut ReleaseRecordStatus)) -> Action {
    let record = world.seen.record.as_ref().unwrap();
    let mut status = record.status.clone().unwrap();
    change(&mut status);
    Action::UpdateRecord {
        name: record.name.clone(),
        resource_version: record.resource_version.clone(),
        status: Box::new(status),
    }
}

fn notes(world: &World, actions: Vec<Action>) -> Vec<Note> {
    lint(with(world, actions), &world.seen).err().unwrap_or_default()
}

#[test]
fn what_the_plan_does_is_clean() {
    let world = at_25();
    assert_eq!(notes(&world, vec![set(&world, Split::canary(Weight::whole(25)))]), []);
    assert_eq!(notes(&world, vec![set(&world, Split::canary(Weight::ZERO))]), [], "lowering is always allowed");
}

#[test]
fn a_weight_does_not_rise_without_a_recorded_pass() {
    let world = at_25();
    let found = notes(&world, vec![set(&world, Split::canary(Weight::whole(26)))]);
    assert_eq!(found, [Note::RaisedWithoutPass { route: "checkout".into(), to: Weight::whole(26) }]);
}

#[test]
fn a_weight_does_not_rise_after_a_rollback_began() {
    let mut world = at_25();
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, Behaviour { errors: 0.5, ..GOOD });
    world.run_until(20, |world| world.status().rollback.is_some());
    assert_eq!(world.status().rollback.as_ref().unwrap().trigger, Trigger::ErrorRate);
    let found = notes(&world, vec![set(&world, Split::canary(Weight::whole(5)))]);
    assert_eq!(found, [Note::RaisedAfterRollback { route: "checkout".into(), to: Weight::whole(5) }]);
}

#[test]
fn nobody_gets_traffic_without_a_ready_pod() {
    let mut world = at_25();
    world.seen.canary.as_mut().unwrap().endpoints = Some(0);
    world.seen.routes[0].state.as_mut().unwrap().rules = vec![Some(Split::canary(Weight::ZERO))];
    let found = notes(&world, vec![set(&world, Split::canary(Weight::whole(25)))]);
    assert_eq!(found, [Note::TrafficToNobody { route: "checkout".into(), carrier: Carrier::Canary }]);
}

#[test]
fn what_a_route_names_is_not_deleted() {
    let world = at_25();
    assert_eq!(
        notes(&world, vec![Action::Delete { carrier: Carrier::Canary }]),
        [Note::DeletedWhileNamed(Carrier::Canary)]
    );
    assert_eq!(notes(&world, vec![Action::RemoveFinalizer]), [Note::LeftTraffic]);
}

#[test]
fn a_held_workload_is_not_let_go_in_mid_release() {
    let mut world = at_25();
    let resource_version = world.workload().resource_version.clone();
    assert_eq!(notes(&world, vec![Action::Resume { resource_version }]), [Note::ResumedUngated]);
}

#[test]
fn a_held_workload_is_not_let_go_in_the_place_of_a_lost_stable() {
    let mut world = World::new();
    world.run(3);
    world.deploy("shop:v2", GOOD);
    world.workload().replicas = 0;
    world.workload().sets.clear();
    let resource_version = world.workload().resource_version.clone();
    assert_eq!(notes(&world, vec![Action::Resume { resource_version }]), [Note::ResumedUngated]);
}

#[test]
fn every_write_is_fenced_by_what_was_seen() {
    let world = at_25();
    let stale = || "0".to_owned();
    let split = Split::canary(Weight::ZERO);
    let route = Action::SetSplit { route: "checkout".into(), resource_version: stale(), split, withdrawn: None };
    assert_eq!(notes(&world, vec![route]), [Note::NotFenced("a route's weights")]);
    let back = Action::DisownRules { route: "checkout".into(), resource_version: stale() };
    assert_eq!(notes(&world, vec![back]), [Note::NotFenced("giving a route's rules back")]);
    let status = Box::new(world.status().clone());
    let record = Action::UpdateRecord { name: "checkout-0002".into(), resource_version: stale(), status };
    assert_eq!(notes(&world, vec![record]), [Note::NotFenced("a record's status")]);
}

#[test]
fn the_rules_of_a_route_are_given_back_before_the_finalizer_goes() {
    let mut world = World::new();
    let version = world.route().resource_version.clone();
    world.seen.routes[0].owned = Some(version.clone());
    let back = Action::DisownRules { route: "checkout".into(), resource_version: version };
    let kept = Note::KeptRules("checkout".into());
    assert_eq!(notes(&world, vec![Action::RemoveFinalizer]), [kept]);
    assert_eq!(notes(&world, vec![back.clone(), Action::RemoveFinalizer]), []);
    let claims = set(&world, Split::HOME);
    assert_eq!(notes(&world, vec![back, claims]), [Note::NotFenced("giving a route's rules back")]);
}

#[rstest]
#[case::passed_before_it_started(|s: &mut ReleaseRecordStatus| s.stages[2].passed_at = Some(s.phase_since), 2)]
#[case::clock_started_again(|s: &mut ReleaseRecordStatus| s.stages[1].started_at = Some(s.phase_since), 1)]
#[case::former_verdict_rewritten(|s: &mut ReleaseRecordStatus| s.stages[0].passed_at = None, 0)]
#[case::stage_skipped(|s: &mut ReleaseRecordStatus| s.stage = 2, 2)]
fn stages_keep_their_order(#[case] breaks: fn(&mut ReleaseRecordStatus), #[case] stage: usize) {
    let world = at_25();
    let found = notes(&world, vec![update(&world, breaks)]);
    assert!(found.contains(&Note::StageOrder(stage)), "{found:?}");
}

#[test]
fn a_sealed_record_stays_as_it_is_and_a_hold_has_an_end() {
    let mut world = at_25();
    let since = world.now;
    let hold = HoldStatus { reason: "NoEvidence".into(), message: String::new(), since, deadline: since };
    let found = notes(&world, vec![update(&world, |status| status.hold = Some(hold.clone()))]);
    assert_eq!(found, [Note::HoldWithoutEnd]);
    let twice = vec![update(&world, |_| {}), update(&world, |_| {})];
    assert_eq!(notes(&world, twice), [Note::TwoRecords]);
    world.run_until(300, |world| world.outcome().is_some());
    assert_eq!(notes(&world, vec![update(&world, |_| {})]), [Note::SealedRecord]);
}

#[test]
fn a_serving_replica_set_is_not_emptied() {
    let mut world = at_25();
    let set = world.workload().sets[0].clone();
    let empty = Action::ScaleReplicaSet { name: set.name.clone(), resource_version: set.resource_version, replicas: 0 };
    assert_eq!(notes(&world, vec![empty]), [Note::EmptiedServing(set.name)]);
}

mod count {
    //! The same where exposure is by the number of pods.

    use super::*;
    use crate::api::names::HELD_PARTITION;

    /// The second of three stages, of 25 %, is judged: 1 of 4 pods has the new version.
    fn second_stage(kind: &str) -> World {
        let mut world = World::by_count(kind);
        world.deploy("shop:v2", GOOD);
        world.run_until(100, |world| {
            world.seen.release.status.phase == Some(Phase::Release)
                && world.status().stages.get(1).is_some_and(|stage| stage.started_at.is_some())
        });
        world.run(1);
        world
    }

    fn partition(world: &mut World, partition: u32) -> Action {
        Action::SetPartition { resource_version: world.workload().resource_version.clone(), partition }
    }

    fn delete(world: &World, place: u32) -> Action {
        let pod = world.seen.pods.iter().find(|pod| pod.place == place).unwrap();
        Action::DeletePod { name: pod.name.clone(), uid: pod.uid.clone() }
    }

    #[test]
    fn a_partition_is_lowered_no_further_than_the_stage_allows() {
        let mut world = second_stage("StatefulSet");
        let (same, lower, raise) =
            (partition(&mut world, 3), partition(&mut world, 2), partition(&mut world, HELD_PARTITION));
        assert_eq!(notes(&world, vec![same]), []);
        assert_eq!(notes(&world, vec![raise]), [], "raising is always allowed");
        assert_eq!(notes(&world, vec![lower]), [Note::ExposedWithoutPass]);
        world.workload().resource_version = "another".into();
        let stale = Action::SetPartition { resource_version: "0".into(), partition: 3 };
        assert_eq!(notes(&world, vec![stale]), [Note::NotFenced("a StatefulSet's partition")]);
    }

    #[test]
    fn a_pod_is_deleted_only_where_it_comes_back_and_nobody_is_missed() {
        let mut world = second_stage("StatefulSet");
        let (stable, new) = (delete(&world, 0), delete(&world, 3));
        assert_eq!(notes(&world, vec![stable]), [Note::DeletedPod("checkout-0".into())]);
        assert_eq!(
            notes(&world, vec![new.clone()]),
            [Note::DeletedPod("checkout-3".into())],
            "it has its share by right"
        );
        world.ordinals().partition = HELD_PARTITION;
        assert_eq!(notes(&world, vec![new.clone()]), []);
        world.seen.pods.iter_mut().find(|pod| pod.place == 1).unwrap().ready = false;
        assert_eq!(notes(&world, vec![new]), [Note::DeletedPod("checkout-3".into())], "another one is missed");
        let gone = Action::DeletePod { name: "checkout-3".into(), uid: "of its predecessor".into() };
        assert_eq!(notes(&world, vec![gone]), [Note::NotFenced("the deletion of a pod")]);
    }

    #[test]
    fn a_withdrawal_may_miss_another_pod_where_somebody_answers() {
        let mut world = second_stage("StatefulSet");
        let revision = world.workload().revision.clone();
        world.behaviour.insert(revision, Behaviour { errors: 0.5, ..GOOD });
        world.run_until(20, |world| world.status().rollback.is_some());
        let new = delete(&world, 3);
        let refused = [Note::DeletedPod("checkout-3".into())];
        world.seen.pods.iter_mut().find(|pod| pod.place == 1).unwrap().ready = false;
        assert_eq!(notes(&world, vec![new.clone()]), []);
        world.ordinals().observed = false;
        assert_eq!(notes(&world, vec![new.clone()]), refused, "it would come back as it is");
        world.ordinals().observed = true;
        world.seen.pods.iter_mut().filter(|pod| pod.place < 3).for_each(|pod| pod.ready = false);
        assert_eq!(notes(&world, vec![new]), refused, "nobody else answers");
    }

    #[test]
    fn the_canary_grows_no_further_than_the_stage_allows_and_never_after_an_abort() {
        let mut world = second_stage("Deployment");
        let sized = |replicas: u32| Action::Apply {
            carrier: Carrier::Canary,
            object: serde_json::json!({"spec": {"replicas": replicas}}),
        };
        assert_eq!(notes(&world, vec![sized(1)]), []);
        assert_eq!(notes(&world, vec![sized(2)]), [Note::ExposedWithoutPass]);
        let revision = world.workload().revision.clone();
        world.behaviour.insert(revision, Behaviour { errors: 0.5, ..GOOD });
        world.run_until(20, |world| world.status().rollback.is_some());
        assert_eq!(notes(&world, vec![sized(2)]), [Note::ExposedAfterRollback]);
    }

    #[test]
    fn a_held_workload_is_not_let_go_before_it_has_passed() {
        for kind in ["Deployment", "StatefulSet"] {
            let mut world = second_stage(kind);
            let resource_version = world.workload().resource_version.clone();
            assert_eq!(notes(&world, vec![Action::Resume { resource_version }]), [Note::ResumedUngated], "{kind}");
        }
    }
}

fn charge(points: u32) -> ChargeRecord {
    ChargeRecord {
        sequence: 1,
        points,
        at: Time(jiff::Timestamp::UNIX_EPOCH),
        exception: false,
        remaining: None,
        remaining_after: None,
    }
}

/// The write that gives the first number to a record, and the record that is opened with it.
fn numbered(record: &str, given: u32, said: u32) -> (World, Vec<Action>) {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run(1);
    world.seen.record = None;
    let risk = world.seen.risk.as_ref().unwrap();
    let mut ledger = LedgerStatus { sequence: risk.ledger.sequence + 1, ..risk.ledger.clone() };
    let charge = ChargeRecord { sequence: ledger.sequence, ..charge(given) };
    ledger.pending.push(PendingCharge { record: record.to_owned(), charge: charge.clone() });
    let resource_version = risk.resource_version.clone();
    let write = Action::WriteLedger { budget: "checkout".into(), resource_version, ledger: Box::new(ledger) };
    let mut status = ReleaseRecordStatus::begun(Phase::Complete, world.now);
    status.charge = Some(ChargeRecord { points: said, ..charge });
    let spec = serde_json::from_value(serde_json::json!({
        "release": "checkout", "attempt": 3, "workloadUid": "u", "revision": "r", "change": {"type": "Feature"},
        "riskBudget": "checkout",
    }));
    let open =
        Action::OpenRecord { name: "checkout-0003".into(), spec: Box::new(spec.unwrap()), status: Box::new(status) };
    (world, vec![write, open])
}

#[test]
fn a_new_charge_stands_in_the_ledger_before_it_stands_in_its_record() {
    let (world, actions) = numbered("checkout-0003", 18, 18);
    assert_eq!(notes(&world, actions.clone()), []);
    assert_eq!(notes(&world, actions[1..].to_vec()), [Note::ChargeNotInLedger], "without the ledger's write");
    let record_first = vec![actions[1].clone(), actions[0].clone()];
    assert_eq!(notes(&world, record_first), [Note::ChargeNotInLedger], "a death between the two would charge twice");
    let (world, actions) = numbered("checkout-0003", 18, 12);
    assert_eq!(notes(&world, actions), [Note::ChargeNotInLedger], "it says less than the ledger");
    let (world, actions) = numbered("cart-0001", 18, 18);
    assert_eq!(notes(&world, actions), [Note::ChargeNotInLedger], "the number is another record's");
    let (mut world, actions) = numbered("checkout-0003", 18, 18);
    world.seen.risk = None;
    assert_eq!(notes(&world, actions[1..].to_vec()), [Note::ChargeNotInLedger], "nobody knows the budget");
}

/// A moment in which a version is about to get its first users, and the plan that gives them.
fn first_users(kind: Option<&str>) -> (World, Vec<Action>) {
    let mut world = kind.map_or_else(World::new, World::by_count);
    world.deploy("shop:v2", GOOD);
    for _ in 0..300 {
        let actions = world.look(Some(0)).actions;
        let charges = matches!(actions.first(), Some(Action::WriteLedger { .. }));
        if charges && world.phase() == Some(Phase::Release) {
            return (world, actions);
        }
        if world.look(None).actions.is_empty() {
            world.run(1);
        }
        world.settle();
    }
    panic!("it gets no users");
}

/// In the same plan, so that nothing can hold it between the two.
#[rstest]
fn users_are_given_after_the_charge(#[values(None, Some("Deployment"), Some("StatefulSet"))] kind: Option<&str>) {
    let (world, actions) = first_users(kind);
    assert_eq!(notes(&world, actions.clone()), []);
    let charged = actions.iter().position(|action| matches!(action, Action::UpdateRecord { .. })).unwrap() + 1;
    let gives = actions[charged..].to_vec();
    assert!(!gives.is_empty(), "{actions:?}");
    assert_eq!(notes(&world, gives.clone()), [Note::NotCharged], "without a charge");
    let late = [gives, actions[..charged].to_vec()].concat();
    assert_eq!(notes(&world, late), [Note::NotCharged], "a death between the two would charge nothing");
}

#[rstest]
#[case::stays(|_: &mut ReleaseRecordStatus| (), &[])]
#[case::is_forgotten(|s: &mut ReleaseRecordStatus| s.charge = None, &[Note::ChargeChanged])]
#[case::is_less(|s: &mut ReleaseRecordStatus| s.charge.as_mut().unwrap().points -= 1, &[Note::ChargeChanged])]
#[case::another_number(|s: &mut ReleaseRecordStatus| s.charge.as_mut().unwrap().sequence += 1, &[Note::ChargeChanged])]
#[case::a_penalty_in_mid_release(|s: &mut ReleaseRecordStatus| s.charge = s.charge.as_ref().map(with_penalty), &[Note::ChargeChanged])]
#[case::past_its_gate(|s: &mut ReleaseRecordStatus| {
    (s.outcome, s.charge) = (Some(Outcome::Bypassed), s.charge.as_ref().map(with_penalty));
}, &[])]
fn what_a_record_was_charged_stays_but_for_the_penalty(
    #[case] change: fn(&mut ReleaseRecordStatus),
    #[case] found: &[Note],
) {
    let world = at_25();
    assert!(world.status().charge.is_some());
    assert_eq!(notes(&world, vec![update(&world, change)]), found);
}
