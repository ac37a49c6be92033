//! Owners that go, and namespaces.

use serde_json::{Value, json};

use super::world::{World, deployment};
use crate::api::Span;
use crate::cluster::Kind;
use crate::cluster::kind::{DEPLOYMENT, POD, REPLICA_SET, SERVICE};
use crate::sandbox::api::{Answer, Call};
use crate::sandbox::controllers::NAMESPACE;
use crate::sandbox::objects::Objects;

const CONFIG_MAP: Kind = Kind::new("", "v1", "ConfigMap", "configmaps");

fn send(world: &mut World, method: http::Method, path: &str, body: &Value) -> u16 {
    let answer = world.api.call(&Call {
        user: world.user.clone(),
        method,
        path: path.to_owned(),
        query: String::new(),
        content_type: "application/json".to_owned(),
        accept: "application/json".to_owned(),
        body: body.to_string().into_bytes(),
        user_agent: "tester".to_owned(),
    });
    let Answer::Done { code, .. } = answer else { panic!("a watch") };
    code
}

fn delete_shop(world: &mut World, propagation: &str) {
    let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation});
    let code = send(world, http::Method::DELETE, "/apis/apps/v1/namespaces/default/deployments/shop", &options);
    assert_eq!(code, 200);
}

fn count(world: &World, kind: &Kind) -> usize {
    world.api.list(kind, "default").len()
}

#[test]
fn a_deployment_that_is_deleted_takes_its_replica_sets_and_pods_along() {
    let mut world = World::with_shop(3);
    delete_shop(&mut world, "Background");
    world.step();
    assert_eq!((count(&world, &DEPLOYMENT), count(&world, &REPLICA_SET), count(&world, &POD)), (0, 0, 3));
    world.run(Span::seconds(2));
    assert_eq!(count(&world, &POD), 0);
}

#[test]
fn in_the_foreground_the_owner_goes_last() {
    let mut world = World::with_shop(3);
    delete_shop(&mut world, "Foreground");
    world.step();
    assert!(world.get(&DEPLOYMENT, "shop")["metadata"]["deletionTimestamp"].is_string());
    assert_eq!((count(&world, &REPLICA_SET), world.pods(), count(&world, &POD)), (1, (0, 0), 3));
    world.settle();
    assert_eq!((count(&world, &DEPLOYMENT), count(&world, &REPLICA_SET), count(&world, &POD)), (0, 0, 0));
}

#[test]
fn orphaned_dependents_stay_and_are_adopted_again() {
    let mut world = World::with_shop(3);
    let pods = |world: &World| -> Vec<Value> {
        world.api.list(&POD, "default").iter().map(|pod| pod["metadata"]["name"].clone()).collect()
    };
    let before = pods(&world);
    delete_shop(&mut world, "Orphan");
    world.settle();
    assert_eq!((count(&world, &DEPLOYMENT), world.shape().as_str()), (0, "shop:1 3/3"));
    world.create(&DEPLOYMENT, deployment("shop", "shop:1", 3));
    world.settle();
    assert_eq!((world.shape().as_str(), pods(&world)), ("shop:1 3/3", before));
}

#[test]
fn an_object_goes_when_all_its_owners_are_gone() {
    let mut world = World::new();
    let map = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}});
    let owners: Vec<Value> = ["one", "two"]
        .iter()
        .map(|name| {
            let made = world.create(&CONFIG_MAP, map(name));
            json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": made["metadata"]["uid"]})
        })
        .collect();
    let mut owned = map("owned");
    owned["metadata"]["ownerReferences"] = json!(owners);
    world.create(&CONFIG_MAP, owned);
    let mut never = map("never");
    never["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "one", "uid": "other"}]);
    world.create(&CONFIG_MAP, never);
    world.settle();
    assert!(world.api.get(&CONFIG_MAP, "default", "never").is_none(), "its owner was never there");
    world.delete(&CONFIG_MAP, "one");
    world.settle();
    assert_eq!(world.get(&CONFIG_MAP, "owned")["metadata"]["ownerReferences"], json!([owners[1]]));
    world.delete(&CONFIG_MAP, "two");
    world.settle();
    assert!(world.api.get(&CONFIG_MAP, "default", "owned").is_none());
}

#[test]
fn a_namespace_is_emptied_before_it_goes() {
    let mut world = World::new();
    world.create(&NAMESPACE, json!({"metadata": {"name": "shop"}}));
    let mut shop = deployment("shop", "shop:1", 2);
    shop["metadata"]["namespace"] = json!("shop");
    world.create(&DEPLOYMENT, shop);
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80}]},
    });
    world.create(&SERVICE, service);
    world.settle();
    assert_eq!(send(&mut world, http::Method::DELETE, "/api/v1/namespaces/shop", &json!({})), 200);
    world.step();
    assert_eq!(world.controllers.emptied_namespaces().count(), 0, "pods take their time");
    world.settle();
    assert_eq!(world.controllers.emptied_namespaces().collect::<Vec<_>>(), ["shop"]);
    let mut last = world.api.get(&NAMESPACE, "", "shop").cloned().unwrap();
    last["spec"]["finalizers"] = json!([]);
    assert_eq!(send(&mut world, http::Method::PUT, "/api/v1/namespaces/shop/finalize", &last), 200);
    world.step();
    assert!(world.api.get(&NAMESPACE, "", "shop").is_none());
    assert_eq!(world.controllers.emptied_namespaces().count(), 0);
}
