//! Deployments: rolling updates, and what a paused one does.
//!
//! Follows the Deployment controller of Kubernetes 1.36 in what shows: which ReplicaSet gets which size when.

use serde_json::{Value, json};

use super::template::{HASH, hash, same};
use super::{controller, edit, name, namespace, number, owned_by, owner, set_status, text, tried};
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET};
use crate::sandbox::objects::Objects;
use crate::sandbox::user::User;

const REVISION: &str = "deployment.kubernetes.io/revision";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";

/// A Deployment and its ReplicaSets, oldest first.
struct Seen {
    deployment: Value,
    sets: Vec<Value>,
}

pub(super) fn sync_all(objects: &mut dyn Objects) {
    let by = controller("deployment-controller");
    for seen in all(objects) {
        if text(&seen.deployment, "/metadata/deletionTimestamp").is_empty() {
            sync(objects, &by, &seen);
        }
    }
}

fn all(objects: &dyn Objects) -> Vec<Seen> {
    let sets = objects.list(&REPLICA_SET, "");
    objects
        .list(&DEPLOYMENT, "")
        .into_iter()
        .map(|deployment| {
            let uid = text(deployment, "/metadata/uid");
            let mut own: Vec<Value> = sets.iter().filter(|set| owner(set) == uid).map(|set| (*set).clone()).collect();
            own.sort_by_key(revision);
            Seen { deployment: deployment.clone(), sets: own }
        })
        .collect()
}

fn revision(set: &Value) -> i64 {
    set.pointer("/metadata/annotations")
        .and_then(|all| all.get(REVISION))
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

fn size(set: &Value) -> i64 {
    number(set, "/spec/replicas")
}

fn available(set: &Value) -> i64 {
    number(set, "/status/availableReplicas")
}

impl Seen {
    fn wanted(&self) -> i64 {
        number(&self.deployment, "/spec/replicas")
    }

    fn newest(&self) -> Option<&Value> {
        self.sets.iter().find(|set| same(&self.deployment, set))
    }

    fn old<'a>(&'a self, new: Option<&'a Value>) -> impl Iterator<Item = &'a Value> {
        self.sets.iter().filter(move |set| new.is_none_or(|new| name(new) != name(set)))
    }

    fn total(&self) -> i64 {
        self.sets.iter().map(size).sum()
    }

    /// `maxSurge` (rounded up) and `maxUnavailable` (rounded down); never both zero.
    fn fence_posts(&self) -> (i64, i64) {
        let of = |field: &str, up: bool| {
            let value = self.deployment.pointer(&format!("/spec/strategy/rollingUpdate/{field}"));
            let percent = value.and_then(Value::as_str).and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
            match percent {
                Some(percent) if up => (percent * self.wanted() + 99) / 100,
                Some(percent) => percent * self.wanted() / 100,
                None => value.and_then(Value::as_i64).unwrap_or(0),
            }
        };
        match (of("maxSurge", true), of("maxUnavailable", false)) {
            (0, 0) => (0, 1),
            both => both,
        }
    }
}

fn sync(objects: &mut dyn Objects, by: &User, seen: &Seen) {
    let paused = seen.deployment.pointer("/spec/paused") == Some(&true.into());
    let resized = seen.sets.iter().filter(|set| size(set) > 0).any(|set| {
        set.pointer("/metadata/annotations").and_then(|all| all.get(DESIRED)).and_then(Value::as_str)
            != Some(&seen.wanted().to_string())
    });
    if paused || resized {
        return scale(objects, by, seen);
    }
    let Some(new) = seen.newest() else { return create(objects, by, seen) };
    let last = seen.sets.iter().map(revision).max().unwrap_or(0);
    if revision(new) < last {
        // An old template has come back: its ReplicaSet is the newest from now on.
        return annotate(objects, by, new, last + 1);
    }
    if text(&seen.deployment, "/spec/strategy/type") == "Recreate" {
        recreate(objects, by, seen, new);
    } else {
        roll(objects, by, seen, new);
    }
    forget(objects, by, seen, new);
}

fn annotate(objects: &mut dyn Objects, by: &User, set: &Value, revision: i64) {
    edit(objects, by, &REPLICA_SET, set, |set| set["metadata"]["annotations"][REVISION] = json!(revision.to_string()));
}

fn resize(objects: &mut dyn Objects, by: &User, seen: &Seen, set: &Value, to: i64) {
    let wanted = seen.wanted().to_string();
    edit(objects, by, &REPLICA_SET, set, |set| {
        set["spec"]["replicas"] = json!(to.max(0));
        set["metadata"]["annotations"][DESIRED] = json!(wanted);
    });
}

/// Only sizes: the one active ReplicaSet gets all; several share.
fn scale(objects: &mut dyn Objects, by: &User, seen: &Seen) {
    let active: Vec<_> = seen.sets.iter().filter(|set| size(set) > 0).collect();
    let desired = |set: &Value| {
        set.pointer("/metadata/annotations").and_then(|all| all.get(DESIRED)).and_then(Value::as_str)
            == Some(&seen.wanted().to_string())
    };
    let one = match active.as_slice() {
        // The trap: with none active the newest starts, whatever served last.
        [] => seen.newest().or(seen.sets.last()),
        [only] => Some(*only),
        _ => None,
    };
    if let Some(set) = one {
        if size(set) != seen.wanted() || (size(set) > 0 && !desired(set)) {
            resize(objects, by, seen, set, seen.wanted());
        }
        return;
    }
    if let Some(new) = seen.newest().filter(|new| size(new) == seen.wanted() && available(new) == seen.wanted()) {
        for old in seen.old(Some(new)).filter(|set| size(set) > 0) {
            resize(objects, by, seen, old, 0);
        }
        return;
    }
    if active.iter().all(|set| desired(set)) {
        return;
    }
    let (surge, _) = seen.fence_posts();
    let allowed = if seen.wanted() > 0 { seen.wanted() + surge } else { 0 };
    let total = seen.total().max(1);
    let mut left = allowed - seen.total();
    let mut largest_first = active;
    largest_first.sort_by_key(|set| std::cmp::Reverse(size(set)));
    let count = largest_first.len();
    for (index, set) in largest_first.into_iter().enumerate() {
        let share = if index + 1 == count { left } else { (allowed - seen.total()) * size(set) / total };
        left -= share;
        resize(objects, by, seen, set, size(set) + share);
    }
}

fn create(objects: &mut dyn Objects, by: &User, seen: &Seen) {
    let Some(template) = seen.deployment.pointer("/spec/template") else { return };
    let recreate = text(&seen.deployment, "/spec/strategy/type") == "Recreate";
    if recreate && seen.total() > 0 {
        for old in seen.sets.iter().filter(|set| size(set) > 0) {
            resize(objects, by, seen, old, 0);
        }
        return;
    }
    if recreate && seen.sets.iter().any(|set| number(set, "/status/replicas") > 0) {
        return;
    }
    let (surge, _) = seen.fence_posts();
    let room = if recreate { seen.wanted() } else { (seen.wanted() + surge - seen.total()).min(seen.wanted()) };
    let hash = hash(template);
    let mut template = template.clone();
    template["metadata"]["labels"][HASH] = json!(hash);
    let mut selector = seen.deployment["spec"]["selector"].clone();
    selector["matchLabels"][HASH] = json!(hash);
    let last = seen.sets.iter().map(revision).max().unwrap_or(0);
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{}-{hash}", name(&seen.deployment)), "namespace": namespace(&seen.deployment),
            "labels": template["metadata"]["labels"],
            "annotations": {REVISION: (last + 1).to_string(), DESIRED: seen.wanted().to_string()},
            "ownerReferences": owned_by(&DEPLOYMENT, &seen.deployment),
        },
        "spec": {
            "replicas": room.max(0), "selector": selector, "template": template,
            "minReadySeconds": number(&seen.deployment, "/spec/minReadySeconds"),
        },
    });
    tried(objects.create(by, &REPLICA_SET, set));
}

fn recreate(objects: &mut dyn Objects, by: &User, seen: &Seen, new: &Value) {
    let mut pods = 0;
    for old in seen.old(Some(new)) {
        pods += number(old, "/status/replicas");
        if size(old) > 0 {
            resize(objects, by, seen, old, 0);
        }
    }
    if pods == 0 && size(new) != seen.wanted() {
        resize(objects, by, seen, new, seen.wanted());
    }
}

fn roll(objects: &mut dyn Objects, by: &User, seen: &Seen, new: &Value) {
    let wanted = seen.wanted();
    let (surge, unavailable) = seen.fence_posts();
    if size(new) > wanted {
        return resize(objects, by, seen, new, wanted);
    }
    let room = (wanted + surge - seen.total()).min(wanted - size(new));
    if size(new) < wanted && room > 0 {
        return resize(objects, by, seen, new, size(new) + room);
    }
    let least = wanted - unavailable;
    let mut spare = seen.total() - least - (size(new) - available(new));
    if spare <= 0 {
        return;
    }
    // Pods that do not serve go first.
    let mut sizes: Vec<(&Value, i64)> =
        seen.old(Some(new)).filter(|set| size(set) > 0).map(|set| (set, size(set))).collect();
    for (set, to) in &mut sizes {
        let gone = (size(set) - available(set)).clamp(0, spare);
        *to -= gone;
        spare -= gone;
    }
    let serve: i64 = seen.sets.iter().map(available).sum();
    let mut goes = (serve - least).max(0);
    for (set, to) in &mut sizes {
        let gone = (*to).min(goes).min(available(set));
        *to -= gone;
        goes -= gone;
    }
    for (set, to) in sizes.into_iter().filter(|(set, to)| size(set) != *to) {
        resize(objects, by, seen, set, to);
    }
}

/// Empty ReplicaSets beyond `revisionHistoryLimit` go, once all is done.
fn forget(objects: &mut dyn Objects, by: &User, seen: &Seen, new: &Value) {
    if size(new) != seen.wanted() || available(new) != seen.wanted() {
        return;
    }
    let empty: Vec<_> =
        seen.old(Some(new)).filter(|set| size(set) == 0 && number(set, "/status/replicas") == 0).collect();
    let limit = usize::try_from(number(&seen.deployment, "/spec/revisionHistoryLimit")).unwrap_or(10);
    for set in empty.iter().take(empty.len().saturating_sub(limit)) {
        tried(objects.delete(by, &REPLICA_SET, namespace(set), name(set)));
    }
}

pub(super) fn status_of_all(objects: &mut dyn Objects) {
    let by = controller("deployment-controller");
    for seen in all(objects) {
        status(objects, &by, &seen);
    }
}

fn status(objects: &mut dyn Objects, by: &User, seen: &Seen) {
    let sum = |field: &str| seen.sets.iter().map(|set| number(set, &format!("/status/{field}"))).sum::<i64>();
    let deployment = &seen.deployment;
    let paused = deployment.pointer("/spec/paused") == Some(&true.into());
    let (total, ready, serve) = (sum("replicas"), sum("readyReplicas"), sum("availableReplicas"));
    let updated = seen.newest().map_or(0, |new| number(new, "/status/replicas"));
    let (_, unavailable) = seen.fence_posts();
    let done = updated == seen.wanted() && total == seen.wanted() && serve == seen.wanted();
    let progress = match (paused, done) {
        (true, _) => ("Unknown", "DeploymentPaused", "Deployment is paused"),
        (false, true) => ("True", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed."),
        (false, false) => ("True", "ReplicaSetUpdated", "ReplicaSet is progressing."),
    };
    let serves = if serve >= seen.wanted() - unavailable {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let condition = |kind: &str, (status, reason, message): (&str, &str, &str)| {
        let known = deployment.pointer("/status/conditions").and_then(Value::as_array);
        let stood =
            known.and_then(|all| all.iter().find(|one| text(one, "/type") == kind && text(one, "/status") == status));
        let since = stood
            .map_or_else(|| text(deployment, "/metadata/creationTimestamp"), |one| text(one, "/lastTransitionTime"));
        json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since})
    };
    let mut now = json!({
        "observedGeneration": deployment["metadata"]["generation"],
        "conditions": [condition("Available", serves), condition("Progressing", progress)],
    });
    let counts = [
        ("replicas", total),
        ("updatedReplicas", updated),
        ("readyReplicas", ready),
        ("availableReplicas", serve),
        ("unavailableReplicas", (seen.wanted() - serve).max(0)),
    ];
    for (field, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        now[field] = json!(count);
    }
    set_status(objects, by, &DEPLOYMENT, deployment, now);
}
