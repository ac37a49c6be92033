use rstest::rstest;
use serde_json::{Value, json};

use super::*;

fn now() -> Time {
    Time("2026-03-02T10:00:00Z".parse().unwrap())
}

fn row(columns: &Columns, object: &Value) -> Vec<Value> {
    let table = columns.table([object], &json!({}), Include::None, true, now());
    assert_eq!(
        table["columnDefinitions"].as_array().unwrap().len(),
        table["rows"][0]["cells"].as_array().unwrap().len()
    );
    table["rows"][0]["cells"].as_array().unwrap().clone()
}

fn shown(group: &str, kind: &str, object: &Value) -> Vec<Value> {
    row(&Columns::of(group, kind, None), object)
}

fn meta() -> Value {
    json!({"name": "web", "creationTimestamp": "2026-03-02T09:55:00Z"})
}

#[test]
fn a_deployment_shows_its_replicas_containers_and_selector() {
    let object = json!({
        "metadata": meta(),
        "spec": {"replicas": 4, "selector": {"matchLabels": {"b": "2", "a": "1"}},
            "template": {"spec": {"containers": [{"name": "web", "image": "web:1"}, {"name": "log", "image": "log:2"}]}}},
        "status": {"readyReplicas": 3, "updatedReplicas": 2, "availableReplicas": 1},
    });
    let wanted = [
        json!("web"),
        json!("3/4"),
        json!(2),
        json!(1),
        json!("5m"),
        json!("web,log"),
        json!("web:1,log:2"),
        json!("a=1,b=2"),
    ];
    assert_eq!(shown("apps", "Deployment", &object), wanted);
}

#[rstest]
#[case::plain(json!({"type": "ClusterIP", "clusterIP": "10.0.0.1", "ports": [{"port": 80, "protocol": "TCP"}]}),
    "10.0.0.1", "<none>", "80/TCP")]
#[case::headless(json!({"type": "ClusterIP", "clusterIP": "None"}), "None", "<none>", "<none>")]
#[case::balancer(json!({"type": "LoadBalancer", "clusterIP": "10.0.0.1",
    "ports": [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]}), "10.0.0.1", "<pending>", "80:30080/TCP")]
#[case::external(json!({"type": "ExternalName", "externalName": "db.example"}), "<none>", "db.example", "<none>")]
fn a_service_shows_where_it_is(#[case] spec: Value, #[case] ip: &str, #[case] external: &str, #[case] ports: &str) {
    let cells = shown("", "Service", &json!({"metadata": meta(), "spec": spec}));
    assert_eq!(cells[2..5], [json!(ip), json!(external), json!(ports)]);
}

#[rstest]
#[case::running(json!({"phase": "Running", "containerStatuses": [{"ready": true, "state": {"running": {}}}]}), "1/1", "Running")]
#[case::pulling(json!({"phase": "Pending", "containerStatuses": [
    {"ready": false, "state": {"waiting": {"reason": "ContainerCreating"}}}]}), "0/1", "ContainerCreating")]
#[case::crashing(json!({"phase": "Running", "containerStatuses": [
    {"ready": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}), "0/1", "CrashLoopBackOff")]
#[case::ended(json!({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 2}}}]}), "0/1", "ExitCode:2")]
#[case::evicted(json!({"phase": "Failed", "reason": "Evicted"}), "0/1", "Evicted")]
#[case::pending(json!({"phase": "Pending"}), "0/1", "Pending")]
fn a_pod_says_its_state_in_one_word(#[case] status: Value, #[case] ready: &str, #[case] word: &str) {
    let pod = json!({"metadata": meta(), "spec": {"containers": [{"name": "web"}]}, "status": status});
    assert_eq!(shown("", "Pod", &pod)[1..3], [json!(ready), json!(word)]);
}

#[test]
fn a_pod_that_goes_is_terminating_and_tells_when_it_last_restarted() {
    let pod = json!({
        "metadata": {"name": "web-1", "creationTimestamp": "2026-03-02T09:00:00Z", "deletionTimestamp": "2026-03-02T10:00:00Z"},
        "spec": {"containers": [{"name": "web"}]},
        "status": {"phase": "Running", "containerStatuses": [{"ready": true, "restartCount": 2, "state": {"running": {}},
            "lastState": {"terminated": {"finishedAt": "2026-03-02T09:57:30Z"}}}]},
    });
    assert_eq!(shown("", "Pod", &pod)[2..5], [json!("Terminating"), json!("2 (2m30s ago)"), json!("60m")]);
}

#[rstest]
#[case::core(json!({"involvedObject": {"kind": "Pod", "name": "web"}, "message": " Started \n", "type": "Normal",
    "reason": "Started", "firstTimestamp": "2026-03-02T09:00:00Z", "lastTimestamp": "2026-03-02T09:59:00Z", "count": 4,
    "source": {"component": "kubelet", "host": "n1"}}), "60s", 4, "kubelet, n1")]
#[case::new(json!({"regarding": {"kind": "Pod", "name": "web"}, "note": "Started", "type": "Normal", "reason": "Started",
    "eventTime": "2026-03-02T09:59:30.000000Z", "reportingController": "tidegate.io", "firstTimestamp": null}),
    "30s", 1, "tidegate.io")]
fn events_of_both_apis_read_alike(#[case] event: Value, #[case] last: &str, #[case] count: i64, #[case] source: &str) {
    let cells = shown("", "Event", &event);
    assert_eq!(cells[..4], [json!(last), json!("Normal"), json!("Started"), json!("pod/web")]);
    assert_eq!((&cells[5], &cells[6], &cells[8]), (&json!(source), &json!("Started"), &json!(count)));
}

#[test]
fn an_autoscaler_shows_goal_and_present_value() {
    let metric =
        |name: &str| json!({"type": "Resource", "resource": {"name": name, "target": {"averageUtilization": 60}}});
    let object = json!({
        "metadata": meta(),
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 9, "metrics": [metric("cpu"), metric("memory"), metric("x")]},
        "status": {"currentReplicas": 3, "currentMetrics": [{"resource": {"name": "cpu", "current": {"averageUtilization": 41}}}]},
    });
    let wanted = [
        json!("Deployment/web"),
        json!("cpu: 41%/60%, memory: <unknown>/60% + 1 more..."),
        json!("<unset>"),
        json!(9),
        json!(3),
    ];
    assert_eq!(shown("autoscaling", "HorizontalPodAutoscaler", &object)[1..6], wanted);
}

#[test]
fn many_endpoints_are_counted() {
    let object = json!({"metadata": meta(), "addressType": "IPv4", "ports": [{"port": 8080}],
        "endpoints": [{"addresses": ["a"]}, {"addresses": ["b"]}, {"addresses": ["c"]}, {"addresses": ["d"]}]});
    assert_eq!(
        shown("discovery.k8s.io", "EndpointSlice", &object)[1..4],
        [json!("IPv4"), json!("8080"), json!("a,b,c + 1 more...")]
    );
}

#[test]
fn the_columns_of_a_definition_are_typed() {
    let printer = [
        json!({"name": "Phase", "type": "string", "jsonPath": ".status.phase"}),
        json!({"name": "Weight", "type": "integer", "jsonPath": ".status.weight"}),
        json!({"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status", "priority": 1}),
        json!({"name": "Gone", "type": "integer", "jsonPath": ".status.none"}),
        json!({"name": "Odd", "type": "string", "jsonPath": ".status..x"}),
        json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}),
    ];
    let columns = Columns::of("tidegate.io", "GatedRelease", Some(&printer));
    let object = json!({"metadata": meta(), "status": {"phase": "Stage", "weight": 5.0, "conditions": [{"type": "Ready", "status": "True"}]}});
    let wanted = [json!("web"), json!("Stage"), json!(5), json!("True"), Value::Null, Value::Null, json!("5m")];
    assert_eq!(row(&columns, &object), wanted);
    let table = columns.table([], &json!({}), Include::None, true, now());
    assert_eq!(table["columnDefinitions"][3]["priority"], 1);
}

#[test]
fn a_definition_without_columns_shows_the_age_and_an_unknown_kind_its_creation() {
    assert_eq!(row(&Columns::of("x", "Y", Some(&[])), &json!({"metadata": meta()})), [json!("web"), json!("5m")]);
    assert_eq!(shown("x", "Y", &json!({"metadata": meta()})), [json!("web"), json!("2026-03-02T09:55:00Z")]);
}

#[rstest]
#[case(Some("None"), Value::Null)]
#[case(None, json!("PartialObjectMetadata"))]
#[case(Some("Object"), json!("Namespace"))]
fn as_much_of_the_object_goes_along_as_was_asked_for(#[case] query: Option<&str>, #[case] kind: Value) {
    let object = json!({"kind": "Namespace", "metadata": meta()});
    let columns = Columns::of("", "Namespace", None);
    let table = columns.table([&object], &json!({"resourceVersion": "7"}), Include::from_query(query), false, now());
    assert_eq!(table["rows"][0]["object"]["kind"], kind);
    assert_eq!(table["columnDefinitions"], json!([]));
    assert_eq!(table["metadata"]["resourceVersion"], "7");
}
