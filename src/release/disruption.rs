//! The PodDisruptionBudget of a canary or previous version: what the user's own says of the workload, said of the carrier's
//! pods.
//!
//! A carrier is often smaller than the workload: `minAvailable: 3`, copied to a canary of one pod, would let no drain of a node
//! end before the release does. So what the user's budget lets go is worked out in the workload's size, as a share of it, and
//! Kubernetes rounds that share up for the carrier: where one of the user's pods may go, one of the carrier's may. Where none of the
//! user's may, none of the carrier's may either, however small it is: that is what is asked for. It is worked out anew while the
//! carrier is there (`plan/follow.rs`), so that a wish that allows none of few pods allows some of more.

use serde_json::{Value, json};

use super::clones::is_made;
use super::labels::{Labels, selects};
use super::snapshot::Snapshot;

/// The spec without its selector, for the carrier of a workload of so many `replicas`; `stable` are the labels of the user's
/// pods. Where none of the user's budgets covers them, or more than one does, one pod at a time may go: pods under several
/// cannot be evicted at all, and nobody can say which of them is meant.
pub(super) fn limits(seen: &Snapshot, stable: &Labels, replicas: u32) -> Value {
    let covers = |budget: &&Value| !is_made(budget) && selects(budget.pointer("/spec/selector"), stable);
    let mut own = seen.disruption_budgets.iter().filter(covers).filter_map(|budget| budget.get("spec"));
    let (Some(spec), None) = (own.next(), own.next()) else { return json!({"maxUnavailable": 1}) };
    let mut limits = json!({"maxUnavailable": may_go(spec, u64::from(replicas))});
    if let Some(policy) = spec.get("unhealthyPodEvictionPolicy").filter(|policy| !policy.is_null()) {
        limits["unhealthyPodEvictionPolicy"] = policy.clone();
    }
    limits
}

/// `maxUnavailable` for the carrier. A percentage of the user's stays as it is: Kubernetes takes it of whatever size.
fn may_go(spec: &Value, replicas: u64) -> Value {
    let at = |key: &str| spec.get(key).filter(|value| !value.is_null());
    match (at("maxUnavailable"), at("minAvailable")) {
        (Some(most), _) if percent(most).is_some() => most.clone(),
        (Some(most), _) => share(pods(most, replicas), replicas),
        (None, Some(least)) => share(replicas.saturating_sub(pods(least, replicas)), replicas),
        // As Kubernetes reads a budget that says neither: one must stay.
        (None, None) => share(replicas.saturating_sub(1), replicas),
    }
}

/// How many pods a number or a percentage is, rounded up as Kubernetes does.
fn pods(value: &Value, replicas: u64) -> u64 {
    match percent(value) {
        Some(percent) => (percent * replicas).div_ceil(100),
        None => value.as_u64().unwrap_or(0),
    }
}

fn percent(value: &Value) -> Option<u64> {
    value.as_str()?.strip_suffix('%')?.parse().ok()
}

/// So many of the workload's pods as a percentage, rounded down so that rounding it up again gives no more of them.
fn share(pods: u64, replicas: u64) -> Value {
    if pods == 0 {
        return json!(0);
    }
    // A workload without pods says nothing about a share; its carrier has one pod.
    let percent = (pods.min(replicas) * 100).checked_div(replicas).unwrap_or(100);
    json!(format!("{}%", percent.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::names::{RELEASE, ROLE};
    use crate::release::world::World;
    use rstest::rstest;

    fn stable() -> Labels {
        Labels::from([("app".to_owned(), "checkout".to_owned())])
    }

    fn budget(spec: Value) -> Value {
        let mut spec = spec;
        spec["selector"] = json!({"matchLabels": {"app": "checkout"}});
        json!({"metadata": {"name": "own"}, "spec": spec})
    }

    fn limits_of(budgets: Vec<Value>, replicas: u32) -> Value {
        let mut seen = World::new().seen;
        seen.disruption_budgets = budgets;
        limits(&seen, &stable(), replicas)
    }

    /// What Kubernetes lets go of so many pods (`disruption.go`, `getExpectedPodCount`: both are rounded up).
    fn lets_go(limits: &Value, of: u64) -> u64 {
        pods(&limits["maxUnavailable"], of).min(of)
    }

    #[rstest]
    #[case::number(json!({"minAvailable": 3}), 4, json!("25%"))]
    #[case::of_many(json!({"minAvailable": 2}), 3, json!("33%"))]
    #[case::percent(json!({"minAvailable": "50%"}), 3, json!("33%"))]
    #[case::all(json!({"minAvailable": "100%"}), 4, json!(0))]
    #[case::more_than_there_are(json!({"minAvailable": 5}), 4, json!(0))]
    #[case::none(json!({"minAvailable": 0}), 4, json!("100%"))]
    #[case::most(json!({"maxUnavailable": 10}), 100, json!("10%"))]
    #[case::most_of_few(json!({"maxUnavailable": 1}), 4, json!("25%"))]
    #[case::one_of_very_many(json!({"maxUnavailable": 1}), 400, json!("1%"))]
    #[case::more_than_all(json!({"maxUnavailable": 9}), 4, json!("100%"))]
    #[case::nobody(json!({"maxUnavailable": 0}), 4, json!(0))]
    #[case::most_percent(json!({"maxUnavailable": "30%"}), 4, json!("30%"))]
    #[case::says_nothing(json!({}), 4, json!("75%"))]
    #[case::no_pods(json!({"maxUnavailable": 1}), 0, json!("100%"))]
    fn what_may_go_is_a_share_of_the_workload(#[case] spec: Value, #[case] replicas: u32, #[case] most: Value) {
        assert_eq!(limits_of(vec![budget(spec)], replicas), json!({"maxUnavailable": most}));
    }

    #[rstest]
    fn where_one_of_the_users_pods_may_go_one_of_the_carriers_may(#[values(1, 2, 3, 7, 10, 99)] replicas: u32) {
        for least in 0..=replicas {
            let made = limits_of(vec![budget(json!({"minAvailable": least}))], replicas);
            let free = u64::from(replicas - least);
            assert_eq!(lets_go(&made, u64::from(replicas)), free, "{made}: of as many pods just as many");
            assert_eq!(lets_go(&made, 1), free.min(1), "{made}: of one pod");
        }
    }

    #[test]
    fn how_pods_that_are_not_ready_are_treated_is_copied() {
        let own = budget(json!({"minAvailable": 3, "unhealthyPodEvictionPolicy": "AlwaysAllow"}));
        let wanted = json!({"maxUnavailable": "25%", "unhealthyPodEvictionPolicy": "AlwaysAllow"});
        assert_eq!(limits_of(vec![own], 4), wanted);
    }

    #[rstest]
    #[case::none_there(vec![])]
    #[case::of_others(vec![json!({"spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "cart"}}}})])]
    #[case::two(vec![budget(json!({"minAvailable": 3})), budget(json!({"minAvailable": 2}))])]
    #[case::made_for_another_release(vec![json!({
        "metadata": {"labels": {RELEASE: "other", ROLE: "canary"}}, "spec": {"minAvailable": 3, "selector": {}},
    })])]
    fn without_one_that_is_meant_one_pod_at_a_time_may_go(#[case] budgets: Vec<Value>) {
        assert_eq!(limits_of(budgets, 4), json!({"maxUnavailable": 1}));
    }

    #[test]
    fn the_carriers_budget_has_the_users_limits_and_its_own_selector() {
        let mut seen = World::new().seen;
        seen.disruption_budgets = vec![budget(json!({"minAvailable": 3}))];
        let workload = seen.workload.clone().unwrap();
        let carrier = crate::release::split::Carrier::Canary;
        let made = crate::release::objects::side(&seen, &workload, carrier, &workload.template, "v2", 1).unwrap();
        let budget = made.iter().find(|object| object["kind"] == "PodDisruptionBudget").unwrap();
        let selector = json!({"matchLabels": {"app": "checkout-canary"}});
        assert_eq!(budget["spec"], json!({"maxUnavailable": "25%", "selector": selector}));
    }
}
