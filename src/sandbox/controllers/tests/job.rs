//! Jobs and their ends.

use serde_json::{Value, json};

use super::world::World;
use crate::api::Span;
use crate::cluster::kind::{JOB, POD};
use crate::sandbox::api::RESOURCE_QUOTA;
use crate::sandbox::objects::Objects;

fn with_job(ends: &str) -> World {
    let mut world = World::new();
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "probe", "namespace": "default", "annotations": {"sandbox.tidegate.io/ends": ends}},
        "spec": {"activeDeadlineSeconds": 30, "backoffLimit": 0, "ttlSecondsAfterFinished": 60, "template": {"spec": {
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

#[test]
fn a_pod_that_is_taken_away_counts_as_one_that_failed() {
    let mut world = with_job("Never");
    world.run(Span::seconds(3));
    let pod = world.api.list(&POD, "default")[0]["metadata"]["name"].as_str().unwrap().to_owned();
    world.delete(&POD, &pod);
    world.run(Span::seconds(3));
    assert_eq!(ended(&world)["reason"], "BackoffLimitExceeded");
    assert!(world.api.list(&POD, "default").is_empty(), "nothing tells whether it ran");
}

#[test]
fn a_job_makes_as_many_pods_as_may_fail_and_one_more() {
    let mut world = with_job("no cart");
    world.edit(&JOB, "probe", |job| job["spec"]["backoffLimit"] = json!(2));
    world.run(Span::seconds(12));
    assert_eq!(
        (ended(&world)["reason"].as_str(), world.api.list(&POD, "default").len()),
        (Some("BackoffLimitExceeded"), 3)
    );
}

#[test]
fn a_pod_that_no_scheduler_binds_never_starts() {
    let mut world = with_job("Complete");
    world.edit(&JOB, "probe", |job| job["spec"]["template"]["spec"]["schedulerName"] = json!("nobody"));
    world.run(Span::seconds(29));
    assert_eq!((ended(&world), world.api.list(&POD, "default").len()), (Value::Null, 1));
    world.run(Span::seconds(5));
    assert_eq!(ended(&world)["reason"], "DeadlineExceeded");
    assert!(world.api.list(&POD, "default").is_empty());
}

#[test]
fn a_quota_keeps_jobs_from_being_made_and_pods_of_jobs() {
    let mut world = World::new();
    let quota =
        json!({"metadata": {"name": "none", "namespace": "default"}, "spec": {"hard": {"count/jobs.batch": "0"}}});
    world.create(&RESOURCE_QUOTA, quota);
    let job = json!({"metadata": {"name": "probe", "namespace": "default"}, "spec": {}});
    let refused = world.api.create(&world.user.clone(), &JOB, job).unwrap_err().to_string();
    let why =
        "exceeded quota: none, requested: count/jobs.batch=1, used: count/jobs.batch=0, limited: count/jobs.batch=0";
    assert!(refused.contains(why), "{refused}");
    world.edit(&RESOURCE_QUOTA, "none", |quota| quota["spec"]["hard"] = json!({"pods": "0"}));
    let job = json!({"metadata": {"name": "probe", "namespace": "default"}, "spec": {"template": {"spec": {"containers": [{"name": "app"}]}}}});
    world.create(&JOB, job);
    world.run(Span::seconds(10));
    assert!(world.api.list(&POD, "default").is_empty());
    world.delete(&RESOURCE_QUOTA, "none");
    world.run(Span::seconds(10));
    assert_eq!(ended(&world)["type"], "Complete");
}
