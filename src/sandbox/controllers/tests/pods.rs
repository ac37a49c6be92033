//! Pods from their start to their end.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::{World, deployment};
use crate::api::Span;
use crate::cluster::kind::{DEPLOYMENT, POD};
use crate::sandbox::api::RESOURCE_QUOTA;
use crate::sandbox::controllers::Behaviour;
use crate::sandbox::controllers::look::{condition, is_ready, text};
use crate::sandbox::objects::Objects;

/// A world with one pod of an image that behaves so.
fn one(behaviour: Behaviour) -> World {
    let mut world = World::new();
    world.nature.images.insert("shop:1".to_owned(), behaviour);
    world.create(&DEPLOYMENT, deployment("shop", "shop:1", 1));
    world.step();
    world
}

fn pod(world: &World) -> &Value {
    world.api.list(&POD, "default").first().copied().unwrap()
}

#[test]
fn a_pod_is_created_runs_and_gets_ready() {
    let mut world = one(Behaviour::healthy(Span::seconds(2)));
    assert_eq!(pod(&world)["status"]["phase"], "Pending");
    assert_eq!(pod(&world)["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "ContainerCreating");
    assert_eq!(text(condition(pod(&world), "PodScheduled").unwrap(), &["status"]), "True");
    world.run(Span::from_millis(1_900));
    assert_eq!(pod(&world)["status"]["phase"], "Running");
    assert!(!is_ready(pod(&world)) && pod(&world)["status"]["podIP"].as_str().unwrap().starts_with("10."));
    world.run(Span::from_millis(100));
    assert!(is_ready(pod(&world)));
    assert_eq!(pod(&world)["status"]["containerStatuses"][0]["ready"], true);
    let set = world.set("shop:1");
    assert!(text(pod(&world), &["metadata", "name"]).starts_with(&format!("{set}-")));
    assert_eq!(pod(&world)["metadata"]["ownerReferences"][0]["name"], set);
}

#[test]
fn a_crashing_pod_shows_its_restarts_and_why_it_waits() {
    let mut world = one(Behaviour { crash_after: Some(Span::seconds(5)), ..Behaviour::healthy(Span::seconds(2)) });
    let shown = |world: &World| {
        let status = &pod(world)["status"]["containerStatuses"][0];
        (status["restartCount"].as_i64().unwrap(), status["state"]["waiting"]["reason"].as_str().map(str::to_owned))
    };
    world.run(Span::seconds(4));
    assert_eq!((is_ready(pod(&world)), shown(&world)), (true, (0, None)));
    world.run(Span::seconds(8));
    assert_eq!((is_ready(pod(&world)), shown(&world)), (false, (1, Some("CrashLoopBackOff".to_owned()))));
    assert_eq!(pod(&world)["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 1);
    world.run(Span::minutes(5));
    assert!(shown(&world).0 >= 5, "{:?}", shown(&world));
    assert_eq!(world.counts()[3], 0);
}

#[test]
fn a_world_may_change_its_mind() {
    let mut world = one(Behaviour::healthy(Span::seconds(1)));
    world.settle();
    assert!(is_ready(pod(&world)));
    let sick = Behaviour { ready: false, ..Behaviour::healthy(Span::seconds(1)) };
    world.nature.images.insert("shop:1".to_owned(), sick);
    world.settle();
    assert_eq!(
        (is_ready(pod(&world)), world.condition("Available").as_str()),
        (false, "False MinimumReplicasUnavailable")
    );
}

#[test]
fn flapping_pods_flap_each_in_their_own_time() {
    let mut world = World::new();
    let flaps = Some((Span::seconds(2), Span::seconds(1)));
    world.nature.images.insert("shop:1".to_owned(), Behaviour { flaps, ..Behaviour::healthy(Span::ZERO) });
    world.create(&DEPLOYMENT, deployment("shop", "shop:1", 6));
    world.settle();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..30 {
        world.run(Span::from_millis(300));
        seen.insert(world.pods().1);
    }
    assert!(seen.len() > 1 && seen.iter().all(|ready| *ready >= 1), "{seen:?}");
}

/// A pod that is deleted stays for a moment, whoever deletes it and however, and another takes its place at once.
#[rstest]
#[case::by_the_controller(false)]
#[case::by_a_person(true)]
fn a_deleted_pod_leaves_in_its_time(#[case] by_person: bool) {
    let mut world = World::with_shop(1);
    let name = text(pod(&world), &["metadata", "name"]).to_owned();
    if by_person {
        use crate::sandbox::api::Call;
        // Over the wire a pod is given its grace period.
        let answer = world.api.call(&Call {
            user: world.user.clone(),
            method: http::Method::DELETE,
            path: format!("/api/v1/namespaces/default/pods/{name}"),
            query: String::new(),
            content_type: "application/json".to_owned(),
            accept: "application/json".to_owned(),
            body: Vec::new(),
            user_agent: "tester".to_owned(),
        });
        drop(answer);
    } else {
        world.delete(&POD, &name);
    }
    world.run(Span::from_millis(999));
    let leaving = world.api.get(&POD, "default", &name).unwrap();
    assert!(leaving["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(world.api.list(&POD, "default").len(), 2);
    world.run(Span::from_millis(1));
    assert_eq!(world.api.get(&POD, "default", &name), None);
    world.settle();
    assert_eq!(world.pods(), (1, 1));
}

#[test]
fn pods_that_are_not_ready_are_given_up_first() {
    let mut world = World::with_shop(3);
    // Three more that will not be ready soon.
    world.nature.images.insert("shop:1".to_owned(), Behaviour::healthy(Span::seconds(2)));
    world.scale(6);
    world.run(Span::seconds(1));
    assert_eq!(world.pods(), (6, 3));
    world.scale(3);
    world.run(Span::from_millis(10));
    assert_eq!(world.pods(), (3, 3));
}

#[test]
fn pods_that_cannot_be_created_are_reported() {
    let mut world = World::new();
    world.api.deny("system:serviceaccount:kube-system:replicaset-controller", "create", "", "pods");
    world.create(&DEPLOYMENT, deployment("shop", "shop:1", 2));
    world.run(Span::seconds(30));
    assert_eq!(world.condition("ReplicaFailure"), "True FailedCreate");
    world.api.grant("system:serviceaccount:kube-system:replicaset-controller", "create", "", "pods");
    world.settle();
    assert_eq!((world.condition("ReplicaFailure").as_str(), world.shape().as_str()), ("-", "shop:1 2/2"));
}

#[test]
fn an_orphaned_pod_is_adopted_and_one_that_was_relabelled_is_replaced() {
    let mut world = World::with_shop(2);
    let name = text(pod(&world), &["metadata", "name"]).to_owned();
    world.edit(&POD, &name, |it| it["metadata"]["labels"]["app"] = json!("debug"));
    world.settle();
    assert_eq!(world.api.list(&POD, "default").len(), 3);
    assert_eq!(world.get(&POD, &name)["metadata"]["ownerReferences"], json!([]));
    world.edit(&POD, &name, |it| it["metadata"]["labels"]["app"] = json!("shop"));
    world.settle();
    assert_eq!((world.api.list(&POD, "default").len(), world.counts()[0]), (2, 2));
}

#[test]
fn a_quota_leaves_no_room_for_more_pods_than_it_says() {
    let mut world = World::new();
    let quota = json!({"metadata": {"name": "small", "namespace": "default"}, "spec": {"hard": {"pods": "2"}}});
    world.create(&RESOURCE_QUOTA, quota);
    world.create(&DEPLOYMENT, deployment("shop", "shop:1", 3));
    world.run(Span::seconds(30));
    assert_eq!((world.pods(), world.condition("ReplicaFailure").as_str()), ((2, 2), "True FailedCreate"));
    let status = world.get(&RESOURCE_QUOTA, "small")["status"].clone();
    assert_eq!(status, json!({"hard": {"pods": "2"}, "used": {"pods": "2"}}));
    let failure = condition(world.get(&DEPLOYMENT, "shop"), "ReplicaFailure").cloned().unwrap();
    let says = failure["message"].as_str().unwrap();
    let why = "is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2";
    assert!(says.starts_with("pods \"shop-") && says.ends_with(why), "{says}");
    world.delete(&RESOURCE_QUOTA, "small");
    world.settle();
    assert_eq!((world.pods(), world.condition("ReplicaFailure").as_str()), ((3, 3), "-"));
}
