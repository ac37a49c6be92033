//! Jobs of one pod at a time: the pod is made, its program ends as the world or an annotation says, and what became of it is
//! counted. CronJobs here never run by themselves.
//!
//! As the Job controller of Kubernetes 1.36 with `restartPolicy: Never`: a pod that is taken away counts as one that failed, though
//! it never ran; a Job past its deadline loses its pods; one that has ended goes with its `ttlSecondsAfterFinished`. Left out
//! are parallel pods, pod failure policies, and the growing pause before another pod.

use serde_json::{Value, json};

use super::look::{
    annotation, at, condition, controller_uid, integer, is_active, is_set, items, leaving, name, namespace, number,
    owner_reference, stamp, text, time, uid,
};
use super::pod::FINALIZER;
use super::world::End;
use super::write::{Context, place, put, refused, sooner, suffix};
use crate::api::{Span, Time};
use crate::cluster::kind::{JOB, POD};
use crate::sandbox::objects::Refusal;

/// Annotation on a Job: how its program ends; `Complete`, `Never`, or anything else, which are its last words when it fails. The
/// world decides where it is absent.
pub const ENDS: &str = "sandbox.tidegate.io/ends";
/// Annotation on a pod whose program waits for ever: it does not ask again.
const HANGS: &str = "sandbox.tidegate.io/hangs";
/// How long a program runs.
const RUNS: Span = Span::seconds(2);
/// How long until something refused is tried again.
const RETRY: Span = Span::seconds(5);
/// The `backoffLimit` of a Job that says none.
const BACKOFF_LIMIT: i64 = 6;

pub(super) fn run(cx: &mut Context<'_>) -> Option<Time> {
    let mut due = None;
    let jobs: Vec<Value> = cx.objects.list(&JOB, "").into_iter().filter(|job| !leaving(job)).cloned().collect();
    for job in &jobs {
        match sync(cx, job) {
            Ok(None) => {}
            Ok(Some(at)) => sooner(&mut due, at),
            Err(refusal) => {
                refused(&refusal);
                sooner(&mut due, cx.now.plus(RETRY));
            }
        }
    }
    due
}

/// Does what is next, or says when it will be. What is written shows in the next round.
fn sync(cx: &mut Context<'_>, job: &Value) -> Result<Option<Time>, Refusal> {
    if let Some(over) = condition(job, "Complete").or_else(|| condition(job, "Failed")) {
        return Ok(over_since(cx, job, over));
    }
    if is_set(job, &["spec", "suspend"]) {
        return Ok(None);
    }
    let Some(started) = time(text(job, &["status", "startTime"])) else {
        let begins = json!({"startTime": stamp(cx.now), "active": 0, "ready": 0, "failed": 0});
        return write(cx, job, begins).map(|()| None);
    };
    let own = cx.objects.list(&POD, namespace(job)).into_iter().filter(|pod| controller_uid(pod) == uid(job));
    let pods: Vec<Value> = own.cloned().collect();
    let alive = pods.iter().find(|pod| is_active(pod));
    let deadline =
        integer(job, &["spec", "activeDeadlineSeconds"]).map(|_| started.plus(seconds(job, "activeDeadlineSeconds")));
    if deadline.is_some_and(|deadline| cx.now >= deadline) {
        if let Some(pod) = alive {
            cx.delete(&cx.users.job, &POD, &place(pod));
        }
        return ends(cx, job, ("Failed", "DeadlineExceeded"), "Job was active longer than specified deadline")
            .map(|()| None);
    }
    if let Some(pod) = alive {
        return goes_on(cx, job, pod).map(|next| [next, deadline].into_iter().flatten().min());
    }
    if pods.iter().any(|pod| text(pod, &["status", "phase"]) == "Succeeded") {
        return ends(cx, job, ("Complete", "CompletionsReached"), "Reached expected number of succeeded pods")
            .map(|()| None);
    }
    if number(job, &["status", "active"]) > 0 {
        let failed = number(job, &["status", "failed"]) + 1;
        let mut status = job["status"].clone();
        (status["active"], status["ready"], status["failed"]) = (json!(0), json!(0), json!(failed));
        return write(cx, job, status).map(|()| None);
    }
    if number(job, &["status", "failed"]) > integer(job, &["spec", "backoffLimit"]).unwrap_or(BACKOFF_LIMIT) {
        return ends(cx, job, ("Failed", "BackoffLimitExceeded"), "Job has reached the specified backoff limit")
            .map(|()| None);
    }
    let pod = pod_of(cx, job);
    cx.objects.create(&cx.users.job, &POD, pod)?;
    Ok(deadline)
}

/// When one that has ended goes, or that it does.
fn over_since(cx: &mut Context<'_>, job: &Value, over: &Value) -> Option<Time> {
    at(job, &["spec", "ttlSecondsAfterFinished"])?;
    let since = time(text(over, &["lastTransitionTime"])).unwrap_or(cx.now);
    let goes = since.plus(seconds(job, "ttlSecondsAfterFinished"));
    if cx.now < goes {
        return Some(goes);
    }
    cx.delete(&cx.users.job, &JOB, &place(job));
    None
}

/// A pod that is there is shown, and its program ends in its time.
fn goes_on(cx: &mut Context<'_>, job: &Value, pod: &Value) -> Result<Option<Time>, Refusal> {
    let container = items(pod, &["status", "containerStatuses"]).first();
    let since = container.map(|one| text(one, &["state", "running", "startedAt"])).and_then(time);
    let mut status = job["status"].clone();
    (status["active"], status["ready"]) = (json!(1), json!(i64::from(since.is_some())));
    write(cx, job, status)?;
    let (Some(since), Some(container)) = (since, container) else { return Ok(None) };
    if annotation(pod, HANGS).is_some() {
        return Ok(None);
    }
    if cx.now < since.plus(RUNS) {
        return Ok(Some(since.plus(RUNS)));
    }
    let end = match annotation(job, ENDS) {
        None => cx.world.ends(&*cx.objects, job),
        Some("Complete") => End::Completes,
        Some("Never") => End::Never,
        Some(words) => End::Fails(words.to_owned()),
    };
    let (phase, code, words) = match end {
        End::Never => return hangs(cx, pod),
        End::Completes => ("Succeeded", 0, String::new()),
        End::Fails(words) => ("Failed", 1, words),
    };
    let reason = if code == 0 { "Completed" } else { "Error" };
    let ended = json!({"exitCode": code, "reason": reason, "finishedAt": stamp(cx.now), "message": words});
    let status = json!({
        "phase": phase, "startTime": pod["status"]["startTime"],
        "containerStatuses": [{
            "name": container["name"], "ready": false, "restartCount": 0, "state": {"terminated": ended},
        }],
    });
    let (home, called) = place(pod);
    cx.set_status(&cx.users.kubelet, &POD, &home, &called, status).map(|()| None)
}

fn hangs(cx: &mut Context<'_>, pod: &Value) -> Result<Option<Time>, Refusal> {
    let (home, called) = place(pod);
    let waits = |pod: &mut Value| put(pod, &["metadata", "annotations", HANGS], json!("true"));
    cx.edit(&cx.users.kubelet, &POD, &home, &called, waits).map(|_| None)
}

fn ends(cx: &mut Context<'_>, job: &Value, (kind, reason): (&str, &str), message: &str) -> Result<(), Refusal> {
    let now = stamp(cx.now);
    let mut status = job["status"].clone();
    (status["active"], status["ready"]) = (json!(0), json!(0));
    status["conditions"] = json!([{
        "type": kind, "status": "True", "reason": reason, "message": message,
        "lastProbeTime": now, "lastTransitionTime": now,
    }]);
    if kind == "Complete" {
        (status["completionTime"], status["succeeded"]) = (json!(now), json!(1));
    }
    write(cx, job, status)
}

fn write(cx: &mut Context<'_>, job: &Value, status: Value) -> Result<(), Refusal> {
    let (home, called) = place(job);
    cx.set_status(&cx.users.job, &JOB, &home, &called, status)
}

fn seconds(job: &Value, field: &str) -> Span {
    Span::seconds(u64::try_from(number(job, &["spec", field])).unwrap_or(0))
}

fn pod_of(cx: &mut Context<'_>, job: &Value) -> Value {
    let template = at(job, &["spec", "template"]).cloned().unwrap_or_default();
    let mut labels = at(&template, &["metadata", "labels"]).cloned().unwrap_or_else(|| json!({}));
    labels["batch.kubernetes.io/job-name"] = json!(name(job));
    labels["batch.kubernetes.io/controller-uid"] = json!(uid(job));
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("{}-{}", name(job), suffix(cx.rng)), "namespace": namespace(job), "labels": labels,
            "finalizers": [FINALIZER], "ownerReferences": [owner_reference(&JOB, job)],
        },
        "spec": template["spec"],
    })
}
