//! The same things around workloads without a route: what can be in the way of a canary under the workload's own labels, and
//! of a StatefulSet, beside which nothing stands.

use super::*;
use crate::api::names::HELD_PARTITION;
use crate::release::snapshot::Ordinals;

/// A settled workload without a route.
fn shop(kind: &str) -> (Snapshot, Surroundings) {
    let seen = World::by_count(kind).seen;
    let service = seen.service.as_ref().unwrap().object.clone();
    (seen, Surroundings { services: vec![named("checkout", service)], ..Surroundings::default() })
}

type Spoil = fn(&mut Snapshot, &mut Surroundings);

fn told(kind: &str, spoil: Spoil) -> Vec<(&'static str, Severity)> {
    let (mut seen, mut around) = shop(kind);
    spoil(&mut seen, &mut around);
    let told = reasons(&seen, &around);
    // A remedy speaks of the kind that is there.
    for finding in preflight(&seen, &around).findings {
        let other = if kind == "Deployment" { "statefulset" } else { "deployment/" };
        assert!(!finding.message.contains(other), "{}: {}", finding.reason, finding.message);
        assert!(!finding.message.contains("previous version"), "{}: {}", finding.reason, finding.message);
    }
    told
}

fn volume(seen: &mut Snapshot, around: &mut Surroundings, mode: &str) {
    template(seen)["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    around.claims.push(("data".to_owned(), Some(json!({"spec": {"accessModes": [mode]}}))));
}

fn scaler(kind: &str, name: &str, owner: Option<&str>) -> Value {
    let mut one = autoscaler(name, owner);
    one["spec"]["scaleTargetRef"]["kind"] = kind.into();
    one
}

/// What is wrong, what it means for a Deployment, and for a StatefulSet.
#[rstest]
#[case::nothing(|_: &mut Snapshot, _: &mut Surroundings| {}, vec![], vec![])]
#[case::policies_by_label(|_: &mut Snapshot, around: &mut Surroundings| around.network_policies = vec![policy("a", json!({"podSelector": {}})),
    policy("b", json!({"podSelector": own_pods(), "ingress": [{"ports": [{"port": 80}]}]})),
    policy("c", json!({"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"from": [{"podSelector": own_pods()}]}]}))], vec![], vec![])]
#[case::authorization(|_: &mut Snapshot, around: &mut Surroundings| around.authorizations = vec![policy("a", json!({})), policy("b", json!({"selector": own_pods()}))], vec![], vec![])]
#[case::strict_mtls(|seen: &mut Snapshot, around: &mut Surroundings| { checked(seen); around.peer_authentications = vec![policy("a", json!({"mtls": {"mode": "STRICT"}}))] }, vec![], vec![])]
#[case::another_service(|_: &mut Snapshot, around: &mut Surroundings| around.services.push(policy("headless", json!({"selector": {"app": "checkout"}, "clusterIP": "None"}))), vec![], vec![])]
#[case::an_open_service(|seen: &mut Snapshot, _: &mut Surroundings| seen.service.as_mut().unwrap().object["spec"]["type"] = "LoadBalancer".into(), vec![], vec![])]
#[case::a_route(|_: &mut Snapshot, around: &mut Surroundings| around.routes.push(json!({"kind": "HTTPRoute", "metadata": {"name": "web"}, "spec": {"rules": [{"backendRefs": [{"name": "checkout"}]}]}})), vec![], vec![])]
#[case::a_disruption_budget(|_: &mut Snapshot, around: &mut Surroundings| around.budgets.push(policy("pdb", json!({"selector": {}}))), vec![], vec![])]
#[case::an_attached_policy(|_: &mut Snapshot, around: &mut Surroundings| around.attached.push(json!({"kind": "BackendTLSPolicy", "metadata": {"name": "p"}, "spec": {"targetRefs": [{"kind": "Service", "name": "checkout"}]}})), vec![], vec![])]
#[case::a_destination(|_: &mut Snapshot, around: &mut Surroundings| around.destinations.push(policy("d", json!({"host": "checkout"}))), vec![], vec![])]
#[case::monitors(|seen: &mut Snapshot, around: &mut Surroundings| {
    seen.service.as_mut().unwrap().object["metadata"]["labels"] = json!({"app.kubernetes.io/instance": "checkout"});
    around.service_monitors.push(policy("m", json!({"selector": {"matchLabels": {"app.kubernetes.io/instance": "checkout"}}})));
    around.pod_monitors.push(policy("m", json!({"selector": own_pods()})));
}, vec![], vec![])]
#[case::a_volume_of_one_node(|seen: &mut Snapshot, around: &mut Surroundings| volume(seen, around, "ReadWriteOnce"), vec![("VolumeNotShareable", REFUSE)], vec![])]
#[case::a_volume_of_many(|seen: &mut Snapshot, around: &mut Surroundings| volume(seen, around, "ReadWriteMany"), vec![], vec![])]
#[case::a_missing_volume(|seen: &mut Snapshot, around: &mut Surroundings| {
    volume(seen, around, "ReadWriteOnce");
    around.claims[0].1 = None;
}, vec![("ClaimMissing", REFUSE)], vec![("ClaimMissing", REFUSE)])]
#[case::a_directory(|seen: &mut Snapshot, _: &mut Surroundings| template(seen)["spec"]["volumes"] = json!([{"name": "d", "hostPath": {"path": "/d"}}]), vec![("HostPathShared", WARN)], vec![("HostPathShared", WARN)])]
#[case::a_port_of_the_node(|seen: &mut Snapshot, _: &mut Surroundings| template(seen)["spec"]["containers"] = json!([{"name": "app", "ports": [{"hostPort": 80}]}]), vec![("HostPortTaken", WARN)], vec![])]
#[case::away_from_each_other(|seen: &mut Snapshot, _: &mut Surroundings| template(seen)["spec"]["affinity"] = anti(own_pods()), vec![("AffinityKeepsCanaryAway", WARN)], vec![])]
#[case::away_from_others(|seen: &mut Snapshot, _: &mut Surroundings| template(seen)["spec"]["affinity"] = anti(json!({"matchLabels": {"app": "cart"}})), vec![], vec![])]
#[case::away_by_the_hash(|seen: &mut Snapshot, _: &mut Surroundings| {
    let mut affinity = anti(own_pods());
    affinity["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]["matchLabelKeys"] = json!(["pod-template-hash"]);
    template(seen)["spec"]["affinity"] = affinity;
}, vec![], vec![])]
#[case::reads_its_labels(|seen: &mut Snapshot, _: &mut Surroundings| template(seen)["spec"]["containers"] = json!([{"name": "app", "env": [{"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}]}]), vec![], vec![])]
#[case::no_history(|seen: &mut Snapshot, _: &mut Surroundings| seen.workload.as_mut().unwrap().spec = json!({"revisionHistoryLimit": 0}), vec![("HistoryTooShort", REFUSE)], vec![])]
#[case::a_wave(|_: &mut Snapshot, around: &mut Surroundings| hook_after_the_sync(around), vec![("ArgoSyncWave", WARN)], vec![])]
#[case::a_hook(|_: &mut Snapshot, around: &mut Surroundings| around.workload = json!({"metadata": {"annotations": {"argocd.argoproj.io/hook": "Sync"}}}), vec![("ArgoHook", WARN)], vec![("ArgoHook", WARN)])]
#[case::a_manifest_that_lets_go(|_: &mut Snapshot, around: &mut Surroundings| around.workload = applied(r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}"#), vec![], vec![("PartitionStated", WARN)])]
#[case::a_manifest_that_moves_what_is_held(|_: &mut Snapshot, around: &mut Surroundings| around.workload = applied(r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":2}}}}"#), vec![], vec![("PartitionStated", WARN)])]
#[case::a_manifest_without_a_partition(|_: &mut Snapshot, around: &mut Surroundings| around.workload = applied(r#"{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}"#), vec![], vec![])]
#[case::a_manifest_that_nobody_can_read(|_: &mut Snapshot, around: &mut Surroundings| around.workload = applied("{"), vec![], vec![])]
#[case::one_scaler_of_each_kind(|_: &mut Snapshot, around: &mut Surroundings| around.autoscalers = vec![scaler("Deployment", "a", None), scaler("StatefulSet", "b", None)], vec![], vec![])]
#[case::two_scalers(|_: &mut Snapshot, around: &mut Surroundings| around.autoscalers = ["Deployment", "StatefulSet"].into_iter().flat_map(|kind| [scaler(kind, "a", None), scaler(kind, "b", None)]).collect(),
    vec![("TwoAutoscalers", WARN)], vec![("TwoAutoscalers", WARN)])]
#[case::a_scaler_of_keda(|_: &mut Snapshot, around: &mut Surroundings| around.autoscalers = vec![scaler("Deployment", "a", Some("ScaledObject")), scaler("StatefulSet", "b", Some("ScaledObject"))],
    vec![("AutoscalerOwned", WARN)], vec![("AutoscalerOwned", WARN)])]
fn what_lies_around(
    #[case] spoil: Spoil,
    #[case] of_a_deployment: Vec<(&str, Severity)>,
    #[case] of_a_stateful_set: Vec<(&str, Severity)>,
) {
    assert_eq!(told("Deployment", spoil), of_a_deployment, "Deployment");
    assert_eq!(told("StatefulSet", spoil), of_a_stateful_set, "StatefulSet");
}

/// Four pods: a canary of four at most and one of surge for a Deployment, nothing more for a StatefulSet.
#[rstest]
#[case::deployment("Deployment", "9", vec![], "")]
#[case::too_few("Deployment", "8", vec![("QuotaTooSmall", REFUSE)],
    "pods: a release needs 5 more at its worst moment, 4 of 8 are free (9 pods: 4 of the workload, 1 of its rolling update, 4 of the canary). Raise the quota, or give the Deployment a smaller maxSurge or fewer replicas.")]
#[case::stateful_set("StatefulSet", "4", vec![], "")]
fn quotas_of_pods(#[case] kind: &str, #[case] hard: &str, #[case] wanted: Vec<(&str, Severity)>, #[case] says: &str) {
    let (seen, mut around) = shop(kind);
    let quota = json!({"metadata": {"name": "team"}, "status": {"hard": {"pods": hard}, "used": {"pods": "4"}}});
    around.quotas.push(quota);
    assert_eq!(reasons(&seen, &around), wanted);
    let message = preflight(&seen, &around).findings.first().map(|finding| finding.message.clone()).unwrap_or_default();
    assert_eq!(message, says);
}

#[test]
fn a_stateful_set_whose_new_pods_ask_for_more_needs_that_much_more() {
    let (mut seen, mut around) = shop("StatefulSet");
    let asks = |cpu: &str| json!({"requests": {"cpu": cpu}});
    seen.workload.as_mut().unwrap().sets[0].template["spec"]["containers"][0]["resources"] = asks("1");
    template(&mut seen)["spec"]["containers"][0]["resources"] = asks("1500m");
    let quota =
        json!({"metadata": {"name": "team"}, "status": {"hard": {"requests.cpu": "5"}, "used": {"requests.cpu": "4"}}});
    around.quotas.push(quota);
    let found = preflight(&seen, &around).findings;
    assert_eq!(
        found[0].message,
        "requests.cpu: a release needs 2 more at its worst moment, 1 of 5 are free (4 pods: 4 of the workload). Raise the quota, or let the template's containers ask for less."
    );
}

fn ordinals(seen: &mut Snapshot) -> &mut Ordinals {
    match &mut seen.workload.as_mut().unwrap().kind {
        crate::release::snapshot::KindSeen::StatefulSet(ordinals) => ordinals,
        crate::release::snapshot::KindSeen::Deployment => panic!("a Deployment has no ordinals"),
    }
}

fn at(seen: &mut Snapshot, partition: u32) {
    ordinals(seen).partition = partition;
    ordinals(seen).update = "checkout-new".into();
    seen.workload.as_mut().unwrap().paused = partition > 0;
}

#[rstest]
#[case::rolls_before_adoption(|seen: &mut Snapshot, _: &mut Surroundings| {
    at(seen, 0);
    seen.record = None;
}, vec![("NotSettled", REFUSE)])]
#[case::restarts_under_the_gate(|seen: &mut Snapshot, _: &mut Surroundings| at(seen, 0), vec![])]
#[case::held_by_us(|seen: &mut Snapshot, _: &mut Surroundings| {
    at(seen, HELD_PARTITION);
    seen.workload.as_mut().unwrap().paused_because = Some("held".into());
}, vec![])]
#[case::kept_by_a_partition_of_their_own(|seen: &mut Snapshot, _: &mut Surroundings| at(seen, 2), vec![("NotSettled", REFUSE), ("PausedByOthers", WARN)])]
#[case::a_partition_that_keeps_nothing_yet(|seen: &mut Snapshot, _: &mut Surroundings| {
    at(seen, 2);
    let update = ordinals(seen);
    update.update = update.current.clone();
}, vec![("PausedByOthers", WARN)])]
fn whether_a_stateful_set_is_settled(#[case] spoil: Spoil, #[case] wanted: Vec<(&str, Severity)>) {
    assert_eq!(told("StatefulSet", spoil), wanted);
}

#[test]
fn a_roll_that_goes_on_is_named_with_its_revisions_and_the_way_out() {
    let (mut seen, around) = shop("StatefulSet");
    at(&mut seen, 0);
    let current = ordinals(&mut seen).current.clone();
    seen.record = None;
    let finding = &preflight(&seen, &around).findings[0];
    assert_eq!(finding.object, "StatefulSet shop/checkout");
    assert!(finding.message.contains(&current) && finding.message.contains("checkout-new"), "{}", finding.message);
    assert!(finding.message.contains("kubectl rollout undo statefulset/checkout -n shop"), "{}", finding.message);
    seen = shop("StatefulSet").0;
    at(&mut seen, 2);
    let finding = &preflight(&seen, &around).findings[0];
    assert!(
        finding.message.contains("Its partition 2") && finding.message.contains("\"partition\":0"),
        "{}",
        finding.message
    );
}

/// A workload as `kubectl apply` leaves it.
fn applied(manifest: &str) -> Value {
    json!({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": manifest}}})
}

fn manager(name: &str, operation: &str, field: Value) -> Value {
    json!([{"manager": name, "operation": operation, "fieldsV1": {"f:spec": field}}])
}

#[rstest]
#[case::applied("kustomize-controller", "Apply", vec![("PartitionOwned", WARN)])]
#[case::defaulted("kubectl-create", "Update", vec![])]
#[case::ours("tidegate", "Apply", vec![])]
fn owners_of_the_partition(#[case] name: &str, #[case] operation: &str, #[case] wanted: Vec<(&'static str, Severity)>) {
    let (seen, mut around) = shop("StatefulSet");
    let field = json!({"f:updateStrategy": {"f:rollingUpdate": {"f:partition": {}}}});
    around.workload = json!({"metadata": {"managedFields": manager(name, operation, field)}});
    assert_eq!(reasons(&seen, &around), wanted);
    around.workload = json!({"metadata": {"managedFields": manager(name, operation, json!({"f:paused": {}}))}});
    assert_eq!(reasons(&seen, &around), [], "it has no such field");
}

#[test]
fn a_claim_template_takes_the_place_of_a_volume_of_its_name() {
    let (mut seen, mut around) = shop("StatefulSet");
    volume(&mut seen, &mut around, "ReadWriteOnce");
    around.claims[0].1 = None;
    seen.workload.as_mut().unwrap().spec["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"}}]);
    assert_eq!(reasons(&seen, &around), []);
}
