//! The same world where no route divides the traffic: pods, what makes them, and requests spread evenly over the ready ones.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Behaviour, GOOD, World, pod_template};
use crate::analysis::{ArmSample, Evidence};
use crate::api::Span;
use crate::api::names::HELD_PARTITION;
use crate::release::plan::count::{pods, share};
use crate::release::snapshot::*;
use crate::release::split::Carrier;
use crate::release::template;

/// The revision in the name of what a pod belongs to.
fn revision(of: &str) -> &str {
    of.rsplit('-').next().unwrap_or_default()
}

fn new_pod(name: String, of: &str, canary: bool, place: u32) -> PodSeen {
    let uid = format!("{name}/{of}");
    PodSeen {
        name,
        uid,
        of: of.to_owned(),
        canary,
        place,
        ready: false,
        deleting: false,
        since: None,
        crashes: Vec::new(),
    }
}

impl World {
    /// A settled workload of four pods that runs `v1` behind a Service without routes.
    pub(crate) fn by_count(kind: &str) -> Self {
        Self::begin(
            json!({"workloadRef": {"kind": kind, "name": "checkout"}, "traffic": {"service": "checkout", "httpRoutes": null}}),
        )
    }

    pub(crate) fn ordinals(&mut self) -> &mut Ordinals {
        match &mut self.workload().kind {
            KindSeen::StatefulSet(ordinals) => ordinals,
            KindSeen::Deployment => panic!("a Deployment has no ordinals"),
        }
    }

    pub(super) fn make_stateful(&mut self) {
        let name = format!("checkout-{}", template::revision(&pod_template("shop:v1")));
        let ordinals = Ordinals { partition: 0, current: name.clone(), update: name, observed: true };
        self.workload().kind = KindSeen::StatefulSet(ordinals);
    }

    /// Images of the ready pods, in the order of their places.
    pub(crate) fn images(&self) -> Vec<String> {
        let mut pods: Vec<_> = self.seen.pods.iter().filter(|pod| pod.ready && !pod.deleting).collect();
        pods.sort_by_key(|pod| pod.place);
        pods.into_iter().map(|pod| self.image_of(&pod.of)).collect()
    }

    fn image_of(&self, of: &str) -> String {
        let template = &self.templates[revision(of)];
        template["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
    }

    /// How the pods of one version do: each ready pod gets the same share.
    pub(super) fn sample_of_pods(&self, carrier: Carrier, window: Span) -> ArmSample {
        let all = share(&self.seen).of;
        let mine: Vec<_> = pods(&self.seen, carrier == Carrier::Canary).into_iter().filter(|pod| pod.ready).collect();
        if mine.is_empty() {
            let none = || Evidence::NoData("no pod".to_owned());
            return ArmSample { requests: none(), errors: none(), latency: none() };
        }
        let behaviours: Vec<_> = mine.iter().map(|pod| self.behaviour_of(revision(&pod.of))).collect();
        let each = self.requests_per_second * window.as_secs_f64() / f64::from(all);
        ArmSample {
            requests: Evidence::Value(each * mine.len() as f64),
            errors: Evidence::Value(behaviours.iter().map(|one| one.errors * each).sum()),
            latency: Evidence::Value(behaviours.iter().map(|one| one.latency).fold(0.0, f64::max)),
        }
    }

    /// What a cluster does in a second with pods.
    pub(super) fn settle_pods(&mut self) {
        self.seen.pods.retain(|pod| !pod.deleting);
        let stateful = self.seen.workload.as_ref().map(|workload| workload.kind != KindSeen::Deployment);
        match stateful {
            Some(true) => self.settle_ordinals(),
            Some(false) => self.settle_sets(),
            None => self.seen.pods.retain(|pod| pod.canary),
        }
        let behaviours = self.behaviour.clone();
        for pod in &mut self.seen.pods {
            let behaviour = behaviours.get(revision(&pod.of)).copied().unwrap_or(GOOD);
            pod.crashes =
                if behaviour.crashes { vec![format!("{}/app: CrashLoopBackOff", pod.name)] } else { Vec::new() };
        }
        let (all, canary) = (self.seen.pods.clone(), self.seen.canary.as_mut());
        let ready = |which: &dyn Fn(&PodSeen) -> bool| {
            u32::try_from(all.iter().filter(|pod| pod.ready && which(pod)).count()).unwrap()
        };
        if let Some(deployment) = canary.and_then(|side| side.deployment.as_mut()) {
            deployment.available = ready(&|pod| pod.canary);
        }
        for set in self.seen.workload.iter_mut().flat_map(|workload| &mut workload.sets) {
            set.available = ready(&|pod| pod.of == set.name);
        }
        if let Some(service) = &mut self.seen.service {
            service.ready_endpoints = ready(&|_| true);
        }
    }

    /// Pods follow their sets: what is too many goes, what is missing comes, what came before is ready where it can be.
    fn settle_sets(&mut self) {
        let mut wanted: Vec<(String, u32, bool)> =
            self.workload().sets.iter().map(|set| (set.name.clone(), set.replicas, false)).collect();
        let canary = self.seen.canary.as_ref().and_then(|side| side.deployment.as_ref()).filter(|d| !d.deleting);
        wanted.extend(canary.map(|d| (format!("checkout-canary-{}", d.revision), d.replicas, true)));
        let names: BTreeSet<String> = wanted
            .iter()
            .flat_map(|(set, replicas, _)| (0..*replicas).map(move |index| format!("{set}-{index}")))
            .collect();
        self.seen.pods.retain(|pod| names.contains(&pod.name));
        self.become_ready(|_| true);
        for (set, replicas, canary) in wanted {
            for index in 0..replicas {
                let name = format!("{set}-{index}");
                if !self.seen.pods.iter().any(|pod| pod.name == name) {
                    self.seen.pods.push(new_pod(name, &set, canary, 0));
                }
            }
        }
    }

    fn become_ready(&mut self, which: impl Fn(&PodSeen) -> bool) {
        let (behaviours, now) = (self.behaviour.clone(), self.now);
        let lost = self.lost;
        self.was_lost |= lost.is_some();
        for pod in self.seen.pods.iter_mut().filter(|pod| which(pod)) {
            let ready = behaviours.get(revision(&pod.of)).copied().unwrap_or(GOOD).ready && lost != Some(pod.place);
            if pod.since.is_none() || pod.ready != ready {
                (pod.ready, pod.since) = (ready, Some(now));
            }
        }
    }

    /// As the StatefulSet controller: one pod at a time, each after those before it; from the last place down in an update.
    fn settle_ordinals(&mut self) {
        let (replicas, template) = (self.workload().replicas, self.workload().template.clone());
        let update = format!("checkout-{}", template::revision(&template));
        self.templates.insert(revision(&update).to_owned(), template);
        let ordinals = self.ordinals();
        (ordinals.update, ordinals.observed) = (update.clone(), true);
        let (partition, current) = (ordinals.partition, ordinals.current.clone());
        self.become_ready(|_| true);
        self.seen.pods.retain(|pod| pod.place < replicas);
        let missing = (0..replicas).find(|place| !self.seen.pods.iter().any(|pod| pod.place == *place));
        let all_ready = self.seen.pods.iter().all(|pod| pod.ready);
        match missing {
            // One that does not become ready stops everything after it.
            Some(place) if self.seen.pods.iter().filter(|pod| pod.place < place).all(|pod| pod.ready) => {
                let of = if place < partition { &current } else { &update };
                self.seen.pods.push(new_pod(format!("checkout-{place}"), of, false, place));
            }
            Some(_) => {}
            None => {
                let old = |pod: &&mut PodSeen| pod.place >= partition && pod.of != update;
                let next = self.seen.pods.iter_mut().filter(old).max_by_key(|pod| pod.place);
                // An update waits for the pods that have it already.
                if let Some(pod) = next
                    && (all_ready || !pod.ready)
                {
                    (pod.deleting, pod.ready) = (true, false);
                }
            }
        }
        let whole = self.seen.pods.len() == replicas as usize
            && self.seen.pods.iter().all(|pod| pod.ready && pod.of == update && !pod.deleting);
        if whole {
            self.ordinals().current = update;
        }
        self.count_revisions();
    }

    /// The revisions as an observation gives them.
    fn count_revisions(&mut self) {
        let current = self.ordinals().current.clone();
        let names: BTreeSet<String> = self.seen.pods.iter().map(|pod| pod.of.clone()).chain([current]).collect();
        let sets = names.into_iter().map(|name| {
            let count = |which: fn(&PodSeen) -> bool| {
                u32::try_from(self.seen.pods.iter().filter(|pod| pod.of == name && which(pod)).count()).unwrap()
            };
            ReplicaSetSeen {
                resource_version: "1".into(),
                created: self.now,
                replicas: count(|pod| !pod.deleting),
                existing: count(|_| true),
                available: count(|pod| pod.ready),
                template: self.templates[revision(&name)].clone(),
                crashes: Vec::new(),
                name,
            }
        });
        self.workload().sets = sets.collect::<Vec<_>>();
    }

    /// Holds a StatefulSet's template, as the shipped policy does.
    pub(super) fn hold(&mut self, template: &Value, behaviour: Behaviour) {
        self.behaviour.insert(template::revision(template), behaviour);
        self.templates.insert(template::revision(template), template.clone());
        let workload = self.workload();
        workload.paused = true;
        if let KindSeen::StatefulSet(ordinals) = &mut workload.kind {
            (ordinals.partition, ordinals.observed) = (HELD_PARTITION, false);
        }
    }

    /// What must hold at every moment: nobody takes more than one pod of a StatefulSet away at once.
    pub(super) fn pods_invariants(&self) {
        let Some(workload) = &self.seen.workload else { return };
        // Places that were just added are not missed yet.
        let settled = workload.replicas.min(4);
        let ready = self.seen.pods.iter().filter(|pod| pod.ready && pod.place < settled).count();
        let broken = self.behaviour.values().any(|behaviour| !behaviour.ready);
        if workload.kind != KindSeen::Deployment && !broken && !self.was_lost {
            assert!(ready + 1 >= settled as usize, "{ready} ready\n{}", self.trace.join("\n"));
        }
    }
}
