//! What a release needs of each ResourceQuota, beside what is in use already.

use serde::Serialize;
use serde_json::Value;

use super::pod::{Asks, read};
use super::{Peak, Quantity};

/// One resource of one quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The ResourceQuota.
    pub quota: String,
    /// The resource as the quota names it, such as `limits.memory`.
    pub resource: String,
    /// What it allows.
    pub hard: Quantity,
    /// What is in use.
    pub used: Quantity,
    /// What the release needs beside that at its worst moment.
    pub needed: Quantity,
}

impl Row {
    /// What is left for others at the worst moment; below zero where the release does not fit.
    pub fn left(&self) -> Quantity {
        self.hard - self.used - self.needed
    }
}

/// What objects a release makes beside the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Canary and previous version, each with a Service and a PodDisruptionBudget, and so many copies of NetworkPolicies.
    Sides {
        /// NetworkPolicies that are cloned.
        policies: u32,
        /// Whether the previous version gets a copy of an autoscaler.
        autoscaler: bool,
    },
    /// A canary under the workload's own labels, which needs nothing with it.
    Canary,
    /// Nothing.
    Nothing,
}

impl Made {
    /// How many of each, by its name in quotas, beside what lives already.
    fn objects(self, there: (u32, u32)) -> Vec<(&'static str, u32)> {
        let new = |there: u32| u32::from(there == 0);
        // The workload's own ReplicaSet of the new template comes beside those of the sides.
        match self {
            Self::Sides { policies, autoscaler } => {
                let sides = new(there.0) + new(there.1);
                vec![
                    ("deployments.apps", sides),
                    ("replicasets.apps", sides + 1),
                    ("services", sides),
                    ("poddisruptionbudgets.policy", sides),
                    ("networkpolicies.networking.k8s.io", policies),
                    ("horizontalpodautoscalers.autoscaling", u32::from(autoscaler) * new(there.1)),
                ]
            }
            Self::Canary => vec![("deployments.apps", new(there.0)), ("replicasets.apps", new(there.0) + 1)],
            Self::Nothing => Vec::new(),
        }
    }
}

/// What a release adds to what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    peak: Peak,
    old: Asks,
    new: Asks,
    /// Pods of canary and previous version that live already and are counted as in use.
    there: (u32, u32),
    /// Objects that are made, by their name in quotas.
    objects: Vec<(&'static str, u32)>,
    /// `priorityClassName` of the new template.
    priority: String,
    /// Whether the new template's affinity looks into other namespaces.
    across: bool,
}

impl Demand {
    /// Of a release of `new` where `old` runs; `there` are pods of canary and previous version that live already.
    pub fn of(peak: Peak, old: &Value, new: &Value, there: (u32, u32), made: Made) -> Self {
        let affinity = new.pointer("/spec/affinity").map(Value::to_string).unwrap_or_default();
        Self {
            peak,
            old: Asks::of(old),
            new: Asks::of(new),
            there,
            objects: made.objects(there),
            priority: new.pointer("/spec/priorityClassName").and_then(Value::as_str).unwrap_or_default().to_owned(),
            across: affinity.contains("\"namespaces\"") || affinity.contains("\"namespaceSelector\""),
        }
    }

    /// What of a resource is needed beside what is in use; none where a release does not touch it.
    fn needs(&self, resource: &str) -> Option<Quantity> {
        let name = resource.strip_prefix("count/").unwrap_or(resource);
        if let Some((_, count)) = self.objects.iter().find(|(object, _)| *object == name) {
            return Some(Quantity::whole(*count));
        }
        if name == "pods" {
            let there = self.peak.workload + self.there.0 + self.there.1;
            return Some(Quantity::whole(self.peak.pods().saturating_sub(there)));
        }
        let (old, new) = match resource.split_once('.') {
            Some(("requests", of)) => (self.old.requests.get(of), self.new.requests.get(of)),
            Some(("limits", of)) => (self.old.limits.get(of), self.new.limits.get(of)),
            _ => (self.old.requests.get(resource), self.new.requests.get(resource)),
        };
        if old.is_none() && new.is_none() {
            return None;
        }
        let (old, new) = (old.copied().unwrap_or_default(), new.copied().unwrap_or_default());
        let Peak { workload, surge, canary, previous } = self.peak;
        // In the roll the workload's pods are of either template: the larger counts.
        let most = old.max(new).times(workload) + new.times(surge.saturating_add(canary)) + old.times(previous);
        let there = old.times(workload) + new.times(self.there.0) + old.times(self.there.1);
        Some((most - there).max(Quantity::ZERO))
    }

    /// Whether a quota counts the pods of this release: scopes narrow it, all of them must fit.
    fn is_counted_by(&self, quota: &Value) -> bool {
        let scopes = quota.pointer("/spec/scopes").and_then(Value::as_array).into_iter().flatten();
        let plain = scopes.filter_map(Value::as_str).all(|scope| self.fits(scope, "Exists", &[]));
        let terms = quota.pointer("/spec/scopeSelector/matchExpressions").and_then(Value::as_array);
        plain
            && terms.into_iter().flatten().all(|term| {
                let of = |key: &str| term.get(key).and_then(Value::as_str).unwrap_or_default();
                let values = term.get("values").and_then(Value::as_array).into_iter().flatten();
                let values: Vec<_> = values.filter_map(Value::as_str).collect();
                self.fits(of("scopeName"), of("operator"), &values)
            })
    }

    /// A scope that is not known here is taken as fitting: a refusal too much is seen, one too few is not.
    fn fits(&self, scope: &str, operator: &str, values: &[&str]) -> bool {
        match scope {
            // Pods of a Deployment or StatefulSet have no end.
            "Terminating" => false,
            "BestEffort" => self.new.is_best_effort(),
            "NotBestEffort" => !self.new.is_best_effort(),
            "CrossNamespacePodAffinity" => self.across,
            "PriorityClass" => match operator {
                "In" => values.contains(&self.priority.as_str()),
                "NotIn" => !values.contains(&self.priority.as_str()),
                "DoesNotExist" => self.priority.is_empty(),
                _ => !self.priority.is_empty(),
            },
            _ => true,
        }
    }

    /// What the release needs of a quota, resource by resource, and the resources that cannot be computed because a
    /// container of the new template does not say them.
    pub fn rows(&self, quota: &Value) -> (Vec<Row>, Vec<String>) {
        let (mut rows, mut unsaid) = (Vec::new(), Vec::new());
        if !self.is_counted_by(quota) {
            return (rows, unsaid);
        }
        let name = quota.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        let hard = quota.pointer("/status/hard").or_else(|| quota.pointer("/spec/hard")).and_then(Value::as_object);
        for (resource, amount) in hard.into_iter().flatten() {
            let Some(hard) = read(amount) else { continue };
            let full = match resource.as_str() {
                "cpu" | "memory" | "ephemeral-storage" => format!("requests.{resource}"),
                other => other.to_owned(),
            };
            if !self.new.says(&full) {
                unsaid.push(resource.clone());
            }
            let Some(needed) = self.needs(resource) else { continue };
            let used = quota.pointer("/status/used").and_then(|used| used.get(resource)).and_then(read);
            let (quota, resource) = (name.to_owned(), resource.clone());
            rows.push(Row { quota, resource, hard, used: used.unwrap_or_default(), needed });
        }
        (rows, unsaid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn template(cpu: &str) -> Value {
        json!({"spec": {"containers": [{"resources": {"requests": {"cpu": cpu}, "limits": {"memory": "1Gi"}}}]}})
    }

    fn demand(new: &str, there: (u32, u32)) -> Demand {
        let peak = Peak { workload: 4, surge: 1, canary: 4, previous: 4 };
        Demand::of(peak, &template("1"), &template(new), there, Made::Sides { policies: 0, autoscaler: true })
    }

    #[rstest]
    #[case::pods("pods", "1", (0, 0), Some("9"))]
    #[case::pods_that_live_already("count/pods", "1", (4, 0), Some("5"))]
    #[case::requests("requests.cpu", "1", (0, 0), Some("9"))]
    #[case::by_its_short_name("cpu", "1", (0, 0), Some("9"))]
    #[case::a_larger_template("requests.cpu", "2", (0, 0), Some("18"))]
    #[case::a_smaller_template("requests.cpu", "500m", (0, 0), Some("6500m"))]
    #[case::limits("limits.memory", "1", (0, 0), Some("9663676416"))]
    #[case::deployments("count/deployments.apps", "1", (0, 0), Some("2"))]
    #[case::services("services", "1", (1, 0), Some("1"))]
    #[case::sets("count/replicasets.apps", "1", (0, 0), Some("3"))]
    #[case::its_autoscaler("count/horizontalpodautoscalers.autoscaling", "1", (0, 0), Some("1"))]
    #[case::one_that_is_there("count/horizontalpodautoscalers.autoscaling", "1", (4, 4), Some("0"))]
    #[case::what_it_does_not_touch("requests.nvidia.com/gpu", "1", (0, 0), None)]
    #[case::nor_this("count/secrets", "1", (0, 0), None)]
    fn what_is_needed_beside_what_runs(
        #[case] resource: &str,
        #[case] new: &str,
        #[case] there: (u32, u32),
        #[case] wanted: Option<&str>,
    ) {
        assert_eq!(demand(new, there).needs(resource).map(|needed| needed.to_string()).as_deref(), wanted);
    }

    #[rstest]
    #[case::a_canary("count/deployments.apps", Peak::by_count(4, None), Made::Canary, Some("1"))]
    #[case::its_pods_and_the_surge("pods", Peak::by_count(4, None), Made::Canary, Some("5"))]
    #[case::sets("count/replicasets.apps", Peak::by_count(4, None), Made::Canary, Some("2"))]
    #[case::no_service("services", Peak::by_count(4, None), Made::Canary, None)]
    #[case::no_pods_more("pods", Peak::within(4), Made::Nothing, Some("0"))]
    #[case::no_objects("count/deployments.apps", Peak::within(4), Made::Nothing, None)]
    #[case::a_larger_template("requests.cpu", Peak::within(4), Made::Nothing, Some("4"))]
    fn without_routes_less_is_needed(
        #[case] resource: &str,
        #[case] peak: Peak,
        #[case] made: Made,
        #[case] wanted: Option<&str>,
    ) {
        let demand = Demand::of(peak, &template("1"), &template("2"), (0, 0), made);
        assert_eq!(demand.needs(resource).map(|needed| needed.to_string()).as_deref(), wanted);
    }

    #[rstest]
    #[case(json!({"scopes": ["NotTerminating", "NotBestEffort"]}), true)]
    #[case(json!({"scopes": ["Terminating"]}), false)]
    #[case(json!({"scopes": ["BestEffort"]}), false)]
    #[case(json!({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]}}), false)]
    #[case(json!({"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "NotIn", "values": ["high"]}]}}), true)]
    #[case(json!({"scopes": ["CrossNamespacePodAffinity"]}), false)]
    fn a_scoped_quota_counts_only_what_fits(#[case] spec: Value, #[case] counted: bool) {
        let mut spec = spec;
        spec["hard"] = json!({"pods": "20"});
        let (rows, _) = demand("1", (0, 0)).rows(&json!({"metadata": {"name": "q"}, "spec": spec}));
        assert_eq!(!rows.is_empty(), counted);
    }

    #[test]
    fn a_row_says_what_is_left() {
        let quota = json!({"metadata": {"name": "team"}, "status": {"hard": {"pods": "12", "limits.cpu": "9"}, "used": {"pods": "4"}}});
        let (rows, unsaid) = demand("1", (0, 0)).rows(&quota);
        assert_eq!((rows[0].resource.as_str(), rows[0].left().to_string(), rows.len()), ("pods", "-1".to_owned(), 1));
        assert_eq!(unsaid, ["limits.cpu"], "no container says a limit of CPU");
    }
}
