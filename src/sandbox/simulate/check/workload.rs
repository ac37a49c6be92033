//! The user's Deployment: what runs while it is held, and when it is let go.

use serde_json::Value;

use super::route::weight;
use super::{Checkers, NAME, NAMESPACE, Rule, Seen, detached, image, leaves, newest_record, number, text};
use crate::api::{Span, Time};
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET};
use crate::sandbox::objects::Objects;

/// What ran when the workload was held.
#[derive(Debug)]
pub(super) struct HeldSet {
    name: String,
    image: String,
    other_since: Option<Time>,
}

/// How long another ReplicaSet may be active before Tidegate must have corrected it.
const CORRECTED_WITHIN: Span = Span::seconds(20);

pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let served = checkers.held.as_ref().map(|held| (held.name.clone(), held.image.clone()));
    held(checkers, seen);
    if seen.kind.plural != "deployments" || seen.process.is_none() {
        return;
    }
    match seen.name {
        NAME => resumed(checkers, seen, served),
        "web-previous" => previous(checkers, seen),
        _ => {}
    }
}

/// The ReplicaSets of the workload that want pods.
pub(super) fn active(objects: &dyn Objects) -> Vec<&Value> {
    active_of(objects, NAME)
}

/// The ReplicaSets of a workload that want pods.
pub(super) fn active_of<'a>(objects: &'a dyn Objects, name: &str) -> Vec<&'a Value> {
    let uid = objects.get(&DEPLOYMENT, NAMESPACE, name).and_then(|it| text(it, "/metadata/uid"));
    let sets = objects.list(&REPLICA_SET, NAMESPACE).into_iter();
    sets.filter(|set| uid.is_some() && text(set, "/metadata/ownerReferences/0/uid") == uid)
        .filter(|set| number(set, "/spec/replicas") > 0)
        .collect()
}

pub(super) fn paused(deployment: &Value) -> bool {
    deployment.pointer("/spec/paused") == Some(&true.into())
}

/// The reason for break-glass that stands on a workload; none where it is empty.
pub(super) fn glass(workload: &Value) -> Option<&str> {
    text(workload, "/metadata/annotations/tidegate.io~1break-glass").filter(|reason| !reason.is_empty())
}

/// Whether a reason let something go before.
pub(super) fn is_spent(workload: &Value, reason: &str) -> bool {
    let spent = text(workload, "/metadata/annotations/tidegate.io~1break-glass-spent");
    spent.is_some_and(|spent| spent.lines().any(|one| one == reason))
}

/// Whether somebody let the template run ungated.
pub(super) fn broken_glass(workload: &Value) -> bool {
    glass(workload).is_some_and(|reason| !is_spent(workload, reason))
}

fn held(checkers: &mut Checkers, seen: &Seen<'_>) {
    let workload = seen.objects.get(&DEPLOYMENT, NAMESPACE, NAME);
    let gated = |it: &&Value| it.pointer("/metadata/labels/tidegate.io~1gated").is_some();
    // What Tidegate has left is its users' alone.
    let left = super::release(seen.objects).is_some_and(detached);
    let Some(workload) = workload.filter(|it| paused(it) && !left).filter(gated) else {
        checkers.held = None;
        return;
    };
    let active = active(seen.objects);
    // What Kubernetes starts where a hand deleted stable's ReplicaSet is told of, and nobody's to take back.
    if checkers.circumstances.lost.is_some() {
        checkers.held = None;
        return;
    }
    // In the middle of a promotion the canary serves, and Tidegate decides which set the workload ends with.
    let promotion = newest_record(seen.objects).and_then(|record| record.pointer("/status/promotion"));
    let rolling = promotion.is_some_and(|it| it.get("resumedAt").is_some() && it.get("rolledAt").is_none());
    if rolling {
        checkers.held = None;
        return;
    }
    let Some(held) = &mut checkers.held else {
        // In the middle of a roll there are two: which of them goes on is Tidegate's to decide.
        if let [only] = active.as_slice() {
            let name = text(only, "/metadata/name").unwrap_or_default().to_owned();
            let image = image(&only["spec"]["template"]).to_owned();
            checkers.held = Some(HeldSet { name, image, other_since: None });
        }
        return;
    };
    // What a hand scales up is told of, and is a hand's to scale back.
    let by_hand = checkers.circumstances.by_hand.as_ref().map(|(name, _)| name.as_str());
    let is_other = |set: &&&Value| {
        let name = text(set, "/metadata/name");
        name != Some(&held.name) && name != by_hand
    };
    let other = active.iter().find(is_other);
    held.other_since = other.map(|_| held.other_since.unwrap_or(seen.now));
    if let (Some(since), Some(other)) = (held.other_since, other)
        && seen.now.since(since) > CORRECTED_WITHIN
        && checkers.circumstances.calm_since.is_some_and(|calm| seen.now.since(calm) > CORRECTED_WITHIN)
    {
        let says = format!(
            "{} has pods while the workload is held; {} served ({} replicas wanted)",
            text(other, "/metadata/name").unwrap_or_default(),
            held.name,
            number(workload, "/spec/replicas")
        );
        checkers.violated(Rule::HeldRunsOther, seen.now, says);
    }
}

/// Tidegate lets the workload roll.
fn resumed(checkers: &mut Checkers, seen: &Seen<'_>, served: Option<(String, String)>) {
    let (Some(before), Some(after)) = (seen.before, seen.after) else { return };
    if !paused(before) || paused(after) {
        return;
    }
    let runs = active(seen.objects);
    let same =
        !runs.is_empty() && runs.iter().all(|set| image(&set["spec"]["template"]) == image(&after["spec"]["template"]));
    let routes = super::routes(seen.objects);
    if routes.is_empty() {
        return;
    }
    let most = |backend: &str| routes.iter().filter_map(|route| weight(route, backend)).max().unwrap_or(0);
    let home = most(NAME);
    if same {
        // Nothing rolls: traffic must be home before.
        if most("web-canary") > 0 {
            checkers.violated(Rule::UnsafeResume, seen.now, "resumed while the canary has traffic".to_owned());
        }
        return;
    }
    // What serves nobody may roll as it likes, such as a workload without pods; but not in the place of a stable that is lost.
    if runs.is_empty() {
        let lost = served.filter(|(name, was)| {
            let there = seen.objects.get(&REPLICA_SET, NAMESPACE, name).is_some();
            !there && was != image(&after["spec"]["template"]) && most("web-previous") == 0
        });
        let uid = text(after, "/metadata/uid");
        let planned = newest_record(seen.objects).filter(|record| {
            // Where the records were deleted nobody knows any more what served.
            let first = text(record, "/spec/closedAs") == Some("Bootstrap") && number(record, "/spec/attempt") == 1;
            text(record, "/spec/workloadUid") == uid && text(record, "/status/phase") != Some("Promote") && !first
        });
        if let (Some((name, _)), Some(_)) = (lost, planned) {
            let says = format!("a new template is let go where {name}, which served, is gone");
            checkers.violated(Rule::UnsafeResume, seen.now, says);
        }
        return;
    }
    // Whoever owns the routes may have led them elsewhere a moment ago: then it has no users at all.
    let ours = [NAME, "web-canary", "web-previous"];
    if routes.iter().all(|route| ours.iter().all(|backend| weight(route, backend).is_none())) {
        return;
    }
    let away =
        |route: &&Value| ["web-canary", "web-previous"].map(|name| weight(route, name).unwrap_or(0)).iter().sum();
    let others: u64 = routes.iter().filter(|route| weight(route, NAME).is_some()).map(away).min().unwrap_or(0);
    if others == 0 || (home > 0 && others < 100) {
        let says = format!("a new template is let go while the workload itself has {home} of the traffic");
        return checkers.violated(Rule::UnsafeResume, seen.now, says);
    }
    if !checkers.lately_ready(seen, "web-previous") {
        let says = "a new template is let go and the former version is not warm".to_owned();
        checkers.violated(Rule::UnsafeResume, seen.now, says);
    }
}

/// The newest record, where its version went back to the former one and nothing else was given to the workload since; none
/// where Tidegate leaves.
fn came_back(objects: &dyn Objects) -> Option<&str> {
    let record = newest_record(objects)?;
    let late = text(record, "/status/outcome") == Some("RolledBack")
        && text(record, "/status/rollback/trafficTo") == Some("web-previous");
    let release = super::release(objects).filter(|release| !leaves(release))?;
    let workload = objects.get(&DEPLOYMENT, NAMESPACE, NAME)?;
    let noted = |place: &str| release.pointer(&format!("/status/workload/{place}"));
    let same = noted("generation") == workload.pointer("/metadata/generation")
        && noted("uid") == workload.pointer("/metadata/uid")
        && noted("revision") == record.pointer("/spec/revision");
    text(record, "/metadata/name").filter(|_| late && same)
}

/// Tidegate deletes or shrinks the former version.
fn previous(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(before) = seen.before else { return };
    let size = |it: &Value| number(it, "/spec/replicas");
    let goes = seen.after.is_none_or(|after| after.pointer("/metadata/deletionTimestamp").is_some());
    let shrinks = seen.after.is_some_and(|after| size(after) < size(before));
    let wanted = seen.objects.get(&DEPLOYMENT, NAMESPACE, NAME).map_or(0, size);
    if !(goes || shrinks && seen.after.map_or(0, size) < wanted) {
        return;
    }
    if let Some(why) = needed(seen.objects) {
        checkers.violated(Rule::FallbackGone, seen.now, format!("web-previous goes {why}"));
    }
}

/// Why the former version may not go: it has users, or is what they would come back to. None where it may.
pub(super) fn needed(objects: &dyn Objects) -> Option<String> {
    let routes = super::routes(objects);
    let weights = routes.into_iter().filter_map(|route| weight(route, "web-previous"));
    if let Some(weight) = weights.max().filter(|weight| *weight > 0) {
        return Some(format!("while it has {weight} % of the traffic"));
    }
    if let Some(name) = came_back(objects) {
        return Some(format!("although {name} came back and the workload still runs it"));
    }
    // A fix that arrives in verification goes at once, whatever goes under break-glass is not gated at all, and a release
    // goes with its GatedRelease.
    let workload = objects.get(&DEPLOYMENT, NAMESPACE, NAME);
    let release = super::release(objects);
    if workload.is_none_or(|it| paused(it) || broken_glass(it)) || release.is_none_or(leaves) {
        return None;
    }
    let record = newest_record(objects)?;
    let open = |place: &str| record.pointer(place).is_none_or(Value::is_null);
    let promoting = !open("/status/promotion/resumedAt") && open("/status/promotion/verifiedAt");
    let is_way_back = promoting && open("/status/outcome") && open("/status/rollback");
    is_way_back.then(|| "before verification has ended".to_owned())
}
