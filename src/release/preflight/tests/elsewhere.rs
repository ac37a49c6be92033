//! What stands in other namespaces and means this one's pods, and what only seems to.

use super::super::elsewhere::Elsewhere;
use super::*;

/// A policy of the namespace `data` over the database's pods.
fn database(name: &str, rules: Value) -> Value {
    of_data(name, json!({"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"], "ingress": rules}))
}

fn of_data(name: &str, spec: Value) -> Value {
    of("data", name, spec)
}

fn of(namespace: &str, name: &str, spec: Value) -> Value {
    json!({"kind": "Thing", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
}

/// Peers of the release's namespace, by name or by another label.
fn peers(key: &str, value: &str, pods: Value) -> Value {
    json!([{"namespaceSelector": {"matchLabels": {key: value}}, "podSelector": pods}])
}

const BY_NAME: &str = "kubernetes.io/metadata.name";

fn told(spoil: impl FnOnce(&mut Snapshot, &mut Elsewhere)) -> Preflight {
    let (mut seen, mut around) = shop();
    let mut elsewhere = Elsewhere::default();
    spoil(&mut seen, &mut elsewhere);
    around.home = [("team".to_owned(), "shop".to_owned())].into();
    around.elsewhere = elsewhere;
    preflight(&seen, &around)
}

fn words(told: &Preflight) -> Vec<(&'static str, Severity)> {
    told.findings.iter().map(|finding| (finding.reason, finding.severity)).collect()
}

const CUT_OFF: &[(&str, Severity)] = &[("NetworkPolicyPeerMissesCanary", REFUSE)];

#[rstest]
#[case::by_the_name(vec![database("a", json!([{"from": peers(BY_NAME, "shop", own_pods())}]))], CUT_OFF)]
#[case::by_a_label_of_the_namespace(vec![database("a", json!([{"from": peers("team", "shop", own_pods())}]))], CUT_OFF)]
#[case::of_all_namespaces(vec![database("a", json!([{"from": [{"namespaceSelector": {}, "podSelector": own_pods()}]}]))], CUT_OFF)]
#[case::to_the_pods(vec![of_data("a", json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": peers(BY_NAME, "shop", own_pods())}]}))], CUT_OFF)]
#[case::of_another_namespace(vec![database("a", json!([{"from": peers(BY_NAME, "cart", own_pods())}]))], &[])]
#[case::of_its_own_pods(vec![database("a", json!([{"from": [{"podSelector": own_pods()}]}]))], &[])]
#[case::of_the_whole_namespace(vec![database("a", json!([{"from": [{"namespaceSelector": {"matchLabels": {BY_NAME: "shop"}}}]}]))], &[])]
#[case::by_a_label_that_copies_keep(vec![database("a", json!([{"from": peers(BY_NAME, "shop", json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]}))}]))], &[])]
#[case::of_other_pods(vec![database("a", json!([{"from": peers(BY_NAME, "shop", json!({"matchLabels": {"app": "cart"}}))}]))], &[])]
#[case::let_in_beside_it(vec![database("a", json!([{"from": peers(BY_NAME, "shop", own_pods())}])),
    of_data("b", json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {BY_NAME: "shop"}}}]}]}))], &[])]
#[case::let_in_to_others(vec![database("a", json!([{"from": peers(BY_NAME, "shop", own_pods())}])),
    of_data("b", json!({"podSelector": {"matchLabels": {"app": "cache"}}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}))], CUT_OFF)]
#[case::let_in_elsewhere(vec![database("a", json!([{"from": peers(BY_NAME, "shop", own_pods())}])),
    of("cache", "b", json!({"podSelector": {}, "ingress": [{}]}))], CUT_OFF)]
#[case::of_a_direction_that_is_open(vec![of_data("a", json!({"podSelector": {}, "policyTypes": ["Egress"], "ingress": [{"from": peers(BY_NAME, "shop", own_pods())}]}))], &[])]
#[case::of_its_own_namespace(vec![of("shop", "a", json!({"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"from": peers(BY_NAME, "shop", own_pods())}]}))], &[])]
fn policies_that_let_in_the_workload_and_not_its_copies(
    #[case] policies: Vec<Value>,
    #[case] wanted: &[(&str, Severity)],
) {
    let found = told(|_, elsewhere| elsewhere.network_policies = policies.clone());
    assert_eq!(words(&found), wanted);
    let found = told(|seen, elsewhere| {
        elsewhere.network_policies = policies;
        seen.release.spec.traffic.clone_network_policies = true;
    });
    assert_eq!(words(&found), wanted, "policies of other namespaces are not copied");
}

#[test]
fn a_policy_is_named_with_its_namespace_and_who_can_mend_it() {
    let from = json!([{"from": peers(BY_NAME, "shop", own_pods())}]);
    let found = told(|_, elsewhere| elsewhere.network_policies = vec![database("only-checkout", from)]).findings;
    assert_eq!(found[0].object, "NetworkPolicy data/only-checkout");
    let message = &found[0].message;
    for word in
        ["(app=checkout-canary)", "(app=checkout-previous)", "of namespace shop", "looks after data", "canaryLabel"]
    {
        assert!(message.contains(word), "{word}: {message}");
    }
}

#[test]
fn a_copy_that_tidegate_made_for_another_release_is_not_told_of() {
    let mut copy = database("a", json!([{"from": peers(BY_NAME, "shop", own_pods())}]));
    copy["metadata"]["labels"] = json!({crate::api::names::ROLE: "canary"});
    assert_eq!(words(&told(|_, elsewhere| elsewhere.network_policies = vec![copy])), []);
}

#[rstest]
#[case::any(json!({"any": true}), true)]
#[case::by_name(json!({"matchNames": ["cart", "shop"]}), true)]
#[case::another(json!({"matchNames": ["cart"]}), false)]
#[case::its_own(json!({}), false)]
fn monitors_that_look_into_the_namespace(#[case] selector: Value, #[case] looks: bool) {
    let monitor = |pods: Value| of("monitoring", "apps", json!({"namespaceSelector": selector, "selector": pods}));
    let found = told(|_, elsewhere| elsewhere.pod_monitors = vec![monitor(own_pods())]);
    let wanted: &[_] = if looks { &[("PodMonitorMissesCanary", WARN)] } else { &[] };
    assert_eq!(words(&found), wanted);
    assert!(found.findings.iter().all(|finding| finding.object == "PodMonitor monitoring/apps"));
    let found = told(|seen, elsewhere| {
        let labels = json!({"app": "checkout", "app.kubernetes.io/instance": "checkout"});
        seen.service.as_mut().unwrap().object["metadata"]["labels"] = labels;
        let instance = json!({"matchLabels": {"app.kubernetes.io/instance": "checkout"}});
        elsewhere.service_monitors = vec![monitor(instance)];
    });
    let wanted: &[_] = if looks { &[("ServiceMonitorMissesCanary", WARN)] } else { &[] };
    assert_eq!(words(&found), wanted);
}

#[rstest]
#[case::by_the_label(vec![], json!({"selector": own_pods()}), &[("AuthorizationPolicyMissesCanary", WARN)])]
#[case::over_all(vec![], json!({}), &[])]
#[case::of_a_gateway(vec![], json!({"selector": {"matchLabels": {"istio": "ingressgateway"}}}), &[])]
#[case::that_denies_what_the_namespace_allows(vec![policy("own", json!({"selector": own_pods()}))], json!({}),
    &[("AuthorizationPolicyMissesCanary", REFUSE)])]
fn policies_of_the_whole_mesh(
    #[case] here: Vec<Value>,
    #[case] mesh: Value,
    #[case] wanted: &[(&'static str, Severity)],
) {
    let (seen, mut around) = shop();
    around.authorizations = here;
    let authorizations = vec![of("istio-system", "mesh", mesh)];
    around.elsewhere = Elsewhere { authorizations, ..Elsewhere::default() };
    assert_eq!(reasons(&seen, &around), wanted);
}

#[test]
fn what_could_not_be_listed_is_said_and_refuses_nothing() {
    let unseen = |exists| Unseen {
        kind: "NetworkPolicy.networking.k8s.io of other namespaces".into(),
        why: "the verb list on networkpolicies is not granted".into(),
        exists,
    };
    let found = told(|_, elsewhere| elsewhere.unseen = vec![unseen(true), unseen(false)]);
    assert_eq!(words(&found), []);
    let wanted = "NetworkPolicy.networking.k8s.io of other namespaces could not be looked at: the verb list on networkpolicies is not granted";
    assert_eq!(found.unseen, [wanted]);
}

#[rstest]
#[case("Deployment")]
#[case("StatefulSet")]
fn nothing_is_missed_where_no_copies_are_made(#[case] kind: &str) {
    let seen = World::by_count(kind).seen;
    let elsewhere = Elsewhere {
        network_policies: vec![database("a", json!([{"from": peers(BY_NAME, "shop", own_pods())}]))],
        pod_monitors: vec![of("monitoring", "m", json!({"namespaceSelector": {"any": true}, "selector": own_pods()}))],
        ..Elsewhere::default()
    };
    let around = Surroundings { elsewhere, ..Surroundings::default() };
    assert_eq!(reasons(&seen, &around), []);
}
