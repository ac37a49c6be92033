//! What is left behind of one release, and what its people have to do about it.

use serde_json::{Value, json};

use super::Leaver;
use super::stamps::stamps;
use crate::api::gated_release::WorkloadKind;
use crate::api::names::{CHANGE, GATED, PAUSED_BECAUSE, PREVIOUS_SUFFIX};
use crate::cli::{Failure, say, workload_kind};
use crate::cluster::kind::{GATED_RELEASE, HTTP_ROUTE};
use crate::cluster::{Cluster, Error, Kind};
use crate::release::wording;

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
            "  Deployment {workload} runs a version that came back; the one before it serves from Deployment {workload}{PREVIOUS_SUFFIX}.\n  When {workload} runs a good one: point HTTPRoute {} to {service} again, then delete Deployment, PodDisruptionBudget, autoscaler\n  and NetworkPolicies {workload}{PREVIOUS_SUFFIX} and Service {service}{PREVIOUS_SUFFIX}: docs/leaving.md has the command.\n",
            routes.join(", ")
        ));
    }
    let kind = workload_kind(&release);
    let Some(object) = cluster.get(Kind::of_workload(kind), namespace, workload).await? else {
        lines.push(format!("  {kind} {workload} does not exist.\n"));
        return Ok(lines);
    };
    lines.extend(held(kind, &object, (namespace, workload), keep_label));
    lines.extend(ungate(cluster, kind, &object, (namespace, workload), keep_label).await);
    Ok(lines)
}

fn has_weight(route: &Value, service: &str) -> bool {
    let rules = route.pointer("/spec/rules").and_then(Value::as_array).into_iter().flatten();
    let backends = rules.filter_map(|rule| rule["backendRefs"].as_array()).flatten();
    backends.into_iter().any(|backend| backend["name"] == service && backend["weight"].as_i64().unwrap_or(1) > 0)
}

/// What keeps the workload held, and both ways on.
fn held(kind: WorkloadKind, object: &Value, (namespace, name): (&str, &str), keep_label: bool) -> Option<String> {
    let partition = object.pointer("/spec/updateStrategy/rollingUpdate/partition").and_then(Value::as_u64).unwrap_or(0);
    let (stands, has, how) = match kind {
        WorkloadKind::Deployment => {
            let paused = object.pointer("/spec/paused").and_then(Value::as_bool) == Some(true);
            (paused, "is paused, and not by Tidegate. Resume it when you like", "STAYS PAUSED")
        }
        WorkloadKind::StatefulSet => {
            let has = "has a partition that Tidegate did not set. Take it away when you like";
            (partition > 0, has, "STAYS HELD by its partition")
        }
    };
    if !stands {
        return None;
    }
    let let_go = wording::let_go(kind, namespace, name);
    let annotation = |key: &str| object.pointer("/metadata/annotations").and_then(|all| all.get(key)?.as_str());
    if annotation(PAUSED_BECAUSE).is_none() {
        return Some(format!("  {kind} {name} {has}: {let_go}\n"));
    }
    // While the label is there the policies take the explanation off with the resume.
    let let_go = if keep_label { let_go } else { wording::let_go_for_good(kind, namespace, name) };
    let change = annotation(CHANGE).map(|change| format!(" ({change})")).unwrap_or_default();
    Some(format!(
        "  {kind} {name} {how}: its template{change} was never released; the pods from before it serve.\n    let it run:  {let_go}\n    or go back:  revert the template in Git and apply it, then run the same: nothing rolls then\n"
    ))
}

/// The label would hold the next change for ever, and what it had stamped speaks of a gate that is gone. Both go in one write: once the
/// label is off, the policies ask nothing more.
async fn ungate(
    cluster: &Cluster,
    kind: WorkloadKind,
    object: &Value,
    (namespace, name): (&str, &str),
    keep: bool,
) -> Option<String> {
    let gated = object.pointer("/metadata/labels").is_some_and(|all| all.get(GATED).is_some());
    if gated && keep {
        return Some(format!(
            "  {kind} {name} keeps the label {GATED}: its next change is held, and nothing releases it, as long as the\n  admission policies are installed.\n"
        ));
    }
    let metadata = ungated(kind, object, gated)?;
    Some(match cluster.mark(Kind::of_workload(kind), namespace, name, metadata).await {
        Ok(()) if !gated => return None,
        Ok(()) => format!(
            "  Label {GATED} taken off {kind} {name}. Take it out of the manifest in Git too: the next apply puts it back.\n"
        ),
        Err(error) if !gated => {
            format!("  What Tidegate stamped on {kind} {name} could not be taken off: {error}. It holds nothing.\n")
        }
        Err(error) => format!(
            "  Label {GATED} could NOT be taken off {kind} {name}: {error}.\n  Its next change is held, and nothing releases it: kubectl label {} {name} -n {namespace} {GATED}-\n",
            kind.resource()
        ),
    })
}

/// What of the metadata goes; none where there is nothing to take off.
fn ungated(kind: WorkloadKind, object: &Value, gated: bool) -> Option<Value> {
    let stamps = stamps(kind, object);
    if !gated && stamps.is_empty() {
        return None;
    }
    let mut metadata = json!({});
    if gated {
        metadata["labels"] = json!({GATED: null});
    }
    if !stamps.is_empty() {
        metadata["annotations"] = stamps.into_iter().map(|stamp| (stamp.to_owned(), Value::Null)).collect();
    }
    Some(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_was_never_released_is_named_with_both_ways_on() {
        let object = json!({"metadata": {"annotations": {PAUSED_BECAUSE: "x", CHANGE: "git:4f2c9e1"}}, "spec": {"paused": true}});
        insta::assert_snapshot!(held(WorkloadKind::Deployment, &object, ("shop", "web"), false).unwrap(), @r"
          Deployment web STAYS PAUSED: its template (git:4f2c9e1) was never released; the pods from before it serve.
            let it run:  kubectl rollout resume deployment/web -n shop && kubectl annotate deployment web -n shop tidegate.io/paused-because-
            or go back:  revert the template in Git and apply it, then run the same: nothing rolls then
        ");
        let by_others = json!({"spec": {"paused": true}});
        assert!(
            held(WorkloadKind::Deployment, &by_others, ("shop", "web"), false).unwrap().contains("not by Tidegate")
        );
        assert_eq!(held(WorkloadKind::Deployment, &json!({"spec": {}}), ("shop", "web"), false), None);
        let kept = held(WorkloadKind::Deployment, &object, ("shop", "web"), true).unwrap();
        assert!(!kept.contains("annotate"), "the policies take it off: {kept}");
    }

    #[test]
    fn the_stamps_go_in_the_write_that_takes_the_label_off() {
        let object = json!({"metadata": {"labels": {GATED: ""}, "annotations": {"tidegate.io/changed-by": "alice", PAUSED_BECAUSE: "x"}}, "spec": {}});
        let both =
            json!({"labels": {GATED: null}, "annotations": {"tidegate.io/changed-by": null, PAUSED_BECAUSE: null}});
        let annotations = json!({"annotations": both["annotations"]});
        assert_eq!(ungated(WorkloadKind::Deployment, &object, true), Some(both));
        assert_eq!(ungated(WorkloadKind::Deployment, &object, false), Some(annotations));
        let plain = json!({"metadata": {"labels": {"app": "web"}}, "spec": {}});
        assert_eq!(ungated(WorkloadKind::Deployment, &plain, true), Some(json!({"labels": {GATED: null}})));
        assert_eq!(ungated(WorkloadKind::Deployment, &plain, false), None);
    }

    #[test]
    fn a_stateful_set_is_let_go_by_its_partition() {
        let held = |object: &Value| held(WorkloadKind::StatefulSet, object, ("shop", "db"), false);
        let at = |partition: u32| json!({"updateStrategy": {"rollingUpdate": {"partition": partition}}});
        let object = json!({"metadata": {"annotations": {PAUSED_BECAUSE: "x", CHANGE: "git:4f2c9e1"}}, "spec": at(2_147_483_647)});
        insta::assert_snapshot!(held(&object).unwrap(), @r#"
          StatefulSet db STAYS HELD by its partition: its template (git:4f2c9e1) was never released; the pods from before it serve.
            let it run:  kubectl patch statefulset db -n shop -p '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}' && kubectl annotate statefulset db -n shop tidegate.io/paused-because-
            or go back:  revert the template in Git and apply it, then run the same: nothing rolls then
        "#);
        assert!(held(&json!({"spec": at(2)})).unwrap().contains("did not set"));
        assert_eq!(held(&json!({"spec": at(0)})), None);
        assert_eq!(held(&json!({"spec": {"paused": true}})), None, "no field of a StatefulSet");
    }

    #[test]
    fn the_previous_version_serves_where_a_rule_gives_it_weight() {
        let route = |weight: i64| json!({"spec": {"rules": [{"matches": []}, {"backendRefs": [{"name": "web", "weight": 0}, {"name": "web-previous", "weight": weight}]}]}});
        assert!(has_weight(&route(100), "web-previous"));
        assert!(!has_weight(&route(0), "web-previous") && !has_weight(&route(100), "web-canary"));
    }
}
