//! HorizontalPodAutoscalers.

use serde_json::{Value, json};

use super::world::World;
use crate::api::Span;
use crate::cluster::kind::DEPLOYMENT;
use crate::sandbox::controllers::HPA;

/// Four replicas of the shop under an autoscaler for 50 % between 2 and 10, with this in its `spec`.
fn world(extra: Value) -> World {
    let mut world = World::with_shop(4);
    world.nature.cpu = Some(50.0);
    let mut spec = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
        "minReplicas": 2, "maxReplicas": 10,
        "metrics": [{"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50},
        }}],
    });
    for (key, value) in extra.as_object().unwrap() {
        spec[key] = value.clone();
    }
    world.create(
        &HPA,
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "shop", "namespace": "default"}, "spec": spec,
        }),
    );
    world.settle();
    world
}

fn replicas(world: &World) -> i64 {
    world.get(&DEPLOYMENT, "shop")["spec"]["replicas"].as_i64().unwrap()
}

fn condition(world: &World, kind: &str) -> String {
    let all = world.get(&HPA, "shop")["status"]["conditions"].as_array().cloned().unwrap();
    let one = all.iter().find(|one| one["type"] == kind);
    one.map_or("-".to_owned(), |one| format!("{} {}", one["status"].as_str().unwrap(), one["reason"].as_str().unwrap()))
}

#[test]
fn load_brings_replicas_up_and_the_lack_of_it_brings_them_down_after_the_window() {
    let mut world = world(json!({}));
    assert_eq!((replicas(&world), condition(&world, "ScalingActive").as_str()), (4, "True ValidMetricFound"));
    world.nature.cpu = Some(75.0);
    world.run(Span::seconds(16));
    assert_eq!(replicas(&world), 6);
    world.nature.cpu = Some(50.0);
    world.settle();
    world.nature.cpu = Some(20.0);
    world.run(Span::minutes(3));
    assert_eq!((replicas(&world), condition(&world, "AbleToScale").as_str()), (6, "True ScaleDownStabilized"));
    world.run(Span::minutes(4));
    // 40 % of six, rounded up.
    assert_eq!(replicas(&world), 3);
    let status = &world.get(&HPA, "shop")["status"];
    assert_eq!((&status["desiredReplicas"], &status["currentReplicas"]), (&json!(3), &json!(3)));
    assert!(status["lastScaleTime"].is_string());
}

#[test]
fn bounds_hold() {
    let mut world = world(json!({"maxReplicas": 5}));
    world.nature.cpu = Some(500.0);
    world.settle();
    assert_eq!((replicas(&world), condition(&world, "ScalingLimited").as_str()), (5, "True TooManyReplicas"));
    world.scale(9);
    world.settle();
    assert_eq!(replicas(&world), 5);
}

#[test]
fn a_disabled_direction_stays() {
    let mut world = world(json!({"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}));
    world.nature.cpu = Some(5.0);
    world.run(Span::minutes(30));
    assert_eq!(replicas(&world), 4);
    world.nature.cpu = Some(75.0);
    world.settle();
    assert!(replicas(&world) > 4);
}

#[test]
fn without_metrics_nothing_is_scaled_and_the_status_says_why() {
    let mut world = world(json!({}));
    world.nature.cpu = None;
    world.settle();
    assert_eq!((replicas(&world), condition(&world, "ScalingActive").as_str()), (4, "False FailedGetResourceMetric"));
    world.nature.cpu = Some(500.0);
    world.scale(0);
    world.settle();
    assert_eq!((replicas(&world), condition(&world, "ScalingActive").as_str()), (0, "False ScalingDisabled"));
}

#[test]
fn what_the_sandbox_cannot_measure_is_refused() {
    let world = world(json!({"metrics": [{"type": "External", "external": {}}]}));
    assert_eq!(condition(&world, "ScalingActive"), "False InvalidMetricSourceType");
}
