//! The numbers of this process and of the releases it looks after.

#[cfg(test)]
mod alerts;
mod attention;
mod circuits;
mod figures;
mod owed;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::api::condition::Truth;
use crate::api::{BudgetStatus, GatedReleaseStatus, RiskBudgetStatus};
use crate::prometheus::Observer;
use crate::release::charge::book;

/// Bounds in seconds for an answer about admission: the API server gives up after five.
const SECONDS_OF_ADMISSION: [f64; 7] = [0.000_5, 0.001, 0.005, 0.02, 0.1, 1.0, 5.0];

/// Bounds in seconds for what only computes.
const SECONDS_OF_PLANS: [f64; 7] = [0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.1];

/// Bounds in seconds for everything that takes time.
const SECONDS: [f64; 9] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Object {
    namespace: String,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InPhase {
    namespace: String,
    name: String,
    phase: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WithReason {
    namespace: String,
    name: String,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Sealed {
    namespace: String,
    name: String,
    digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByTrigger {
    namespace: String,
    name: String,
    trigger: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InStatus {
    namespace: String,
    name: String,
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabel {
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceKind {
    source: String,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOutcome {
    outcome: &'static str,
}

type Number = Gauge<f64, AtomicU64>;
type Whole = Gauge<i64, AtomicI64>;
type NewHistogram = fn() -> Histogram;

/// What is shown of one release, to be taken away with it.
#[derive(Debug, Clone, Default)]
struct Shown {
    phase: Option<InPhase>,
    held: Option<WithReason>,
    head: Option<Sealed>,
}

/// All series.
pub struct Metrics {
    registry: Registry,
    phase: Family<InPhase, Whole>,
    weight: Family<Object, Whole>,
    stage: Family<Object, Whole>,
    held: Family<WithReason, Whole>,
    head: Family<Sealed, Whole>,
    rollbacks: Family<ByTrigger, Counter>,
    remaining: Family<Object, Number>,
    budget_status: Family<InStatus, Whole>,
    figures: figures::Series,
    obligations: owed::Obligations,
    attention: attention::Attention,
    circuits: circuits::Circuits,
    reconcile_seconds: Family<Kind, Histogram, NewHistogram>,
    reconcile_errors: Family<Kind, Counter>,
    plan_seconds: Histogram,
    prometheus_seconds: Family<SourceLabel, Histogram, NewHistogram>,
    prometheus_errors: Family<SourceKind, Counter>,
    leader: Whole,
    malformed: Whole,
    writes: Family<Kind, Counter>,
    webhook_reviews: Family<ByOutcome, Counter>,
    webhook_seconds: Histogram,
    shown: Mutex<HashMap<Object, Shown>>,
    malformed_objects: Mutex<std::collections::HashSet<(&'static str, String, String)>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let histogram: NewHistogram = || Histogram::new(SECONDS);
        let mut all = Self {
            registry: Registry::with_prefix("tidegate"),
            phase: Family::default(),
            weight: Family::default(),
            stage: Family::default(),
            held: Family::default(),
            head: Family::default(),
            rollbacks: Family::default(),
            remaining: Family::default(),
            budget_status: Family::default(),
            figures: figures::Series::default(),
            obligations: owed::Obligations::default(),
            attention: attention::Attention::default(),
            circuits: circuits::Circuits::default(),
            reconcile_seconds: Family::new_with_constructor(histogram),
            reconcile_errors: Family::default(),
            plan_seconds: Histogram::new(SECONDS_OF_PLANS),
            prometheus_seconds: Family::new_with_constructor(histogram),
            prometheus_errors: Family::default(),
            leader: Whole::default(),
            malformed: Whole::default(),
            writes: Family::default(),
            webhook_reviews: Family::default(),
            webhook_seconds: Histogram::new(SECONDS_OF_ADMISSION),
            shown: Mutex::default(),
            malformed_objects: Mutex::default(),
        };
        let r = &mut all.registry;
        r.register("release_phase", "1 for the phase that a GatedRelease is in", all.phase.clone());
        r.register("release_weight", "Percent of the traffic that goes to the new version", all.weight.clone());
        r.register("release_stage", "The stage that is going on, from 1; 0 where none is", all.stage.clone());
        r.register("release_held", "1 while a release is held, by reason", all.held.clone());
        r.register(
            "record_head",
            "1 for the digest of the newest sealed record of a GatedRelease, or of a RiskBudget's charges: a witness of its chain",
            all.head.clone(),
        );
        r.register("rollbacks", "Rollbacks that this process began, by trigger", all.rollbacks.clone());
        r.register(
            "budget_remaining_percent",
            "Percent of the error budget that the worst objective leaves",
            all.remaining.clone(),
        );
        r.register("budget_status", "1 for the status that an error budget has", all.budget_status.clone());
        all.figures.register(r);
        all.obligations.register(r);
        all.attention.register(r);
        all.circuits.register(r);
        r.register("reconcile_seconds", "Time that one look at an object took", all.reconcile_seconds.clone());
        r.register(
            "reconcile_errors",
            "Looks at an object that failed, by what went wrong",
            all.reconcile_errors.clone(),
        );
        r.register(
            "plan_seconds",
            "Time that one decision took: the plan and its check, which ask nobody",
            all.plan_seconds.clone(),
        );
        r.register("prometheus_seconds", "Time that a query took", all.prometheus_seconds.clone());
        r.register("prometheus_errors", "Queries that failed, by what went wrong", all.prometheus_errors.clone());
        r.register("leader", "1 while this process leads", all.leader.clone());
        r.register("malformed_objects", "Objects that cannot be read", all.malformed.clone());
        r.register("writes", "Writes to the API server, by kind", all.writes.clone());
        r.register(
            "webhook_reviews",
            "Questions of API servers to the admission webhook: unchanged, changed, denied, malformed or timed_out",
            all.webhook_reviews.clone(),
        );
        r.register("webhook_seconds", "Time that an answer of the admission webhook took", all.webhook_seconds.clone());
        all
    }
}

impl Metrics {
    /// As text for Prometheus.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).map(|()| out)
    }

    /// Shows where a release stands.
    pub fn release(&self, namespace: &str, name: &str, status: &GatedReleaseStatus) {
        let key = object(namespace, name);
        let phase = status.phase.map(|phase| InPhase {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            phase: phase.to_string(),
        });
        let held =
            status.conditions.iter().find(|condition| condition.kind == "Held" && condition.status == Truth::True);
        let held = held.map(|held| WithReason {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            reason: held.reason.clone(),
        });
        let before = {
            let mut shown = lock(&self.shown);
            let shown = shown.entry(key.clone()).or_default();
            Shown {
                phase: std::mem::replace(&mut shown.phase, phase.clone()),
                held: std::mem::replace(&mut shown.held, held.clone()),
                head: None,
            }
        };
        replace(&self.phase, before.phase, phase);
        replace(&self.held, before.held, held);
        self.weight.get_or_create(&key).set(status.weight.map_or(0, |weight| i64::from(weight.get())));
        let stage = status.stage.as_deref().and_then(|stage| stage.split('/').next()?.parse().ok());
        self.stage.get_or_create(&key).set(stage.unwrap_or(0));
    }

    /// Shows the digest of the newest sealed record of a release, or of a chain of charges.
    pub fn record_head(&self, namespace: &str, name: &str, digest: &str) {
        let head = Sealed { namespace: namespace.to_owned(), name: name.to_owned(), digest: digest.to_owned() };
        let before = lock(&self.shown).entry(object(namespace, name)).or_default().head.replace(head.clone());
        if before.as_ref() != Some(&head) {
            replace(&self.head, before, Some(head));
        }
    }

    /// Takes the series of a deleted release away.
    pub fn release_gone(&self, namespace: &str, name: &str) {
        let key = object(namespace, name);
        let before = lock(&self.shown).remove(&key).unwrap_or_default();
        replace(&self.phase, before.phase, None);
        replace(&self.held, before.held, None);
        replace(&self.head, before.head, None);
        self.weight.remove(&key);
        self.stage.remove(&key);
        self.circuits(namespace, name, &[]);
        for trigger in crate::api::release_record::Trigger::ALL {
            self.rollbacks.remove(&ByTrigger {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                trigger: trigger.to_string(),
            });
        }
        self.readable("GatedRelease", namespace, name);
    }

    /// Counts a rollback.
    pub fn rollback(&self, namespace: &str, name: &str, trigger: &str) {
        self.rollbacks
            .get_or_create(&ByTrigger {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                trigger: trigger.to_owned(),
            })
            .inc();
    }

    /// Shows an error budget, and how far the chain of its charges goes.
    pub fn budget(&self, namespace: &str, name: &str, status: &RiskBudgetStatus) {
        let key = object(namespace, name);
        match &status.error_budget {
            Some(budget) => drop(self.remaining.get_or_create(&key).set(budget.remaining_percent)),
            None => drop(self.remaining.remove(&key)),
        }
        let now = status.error_budget.as_ref().map(|budget| budget.status);
        self.show_budget_status(namespace, name, now);
        self.attention.show(namespace, name, Some(status));
        if let Some(chain) = &status.ledger.chain {
            self.record_head(namespace, &book(name), &chain.head);
        }
    }

    /// Takes the series of a deleted budget away.
    pub fn budget_gone(&self, namespace: &str, name: &str) {
        self.remaining.remove(&object(namespace, name));
        self.show_budget_status(namespace, name, None);
        self.figures.gone(&object(namespace, name));
        self.obligations(namespace, name, &[]);
        self.attention.show(namespace, name, None);
        let charges = lock(&self.shown).remove(&object(namespace, &book(name))).unwrap_or_default();
        replace(&self.head, charges.head, None);
        self.readable("RiskBudget", namespace, name);
    }

    fn show_budget_status(&self, namespace: &str, name: &str, now: Option<BudgetStatus>) {
        for status in BudgetStatus::ALL {
            let labels =
                InStatus { namespace: namespace.to_owned(), name: name.to_owned(), status: status.to_string() };
            if Some(*status) == now {
                self.budget_status.get_or_create(&labels).set(1);
            } else {
                self.budget_status.remove(&labels);
            }
        }
    }

    /// Records one look at an object.
    pub fn reconciled(&self, kind: &'static str, took: Duration, error: Option<&'static str>) {
        self.reconcile_seconds.get_or_create(&Kind { kind }).observe(took.as_secs_f64());
        if let Some(error) = error {
            self.reconcile_errors.get_or_create(&Kind { kind: error }).inc();
        }
    }

    /// Records one decision.
    pub fn planned(&self, took: Duration) {
        self.plan_seconds.observe(took.as_secs_f64());
    }

    /// How many looks ended in an error of this kind.
    pub fn errors(&self, error: &'static str) -> u64 {
        self.reconcile_errors.get_or_create(&Kind { kind: error }).get()
    }

    /// Counts a write.
    pub fn wrote(&self, kind: &'static str) {
        self.writes.get_or_create(&Kind { kind }).inc();
    }

    /// Records one answer of the admission webhook.
    pub fn reviewed(&self, outcome: &'static str, took: Duration) {
        self.webhook_reviews.get_or_create(&ByOutcome { outcome }).inc();
        self.webhook_seconds.observe(took.as_secs_f64());
    }

    /// How many answers of the admission webhook had this outcome.
    pub fn reviews(&self, outcome: &'static str) -> u64 {
        self.webhook_reviews.get_or_create(&ByOutcome { outcome }).get()
    }

    /// Shows whether this process leads.
    pub fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// An object cannot be read.
    pub fn unreadable(&self, kind: &'static str, namespace: &str, name: &str) {
        let mut all = lock(&self.malformed_objects);
        all.insert((kind, namespace.to_owned(), name.to_owned()));
        self.malformed.set(i64::try_from(all.len()).unwrap_or(i64::MAX));
    }

    /// An object can be read (again), or is gone.
    pub fn readable(&self, kind: &'static str, namespace: &str, name: &str) {
        let mut all = lock(&self.malformed_objects);
        if all.remove(&(kind, namespace.to_owned(), name.to_owned())) {
            self.malformed.set(i64::try_from(all.len()).unwrap_or(i64::MAX));
        }
    }
}

impl Observer for Metrics {
    fn query(&self, source: &str, took: Duration, error: Option<&'static str>) {
        self.prometheus_seconds.get_or_create(&SourceLabel { source: source.to_owned() }).observe(took.as_secs_f64());
        if let Some(kind) = error {
            self.prometheus_errors.get_or_create(&SourceKind { source: source.to_owned(), kind }).inc();
        }
    }
}

fn object(namespace: &str, name: &str) -> Object {
    Object { namespace: namespace.to_owned(), name: name.to_owned() }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows the new labels in place of the old.
fn replace<L: Clone + std::hash::Hash + Eq>(family: &Family<L, Whole>, before: Option<L>, now: Option<L>) {
    if let Some(before) = before.filter(|before| Some(before) != now.as_ref()) {
        family.remove(&before);
    }
    if let Some(now) = now {
        family.get_or_create(&now).set(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::release_record::Phase;
    use crate::api::risk_budget::{ChainStatus, LedgerStatus};

    fn lines(metrics: &Metrics, name: &str) -> Vec<String> {
        let text = metrics.encode().unwrap();
        text.lines().filter(|line| line.contains(name)).map(str::to_owned).collect()
    }

    #[test]
    fn a_release_is_in_one_phase_and_leaves_nothing_behind() {
        let metrics = Metrics::default();
        for phase in [Phase::Plan, Phase::Release] {
            metrics.release(
                "shop",
                "web",
                &GatedReleaseStatus { phase: Some(phase), stage: Some("2/4".into()), ..Default::default() },
            );
        }
        metrics.rollback("shop", "web", "Latency");
        assert_eq!(
            lines(&metrics, "name=\"web\""),
            [
                "tidegate_release_phase{namespace=\"shop\",name=\"web\",phase=\"Release\"} 1",
                "tidegate_release_weight{namespace=\"shop\",name=\"web\"} 0",
                "tidegate_release_stage{namespace=\"shop\",name=\"web\"} 2",
                "tidegate_rollbacks_total{namespace=\"shop\",name=\"web\",trigger=\"Latency\"} 1",
            ]
        );
        metrics.release_gone("shop", "web");
        assert_eq!(lines(&metrics, "name=\"web\""), Vec::<String>::new());
    }

    #[test]
    fn the_head_of_a_chain_of_charges_is_shown_at_each_look_and_goes_with_its_budget() {
        let metrics = Metrics::default();
        let sealed = |digest: &str| {
            let chain = Some(ChainStatus { attempts: 1, head: digest.to_owned() });
            RiskBudgetStatus { ledger: LedgerStatus { chain, ..Default::default() }, ..Default::default() }
        };
        for digest in ["sha256:1", "sha256:2"] {
            metrics.budget("shop", "web", &sealed(digest));
        }
        let head = ["tidegate_record_head{namespace=\"shop\",name=\"charges_web\",digest=\"sha256:2\"} 1"];
        assert_eq!(lines(&metrics, "tidegate_record_head{"), head);
        metrics.budget_gone("shop", "web");
        assert_eq!(lines(&metrics, "tidegate_record_head{"), Vec::<String>::new());
    }
}
