//! One clean shop, one thing that is wrong with it, and what is said.

mod count;
mod each;
mod elsewhere;
mod waves;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::release::world::World;

/// A workload that is adopted and held with a new template, with nothing in its way.
fn shop() -> (Snapshot, Surroundings) {
    let seen = World::new().seen;
    let service = seen.service.as_ref().unwrap().object.clone();
    (seen, Surroundings { services: vec![named("checkout", service)], ..Surroundings::default() })
}

fn named(name: &str, mut object: Value) -> Value {
    object["metadata"]["name"] = name.into();
    object
}

fn reasons(seen: &Snapshot, around: &Surroundings) -> Vec<(&'static str, Severity)> {
    preflight(seen, around).findings.iter().map(|finding| (finding.reason, finding.severity)).collect()
}

/// What is found once `spoil` was done to the clean shop.
fn found(spoil: impl FnOnce(&mut Snapshot, &mut Surroundings)) -> Vec<(&'static str, Severity)> {
    let (mut seen, mut around) = shop();
    spoil(&mut seen, &mut around);
    reasons(&seen, &around)
}

const REFUSE: Severity = Severity::Refuse;
const WARN: Severity = Severity::Warn;

#[test]
fn a_clean_shop_passes() {
    assert_eq!(found(|_, _| {}), []);
}

fn policy(name: &str, spec: Value) -> Value {
    json!({"metadata": {"name": name}, "spec": spec})
}

fn canary_pods() -> Value {
    json!({"matchLabels": {"app": "checkout-canary"}})
}

fn own_pods() -> Value {
    json!({"matchLabels": {"app": "checkout"}})
}

#[rstest]
#[case::closed_elsewhere(vec![json!({"podSelector": {}}), json!({"podSelector": own_pods(), "ingress": [{"ports": [{"port": 80}]}]})],
    vec![("NetworkPolicyMissesCanary", REFUSE)])]
#[case::open(vec![json!({"podSelector": own_pods(), "ingress": [{"ports": [{"port": 80}]}]})], vec![("NetworkPolicyNotBinding", WARN)])]
#[case::egress_closed(vec![json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": []}),
    json!({"podSelector": own_pods(), "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 5432}]}]})],
    vec![("NetworkPolicyMissesCanary", REFUSE)])]
#[case::allowed_to_all(vec![json!({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}),
    json!({"podSelector": own_pods(), "ingress": [{"ports": [{"port": 80}]}]})], vec![])]
#[case::by_expression(vec![json!({"podSelector": {}}), json!({"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["checkout"]}]}, "ingress": [{}]})],
    vec![("NetworkPolicyMissesCanary", REFUSE)])]
#[case::for_all(vec![json!({"podSelector": {}, "ingress": [{}]})], vec![])]
#[case::for_others(vec![json!({"podSelector": {"matchLabels": {"app": "cart"}}})], vec![])]
#[case::a_peer(vec![json!({"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"from": [{"podSelector": own_pods()}]}]})],
    vec![("NetworkPolicyPeerMissesCanary", REFUSE)])]
#[case::a_peer_from_anywhere(vec![json!({"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"from": [{"podSelector": own_pods()}]}, {}]})], vec![])]
#[case::a_peer_elsewhere(vec![json!({"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"from": [{"podSelector": own_pods(),
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "cart"}}}]}]})], vec![])]
#[case::a_peer_to_go_to(vec![json!({"podSelector": {"matchLabels": {"app": "cart"}}, "policyTypes": ["Egress"], "egress": [{"to": [{"podSelector": own_pods()}]}]})],
    vec![("NetworkPolicyPeerMissesCanary", REFUSE)])]
fn network_policies(#[case] specs: Vec<Value>, #[case] wanted: Vec<(&str, Severity)>) {
    let policies: Vec<_> =
        specs.into_iter().enumerate().map(|(index, spec)| policy(&format!("p{index}"), spec)).collect();
    let mut told = found(|_, around| around.network_policies = policies.clone());
    told.dedup();
    assert_eq!(told, wanted);
    let cloned = found(|seen, around| {
        around.network_policies = policies.clone();
        seen.release.spec.traffic.clone_network_policies = true;
    });
    assert_eq!(cloned, [], "where copies are made nothing is missed");
}

#[rstest]
#[case::missed(json!({"selector": {"app": "checkout"}}), vec![("ServiceMissesCanary", WARN)])]
#[case::reached(json!({"selector": {"tier": "web"}}), vec![("ServiceReachesCanary", WARN)])]
#[case::of_others(json!({"selector": {"app": "cart"}}), vec![])]
#[case::without_selector(json!({}), vec![])]
fn other_services(#[case] spec: Value, #[case] wanted: Vec<(&str, Severity)>) {
    let told = found(|seen, around| {
        let workload = seen.workload.as_mut().unwrap();
        workload.template["metadata"]["labels"]["tier"] = "web".into();
        workload.sets[0].template = workload.template.clone();
        around.services.push(policy("metrics", spec));
    });
    assert_eq!(told, wanted);
}

#[rstest]
#[case("ClusterIP", vec![])]
#[case("LoadBalancer", vec![("ServiceExposed", WARN)])]
#[case("NodePort", vec![("ServiceExposed", WARN)])]
fn a_service_that_is_open_to_the_outside(#[case] kind: &str, #[case] wanted: Vec<(&str, Severity)>) {
    let told = found(|seen, _| seen.service.as_mut().unwrap().object["spec"]["type"] = kind.into());
    assert_eq!(told, wanted);
}

#[rstest]
#[case::listed("HTTPRoute", "checkout", json!({"rules": [{"backendRefs": [{"name": "checkout"}]}]}), vec![])]
#[case::another("HTTPRoute", "internal", json!({"rules": [{"backendRefs": [{"name": "checkout"}]}]}), vec![("RouteNotGoverned", WARN)])]
#[case::filters_of_the_rule("HTTPRoute", "checkout", json!({"rules": [{"filters": [{"type": "X"}], "backendRefs": [{"name": "checkout"}]}]}), vec![])]
#[case::filters_of_its_own("HTTPRoute", "checkout", json!({"rules": [{"backendRefs": [{"name": "checkout", "filters": [{"type": "X"}]}]}]}), vec![("BackendFilters", WARN)])]
#[case::filters_of_another("HTTPRoute", "checkout", json!({"rules": [{"backendRefs": [{"name": "checkout"}, {"name": "cart", "filters": [{"type": "X"}]}]}]}), vec![])]
#[case::grpc("GRPCRoute", "checkout", json!({"rules": [{"backendRefs": [{"name": "checkout"}]}]}), vec![("RouteNotGoverned", WARN)])]
#[case::to_others("HTTPRoute", "internal", json!({"rules": [{"backendRefs": [{"name": "cart"}]}]}), vec![])]
#[case::ingress("Ingress", "web", json!({"rules": [{"http": {"paths": [{"backend": {"service": {"name": "checkout"}}}]}}]}), vec![("RouteNotGoverned", WARN)])]
#[case::ingress_by_default("Ingress", "web", json!({"defaultBackend": {"service": {"name": "checkout"}}}), vec![("RouteNotGoverned", WARN)])]
fn traffic_that_no_route_governs(
    #[case] kind: &str,
    #[case] name: &str,
    #[case] spec: Value,
    #[case] wanted: Vec<(&str, Severity)>,
) {
    let mut route = policy(name, spec);
    route["kind"] = kind.into();
    assert_eq!(found(|_, around| around.routes.push(route)), wanted);
}

#[rstest]
#[case::by_the_label(json!({"selector": own_pods()}), vec![])]
#[case::over_all(json!({"selector": {}}), vec![("PdbCoversCanary", WARN)])]
#[case::over_others(json!({"selector": {"matchLabels": {"app": "cart"}}}), vec![])]
fn disruption_budgets(#[case] spec: Value, #[case] wanted: Vec<(&str, Severity)>) {
    assert_eq!(found(|_, around| around.budgets.push(policy("pdb", spec))), wanted);
}

#[rstest]
#[case::tls("BackendTLSPolicy", json!({"targetRefs": [{"kind": "Service", "name": "checkout"}]}), vec![("PolicyMissesCanary", REFUSE)])]
#[case::retries("BackendTrafficPolicy", json!({"targetRef": {"kind": "Service", "name": "checkout"}}), vec![("PolicyMissesCanary", WARN)])]
#[case::for_all_three("BackendTLSPolicy", json!({"targetRefs": [{"kind": "Service", "name": "checkout"}, {"kind": "Service", "name": "checkout-canary"}, {"kind": "Service", "name": "checkout-previous"}]}), vec![])]
#[case::on_the_route("BackendTrafficPolicy", json!({"targetRef": {"kind": "HTTPRoute", "name": "checkout"}}), vec![])]
fn policies_attached_to_the_service(#[case] kind: &str, #[case] spec: Value, #[case] wanted: Vec<(&str, Severity)>) {
    let mut attached = policy("p", spec);
    attached["kind"] = kind.into();
    assert_eq!(found(|_, around| around.attached.push(attached)), wanted);
}

#[rstest]
#[case("checkout", vec![("DestinationRuleMissesCanary", WARN)])]
#[case("checkout.shop.svc.cluster.local", vec![("DestinationRuleMissesCanary", WARN)])]
#[case("*.shop.svc.cluster.local", vec![])]
#[case("cart", vec![])]
fn destination_rules(#[case] host: &str, #[case] wanted: Vec<(&str, Severity)>) {
    assert_eq!(found(|_, around| around.destinations.push(policy("d", json!({"host": host})))), wanted);
}

#[rstest]
#[case::alone(vec![json!({"selector": own_pods(), "action": "ALLOW"})], vec![("AuthorizationPolicyMissesCanary", WARN)])]
#[case::beside_one_for_all(vec![json!({}), json!({"selector": own_pods()})], vec![("AuthorizationPolicyMissesCanary", REFUSE)])]
#[case::for_all(vec![json!({})], vec![])]
#[case::denies(vec![json!({}), json!({"selector": own_pods(), "action": "DENY"})], vec![("AuthorizationPolicyMissesCanary", WARN)])]
fn authorization_policies(#[case] specs: Vec<Value>, #[case] wanted: Vec<(&str, Severity)>) {
    let all = specs.into_iter().map(|spec| policy("a", spec)).collect();
    assert_eq!(found(|_, around| around.authorizations = all), wanted);
}

/// A check over HTTP, of the Service's first port.
fn checked(seen: &mut Snapshot) {
    let check = json!({"name": "cart", "http": {"path": "/cart"}});
    seen.release.spec.analysis.checks = vec![serde_json::from_value(check).unwrap()];
}

/// PeerAuthentications of the namespace, then of the mesh.
#[rstest]
#[case::none(vec![], vec![], false)]
#[case::of_the_namespace(vec![json!({"mtls": {"mode": "STRICT"}})], vec![], true)]
#[case::of_the_mesh(vec![], vec![json!({"mtls": {"mode": "STRICT"}})], true)]
#[case::permissive_here(vec![json!({"mtls": {"mode": "PERMISSIVE"}})], vec![json!({"mtls": {"mode": "STRICT"}})], false)]
#[case::left_to_the_mesh(vec![json!({"mtls": {"mode": "UNSET"}})], vec![json!({"mtls": {"mode": "STRICT"}})], true)]
#[case::of_other_pods(vec![json!({"selector": {"matchLabels": {"app": "db"}}, "mtls": {"mode": "STRICT"}})], vec![], false)]
#[case::of_pods_of_the_mesh_itself(vec![], vec![json!({"selector": canary_pods(), "mtls": {"mode": "STRICT"}})], false)]
#[case::of_its_pods(vec![json!({"selector": canary_pods(), "mtls": {"mode": "STRICT"}})], vec![], true)]
#[case::of_its_pods_before_all([json!({"mtls": {"mode": "STRICT"}}), json!({"selector": canary_pods(), "mtls": {"mode": "PERMISSIVE"}})].into(), vec![], false)]
#[case::an_exemption_that_misses_the_canary(vec![json!({"mtls": {"mode": "STRICT"}}), json!({"selector": own_pods(), "mtls": {"mode": "DISABLE"}})], vec![], true)]
#[case::another_port(vec![json!({"selector": canary_pods(), "mtls": {"mode": "STRICT"}, "portLevelMtls": {"80": {"mode": "PERMISSIVE"}}})], vec![], true)]
#[case::the_port_of_the_pod(vec![json!({"selector": canary_pods(), "mtls": {"mode": "STRICT"}, "portLevelMtls": {"8080": {"mode": "PERMISSIVE"}}})], vec![], false)]
#[case::the_port_alone(vec![json!({"selector": canary_pods(), "portLevelMtls": {"8080": {"mode": "STRICT"}}})], vec![], true)]
fn mutual_tls_is_told_where_a_check_asks_in_plain_http(
    #[case] here: Vec<Value>,
    #[case] mesh: Vec<Value>,
    #[case] told: bool,
) {
    let spoil = |asks: fn(&mut Snapshot)| {
        found(|seen, around| {
            asks(seen);
            seen.service.as_mut().unwrap().object["spec"]["ports"][0]["targetPort"] = "http".into();
            let workload = seen.workload.as_mut().unwrap();
            workload.template["spec"]["containers"][0]["ports"] = json!([{"name": "http", "containerPort": 8080}]);
            workload.sets[0].template = workload.template.clone();
            around.peer_authentications = here.iter().map(|spec| policy("p", spec.clone())).collect();
            let of_mesh = |spec: &Value| json!({"metadata": {"name": "m", "namespace": "istio-system"}, "spec": spec});
            around.elsewhere.peer_authentications = mesh.iter().map(of_mesh).collect();
        })
    };
    let wanted = if told { vec![("PeerAuthenticationStrict", WARN)] } else { vec![] };
    assert_eq!(spoil(checked), wanted);
    assert_eq!(spoil(|_| {}), [], "nothing is asked over HTTP");
}

#[test]
fn mutual_tls_is_told_once_a_policy_with_its_checks_and_the_remedy() {
    let (mut seen, mut around) = shop();
    checked(&mut seen);
    let again = seen.release.spec.analysis.checks[0].clone();
    seen.release.spec.analysis.checks.push(again);
    seen.release.spec.analysis.checks[1].name = "login".into();
    around.peer_authentications = vec![policy("default", json!({"mtls": {"mode": "STRICT"}}))];
    let findings = preflight(&seen, &around).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].object, "PeerAuthentication shop/default");
    for word in [
        "the canary (app=checkout-canary)",
        "cart (port 80), login (port 80)",
        "portLevelMtls",
        "a Job",
        "CheckNotAsked",
    ] {
        assert!(findings[0].message.contains(word), "{}", findings[0].message);
    }
}

#[rstest]
#[case::by_what_is_kept("app", vec![])]
#[case::by_what_tools_own("app.kubernetes.io/instance", vec![("ServiceMonitorMissesCanary", WARN)])]
#[case::of_others("other", vec![])]
fn service_monitors(#[case] key: &str, #[case] wanted: Vec<(&str, Severity)>) {
    let told = found(|seen, around| {
        let labels = json!({"app": "checkout", "app.kubernetes.io/instance": "checkout"});
        seen.service.as_mut().unwrap().object["metadata"]["labels"] = labels;
        around.service_monitors.push(policy("m", json!({"selector": {"matchLabels": {key: "checkout"}}})));
    });
    assert_eq!(told, wanted);
}

#[rstest]
#[case::here(json!({"selector": own_pods()}), vec![("PodMonitorMissesCanary", WARN)])]
#[case::elsewhere(json!({"selector": own_pods(), "namespaceSelector": {"matchNames": ["cart"]}}), vec![])]
#[case::all(json!({"selector": {}}), vec![])]
fn pod_monitors(#[case] spec: Value, #[case] wanted: Vec<(&str, Severity)>) {
    assert_eq!(found(|_, around| around.pod_monitors.push(policy("m", spec))), wanted);
}

#[rstest]
#[case::one_node(Some(json!({"spec": {"accessModes": ["ReadWriteOnce"]}})), vec![("VolumeNotShareable", REFUSE)])]
#[case::one_pod(Some(json!({"spec": {"accessModes": ["ReadWriteOncePod"]}})), vec![("VolumeNotShareable", REFUSE)])]
#[case::many(Some(json!({"spec": {"accessModes": ["ReadWriteOnce", "ReadWriteMany"]}})), vec![])]
#[case::to_read(Some(json!({"spec": {"accessModes": ["ReadOnlyMany"]}})), vec![])]
#[case::none(None, vec![("ClaimMissing", REFUSE)])]
fn claims(#[case] claim: Option<Value>, #[case] wanted: Vec<(&str, Severity)>) {
    let told = found(|seen, around| {
        template(seen)["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
        around.claims.push(("data".to_owned(), claim));
    });
    assert_eq!(told, wanted);
}

fn template(seen: &mut Snapshot) -> &mut Value {
    &mut seen.workload.as_mut().unwrap().template
}

/// A required podAffinity over the workload's own pods that excludes those of another value of the label.
fn together_but_not_with(other: &str) -> Value {
    let expressions = json!([
        {"key": "app", "operator": "In", "values": ["checkout"]},
        {"key": "app", "operator": "NotIn", "values": [other]},
    ]);
    json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": {"matchExpressions": expressions}}]}})
}

fn anti(selector: Value) -> Value {
    json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}]}})
}

#[rstest]
#[case::host_path("/spec/volumes", json!([{"name": "d", "hostPath": {"path": "/d"}}]), vec![("HostPathShared", WARN)])]
#[case::empty_dir("/spec/volumes", json!([{"name": "d", "emptyDir": {}}]), vec![])]
#[case::host_port("/spec/containers", json!([{"name": "app", "ports": [{"hostPort": 80, "containerPort": 80}]}]), vec![("HostPortTaken", WARN)])]
#[case::a_port("/spec/containers", json!([{"name": "app", "ports": [{"containerPort": 80}]}]), vec![])]
#[case::away_by_the_label("/spec/affinity", anti(own_pods()), vec![])]
#[case::away_by_existence("/spec/affinity", anti(json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]})), vec![("AffinityKeepsCanaryAway", WARN)])]
#[case::away_from_others("/spec/affinity", anti(json!({"matchLabels": {"app": "cart"}})), vec![])]
#[case::together_by_the_label("/spec/affinity", json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": own_pods()}]}}), vec![])]
#[case::together_in_no_way("/spec/affinity", together_but_not_with("checkout-canary"), vec![("AffinityUnsatisfiable", REFUSE)])]
#[case::together_but_not_with_others("/spec/affinity", together_but_not_with("cart"), vec![])]
#[case::reads_the_label("/spec/containers", json!([{"name": "app", "env": [{"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}]}]), vec![("LabelIsRead", WARN)])]
#[case::reads_its_name("/spec/containers", json!([{"name": "app", "env": [{"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}]), vec![])]
#[case::reads_all_labels("/spec/volumes", json!([{"name": "info", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]), vec![("LabelIsRead", WARN)])]
fn templates(#[case] place: &str, #[case] value: Value, #[case] wanted: Vec<(&str, Severity)>) {
    let told = found(|seen, _| {
        let field = place.trim_start_matches("/spec/");
        template(seen)["spec"][field] = value;
    });
    assert_eq!(told, wanted);
}

#[rstest]
#[case::by_git(json!([{"manager": "kustomize-controller", "fieldsV1": {"f:spec": {"f:paused": {}}}}]), vec![("PausedOwned", WARN)])]
#[case::by_us(json!([{"manager": "tidegate", "fieldsV1": {"f:spec": {"f:paused": {}}}}]), vec![])]
#[case::by_nobody(json!([{"manager": "kustomize-controller", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]), vec![])]
fn owners_of_the_pause(#[case] fields: Value, #[case] wanted: Vec<(&str, Severity)>) {
    assert_eq!(found(|_, around| around.workload = json!({"metadata": {"managedFields": fields}})), wanted);
}

#[rstest]
#[case("argocd.argoproj.io/sync-wave", vec![])]
#[case("argocd.argoproj.io/hook", vec![("ArgoHook", WARN)])]
#[case("argocd.argoproj.io/tracking-id", vec![])]
fn argo_cd(#[case] key: &str, #[case] wanted: Vec<(&str, Severity)>) {
    assert_eq!(found(|_, around| around.workload = json!({"metadata": {"annotations": {key: "1"}}})), wanted);
}

fn hook_after_the_sync(around: &mut Surroundings) {
    around.jobs.push(
        json!({"kind": "Job", "metadata": {"name": "smoke", "annotations": {"argocd.argoproj.io/hook": "PostSync"}}}),
    );
}

fn autoscaler(name: &str, owner: Option<&str>) -> Value {
    let owners = owner.map_or(json!([]), |kind| json!([{"kind": kind, "name": "checkout"}]));
    json!({"metadata": {"name": name, "ownerReferences": owners}, "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "checkout"}}})
}

#[rstest]
#[case::one(vec![autoscaler("a", None)], vec![])]
#[case::two(vec![autoscaler("a", None), autoscaler("b", None)], vec![("TwoAutoscalers", WARN)])]
#[case::of_keda(vec![autoscaler("a", Some("ScaledObject"))], vec![("AutoscalerOwned", WARN)])]
fn autoscalers(#[case] all: Vec<Value>, #[case] wanted: Vec<(&str, Severity)>) {
    assert_eq!(found(|_, around| around.autoscalers = all), wanted);
}

#[test]
fn a_workload_is_not_adopted_in_the_middle_of_a_roll() {
    let two = |seen: &mut Snapshot| {
        let workload = seen.workload.as_mut().unwrap();
        let mut other = workload.sets[0].clone();
        other.name = "checkout-other".into();
        workload.sets.push(other);
    };
    assert_eq!(found(|seen, _| two(seen)), [], "one that is adopted may restart");
    let told = found(|seen, _| {
        two(seen);
        seen.record = None;
    });
    assert_eq!(told, [("NotSettled", REFUSE)]);
    let remedy = |held: bool| {
        let (mut seen, around) = shop();
        two(&mut seen);
        seen.record = None;
        let workload = seen.workload.as_mut().unwrap();
        (workload.paused, workload.paused_because) = (held, held.then(|| "held".to_owned()));
        preflight(&seen, &around).findings.remove(0).message
    };
    let (rolls, stands) = (remedy(false), remedy(true));
    assert!(rolls.contains("(kubectl rollout status deployment/checkout -n shop), or undo it."), "{rolls}");
    assert!(stands.contains("let go: kubectl rollout resume deployment/checkout -n shop"), "{stands}");
}

#[rstest]
#[case::fits(json!({"pods": "13"}), vec![])]
#[case::too_few(json!({"pods": "12"}), vec![("QuotaTooSmall", REFUSE)])]
#[case::not_said(json!({"limits.cpu": "100"}), vec![("QuotaNotComputed", WARN)])]
fn quotas(#[case] hard: Value, #[case] wanted: Vec<(&str, Severity)>) {
    let quota = json!({"metadata": {"name": "team"}, "status": {"hard": hard, "used": {"pods": "4"}}});
    assert_eq!(found(|_, around| around.quotas.push(quota)), wanted);
}

#[test]
fn a_quota_is_named_with_what_is_needed_and_free() {
    let (seen, mut around) = shop();
    around
        .quotas
        .push(json!({"metadata": {"name": "team"}, "status": {"hard": {"pods": "10"}, "used": {"pods": "4"}}}));
    let found = preflight(&seen, &around).findings;
    assert_eq!(found[0].object, "ResourceQuota shop/team");
    assert!(
        found[0].message.starts_with("pods: a release needs 9 more at its worst moment, 6 of 10 are free"),
        "{}",
        found[0].message
    );
}

#[test]
fn what_is_refused_comes_first_and_a_kind_that_the_cluster_lacks_is_no_note() {
    let (seen, mut around) = shop();
    around.workload = json!({"metadata": {"annotations": {"argocd.argoproj.io/hook": "Sync"}}});
    around.quotas.push(json!({"metadata": {"name": "team"}, "status": {"hard": {"pods": "4"}, "used": {"pods": "4"}}}));
    let unseen = |kind: &str, exists| Unseen { kind: kind.into(), why: "why".into(), exists };
    around.unseen = vec![unseen("PodMonitor", false), unseen("NetworkPolicy", true)];
    let told = preflight(&seen, &around);
    assert_eq!(told.findings.iter().map(|one| one.reason).collect::<Vec<_>>(), ["QuotaTooSmall", "ArgoHook"]);
    assert_eq!(told.unseen, ["NetworkPolicy could not be looked at: why"]);
}

#[test]
fn every_finding_has_its_section_in_the_docs() {
    let docs = include_str!("../../../docs/preflight.md");
    let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !docs.contains(&format!("`{reason}`"))).collect();
    assert!(missing.is_empty(), "docs/preflight.md says nothing of {missing:?}");
}
