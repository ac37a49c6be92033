//! A StatefulSet: held by its partition, and exposed by lowering it: the pods with the highest ordinals run the new template
//! first. A raised partition brings no pod back: each must be deleted, and comes back at the current revision.
//!
//! It knows two revisions only, and forgets the current one as soon as every pod runs the new one. So the first pod keeps
//! the former version until the new one is verified.

use super::super::active::Active;
use super::{Exposure, count, share};
use crate::api::names::HELD_PARTITION;
use crate::api::release_record::PodShare;
use crate::api::{Span, Time, Weight};
use crate::release::action::Action;
use crate::release::problem::Problem;
use crate::release::snapshot::{KindSeen, Ordinals, PodSeen, Snapshot, Workload};

pub(super) struct Ordered<'a> {
    pub(super) seen: &'a Snapshot,
    pub(super) workload: &'a Workload,
    pub(super) ordinals: &'a Ordinals,
}

/// The first place that runs the template, where so many pods may. Never the very first pod's: without pods, or with all of
/// them at the new version, the StatefulSet forgets the former one.
fn places(replicas: u32, pods: u32) -> u32 {
    replicas.saturating_sub(pods).max(1)
}

fn strays<'a>(seen: &'a Snapshot, ordinals: &Ordinals, partition: u32) -> impl Iterator<Item = &'a PodSeen> {
    let current = ordinals.current.clone();
    seen.pods.iter().filter(move |pod| pod.place < partition && pod.of != current && !pod.deleting)
}

/// A withdrawal that is over its time budget: that a bad version goes matters more from then on than that nobody else is
/// missed. A pod that came up, or went, less than a time budget ago is waited for all the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overdue {
    now: Time,
    patience: Span,
}

impl Overdue {
    /// None while what began then is within the contract's time budget.
    pub(super) fn of(seen: &Snapshot, since: Time, now: Time) -> Option<Self> {
        let patience = seen.release.spec.rollback.time_budget;
        (now >= since.plus(patience)).then_some(Self { now, patience })
    }

    fn of_rollback(active: &Active<'_>) -> Option<Self> {
        Self::of(active.seen, active.status.rollback.as_ref()?.at, active.now)
    }

    /// Whether a pod that takes no requests may do so soon.
    fn awaits(self, pod: &PodSeen) -> bool {
        pod.since.is_some_and(|since| self.now < since.plus(self.patience))
    }
}

impl<'a> Ordered<'a> {
    /// Pods that run another revision than the current one although the template is held from all.
    pub(super) fn strays(&self) -> impl Iterator<Item = &'a PodSeen> {
        strays(self.seen, self.ordinals, HELD_PARTITION)
    }

    /// The writes by which all pods come back at the current revision, one after the other.
    pub(super) fn put_back(&self, overdue: Option<Overdue>) -> Vec<Action> {
        self.back_to(HELD_PARTITION, overdue)
    }

    fn back_to(&self, partition: u32, overdue: Option<Overdue>) -> Vec<Action> {
        if self.ordinals.partition != partition {
            return vec![self.set(partition)];
        }
        // Until its controller has seen the partition, a pod that is deleted comes back at the version that it had.
        if !self.ordinals.observed {
            return Vec::new();
        }
        let next = self.next_stray(partition, overdue);
        next.map(|pod| Action::DeletePod { name: pod.name.clone(), uid: pod.uid.clone() }).into_iter().collect()
    }

    /// The pod that is deleted next, so that all before the partition run the current revision: one that takes no requests
    /// first; one that does, the highest place first, only while every other pod is ready, or where the withdrawal is overdue
    /// and nobody is on the way who could be waited for. None where one is waited for, too.
    fn next_stray(&self, partition: u32, overdue: Option<Overdue>) -> Option<&'a PodSeen> {
        let mut strays: Vec<_> = strays(self.seen, self.ordinals, partition).collect();
        strays.sort_by_key(|pod| std::cmp::Reverse(pod.place));
        if let Some(useless) = strays.iter().find(|pod| !pod.ready) {
            return Some(useless);
        }
        let may_miss = overdue.is_some_and(|overdue| self.awaited(overdue).is_none() && self.obstacle().is_none());
        strays.into_iter().next().filter(|_| self.missing() == 0 || may_miss)
    }

    /// How many pods take no requests that should.
    fn missing(&self) -> u32 {
        let ready = self.seen.pods.iter().filter(|pod| pod.ready && !pod.deleting).count();
        self.workload.replicas.saturating_sub(count(ready))
    }

    /// A pod that is not ready and may be soon.
    fn awaited(&self, overdue: Overdue) -> Option<&'a PodSeen> {
        let missed = |pod: &&PodSeen| pod.place < self.workload.replicas && (pod.deleting || !pod.ready);
        self.seen.pods.iter().filter(missed).find(|pod| overdue.awaits(pod))
    }

    /// Why no pod that serves may be deleted however overdue its withdrawal is: nobody else would answer, or what was deleted
    /// before has not come back although nothing keeps it.
    fn obstacle(&self) -> Option<String> {
        let former = |pod: &PodSeen| pod.ready && !pod.deleting && pod.of == self.ordinals.current;
        if !self.seen.pods.iter().any(former) {
            return Some("no pod of the former version is ready".to_owned());
        }
        let pod_at = |place: u32| self.seen.pods.iter().find(|pod| pod.place == place);
        let parallel =
            self.workload.spec.get("podManagementPolicy").and_then(serde_json::Value::as_str) == Some("Parallel");
        for place in 0..self.workload.replicas {
            match pod_at(place) {
                None => return Some(format!("the pod at place {place} is not made")),
                // Those after it come when it is ready, and not before.
                Some(pod) if !parallel && (pod.deleting || !pod.ready) => return None,
                Some(_) => {}
            }
        }
        None
    }

    /// What keeps pods of the new version where they are, once nothing is on its way any more.
    pub(super) fn stuck_since(&self, overdue: Overdue) -> Option<String> {
        if !self.ordinals.observed {
            return Some("the StatefulSet controller has not seen the partition".to_owned());
        }
        let waits = self.missing() > 0 && self.awaited(overdue).is_none() && self.strays().all(|pod| pod.ready);
        self.obstacle().filter(|_| waits)
    }

    fn set(&self, partition: u32) -> Action {
        Action::SetPartition { resource_version: self.workload.resource_version.clone(), partition }
    }
}

impl Exposure for Ordered<'_> {
    fn pods_for(&self, weight: Weight) -> u32 {
        share::among(self.workload.replicas, weight)
    }

    fn share_of(&self, pods: u32) -> PodShare {
        PodShare { new: pods, of: self.workload.replicas }
    }

    fn is_new(&self, pod: &PodSeen) -> bool {
        debug_assert!(matches!(self.workload.kind, KindSeen::StatefulSet(_)));
        pod.of != self.ordinals.current
    }

    fn exposes(&self) -> u32 {
        self.workload.replicas.saturating_sub(self.ordinals.partition)
    }

    fn expose(&self, _: &Active<'_>, pods: u32) -> Result<Vec<Action>, Problem> {
        // Its controller must have made a revision of the template, or pods would come up at an older one.
        if !self.ordinals.observed {
            return Ok(Vec::new());
        }
        Ok(self.back_to(places(self.workload.replicas, pods), None))
    }

    fn exposed(&self, active: &Active<'_>, pods: u32) -> Result<(), String> {
        if !self.ordinals.observed {
            return Err("the StatefulSet controller has not seen the last change yet".to_owned());
        }
        let from = places(self.workload.replicas, pods);
        if self.ordinals.partition != from {
            return Err(format!("the partition is {} instead of {from}", self.ordinals.partition));
        }
        let new = |pod: &&PodSeen| pod.place >= from && pod.of == self.ordinals.update && !pod.deleting;
        let available = |pod: &&PodSeen| pod.is_available(self.workload, active.now);
        let ready = count(self.seen.pods.iter().filter(new).filter(available).count());
        let strays = strays(self.seen, self.ordinals, from).count();
        match (ready >= pods, strays) {
            (true, 0) => Ok(()),
            (true, strays) => Err(format!("{strays} pods more than the stage allows run the new version")),
            (false, _) => Err(format!("{ready} of {pods} pods are ready with the new version")),
        }
    }

    fn withdraw(&self, active: &Active<'_>) -> Vec<Action> {
        self.put_back(Overdue::of_rollback(active))
    }

    fn withdrawing(&self) -> String {
        let left = self.strays().count();
        let budget = self.seen.release.spec.rollback.time_budget;
        match self.missing() {
            0 => format!("{left} pods are put back one by one"),
            missing => format!(
                "{left} pods are put back one by one, each after all others are ready; {missing} are not, and are waited for no longer than the time budget ({budget})"
            ),
        }
    }

    fn stuck(&self, active: &Active<'_>) -> Option<String> {
        self.stuck_since(Overdue::of_rollback(active)?)
    }

    fn keeps_way_back(&self) -> bool {
        true
    }
}
