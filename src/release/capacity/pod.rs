//! What one pod of a template asks for, as the scheduler and a ResourceQuota count it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Quantity;

/// Amounts by resource, such as `cpu`, `memory` or `nvidia.com/gpu`.
pub type Amounts = BTreeMap<String, Quantity>;

/// What a pod asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asks {
    /// Requests; where a container has only a limit, that is its request too.
    pub requests: Amounts,
    /// Limits.
    pub limits: Amounts,
    /// Whether every container says its requests, and its limits, by resource: `requests.cpu`, `limits.memory` …
    /// What one leaves out may come from a LimitRange.
    unsaid: Vec<String>,
}

impl Asks {
    /// What a pod of this template asks for.
    pub fn of(template: &Value) -> Self {
        let Some(spec) = template.get("spec") else { return Self::default() };
        let mut asks = Self {
            requests: total(spec, "requests"),
            limits: total(spec, "limits"),
            unsaid: ["requests", "limits"].into_iter().flat_map(|sort| unsaid(spec, sort)).collect(),
        };
        // What the pod asks for as a whole stands in place of what its containers sum up to.
        for (sort, into) in [("requests", &mut asks.requests), ("limits", &mut asks.limits)] {
            into.extend(amounts(spec.get("resources").and_then(|resources| resources.get(sort))));
        }
        for (resource, more) in amounts(spec.get("overhead")) {
            add(&mut asks.requests, &resource, more);
            if asks.limits.contains_key(&resource) {
                add(&mut asks.limits, &resource, more);
            }
        }
        asks
    }

    /// Whether every container of the pod says this, such as `limits.memory`.
    pub fn says(&self, what: &str) -> bool {
        !self.unsaid.iter().any(|unsaid| unsaid == what)
    }

    /// Whether the pod asks for nothing at all.
    pub fn is_best_effort(&self) -> bool {
        let computes = |amounts: &Amounts| ["cpu", "memory"].iter().any(|resource| amounts.contains_key(*resource));
        !computes(&self.requests) && !computes(&self.limits)
    }
}

fn list<'a>(spec: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    spec.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// Containers run together; one that runs before them counts where it asks for more than all that run later.
fn total(spec: &Value, sort: &str) -> Amounts {
    let mut sum = Amounts::new();
    for container in list(spec, "containers") {
        plus(&mut sum, &of_container(container, sort));
    }
    let (mut sidecars, mut before) = (Amounts::new(), Amounts::new());
    for container in list(spec, "initContainers") {
        let own = of_container(container, sort);
        if container.get("restartPolicy").and_then(Value::as_str) == Some("Always") {
            plus(&mut sum, &own);
            plus(&mut sidecars, &own);
            largest(&mut before, &sidecars);
        } else {
            let mut together = own;
            plus(&mut together, &sidecars);
            largest(&mut before, &together);
        }
    }
    largest(&mut sum, &before);
    sum
}

fn of_container(container: &Value, sort: &str) -> Amounts {
    let resources = |sort: &str| amounts(container.get("resources").and_then(|resources| resources.get(sort)));
    let mut own = resources(sort);
    if sort == "requests" {
        for (resource, limit) in resources("limits") {
            own.entry(resource).or_insert(limit);
        }
    }
    own
}

/// What some container leaves out that a quota may count.
fn unsaid(spec: &Value, sort: &str) -> Vec<String> {
    let whole = amounts(spec.get("resources").and_then(|resources| resources.get(sort)));
    let missing = |resource: &&str| {
        !whole.contains_key(*resource)
            && list(spec, "containers").any(|container| !of_container(container, sort).contains_key(*resource))
    };
    let all = ["cpu", "memory", "ephemeral-storage"].into_iter();
    all.filter(missing).map(|resource| format!("{sort}.{resource}")).collect()
}

/// An amount that cannot be read was refused by the API server long before.
fn amounts(value: Option<&Value>) -> Amounts {
    let pairs = value.and_then(Value::as_object).into_iter().flatten();
    pairs.filter_map(|(resource, amount)| Some((resource.clone(), read(amount)?))).collect()
}

/// A quantity as JSON has it: text, or a number.
pub fn read(amount: &Value) -> Option<Quantity> {
    match amount {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn add(into: &mut Amounts, resource: &str, more: Quantity) {
    let sum = into.entry(resource.to_owned()).or_default();
    *sum = *sum + more;
}

fn plus(into: &mut Amounts, more: &Amounts) {
    more.iter().for_each(|(resource, amount)| add(into, resource, *amount));
}

fn largest(into: &mut Amounts, other: &Amounts) {
    for (resource, amount) in other {
        let stands = into.entry(resource.clone()).or_default();
        *stands = (*stands).max(*amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::sum(json!({"containers": [{"resources": {"requests": {"cpu": "250m"}}}, {"resources": {"requests": {"cpu": "1"}}}]}), "requests", "cpu", Some("1250m"))]
    #[case::limit_is_a_request(json!({"containers": [{"resources": {"limits": {"cpu": "1"}}}]}), "requests", "cpu", Some("1"))]
    #[case::nothing(json!({"containers": [{}]}), "requests", "cpu", None)]
    #[case::a_large_start(json!({"containers": [{"resources": {"limits": {"memory": "1"}}}], "initContainers": [{"resources": {"limits": {"memory": "9"}}}]}), "limits", "memory", Some("9"))]
    #[case::a_sidecar(json!({"containers": [{"resources": {"limits": {"memory": "1"}}}], "initContainers": [
        {"restartPolicy": "Always", "resources": {"limits": {"memory": "4"}}}, {"resources": {"limits": {"memory": "3"}}}]}), "limits", "memory", Some("7"))]
    #[case::of_the_pod(json!({"resources": {"requests": {"cpu": "3"}}, "containers": [{"resources": {"requests": {"cpu": "1"}}}]}), "requests", "cpu", Some("3"))]
    #[case::overhead(json!({"overhead": {"cpu": "100m"}, "containers": [{"resources": {"requests": {"cpu": "1"}}}]}), "requests", "cpu", Some("1100m"))]
    #[case::extended(json!({"containers": [{"resources": {"limits": {"nvidia.com/gpu": 2}}}]}), "requests", "nvidia.com/gpu", Some("2"))]
    fn a_pod_is_counted_as_a_quota_counts_it(
        #[case] spec: Value,
        #[case] sort: &str,
        #[case] resource: &str,
        #[case] wanted: Option<&str>,
    ) {
        let asks = Asks::of(&json!({"spec": spec}));
        let amounts = if sort == "requests" { asks.requests } else { asks.limits };
        assert_eq!(amounts.get(resource).map(ToString::to_string).as_deref(), wanted);
    }

    #[test]
    fn what_a_container_leaves_out_is_known() {
        let asks = Asks::of(
            &json!({"spec": {"containers": [{"resources": {"limits": {"cpu": "1"}}}, {"resources": {"requests": {"cpu": "1"}}}]}}),
        );
        assert!(asks.says("requests.cpu") && !asks.says("limits.cpu") && !asks.says("requests.memory"));
        assert!(!asks.is_best_effort() && Asks::of(&json!({"spec": {"containers": [{}]}})).is_best_effort());
    }
}
