//! PodDisruptionBudgets: how many pods may be evicted now. The API server asks their status when somebody evicts.

use serde_json::{Value, json};

use super::look::{
    at, condition, controller, integer, is_active, is_ready, labels, leaving, matches, namespace, number, scaled,
    stamp, text, uid,
};
use super::write::{Context, place, tried};
use crate::api::Time;
use crate::cluster::kind::{PDB, POD, REPLICA_SET};

/// Brings the status of all budgets up to date.
pub(super) fn run(cx: &mut Context<'_>) -> Option<Time> {
    let mut writes = Vec::new();
    let budgets = cx.objects.list(&PDB, "");
    if budgets.is_empty() {
        return None;
    }
    let pods = cx.objects.list(&POD, "");
    for budget in budgets {
        let selector = at(budget, &["spec", "selector"]);
        let of =
            |pod: &&&Value| namespace(pod) == namespace(budget) && is_active(pod) && matches(selector, labels(pod));
        let own: Vec<&Value> = pods.iter().filter(of).copied().collect();
        let healthy = i64::try_from(own.iter().filter(|pod| is_ready(pod)).count()).unwrap_or(i64::MAX);
        let expected = expected(cx, budget, &own);
        let status = status(budget, healthy, expected, cx.now);
        if at(budget, &["status"]) != Some(&status) {
            writes.push((place(budget), status));
        }
    }
    for ((home, called), status) in writes {
        tried(cx.set_status(&cx.users.disruption, &PDB, &home, &called, status));
    }
    None
}

/// How many pods there should be: what the owners want, where a share of it counts, else what there is.
fn expected(cx: &Context<'_>, budget: &Value, own: &[&Value]) -> i64 {
    let count = i64::try_from(own.len()).unwrap_or(i64::MAX);
    let least = at(budget, &["spec", "minAvailable"]);
    if least.is_some_and(Value::is_number) {
        return count;
    }
    let mut owners: Vec<&Value> = Vec::new();
    for pod in own {
        let set = controller(pod)
            .filter(|owner| text(owner, &["kind"]) == REPLICA_SET.kind)
            .and_then(|owner| cx.objects.get(&REPLICA_SET, namespace(pod), text(owner, &["name"])));
        // Real budgets ask the Deployment of the ReplicaSet.
        let owner = set.map(|set| {
            let above = controller(set).and_then(|owner| {
                cx.objects.get(&crate::cluster::kind::DEPLOYMENT, namespace(set), text(owner, &["name"]))
            });
            above.unwrap_or(set)
        });
        let Some(owner) = owner.filter(|owner| !leaving(owner)) else { return count };
        if !owners.iter().any(|known| uid(known) == uid(owner)) {
            owners.push(owner);
        }
    }
    owners.iter().map(|owner| integer(owner, &["spec", "replicas"]).unwrap_or(1)).sum()
}

fn status(budget: &Value, healthy: i64, expected: i64, now: Time) -> Value {
    let spec = |key: &str| at(budget, &["spec", key]);
    let desired = match (spec("maxUnavailable"), spec("minAvailable")) {
        (Some(most), _) => (expected - scaled(Some(most), expected, true).unwrap_or(0)).max(0),
        (None, Some(least)) => scaled(Some(least), expected, true).unwrap_or(0),
        (None, None) => 1,
    };
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let (truth, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    let generation = number(budget, &["metadata", "generation"]);
    let same = condition(budget, "DisruptionAllowed").filter(|it| text(it, &["status"]) == truth);
    let since = same.map_or_else(|| stamp(now), |same| text(same, &["lastTransitionTime"]).to_owned());
    json!({
        "currentHealthy": healthy, "desiredHealthy": desired, "expectedPods": expected, "disruptionsAllowed": allowed,
        "observedGeneration": generation,
        "conditions": [{
            "type": "DisruptionAllowed", "status": truth, "reason": reason, "message": "",
            "observedGeneration": generation, "lastTransitionTime": since,
        }],
    })
}
