//! Each reason fires: a new one does not compile until somebody says here how it comes about.

use super::*;
use crate::release::snapshot::{KindSeen, ReplicaSetSeen};

type Spoil = fn(&mut Snapshot, &mut Surroundings);

fn routes(spoil: Spoil) -> (Snapshot, Surroundings, Spoil) {
    let (seen, around) = shop();
    (seen, around, spoil)
}

/// A StatefulSet without a route.
fn stateful(spoil: Spoil) -> (Snapshot, Surroundings, Spoil) {
    let seen = World::by_count("StatefulSet").seen;
    let service = seen.service.as_ref().unwrap().object.clone();
    let around = Surroundings { services: vec![named("checkout", service)], ..Surroundings::default() };
    (seen, around, spoil)
}

fn annotated(around: &mut Surroundings, key: &str, value: &str) {
    around.workload = json!({"metadata": {"annotations": {key: value}}});
}

fn owned(around: &mut Surroundings, field: Value) {
    let entry = json!({"manager": "kustomize-controller", "operation": "Apply", "fieldsV1": {"f:spec": field}});
    around.workload = json!({"metadata": {"managedFields": [entry]}});
}

fn quota(around: &mut Surroundings, hard: Value) {
    around.quotas.push(json!({"metadata": {"name": "team"}, "status": {"hard": hard, "used": {"pods": "4"}}}));
}

fn volume(seen: &mut Snapshot, around: &mut Surroundings, claim: Option<Value>) {
    template(seen)["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    around.claims.push(("data".to_owned(), claim));
}

/// A clean shop, and what brings this reason about in it.
fn spoiled(reason: Reason) -> (Snapshot, Surroundings, Spoil) {
    match reason {
        Reason::NotSettled => routes(|seen, _| {
            let workload = seen.workload.as_mut().unwrap();
            let other = ReplicaSetSeen { name: "other".into(), ..workload.sets[0].clone() };
            workload.sets.push(other);
            seen.record = None;
        }),
        Reason::HistoryTooShort => {
            routes(|seen, _| seen.workload.as_mut().unwrap().spec = json!({"revisionHistoryLimit": 0}))
        }
        Reason::PausedByOthers => stateful(|seen, _| {
            if let KindSeen::StatefulSet(ordinals) = &mut seen.workload.as_mut().unwrap().kind {
                ordinals.partition = 2;
            }
        }),
        Reason::PausedOwned => routes(|_, around| owned(around, json!({"f:paused": {}}))),
        Reason::PartitionOwned => stateful(|_, around| {
            owned(around, json!({"f:updateStrategy": {"f:rollingUpdate": {"f:partition": {}}}}));
        }),
        Reason::PartitionStated => stateful(|_, around| {
            let manifest = r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}"#;
            annotated(around, "kubectl.kubernetes.io/last-applied-configuration", manifest);
        }),
        Reason::BreakGlassStands => {
            routes(|seen, _| seen.workload.as_mut().unwrap().break_glass = Some("checkout is down".into()))
        }
        Reason::ArgoSyncWave => routes(|_, around| hook_after_the_sync(around)),
        Reason::ArgoHook => routes(|_, around| annotated(around, "argocd.argoproj.io/hook", "Sync")),
        Reason::TwoAutoscalers => {
            routes(|_, around| around.autoscalers = vec![autoscaler("a", None), autoscaler("b", None)])
        }
        Reason::AutoscalerOwned => routes(|_, around| around.autoscalers = vec![autoscaler("a", Some("ScaledObject"))]),
        Reason::NetworkPolicyMissesCanary => routes(|_, around| {
            let own = json!({"podSelector": own_pods(), "ingress": [{"ports": [{"port": 80}]}]});
            around.network_policies = vec![policy("all", json!({"podSelector": {}})), policy("own", own)];
        }),
        Reason::NetworkPolicyNotBinding => routes(|_, around| {
            let own = json!({"podSelector": own_pods(), "ingress": [{"ports": [{"port": 80}]}]});
            around.network_policies = vec![policy("own", own)];
        }),
        Reason::NetworkPolicyPeerMissesCanary => routes(|_, around| {
            let from = json!([{"podSelector": own_pods()}]);
            let spec = json!({"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"from": from}]});
            around.network_policies = vec![policy("db", spec)];
        }),
        Reason::AuthorizationPolicyMissesCanary => {
            routes(|_, around| around.authorizations = vec![policy("a", json!({"selector": own_pods()}))])
        }
        Reason::PeerAuthenticationStrict => routes(|seen, around| {
            checked(seen);
            around.peer_authentications = vec![policy("default", json!({"mtls": {"mode": "STRICT"}}))];
        }),
        Reason::ServiceMissesCanary => {
            routes(|_, around| around.services.push(policy("metrics", json!({"selector": {"app": "checkout"}}))))
        }
        Reason::ServiceReachesCanary => routes(|seen, around| {
            let workload = seen.workload.as_mut().unwrap();
            workload.template["metadata"]["labels"]["tier"] = "web".into();
            workload.sets[0].template = workload.template.clone();
            around.services.push(policy("tier", json!({"selector": {"tier": "web"}})));
        }),
        Reason::ServiceExposed => {
            routes(|seen, _| seen.service.as_mut().unwrap().object["spec"]["type"] = "LoadBalancer".into())
        }
        Reason::RouteNotGoverned => routes(|_, around| {
            let mut route = policy("internal", json!({"rules": [{"backendRefs": [{"name": "checkout"}]}]}));
            route["kind"] = "HTTPRoute".into();
            around.routes.push(route);
        }),
        Reason::BackendFilters => routes(|_, around| {
            let backend = json!({"name": "checkout", "filters": [{"type": "X"}]});
            let mut route = policy("checkout", json!({"rules": [{"backendRefs": [backend]}]}));
            route["kind"] = "HTTPRoute".into();
            around.routes.push(route);
        }),
        Reason::PdbCoversCanary => routes(|_, around| around.budgets.push(policy("pdb", json!({"selector": {}})))),
        Reason::PolicyMissesCanary => routes(|_, around| {
            let mut tls = policy("p", json!({"targetRefs": [{"kind": "Service", "name": "checkout"}]}));
            tls["kind"] = "BackendTLSPolicy".into();
            around.attached.push(tls);
        }),
        Reason::DestinationRuleMissesCanary => {
            routes(|_, around| around.destinations.push(policy("d", json!({"host": "checkout"}))))
        }
        Reason::ServiceMonitorMissesCanary => routes(|seen, around| {
            let labels = json!({"app": "checkout", "app.kubernetes.io/instance": "checkout"});
            seen.service.as_mut().unwrap().object["metadata"]["labels"] = labels;
            let by = json!({"selector": {"matchLabels": {"app.kubernetes.io/instance": "checkout"}}});
            around.service_monitors.push(policy("m", by));
        }),
        Reason::PodMonitorMissesCanary => {
            routes(|_, around| around.pod_monitors.push(policy("m", json!({"selector": own_pods()}))))
        }
        Reason::ClaimMissing => routes(|seen, around| volume(seen, around, None)),
        Reason::VolumeNotShareable => routes(|seen, around| {
            volume(seen, around, Some(json!({"spec": {"accessModes": ["ReadWriteOnce"]}})));
        }),
        Reason::HostPathShared => routes(|seen, _| {
            template(seen)["spec"]["volumes"] = json!([{"name": "d", "hostPath": {"path": "/d"}}]);
        }),
        Reason::HostPortTaken => routes(|seen, _| {
            template(seen)["spec"]["containers"] = json!([{"name": "app", "ports": [{"hostPort": 80}]}]);
        }),
        Reason::AffinityKeepsCanaryAway => routes(|seen, _| {
            let exists = json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]});
            template(seen)["spec"]["affinity"] = anti(exists);
        }),
        Reason::AffinityUnsatisfiable => {
            routes(|seen, _| template(seen)["spec"]["affinity"] = together_but_not_with("checkout-canary"))
        }
        Reason::LabelIsRead => routes(|seen, _| {
            let from = json!({"fieldRef": {"fieldPath": "metadata.labels['app']"}});
            template(seen)["spec"]["containers"] =
                json!([{"name": "app", "env": [{"name": "APP", "valueFrom": from}]}]);
        }),
        Reason::QuotaTooSmall => routes(|_, around| quota(around, json!({"pods": "12"}))),
        Reason::QuotaNotComputed => routes(|_, around| quota(around, json!({"limits.cpu": "100"}))),
    }
}

#[test]
fn each_reason_fires_where_its_cause_is_and_not_before() {
    for reason in Reason::ALL {
        let (mut seen, mut around, spoil) = spoiled(*reason);
        let fires = |seen: &Snapshot, around: &Surroundings| {
            preflight(seen, around).findings.iter().any(|it| it.reason == reason.as_str())
        };
        assert!(!fires(&seen, &around), "{reason} in a clean shop");
        spoil(&mut seen, &mut around);
        let found: Vec<_> = preflight(&seen, &around).findings.into_iter().map(|it| (it.reason, it.message)).collect();
        assert!(fires(&seen, &around), "{reason} does not fire: {found:?}");
    }
}
