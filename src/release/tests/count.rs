//! Releases by the number of pods: a Deployment with a canary among its own pods, a StatefulSet by its partition.

mod dying;
mod late;
mod ordered;

use rstest::rstest;

use super::*;
use crate::release::plan::count::share;

const DEPLOYMENT: &str = "Deployment";
const STATEFUL_SET: &str = "StatefulSet";

fn condition_message(world: &World, kind: &str) -> String {
    world.seen.release.status.conditions.iter().find(|it| it.kind == kind).unwrap().message.clone()
}

fn new_pods(world: &World) -> usize {
    world.images().iter().filter(|image| *image != "shop:v1").count()
}

fn all(world: &World, image: &str) -> bool {
    world.images().iter().all(|one| one == image)
}

fn at_stage(kind: &str, behaviour: Behaviour, stage: u32) -> World {
    let mut world = World::by_count(kind);
    world.deploy("shop:v2", behaviour);
    world.run_until(200, |world| {
        world.phase() == Some(Phase::Release)
            && world.status().stage == stage
            && world.status().stages[stage as usize].started_at.is_some()
    });
    world
}

#[rstest]
#[case("deployment_by_count", DEPLOYMENT)]
#[case("stateful_set", STATEFUL_SET)]
fn a_good_version_is_released_pod_by_pod(#[case] name: &str, #[case] kind: &str) {
    let mut world = World::by_count(kind);
    world.deploy("shop:v2", GOOD);
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(5);
    assert_eq!(world.images(), vec!["shop:v2"; 4]);
    assert!(world.seen.canary.is_none() && !world.workload().paused);
    insta::assert_snapshot!(name, world.trace.join("\n"));
}

#[rstest]
fn a_share_is_never_called_smaller_than_it_is(#[values(DEPLOYMENT, STATEFUL_SET)] kind: &str) {
    let world = at_stage(kind, GOOD, 0);
    let real = share(&world.seen);
    let status = &world.seen.release.status;
    assert_eq!(status.weight, Some(real.weight()));
    assert!(real.weight() >= Weight::whole(20), "{real}");
    let told = format!("{real}, for a stage of 5 %");
    assert!(status.message.contains(&told), "{}", status.message);
    assert!(world.trace.iter().any(|line| line.contains("Warning CoarseShare")), "{}", world.trace.join("\n"));
    assert_eq!(world.status().stages[0].pods, Some(real));
}

#[rstest]
#[case::errors(BAD, Trigger::ErrorRate)]
#[case::slow(SLOW, Trigger::Latency)]
#[case::never_ready(NEVER_READY, Trigger::NotReady)]
#[case::crashing(CRASHING, Trigger::Crashed)]
fn a_bad_version_comes_back_and_the_workload_stays_held(
    #[values(DEPLOYMENT, STATEFUL_SET)] kind: &str,
    #[case] behaviour: Behaviour,
    #[case] trigger: Trigger,
) {
    let mut world = World::by_count(kind);
    world.deploy("shop:v2", behaviour);
    world.run_until(300, |world| world.outcome() == Some(Outcome::RolledBack));
    world.run(5);
    assert_eq!(world.images(), vec!["shop:v1"; 4], "{}", world.trace.join("\n"));
    assert!(world.seen.canary.is_none() && world.workload().paused);
    let log = world.status().rollback.clone().unwrap();
    assert_eq!((log.trigger, log.within_time_budget), (trigger, Some(true)));
    assert!(log.state_after.contains(kind), "{}", log.state_after);
    assert_eq!(condition(&world, "Ready"), (Truth::False, "RolledBack".into()));
    let attempts = world.seen.release.status.attempts;
    world.run(60);
    assert_eq!(world.seen.release.status.attempts, attempts, "not tried again until asked");
}

#[rstest]
fn a_quiet_world_by_count_is_written_nothing(#[values(DEPLOYMENT, STATEFUL_SET)] kind: &str) {
    let mut world = World::by_count(kind);
    let plan = world.look(None);
    assert_eq!((plan.actions.as_slice(), plan.events.as_slice()), ([].as_slice(), [].as_slice()));
    assert_eq!(plan.status, world.seen.release.status);
}

#[rstest]
fn a_newer_template_withdraws_the_one_in_its_stages_first(#[values(DEPLOYMENT, STATEFUL_SET)] kind: &str) {
    let mut world = at_stage(kind, GOOD, 1);
    world.deploy("shop:v3", GOOD);
    let attempt = |world: &World| world.seen.record.as_ref().unwrap().spec.attempt;
    world.run_until(60, |world| attempt(world) == 3);
    assert!(!world.images().contains(&"shop:v2".to_owned()), "{:?}", world.images());
    assert!(world.trace.iter().any(|line| line.contains("Superseded: ")));
    world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
    assert!(all(&world, "shop:v3"));
}

#[rstest]
fn a_revert_in_the_stages_lets_the_workload_go(#[values(DEPLOYMENT, STATEFUL_SET)] kind: &str) {
    let mut world = at_stage(kind, GOOD, 1);
    world.deploy("shop:v1", GOOD);
    world.run_until(60, |world| world.outcome() == Some(Outcome::Reverted));
    world.run(5);
    assert!(all(&world, "shop:v1") && !world.workload().paused, "{}", world.trace.join("\n"));
    assert_eq!(condition(&world, "Ready").0, Truth::True);
}

fn resumed_by_bob(world: &mut World) {
    let workload = world.workload();
    (workload.paused, workload.resumed_by, workload.paused_because) = (false, Some("bob".into()), None);
    if workload.kind != crate::release::snapshot::KindSeen::Deployment {
        world.ordinals().partition = 0;
    }
}

#[rstest]
fn a_person_who_lets_the_workload_go_is_recorded(#[values(DEPLOYMENT, STATEFUL_SET)] kind: &str) {
    let mut world = at_stage(kind, GOOD, 1);
    resumed_by_bob(&mut world);
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    world.run(20);
    assert!(all(&world, "shop:v2") && world.seen.canary.is_none(), "{}", world.trace.join("\n"));
    assert_eq!(condition(&world, "Ready").0, Truth::True);
}

#[rstest]
fn deleting_the_gated_release_leaves_a_working_application(
    #[values(DEPLOYMENT, STATEFUL_SET)] kind: &str,
    #[values(3, 14, 40, 60)] after: u32,
) {
    let mut world = World::by_count(kind);
    world.deploy("shop:v2", GOOD);
    world.run(after);
    world.seen.release.deleting = true;
    world.run_until(100, |world| !world.seen.release.finalizer);
    world.run(20);
    assert!(all(&world, "shop:v1") || all(&world, "shop:v2"), "{:?}\n{}", world.images(), world.trace.join("\n"));
    assert!(world.seen.canary.is_none());
    assert_eq!(world.images().len(), 4);
}

/// What is told of a workload that leaves says why it leaves, and the command of its kind.
#[rstest]
#[case::deployment(DEPLOYMENT, "kubectl rollout resume deployment/checkout -n shop")]
#[case::stateful_set(
    STATEFUL_SET,
    "kubectl patch statefulset checkout -n shop -p '{\"spec\":{\"updateStrategy\":{\"rollingUpdate\":{\"partition\":0}}}}'"
)]
fn a_detached_workload_stays_held_with_what_was_not_released(#[case] kind: &str, #[case] command: &str) {
    let mut world = at_stage(kind, GOOD, 1);
    world.seen.release.detached = true;
    world.run_until(100, |world| !world.seen.release.finalizer);
    assert!(all(&world, "shop:v1") && world.seen.canary.is_none());
    let says = world.workload().paused_because.clone().unwrap();
    assert!(says.contains("the GatedRelease was detached") && says.contains(command), "{says}");
    assert!(says.ends_with(" checkout -n shop tidegate.io/paused-because-"), "nobody else takes it off then: {says}");
    assert!(world.workload().paused, "a template that was not released is not let go");
    let summary = &world.status().summary;
    assert!(summary.contains("the GatedRelease was detached") && !summary.contains("deleted"), "{summary}");
}

#[rstest]
fn the_label_taken_off_takes_the_new_pods_back(#[values(DEPLOYMENT, STATEFUL_SET)] kind: &str) {
    let mut world = at_stage(kind, GOOD, 1);
    world.workload().gated = false;
    world.run_until(60, |world| world.outcome() == Some(Outcome::Abandoned));
    assert!(all(&world, "shop:v1"));
}

#[rstest]
fn a_pod_that_is_ready_counts_as_long_as_its_workload_says_after(#[values(DEPLOYMENT, STATEFUL_SET)] kind: &str) {
    let mut world = World::by_count(kind);
    world.workload().spec = serde_json::json!({"minReadySeconds": 20});
    world.deploy("shop:v2", GOOD);
    world.run_until(100, |world| new_pods(world) == 1);
    let ready = world.now;
    world.run_until(60, |world| world.status().stages[0].started_at.is_some());
    let waited = world.now.since(ready);
    assert!(waited >= Span::seconds(18) && waited <= Span::seconds(25), "{waited}");
    world.run_until(600, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[rstest]
#[case::single("SinglePod", "spec.replicas")]
#[case::on_delete("OnDelete", "RollingUpdate")]
fn what_cannot_be_gated_is_refused_with_the_reason(#[case] reason: &str, #[case] remedy: &str) {
    let mut world = World::by_count(STATEFUL_SET);
    match reason {
        "SinglePod" => world.workload().replicas = 1,
        _ => world.workload().strategy = "OnDelete".into(),
    }
    let plan = world.look(None);
    let ready = &plan.status.conditions[0];
    assert_eq!((ready.status, ready.reason.as_str()), (Truth::False, reason));
    assert!(ready.message.contains(remedy), "{}", ready.message);
}

#[test]
fn templates_of_queries_must_fit_how_the_versions_are_told_apart() {
    let mut world = World::by_count(DEPLOYMENT);
    world.seen.metrics = crate::release::snapshot::MetricsSeen::Found { complaints: false, pods: false };
    let ready = &world.look(None).status.conditions[0];
    assert!(ready.reason == "MetricsByService" && ready.message.contains("http-server-pods"), "{ready:?}");
    let mut world = World::new();
    world.seen.metrics = crate::release::snapshot::MetricsSeen::Found { complaints: false, pods: true };
    assert_eq!(world.look(None).status.conditions[0].reason, "MetricsByPod");
}

#[test]
fn figures_that_cannot_tell_the_versions_apart_are_refused_by_their_name() {
    let mut world = World::new();
    world.seen.metrics = crate::release::snapshot::MetricsSeen::Missing;
    for (name, reason, says) in [
        ("envoy-gateway", "MetricsNotApart", "one cluster (httproute/<namespace>/<route>/rule/<number>)"),
        ("ingress-nginx", "MetricsNotApart", "divided by HTTPRoutes"),
        ("nginx-gateway-fabric", "MetricsNotApart", "counts requests by no backend"),
        (
            "envoy-gateway",
            "MetricsNotApart",
            "the application's own figures (http-server), or a mesh's (istio, linkerd)",
        ),
        ("of-our-own", "MetricsUnknown", "queryTemplates"),
    ] {
        world.seen.release.spec.analysis.metrics = name.to_owned();
        let ready = &world.look(None).status.conditions[0];
        assert!(ready.reason == reason && ready.message.contains(says), "{ready:?}");
    }
}

#[test]
fn a_former_version_that_serves_through_routes_is_let_be_when_they_are_taken_out_of_the_spec() {
    let mut world = came_back_late();
    world.seen.release.spec.traffic.http_routes.clear();
    world.seen.routes.clear();
    for _ in 0..3 {
        world.look(None);
    }
    assert!(world.seen.previous.as_ref().unwrap().deployment.as_ref().is_some_and(|d| !d.deleting));
    let all = &world.seen.release.status.conditions[0].message;
    assert!(all.contains("still stands as checkout-previous"), "{all}");
}

fn emergency(world: &mut World) {
    world.seen.budget = BudgetSeen::Measured {
        status: BudgetStatus::Emergency,
        remaining_percent: 5.0,
        decided_by: "availability".into(),
    };
}

#[rstest]
fn a_person_who_lets_a_workload_go_before_its_start_is_on_record_at_once(
    #[values(DEPLOYMENT, STATEFUL_SET)] kind: &str,
) {
    let mut world = World::by_count(kind);
    emergency(&mut world);
    world.deploy("shop:v2", GOOD);
    world.run(10);
    assert_eq!((world.phase(), world.outcome()), (Some(Phase::Plan), None));
    resumed_by_bob(&mut world);
    world.run(15);
    assert_eq!(world.outcome(), Some(Outcome::Bypassed));
    assert!(world.status().summary.contains("bob"), "{}", world.status().summary);
    assert!(all(&world, "shop:v2"));
}
