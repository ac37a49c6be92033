//! Deployments that roll.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::{World, deployment};
use crate::api::Span;
use crate::cluster::kind::{DEPLOYMENT, POD, REPLICA_SET};
use crate::sandbox::controllers::Behaviour;
use crate::sandbox::objects::Objects;

#[test]
fn a_first_template_comes_up_and_is_reported() {
    let mut world = World::new();
    world.create(&DEPLOYMENT, deployment("shop", "shop:1", 4));
    world.run(Span::seconds(1));
    assert_eq!((world.shape().as_str(), world.counts()), ("shop:1 4/0", [4, 4, 0, 0, 4]));
    assert_eq!(world.condition("Available"), "False MinimumReplicasUnavailable");
    assert_eq!(world.condition("Progressing"), "True ReplicaSetUpdated");
    world.settle();
    assert_eq!((world.shape().as_str(), world.counts()), ("shop:1 4/4", [4, 4, 4, 4, 0]));
    assert_eq!(world.condition("Available"), "True MinimumReplicasAvailable");
    assert_eq!(world.condition("Progressing"), "True NewReplicaSetAvailable");
    let shop = world.get(&DEPLOYMENT, "shop");
    assert_eq!(shop["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "1");
    assert_eq!(shop["status"]["observedGeneration"], shop["metadata"]["generation"]);
    let set = world.get(&REPLICA_SET, &world.set("shop:1"));
    let hash = set["metadata"]["labels"]["pod-template-hash"].as_str().unwrap();
    assert_eq!(set["metadata"]["name"], format!("shop-{hash}"));
    assert_eq!(set["spec"]["selector"]["matchLabels"], json!({"app": "shop", "pod-template-hash": hash}));
    assert_eq!(set["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"], "4");
    assert_eq!(set["metadata"]["annotations"]["deployment.kubernetes.io/max-replicas"], "5");
}

/// The sizes in the order in which they come.
#[rstest]
#[case::quarter(json!({"maxSurge": "25%", "maxUnavailable": "25%"}), "
    shop:1 3/3, shop:2 2/0
    shop:1 1/1, shop:2 4/2
    shop:1 0/0, shop:2 4/4")]
#[case::one_more(json!({"maxSurge": 1, "maxUnavailable": 0}), "
    shop:1 4/4, shop:2 1/0
    shop:1 3/3, shop:2 2/1
    shop:1 2/2, shop:2 3/2
    shop:1 1/1, shop:2 4/3
    shop:1 0/0, shop:2 4/4")]
#[case::one_fewer(json!({"maxSurge": 0, "maxUnavailable": 1}), "
    shop:1 3/3, shop:2 1/0
    shop:1 2/2, shop:2 2/1
    shop:1 1/1, shop:2 3/2
    shop:1 0/0, shop:2 4/3
    shop:1 0/0, shop:2 4/4")]
#[case::all_at_once(json!({"maxSurge": "100%", "maxUnavailable": 0}), "
    shop:1 4/4, shop:2 4/0
    shop:1 0/0, shop:2 4/4")]
fn a_rolling_update_keeps_its_bounds(#[case] rolling: Value, #[case] expected: &str) {
    let mut world = World::with_shop(4);
    world.edit(&DEPLOYMENT, "shop", |it| it["spec"]["strategy"]["rollingUpdate"] = rolling);
    world.image("shop:2");
    world.settle();
    assert_eq!(world.trace.join("\n"), expected.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n"));
    assert_eq!(world.counts(), [4, 4, 4, 4, 0]);
}

#[test]
fn recreate_waits_until_the_last_old_pod_is_gone() {
    let mut world = World::new();
    let mut shop = deployment("shop", "shop:1", 3);
    shop["spec"]["strategy"] = json!({"type": "Recreate"});
    world.create(&DEPLOYMENT, shop);
    world.settle();
    world.trace.clear();
    world.image("shop:2");
    world.run(Span::from_millis(900));
    assert_eq!((world.shape().as_str(), world.pods()), ("shop:1 0/0", (0, 0)));
    assert_eq!(world.api.list(&POD, "default").len(), 3, "they are leaving");
    world.settle();
    assert_eq!(world.shape(), "shop:1 0/0, shop:2 3/3");
}

#[test]
fn a_template_that_never_gets_ready_stops_and_is_given_up_after_the_deadline() {
    let mut world = World::with_shop(4);
    let never = Behaviour { ready: false, ..Behaviour::healthy(Span::seconds(2)) };
    world.nature.images.insert("shop:2".to_owned(), never);
    world.edit(&DEPLOYMENT, "shop", |it| it["spec"]["progressDeadlineSeconds"] = json!(120));
    world.image("shop:2");
    world.run(Span::seconds(119));
    assert_eq!(
        (world.shape().as_str(), world.condition("Progressing").as_str()),
        ("shop:1 3/3, shop:2 2/0", "True ReplicaSetUpdated")
    );
    world.run(Span::seconds(5));
    assert_eq!(world.condition("Progressing"), "False ProgressDeadlineExceeded");
    // The next template clears the broken pods away first.
    world.image("shop:3");
    world.settle();
    assert_eq!(world.shape(), "shop:1 0/0, shop:2 0/0, shop:3 4/4");
    assert_eq!(world.condition("Progressing"), "True NewReplicaSetAvailable");
}

#[test]
fn an_old_template_gets_its_old_replica_set_and_the_newest_revision() {
    let mut world = World::with_shop(2);
    for image in ["shop:2", "shop:1"] {
        world.image(image);
        world.settle();
    }
    assert_eq!(world.shape(), "shop:1 2/2, shop:2 0/0");
    let annotations = &world.get(&REPLICA_SET, &world.set("shop:1"))["metadata"]["annotations"];
    assert_eq!(annotations["deployment.kubernetes.io/revision"], "3");
    assert_eq!(annotations["deployment.kubernetes.io/revision-history"], "1");
    let shop = &world.get(&DEPLOYMENT, "shop")["metadata"]["annotations"];
    assert_eq!(shop["deployment.kubernetes.io/revision"], "3");
}

#[test]
fn old_replica_sets_are_kept_up_to_the_limit() {
    let mut world = World::with_shop(1);
    world.edit(&DEPLOYMENT, "shop", |it| it["spec"]["revisionHistoryLimit"] = json!(2));
    for number in 2..=6 {
        world.image(&format!("shop:{number}"));
        world.settle();
    }
    assert_eq!(world.shape(), "shop:4 0/0, shop:5 0/0, shop:6 1/1");
}

#[test]
fn pods_count_as_available_after_min_ready_seconds() {
    let mut world = World::new();
    let mut shop = deployment("shop", "shop:1", 2);
    shop["spec"]["minReadySeconds"] = json!(10);
    world.create(&DEPLOYMENT, shop);
    world.run(Span::from_millis(11_900));
    assert_eq!(world.counts(), [2, 2, 2, 0, 2]);
    world.run(Span::from_millis(200));
    assert_eq!(world.counts(), [2, 2, 2, 2, 0]);
}

/// Nothing happens in a quiet cluster, and a look at it says that nothing is due.
#[test]
fn a_settled_cluster_gets_no_writes() {
    let mut world = World::with_shop(3);
    let version = world.api.version();
    assert_eq!(world.step(), None);
    world.run(Span::hours(1));
    assert_eq!(world.api.version(), version);
}

#[test]
fn two_runs_of_a_seed_are_the_same_and_another_seed_names_pods_otherwise() {
    let names = |seed| {
        let mut world = World::seeded(seed);
        world.create(&DEPLOYMENT, deployment("shop", "shop:1", 4));
        world.settle();
        world.image("shop:2");
        world.settle();
        format!("{:?}", world.api.list(&POD, "default"))
    };
    assert_eq!(names(1), names(1));
    assert_ne!(names(1), names(2));
}
