//! The status of a Deployment.

use serde_json::{Map, Value, json};

use super::super::look::{items, number, text, time};
use super::view::{Set, Sets, Wanted};
use crate::api::{Span, Time};

const PROGRESSING: &str = "Progressing";
const AVAILABLE: &str = "Available";
const FAILURE: &str = "ReplicaFailure";
/// Reasons of Progressing.
const TIMED_OUT: &str = "ProgressDeadlineExceeded";
const PAUSED: &str = "DeploymentPaused";
const DONE: &str = "NewReplicaSetAvailable";

/// The conditions of a Deployment in the course of one look at it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Conditions {
    all: Vec<Value>,
    stamp: String,
}

impl Conditions {
    /// As they stand; changes are stamped with `stamp`.
    pub(super) fn of(deployment: &Value, stamp: &str) -> Self {
        Self { all: items(deployment, &["status", "conditions"]).to_vec(), stamp: stamp.to_owned() }
    }

    fn get(&self, kind: &str) -> Option<&Value> {
        self.all.iter().find(|condition| text(condition, &["type"]) == kind)
    }

    fn reason(&self, kind: &str) -> &str {
        self.get(kind).map_or("", |condition| text(condition, &["reason"]))
    }

    /// Sets a condition; one that stands with the same status and reason keeps its message and times.
    fn set(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let stands = self.get(kind).filter(|stands| text(stands, &["status"]) == status);
        if stands.is_some_and(|stands| text(stands, &["reason"]) == reason) {
            return;
        }
        let since = stands.map_or(self.stamp.as_str(), |stands| text(stands, &["lastTransitionTime"])).to_owned();
        self.remove(kind);
        self.all.push(json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastUpdateTime": self.stamp, "lastTransitionTime": since,
        }));
    }

    fn remove(&mut self, kind: &str) {
        self.all.retain(|condition| text(condition, &["type"]) != kind);
    }

    /// Says that the Deployment is paused or was resumed, so that the time in between counts for no deadline.
    pub(super) fn pause(&mut self, wanted: &Wanted) {
        let reason = self.reason(PROGRESSING);
        if wanted.deadline.is_none() || reason == TIMED_OUT {
            return;
        }
        match (wanted.paused, reason == PAUSED) {
            (true, false) => self.set(PROGRESSING, "Unknown", PAUSED, "Deployment is paused"),
            (false, true) => self.set(PROGRESSING, "Unknown", "DeploymentResumed", "Deployment is resumed"),
            (true, true) | (false, false) => {}
        }
    }

    /// A ReplicaSet was there already when progress began to matter.
    pub(super) fn found(&mut self, wanted: &Wanted, set: &str) {
        if wanted.deadline.is_some() && self.get(PROGRESSING).is_none() {
            self.set(PROGRESSING, "True", "FoundNewReplicaSet", &format!("Found new replica set {set:?}"));
        }
    }

    /// A ReplicaSet was created, or why it could not be.
    pub(super) fn created(&mut self, wanted: &Wanted, set: &str, refused: Option<&str>) {
        match refused {
            _ if wanted.deadline.is_none() => {}
            None => self.set(PROGRESSING, "True", "NewReplicaSetCreated", &format!("Created new replica set {set:?}")),
            Some(why) => {
                let message = format!("Failed to create new replica set {set:?}: {why}");
                self.set(PROGRESSING, "False", "ReplicaSetCreateError", &message);
            }
        }
    }

    fn available(&mut self, wanted: &Wanted, available: i64) {
        if available >= wanted.least() {
            self.set(AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.");
        } else {
            let message = "Deployment does not have minimum availability.";
            self.set(AVAILABLE, "False", "MinimumReplicasUnavailable", message);
        }
    }

    /// How a roll-out goes, by what was reported before.
    fn progress(&mut self, wanted: &Wanted, before: &Value, counts: &Counts, new: Option<&Set>, now: Time) {
        if wanted.deadline.is_none() {
            self.remove(PROGRESSING);
            return;
        }
        if counts.pods == counts.updated && self.reason(PROGRESSING) == DONE {
            return;
        }
        let what =
            new.map_or_else(|| format!("Deployment {:?}", wanted.name), |new| format!("ReplicaSet {:?}", new.name));
        if counts.complete(wanted) {
            self.set(PROGRESSING, "True", DONE, &format!("{what} has successfully progressed."));
        } else if counts.further_than(before) {
            // The deadline starts anew, so the time of the update has to move although the reason stays.
            let went = self.get(PROGRESSING).filter(|stands| text(stands, &["status"]) == "True");
            let since = went.map(|stands| text(stands, &["lastTransitionTime"]).to_owned());
            self.remove(PROGRESSING);
            self.set(PROGRESSING, "True", "ReplicaSetUpdated", &format!("{what} is progressing."));
            if let (Some(since), Some(last)) = (since, self.all.last_mut().and_then(Value::as_object_mut)) {
                last.insert("lastTransitionTime".to_owned(), since.into());
            }
        } else if self.deadline(wanted).is_some_and(|deadline| deadline < now) {
            self.set(PROGRESSING, "False", TIMED_OUT, &format!("{what} has timed out progressing."));
        }
    }

    /// When a roll-out that does not move on is given up; none where nothing is awaited.
    fn deadline(&self, wanted: &Wanted) -> Option<Time> {
        let progressing = self.get(PROGRESSING).filter(|it| ![DONE, TIMED_OUT].contains(&text(it, &["reason"])))?;
        let seconds = u64::try_from(wanted.deadline?).ok()?;
        Some(time(text(progressing, &["lastUpdateTime"]))?.plus(Span::seconds(seconds)))
    }

    fn failure(&mut self, sets: &Sets) {
        let failed = sets.newest().into_iter().chain(sets.old()).find_map(|set| set.failure.as_ref());
        match failed {
            Some(failed) => {
                let of = |key: &str| text(failed, &[key]);
                self.set(FAILURE, of("status"), of("reason"), of("message"));
            }
            None => self.remove(FAILURE),
        }
    }
}

/// The numbers of a status.
struct Counts {
    pods: i64,
    updated: i64,
    ready: i64,
    available: i64,
}

impl Counts {
    fn complete(&self, wanted: &Wanted) -> bool {
        [self.pods, self.updated, self.available].iter().all(|count| *count == wanted.replicas)
    }

    fn further_than(&self, before: &Value) -> bool {
        let was = |key: &str| number(before, &["status", key]);
        let (pods, updated) = (was("replicas"), was("updatedReplicas"));
        self.updated > updated
            || self.pods - self.updated < pods - updated
            || self.ready > was("readyReplicas")
            || self.available > was("availableReplicas")
    }
}

/// Whether the status that stands says that all is done for what is wanted now.
pub(super) fn is_complete(wanted: &Wanted, deployment: &Value) -> bool {
    let is = |key: &str| number(deployment, &["status", key]);
    is("observedGeneration") >= wanted.generation
        && ["replicas", "updatedReplicas", "availableReplicas"].iter().all(|key| is(key) == wanted.replicas)
}

/// A status, and when it has to be looked at again though nothing changes.
pub(super) struct Report {
    pub(super) status: Value,
    pub(super) due: Option<Time>,
}

/// The status by what there is. `rolling` says whether a roll-out was looked after: a paused Deployment, and one that is
/// being scaled, has no progress.
pub(super) fn report(
    wanted: &Wanted,
    sets: &Sets,
    deployment: &Value,
    mut conditions: Conditions,
    rolling: bool,
    now: Time,
) -> Report {
    let new = sets.newest();
    let counts = Counts {
        pods: sets.sum(|set| set.pods),
        updated: new.map_or(0, |new| new.pods),
        ready: sets.sum(|set| set.ready),
        available: sets.sum(|set| set.available),
    };
    conditions.available(wanted, counts.available);
    let mut due = None;
    if rolling {
        conditions.progress(wanted, deployment, &counts, new, now);
        conditions.failure(sets);
        // A second later, for whole seconds.
        due = conditions.deadline(wanted).filter(|_| !counts.complete(wanted)).map(|at| at.plus(Span::seconds(1)));
    }
    let mut status = Map::new();
    let fields = [
        ("observedGeneration", wanted.generation),
        ("replicas", counts.pods),
        ("updatedReplicas", counts.updated),
        ("readyReplicas", counts.ready),
        ("availableReplicas", counts.available),
        ("unavailableReplicas", (sets.sum(|set| set.size) - counts.available).max(0)),
        ("collisionCount", number(deployment, &["status", "collisionCount"])),
    ];
    for (key, count) in fields.into_iter().filter(|(_, count)| *count != 0) {
        status.insert(key.to_owned(), count.into());
    }
    status.insert("terminatingReplicas".to_owned(), sets.sum(|set| set.terminating).into());
    status.insert("conditions".to_owned(), conditions.all.into());
    Report { status: status.into(), due }
}

/// The status as it stands, with other conditions: what can be said when a step failed.
pub(super) fn with(deployment: &Value, conditions: Conditions) -> Value {
    let mut status = deployment.get("status").cloned().unwrap_or_else(|| json!({}));
    if let Some(fields) = status.as_object_mut() {
        fields.insert("conditions".to_owned(), conditions.all.into());
    }
    status
}
