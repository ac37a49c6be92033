//! A small world for tests of the plan: objects that answer actions as a cluster would, a clock, and faults.
//! It knows nothing of Kubernetes; the sandbox and the real cluster do.

mod act;
mod count;
mod jobs;
mod scrapes;
mod settle;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::action::Plan;
use super::ask::Burning;
use super::check_job::JobsSeen;
use super::lint::lint;
use super::plan::plan;
use super::snapshot::*;
use super::split::{Carrier, Split};
use super::template;
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
    /// The share of its requests that take two seconds, where a route leads to it; more than seldom it shows in `latency`.
    pub(crate) tail: f64,
    pub(crate) ready: bool,
    pub(crate) crashes: bool,
}

pub(crate) const GOOD: Behaviour = Behaviour { errors: 0.0, latency: 0.1, tail: 0.0, ready: true, crashes: false };

/// What becomes of the requests that Tidegate itself makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requests {
    Answered,
    /// They are answered wrongly.
    Failed,
    /// They get to nobody, neither of the new version nor of stable.
    NotSent,
    /// The new version refuses them, and stable answers.
    Refused,
}

/// What becomes of the Jobs of checks, some seconds after they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jobs {
    Complete,
    Fail,
    /// Their pods run and come to no end.
    Hang,
    /// Their pods do not start.
    Wait,
    /// Their pods are taken away before they start, so that they have failed.
    Drained,
    /// The API server does not let them be made.
    Refused,
}

/// What becomes of the queries for stable's last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    /// They are answered.
    Known,
    /// Half a store answers.
    Half,
    /// They take too long.
    TooLong,
    /// That for slow requests takes too long.
    SlowTooLong,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) seen: Snapshot,
    pub(crate) now: Time,
    pub(crate) behaviour: BTreeMap<String, Behaviour>,
    pub(crate) prometheus: bool,
    /// Whether half a store answers for the present.
    pub(crate) half: bool,
    /// What is answered for stable's last day.
    pub(crate) day: Day,
    /// The thresholds of which the histogram has no bucket.
    pub(crate) no_bucket: Vec<Span>,
    /// What was scraped, where that is less often than all is known.
    pub(super) scrapes: Option<scrapes::Scrapes>,
    /// What burns the service's error budget.
    pub(crate) burning: Option<Burning>,
    /// Why nobody can tell whether it burns.
    pub(crate) burn_not_known: Option<String>,
    /// What becomes of Tidegate's own requests.
    pub(crate) requests: Requests,
    /// What becomes of the Jobs of checks.
    pub(crate) jobs: Jobs,
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

/// A route as its owner has it: everything to the workload, and no mark of ours.
pub(crate) fn plain_route(resource_version: String) -> RouteState {
    RouteState {
        resource_version,
        rules: vec![Some(Split::HOME)],
        coarse: BTreeMap::new(),
        odd: None,
        marked: false,
        effective: Ok(()),
        withdrawn: None,
    }
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
            listening: Listening::new(),
            object: json!({"metadata": {"labels": {"app": "checkout"}}, "spec": {"clusterIP": "10.96.0.10", "selector": {"app": "checkout"}, "ports": [{"port": 80, "nodePort": 30080}]}}),
        };
        let route = plain_route("1".into());
        let release = Release {
            namespace: "shop".into(),
            name: "checkout".into(),
            labels: BTreeMap::new(),
            uid: "g1".into(),
            created: Some(Time("2026-01-01T00:00:00Z".parse().unwrap())),
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
                others: Vec::new(),
                workload: Some(workload),
                service: Some(service),
                routes: match by_count {
                    false => vec![RouteSeen { name: "checkout".into(), state: Ok(route), owned: None }],
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
                    objectives: Objectives {
                        source: "default".into(),
                        slos: serde_json::from_value(json!([
                            {"name": "availability", "objective": 99.9, "availability": {"service": "checkout"}},
                        ]))
                        .unwrap(),
                    },
                }),
                attestations: Vec::new(),
                too_many_attestations: false,
                record: None,
                answers: None,
                jobs: JobsSeen::default(),
                circuits: Vec::new(),
                metrics: MetricsSeen::Found { complaints: false, pods: by_count },
                preflight: None,
                network_policies: Vec::new(),
                disruption_budgets: Vec::new(),
            },
            now: Time("2026-01-01T00:00:00Z".parse().unwrap()),
            behaviour: BTreeMap::new(),
            prometheus: true,
            half: false,
            day: Day::Known,
            no_bucket: Vec::new(),
            scrapes: None,
            burning: None,
            burn_not_known: None,
            requests: Requests::Answered,
            jobs: Jobs::Complete,
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
        self.push(pod_template(image), behaviour);
    }

    /// The same with a template of their own.
    pub(crate) fn push(&mut self, template: Value, behaviour: Behaviour) {
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

    pub(super) fn bump(&mut self) -> String {
        self.version += 1;
        self.version.to_string()
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
            // Without history a hand can take stable's pods away for good.
            assert!(
                available >= workload.replicas || workload.keeps_no_history(),
                "stable below capacity: {available} of {}\n{}",
                workload.replicas,
                self.trace.join("\n")
            );
        }
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
        crashes: Vec::new(),
    }
}
