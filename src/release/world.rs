//! A small world for tests of the plan: objects that answer actions as a cluster would, a clock, and faults.
//! It knows nothing of Kubernetes; the sandbox and the real cluster do.

mod count;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::action::{Action, Plan};
use super::ask::{Answers, question};
use super::lint::lint;
use super::plan::plan;
use super::snapshot::*;
use super::split::{Carrier, Split};
use super::template;
use crate::analysis::{ArmSample, Evidence, Observation};
use crate::api::gated_release::{GatedReleaseSpec, GatedReleaseStatus, WorkloadKind};
use crate::api::names::RETRY;
use crate::api::release_record::{Outcome, Phase, ReleaseRecordStatus};
use crate::api::{BudgetStatus, Change, Span, Time, Weight};
use crate::policy::Tier;
use crate::policy::score::Signal;

/// How a version behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Behaviour {
    pub(crate) errors: f64,
    pub(crate) latency: f64,
    pub(crate) ready: bool,
    pub(crate) crashes: bool,
}

pub(crate) const GOOD: Behaviour = Behaviour { errors: 0.0, latency: 0.1, ready: true, crashes: false };

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) seen: Snapshot,
    pub(crate) now: Time,
    pub(crate) behaviour: BTreeMap<String, Behaviour>,
    pub(crate) prometheus: bool,
    pub(crate) requests_per_second: f64,
    /// Requests per second of callers who use the Service past its route.
    pub(crate) aside_per_second: f64,
    /// Whether a controller that dies before it opens a record dies in the middle of that: after the record, before its status.
    pub(crate) torn: bool,
    /// The place of a StatefulSet whose pod nothing makes ready, such as one whose node is gone.
    pub(crate) lost: Option<u32>,
    /// Whether one was ever lost, so that several may be on their way at once.
    was_lost: bool,
    /// Every write and every event, as they happen.
    pub(crate) trace: Vec<String>,
    /// Every template that was ever there, by its revision.
    templates: BTreeMap<String, Value>,
    version: u64,
    writes: usize,
}

pub(crate) fn pod_template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "checkout"}}, "spec": {"containers": [{"name": "app", "image": image}]}})
}

impl World {
    /// A settled workload of four pods that runs `v1`, a route, a healthy budget, a GatedRelease with short stages.
    pub(crate) fn new() -> Self {
        Self::begin(json!({}))
    }

    /// The same with a merge patch of its spec.
    fn begin(patch: Value) -> Self {
        let mut spec = json!({
            "workloadRef": {"name": "checkout"},
            "riskBudgetRef": {"name": "checkout"},
            "traffic": {"service": "checkout", "httpRoutes": [{"name": "checkout"}]},
            "strategy": {"stages": [{"weight": 5, "bake": "10s"}, {"weight": 25, "bake": "10s"}, {"weight": 100, "bake": "10s"}],
                         "verify": "60s", "readyWithin": "60s", "handBack": "10s", "drain": "2s", "holdFor": "10m"},
            "analysis": {"interval": "2s", "window": "5s", "minRequests": 10, "evidenceWithin": "2m"},
            "rollback": {"errorRatePercent": 1, "latencyFactor": 2},
        });
        json_patch::merge(&mut spec, &patch);
        let spec: GatedReleaseSpec = serde_json::from_value(spec).unwrap();
        let by_count = spec.traffic.by_count();
        let stateful = spec.workload_ref.kind == WorkloadKind::StatefulSet;
        let template = pod_template("shop:v1");
        let workload = Workload {
            kind: KindSeen::Deployment,
            uid: "u1".into(),
            resource_version: "1".into(),
            generation: 1,
            gated: true,
            paused: false,
            replicas: 4,
            revision: template::revision(&template),
            sets: vec![set(&template, 4)],
            refused: None,
            config: BTreeMap::new(),
            selector: json!({"matchLabels": {"app": "checkout"}}),
            strategy: "RollingUpdate".into(),
            spec: json!({}),
            labels: BTreeMap::new(),
            change: Change::default(),
            change_problems: Vec::new(),
            change_annotated: false,
            changed_by: "alice".into(),
            resumed_by: None,
            break_glass: None,
            paused_because: None,
            template,
        };
        let service = ServiceSeen {
            selector: [("app".to_owned(), "checkout".to_owned())].into(),
            ready_endpoints: 4,
            object: json!({"metadata": {"labels": {"app": "checkout"}}, "spec": {"selector": {"app": "checkout"}, "ports": [{"port": 80, "nodePort": 30080}]}}),
        };
        let route = RouteState {
            resource_version: "1".into(),
            rules: vec![Some(Split::HOME)],
            marked: false,
            effective: Ok(()),
            withdrawn: None,
        };
        let release = Release {
            namespace: "shop".into(),
            name: "checkout".into(),
            uid: "g1".into(),
            generation: 1,
            deleting: false,
            detached: false,
            finalizer: true,
            retry: None,
            spec,
            status: GatedReleaseStatus::default(),
        };
        let mut world = Self {
            seen: Snapshot {
                release,
                workload: Some(workload),
                service: Some(service),
                routes: match by_count {
                    false => vec![RouteSeen { name: "checkout".into(), state: Ok(route) }],
                    true => Vec::new(),
                },
                canary: None,
                previous: None,
                pods: Vec::new(),
                autoscalers: Vec::new(),
                budget: BudgetSeen::Measured {
                    status: BudgetStatus::Healthy,
                    remaining_percent: 90.0,
                    decided_by: "availability".into(),
                },
                risk: Some(RiskSeen {
                    resource_version: "1".into(),
                    tier: Tier::T2,
                    requirements: serde_json::from_value(json!({"mode": "Audit"})).unwrap(),
                    roles: Vec::new(),
                    restricted: Vec::new(),
                    budget: Some(
                        serde_json::from_value(json!({
                            "window": "2026-01", "from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z",
                            "allocated": 10_000, "consumed": 0, "sequence": 0, "reserved": 0, "remaining": 10_000,
                            "remainingPercent": 100, "band": "Green", "releases": 0, "exceptions": 0,
                        }))
                        .unwrap(),
                    ),
                    ledger: Default::default(),
                    signals: SignalsSeen { incidents: Signal::NotConfigured, on_call: Signal::NotConfigured },
                }),
                attestations: Vec::new(),
                too_many_attestations: false,
                record: None,
                answers: None,
                metrics: MetricsSeen::Found { complaints: false, pods: by_count },
                preflight: None,
                network_policies: Vec::new(),
            },
            now: Time("2026-01-01T00:00:00Z".parse().unwrap()),
            behaviour: BTreeMap::new(),
            prometheus: true,
            requests_per_second: 100.0,
            aside_per_second: 0.0,
            torn: false,
            lost: None,
            was_lost: false,
            trace: Vec::new(),
            templates: [(template::revision(&pod_template("shop:v1")), pod_template("shop:v1"))].into(),
            version: 10,
            writes: 0,
        };
        if stateful {
            world.make_stateful();
        }
        if by_count {
            (0..10).for_each(|_| world.settle());
        }
        world.run(5);
        world.trace.clear();
        world
    }

    pub(crate) fn workload(&mut self) -> &mut Workload {
        self.seen.workload.as_mut().unwrap()
    }

    pub(crate) fn route(&self) -> &RouteState {
        self.seen.routes[0].state.as_ref().unwrap()
    }

    pub(crate) fn split(&self) -> Split {
        self.route().rules[0].unwrap()
    }

    pub(crate) fn status(&self) -> &ReleaseRecordStatus {
        self.seen.record.as_ref().unwrap().status.as_ref().unwrap()
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.seen.record.as_ref().and_then(|r| r.status.as_ref()).and_then(|s| s.outcome)
    }

    pub(crate) fn phase(&self) -> Option<Phase> {
        self.seen.release.status.phase
    }

    pub(crate) fn retry(&mut self, token: &str) {
        self.trace.push(format!("user sets {RETRY}={token}"));
        self.seen.release.retry = Some(token.to_owned());
    }

    /// A user applies another image; admission holds it, as the shipped policy does.
    pub(crate) fn deploy(&mut self, image: &str, behaviour: Behaviour) {
        self.trace.push(format!("user deploys {image}"));
        let template = pod_template(image);
        self.behaviour.insert(template::revision(&template), behaviour);
        let version = self.bump();
        if template::same(&self.workload().template, &template) {
            return;
        }
        self.hold(&template, behaviour);
        let workload = self.workload();
        workload.revision = template::revision(&template);
        workload.template = template;
        workload.generation += 1;
        workload.paused = true;
        workload.paused_because = Some("held".into());
        workload.resource_version = version;
    }

    /// The ledger is counted anew: what stands in its record is not on its way any more.
    fn count_charges(&mut self) {
        let (Some(risk), Some(record)) = (&mut self.seen.risk, &self.seen.record) else { return };
        let Some(charge) = record.status.as_ref().and_then(|status| status.charge.as_ref()) else { return };
        let Some(place) = risk.ledger.pending.iter().position(|one| one.charge == *charge) else { return };
        risk.ledger.pending.remove(place);
        let budget = risk.budget.as_mut().unwrap();
        (budget.consumed, budget.sequence) = (budget.consumed + charge.points, charge.sequence);
    }

    pub(super) fn bump(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
    }

    fn behaviour_of(&self, revision: &str) -> Behaviour {
        self.behaviour.get(revision).copied().unwrap_or(GOOD)
    }

    /// The revision that a carrier's pods run, mixed ones by the largest ReplicaSet.
    fn runs(&self, carrier: Carrier) -> Option<String> {
        match carrier {
            Carrier::Workload => {
                let sets = &self.seen.workload.as_ref()?.sets;
                sets.iter().max_by_key(|set| set.available).map(|set| template::revision(&set.template))
            }
            Carrier::Canary | Carrier::Previous => {
                self.seen.side(carrier)?.deployment.as_ref().map(|deployment| deployment.revision.clone())
            }
        }
    }

    fn sample(&self, carrier: Carrier, window: Span) -> ArmSample {
        if !self.prometheus {
            let down = || Evidence::Unreachable("connection refused".to_owned());
            return ArmSample { requests: down(), errors: down(), latency: down() };
        }
        if self.seen.by_count() {
            return self.sample_of_pods(carrier, window);
        }
        let routed = self.requests_per_second * f64::from(self.split().weight(carrier).get()) / 100.0;
        let aside = if carrier == Carrier::Workload { self.aside_per_second } else { 0.0 };
        let requests = (routed + aside) * window.as_secs_f64();
        let Some(revision) = self.runs(carrier).filter(|_| requests > 0.0) else {
            let none = || Evidence::NoData("no series".to_owned());
            return ArmSample { requests: Evidence::Value(0.0), errors: Evidence::Value(0.0), latency: none() };
        };
        let behaviour = self.behaviour_of(&revision);
        ArmSample {
            requests: Evidence::Value(requests),
            errors: Evidence::Value(requests * behaviour.errors),
            latency: Evidence::Value(behaviour.latency),
        }
    }

    pub(super) fn answer(&self) -> Option<Answers> {
        let question = question(&self.seen, self.now)?;
        let observe = |window| Observation {
            candidate: self.sample(question.candidate, window),
            base: self.sample(question.base, window),
            complaints: None,
            window,
        };
        Some(Answers { question, recent: observe(question.recent), whole: question.whole.map(observe) })
    }

    /// What the controllers of a cluster do in a second.
    pub(super) fn settle(&mut self) {
        self.count_charges();
        self.settle_objects();
        if self.seen.by_count() {
            self.settle_pods();
        }
    }

    fn settle_objects(&mut self) {
        let behaviours = self.behaviour.clone();
        let of = |revision: &str| behaviours.get(revision).copied().unwrap_or(GOOD);
        for side in [&mut self.seen.canary, &mut self.seen.previous] {
            if side.as_ref().is_some_and(|side| side.deployment.as_ref().is_none_or(|d| d.deleting)) {
                *side = None;
                continue;
            }
            let Some(Side { deployment: Some(deployment), endpoints, .. }) = side else { continue };
            let behaviour = of(&deployment.revision);
            deployment.available = if behaviour.ready { deployment.replicas } else { 0 };
            deployment.crashes =
                if behaviour.crashes { vec!["checkout-canary-1/app: CrashLoopBackOff".into()] } else { Vec::new() };
            *endpoints = Some(deployment.available);
        }
        let Some(workload) = self.seen.workload.as_mut().filter(|workload| workload.kind == KindSeen::Deployment)
        else {
            return;
        };
        let (current, replicas) = (workload.template.clone(), workload.replicas);
        if !workload.paused {
            if !workload.sets.iter().any(|set| template::same(&set.template, &current)) {
                workload.sets.push(set(&current, 0));
            }
            // A rolling update takes a few seconds: one pod a second.
            // A restart makes another ReplicaSet of the same program: the controller goes by every annotation.
            let exact = workload.sets.iter().position(|set| set.template == current);
            let same = || workload.sets.iter().position(|set| template::same(&set.template, &current)).unwrap();
            let newest = exact.unwrap_or_else(same);
            if workload.sets[newest].replicas < replicas {
                workload.sets[newest].replicas += 1;
            }
            let ready = of(&template::revision(&workload.sets[newest].template)).ready;
            for (index, set) in workload.sets.iter_mut().enumerate() {
                if index != newest && set.replicas > 0 && ready {
                    set.replicas -= 1;
                }
            }
        } else {
            // A paused Deployment keeps its size: the last active ReplicaSet fills what another left.
            let total: u32 = workload.sets.iter().map(|set| set.replicas).sum();
            if let Some(set) = workload.sets.iter_mut().filter(|set| set.replicas > 0).last() {
                set.replicas += replicas.saturating_sub(total);
            } else if replicas > 0 {
                // After it was scaled to nothing: its template's own ReplicaSet, else the newest one.
                let own = workload.sets.iter().position(|set| template::same(&set.template, &current));
                let newest = own.unwrap_or(workload.sets.len() - 1);
                workload.sets[newest].replicas = replicas;
            }
        }
        for set in &mut workload.sets {
            let ready = of(&template::revision(&set.template)).ready;
            set.existing = set.replicas;
            set.available = if ready { set.replicas } else { 0 };
        }
        let available = workload.sets.iter().map(|set| set.available).sum();
        if let Some(service) = &mut self.seen.service {
            service.ready_endpoints = available;
        }
    }

    /// One look and what follows from it. With `crash_after`, only so many writes happen and the status is lost.
    pub(crate) fn look(&mut self, crash_after: Option<usize>) -> Plan {
        self.seen.answers = self.answer();
        let plan = plan(&self.seen, self.now);
        let linted =
            lint(plan.clone(), &self.seen).unwrap_or_else(|notes| panic!("{notes:?}\n{}", self.trace.join("\n")));
        for (index, action) in linted.plan().actions.iter().enumerate() {
            if crash_after.is_some_and(|limit| index >= limit) {
                self.tear(action);
                return plan;
            }
            if !self.apply(action) {
                return plan;
            }
        }
        if crash_after.is_none() {
            for event in &plan.events {
                self.trace.push(format!("{:>4}s {:?} {}: {}", self.seconds(), event.kind, event.reason, event.note));
            }
            self.seen.release.status = plan.status.clone();
        }
        plan
    }

    fn tear(&mut self, action: &Action) {
        if self.torn && matches!(action, Action::OpenRecord { .. }) && self.apply(action) {
            self.seen.record.as_mut().unwrap().status = None;
        }
    }

    fn seconds(&self) -> u64 {
        self.now.since(Time("2026-01-01T00:00:00Z".parse().unwrap())).as_millis() / 1000
    }

    /// Runs for so many seconds, looking as long as there is something to write, at most ten times a second.
    pub(crate) fn run(&mut self, seconds: u32) {
        for _ in 0..seconds {
            for _ in 0..10 {
                if self.look(None).actions.is_empty() {
                    break;
                }
            }
            self.settle();
            self.now = self.now.plus(Span::seconds(1));
            self.invariants();
        }
    }

    /// As [`World::run`], with the controller dying after the given number of writes of each look.
    pub(crate) fn run_crashing(&mut self, crashes: &[usize]) {
        for crash in crashes {
            self.look(Some(*crash));
            self.settle();
            self.now = self.now.plus(Span::seconds(1));
            self.invariants();
        }
    }

    pub(crate) fn run_until(&mut self, seconds: u32, what: impl Fn(&Self) -> bool) {
        for _ in 0..seconds {
            if what(self) {
                return;
            }
            self.run(1);
        }
        panic!(
            "not within {seconds} s; phase {:?}, {}\n{}",
            self.phase(),
            self.seen.release.status.message,
            self.trace.join("\n")
        );
    }

    /// What must hold at every moment.
    fn invariants(&self) {
        if self.seen.by_count() {
            return self.pods_invariants();
        }
        let split = self.split();
        for carrier in [Carrier::Canary, Carrier::Previous] {
            let available =
                self.seen.side(carrier).and_then(|side| side.deployment.as_ref()).map_or(0, |d| d.available);
            assert!(
                split.weight(carrier) == Weight::ZERO || available > 0,
                "traffic to nobody: {split}\n{}",
                self.trace.join("\n")
            );
        }
        if let Some(workload) = &self.seen.workload
            && split.weight(Carrier::Workload) > Weight::ZERO
        {
            let available: u32 = workload.sets.iter().map(|set| set.available).sum();
            assert!(
                available >= workload.replicas,
                "stable below capacity: {available} of {}\n{}",
                workload.replicas,
                self.trace.join("\n")
            );
        }
    }

    /// Carries an action out; false where its fence does not hold.
    pub(super) fn apply(&mut self, action: &Action) -> bool {
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
                    self.seen.previous.as_mut().unwrap().autoscaler = true;
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
                    pdb: true,
                    autoscaler: stands.is_some_and(|side| side.autoscaler),
                    foreign: None,
                };
                match carrier {
                    Carrier::Canary => self.seen.canary = Some(side),
                    Carrier::Previous | Carrier::Workload => self.seen.previous = Some(side),
                }
            }
            Action::Delete { carrier } => {
                self.trace.push(line(format!("{carrier} deleted")));
                let side = if *carrier == Carrier::Canary { &mut self.seen.canary } else { &mut self.seen.previous };
                if let Some(deployment) = side.as_mut().and_then(|side| side.deployment.as_mut()) {
                    deployment.deleting = true;
                }
            }
            Action::SetSplit { split, withdrawn, resource_version, .. } => {
                self.trace.push(line(format!("route: {split}")));
                let route = self.seen.routes[0].state.as_mut().unwrap();
                assert_eq!(&route.resource_version, resource_version);
                route.rules = vec![Some(*split)];
                route.marked = *split != Split::HOME;
                route.withdrawn =
                    if route.marked { withdrawn.as_deref().cloned().or(route.withdrawn.clone()) } else { None };
                route.resource_version = version;
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

fn set(template: &Value, replicas: u32) -> ReplicaSetSeen {
    ReplicaSetSeen {
        name: format!("checkout-{}", template::revision(template)),
        resource_version: "1".into(),
        created: Time("2026-01-01T00:00:00Z".parse().unwrap()),
        replicas,
        existing: replicas,
        available: replicas,
        template: template.clone(),
    }
}
