//! ReplicaSets: as many pods as they want, and a status that counts them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::look::{
    annotation, at, controller_uid, integer, is_active, items, labels, leaving, matches, name, namespace, number,
    owner_reference, stamp, text, uid,
};
use super::pod::{FINALIZER, Kubelet};
use super::write::{Context, drop_owner, place, put, refused, sooner, suffix};
use crate::api::{Span, Time};
use crate::cluster::kind::{POD, REPLICA_SET};
use crate::sandbox::objects::Refusal;

/// How many pods are created in one go.
const BURST: usize = 500;
/// How long until refused pods are tried again.
const RETRY: Span = Span::seconds(5);
const FAILURE: &str = "ReplicaFailure";

/// A ReplicaSet whose pods or status are to change.
struct Work {
    set: Value,
    /// Pods without a controller that match.
    adopt: Vec<String>,
    /// Own pods that do not match any more.
    release: Vec<String>,
    /// By how many pods it is short.
    short: usize,
    /// Pods that are too many.
    surplus: Vec<String>,
    counts: Counts,
}

/// The numbers of a status.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    pods: i64,
    labelled: i64,
    ready: i64,
    available: i64,
    terminating: i64,
}

/// Brings all ReplicaSets to their size.
pub(super) fn run(cx: &mut Context<'_>, kubelet: &Kubelet) -> Option<Time> {
    let mut due: Option<Time> = None;
    let mut work = Vec::new();
    {
        let pods = cx.objects.list(&POD, "");
        let mut by_owner: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for pod in pods {
            by_owner.entry(controller_uid(pod)).or_default().push(pod);
        }
        let orphans = by_owner.remove("").unwrap_or_default();
        for set in cx.objects.list(&REPLICA_SET, "") {
            let own = by_owner.get(uid(set)).map_or(&[][..], Vec::as_slice);
            let (one, next) = inspect(set, own, &orphans, kubelet, cx.now);
            if let Some(next) = next {
                sooner(&mut due, next);
            }
            work.extend(one);
        }
    }
    for one in work {
        if let Err(refusal) = carry_out(cx, one) {
            refused(&refusal);
            sooner(&mut due, cx.now.plus(RETRY));
        }
    }
    due
}

fn inspect(
    set: &Value,
    own: &[&Value],
    orphans: &[&Value],
    kubelet: &Kubelet,
    now: Time,
) -> (Option<Work>, Option<Time>) {
    let selector = at(set, &["spec", "selector"]);
    let home = namespace(set);
    let goes = leaving(set);
    let fits = |pod: &Value| matches(selector, labels(pod));
    let names = |pods: &mut dyn Iterator<Item = &&Value>| pods.map(|pod| name(pod).to_owned()).collect::<Vec<_>>();
    let release = names(&mut own.iter().filter(|pod| !fits(pod)));
    let adopt = if goes {
        Vec::new()
    } else {
        names(&mut orphans.iter().filter(|pod| namespace(pod) == home && is_active(pod) && fits(pod)))
    };
    let minimum = Span::seconds(u64::try_from(number(set, &["spec", "minReadySeconds"])).unwrap_or(0));
    let mut next: Option<Time> = None;
    let mut counts = Counts::default();
    let mut active: Vec<&Value> = Vec::with_capacity(own.len());
    for pod in own.iter().copied().filter(|pod| fits(pod)) {
        if leaving(pod) {
            counts.terminating += 1;
        }
        if !is_active(pod) {
            continue;
        }
        active.push(pod);
        counts.pods += 1;
        counts.labelled += i64::from(has_template_labels(set, pod));
        let Some(since) = kubelet.ready_since(pod) else { continue };
        counts.ready += 1;
        let available = since.plus(minimum);
        if available <= now {
            counts.available += 1;
        } else {
            sooner(&mut next, available);
        }
    }
    let wanted = usize::try_from(integer(set, &["spec", "replicas"]).unwrap_or(1)).unwrap_or(0);
    let (short, too_many) = if goes || !adopt.is_empty() {
        (0, 0)
    } else {
        (wanted.saturating_sub(active.len()), active.len().saturating_sub(wanted))
    };
    let surplus = if too_many == 0 {
        Vec::new()
    } else {
        active.sort_by_cached_key(|pod| least_missed_first(pod, kubelet));
        active.iter().take(too_many).map(|pod| name(pod).to_owned()).collect()
    };
    let quiet = short == 0 && surplus.is_empty() && adopt.is_empty() && release.is_empty();
    if quiet && stands(set, counts) {
        return (None, next);
    }
    (Some(Work { set: set.clone(), adopt, release, short, surplus, counts }), next)
}

fn has_template_labels(set: &Value, pod: &Value) -> bool {
    let wanted = at(set, &["spec", "template", "metadata", "labels"]).and_then(Value::as_object);
    let is = labels(pod);
    wanted.into_iter().flatten().all(|(key, value)| is.and_then(|is| is.get(key)) == Some(value))
}

/// The order in which pods are given up: those that do not run, then those that are not ready, the cheapest, the latest
/// ready, those that restarted most, the youngest.
fn least_missed_first(pod: &Value, kubelet: &Kubelet) -> impl Ord + use<> {
    let since = kubelet.ready_since(pod);
    let cost: i64 =
        annotation(pod, "controller.kubernetes.io/pod-deletion-cost").and_then(|cost| cost.parse().ok()).unwrap_or(0);
    let restarts = items(pod, &["status", "containerStatuses"]).iter().map(|one| number(one, &["restartCount"])).max();
    (
        text(pod, &["status", "phase"]) == "Running",
        since.is_some(),
        cost,
        Reverse(since),
        Reverse(restarts),
        Reverse(kubelet.started(pod)),
        name(pod).to_owned(),
    )
}

/// Whether the status says this already.
fn stands(set: &Value, counts: Counts) -> bool {
    let is = |key: &str| number(set, &["status", key]);
    counts.pods == is("replicas")
        && counts.labelled == is("fullyLabeledReplicas")
        && counts.ready == is("readyReplicas")
        && counts.available == is("availableReplicas")
        && counts.terminating == is("terminatingReplicas")
        && number(set, &["metadata", "generation"]) == is("observedGeneration")
        && items(set, &["status", "conditions"]).is_empty()
}

fn carry_out(cx: &mut Context<'_>, work: Work) -> Result<(), Refusal> {
    let by = &cx.users.replica_set;
    let Work { set, adopt, release, short, surplus, counts } = work;
    let home = namespace(&set);
    for pod in release {
        cx.edit(by, &POD, home, &pod, |pod| drop_owner(pod, uid(&set)))?;
    }
    for pod in adopt {
        let owner = owner_reference(&REPLICA_SET, &set);
        cx.edit(by, &POD, home, &pod, |pod| put(pod, &["metadata", "ownerReferences"], json!([owner])))?;
    }
    let mut refused = None;
    for _ in 0..short.min(BURST) {
        let pod = pod_of(&set, cx.rng);
        if let Err(refusal) = cx.objects.create(by, &POD, pod) {
            refused = Some(refusal);
            break;
        }
    }
    for pod in surplus {
        cx.objects.delete(by, &POD, home, &pod)?;
    }
    let status = status(&set, counts, refused.as_ref(), cx.now);
    let (home, called) = place(&set);
    cx.set_status(by, &REPLICA_SET, &home, &called, status)?;
    refused.map_or(Ok(()), Err)
}

/// A new pod, bound to the one node: what a scheduler does of that is nobody's concern here.
fn pod_of(set: &Value, rng: &mut fastrand::Rng) -> Value {
    let template = |part: &str, key: &str| at(set, &["spec", "template", part, key]).cloned();
    let mut metadata = Map::new();
    for key in ["labels", "annotations"] {
        metadata.extend(template("metadata", key).map(|value| (key.to_owned(), value)));
    }
    metadata.insert("name".to_owned(), format!("{}-{}", name(set), suffix(rng)).into());
    metadata.insert("generateName".to_owned(), format!("{}-", name(set)).into());
    metadata.insert("namespace".to_owned(), namespace(set).into());
    metadata.insert("ownerReferences".to_owned(), json!([owner_reference(&REPLICA_SET, set)]));
    metadata.insert("finalizers".to_owned(), json!([FINALIZER]));
    let mut spec = at(set, &["spec", "template", "spec"]).cloned().unwrap_or_else(|| json!({}));
    put(&mut spec, &["nodeName"], "sandbox".into());
    json!({"apiVersion": POD.version, "kind": POD.kind, "metadata": metadata, "spec": spec})
}

fn status(set: &Value, counts: Counts, refused: Option<&Refusal>, now: Time) -> Value {
    let mut status = Map::new();
    status.insert("replicas".to_owned(), counts.pods.into());
    let fields = [
        ("fullyLabeledReplicas", counts.labelled),
        ("readyReplicas", counts.ready),
        ("availableReplicas", counts.available),
        ("observedGeneration", number(set, &["metadata", "generation"])),
    ];
    for (key, count) in fields.into_iter().filter(|(_, count)| *count != 0) {
        status.insert(key.to_owned(), count.into());
    }
    status.insert("terminatingReplicas".to_owned(), counts.terminating.into());
    if let Some(refused) = refused {
        // One that stands is kept: every try has its own name in the message.
        let failed = items(set, &["status", "conditions"]).first().cloned().unwrap_or_else(|| {
            json!({
                "type": FAILURE, "status": "True", "reason": "FailedCreate", "message": refused.message,
                "lastTransitionTime": stamp(now),
            })
        });
        status.insert("conditions".to_owned(), json!([failed]));
    }
    status.into()
}
