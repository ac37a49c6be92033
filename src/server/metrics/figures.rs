//! The series of a risk budget: its points, and the figures of its present window (`000_…` §8).

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use super::{Metrics, Number, Object, Whole, object};
use crate::api::figures::Figures;
use crate::api::{RiskBudgetStatus, Span, Time};
use crate::policy::ledger::deploys_per_week;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSize {
    namespace: String,
    name: String,
    size: &'static str,
}

/// A figure that rests on nothing has no series: nothing released is no rate of 0.
#[derive(Default)]
pub(super) struct Series {
    points: Family<Object, Whole>,
    allocated: Family<Object, Whole>,
    deploys: Family<Object, Whole>,
    per_week: Family<Object, Number>,
    failures: Family<Object, Number>,
    mttr: Family<Object, Number>,
    rollbacks: Family<Object, Whole>,
    rollback_mean: Family<Object, Number>,
    rollback_longest: Family<Object, Number>,
    compliance: Family<Object, Number>,
    sizes: Family<OfSize, Whole>,
}

impl Series {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "risk_points_remaining",
            "Risk points that are left in the window, promises taken off",
            self.points.clone(),
        );
        r.register("risk_points_allocated", "Risk points of the window", self.allocated.clone());
        r.register("window_deploys", "Changes that users met first in the present window", self.deploys.clone());
        r.register(
            "deploys_per_week",
            "Deploy frequency in the present window, from its second day",
            self.per_week.clone(),
        );
        r.register(
            "change_failure_percent",
            "Changes of the present window that failed, in percent of those that ended",
            self.failures.clone(),
        );
        r.register_with_unit(
            "mean_time_to_recovery",
            "Mean time from the decision to bring a failed change back until no user met it",
            Unit::Seconds,
            self.mttr.clone(),
        );
        r.register("window_rollbacks", "Rollbacks that were decided in the present window", self.rollbacks.clone());
        r.register_with_unit(
            "time_to_rollback_mean",
            "Mean time of the present window's rollbacks",
            Unit::Seconds,
            self.rollback_mean.clone(),
        );
        r.register_with_unit(
            "time_to_rollback_longest",
            "Longest time of the present window's rollbacks",
            Unit::Seconds,
            self.rollback_longest.clone(),
        );
        r.register(
            "gate_compliance_percent",
            "Changes of the present window that went through their gate, in percent",
            self.compliance.clone(),
        );
        r.register("window_diff_sizes", "Changes of the present window by the lines of their diff", self.sizes.clone());
    }

    /// Takes the series of a deleted budget away.
    pub(super) fn gone(&self, key: &Object) {
        self.show(key, None, None);
        self.points.remove(key);
        self.allocated.remove(key);
    }

    fn show(&self, key: &Object, figures: Option<&Figures>, per_week: Option<f64>) {
        let seconds = |span: fn(&Figures) -> Option<Span>| figures.and_then(span).map(Span::as_secs_f64);
        whole(&self.deploys, key, figures.map(|figures| figures.deploys));
        number(&self.per_week, key, per_week);
        number(&self.failures, key, figures.and_then(|figures| figures.change_failure_percent));
        number(&self.mttr, key, seconds(|figures| figures.mttr));
        whole(&self.rollbacks, key, figures.map(|figures| figures.rollbacks));
        number(&self.rollback_mean, key, seconds(|figures| figures.time_to_rollback));
        number(&self.rollback_longest, key, seconds(|figures| figures.longest_rollback));
        number(&self.compliance, key, figures.and_then(|figures| figures.gate_compliance_percent));
        for (size, count) in figures.map(|figures| figures.diff_sizes).unwrap_or_default().classes() {
            let labels = OfSize { namespace: key.namespace.clone(), name: key.name.clone(), size };
            match figures {
                Some(_) => drop(self.sizes.get_or_create(&labels).set(i64::from(count))),
                None => drop(self.sizes.remove(&labels)),
            }
        }
    }
}

impl Metrics {
    /// Shows the risk points of a budget and what its present window showed.
    pub fn figures(&self, namespace: &str, name: &str, status: &RiskBudgetStatus, now: Time) {
        let key = object(namespace, name);
        let risk = status.risk.as_ref();
        match risk {
            Some(risk) => {
                self.figures.points.get_or_create(&key).set(risk.remaining);
                self.figures.allocated.get_or_create(&key).set(i64::from(risk.allocated));
            }
            None => {
                self.figures.points.remove(&key);
                self.figures.allocated.remove(&key);
            }
        }
        let figures = status.figures.as_ref();
        let per_week = risk.zip(figures).and_then(|(risk, figures)| deploys_per_week(figures, risk.from, now));
        self.figures.show(&key, figures, per_week);
    }
}

fn whole(family: &Family<Object, Whole>, key: &Object, now: Option<u32>) {
    match now {
        Some(now) => drop(family.get_or_create(key).set(i64::from(now))),
        None => drop(family.remove(key)),
    }
}

fn number(family: &Family<Object, Number>, key: &Object, now: Option<f64>) {
    match now {
        Some(now) => drop(family.get_or_create(key).set(now)),
        None => drop(family.remove(key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(metrics: &Metrics) -> Vec<String> {
        let text = metrics.encode().unwrap();
        text.lines().filter(|line| line.contains("name=\"web\"")).map(str::to_owned).collect()
    }

    #[test]
    fn figures_are_shown_where_they_rest_on_something_and_leave_nothing_behind() {
        let metrics = Metrics::default();
        let status = |figures: serde_json::Value| -> RiskBudgetStatus {
            serde_json::from_value(json!({
                "risk": {"window": "2026-11", "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z",
                         "allocated": 120, "consumed": 20, "sequence": 2, "reserved": 12, "remaining": 88,
                         "remainingPercent": 83.3, "band": "Green", "releases": 2, "exceptions": 0},
                "figures": figures,
            }))
            .unwrap()
        };
        let now = Time("2026-11-15T00:00:00Z".parse().unwrap());
        let shown = status(
            json!({"window": "2026-11", "deploys": 4, "ended": 4, "failed": 1, "changeFailurePercent": 25.0,
            "mttr": "90s", "rollbacks": 1, "timeToRollback": "90s", "longestRollback": "90s", "pastGate": 1,
            "gateCompliancePercent": 75.0, "diffSizes": {"tiny": 3, "small": 0, "medium": 0, "large": 0, "huge": 1, "unknown": 0}}),
        );
        metrics.figures("shop", "web", &shown, now);
        let all = lines(&metrics);
        for line in [
            "tidegate_risk_points_remaining{namespace=\"shop\",name=\"web\"} 88",
            "tidegate_deploys_per_week{namespace=\"shop\",name=\"web\"} 2.0",
            "tidegate_change_failure_percent{namespace=\"shop\",name=\"web\"} 25.0",
            "tidegate_mean_time_to_recovery_seconds{namespace=\"shop\",name=\"web\"} 90.0",
            "tidegate_time_to_rollback_longest_seconds{namespace=\"shop\",name=\"web\"} 90.0",
            "tidegate_gate_compliance_percent{namespace=\"shop\",name=\"web\"} 75.0",
            "tidegate_window_diff_sizes{namespace=\"shop\",name=\"web\",size=\"huge\"} 1",
        ] {
            assert!(all.contains(&line.to_owned()), "{line}: {all:#?}");
        }
        metrics.figures(
            "shop",
            "web",
            &status(json!({"window": "2026-12", "deploys": 0, "ended": 0, "failed": 0, "rollbacks": 0, "pastGate": 0})),
            now,
        );
        let all = lines(&metrics);
        assert!(!all.iter().any(|line| line.contains("failure_percent") || line.contains("recovery")), "{all:#?}");
        assert!(all.contains(&"tidegate_window_deploys{namespace=\"shop\",name=\"web\"} 0".to_owned()), "{all:#?}");
        metrics.budget_gone("shop", "web");
        assert_eq!(lines(&metrics), Vec::<String>::new());
    }
}
