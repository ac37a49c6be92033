//! From the objects in the API server, and from what Prometheus answers, to what is shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::act::{name, namespace, workload};
use crate::api::names::{CANARY_SUFFIX, PREVIOUS_SUFFIX};
use crate::api::release_record::{Phase, ReleaseRecordStatus};
use crate::api::{GatedRelease, ReleaseRecord, RiskBudget, Span, Time, Weight};
use crate::cluster::Kind;
use crate::cluster::kind::{GATED_RELEASE, HTTP_ROUTE, POD, RELEASE_RECORD, RISK_BUDGET, SERVICE};
use crate::prometheus::config::QueryTemplate;
use crate::sandbox::api::ApiServer;
use crate::sandbox::config::config;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::screen::{ArmView, BudgetView, ConditionView, HoldView, Sample, StageState, StageView, View};
use crate::sandbox::simulate::world::Shared;
use crate::sandbox::story::{Story, Weights};

/// The figures of the versions are of the last so long.
pub(super) const WINDOW: Span = Span::seconds(30);
/// The versions, as they are shown, with the endings of their objects' names.
const ARMS: [(&str, &str); 3] = [("stable", ""), ("canary", CANARY_SUFFIX), ("previous", PREVIOUS_SUFFIX)];

/// Who looks at the cluster from outside.
pub(super) struct Onlooker {
    shared: Arc<Shared>,
    began: Time,
    namespace: String,
    service: String,
    deployment: String,
    workload: &'static Kind,
    by_count: bool,
    route: String,
    gated_release: String,
    risk_budget: String,
    queries: QueryTemplate,
}

impl Onlooker {
    /// Looks at the objects of a scenario.
    pub(super) fn new(story: &Story, shared: Arc<Shared>, began: Time) -> Result<Self, String> {
        let template = "http-server";
        let mut templates = config(Span::seconds(10))?.query_templates;
        let of = |object: &Value| name(object).to_owned();
        Ok(Self {
            shared,
            began,
            namespace: namespace(&story.objects.service).to_owned(),
            service: of(&story.objects.service),
            deployment: of(&story.objects.deployment),
            workload: workload(&story.objects.deployment),
            by_count: story.objects.by_count(),
            route: of(&story.objects.route),
            gated_release: of(&story.objects.gated_release),
            risk_budget: of(&story.objects.risk_budget),
            queries: templates.remove(template).ok_or_else(|| format!("the chart has no queries {template}"))?,
        })
    }

    /// What the objects say now. Title, sentence, speed, events, curves and keys are left to whoever plays.
    pub(super) fn view(&self) -> View {
        let mut view = View { now: self.shared.now().since(self.began), ..View::default() };
        self.shared.with(|world| {
            let api = &world.cluster.api;
            self.release(api, &mut view);
            self.record(api, &mut view);
            view.budget = self.budget(api);
            view.weights = self.weights(api);
            view.arms = ARMS.iter().filter_map(|(name, ending)| self.arm(api, name, ending)).collect();
        });
        self.figures(&mut view.arms);
        view
    }

    /// What the curves show of now.
    pub(super) fn sample(&self) -> Sample {
        let errors = self.errors(&self.ask(&self.queries.requests));
        let weights = self.shared.with(|world| self.weights(&world.cluster.api));
        let of = |ending: &str| errors.get(&format!("{}{ending}", self.service)).copied();
        Sample { stable: of(""), canary: of(CANARY_SUFFIX), weight: weights.canary.get() }
    }

    /// Where the route sends requests now.
    pub(super) fn weights_now(&self) -> Weights {
        self.shared.with(|world| self.weights(&world.cluster.api))
    }

    /// Whether a pod behind the Service is ready.
    pub(super) fn serves(&self) -> bool {
        self.shared.with(|world| self.arm(&world.cluster.api, "stable", "")).is_some_and(|stable| stable.ready > 0)
    }

    fn release(&self, api: &ApiServer, view: &mut View) {
        let release = read::<GatedRelease>(api.get(&GATED_RELEASE, &self.namespace, &self.gated_release));
        let Some(status) = release.and_then(|release| release.status) else { return };
        view.phase = status.phase.unwrap_or(Phase::Idle);
        view.message = status.message;
        let one = |condition: crate::api::condition::Condition| ConditionView {
            kind: condition.kind,
            status: condition.status,
            reason: condition.reason,
        };
        view.conditions = status.conditions.into_iter().map(one).collect();
    }

    /// The newest attempt.
    fn record(&self, api: &ApiServer, view: &mut View) {
        let records = api.list(&RELEASE_RECORD, &self.namespace);
        let ours = records
            .into_iter()
            .filter(|record| record.pointer("/spec/release") == Some(&Value::from(&*self.gated_release)));
        let newest = ours.max_by_key(|record| record.pointer("/spec/attempt").and_then(Value::as_u64));
        let Some(status) = read::<ReleaseRecord>(newest).and_then(|record| record.status) else { return };
        view.stages = stages(&status);
        let staged = status.phase == Phase::Release && status.outcome.is_none();
        view.stage = usize::try_from(status.stage).ok().filter(|_| staged).map(|stage| stage + 1);
        view.outcome = status.outcome.map(|outcome| (outcome, status.summary));
        view.hold = status.hold.filter(|_| status.outcome.is_none()).map(|hold| HoldView {
            reason: hold.reason,
            message: hold.message,
            remedy: String::new(),
            deadline: hold.deadline.since(self.began),
        });
    }

    fn budget(&self, api: &ApiServer) -> Option<BudgetView> {
        let budget = read::<RiskBudget>(api.get(&RISK_BUDGET, &self.namespace, &self.risk_budget))?;
        let left = budget.status?.error_budget?;
        Some(BudgetView { status: left.status, remaining: left.remaining_percent, decided_by: left.decided_by })
    }

    fn weights(&self, api: &ApiServer) -> Weights {
        if self.by_count {
            let release = read::<GatedRelease>(api.get(&GATED_RELEASE, &self.namespace, &self.gated_release));
            let new = release.and_then(|release| release.status?.weight).unwrap_or(Weight::ZERO);
            return Weights { stable: new.rest(), canary: new, previous: Weight::ZERO };
        }
        let route = api.get(&HTTP_ROUTE, &self.namespace, &self.route);
        let refs = route.and_then(|route| route.pointer("/spec/rules/0/backendRefs")?.as_array());
        let weight = |ending: &str| {
            let backend = format!("{}{ending}", self.service);
            let one = refs.and_then(|refs| refs.iter().find(|one| one["name"] == *backend));
            let weight = one.map_or(0, |one| one["weight"].as_u64().unwrap_or(1));
            i64::try_from(weight).ok().and_then(|weight| Weight::new(weight).ok()).unwrap_or(Weight::FULL)
        };
        // A route that names the Service alone gives it everything, whatever its weight.
        let alone = refs.is_some_and(|refs| refs.len() == 1);
        let stable = if alone { Weight::FULL } else { weight("") };
        Weights { stable, canary: weight(CANARY_SUFFIX), previous: weight(PREVIOUS_SUFFIX) }
    }

    /// One version, without figures; none where it has no Deployment.
    fn arm(&self, api: &ApiServer, arm: &'static str, ending: &str) -> Option<ArmView> {
        let deployment = api.get(self.workload, &self.namespace, &format!("{}{ending}", self.deployment))?;
        let service = api.get(&SERVICE, &self.namespace, &format!("{}{ending}", self.service))?;
        let selector = service.pointer("/spec/selector").and_then(Value::as_object)?;
        let mut images: BTreeMap<&str, u32> = BTreeMap::new();
        for pod in api.list(&POD, &self.namespace) {
            let labels = pod.pointer("/metadata/labels");
            let ours = selector.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value));
            if ours && is_ready(pod) {
                *images.entry(image(pod, "/spec/containers/0/image")).or_default() += 1;
            }
        }
        // What serves; a held Deployment has another template than its pods.
        let serving = images.iter().max_by_key(|(_, ready)| **ready).map(|(image, _)| *image);
        let wanted = deployment.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        Some(ArmView {
            name: arm,
            image: serving.unwrap_or_else(|| image(deployment, "/spec/template/spec/containers/0/image")).to_owned(),
            ready: images.values().sum(),
            wanted: u32::try_from(wanted).unwrap_or(u32::MAX),
            rate: 0.0,
            errors: None,
            p95: None,
        })
    }

    /// Fills in what Prometheus says of the versions.
    fn figures(&self, arms: &mut [ArmView]) {
        let requests = self.ask(&self.queries.requests);
        let errors = self.errors(&requests);
        let latency = self.ask(&self.queries.latency);
        for arm in arms {
            let ending = ARMS.iter().find(|(name, _)| *name == arm.name).map_or("", |(_, ending)| ending);
            let service = format!("{}{ending}", self.service);
            arm.rate = requests.get(&service).map_or(0.0, |requests| requests / WINDOW.as_secs_f64());
            arm.errors = errors.get(&service).copied();
            let p95 = latency.get(&service).filter(|seconds| seconds.is_finite());
            arm.p95 = p95.map(|seconds| Span::from_millis((seconds * 1_000.0).round() as u64));
        }
    }

    /// Percent of requests that failed, by Service, where there were any.
    fn errors(&self, requests: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
        let failed = self.ask(&self.queries.errors);
        let some = requests.iter().filter(|(_, requests)| **requests >= 1.0);
        some.filter_map(|(service, requests)| Some((service.clone(), failed.get(service)? / requests * 100.0)))
            .collect()
    }

    /// The answer to one of the queries that compare versions, by Service; nothing where Prometheus does not tell the truth.
    fn ask(&self, query: &str) -> BTreeMap<String, f64> {
        if self.shared.prometheus_fault().is_some() {
            return BTreeMap::new();
        }
        let services = ARMS.map(|(_, ending)| format!("{}{ending}", self.service)).join("|");
        let query = query.replace("$namespace", &self.namespace).replace("$services", &services);
        let query = query.replace("$window", &WINDOW.promql()).replace("$quantile", "0.95");
        let (_, body) = self.shared.query(&query, self.shared.now());
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let samples = answer.pointer("/data/result").and_then(Value::as_array);
        let one = |sample: &Value| {
            let service = sample.pointer("/metric")?.get(&self.queries.arm_label)?.as_str()?;
            Some((service.to_owned(), sample.pointer("/value/1")?.as_str()?.parse().ok()?))
        };
        samples.into_iter().flatten().filter_map(one).collect()
    }
}

fn stages(status: &ReleaseRecordStatus) -> Vec<StageView> {
    let current = usize::try_from(status.stage).unwrap_or(usize::MAX);
    let back = status.phase == Phase::Rollback || status.rollback.is_some();
    let one = |(number, stage): (usize, &crate::api::release_record::StageRecord)| StageView {
        weight: stage.spec.weight,
        bake: stage.spec.bake,
        state: match (stage.passed_at, stage.started_at) {
            (Some(_), _) => StageState::Done,
            (None, Some(_)) if back => StageState::Failed,
            (None, _) if number == current && status.phase == Phase::Release && status.outcome.is_none() => {
                StageState::Now
            }
            (None, _) => StageState::ToCome,
        },
        verdict: stage.verdict.clone(),
    };
    status.stages.iter().enumerate().map(one).collect()
}

fn read<T: DeserializeOwned>(object: Option<&Value>) -> Option<T> {
    T::deserialize(object?).ok()
}

fn image<'a>(object: &'a Value, place: &str) -> &'a str {
    object.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"))
}
