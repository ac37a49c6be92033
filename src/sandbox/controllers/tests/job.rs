//! Jobs and their ends.

use serde_json::{Value, json};

use super::world::World;
use crate::api::Span;
use crate::cluster::kind::{JOB, POD};
use crate::sandbox::objects::Objects;

fn with_job(ends: &str) -> World {
    let mut world = World::new();
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "probe", "namespace": "default", "annotations": {"sandbox.tidegate.io/ends": ends}},
        "spec": {"activeDeadlineSeconds": 30, "ttlSecondsAfterFinished": 60, "template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "app", "image": "probe"}],
        }}},
    });
    world.create(&JOB, job);
    world
}

fn ended(world: &World) -> Value {
    world.get(&JOB, "probe")["status"]["conditions"][0].clone()
}

#[test]
fn a_job_completes_and_goes_when_its_time_is_over() {
    let mut world = with_job("Complete");
    world.run(Span::seconds(1));
    assert_eq!(ended(&world), Value::Null);
    assert_eq!(world.get(&JOB, "probe")["status"]["active"], 1);
    world.run(Span::seconds(3));
    assert_eq!(ended(&world)["type"], "Complete");
    world.run(Span::seconds(61));
    assert!(world.api.list(&JOB, "default").is_empty());
}

#[test]
fn a_job_that_fails_leaves_a_pod_with_its_last_words() {
    let mut world = with_job("no cart");
    world.run(Span::seconds(4));
    assert_eq!(ended(&world)["reason"], "BackoffLimitExceeded");
    let pods = world.api.list(&POD, "default");
    let status = &pods[0]["status"];
    assert_eq!((pods.len(), &status["phase"]), (1, &json!("Failed")));
    assert_eq!(status["containerStatuses"][0]["state"]["terminated"]["message"], "no cart");
    world.run(Span::seconds(61));
    assert!(world.api.list(&POD, "default").is_empty(), "a Job takes its pods along");
}

#[test]
fn a_job_that_never_ends_is_ended_by_its_deadline() {
    let mut world = with_job("Never");
    world.run(Span::seconds(29));
    assert_eq!(ended(&world), Value::Null);
    world.run(Span::seconds(2));
    assert_eq!(ended(&world)["reason"], "DeadlineExceeded");
}
