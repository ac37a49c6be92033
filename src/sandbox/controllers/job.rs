//! Jobs, as far as their results concern others: one runs for two seconds and ends as an annotation says. What its program
//! would do is left out, and so are pods, but for one that tells why a Job failed. CronJobs here never run by themselves.

use serde_json::{Value, json};

use super::look::{
    annotation, at, condition, is_set, leaving, name, namespace, number, owner_reference, stamp, text, time,
};
use super::write::{Context, Place, place, sooner, suffix, tried};
use crate::api::{Span, Time};
use crate::cluster::kind::{JOB, POD};

/// Annotation on a Job: how it ends; `Complete` where it is absent, `Never`, or anything else, which are its last words
/// when it fails.
pub const ENDS: &str = "sandbox.tidegate.io/ends";
/// How long a program runs.
const RUNS: Span = Span::seconds(2);

/// What a Job comes to next.
enum Next {
    Starts,
    Completes,
    Fails(&'static str, String),
    Goes,
}

pub(super) fn run(cx: &mut Context<'_>) -> Option<Time> {
    let mut due = None;
    let mut next = Vec::new();
    for job in cx.objects.list(&JOB, "").into_iter().filter(|job| !leaving(job)) {
        match step(job, cx.now) {
            (Some(what), _) => next.push((job.clone(), what)),
            (None, Some(at)) => sooner(&mut due, at),
            (None, None) => {}
        }
    }
    for (job, what) in next {
        // What it waits for then is seen in the next round: a write changes what is looked at.
        carry_out(cx, &job, what);
    }
    due
}

/// What is next, or when.
fn step(job: &Value, now: Time) -> (Option<Next>, Option<Time>) {
    let then = |at: Time, next: Next| if now >= at { (Some(next), None) } else { (None, Some(at)) };
    let of = |condition: &Value| time(text(condition, &["lastTransitionTime"])).unwrap_or(now);
    if let Some(over) = condition(job, "Complete").or_else(|| condition(job, "Failed")) {
        return match at(job, &["spec", "ttlSecondsAfterFinished"]) {
            Some(_) => then(of(over).plus(seconds(job, "ttlSecondsAfterFinished")), Next::Goes),
            None => (None, None),
        };
    }
    if is_set(job, &["spec", "suspend"]) {
        return (None, None);
    }
    let Some(started) = time(text(job, &["status", "startTime"])) else { return (Some(Next::Starts), None) };
    match annotation(job, ENDS).unwrap_or("Complete") {
        "Complete" => then(started.plus(RUNS), Next::Completes),
        "Never" if at(job, &["spec", "activeDeadlineSeconds"]).is_none() => (None, None),
        "Never" => {
            let why = "Job was active longer than specified deadline".to_owned();
            then(started.plus(seconds(job, "activeDeadlineSeconds")), Next::Fails("DeadlineExceeded", why))
        }
        words => then(started.plus(RUNS), Next::Fails("BackoffLimitExceeded", words.to_owned())),
    }
}

fn seconds(job: &Value, field: &str) -> Span {
    Span::seconds(u64::try_from(number(job, &["spec", field])).unwrap_or(0))
}

fn carry_out(cx: &mut Context<'_>, job: &Value, next: Next) {
    let (home, called) = place(job);
    let at = stamp(cx.now);
    let mut status = job.get("status").cloned().unwrap_or_else(|| json!({}));
    let end = |kind: &str, reason: &str, message: &str| {
        json!([{"type": kind, "status": "True", "reason": reason, "message": message,
                "lastProbeTime": at, "lastTransitionTime": at}])
    };
    match next {
        Next::Starts => status = json!({"startTime": at, "active": 1, "ready": 1}),
        Next::Completes => {
            status["conditions"] = end("Complete", "CompletionsReached", "Reached expected number of succeeded pods");
            status["completionTime"] = json!(at);
            (status["active"], status["ready"], status["succeeded"]) = (json!(0), json!(0), json!(1));
        }
        Next::Fails(reason, words) => {
            let message = match reason {
                "DeadlineExceeded" => words.clone(),
                _ => "Job has reached the specified backoff limit".to_owned(),
            };
            status["conditions"] = end("Failed", reason, &message);
            (status["active"], status["ready"], status["failed"]) = (json!(0), json!(0), json!(1));
            if reason != "DeadlineExceeded" {
                failed_pod(cx, job, &words);
            }
        }
        Next::Goes => return cx.delete(&cx.users.job, &JOB, &(home, called)),
    }
    tried(cx.set_status(&cx.users.job, &JOB, &home, &called, status));
}

/// The pod that failed last: it is there with its end, as nobody saw it run.
fn failed_pod(cx: &mut Context<'_>, job: &Value, words: &str) {
    let (home, called): Place = (namespace(job).to_owned(), format!("{}-{}", name(job), suffix(cx.rng)));
    let template = at(job, &["spec", "template"]).cloned().unwrap_or_default();
    let mut labels = at(&template, &["metadata", "labels"]).cloned().unwrap_or_else(|| json!({}));
    labels["batch.kubernetes.io/job-name"] = json!(name(job));
    let container = template.pointer("/spec/containers/0/name").cloned();
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": called, "namespace": home, "labels": labels, "ownerReferences": [owner_reference(&JOB, job)]},
        "spec": template["spec"],
    });
    tried(cx.objects.create(&cx.users.job, &POD, pod));
    let ended = json!({"exitCode": 1, "reason": "Error", "finishedAt": stamp(cx.now), "message": words});
    let status = json!({
        "phase": "Failed", "startTime": stamp(cx.now),
        "containerStatuses": [{"name": container, "ready": false, "restartCount": 0, "state": {"terminated": ended}}],
    });
    tried(cx.set_status(&cx.users.kubelet, &POD, &home, &called, status));
}
