//! What of a RiskBudget asks for somebody, as numbers that alerts are made of: conditions, signals without an answer, and when
//! something is due next.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::{Metrics, Number, Object, Whole, lock, object};
use crate::api::condition::Truth;
use crate::api::obligation::{ObligationState, ObligationStatus};
use crate::api::{RiskBudgetStatus, Time};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct Stands {
    namespace: String,
    name: String,
    condition: String,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Unheard {
    namespace: String,
    name: String,
    signal: &'static str,
}

/// The conditions of a RiskBudget that mean work, and in which truth: `docs/alerts.md` has a row for each.
const ATTENTION: [(&str, Truth); 4] = [
    ("Ready", Truth::False),
    ("LedgerBroken", Truth::True),
    ("Loosening", Truth::True),
    ("ObligationsMet", Truth::False),
];

#[derive(Default)]
pub(super) struct Attention {
    conditions: Family<Stands, Whole>,
    signals: Family<Unheard, Whole>,
    next_due: Family<Object, Number>,
    shown: Mutex<HashMap<Object, BTreeSet<Stands>>>,
}

impl Attention {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "budget_attention",
            "1 while a condition of a RiskBudget asks for somebody: Ready is False, LedgerBroken or Loosening is True, ObligationsMet is False",
            self.conditions.clone(),
        );
        r.register(
            "signal_unanswered",
            "1 while nothing answers the query for a signal of a RiskBudget: incidents or on-call",
            self.signals.clone(),
        );
        r.register_with_unit(
            "obligation_next_due_timestamp",
            "When something that people owe is overdue next, in seconds of Unix time; absent where nothing will be",
            Unit::Seconds,
            self.next_due.clone(),
        );
    }

    fn conditions(&self, key: &Object, status: Option<&RiskBudgetStatus>) {
        let all = status.iter().flat_map(|status| &status.conditions);
        let asks = all.filter(|one| ATTENTION.contains(&(one.kind.as_str(), one.status)));
        let now: BTreeSet<Stands> = asks
            .map(|one| Stands {
                namespace: key.namespace.clone(),
                name: key.name.clone(),
                condition: one.kind.clone(),
                reason: one.reason.clone(),
            })
            .collect();
        let before = match now.is_empty() {
            true => lock(&self.shown).remove(key),
            false => lock(&self.shown).insert(key.clone(), now.clone()),
        };
        for gone in before.unwrap_or_default().difference(&now) {
            self.conditions.remove(gone);
        }
        for stands in &now {
            self.conditions.get_or_create(stands).set(1);
        }
    }

    fn signals(&self, key: &Object, status: Option<&RiskBudgetStatus>) {
        let heard = status.and_then(|status| status.signals.as_ref());
        let incidents = heard.and_then(|heard| heard.incidents.as_ref()).is_some_and(|one| one.unanswered.is_some());
        let on_call = heard.and_then(|heard| heard.on_call.as_ref()).is_some_and(|one| one.unanswered.is_some());
        for (signal, unanswered) in [("incidents", incidents), ("on-call", on_call)] {
            let labels = Unheard { namespace: key.namespace.clone(), name: key.name.clone(), signal };
            match unanswered {
                true => drop(self.signals.get_or_create(&labels).set(1)),
                false => drop(self.signals.remove(&labels)),
            }
        }
    }

    /// Shows what a budget asks for; none where it is gone.
    pub(super) fn show(&self, namespace: &str, name: &str, status: Option<&RiskBudgetStatus>) {
        let key = object(namespace, name);
        self.conditions(&key, status);
        self.signals(&key, status);
    }

    /// Shows when the next of what is owed is overdue.
    pub(super) fn due(&self, namespace: &str, name: &str, all: &[ObligationStatus]) {
        let due = all.iter().filter(|one| one.state == ObligationState::Due).map(|one| one.due).min();
        let key = object(namespace, name);
        match due {
            Some(Time(due)) => drop(self.next_due.get_or_create(&key).set(due.as_duration().as_secs_f64())),
            None => drop(self.next_due.remove(&key)),
        }
    }
}

impl Metrics {
    /// Shows what people owe by a budget, all of it.
    pub fn obligations(&self, namespace: &str, budget: &str, all: &[ObligationStatus]) {
        self.obligations.show(namespace, budget, all);
        self.attention.due(namespace, budget, all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(metrics: &Metrics) -> Vec<String> {
        let text = metrics.encode().unwrap();
        let ours =
            |line: &&str| line.contains("attention{") || line.contains("unanswered{") || line.contains("next_due");
        let mut lines: Vec<String> =
            text.lines().filter(ours).filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        lines.sort();
        lines
    }

    #[test]
    fn what_asks_for_somebody_is_shown_while_it_does() {
        let metrics = Metrics::default();
        let condition = |kind: &str, status: &str, reason: &str| {
            json!({"type": kind, "status": status, "reason": reason, "message": "", "observedGeneration": 1,
                "lastTransitionTime": "2026-11-20T10:00:00Z"})
        };
        let status: RiskBudgetStatus = serde_json::from_value(json!({
            "conditions": [condition("Ready", "False", "NoData"), condition("LedgerBroken", "False", "Whole"),
                condition("Loosening", "True", "ApprovalMissing"), condition("ObligationsMet", "True", "Due")],
            "signals": {"source": "pager", "incidents": {"unanswered": {"why": "down", "since": "2026-11-20T10:00:00Z"}},
                "onCall": {}},
        }))
        .unwrap();
        let owed: ObligationStatus = serde_json::from_value(json!({
            "name": "incident-review-1", "type": "incident-review", "state": "Due", "about": "a", "owedBy": ["sre"],
            "source": "001", "since": "1970-01-01T00:00:00Z", "due": "1970-01-01T00:10:00Z",
        }))
        .unwrap();
        metrics.budget("shop", "web", &status);
        metrics.obligations("shop", "web", std::slice::from_ref(&owed));
        assert_eq!(
            lines(&metrics),
            [
                "tidegate_budget_attention{namespace=\"shop\",name=\"web\",condition=\"Loosening\",reason=\"ApprovalMissing\"} 1",
                "tidegate_budget_attention{namespace=\"shop\",name=\"web\",condition=\"Ready\",reason=\"NoData\"} 1",
                "tidegate_obligation_next_due_timestamp_seconds{namespace=\"shop\",name=\"web\"} 600.0",
                "tidegate_signal_unanswered{namespace=\"shop\",name=\"web\",signal=\"incidents\"} 1",
            ]
        );
        let overdue = ObligationStatus { state: ObligationState::Overdue, ..owed };
        metrics.obligations("shop", "web", &[overdue]);
        metrics.budget("shop", "web", &RiskBudgetStatus::default());
        assert_eq!(lines(&metrics), Vec::<String>::new());
        metrics.budget("shop", "web", &status);
        metrics.budget_gone("shop", "web");
        assert_eq!(lines(&metrics), Vec::<String>::new());
    }
}
