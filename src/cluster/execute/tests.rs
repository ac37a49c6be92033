use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use kube::client::Body;
use rstest::rstest;
use serde_json::{Value, json};
use tower::service_fn;

use super::*;
use crate::api::release_record::Phase;
use crate::api::{GatedReleaseStatus, Span, Time, Weight};
use crate::cluster::leader::{Keeper, Timing};
use crate::cluster::{Leadership, SystemClock};
use crate::release::Split;

/// A request as the API server got it.
#[derive(Debug, Clone, PartialEq)]
struct Got {
    method: String,
    path: String,
    kind: String,
    body: Value,
}

type Log = Arc<Mutex<Vec<Got>>>;

/// An API server that knows some objects by path and answers every write as `code` says.
fn server(objects: &[(&str, Value)], code: u16, leadership: Leadership) -> (Cluster, Log) {
    let objects: BTreeMap<String, Value> =
        objects.iter().map(|(path, object)| ((*path).to_owned(), object.clone())).collect();
    let log = Log::default();
    let into = log.clone();
    let service = service_fn(move |request: http::Request<Body>| {
        let (objects, log) = (objects.clone(), into.clone());
        async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect_bytes().await.unwrap();
            let path = parts.uri.path_and_query().unwrap().to_string();
            let kind =
                parts.headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
            let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let (code, answer) = match (parts.method.as_str(), objects.get(parts.uri.path())) {
                ("GET", Some(object)) => (200, object.clone()),
                ("GET", None) => (404, failure(404)),
                _ if code < 300 => (code, json!({"metadata": {"resourceVersion": "100"}})),
                _ => (code, failure(code)),
            };
            log.lock().unwrap().push(Got { method: parts.method.to_string(), path, kind, body });
            Ok::<_, std::convert::Infallible>(
                http::Response::builder().status(code).body(Body::from(answer.to_string().into_bytes())).unwrap(),
            )
        }
    });
    (Cluster::new(kube::Client::new(service, "shop"), Arc::new(SystemClock), leadership, "tidegate-0"), log)
}

fn failure(code: u16) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Reason", "message": "message", "code": code})
}

fn release() -> Release {
    Release {
        namespace: "shop".into(),
        name: "web".into(),
        labels: Default::default(),
        uid: "u".into(),
        created: None,
        generation: 1,
        deleting: false,
        detached: false,
        finalizer: false,
        retry: None,
        spec: serde_json::from_value(json!({
            "workloadRef": {"name": "web"}, "riskBudgetRef": {"name": "web"},
            "traffic": {"service": "web", "httpRoutes": [{"name": "web"}]}, "rollback": {"errorRatePercent": 1, "latencyFactor": 2},
        }))
        .unwrap(),
        status: GatedReleaseStatus::default(),
    }
}

fn record_status_now() -> ReleaseRecordStatus {
    serde_json::from_value(
        json!({"phase": Phase::Plan, "phaseSince": Time(jiff::Timestamp::UNIX_EPOCH), "verify": Span::ZERO}),
    )
    .unwrap()
}

fn record_spec() -> ReleaseRecordSpec {
    serde_json::from_value(json!({"release": "web", "attempt": 2, "workloadUid": "w", "revision": "abc", "change": {}, "riskBudget": "web"})).unwrap()
}

async fn carried_out(cluster: &Cluster, action: &Action) -> Result<(), Error> {
    let release = release();
    let finalizers = ["other/one".to_owned()];
    act(cluster, action, Target { release: &release, resource_version: "7", finalizers: &finalizers }).await
}

fn route(version: &str) -> (&'static str, Value) {
    let object = json!({
        "metadata": {"name": "web", "namespace": "shop", "resourceVersion": version},
        "spec": {"rules": [{"backendRefs": [{"name": "web", "port": 80, "weight": 1}]}]},
    });
    ("/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/web", object)
}

fn set_split() -> Action {
    Action::SetSplit {
        route: "web".into(),
        resource_version: "7".into(),
        split: Split::canary(Weight::whole(5)),
        withdrawn: None,
    }
}

fn writes() -> Vec<Action> {
    let rv = || "7".to_owned();
    vec![
        Action::AddFinalizer,
        Action::RemoveFinalizer,
        Action::UpdateRecord { name: "web-0001".into(), resource_version: rv(), status: Box::new(record_status_now()) },
        set_split(),
        Action::DisownRules { route: "web".into(), resource_version: rv() },
        Action::Resume { resource_version: rv() },
        Action::ExplainPause { resource_version: rv(), text: "why".into() },
        Action::ScaleReplicaSet { name: "web-1".into(), resource_version: rv(), replicas: 0 },
    ]
}

/// The resourceVersion that a write insists on.
fn fence(got: &Got) -> Option<&Value> {
    let ops = got.body.as_array().into_iter().flatten();
    let in_ops = ops.filter(|op| op["path"] == "/metadata/resourceVersion").map(|op| &op["value"]).next();
    in_ops.or_else(|| got.body.pointer("/metadata/resourceVersion"))
}

#[tokio::test]
async fn every_write_to_what_others_write_too_carries_its_fence() {
    for action in writes() {
        let (cluster, log) = server(&[route("7")], 200, Leadership::always());
        carried_out(&cluster, &action).await.unwrap();
        let log = log.lock().unwrap().clone();
        let sent: Vec<_> = log.iter().filter(|got| got.method != "GET").collect();
        assert_eq!(sent.len(), 1, "{action:?}");
        assert_eq!(fence(sent[0]), Some(&json!("7")), "{action:?}: {}", sent[0].body);
        assert!(sent[0].path.contains("fieldManager=tidegate"), "{}", sent[0].path);
    }
}

#[tokio::test]
async fn nothing_is_written_without_leadership() {
    let (_keeper, leadership) = Keeper::new("tidegate", "tidegate", "me", Timing::default());
    let others = [
        Action::OpenRecord {
            name: "web-0002".into(),
            spec: Box::new(record_spec()),
            status: Box::new(record_status_now()),
        },
        Action::Apply {
            carrier: Carrier::Canary,
            object: json!({"kind": "Service", "metadata": {"name": "web-canary"}}),
        },
    ];
    for action in writes().into_iter().chain(others) {
        let (cluster, log) = server(&[route("7")], 200, leadership.clone());
        assert!(matches!(carried_out(&cluster, &action).await, Err(Error::NotLeading { .. })), "{action:?}");
        assert!(log.lock().unwrap().iter().all(|got| got.method == "GET"), "{action:?}");
    }
}

#[rstest]
#[case(404)]
#[case(409)]
#[tokio::test]
async fn a_refused_fence_means_that_the_snapshot_was_old(#[case] code: u16) {
    for action in writes() {
        let (cluster, _) = server(&[route("7")], code, Leadership::always());
        assert!(carried_out(&cluster, &action).await.unwrap_err().is_outdated(), "{action:?}");
    }
}

#[tokio::test]
async fn a_route_that_moved_is_not_written() {
    for objects in [vec![route("8")], vec![]] {
        let (cluster, log) = server(&objects, 200, Leadership::always());
        assert!(carried_out(&cluster, &set_split()).await.unwrap_err().is_outdated());
        assert!(log.lock().unwrap().iter().all(|got| got.method == "GET"));
    }
}

#[tokio::test]
async fn the_rules_of_a_route_are_given_back_and_nothing_else_is_written() {
    let entry =
        |manager: &str| json!({"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {"f:rules": {}}}});
    let (path, mut object) = route("7");
    object["metadata"]["managedFields"] = json!([entry("helm"), entry("tidegate")]);
    let (cluster, log) = server(&[(path, object)], 200, Leadership::always());
    let action = Action::DisownRules { route: "web".into(), resource_version: "7".into() };
    carried_out(&cluster, &action).await.unwrap();
    let ops = json!([
        {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "remove", "path": "/metadata/managedFields/1"},
    ]);
    assert_eq!(log.lock().unwrap().last().unwrap().body, ops);
}

#[tokio::test]
async fn a_record_is_created_then_says_where_it_stands() {
    let (cluster, log) = server(&[], 200, Leadership::always());
    let action = Action::OpenRecord {
        name: "web-0002".into(),
        spec: Box::new(record_spec()),
        status: Box::new(record_status_now()),
    };
    carried_out(&cluster, &action).await.unwrap();
    let log = log.lock().unwrap().clone();
    assert_eq!((log[0].method.as_str(), log[1].method.as_str(), log.len()), ("POST", "PATCH", 2));
    assert_eq!(log[0].body["metadata"]["labels"], json!({RELEASE: "web", BUDGET: "web"}));
    assert!(
        log[1].path.starts_with("/apis/tidegate.io/v1alpha1/namespaces/shop/releaserecords/web-0002/status"),
        "{}",
        log[1].path
    );
    assert_eq!(fence(&log[1]), Some(&json!("100")), "the fence is the version that was created");
}

#[tokio::test]
async fn finalizers_of_others_stay() {
    let (cluster, log) = server(&[], 200, Leadership::always());
    carried_out(&cluster, &Action::AddFinalizer).await.unwrap();
    carried_out(&cluster, &Action::RemoveFinalizer).await.unwrap();
    let log = log.lock().unwrap().clone();
    assert_eq!(log[0].body["metadata"]["finalizers"], json!(["other/one", FINALIZER]));
    assert_eq!(log[1].body["metadata"]["finalizers"], json!(["other/one"]));
}

#[tokio::test]
async fn an_object_is_applied_under_our_name_and_by_force() {
    let (cluster, log) = server(&[], 200, Leadership::always());
    let object = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web-canary"}});
    carried_out(&cluster, &Action::Apply { carrier: Carrier::Canary, object: object.clone() }).await.unwrap();
    let got = log.lock().unwrap()[0].clone();
    assert_eq!((got.method.as_str(), got.kind.as_str(), got.body), ("PATCH", "application/apply-patch+yaml", object));
    assert!(got.path.starts_with("/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web-canary?"), "{}", got.path);
    assert!(got.path.contains("force=true") && got.path.contains("fieldManager=tidegate"), "{}", got.path);
}

#[tokio::test]
async fn only_what_is_ours_is_deleted_and_the_deployment_last() {
    let ours = |uid: &str, role: &str| json!({"metadata": {"uid": uid, "labels": {RELEASE: "web", ROLE: role}}});
    let objects = [
        ("/api/v1/namespaces/shop/services/web-canary", ours("s", "canary")),
        ("/apis/policy/v1/namespaces/shop/poddisruptionbudgets/web-canary", json!({"metadata": {"uid": "foreign"}})),
        (
            "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
            json!({"items": [{"metadata": {"name": "copy"}}]}),
        ),
        ("/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/copy", ours("n", "canary")),
        ("/apis/apps/v1/namespaces/shop/deployments/web-canary", ours("d", "canary")),
        ("/apis/apps/v1/namespaces/shop/deployments/web-previous", ours("p", "previous")),
    ];
    let (cluster, log) = server(&objects, 200, Leadership::always());
    carried_out(&cluster, &Action::Delete { carrier: Carrier::Canary }).await.unwrap();
    let log = log.lock().unwrap().clone();
    let deleted: Vec<_> = log.iter().filter(|got| got.method == "DELETE").collect();
    let uids: Vec<_> = deleted.iter().map(|got| got.body["preconditions"]["uid"].as_str().unwrap()).collect();
    assert_eq!(uids, ["s", "n", "d"]);
    assert!(deleted.iter().all(|got| got.body["propagationPolicy"] == "Background"), "{deleted:?}");
}
