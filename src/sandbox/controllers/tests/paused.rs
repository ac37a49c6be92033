//! What a paused Deployment does, and the traps in it, each tried on a real cluster first.

use serde_json::{Value, json};

use super::world::{World, deployment};
use crate::api::Span;
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET};
use crate::sandbox::objects::Objects;

#[test]
fn a_new_template_waits_and_the_old_one_goes_on_scaling() {
    let mut world = World::with_shop(4);
    world.pause(true);
    world.image("shop:2");
    world.settle();
    assert_eq!((world.shape().as_str(), world.counts()), ("shop:1 4/4", [4, 0, 4, 4, 0]));
    assert_eq!(world.condition("Progressing"), "Unknown DeploymentPaused");
    world.scale(6);
    world.settle();
    assert_eq!((world.shape().as_str(), world.counts()), ("shop:1 6/6", [6, 0, 6, 6, 0]));
    world.run(Span::hours(2));
    assert_eq!(world.condition("Progressing"), "Unknown DeploymentPaused", "no deadline runs");
    world.pause(false);
    world.settle();
    assert_eq!(world.shape(), "shop:1 0/0, shop:2 6/6");
    assert_eq!(world.condition("Progressing"), "True NewReplicaSetAvailable");
}

#[test]
fn scaling_to_zero_and_back_starts_the_replica_set_that_was_created_last() {
    let mut world = World::with_shop(4);
    world.image("shop:2");
    world.settle();
    world.image("shop:1");
    world.settle();
    assert_eq!(world.shape(), "shop:1 4/4, shop:2 0/0");
    world.pause(true);
    world.image("shop:3");
    world.settle();
    world.scale(0);
    world.settle();
    assert_eq!(world.shape(), "shop:1 0/0, shop:2 0/0");
    world.scale(4);
    world.settle();
    assert_eq!(world.shape(), "shop:1 0/0, shop:2 4/4", "not what served last");
    // The way out: the wrong one to nothing, the right one to its size.
    world.scale_set("shop:2", 0);
    world.scale_set("shop:1", 4);
    world.settle();
    assert_eq!(world.shape(), "shop:1 4/4, shop:2 0/0");
}

/// A Deployment of eight that is paused half way from `shop:1` to `shop:2` by the template `shop:3`.
fn paused_half_way() -> World {
    let mut world = World::with_shop(8);
    world.image("shop:2");
    world.run(Span::from_millis(2_200));
    world.edit(&DEPLOYMENT, "shop", |it| {
        it["spec"]["paused"] = json!(true);
        it["spec"]["template"]["spec"]["containers"][0]["image"] = json!("shop:3");
    });
    world.settle();
    world
}

#[test]
fn a_new_template_in_the_middle_of_a_roll_out_freezes_the_mix_and_scaling_spreads_over_both() {
    let mut world = paused_half_way();
    assert_eq!(world.shape(), "shop:1 2/2, shop:2 8/8");
    world.scale(16);
    world.settle();
    assert_eq!(world.shape(), "shop:1 4/4, shop:2 16/16");
    world.scale(4);
    world.settle();
    assert_eq!(world.shape(), "shop:1 1/1, shop:2 4/4");
}

#[test]
fn the_old_one_scaled_to_nothing_by_hand_lets_the_other_fill_up() {
    let mut world = paused_half_way();
    world.scale_set("shop:1", 0);
    world.settle();
    assert_eq!(world.shape(), "shop:1 0/0, shop:2 8/8");
    world.scale(5);
    world.settle();
    assert_eq!(world.shape(), "shop:1 0/0, shop:2 5/5");
}

#[test]
fn replica_sets_scaled_by_hand_come_back_when_nobody_paused() {
    let mut world = World::with_shop(4);
    world.image("shop:2");
    world.settle();
    world.scale_set("shop:1", 3);
    world.settle();
    assert_eq!(world.shape(), "shop:1 0/0, shop:2 4/4");
    world.scale_set("shop:2", 0);
    world.settle();
    assert_eq!(world.shape(), "shop:1 0/0, shop:2 4/4");
}

#[test]
fn paused_at_creation_makes_no_replica_set() {
    let mut world = World::new();
    let mut shop = deployment("shop", "shop:1", 4);
    shop["spec"]["paused"] = json!(true);
    world.create(&DEPLOYMENT, shop);
    world.settle();
    assert_eq!((world.shape().as_str(), world.counts()), ("", [0, 0, 0, 0, 0]));
    assert_eq!(world.condition("Progressing"), "Unknown DeploymentPaused");
    world.pause(false);
    world.settle();
    assert_eq!(world.shape(), "shop:1 4/4");
}

#[test]
fn a_revert_while_paused_changes_nothing_when_resumed() {
    let mut world = World::with_shop(4);
    world.pause(true);
    world.image("shop:2");
    world.settle();
    world.image("shop:1");
    world.settle();
    let pods: Vec<Value> = world.api.list(&crate::cluster::kind::POD, "default").into_iter().cloned().collect();
    world.pause(false);
    world.settle();
    assert_eq!(world.shape(), "shop:1 4/4");
    let names = |pods: &[Value]| pods.iter().map(|pod| pod["metadata"]["name"].clone()).collect::<Vec<_>>();
    let after: Vec<Value> = world.api.list(&crate::cluster::kind::POD, "default").into_iter().cloned().collect();
    assert_eq!(names(&pods), names(&after), "no pod was replaced");
}

/// A saturated ReplicaSet with the new template, let go by its maker while the Deployment is paused, is adopted: the old
/// one goes, no pod is started.
#[test]
fn a_warm_replica_set_is_adopted_as_the_new_one() {
    let mut world = World::with_shop(3);
    world.pause(true);
    world.image("shop:2");
    world.settle();
    let template = world.get(&DEPLOYMENT, "shop")["spec"]["template"].clone();
    let maker = world.create(
        &crate::cluster::Kind::new("", "v1", "ConfigMap", "configmaps"),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "maker", "namespace": "default"},
        }),
    );
    let mut template = template;
    template["metadata"]["labels"]["pod-template-hash"] = json!("warm");
    world.create(&REPLICA_SET, json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": "shop-warm", "namespace": "default", "labels": {"app": "shop", "pod-template-hash": "warm"},
            "annotations": {"deployment.kubernetes.io/desired-replicas": "3"},
            "ownerReferences": [{
                "apiVersion": "v1", "kind": "ConfigMap", "name": "maker", "uid": maker["metadata"]["uid"],
                "controller": true,
            }],
        },
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "shop", "pod-template-hash": "warm"}}, "template": template},
    }));
    world.settle();
    assert_eq!(world.shape(), "shop:1 3/3, shop:2 3/3", "it is not the Deployment's");
    world.edit(&REPLICA_SET, "shop-warm", |it| it["metadata"]["ownerReferences"] = json!([]));
    world.settle();
    assert_eq!((world.shape().as_str(), world.counts()), ("shop:1 0/0, shop:2 3/3", [3, 3, 3, 3, 0]));
    world.trace.clear();
    world.pause(false);
    world.settle();
    assert_eq!(world.trace, ["shop:1 0/0, shop:2 3/3"], "resuming changes nothing");
}

#[test]
fn a_replica_set_that_does_not_match_any_more_is_let_go() {
    let mut world = World::with_shop(2);
    let name = world.set("shop:1");
    world.edit(&REPLICA_SET, &name, |it| it["metadata"]["labels"]["app"] = json!("other"));
    world.settle();
    assert_eq!(world.get(&REPLICA_SET, &name)["metadata"]["ownerReferences"], json!([]));
}
