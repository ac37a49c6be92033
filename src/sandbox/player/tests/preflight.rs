//! Preflight at work: what keeps a release from starting, and how it goes on when that is mended.

use serde_json::{Value, json};

use super::super::act::apply;
use super::*;
use crate::cluster::kind::{GATED_RELEASE, NETWORK_POLICY};

fn admin() -> User {
    User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()] }
}

fn put(scene: &Scene, version: &str, kind: &str, name: &str, rest: Value) {
    let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}});
    for (key, value) in rest.as_object().unwrap() {
        object[key] = value.clone();
    }
    apply(&scene.shared, &admin(), &object).unwrap();
}

/// The condition `Preflight` of the GatedRelease: status, reason, message.
fn condition(scene: &Scene) -> (String, String, String) {
    scene.shared.with(|world| {
        let release = world.cluster.api.get(&GATED_RELEASE, "shop", "checkout").unwrap();
        let all = release["status"]["conditions"].as_array().unwrap();
        let found = all.iter().find(|condition| condition["type"] == "Preflight").unwrap();
        let of = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
        (of("status"), of("reason"), of("message"))
    })
}

fn policies(scene: &Scene) -> Vec<String> {
    scene.shared.with(|world| {
        let all = world.cluster.api.list(&NETWORK_POLICY, "shop");
        all.into_iter().map(|policy| policy["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    })
}

/// A new version arrives and is held for this reason.
async fn held_for(scene: &Scene, acts: &mut Acts<'_>, reason: &str) {
    assert_eq!(press(acts, Key::Good).unwrap().refused, None);
    let view = until(scene, "held", |view| view.hold.is_some()).await;
    assert_eq!(view.hold.unwrap().reason, reason);
    let (status, told, _) = condition(scene);
    assert_eq!((status.as_str(), told.as_str()), ("False", reason));
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_too_small_holds_the_release_until_it_is_raised() {
    let story = story("");
    let scene = scene(&story).await;
    assert_eq!(condition(&scene).1, "Passed", "nothing is wrong with the example");
    put(&scene, "v1", "ResourceQuota", "team", json!({"spec": {"hard": {"pods": "6"}}}));
    let mut acts = Acts::new(&story, scene.shared.clone());
    held_for(&scene, &mut acts, "QuotaTooSmall").await;
    let (_, _, message) = condition(&scene);
    assert!(message.starts_with("ResourceQuota shop/team: pods: a release needs 7 more"), "{message}");
    put(&scene, "v1", "ResourceQuota", "team", json!({"spec": {"hard": {"pods": "20"}}}));
    until(&scene, "in stage 1", |view| view.stage == Some(1)).await;
    assert_eq!(condition(&scene).1, "Passed");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_shuts_the_canary_out_holds_the_release_until_it_may_be_copied() {
    let story = story("");
    let scene = scene(&story).await;
    let web = json!({"matchLabels": {"app": "checkout"}});
    let policy =
        |name: &str, spec: Value| put(&scene, "networking.k8s.io/v1", "NetworkPolicy", name, json!({"spec": spec}));
    policy("default-deny", json!({"podSelector": {}, "policyTypes": ["Ingress"]}));
    policy(
        "allow-gateway",
        json!({"podSelector": web, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": 8080}]}]}),
    );
    let mut acts = Acts::new(&story, scene.shared.clone());
    held_for(&scene, &mut acts, "NetworkPolicyMissesCanary").await;
    let copies = json!({"traffic": {"cloneNetworkPolicies": true}});
    let edit = Action::EditConfig { gated_release: copies, risk_budget: Value::Null };
    acts.act(&User::person("alice"), &edit).unwrap();
    until(&scene, "in stage 1", |view| view.stage == Some(1)).await;
    assert_eq!(policies(&scene), ["allow-gateway", "allow-gateway-checkout-canary", "default-deny"]);
    until(&scene, "released", |view| matches!(view.outcome, Some((Outcome::Succeeded, _)))).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(policies(&scene), ["allow-gateway", "default-deny"], "copies go with the pods that they were for");
}

#[tokio::test(start_paused = true)]
async fn a_volume_of_one_node_holds_the_release() {
    let story = story("");
    let scene = scene(&story).await;
    put(&scene, "v1", "PersistentVolumeClaim", "data", json!({"spec": {"accessModes": ["ReadWriteOnce"]}}));
    let mut deployment = story.objects.deployment.clone();
    deployment["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    apply(&scene.shared, &admin(), &deployment).unwrap();
    let view = until(&scene, "held", |view| view.hold.is_some()).await;
    assert_eq!(view.hold.unwrap().reason, "VolumeNotShareable");
}

#[tokio::test(start_paused = true)]
async fn what_is_only_worth_knowing_is_told_and_holds_nothing() {
    let story = story("");
    let scene = scene(&story).await;
    put(
        &scene,
        "v1",
        "Service",
        "metrics",
        json!({"spec": {"selector": {"app": "checkout"}, "ports": [{"port": 9090}]}}),
    );
    let mut acts = Acts::new(&story, scene.shared.clone());
    assert_eq!(press(&mut acts, Key::Good).unwrap().refused, None);
    until(&scene, "in stage 1", |view| view.stage == Some(1)).await;
    let (status, reason, message) = condition(&scene);
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Warnings"));
    assert!(message.starts_with("Service shop/metrics (ServiceMissesCanary)"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_policy_of_another_namespace_that_lets_in_the_workload_alone_holds_the_release() {
    let story = story("");
    let scene = scene(&story).await;
    let namespace = |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"team": name}}});
    // That the release's namespace is the one is said by a label of its own.
    let lets_in = |values: Value| {
        let pods = json!({"matchExpressions": [{"key": "app", "operator": "In", "values": values}]});
        let from = json!([{"namespaceSelector": {"matchLabels": {"team": "shop"}}, "podSelector": pods}]);
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "only-checkout", "namespace": "data"},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": from}]},
        })
    };
    for object in [namespace("shop"), namespace("data"), lets_in(json!(["checkout"]))] {
        apply(&scene.shared, &admin(), &object).unwrap();
    }
    let mut acts = Acts::new(&story, scene.shared.clone());
    held_for(&scene, &mut acts, "NetworkPolicyPeerMissesCanary").await;
    let (_, _, message) = condition(&scene);
    assert!(message.starts_with("NetworkPolicy data/only-checkout: "), "{message}");
    let all = lets_in(json!(["checkout", "checkout-canary", "checkout-previous"]));
    apply(&scene.shared, &admin(), &all).unwrap();
    until(&scene, "in stage 1", |view| view.stage == Some(1)).await;
    assert_eq!(condition(&scene).1, "Passed");
}

#[tokio::test(start_paused = true)]
async fn what_argo_cd_would_apply_after_a_held_deployment_is_told() {
    let story = story("");
    let scene = scene(&story).await;
    let wave = |wave: &str| json!({"argocd.argoproj.io/sync-wave": wave});
    let mut later = story.objects.gated_release.clone();
    later["metadata"]["annotations"] = wave("1");
    let mut deployment = story.objects.deployment.clone();
    deployment["metadata"]["annotations"] = wave("0");
    deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 7.into();
    for object in [&later, &deployment] {
        apply(&scene.shared, &admin(), object).unwrap();
    }
    until(&scene, "in stage 1", |view| view.stage == Some(1)).await;
    let (status, reason, message) = condition(&scene);
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Warnings"));
    assert!(message.starts_with("Deployment shop/checkout (ArgoSyncWave)"), "{message}");
}
