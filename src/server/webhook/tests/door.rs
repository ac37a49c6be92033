use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use k8s_openapi::ByteString;
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{door, question, question_of_a_set};
use crate::admission::Policies;
use crate::api::names::HELD_PARTITION;
use crate::server::webhook::review;

const JSON: &str = "application/json";

async fn ask(method: &str, content_type: &str, body: impl Into<Body>) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri("/mutate").header("Content-Type", content_type);
    let response = door().0.routes().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn patch(review: &Value) -> Value {
    let patch: ByteString = serde_json::from_value(review["response"]["patch"].clone()).unwrap();
    serde_json::from_slice(&patch.0).unwrap()
}

#[tokio::test]
async fn a_changed_template_is_answered_with_a_patch_under_the_questions_uid() {
    let (status, body) = ask("POST", JSON, question("app:1", "app:2").to_string()).await;
    let review: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&review["apiVersion"], &review["kind"]), (&json!("admission.k8s.io/v1"), &json!("AdmissionReview")));
    let response = &review["response"];
    assert_eq!(
        (&response["uid"], &response["allowed"], &response["patchType"]),
        (&json!("705ab4f5"), &json!(true), &json!("JSONPatch"))
    );
    let ops = patch(&review);
    assert!(ops.as_array().unwrap().contains(&json!({"op": "add", "path": "/spec/paused", "value": true})), "{ops}");
}

#[tokio::test]
async fn a_changed_template_of_a_stateful_set_is_held_by_its_partition() {
    let (status, body) = ask("POST", JSON, question_of_a_set("app:1", "app:2").to_string()).await;
    let review: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &review["response"]["allowed"]), (StatusCode::OK, &json!(true)));
    let ops = patch(&review);
    let held =
        json!({"op": "replace", "path": "/spec/updateStrategy/rollingUpdate/partition", "value": HELD_PARTITION});
    let all = ops.as_array().unwrap();
    assert!(all.contains(&held) && all.iter().all(|op| op["path"] != "/spec/paused"), "{ops}");
    let (_, body) = ask("POST", JSON, question_of_a_set("app:1", "app:1").to_string()).await;
    let review: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(review["response"], json!({"uid": "705ab4f5", "allowed": true}), "what changes nothing");
}

#[tokio::test]
async fn what_changes_nothing_is_allowed_without_a_patch() {
    let (_, body) = ask("POST", "application/json; charset=utf-8", question("app:1", "app:1").to_string()).await;
    let review: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(review["response"], json!({"uid": "705ab4f5", "allowed": true}));
}

#[rstest]
#[case::get("GET", JSON, "", StatusCode::METHOD_NOT_ALLOWED, "")]
#[case::another_type(
    "POST",
    "text/plain",
    "{}",
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "Content-Type: application/json is wanted"
)]
#[case::no_json("POST", JSON, "{", StatusCode::BAD_REQUEST, "body: no AdmissionReview: EOF")]
#[case::a_field_is_missing(
    "POST",
    JSON,
    r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1"}}"#,
    StatusCode::BAD_REQUEST,
    "missing field `resource`"
)]
#[case::no_request(
    "POST",
    JSON,
    r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}"#,
    StatusCode::BAD_REQUEST,
    "request: missing"
)]
#[case::an_older_version(
    "POST",
    JSON,
    r#"{"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview"}"#,
    StatusCode::BAD_REQUEST,
    "set admissionReviewVersions: [v1]"
)]
#[tokio::test]
async fn a_question_that_cannot_be_answered_is_told_why(
    #[case] method: &str,
    #[case] content_type: &str,
    #[case] body: &'static str,
    #[case] status: StatusCode,
    #[case] why: &str,
) {
    let answer = ask(method, content_type, body).await;
    assert_eq!(answer.0, status, "{}", answer.1);
    assert!(answer.1.contains(why), "{}", answer.1);
}

#[tokio::test]
async fn an_operation_that_no_rule_may_name_is_told() {
    let mut connect = question("app:1", "app:2");
    connect["request"]["operation"] = json!("CONNECT");
    let (status, why) = ask("POST", JSON, connect.to_string()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(why.contains("request.operation \"CONNECT\""), "{why}");
}

#[tokio::test]
async fn a_body_without_end_is_not_read() {
    let (status, why) = ask("POST", JSON, vec![b' '; 3 * 1024 * 1024 + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(why.contains("3145728 bytes"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_not_waited_for_and_is_counted() {
    let (door, metrics) = door();
    let body = Body::from_stream(futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>());
    let request = Request::post("/mutate").header("Content-Type", JSON).body(body).unwrap();
    let response = door.routes().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(metrics.reviews("timed_out"), 1);
}

#[tokio::test]
async fn answers_are_counted_and_at_the_end_ask_for_another_connection() {
    let (door, metrics) = door();
    for ends in [false, true] {
        if ends {
            door.ending();
        }
        let body = question("app:1", "app:2").to_string();
        let request = Request::post("/mutate").header("Content-Type", JSON).body(Body::from(body)).unwrap();
        let response = door.clone().routes().oneshot(request).await.unwrap();
        assert_eq!(response.headers().get("connection").map(|value| value.as_bytes()), ends.then_some(&b"close"[..]));
    }
    assert_eq!(metrics.reviews("changed"), 2);
}

#[rstest]
#[case::fails("Fail", false)]
#[case::or_is_passed_over("Ignore", true)]
fn a_policy_that_cannot_be_evaluated(#[case] policy: &str, #[case] allowed: bool) {
    let policies = format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nmetadata: {{name: hold}}\nspec:\n  \
         failurePolicy: {policy}\n  matchConstraints: {{resourceRules: [{{apiGroups: [apps], apiVersions: [v1], operations: [UPDATE], resources: [deployments]}}]}}\n  \
         mutations: [{{patchType: JSONPatch, jsonPatch: {{expression: \"[JSONPatch{{op: 'add', path: '/x', value: object.nothing}}]\"}}}}]\n---\n\
         apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicyBinding\nmetadata: {{name: hold}}\nspec: {{policyName: hold}}\n"
    );
    let policies = Policies::read(&policies).unwrap();
    let answer = review::answer(&policies, question("app:1", "app:2").to_string().as_bytes()).unwrap();
    let response = &answer.review["response"];
    assert_eq!(response["allowed"], allowed);
    if !allowed {
        let message = response["status"]["message"].as_str().unwrap();
        assert!(message.starts_with("deployments shop/web was not changed: "), "{message}");
        assert!(message.contains("no such key: nothing") && message.contains("remove the label"), "{message}");
    }
}
