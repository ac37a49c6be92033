//! EndpointSlices and HTTPRoutes.

use serde_json::{Value, json};

use super::world::World;
use crate::api::Span;
use crate::cluster::kind::{ENDPOINT_SLICE, HTTP_ROUTE, POD, SERVICE};
use crate::sandbox::controllers::CONTROLLER_NAME;
use crate::sandbox::objects::Objects;

fn service(name: &str, port: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default", "labels": {"team": "a"}},
        "spec": {"selector": {"app": "shop"}, "ports": [{"name": "web", "port": 80, "targetPort": port}]},
    })
}

/// `ready serving terminating` of each endpoint of a Service, as letters.
fn endpoints(world: &World) -> Vec<String> {
    let slices = world.api.list(&ENDPOINT_SLICE, "default");
    assert!(slices.len() <= 1, "one slice a Service");
    let all = slices.first().and_then(|slice| slice["endpoints"].as_array()).into_iter().flatten();
    let mut shown: Vec<String> = all
        .map(|one| {
            let letter = |key: &str, letter: char| if one["conditions"][key] == true { letter } else { '-' };
            [letter("ready", 'r'), letter("serving", 's'), letter("terminating", 't')].iter().collect()
        })
        .collect();
    shown.sort();
    shown
}

#[test]
fn a_service_gets_the_endpoints_of_its_pods_a_little_later() {
    let mut world = World::with_shop(2);
    world.create(&SERVICE, service("shop", json!("http")));
    world.run(Span::from_millis(99));
    assert!(world.api.list(&ENDPOINT_SLICE, "default").is_empty());
    world.run(Span::from_millis(1));
    assert_eq!(endpoints(&world), ["rs-", "rs-"]);
    let slice = world.api.list(&ENDPOINT_SLICE, "default").first().copied().cloned().unwrap();
    assert_eq!(slice["ports"], json!([{"name": "web", "port": 8080, "protocol": "TCP"}]));
    assert_eq!(slice["metadata"]["labels"]["kubernetes.io/service-name"], "shop");
    assert_eq!(slice["metadata"]["labels"]["team"], "a");
    let pod = world.api.list(&POD, "default").first().copied().cloned().unwrap();
    assert_eq!(slice["endpoints"][0]["addresses"], json!([pod["status"]["podIP"]]));
    assert_eq!(slice["endpoints"][0]["targetRef"]["name"], pod["metadata"]["name"]);
}

#[test]
fn endpoints_follow_readiness_and_the_end_of_pods() {
    let mut world = World::with_shop(2);
    world.create(&SERVICE, service("shop", json!(8080)));
    world.settle();
    world.scale(3);
    world.run(Span::from_millis(500));
    assert_eq!(endpoints(&world), ["---", "rs-", "rs-"]);
    world.settle();
    world.scale(2);
    world.run(Span::from_millis(500));
    assert_eq!(endpoints(&world), ["-st", "rs-", "rs-"]);
    world.settle();
    assert_eq!(endpoints(&world), ["rs-", "rs-"]);
    world.scale(0);
    world.settle();
    assert_eq!(endpoints(&world), Vec::<String>::new());
    world.delete(&SERVICE, "shop");
    world.settle();
    assert!(world.api.list(&ENDPOINT_SLICE, "default").is_empty(), "it goes with its Service");
}

fn route(backends: &[&str]) -> Value {
    let refs: Vec<Value> = backends.iter().map(|name| json!({"name": name, "port": 80})).collect();
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {"parentRefs": [{"name": "gateway"}], "rules": [{"backendRefs": refs}]},
    })
}

/// `generation Accepted/reason ResolvedRefs/reason` by what the router says.
fn said(world: &World) -> String {
    let route = world.get(&HTTP_ROUTE, "shop");
    let Some(parent) = route.pointer("/status/parents/0") else { return "nothing".to_owned() };
    assert_eq!((&parent["controllerName"], &parent["parentRef"]["name"]), (&json!(CONTROLLER_NAME), &json!("gateway")));
    let all: Vec<String> = parent["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            format!("{}={}/{}@{}", text("type"), text("status"), text("reason"), one["observedGeneration"])
        })
        .collect();
    all.join(" ")
}

#[test]
fn a_route_is_taken_up_after_a_while_and_says_whether_its_backends_are_there() {
    let mut world = World::with_shop(1);
    world.create(&SERVICE, service("shop", json!(8080)));
    world.create(&HTTP_ROUTE, route(&["shop"]));
    world.run(Span::from_millis(149));
    assert_eq!(said(&world), "nothing");
    world.run(Span::from_millis(1));
    assert_eq!(said(&world), "Accepted=True/Accepted@1 ResolvedRefs=True/ResolvedRefs@1");
    world.edit(&HTTP_ROUTE, "shop", |it| it["spec"] = route(&["shop", "shop-canary"])["spec"].clone());
    world.settle();
    assert_eq!(said(&world), "Accepted=True/Accepted@2 ResolvedRefs=False/BackendNotFound@2");
    world.create(&SERVICE, service("shop-canary", json!(8080)));
    world.settle();
    assert_eq!(said(&world), "Accepted=True/Accepted@2 ResolvedRefs=True/ResolvedRefs@2");
    world.delete(&SERVICE, "shop-canary");
    world.settle();
    assert_eq!(said(&world), "Accepted=True/Accepted@2 ResolvedRefs=False/BackendNotFound@2");
}

#[test]
fn a_router_can_be_made_to_lag_and_to_catch_up() {
    let mut world = World::with_shop(1);
    world.create(&SERVICE, service("shop", json!(8080)));
    world.create(&HTTP_ROUTE, route(&["shop"]));
    world.settle();
    world.controllers.timing.router = Span::minutes(5);
    world.edit(&HTTP_ROUTE, "shop", |it| it["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(7));
    world.run(Span::minutes(4));
    assert_eq!(said(&world), "Accepted=True/Accepted@1 ResolvedRefs=True/ResolvedRefs@1");
    world.controllers.timing.router = Span::from_millis(150);
    world.step();
    assert_eq!(said(&world), "Accepted=True/Accepted@2 ResolvedRefs=True/ResolvedRefs@2");
}

#[test]
fn what_other_routers_say_of_a_route_stays() {
    let mut world = World::with_shop(1);
    let mut made = world.create(&HTTP_ROUTE, route(&[]));
    let foreign = json!({"parentRef": {"name": "other"}, "controllerName": "example.com/other", "conditions": []});
    made["status"] = json!({"parents": [foreign]});
    world.api.update_status(&world.user.clone(), &HTTP_ROUTE, made).unwrap();
    world.settle();
    let parents = world.get(&HTTP_ROUTE, "shop")["status"]["parents"].as_array().unwrap();
    assert_eq!((parents.len(), &parents[1]), (2, &foreign));
}

#[test]
fn one_parent_after_the_other_takes_a_route_up() {
    let mut world = World::with_shop(1);
    world.create(&SERVICE, service("shop", json!(8080)));
    let mut two = route(&["shop"]);
    two["spec"]["parentRefs"] = json!([{"name": "gateway"}, {"name": "inside"}]);
    world.create(&HTTP_ROUTE, two);
    let seen = |world: &World| {
        let parents = world.get(&HTTP_ROUTE, "shop").pointer("/status/parents").and_then(Value::as_array).cloned();
        let parents = parents.unwrap_or_default().into_iter();
        parents.map(|one| one["conditions"][0]["observedGeneration"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    world.run(Span::from_millis(150));
    assert_eq!(seen(&world), [1]);
    world.run(Span::from_millis(150));
    assert_eq!(seen(&world), [1, 1]);
    world.edit(&HTTP_ROUTE, "shop", |it| it["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(7));
    world.run(Span::from_millis(150));
    assert_eq!(seen(&world), [2, 1]);
    world.settle();
    assert_eq!(seen(&world), [2, 2]);
}
