//! A StatefulSet: held by its partition, and exposed by lowering it: the pods with the highest ordinals run the new template
//! first. A raised partition brings no pod back: each must be deleted, and comes back at the current revision.
//!
//! It knows two revisions only, and forgets the current one as soon as every pod runs the new one. So the first pod keeps
//! the former version until the new one is verified.

use super::super::active::Active;
use super::{Exposure, count, share};
use crate::api::Weight;
use crate::api::names::HELD_PARTITION;
use crate::api::release_record::PodShare;
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

/// The pod that is deleted next, so that all before the partition run the current revision: one that takes no requests
/// first; one that does only while every other pod is ready, the highest place first. None where one is waited for, too.
fn next_stray<'a>(seen: &'a Snapshot, workload: &Workload, ordinals: &Ordinals, partition: u32) -> Option<&'a PodSeen> {
    let mut strays: Vec<_> = strays(seen, ordinals, partition).collect();
    strays.sort_by_key(|pod| std::cmp::Reverse(pod.place));
    if let Some(useless) = strays.iter().find(|pod| !pod.ready) {
        return Some(useless);
    }
    let ready = count(seen.pods.iter().filter(|pod| pod.ready && !pod.deleting).count());
    strays.into_iter().next().filter(|_| ready >= workload.replicas)
}

fn strays<'a>(seen: &'a Snapshot, ordinals: &Ordinals, partition: u32) -> impl Iterator<Item = &'a PodSeen> {
    let current = ordinals.current.clone();
    seen.pods.iter().filter(move |pod| pod.place < partition && pod.of != current && !pod.deleting)
}

impl<'a> Ordered<'a> {
    /// Pods that run another revision than the current one although the template is held from all.
    pub(super) fn strays(&self) -> impl Iterator<Item = &'a PodSeen> {
        strays(self.seen, self.ordinals, HELD_PARTITION)
    }

    fn back_to(&self, partition: u32) -> Vec<Action> {
        if self.ordinals.partition != partition {
            return vec![self.set(partition)];
        }
        let next = next_stray(self.seen, self.workload, self.ordinals, partition);
        next.map(|pod| Action::DeletePod { name: pod.name.clone(), uid: pod.uid.clone() }).into_iter().collect()
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

    fn expose(&self, _: &Active<'_>, pods: u32) -> Result<Vec<Action>, Problem> {
        // Its controller must have made a revision of the template, or pods would come up at an older one.
        if !self.ordinals.observed {
            return Ok(Vec::new());
        }
        Ok(self.back_to(places(self.workload.replicas, pods)))
    }

    fn exposed(&self, pods: u32) -> Result<(), String> {
        if !self.ordinals.observed {
            return Err("the StatefulSet controller has not seen the last change yet".to_owned());
        }
        let from = places(self.workload.replicas, pods);
        if self.ordinals.partition != from {
            return Err(format!("the partition is {} instead of {from}", self.ordinals.partition));
        }
        let new = |pod: &&PodSeen| pod.place >= from && pod.of == self.ordinals.update && !pod.deleting;
        let ready = count(self.seen.pods.iter().filter(new).filter(|pod| pod.ready).count());
        let strays = strays(self.seen, self.ordinals, from).count();
        match (ready >= pods, strays) {
            (true, 0) => Ok(()),
            (true, strays) => Err(format!("{strays} pods more than the stage allows run the new version")),
            (false, _) => Err(format!("{ready} of {pods} pods are ready with the new version")),
        }
    }

    fn withdraw(&self) -> Vec<Action> {
        self.back_to(HELD_PARTITION)
    }

    fn withdrawing(&self) -> String {
        let missing =
            self.workload.replicas.saturating_sub(count(self.seen.pods.iter().filter(|pod| pod.ready).count()));
        let left = self.strays().count();
        match missing {
            0 => format!("{left} pods are put back one by one"),
            _ => format!("{left} pods are put back one by one, each after all others are ready; {missing} are not"),
        }
    }

    fn keeps_way_back(&self) -> bool {
        true
    }
}
