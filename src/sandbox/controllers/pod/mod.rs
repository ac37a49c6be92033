//! Pods from their start to their end, as the kubelet of the one node sees to it.
//!
//! [`life`] says what a pod is like at an age, [`status`] writes it down. Here is who watches which pod.

mod life;
mod status;

use std::collections::BTreeMap;

use serde_json::Value;

use self::life::Shown;
use super::look::{has_finalizer, is_over, is_ready, leaving, name, namespace, text, time, uid};
use super::write::{Context, Place, drop_finalizer, place, sooner, tried};
use crate::api::Time;
use crate::cluster::kind::POD;

/// Held by every pod from its creation until its containers have ended, so that one that is deleted stays for a moment,
/// however it is deleted. A real kubelet needs none: there the API server waits for it.
pub const FINALIZER: &str = "tidegate.io/sandbox-kubelet";

/// The pods that are looked after, by uid.
#[derive(Debug, Default)]
pub(super) struct Kubelet(BTreeMap<String, Life>);

/// What is known of a pod beside its object.
#[derive(Debug)]
struct Life {
    started: Time,
    /// From 0 to 1: where in a cycle of flapping it is when it is up.
    beat: f64,
    shown: Option<Shown>,
    ready_since: Option<Time>,
    leaving_since: Option<Time>,
}

enum Change {
    Show(Shown),
    End,
}

impl Kubelet {
    /// Since when a pod is ready; none where it is not. To the millisecond, which its status does not have.
    pub(super) fn ready_since(&self, pod: &Value) -> Option<Time> {
        match self.0.get(uid(pod)) {
            Some(life) => life.ready_since,
            None => is_ready(pod).then(|| created(pod)).flatten(),
        }
    }

    /// When a pod was first seen.
    pub(super) fn started(&self, pod: &Value) -> Option<Time> {
        self.0.get(uid(pod)).map(|life| life.started).or_else(|| created(pod))
    }

    pub(super) fn run(&mut self, cx: &mut Context<'_>) -> Option<Time> {
        let mut due: Option<Time> = None;
        let mut changes: Vec<(Place, String, Change)> = Vec::new();
        let pods = cx.objects.list(&POD, "");
        for pod in &pods {
            let Some(life) = self.0.get_mut(uid(pod)) else {
                // It is seen for the first time: below, where dice may be thrown.
                continue;
            };
            Self::follow(life, pod, cx, &mut due, &mut changes);
        }
        if self.0.len() != pods.len() || pods.iter().any(|pod| !self.0.contains_key(uid(pod))) {
            let there: std::collections::BTreeSet<&str> = pods.iter().map(|pod| uid(pod)).collect();
            self.0.retain(|uid, _| there.contains(uid.as_str()));
            let new: Vec<&Value> = pods.iter().copied().filter(|pod| !self.0.contains_key(uid(pod))).collect();
            for pod in new {
                let mut life =
                    Life { started: cx.now, beat: cx.rng.f64(), shown: None, ready_since: None, leaving_since: None };
                Self::follow(&mut life, pod, cx, &mut due, &mut changes);
                self.0.insert(uid(pod).to_owned(), life);
            }
        }
        for (place, uid, change) in changes {
            match change {
                Change::Show(shown) => self.show(cx, &place, &uid, shown),
                Change::End => end(cx, &place),
            }
        }
        due
    }

    fn follow(
        life: &mut Life,
        pod: &Value,
        cx: &Context<'_>,
        due: &mut Option<Time>,
        changes: &mut Vec<(Place, String, Change)>,
    ) {
        if leaving(pod) {
            let ends = life.leaving_since.get_or_insert(cx.now).plus(cx.timing.termination);
            if ends > cx.now {
                sooner(due, ends);
            } else {
                changes.push((place(pod), uid(pod).to_owned(), Change::End));
            }
            return;
        }
        if is_over(pod) || !is_bound(pod) {
            return;
        }
        let behaviour = cx.world.behaviour(namespace(pod), pod);
        let (shown, next) = life::at(&behaviour, cx.timing.start, cx.now.since(life.started), life.beat);
        if let Some(next) = next {
            sooner(due, cx.now.plus(next));
        }
        if life.shown != Some(shown) {
            changes.push((place(pod), uid(pod).to_owned(), Change::Show(shown)));
        }
    }

    fn show(&mut self, cx: &mut Context<'_>, place: &Place, uid: &str, shown: Shown) {
        let (Some(life), Some(pod)) = (self.0.get_mut(uid), cx.objects.get(&POD, &place.0, &place.1)) else { return };
        let status = status::status(pod, shown, life.started, cx.now);
        let written = cx.set_status(&cx.users.kubelet, &POD, &place.0, &place.1, status);
        if written.is_ok() {
            life.shown = Some(shown);
            life.ready_since = match life.ready_since {
                Some(since) if shown.ready => Some(since),
                Some(_) | None => shown.ready.then_some(cx.now),
            };
        }
        tried(written);
    }
}

/// The containers have ended.
fn end(cx: &mut Context<'_>, place: &Place) {
    let by = &cx.users.kubelet;
    if cx.objects.get(&POD, &place.0, &place.1).is_some_and(|pod| has_finalizer(pod, FINALIZER)) {
        tried(cx.edit(by, &POD, &place.0, &place.1, |pod| drop_finalizer(pod, FINALIZER)));
    }
    // One that was given a grace period waits to be told that it is not needed.
    if cx.objects.get(&POD, &place.0, &place.1).is_some_and(|pod| !holds_other_finalizers(pod)) {
        cx.delete(by, &POD, place);
    }
}

/// Whether a scheduler that there is here gives the pod a node.
fn is_bound(pod: &Value) -> bool {
    matches!(text(pod, &["spec", "schedulerName"]), "" | "default-scheduler")
}

fn holds_other_finalizers(pod: &Value) -> bool {
    super::look::items(pod, &["metadata", "finalizers"]).iter().any(|one| one != FINALIZER)
}

fn created(pod: &Value) -> Option<Time> {
    time(text(pod, &["metadata", "creationTimestamp"]))
}

/// The address of a pod, by its name: stable, and hardly ever another's.
pub(super) fn address(pod: &Value) -> String {
    let hash = name(pod).bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("10.{}.{}.{}", 128 | ((hash >> 16) & 0x7f), (hash >> 8) & 0xff, 1 + (hash & 0xff) % 254)
}
