//! What is left behind of one release, and what its people have to do about it.

use serde_json::{Value, json};

use super::Leaver;
use crate::api::names::{CHANGE, GATED, PAUSED_BECAUSE, PREVIOUS_SUFFIX};
use crate::cli::{Failure, say};
use crate::cluster::kind::{DEPLOYMENT, GATED_RELEASE, HTTP_ROUTE};
use crate::cluster::{Cluster, Error};

/// Takes the label off and tells what is left.
pub(super) async fn tell(cluster: &Cluster, leaver: &Leaver, keep_label: bool) -> Result<(), Failure> {
    let lines = lines(cluster, leaver, keep_label).await.map_err(|error| format!("{leaver} has left, but: {error}"))?;
    // In one piece: several leave at once.
    say(&lines.join(""))
}

async fn lines(cluster: &Cluster, leaver: &Leaver, keep_label: bool) -> Result<Vec<String>, Error> {
    let namespace = leaver.namespace.as_str();
    let Some(release) = cluster.get(&GATED_RELEASE, namespace, &leaver.name).await? else {
        return Ok(vec![format!("{leaver}: left, and deleted\n")]);
    };
    let text = |place: &str| release.pointer(place).and_then(Value::as_str).unwrap_or_default();
    let (service, workload) = (text("/spec/traffic/service"), text("/spec/workloadRef/name"));
    let mut serving = service.to_owned();
    let mut routes = Vec::new();
    for route in release.pointer("/spec/traffic/httpRoutes").and_then(Value::as_array).into_iter().flatten() {
        let name = route["name"].as_str().unwrap_or_default();
        let route = cluster.get(&HTTP_ROUTE, namespace, name).await?;
        if route.is_some_and(|route| has_weight(&route, &format!("{service}{PREVIOUS_SUFFIX}"))) {
            serving = format!("{service}{PREVIOUS_SUFFIX}");
            routes.push(name.to_owned());
        }
    }
    let mut lines = vec![format!("{leaver}: left. Service {serving} serves.\n")];
    if !routes.is_empty() {
        lines.push(format!(
            "  Deployment {workload} runs a version that came back; the one before it serves from Deployment {workload}{PREVIOUS_SUFFIX}.\n  When {workload} runs a good one: point HTTPRoute {} to {service} again and delete Deployment, PodDisruptionBudget\n  {workload}{PREVIOUS_SUFFIX} and Service {service}{PREVIOUS_SUFFIX}. See docs/leaving.md.\n",
            routes.join(", ")
        ));
    }
    let Some(deployment) = cluster.get(&DEPLOYMENT, namespace, workload).await? else {
        lines.push(format!("  Deployment {workload} does not exist.\n"));
        return Ok(lines);
    };
    lines.extend(paused(&deployment, namespace, workload));
    lines.extend(label(cluster, &deployment, namespace, workload, keep_label).await);
    Ok(lines)
}

fn has_weight(route: &Value, service: &str) -> bool {
    let rules = route.pointer("/spec/rules").and_then(Value::as_array).into_iter().flatten();
    let backends = rules.filter_map(|rule| rule["backendRefs"].as_array()).flatten();
    backends.into_iter().any(|backend| backend["name"] == service && backend["weight"].as_i64().unwrap_or(1) > 0)
}

/// What keeps the Deployment paused, and both ways on.
fn paused(deployment: &Value, namespace: &str, name: &str) -> Option<String> {
    if deployment.pointer("/spec/paused").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    let annotation = |key: &str| deployment.pointer("/metadata/annotations").and_then(|all| all.get(key)?.as_str());
    if annotation(PAUSED_BECAUSE).is_none() {
        return Some(format!(
            "  Deployment {name} is paused, and not by Tidegate. Resume it when you like: kubectl rollout resume deployment/{name} -n {namespace}\n"
        ));
    }
    let change = annotation(CHANGE).map(|change| format!(" ({change})")).unwrap_or_default();
    Some(format!(
        "  Deployment {name} STAYS PAUSED: its template{change} was never released; the pods from before it serve.\n    let it run:  kubectl rollout resume deployment/{name} -n {namespace}\n    or go back:  revert the template in Git and apply it, then resume: nothing rolls then\n"
    ))
}

/// The label would hold the next change for ever.
async fn label(cluster: &Cluster, deployment: &Value, namespace: &str, name: &str, keep: bool) -> Option<String> {
    deployment.pointer("/metadata/labels").and_then(|all| all.get(GATED))?;
    if keep {
        return Some(format!(
            "  Deployment {name} keeps the label {GATED}: its next change is paused, and nothing releases it, as long as the\n  admission policies are installed.\n"
        ));
    }
    let metadata = json!({"labels": {GATED: null}});
    Some(match cluster.mark(&DEPLOYMENT, namespace, name, metadata).await {
        Ok(()) => format!(
            "  Label {GATED} taken off Deployment {name}. Take it out of the manifest in Git too: the next apply puts it back.\n"
        ),
        Err(error) => format!(
            "  Label {GATED} could NOT be taken off Deployment {name}: {error}.\n  Its next change is paused, and nothing releases it: kubectl label deployment {name} -n {namespace} {GATED}-\n"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_was_never_released_is_named_with_both_ways_on() {
        let held = json!({"metadata": {"annotations": {PAUSED_BECAUSE: "x", CHANGE: "git:4f2c9e1"}}, "spec": {"paused": true}});
        insta::assert_snapshot!(paused(&held, "shop", "web").unwrap(), @r"
          Deployment web STAYS PAUSED: its template (git:4f2c9e1) was never released; the pods from before it serve.
            let it run:  kubectl rollout resume deployment/web -n shop
            or go back:  revert the template in Git and apply it, then resume: nothing rolls then
        ");
        let by_others = json!({"spec": {"paused": true}});
        assert!(paused(&by_others, "shop", "web").unwrap().contains("not by Tidegate"));
        assert_eq!(paused(&json!({"spec": {}}), "shop", "web"), None);
    }

    #[test]
    fn the_previous_version_serves_where_a_rule_gives_it_weight() {
        let route = |weight: i64| json!({"spec": {"rules": [{"matches": []}, {"backendRefs": [{"name": "web", "weight": 0}, {"name": "web-previous", "weight": weight}]}]}});
        assert!(has_weight(&route(100), "web-previous"));
        assert!(!has_weight(&route(0), "web-previous") && !has_weight(&route(100), "web-canary"));
    }
}
