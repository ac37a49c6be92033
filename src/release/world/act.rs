//! What an action does to the objects, and whether its fence holds.

use super::{World, set};
use crate::api::names::ROLE;
use crate::release::action::Action;
use crate::release::check_job::{JobSeen, JobState, PodsOfJob, Refusal};
use crate::release::snapshot::*;
use crate::release::split::{Carrier, Split};
use crate::release::template;

impl World {
    pub(super) fn tear(&mut self, action: &Action) {
        if self.torn && matches!(action, Action::OpenRecord { .. }) && self.apply(action) {
            self.seen.record.as_mut().unwrap().status = None;
        }
    }

    /// Carries an action out; false where its fence does not hold.
    pub(in crate::release) fn apply(&mut self, action: &Action) -> bool {
        self.writes += 1;
        let version = self.bump();
        let seconds = self.seconds();
        let line = |what: String| format!("{seconds:>4}s   {what}");
        match action {
            Action::AddFinalizer => self.seen.release.finalizer = true,
            Action::RemoveFinalizer => {
                self.trace.push(line("finalizer removed".into()));
                self.seen.release.finalizer = false;
            }
            Action::OpenRecord { name, spec, status } => {
                self.trace.push(line(format!("record {name} opened in {}", status.phase)));
                self.seen.record = Some(Record {
                    name: name.clone(),
                    resource_version: version,
                    spec: (**spec).clone(),
                    status: Some((**status).clone()),
                });
            }
            Action::UpdateRecord { name, resource_version, status } => {
                let record = self.seen.record.as_mut().unwrap();
                assert_eq!((&record.name, &record.resource_version), (name, resource_version));
                record.status = Some((**status).clone());
                record.resource_version = version;
            }
            Action::Apply { carrier, object } => {
                if object["kind"] == "HorizontalPodAutoscaler" {
                    self.seen.previous.as_mut().unwrap().autoscaler = Some(object["spec"].clone());
                }
                if object["kind"] == "Service" {
                    let sides = &mut self.seen;
                    let side = if *carrier == Carrier::Canary { &mut sides.canary } else { &mut sides.previous };
                    let mut spec = object["spec"].clone();
                    // The API server gives it an address.
                    if spec.get("clusterIP").is_none() {
                        spec["clusterIP"] = "10.96.0.11".into();
                    }
                    side.as_mut().unwrap().service = Some(spec);
                }
                let around = match object["kind"].as_str() {
                    Some("NetworkPolicy") => Some(&mut self.seen.network_policies),
                    Some("PodDisruptionBudget") => Some(&mut self.seen.disruption_budgets),
                    Some(_) | None => None,
                };
                if let Some(all) = around {
                    all.retain(|one| one["metadata"]["name"] != object["metadata"]["name"]);
                    all.push(object.clone());
                }
                if object["kind"] != "Deployment" {
                    return true;
                }
                let deployment = SideDeployment {
                    revision: object["metadata"]["annotations"]["tidegate.io/revision"].as_str().unwrap().to_owned(),
                    template: object["spec"]["template"].clone(),
                    replicas: u32::try_from(object["spec"]["replicas"].as_u64().unwrap()).unwrap(),
                    refused: None,
                    available: self
                        .seen
                        .side(*carrier)
                        .and_then(|side| side.deployment.as_ref())
                        .map_or(0, |d| d.available),
                    deleting: false,
                    crashes: Vec::new(),
                };
                self.trace.push(line(format!(
                    "{carrier} has {} pods of {}",
                    deployment.replicas, deployment.template["spec"]["containers"][0]["image"]
                )));
                let stands =
                    self.seen.side(*carrier).filter(|side| side.deployment.as_ref().is_some_and(|d| !d.deleting));
                let endpoints = stands.and_then(|side| side.endpoints).unwrap_or(0);
                let side = Side {
                    carrier: *carrier,
                    deployment: Some(deployment),
                    endpoints: Some(endpoints),
                    service: stands.and_then(|side| side.service.clone()),
                    listening: Listening::new(),
                    pdb: true,
                    autoscaler: stands.and_then(|side| side.autoscaler.clone()),
                    foreign: None,
                };
                match carrier {
                    Carrier::Canary => self.seen.canary = Some(side),
                    Carrier::Previous | Carrier::Workload => self.seen.previous = Some(side),
                }
            }
            Action::Delete { carrier } => {
                self.trace.push(line(format!("{carrier} deleted")));
                for around in [&mut self.seen.network_policies, &mut self.seen.disruption_budgets] {
                    around.retain(|one| one["metadata"]["labels"][ROLE] != carrier.as_str());
                }
                let side = if *carrier == Carrier::Canary { &mut self.seen.canary } else { &mut self.seen.previous };
                if let Some(deployment) = side.as_mut().and_then(|side| side.deployment.as_mut()) {
                    deployment.deleting = true;
                }
            }
            Action::SetSplit { route, split, withdrawn, resource_version } => {
                self.trace.push(line(format!("route: {split}")));
                let place = self.seen.routes.iter().position(|one| one.name == *route).unwrap();
                let route = match &mut self.seen.routes[place].state {
                    Err(RouteProblem::NoBackend { marked }) => {
                        *marked = None;
                        return true;
                    }
                    state => state.as_mut().unwrap(),
                };
                assert_eq!(&route.resource_version, resource_version);
                route.rules = vec![Some(*split)];
                route.marked = *split != Split::HOME;
                route.withdrawn =
                    if route.marked { withdrawn.as_deref().cloned().or(route.withdrawn.clone()) } else { None };
                route.resource_version.clone_from(&version);
                self.seen.routes[place].owned = Some(version);
            }
            Action::DisownRules { route, resource_version } => {
                let route = self.seen.routes.iter_mut().find(|one| one.name == *route).unwrap();
                if route.owned.as_ref() != Some(resource_version) {
                    return false;
                }
                route.owned = None;
                if let Ok(route) = &mut route.state {
                    route.resource_version = version;
                }
            }
            Action::Resume { resource_version } => {
                let workload = self.seen.workload.as_mut().unwrap();
                if workload.resource_version != *resource_version {
                    return false;
                }
                workload.paused = false;
                if let KindSeen::StatefulSet(ordinals) = &mut workload.kind {
                    (ordinals.partition, ordinals.observed) = (0, false);
                }
                workload.paused_because = None;
                workload.generation += 1;
                workload.resource_version = version;
                self.trace.push(line("workload resumed".into()));
            }
            Action::ExplainPause { text, .. } => self.workload().paused_because = Some(text.clone()),
            Action::ScaleReplicaSet { name, replicas, .. } => {
                self.trace.push(line(format!("ReplicaSet {name} has {replicas} pods")));
                let set = self.workload().sets.iter_mut().find(|set| set.name == *name).unwrap();
                set.replicas = *replicas;
            }
            Action::DeleteReplicaSet { name, .. } => {
                self.trace.push(line(format!("ReplicaSet {name} deleted")));
                self.workload().sets.retain(|set| set.name != *name);
            }
            Action::CreateReplicaSet { object } => {
                let name = object["metadata"]["name"].as_str().unwrap().to_owned();
                self.trace.push(line(format!("ReplicaSet {name} created")));
                let replicas = u32::try_from(object["spec"]["replicas"].as_u64().unwrap()).unwrap();
                let template = template::without_hash(object["spec"]["template"].clone());
                let made =
                    ReplicaSetSeen { name, existing: 0, available: 0, created: self.now, ..set(&template, replicas) };
                self.workload().sets.push(made);
            }
            Action::ScaleSide { carrier, replicas } => {
                self.trace.push(line(format!("{carrier} scaled to {replicas} pods")));
                let side = if *carrier == Carrier::Canary { &mut self.seen.canary } else { &mut self.seen.previous };
                side.as_mut().unwrap().deployment.as_mut().unwrap().replicas = *replicas;
            }
            Action::SetPartition { resource_version, partition } => {
                let workload = self.workload();
                if workload.resource_version != *resource_version {
                    return false;
                }
                let KindSeen::StatefulSet(ordinals) = &mut workload.kind else { panic!("no partition") };
                (ordinals.partition, ordinals.observed) = (*partition, false);
                workload.paused = *partition > 0;
                workload.generation += 1;
                workload.resource_version = version;
                self.trace.push(line(format!("partition {partition}")));
            }
            Action::DeletePod { name, uid } => {
                let found = self.seen.pods.iter_mut().find(|pod| pod.name == *name && pod.uid == *uid);
                let Some(pod) = found else { return false };
                (pod.deleting, pod.ready, pod.since) = (true, false, Some(self.now));
                self.trace.push(line(format!("pod {name} deleted")));
            }
            Action::StartJob { name, object } => {
                assert_eq!(object["metadata"]["name"], **name);
                assert!(self.seen.jobs.of(name).is_none(), "a second Job {name}");
                let at = self.now;
                if self.jobs == super::Jobs::Refused {
                    self.trace.push(line(format!("Job {name} refused")));
                    let why = "exceeded quota: small".to_owned();
                    self.seen.jobs.refused.insert(name.clone(), Refusal { at, why });
                    return true;
                }
                self.trace.push(line(format!("Job {name} started")));
                let (uid, state, pods) = (format!("job-{version}"), JobState::Running, PodsOfJob::default());
                let job = JobSeen { name: name.clone(), uid, created: at, deleting: false, state, pods };
                self.seen.jobs.all.push(job);
            }
            Action::RemoveJob { name, uid } => {
                self.trace.push(line(format!("Job {name} removed")));
                self.seen.jobs.all.retain(|job| job.uid != *uid);
            }
            Action::WriteLedger { resource_version, ledger, .. } => {
                let seconds = self.seconds();
                let risk = self.seen.risk.as_mut().unwrap();
                if risk.resource_version != *resource_version {
                    return false;
                }
                let what = match ledger.sequence > risk.ledger.sequence {
                    true => format!("charged {} RP", ledger.pending.last().map_or(0, |one| one.charge.points)),
                    false => format!("reserved {} RP", ledger.reservations.last().map_or(0, |one| one.points)),
                };
                (risk.ledger, risk.resource_version) = ((**ledger).clone(), version);
                self.trace.push(format!("{seconds:>4}s   {what}"));
            }
            Action::ScaleDown { name, held, .. } => {
                let what = if *held { "held" } else { "let go" };
                self.trace.push(line(format!("autoscaler {name} {what}")));
                for one in &mut self.seen.autoscalers {
                    match &mut one.scaled_object {
                        Some(object) if object.name == *name => object.held = *held,
                        None if one.name == *name => one.held = *held,
                        Some(_) | None => {}
                    }
                }
            }
        }
        true
    }
}
