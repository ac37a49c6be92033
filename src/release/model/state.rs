//! A world, told apart from others by what decides about its future alone: times count from now, versions of objects and
//! texts for people do not count.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use serde_json::json;

use super::act::Left;
use super::watch::Broken;
use crate::api::release_record::{Phase, ReleaseRecordStatus, RollbackLog};
use crate::api::{Span, Time, Weight};
use crate::release::action::Plan;
use crate::release::plan;
use crate::release::snapshot::{BudgetSeen, Record, Side, Workload};
use crate::release::template;
use crate::release::world::{GOOD, World, pod_template};

/// One tick of time; all spans of the release are made of it.
pub(super) const TICK: Span = Span::seconds(10);
/// Moments further away than this are equally far: nothing in the release waits longer.
const FAR: Span = Span::seconds(40);

/// A world and what is remembered of its past.
#[derive(Clone)]
pub(super) struct State {
    pub(super) world: Arc<World>,
    /// What the controller would do now, with what it asked first.
    plan: Arc<OnceLock<Plan>>,
    pub(super) left: Left,
    /// Revisions that were judged good, by name.
    pub(super) judged: BTreeSet<String>,
    /// Whether a person let an unjudged version run.
    pub(super) bypassed: bool,
    pub(super) broken: Option<(Broken, String)>,
    key: u64,
}

impl State {
    /// A settled workload of two pods of v1, and v2 has just been applied.
    pub(super) fn first(disturbances: u8) -> Self {
        let mut world = World::new();
        let spec = &mut world.seen.release.spec;
        let patch = json!({"strategy": {
            "stages": [{"weight": 50, "bake": "10s"}, {"weight": 100, "bake": "10s"}],
            "verify": "10s", "readyWithin": "30s", "handBack": "10s", "drain": "10s", "holdFor": "30s"},
            "analysis": {"interval": "10s", "window": "10s", "minRequests": 10, "evidenceWithin": "30s"},
            "rollback": {"errorRatePercent": 1, "latencyFactor": 2, "timeBudget": "10s"}});
        let mut whole = serde_json::to_value(&*spec).unwrap();
        for part in ["strategy", "analysis", "rollback"] {
            whole[part] = patch[part].clone();
        }
        *spec = serde_json::from_value(whole).unwrap();
        let workload = world.workload();
        workload.replicas = 2;
        for set in &mut workload.sets {
            (set.replicas, set.existing, set.available) = (2, 2, 2);
        }
        if let Some(service) = &mut world.seen.service {
            service.ready_endpoints = 2;
        }
        let judged = BTreeSet::from([template::revision(&pod_template("shop:v1"))]);
        world.deploy("shop:v2", GOOD);
        Self::of(world, Left::new(disturbances), judged, false, None)
    }

    pub(super) fn of(
        mut world: World,
        left: Left,
        judged: BTreeSet<String>,
        bypassed: bool,
        broken: Option<(Broken, String)>,
    ) -> Self {
        world.trace.clear();
        let mut hasher = DefaultHasher::new();
        hash_world(&world, &mut hasher);
        (&left, &judged, bypassed, broken.as_ref().map(|(kind, _)| *kind)).hash(&mut hasher);
        let key = hasher.finish();
        Self { world: Arc::new(world), plan: Arc::default(), left, judged, bypassed, broken, key }
    }

    /// What the controller would do now.
    pub(super) fn plan(&self) -> &Plan {
        self.plan.get_or_init(|| {
            let mut seen = self.world.seen.clone();
            seen.answers = self.world.answer();
            plan(&seen, self.world.now)
        })
    }

    pub(super) const fn key(&self) -> u64 {
        self.key
    }

    pub(super) fn broke(&self, what: Broken) -> bool {
        self.broken.as_ref().is_some_and(|(kind, _)| *kind == what)
    }

    pub(super) fn outcome_is(&self, name: &str) -> bool {
        self.world.outcome().is_some_and(|outcome| outcome.as_str() == name)
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for State {}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = &self.world.seen;
        if let Some((_, why)) = &self.broken {
            writeln!(f, "BROKEN: {why}")?;
        }
        let status = seen.record.as_ref().and_then(|record| record.status.as_ref());
        write!(f, "{:?} {:?}; ", status.map(|status| status.phase), status.and_then(|status| status.outcome))?;
        write!(f, "{} marked {}; ", self.world.split(), self.world.route().marked)?;
        if let Some(workload) = &seen.workload {
            let image = |template: &serde_json::Value| template["spec"]["containers"][0]["image"].to_string();
            write!(f, "workload {} paused {}:", image(&workload.template), workload.paused)?;
            for set in &workload.sets {
                write!(f, " {}x{}/{}", image(&set.template), set.available, set.replicas)?;
            }
        }
        for (name, side) in [("canary", &seen.canary), ("previous", &seen.previous)] {
            if let Some(deployment) = side.as_ref().and_then(|side| side.deployment.as_ref()) {
                write!(
                    f,
                    "; {name} {}/{} deleting {}",
                    deployment.available, deployment.replicas, deployment.deleting
                )?;
            }
        }
        write!(f, "; left {:?}; says {:?}", self.left, self.plan().status.message)?;
        write!(f, "; would {:?}", self.plan().actions.iter().map(super::act::name).collect::<Vec<_>>())
    }
}

/// How long ago, or how far ahead; past what matters all is one.
fn moment(at: Time, now: Time) -> (u64, u64) {
    (now.since(at).min(FAR).as_millis(), at.since(now).min(FAR).as_millis())
}

fn hash_world(world: &World, to: &mut DefaultHasher) {
    let (seen, now) = (&world.seen, world.now);
    (seen.release.deleting, seen.release.finalizer, &seen.release.retry, world.prometheus).hash(to);
    seen.release.status.handed_over.as_ref().map(|handed| &handed.running).hash(to);
    for (revision, behaviour) in &world.behaviour {
        (revision, behaviour.errors.to_bits(), behaviour.ready).hash(to);
    }
    if let Some(workload) = &seen.workload {
        hash_workload(workload, to);
        let stored = seen.release.status.workload.as_ref();
        stored.map(|stored| (stored.generation == workload.generation, &stored.revision)).hash(to);
    }
    seen.service.as_ref().map(|service| service.ready_endpoints).hash(to);
    hash_side(seen.canary.as_ref(), to);
    hash_side(seen.previous.as_ref(), to);
    let (route, record) = (world.route(), seen.record.as_ref());
    let owned = seen.routes.iter().any(|route| route.owned.is_some());
    (&route.rules, route.marked, route.effective.is_ok(), owned).hash(to);
    let mark = route.withdrawn.as_ref();
    if let Some((_, log)) =
        mark.filter(|(name, _)| *name == seen.release.name || record.is_some_and(|record| record.name == *name))
    {
        hash_log(log, now, to);
    }
    match &seen.budget {
        BudgetSeen::Measured { status, .. } => status.as_str().hash(to),
        BudgetSeen::Missing | BudgetSeen::Unmeasured(_) => 0_u8.hash(to),
    }
    if let Some(risk) = &seen.risk {
        (risk.ledger.sequence, risk.ledger.reservations.len(), risk.ledger.pending.len()).hash(to);
    }
    if let Some(record) = record {
        hash_record(record, now, to);
    }
}

fn hash_workload(workload: &Workload, to: &mut DefaultHasher) {
    (
        workload.gated,
        workload.paused,
        workload.replicas,
        &workload.revision,
        &workload.paused_because,
        &workload.resumed_by,
    )
        .hash(to);
    for set in &workload.sets {
        (&set.name, set.replicas, set.existing, set.available).hash(to);
    }
}

fn hash_side(side: Option<&Side>, to: &mut DefaultHasher) {
    let Some(side) = side else { return 0_u8.hash(to) };
    (side.endpoints, side.pdb).hash(to);
    if let Some(deployment) = &side.deployment {
        (&deployment.revision, deployment.replicas, deployment.available, deployment.deleting).hash(to);
    }
}

fn hash_record(record: &Record, now: Time, to: &mut DefaultHasher) {
    (&record.spec.revision, &record.spec.stable, &record.spec.retry, record.spec.arm as u8).hash(to);
    let Some(status) = &record.status else { return 0_u8.hash(to) };
    match status.outcome {
        Some(outcome) => (outcome.as_str(), status.phase.as_str(), status.is_sealed()).hash(to),
        None => {
            (status.assessment.is_some(), status.charge.is_some()).hash(to);
            hash_status(status, now, to);
        }
    }
}

/// Of each chain of milestones the last one's moment counts, of the others that they were passed.
fn hash_status(status: &ReleaseRecordStatus, now: Time, to: &mut DefaultHasher) {
    (status.phase.as_str(), status.stage).hash(to);
    [status.baseline_latency, status.baseline_latency_at_most].map(|seconds| seconds.map(f64::to_bits)).hash(to);
    // How stable scatters by itself is asked once.
    status.comparison.is_some().hash(to);
    let in_phase = match status.phase {
        Phase::Release => {
            status.stages.iter().flat_map(|stage| [stage.started_at, stage.passed_at]).collect::<Vec<_>>()
        }
        Phase::Promote | Phase::Verify => status
            .promotion
            .iter()
            .flat_map(|one| [one.resumed_at, one.rolled_at, one.half_at, one.passed_at, one.home_at, one.verified_at])
            .collect(),
        Phase::Idle | Phase::Plan | Phase::Stage | Phase::Complete | Phase::Rollback => Vec::new(),
    };
    let passed = in_phase.iter().flatten().count();
    let last = in_phase.into_iter().flatten().last().filter(|_| status.phase != Phase::Verify);
    let resumed = status.promotion.as_ref().is_some_and(|promotion| promotion.resumed_at.is_some());
    (passed, resumed, moment(last.unwrap_or(status.phase_since), now)).hash(to);
    if let Some(own) = &status.readiness {
        (moment(own.step, now), moment(own.by, now)).hash(to);
    }
    let complete_by = status.promotion.as_ref().and_then(|promotion| promotion.complete_by);
    complete_by.map(|by| moment(by, now)).hash(to);
    if let Some(hold) = &status.hold {
        (&hold.reason, moment(hold.deadline, now)).hash(to);
    }
    if let Some(log) = &status.rollback {
        hash_log(log, now, to);
    }
}

fn hash_log(log: &RollbackLog, now: Time, to: &mut DefaultHasher) {
    let last = moment(log.home_at.unwrap_or(log.at), now);
    let had_traffic = log.from_weight > Weight::ZERO;
    (log.trigger.as_str(), had_traffic, &log.traffic_to, log.home_at.is_some(), last).hash(to);
}
