//! What people owe, as numbers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::lock;
use crate::api::obligation::ObligationStatus;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, EncodeLabelSet)]
struct Owed {
    namespace: String,
    budget: String,
    name: String,
    state: String,
}

type Count = Family<Owed, Gauge<i64, AtomicI64>>;

/// The obligations of each budget, by type and state.
#[derive(Default)]
pub(super) struct Obligations {
    count: Count,
    shown: Mutex<HashMap<(String, String), Vec<Owed>>>,
}

impl Obligations {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "obligations",
            "What people owe by the policy, by type and state (Due, Overdue, Met); what was met is shown for a week",
            self.count.clone(),
        );
    }

    /// Shows the obligations of a budget; none where it is gone.
    pub(super) fn show(&self, namespace: &str, budget: &str, all: &[ObligationStatus]) {
        let mut counts: BTreeMap<Owed, i64> = BTreeMap::new();
        for one in all {
            let labels = Owed {
                namespace: namespace.to_owned(),
                budget: budget.to_owned(),
                name: one.kind.clone(),
                state: one.state.to_string(),
            };
            *counts.entry(labels).or_default() += 1;
        }
        let key = (namespace.to_owned(), budget.to_owned());
        let now: Vec<Owed> = counts.keys().cloned().collect();
        let before = match now.is_empty() {
            true => lock(&self.shown).remove(&key),
            false => lock(&self.shown).insert(key, now),
        };
        for gone in before.into_iter().flatten().filter(|labels| !counts.contains_key(labels)) {
            self.count.remove(&gone);
        }
        for (labels, count) in &counts {
            self.count.get_or_create(labels).set(*count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;
    use serde_json::json;

    fn owed(kind: &str, number: u32, state: &str) -> serde_json::Value {
        json!({"name": format!("{kind}-{number}"), "type": kind, "state": state, "about": "a", "owedBy": ["sre"], "source": "000 §7",
            "since": "2026-11-20T10:00:00Z", "due": "2026-11-28T00:00:00Z"})
    }

    #[test]
    fn obligations_are_counted_by_type_and_state_and_leave_nothing_behind() {
        let metrics = Metrics::default();
        let lines = || -> Vec<String> {
            let text = metrics.encode().unwrap();
            text.lines().filter(|line| line.contains("obligations{")).map(str::to_owned).collect()
        };
        let show = |all: Vec<serde_json::Value>| {
            let all: Vec<ObligationStatus> = all.into_iter().map(|one| serde_json::from_value(one).unwrap()).collect();
            metrics.obligations("shop", "web", &all);
        };
        show(vec![
            owed("post-mortem", 1, "Overdue"),
            owed("post-mortem", 2, "Overdue"),
            owed("incident-review", 3, "Due"),
        ]);
        let mut seen = lines();
        seen.sort();
        assert_eq!(
            seen,
            [
                "tidegate_obligations{namespace=\"shop\",budget=\"web\",name=\"incident-review\",state=\"Due\"} 1",
                "tidegate_obligations{namespace=\"shop\",budget=\"web\",name=\"post-mortem\",state=\"Overdue\"} 2",
            ]
        );
        show(vec![owed("post-mortem", 1, "Met")]);
        assert_eq!(
            lines(),
            ["tidegate_obligations{namespace=\"shop\",budget=\"web\",name=\"post-mortem\",state=\"Met\"} 1"]
        );
        metrics.budget_gone("shop", "web");
        assert_eq!(lines(), Vec::<String>::new());
    }
}
