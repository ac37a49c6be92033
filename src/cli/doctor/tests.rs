use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::api::custom_resource_definitions;

const NOW: &str = "2026-01-01T10:00:00Z";

fn named(kind: &str, name: &str, rest: Value) -> Value {
    let mut object = rest;
    object["kind"] = kind.into();
    object["metadata"]["name"] = name.into();
    object
}

const MUTATING: [&str; 5] =
    ["tidegate-hold", "tidegate-hold-stateful", "tidegate-stamps", "tidegate-weights", "tidegate-authors"];
const VALIDATING: [&str; 5] = [
    "tidegate-records",
    "tidegate-copies",
    "tidegate-budgets-kept",
    "tidegate-attestations",
    "tidegate-attestations-kept",
];

/// An installation with nothing wrong.
fn whole() -> Installation {
    let at = |all: Vec<Value>| Looked::At(all);
    let policy = |name: &str| named("Policy", name, json!({}));
    let binding = |name: &str| named("Binding", name, json!({"spec": {"policyName": name}}));
    let config = "metricsSources: {default: {url: 'http://prometheus:9090'}}\nqueryTemplates: {http-server: {requests: a, errors: b, latency: c}}\n";
    Installation {
        namespace: String::new(),
        version: at(vec![json!({"minor": "36", "gitVersion": "v1.36.3"})]),
        definitions: at(custom_resource_definitions().iter().map(|crd| serde_json::to_value(crd).unwrap()).collect()),
        policies: at(MUTATING.map(policy).to_vec()),
        bindings: at(MUTATING.map(binding).to_vec()),
        checks: at(VALIDATING.map(policy).to_vec()),
        check_bindings: at(VALIDATING.map(binding).to_vec()),
        webhooks: at(vec![]),
        controllers: at(vec![named("Deployment", "tidegate", json!({"metadata": {"namespace": "tidegate-system"}}))]),
        leases: at(vec![
            json!({"spec": {"holderIdentity": "tidegate-0", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T09:59:58.000000Z"}}),
        ]),
        configs: at(vec![named("ConfigMap", "tidegate", json!({"data": {"config.yaml": config}}))]),
        releases: at(vec![json!({
            "metadata": {"name": "web", "namespace": "shop", "generation": 1}, "spec": {"workloadRef": {"name": "web"}},
            "status": {"observedGeneration": 1, "message": "Revision abc runs; the next change is held.",
                "conditions": [{"type": "Ready", "status": "True", "reason": "InForce", "message": ""}]},
        })]),
        budgets: at(vec![]),
        gated: at(vec![json!({"metadata": {"name": "web", "namespace": "shop"}})]),
        gated_sets: at(vec![]),
        roles: at(vec![
            named(
                "ClusterRole",
                "sre",
                json!({"rules": [{"apiGroups": ["tidegate.io"], "resources": ["gatedreleases"], "verbs": ["bypass"]},
                    {"apiGroups": ["tidegate.io"], "resources": ["releaseroles"], "resourceNames": ["sre", "on-call"], "verbs": ["approve"]}]}),
            ),
            named(
                "ClusterRole",
                "cluster-admin",
                json!({"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
            ),
            named(
                "Role",
                "reader",
                json!({"metadata": {"namespace": "shop"}, "rules": [{"apiGroups": ["tidegate.io"], "resources": ["gatedreleases"], "verbs": ["get"]}]}),
            ),
        ]),
        role_bindings: at(vec![
            named(
                "RoleBinding",
                "a",
                json!({"metadata": {"namespace": "shop"}, "roleRef": {"kind": "ClusterRole", "name": "sre"}, "subjects": [{"kind": "Group", "name": "on-call"}]}),
            ),
            named(
                "ClusterRoleBinding",
                "b",
                json!({"roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}, "subjects": [{"kind": "ServiceAccount", "name": "flux", "namespace": "flux-system"}]}),
            ),
            named(
                "RoleBinding",
                "c",
                json!({"metadata": {"namespace": "shop"}, "roleRef": {"kind": "Role", "name": "reader"}, "subjects": [{"kind": "User", "name": "bob"}]}),
            ),
        ]),
        may: vec![("bypass", "gatedreleases", Some(false)), ("approve", "releaseroles", None)],
    }
}

fn told(seen: &Installation) -> Vec<Line> {
    judge(seen, Time(NOW.parse().unwrap()))
}

#[test]
fn a_whole_installation_is_told_line_by_line() {
    insta::assert_snapshot!(page(&told(&whole())), @"
    ok    Kubernetes: v1.36.3, changes are held by a MutatingAdmissionPolicy
    ok    Kinds: all four are as version 0.1.0 has them
    ok    Policies: tidegate-hold, tidegate-hold-stateful, tidegate-stamps, tidegate-weights, tidegate-authors, tidegate-records, tidegate-copies, tidegate-budgets-kept, tidegate-attestations, tidegate-attestations-kept are bound
    ok    Lease: tidegate-0 leads
    ok    Metrics: sources default (http://prometheus:9090); query templates http-server
    ok    Rights: bypass on gatedreleases.tidegate.io: you do not hold it; by roles: Group on-call in shop, ServiceAccount flux-system/flux (by a wildcard); and whoever is in system:masters
    ok    Rights: approve on releaseroles.tidegate.io for every role: whether you hold it could not be asked; by roles: ServiceAccount flux-system/flux (by a wildcard); and whoever is in system:masters
    ok    Rights: approve as sre, on-call: Group on-call in shop
    warn  Rights: no binding lets people approve as service-owner, senior-engineer, vp-engineering, code-owner, release-captain, product-manager, development-manager, engineering-manager, security, privacy: a change that asks for them waits. kubectl create rolebinding approve-service-owner -n NAMESPACE --clusterrole=tidegate-approve-service-owner --group=GROUP
    ok    GatedRelease: shop/web: Revision abc runs; the next change is held.
    ");
}

type Spoil = fn(&mut Installation);

/// One circuit breaker, and the label `tier` of the one GatedRelease.
fn breaker(seen: &mut Installation, breaker: &str, tier: Option<&str>) {
    if let Looked::At(all) = &mut seen.configs {
        let config = all[0]["data"]["config.yaml"].as_str().unwrap();
        all[0]["data"]["config.yaml"] = format!("{config}circuitBreakers: {{payments: {breaker}}}\n").into();
    }
    if let (Looked::At(all), Some(tier)) = (&mut seen.releases, tier) {
        all[0]["metadata"]["labels"] = json!({"tier": tier});
    }
}

fn status(seen: &mut Installation, kind: &str, status: &str) {
    if let Looked::At(all) = &mut seen.releases {
        all[0]["status"]["conditions"] =
            json!([{"type": kind, "status": status, "reason": "Why", "message": "Because."}]);
    }
}

#[rstest]
#[case::an_old_cluster(|seen: &mut Installation| seen.policies = Looked::NotServed, Level::Fail, "Kubernetes", "Upgrade to 1.36")]
#[case::an_older_minor(|seen: &mut Installation| seen.version = Looked::At(vec![json!({"minor": "35+", "gitVersion": "v1.35.0"})]), Level::Warn, "Kubernetes", "v1.35.0 is older")]
#[case::no_kinds(|seen: &mut Installation| seen.definitions = Looked::At(vec![]), Level::Fail, "Kinds", "tidegate crds | kubectl apply")]
#[case::kinds_of_another_version(|seen: &mut Installation| if let Looked::At(all) = &mut seen.definitions { all[0]["spec"]["versions"][0]["name"] = "v1".into() }, Level::Warn, "Kinds", "gatedreleases.tidegate.io are of another version")]
#[case::no_policy(|seen: &mut Installation| { seen.policies = Looked::At(vec![]); }, Level::Fail, "Policies", "run ungated")]
#[case::an_unbound_policy(|seen: &mut Installation| { seen.bindings = Looked::At(vec![]); }, Level::Fail, "Policies", "tidegate-hold has no binding")]
#[case::a_missing_check(|seen: &mut Installation| { seen.checks = Looked::At(vec![]); }, Level::Warn, "Policies", "the policy *-records is missing")]
#[case::nobody_is_proven(|seen: &mut Installation| if let Looked::At(all) = &mut seen.checks { all.retain(|one| one["metadata"]["name"] != "tidegate-attestations") }, Level::Warn, "Policies", "the policy *-attestations is missing: anybody who may create attestations approves in any name")]
#[case::copies_are_anybodys(|seen: &mut Installation| if let Looked::At(all) = &mut seen.checks { all.retain(|one| one["metadata"]["name"] != "tidegate-copies") }, Level::Warn, "Policies", "changes what a canary or previous version runs")]
#[case::nothing_is_filled_in(|seen: &mut Installation| if let Looked::At(all) = &mut seen.policies { all.retain(|one| one["metadata"]["name"] != "tidegate-authors") }, Level::Warn, "Policies", "the policy *-authors is missing: attestations need spec.author")]
#[case::nobody_approves(|seen: &mut Installation| seen.role_bindings = Looked::At(vec![]), Level::Warn, "Rights", "no binding lets people approve as service-owner, senior-engineer, sre")]
#[case::no_controller(|seen: &mut Installation| seen.controllers = Looked::At(vec![]), Level::Fail, "Controller", "helm install")]
#[case::two_controllers(|seen: &mut Installation| if let Looked::At(all) = &mut seen.controllers { all.push(all[0].clone()) }, Level::Fail, "Controller", "only one installation")]
#[case::nobody_leads(|seen: &mut Installation| if let Looked::At(all) = &mut seen.leases { all[0]["spec"]["holderIdentity"] = "".into() }, Level::Fail, "Lease", "nobody leads")]
#[case::a_stale_lease(|seen: &mut Installation| if let Looked::At(all) = &mut seen.leases { all[0]["spec"]["renewTime"] = "2026-01-01T09:00:00Z".into() }, Level::Fail, "Lease", "has not renewed it since")]
#[case::not_readable(|seen: &mut Installation| seen.configs = Looked::Unreadable("403".into()), Level::Skip, "Metrics", "403")]
#[case::a_broken_configuration(|seen: &mut Installation| if let Looked::At(all) = &mut seen.configs { all[0]["data"]["config.yaml"] = "a: 1".into() }, Level::Fail, "Metrics", "cannot be read")]
#[case::roles_not_readable(|seen: &mut Installation| seen.roles = Looked::Unreadable("403".into()), Level::Skip, "Rights", "who else does could not be looked at")]
#[case::stalled(|seen: &mut Installation| status(seen, "Stalled", "True"), Level::Fail, "GatedRelease", "shop/web: Stalled is True, Why: Because.")]
#[case::not_ready(|seen: &mut Installation| status(seen, "Ready", "False"), Level::Warn, "GatedRelease", "Ready is False")]
#[case::held(|seen: &mut Installation| status(seen, "Held", "True"), Level::Warn, "GatedRelease", "Held is True")]
#[case::surroundings(|seen: &mut Installation| if let Looked::At(all) = &mut seen.releases { all[0]["status"]["conditions"] = json!([{"type": "Preflight", "status": "True", "reason": "Warnings", "message": "Service shop/x (ServiceMissesCanary)."}]) }, Level::Warn, "GatedRelease", "shop/web: Preflight warns of Service shop/x (ServiceMissesCanary).")]
#[case::overdue(|seen: &mut Installation| seen.budgets = Looked::At(vec![json!({"metadata": {"name": "web", "namespace": "shop"}, "status": {"conditions": [{"type": "ObligationsMet", "status": "False", "message": "1 obligation is overdue: x"}]}})]), Level::Warn, "RiskBudget", "shop/web: 1 obligation is overdue: x")]
#[case::never_looked_at(|seen: &mut Installation| if let Looked::At(all) = &mut seen.releases { all[0]["status"] = json!({}) }, Level::Fail, "GatedRelease", "never looked at")]
#[case::changed_since(|seen: &mut Installation| if let Looked::At(all) = &mut seen.releases { all[0]["metadata"]["generation"] = 2.into() }, Level::Warn, "GatedRelease", "its last change")]
#[case::nobody_s_deployment(|seen: &mut Installation| seen.releases = Looked::At(vec![]), Level::Fail, "Deployment", "no GatedRelease names it")]
#[case::nobody_s_stateful_set(|seen: &mut Installation| seen.gated_sets = Looked::At(vec![json!({"metadata": {"name": "web", "namespace": "shop"}})]), Level::Fail, "StatefulSet", "kubectl label statefulset web")]
#[case::an_owned_partition(|seen: &mut Installation| seen.gated_sets = Looked::At(vec![json!({"metadata": {"name": "db", "namespace": "shop", "managedFields": [{"manager": "flux", "operation": "Apply", "fieldsV1": {"f:spec": {"f:updateStrategy": {"f:rollingUpdate": {"f:partition": {}}}}}}]}})]), Level::Warn, "StatefulSet", "flux owns spec.updateStrategy.rollingUpdate.partition")]
#[case::no_hold_of_stateful_sets(|seen: &mut Installation| if let Looked::At(all) = &mut seen.policies { all.retain(|one| one["metadata"]["name"] != "tidegate-hold-stateful") }, Level::Fail, "Policies", "templates of StatefulSets run ungated")]
#[case::no_stamps(|seen: &mut Installation| if let Looked::At(all) = &mut seen.policies { all.retain(|one| one["metadata"]["name"] != "tidegate-stamps") }, Level::Warn, "Policies", "says in any name who changed it")]
#[case::a_breaker_of_somebody(|seen: &mut Installation| breaker(seen, "{selector: {matchLabels: {tier: critical}}, query: 'sum(a{b=\"$service\"})', above: 1}", Some("critical")), Level::Ok, "Circuit breaker", "payments names shop/web")]
#[case::a_breaker_of_nobody(|seen: &mut Installation| breaker(seen, "{selector: {matchLabels: {tier: critical}}, query: a, above: 1}", Some("low")), Level::Warn, "Circuit breaker", "payments names no GatedRelease: none in any namespace has the labels tier=critical, so that it stops nothing. Label one: kubectl label gatedrelease NAME -n NAMESPACE tier=critical")]
#[case::a_breaker_of_no_namespace(|seen: &mut Installation| breaker(seen, "{namespaces: [shpo], query: a, above: 1}", None), Level::Warn, "Circuit breaker", "payments names no GatedRelease: there is none in shpo")]
#[case::a_breaker_that_nobody_can_ask(|seen: &mut Installation| breaker(seen, "{query: 'sum(rate(a[2m])', above: 1}", None), Level::Fail, "Circuit breaker", "circuitBreakers.payments.query is no PromQL: ")]
#[case::two_of_one_workload(|seen: &mut Installation| if let Looked::At(all) = &mut seen.releases { all.push(named("GatedRelease", "copy", all[0].clone())) }, Level::Warn, "GatedRelease", "Deployment shop/web is named by web, copy")]
#[case::an_owned_pause(|seen: &mut Installation| if let Looked::At(all) = &mut seen.gated { all[0]["metadata"]["managedFields"] = json!([{"manager": "flux", "fieldsV1": {"f:spec": {"f:paused": {}}}}]) }, Level::Warn, "Deployment", "flux owns spec.paused")]
fn what_is_wrong_has_a_line_with_its_remedy(
    #[case] spoil: Spoil,
    #[case] level: Level,
    #[case] what: &str,
    #[case] says: &str,
) {
    let mut seen = whole();
    spoil(&mut seen);
    let lines = told(&seen);
    let found = lines.iter().any(|line| line.level == level && line.what == what && line.says.contains(says));
    assert!(found, "{lines:#?}");
}

#[test]
fn what_was_not_looked_at_may_have_releases_for_a_breaker() {
    let mut seen = whole();
    breaker(&mut seen, "{namespaces: [pay], query: a, above: 1}", None);
    seen.namespace = "shop".to_owned();
    assert!(told(&seen).iter().all(|line| line.what != "Circuit breaker"));
}
