//! Jobs that try a new version: whom they are told of, how often they are made, what follows from them, and that none is left.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Checkers, FRESH, NAMESPACE, Rule, Seen, items, number, text};
use crate::api::Time;
use crate::cluster::kind::{GATED_RELEASE, JOB, RELEASE_RECORD};
use crate::sandbox::objects::Objects;

/// What a Job was made for: a record, the number of a stage from 1, and a check.
type Purpose = (String, String, String);

/// What is remembered of Jobs.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    /// The last Job of each purpose, by its UID.
    last: BTreeMap<Purpose, String>,
    /// Those of which a container ran, by UID.
    ran: BTreeSet<String>,
    /// Those that completed, by UID, and when.
    completed: BTreeMap<String, Time>,
}

fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid").unwrap_or_default()
}

/// All values that containers of a Job get for a variable; the last of a container is what counts there.
fn told<'a>(job: &'a Value, name: &str) -> Vec<&'a str> {
    let pod = "/spec/template/spec";
    let containers =
        items(job, &format!("{pod}/initContainers")).iter().chain(items(job, &format!("{pod}/containers")));
    let of = |container: &'a Value| {
        let mut all = items(container, "/env").iter().filter(|one| one["name"] == name);
        all.next_back().and_then(|one| text(one, "/value")).unwrap_or_default()
    };
    containers.map(of).collect()
}

/// What a Job was made for; none where it is nobody's that tries a version.
fn purpose(job: &Value) -> Option<Purpose> {
    let check = text(job, "/metadata/annotations/tidegate.io~1check")?;
    let one = |name: &str| told(job, name).first().map(|it| (*it).to_owned());
    Some((one("TIDEGATE_RECORD")?, one("TIDEGATE_STAGE")?, check.to_owned()))
}

fn runs(job: &Value) -> bool {
    let over = items(job, "/status/conditions").iter().any(|one| one["type"] == "Complete" || one["type"] == "Failed");
    !over && text(job, "/metadata/deletionTimestamp").is_none()
}

/// A change of a Job.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(job) = seen.after else { return };
    let Some(purpose) = purpose(job) else { return };
    if items(job, "/status/conditions").iter().any(|one| one["type"] == "Complete" && one["status"] == "True") {
        checkers.jobs.completed.entry(uid(job).to_owned()).or_insert(seen.now);
    }
    if seen.process.is_none() || seen.before.is_some() {
        return;
    }
    checkers.jobs.last.insert(purpose.clone(), uid(job).to_owned());
    if let Some(says) = elsewhere(seen.objects, job, &purpose) {
        checkers.violated(Rule::JobElsewhere, seen.now, format!("{}: {says}", seen.name));
    }
    let field = |name: &str| job.pointer(&format!("/spec/{name}")).and_then(Value::as_u64);
    let owned = items(job, "/metadata/ownerReferences").iter().any(|one| one["kind"] == "GatedRelease");
    if field("ttlSecondsAfterFinished").is_none() || field("activeDeadlineSeconds").is_none() || !owned {
        let says = format!("{} has no time after which it goes, or no owner that takes it along", seen.name);
        checkers.violated(Rule::JobLeft, seen.now, says);
    }
    // What is about to change its mind, or has lost the Lease, may be a moment late.
    let calm = checkers.circumstances.calm_since.is_some_and(|since| seen.now.since(since) > FRESH);
    if let Some(says) = again(seen.objects, job, &purpose).filter(|_| calm) {
        checkers.violated(Rule::JobTwice, seen.now, format!("{}: {says}", seen.name));
    }
}

/// Where a Job is sent that is not the new version of its record.
fn elsewhere(objects: &dyn Objects, job: &Value, (record, ..): &Purpose) -> Option<String> {
    let record = objects.get(&RELEASE_RECORD, NAMESPACE, record)?;
    let release = text(record, "/spec/release").unwrap_or_default();
    let service = match text(record, "/spec/arm") {
        Some("Workload") => release.to_owned(),
        Some(_) | None => format!("{release}-canary"),
    };
    let host = format!("{service}.{NAMESPACE}.svc");
    let revision = text(record, "/spec/revision").unwrap_or_default();
    let right = [("TIDEGATE_SERVICE", service.as_str()), ("TIDEGATE_HOST", &host), ("TIDEGATE_REVISION", revision)];
    right.into_iter().find_map(|(name, right)| {
        let wrong = told(job, name).into_iter().find(|told| *told != right)?;
        Some(format!("{name} is {wrong:?}, and of the new version it is {right:?}"))
    })
}

/// Why nobody waits for a Job that is made.
fn again(objects: &dyn Objects, job: &Value, made_for: &Purpose) -> Option<String> {
    let other = |one: &&Value| uid(one) != uid(job) && purpose(one).as_ref() == Some(made_for);
    if let Some(other) = objects.list(&JOB, NAMESPACE).into_iter().find(other) {
        return Some(format!("{} is there for the same", text(other, "/metadata/name").unwrap_or_default()));
    }
    let (name, stage, check) = made_for;
    let record = objects.get(&RELEASE_RECORD, NAMESPACE, name)?;
    let over = |place: &str| record.pointer(place).is_some_and(|it| !it.is_null());
    if over("/status/outcome") || over("/status/rollback") || text(record, "/status/phase") != Some("Release") {
        return Some(format!("{name} waits for none"));
    }
    if stage.parse() != Ok(number(record, "/status/stage") + 1) {
        return Some(format!("{name} is in another stage than {stage}"));
    }
    let found = items(record, "/status/checks").iter().any(|one| text(one, "/name") == Some(check));
    found.then(|| format!("{name} has what check {check:?} found"))
}

/// A change of a pod: whether a container of a Job ran.
pub(super) fn pod(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(pod) = seen.after.filter(|_| seen.kind.plural == "pods") else { return };
    let Some(owner) = items(pod, "/metadata/ownerReferences").iter().find(|one| one["kind"] == "Job") else { return };
    let state = |one: &Value| ["running", "terminated"].iter().any(|state| one["state"].get(*state).is_some());
    if items(pod, "/status/containerStatuses").iter().any(state) {
        checkers.jobs.ran.insert(text(owner, "/uid").unwrap_or_default().to_owned());
    }
}

/// A write of a record.
pub(super) fn record(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let before = seen.before.unwrap_or(&Value::Null);
    let new = |place: &str| text(after, place).is_some() && text(before, place).is_none();
    for (index, _) in items(after, "/status/stages").iter().enumerate() {
        if new(&format!("/status/stages/{index}/passedAt")) {
            passed(checkers, seen, after, index);
        }
    }
    if new("/status/rollback/trigger") && text(after, "/status/rollback/trigger") == Some("SyntheticCheck") {
        blamed(checkers, seen, after);
    }
    if new("/status/outcome") {
        let of = |job: &&Value| purpose(job).is_some_and(|(record, ..)| record == seen.name);
        let left =
            |job: &&Value| super::time(job, "/metadata/creationTimestamp").is_none_or(|at| seen.now.since(at) > FRESH);
        let mut all = seen.objects.list(&JOB, NAMESPACE).into_iter().filter(|job| runs(job));
        if let Some(job) = all.find(|job| of(job) && left(job)) {
            let says =
                format!("{} is closed, and Job {} runs on", seen.name, text(job, "/metadata/name").unwrap_or_default());
            checkers.violated(Rule::JobLeft, seen.now, says);
        }
    }
}

/// The checks by a Job that the release of a record has.
fn checks(objects: &dyn Objects, record: &Value) -> Vec<String> {
    let release = text(record, "/spec/release").and_then(|name| objects.get(&GATED_RELEASE, NAMESPACE, name));
    let all = release.map_or(&[][..], |release| items(release, "/spec/analysis/checks"));
    let jobs = all.iter().filter(|check| check["job"].is_object());
    jobs.map(|check| text(check, "/name").unwrap_or_default().to_owned()).collect()
}

fn passed(checkers: &mut Checkers, seen: &Seen<'_>, record: &Value, index: usize) {
    for check in checks(seen.objects, record) {
        let made_for = (seen.name.to_owned(), (index + 1).to_string(), check);
        let job = checkers.jobs.last.get(&made_for);
        if job.is_none_or(|job| !checkers.jobs.completed.contains_key(job)) {
            let says =
                format!("{} stage {} passed, and no Job of check {:?} completed", seen.name, index + 1, made_for.2);
            checkers.violated(Rule::PassedUntried, seen.now, says);
        }
    }
}

/// A check brings a version back: one of the stage's Jobs ran, and did not pass.
fn blamed(checkers: &mut Checkers, seen: &Seen<'_>, record: &Value) {
    let stage = (number(record, "/status/stage") + 1).to_string();
    let all = checks(seen.objects, record);
    let jobs = &checkers.jobs;
    let found = |check: &String| {
        let job = jobs.last.get(&(seen.name.to_owned(), stage.clone(), check.clone()))?;
        // One may complete between the look and the write that rests on it.
        let passed = jobs.completed.get(job).is_some_and(|at| seen.now.since(*at) > FRESH);
        Some(jobs.ran.contains(job) && !passed)
    };
    // Without a Job among the checks it was a request.
    if !all.is_empty() && !all.iter().any(|check| found(check) == Some(true)) {
        let says = format!(
            "{} is brought back by a Job that did not run, or passed: {}",
            seen.name, record["status"]["rollback"]
        );
        checkers.violated(Rule::JobBlamed, seen.now, says);
    }
}

/// A Job that still runs when all is calm.
pub(super) fn left_over(objects: &dyn Objects) -> Option<String> {
    let job = objects.list(&JOB, NAMESPACE).into_iter().find(|job| runs(job))?;
    Some(format!("Job {} still runs", text(job, "/metadata/name").unwrap_or_default()))
}

#[cfg(test)]
mod tests;
