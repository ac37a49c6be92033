//! Releases without a route: how many pods may run the new version, when one may be taken away, when the workload is let go.

use serde_json::Value;

use super::{Checkers, NAME, NAMESPACE, Rule, Seen, image, items, newest_record, number, text, time};
use crate::api::{Span, Time};
use crate::cluster::kind::{DEPLOYMENT, HTTP_ROUTE, POD, STATEFUL_SET};
use crate::sandbox::objects::Objects;

const CANARY: &str = "web-canary";
/// The partition of a held StatefulSet.
const HELD: u64 = 2_147_483_647;

pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    // Routes go first where a whole namespace goes.
    let named = |release: &Value| !items(release, "/spec/traffic/httpRoutes").is_empty();
    let routed =
        seen.objects.get(&HTTP_ROUTE, NAMESPACE, NAME).is_some() || super::release(seen.objects).is_some_and(named);
    if seen.process.is_none() || routed {
        return;
    }
    match (seen.kind.plural, seen.name) {
        ("deployments", CANARY) => canary(checkers, seen),
        ("deployments", NAME) => resumed(checkers, seen),
        ("statefulsets", NAME) => lowered(checkers, seen),
        ("pods", _) => pod(checkers, seen),
        _ => {}
    }
}

/// `spec.updateStrategy.rollingUpdate.partition`.
pub(super) fn partition(object: &Value) -> u64 {
    number(object, "/spec/updateStrategy/rollingUpdate/partition")
}

fn is_null(value: Option<&Value>) -> bool {
    value.is_none_or(Value::is_null)
}

/// The weight that the recorded passes allow; what is wrong where nothing is allowed.
pub(super) fn allowed(objects: &dyn Objects) -> Result<u64, (Rule, String)> {
    let Some(record) = newest_record(objects) else { return Err((Rule::WeightWithoutVerdict, "no record".to_owned())) };
    let name = text(record, "/metadata/name").unwrap_or_default();
    if !is_null(record.pointer("/status/outcome")) {
        return Err((Rule::WeightWithoutVerdict, format!("{name} is closed")));
    }
    if !is_null(record.pointer("/status/rollback")) {
        return Err((Rule::WeightAfterAbort, format!("{name} is being brought back")));
    }
    let stages = items(record, "/status/stages");
    let passed = stages.iter().take_while(|stage| text(stage, "/passedAt").is_some()).count();
    Ok(stages.get(passed).map_or(100, |stage| number(stage, "/weight")))
}

/// So many of so many get the new version.
fn share(checkers: &mut Checkers, seen: &Seen<'_>, what: &str, (pods, of): (u64, u64)) {
    match allowed(seen.objects) {
        Err((rule, why)) => checkers.violated(rule, seen.now, format!("{what}: {why}")),
        Ok(weight) if pods > 1 && pods * 100 > weight * of => {
            let says = format!("{what}: {pods} of {of} pods, and {weight} % are allowed");
            checkers.violated(Rule::WeightWithoutVerdict, seen.now, says);
        }
        Ok(_) => {}
    }
}

fn canary(checkers: &mut Checkers, seen: &Seen<'_>) {
    let size = |it: Option<&Value>| it.map_or(0, |it| number(it, "/spec/replicas"));
    let (had, has) = (size(seen.before), size(seen.after));
    if has > had {
        let workload = size(seen.objects.get(&DEPLOYMENT, NAMESPACE, NAME));
        // The workload may have been scaled since the look that this rests on: its last pods count too.
        let stands = beside_the_canary(seen.objects).max(workload);
        share(checkers, seen, "the canary grows", (has, has + stands));
        super::ledger::exposed(checkers, seen, &format!("{has} pods beside the workload"));
    }
}

/// Pods beside the canary's.
fn beside_the_canary(objects: &dyn Objects) -> u64 {
    let own = objects.list(&POD, NAMESPACE).into_iter();
    let own = own.filter(|pod| text(pod, "/metadata/labels/tidegate.io~1role").is_none());
    u64::try_from(own.count()).unwrap_or(u64::MAX)
}

/// Tidegate lets the Deployment roll: with what passed everything, or with what runs, or with what it comes back to.
fn resumed(checkers: &mut Checkers, seen: &Seen<'_>) {
    let paused = |it: &Value| it.pointer("/spec/paused") == Some(&true.into());
    let (Some(before), Some(after)) = (seen.before, seen.after) else { return };
    if !paused(before) || paused(after) {
        return;
    }
    let runs = super::workload::active(seen.objects);
    let template = image(&after["spec"]["template"]);
    if runs.is_empty() || runs.iter().all(|set| image(&set["spec"]["template"]) == template) {
        return;
    }
    let record = newest_record(seen.objects);
    let back = record.is_some_and(|record| !is_null(record.pointer("/status/rollback")));
    let promoted = record.is_some_and(|record| !is_null(record.pointer("/status/promotion/resumedAt")));
    let allowed = allowed(seen.objects);
    if !(back && promoted || allowed == Ok(100)) {
        let says = format!("{template} is let go without having passed all stages: {allowed:?}");
        checkers.violated(Rule::UnsafeResume, seen.now, says);
    }
}

/// Tidegate lowers the partition.
fn lowered(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(before), Some(after)) = (seen.before, seen.after) else { return };
    let (had, has) = (partition(before), partition(after));
    if has >= had {
        return;
    }
    let pods = pods(seen.objects);
    let template = image(&after["spec"]["template"]);
    // What runs everywhere already, and a workload without pods, may go on.
    if has == 0 && pods.iter().all(|pod| text(pod, "/spec/containers/0/image") == Some(template)) {
        return;
    }
    let replicas = number(after, "/spec/replicas");
    let verified = newest_record(seen.objects).is_some_and(|it| !is_null(it.pointer("/status/promotion/verifiedAt")));
    let release = super::release(seen.objects);
    let leaving = release.is_none_or(|it| text(it, "/metadata/deletionTimestamp").is_some());
    if has == 0 && replicas > 1 && !verified && !leaving {
        let says = "all pods of the StatefulSet get a version that is not verified: it has no way back".to_owned();
        checkers.violated(Rule::FallbackGone, seen.now, says);
    }
    let new = replicas.saturating_sub(has);
    share(checkers, seen, "the partition is lowered", (new, replicas));
    if new > 0 {
        super::ledger::exposed(checkers, seen, &format!("{new} pods by their place"));
    }
}

/// Tidegate takes a pod of the StatefulSet away.
fn pod(checkers: &mut Checkers, seen: &Seen<'_>) {
    let leaves = |it: &Value| text(it, "/metadata/deletionTimestamp").is_some();
    if !seen.before.is_some_and(|it| !leaves(it) && ready(it)) {
        return;
    }
    let Some(workload) = seen.objects.get(&STATEFUL_SET, NAMESPACE, NAME) else { return };
    let others: Vec<_> =
        pods(seen.objects).into_iter().filter(|pod| text(pod, "/metadata/name") != Some(seen.name)).collect();
    let (wanted, there) = (
        number(workload, "/spec/replicas"),
        u64::try_from(others.iter().filter(|pod| ready(pod)).count()).unwrap_or(0),
    );
    // While things fail a look may be old: only who has been missed for longer than that was known to be.
    let long = |pod: &Value| !ready(pod) && since(pod).is_some_and(|since| seen.now.since(since) > super::FRESH);
    let known = checkers.circumstances.calm_since.is_some() || others.iter().any(|pod| long(pod));
    if there + 1 >= wanted || !known {
        return;
    }
    let current = text(workload, "/status/currentRevision");
    let former = |pod: &Value| ready(pod) && text(pod, "/metadata/labels/controller-revision-hash") == current;
    let answered = others.iter().any(|pod| former(pod));
    if !(overdue(seen) && answered) {
        let says = format!("{} is deleted while {there} others of {wanted} pods are ready", seen.name);
        checkers.violated(Rule::PodMissed, seen.now, says);
    }
}

/// Since when a pod is ready or not.
fn since(pod: &Value) -> Option<Time> {
    let ready = items(pod, "/status/conditions").iter().find(|one| one["type"] == "Ready")?;
    time(ready, "/lastTransitionTime")
}

/// Whether the newest attempt has been going back, or is over, for longer than its contract allows a way back to take.
fn overdue(seen: &Seen<'_>) -> bool {
    let Some(record) = newest_record(seen.objects) else { return false };
    let began = time(record, "/status/rollback/at").or_else(|| time(record, "/status/endedAt"));
    let release = super::release(seen.objects);
    let budget = release.and_then(|release| text(release, "/spec/rollback/timeBudget")?.parse::<Span>().ok());
    began.is_some_and(|began| seen.now.since(began) >= budget.unwrap_or(Span::minutes(5)))
}

fn ready(pod: &Value) -> bool {
    text(pod, "/metadata/deletionTimestamp").is_none()
        && items(pod, "/status/conditions").iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
}

fn pods(objects: &dyn Objects) -> Vec<&Value> {
    let all = objects.list(&POD, NAMESPACE).into_iter();
    all.filter(|pod| text(pod, "/metadata/ownerReferences/0/kind") == Some("StatefulSet")).collect()
}

/// What is not where it belongs when nothing goes on.
pub(super) fn left_over(objects: &dyn Objects) -> Option<String> {
    if objects.get(&DEPLOYMENT, NAMESPACE, CANARY).is_some() {
        return Some(format!("Deployment {CANARY} is still there"));
    }
    let set = objects.get(&STATEFUL_SET, NAMESPACE, NAME)?;
    let gated = set.pointer("/metadata/labels/tidegate.io~1gated").is_some();
    if !gated || super::release(objects).is_none() {
        return None;
    }
    let at = partition(set);
    let revision = |pod: &&Value| text(pod, "/metadata/labels/controller-revision-hash").map(str::to_owned);
    let revisions: std::collections::BTreeSet<_> = pods(objects).iter().map(revision).collect();
    if at != 0 && at != HELD {
        return Some(format!("the partition is {at}"));
    }
    (at == HELD && revisions.len() > 1).then(|| format!("a held StatefulSet runs {revisions:?}"))
}
