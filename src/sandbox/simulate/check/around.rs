//! What others do around a release, and what must be said and not be done meanwhile: pods that a quota refuses, a second
//! ReplicaSet that a hand scaled up, a namespace that ends.

use serde_json::Value;

use super::{Checkers, FRESH, NAME, NAMESPACE, Rule, Seen, image, items, newest_record, number, text};
use crate::api::{Span, Time};
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET};
use crate::sandbox::objects::Objects;

/// How long a thing may go unsaid.
const SAID_WITHIN: Span = Span::seconds(20);

/// With a namespace all goes that was remembered of it.
pub(super) fn namespace(checkers: &mut Checkers, seen: &Seen<'_>) {
    if seen.name == NAMESPACE && seen.after.is_none() {
        let (circumstances, templates) =
            (std::mem::take(&mut checkers.circumstances), std::mem::take(&mut checkers.templates));
        let (violations, leader) = (std::mem::take(&mut checkers.violations), checkers.leader);
        *checkers = Checkers { violations, circumstances, templates, leader, ..Checkers::default() };
        checkers.circumstances.by_hand = None;
    }
}

/// Since when something is so, while it is.
fn lasts(since: &mut Option<Time>, is: bool, now: Time) -> Option<Time> {
    *since = is.then(|| since.unwrap_or(now));
    *since
}

/// Looks at every moment whether what stands in the way of a release is said.
pub(super) fn told(checkers: &mut Checkers, seen: &Seen<'_>) {
    let calm = checkers.circumstances.calm_since.is_some_and(|calm| seen.now.since(calm) > SAID_WITHIN);
    let long = |since: Option<Time>| calm && since.is_some_and(|since| seen.now.since(since) > SAID_WITHIN);
    let refused = refused(seen.objects);
    let set = by_hand(checkers, seen.objects);
    lasts(&mut checkers.two_since, two(seen.objects), seen.now);
    let set_since = lasts(&mut checkers.beside_since, set.is_some(), seen.now);
    let refused_since = lasts(&mut checkers.refused_since, refused.is_some(), seen.now);
    if let Some(says) = set.filter(|_| long(set_since)) {
        checkers.violated(Rule::NotTold, seen.now, says);
    }
    if let Some(says) = refused.filter(|_| long(refused_since)) {
        checkers.violated(Rule::NotTold, seen.now, says);
    }
}

/// A workload is taken under the gate as it runs, once one version runs.
pub(super) fn adopted(checkers: &mut Checkers, seen: &Seen<'_>) {
    let bootstrap = seen.after.is_some_and(|record| text(record, "/spec/closedAs") == Some("Bootstrap"));
    let long = checkers.two_since.is_some_and(|since| seen.now.since(since) > FRESH);
    if seen.process.is_some() && seen.before.is_none() && bootstrap && long && two(seen.objects) {
        let says = format!("{} takes a workload under the gate that runs two versions", seen.name);
        checkers.violated(Rule::AdoptedUnsettled, seen.now, says);
    }
}

/// Whether ReplicaSets of two programs want pods.
fn two(objects: &dyn Objects) -> bool {
    let active = super::workload::active(objects);
    let first = active.first().map(|set| image(&set["spec"]["template"]));
    active.iter().any(|set| Some(image(&set["spec"]["template"])) != first)
}

/// The newest record, while its release goes on and nothing brings it back.
fn going(objects: &dyn Objects) -> Option<&Value> {
    let open = |record: &Value, place: &str| record.pointer(place).is_none_or(Value::is_null);
    let release = super::release(objects)?;
    newest_record(objects)
        .filter(|record| !super::leaves(release) && open(record, "/status/outcome") && open(record, "/status/rollback"))
}

/// A release waits for pods that a quota refuses, and does not say so.
fn refused(objects: &dyn Objects) -> Option<String> {
    let record = going(objects)?;
    let stage = number(record, "/status/stage");
    let started = text(record, &format!("/status/stages/{stage}/startedAt")).is_some();
    let resumed = text(record, "/status/promotion/resumedAt").is_some();
    let waits_for = match text(record, "/status/phase")? {
        "Stage" => "web-canary",
        "Release" if !started => "web-canary",
        "Promote" if !resumed => "web-previous",
        _ => return None,
    };
    let waits = objects.get(&DEPLOYMENT, NAMESPACE, waits_for)?;
    let short = number(waits, "/status/availableReplicas") < number(waits, "/spec/replicas");
    let failure = items(waits, "/status/conditions").iter().find(|one| one["type"] == "ReplicaFailure")?;
    let by_quota = failure["status"] == "True" && text(failure, "/message")?.contains("exceeded quota");
    let message = super::release(objects).and_then(|it| text(it, "/status/message"))?;
    let held = record.pointer("/status/hold").is_some_and(|hold| !hold.is_null());
    (short && by_quota && !held && !message.contains("exceeded quota"))
        .then(|| format!("{waits_for} lacks pods that a quota refuses, and the GatedRelease says: {message}"))
}

/// The ReplicaSet that a hand scaled up runs beside stable, while a release goes on.
pub(super) fn beside<'a>(checkers: &Checkers, objects: &'a dyn Objects) -> Option<&'a Value> {
    let (name, _) = checkers.circumstances.by_hand.as_ref()?;
    let set = objects.get(&REPLICA_SET, NAMESPACE, name).filter(|set| number(set, "/spec/replicas") > 0)?;
    let workload = objects.get(&DEPLOYMENT, NAMESPACE, NAME)?;
    let ours = text(set, "/metadata/ownerReferences/0/uid") == text(workload, "/metadata/uid");
    let held = workload.pointer("/spec/paused") == Some(&true.into());
    // Two sets of one program, as after a restart, are one version.
    let alone = super::workload::active(objects)
        .iter()
        .all(|other| image(&other["spec"]["template"]) == image(&set["spec"]["template"]));
    (ours && held && !alone).then_some(set)
}

/// The same, where the release does not say that it waits for its end.
fn by_hand(checkers: &Checkers, objects: &dyn Objects) -> Option<String> {
    let set = beside(checkers, objects)?;
    let record = going(objects)?;
    let judged = matches!(text(record, "/status/phase"), Some("Stage" | "Release"));
    let says = text(record, "/status/hold/reason");
    (judged && says != Some("NotSettled")).then(|| {
        let name = text(set, "/metadata/name").unwrap_or_default();
        format!("{name} runs beside stable by hand, and the hold is {says:?}")
    })
}

/// No weight rises while a second ReplicaSet answers users of stable.
pub(super) fn rises(checkers: &mut Checkers, seen: &Seen<'_>) {
    let long = checkers.circumstances.by_hand.as_ref().is_some_and(|(_, at)| seen.now.since(*at) > FRESH);
    // In a promotion the workload ends with one ReplicaSet, whatever a hand does.
    let raises = newest_record(seen.objects).and_then(|record| text(record, "/status/phase")) == Some("Release");
    if let Some(set) = beside(checkers, seen.objects).filter(|_| long && raises) {
        let says = format!(
            "the canary gets more while {} runs beside stable",
            text(set, "/metadata/name").unwrap_or_default()
        );
        checkers.violated(Rule::WeightWithoutVerdict, seen.now, says);
    }
}
