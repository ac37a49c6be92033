//! What a StatefulSet does with a partition, as it was seen on a real cluster.

use serde_json::{Value, json};

use super::world::World;
use crate::api::Span;
use crate::cluster::kind::{CONTROLLER_REVISION, POD, STATEFUL_SET};
use crate::sandbox::controllers::Behaviour;
use crate::sandbox::objects::Objects;

const HELD: u32 = 2_147_483_647;

fn database() -> World {
    let mut world = World::new();
    world.create(
        &STATEFUL_SET,
        json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "default"},
            "spec": {
                "replicas": 3, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
                "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "app", "image": "db:1"}]}},
            },
        }),
    );
    settle(&mut world);
    world
}

fn settle(world: &mut World) {
    world.run(Span::seconds(60));
}

fn images(world: &World) -> Vec<String> {
    let mut pods: Vec<_> = world.api.list(&POD, "default");
    pods.sort_by_key(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned());
    pods.iter().map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()).collect()
}

fn update(world: &mut World, image: &str, partition: u32) {
    world.edit(&STATEFUL_SET, "db", |set| {
        set["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        set["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = json!(partition);
    });
    settle(world);
}

fn partition(world: &mut World, partition: u32) {
    world.edit(&STATEFUL_SET, "db", |set| {
        set["spec"]["updateStrategy"]["rollingUpdate"]["partition"] = json!(partition)
    });
    settle(world);
}

fn status<'a>(world: &'a World, field: &str) -> &'a Value {
    &world.get(&STATEFUL_SET, "db")["status"][field]
}

#[test]
fn pods_have_names_and_one_revision() {
    let world = database();
    assert_eq!(images(&world), ["db:1", "db:1", "db:1"]);
    assert_eq!(status(&world, "currentRevision"), status(&world, "updateRevision"));
    assert_eq!(
        (status(&world, "readyReplicas"), world.api.list(&CONTROLLER_REVISION, "default").len()),
        (&json!(3), 1)
    );
}

#[test]
fn a_partition_above_all_places_holds_and_a_lower_one_updates_the_highest_places() {
    let mut world = database();
    update(&mut world, "db:2", HELD);
    assert_eq!(images(&world), ["db:1", "db:1", "db:1"]);
    assert_ne!(status(&world, "currentRevision"), status(&world, "updateRevision"));
    partition(&mut world, 2);
    assert_eq!(images(&world), ["db:1", "db:1", "db:2"]);
    partition(&mut world, 1);
    assert_eq!(images(&world), ["db:1", "db:2", "db:2"]);
    assert_ne!(status(&world, "currentRevision"), status(&world, "updateRevision"), "the former one is known still");
    partition(&mut world, 0);
    assert_eq!(images(&world), ["db:2", "db:2", "db:2"]);
    assert_eq!(status(&world, "currentRevision"), status(&world, "updateRevision"));
}

#[test]
fn a_raised_partition_brings_no_pod_back_and_deleting_one_does() {
    let mut world = database();
    update(&mut world, "db:2", 2);
    assert_eq!(images(&world), ["db:1", "db:1", "db:2"]);
    partition(&mut world, HELD);
    assert_eq!(images(&world), ["db:1", "db:1", "db:2"]);
    world.delete(&POD, "db-2");
    settle(&mut world);
    assert_eq!(images(&world), ["db:1", "db:1", "db:1"]);
}

#[test]
fn a_revert_uses_the_old_revision_again() {
    let mut world = database();
    update(&mut world, "db:2", HELD);
    update(&mut world, "db:1", HELD);
    assert_eq!(status(&world, "currentRevision"), status(&world, "updateRevision"));
    assert_eq!(world.api.list(&CONTROLLER_REVISION, "default").len(), 2);
}

#[test]
fn a_pod_that_does_not_become_ready_stops_the_update() {
    let mut world = database();
    world.nature.images.insert("db:2".to_owned(), Behaviour { ready: false, ..Behaviour::healthy(Span::seconds(2)) });
    update(&mut world, "db:2", 0);
    assert_eq!(images(&world), ["db:1", "db:1", "db:2"]);
}

#[test]
fn the_last_places_go_first_when_it_shrinks() {
    let mut world = database();
    world.edit(&STATEFUL_SET, "db", |set| set["spec"]["replicas"] = json!(1));
    settle(&mut world);
    let names: Vec<_> = world.api.list(&POD, "default").iter().map(|pod| pod["metadata"]["name"].clone()).collect();
    assert_eq!(names, ["db-0"]);
}

#[test]
fn one_made_anew_in_the_same_moment_gets_its_pods() {
    let mut world = database();
    let mut again = world.get(&STATEFUL_SET, "db").clone();
    world.delete(&STATEFUL_SET, "db");
    again["metadata"] = json!({"name": "db", "namespace": "default"});
    again.as_object_mut().unwrap().remove("status");
    world.create(&STATEFUL_SET, again);
    settle(&mut world);
    assert_eq!((images(&world).len(), status(&world, "readyReplicas")), (3, &json!(3)));
}
