use rstest::rstest;
use serde_json::json;

use super::*;

/// A field of bytes.
fn part(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut all = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        all.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    all.push(length as u8);
    all.extend_from_slice(bytes);
    all
}

fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let type_meta = [part(1, api_version.as_bytes()), part(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), part(1, &type_meta), part(2, raw)].concat()
}

#[test]
fn the_table_is_whole() {
    assert!(MESSAGES.len() > 200);
    for (message, fields) in MESSAGES.iter() {
        for field in fields {
            if let Kind::Message(name) = field.kind {
                // Either in the table, or one that is read by hand.
                let known = MESSAGES.contains_key(name) || special::value(name, &[]).is_ok();
                assert!(known, "{message}.{}: {name}", field.name);
            }
        }
    }
}

#[test]
fn what_kubectl_sends_reads_as_its_json_would() {
    // kubectl create deployment: replicas and strategy, a template, empty structs and a zero time.
    let metadata = [
        part(1, b"web"),
        part(2, b""),
        part(5, b""),
        part(8, b""),
        part(11, &[part(1, b"app"), part(2, b"web")].concat()),
    ]
    .concat();
    let port = [part(1, b""), vec![2 << 3, 0], vec![3 << 3, 0x90, 0x3f], part(4, b"TCP")].concat();
    let container = [
        part(1, b"web"),
        part(2, b"web:1"),
        part(6, &port),
        part(8, &part(1, &[part(1, b"cpu"), part(2, &part(1, b"100m"))].concat())),
    ]
    .concat();
    let template = [part(1, b""), part(2, &part(2, &container))].concat();
    let surge = [vec![1 << 3, 1], vec![2 << 3, 0], part(3, b"25%")].concat();
    let unavailable = [vec![1 << 3, 0], vec![2 << 3, 1], part(3, b"")].concat();
    let strategy = part(2, &[part(1, &unavailable), part(2, &surge)].concat());
    let spec = [vec![1 << 3, 0], part(3, &template), part(4, &strategy), vec![5 << 3, 0], vec![7 << 3, 0]].concat();
    let raw = [part(1, &metadata), part(2, &spec), part(3, b"")].concat();
    let wanted = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 0,
            "strategy": {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": "25%"}},
            "template": {"metadata": {}, "spec": {"containers": [
                {"name": "web", "image": "web:1", "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                 "resources": {"limits": {"cpu": "100m"}}},
            ]}},
        },
        "status": {},
    });
    assert_eq!(to_json(&body("apps/v1", "Deployment", &raw)).unwrap(), Some(wanted));
}

#[rstest]
#[case::bytes("v1", "Secret", part(2, &[part(1, b"a"), part(2, b"b\xff")].concat()), "/data/a", json!("Yv8="))]
#[case::time("coordination.k8s.io/v1", "Lease", part(2, &part(4, &[0x08, 0x80, 0xf2, 0xd6, 0xca, 0x06])), "/spec/renewTime", json!("2026-01-01T00:00:00.000000Z"))]
#[case::options("policy/v1", "DeleteOptions", part(4, b"Foreground"), "/propagationPolicy", json!("Foreground"))]
#[case::inline("v1", "Pod", part(2, &part(1, &[part(1, b"v"), part(2, &part(2, b""))].concat())), "/spec/volumes/0", json!({"name": "v", "emptyDir": {}}))]
#[case::review("authorization.k8s.io/v1", "SelfSubjectAccessReview", part(2, &part(1, &part(2, b"list"))), "/spec/resourceAttributes/verb", json!("list"))]
fn special_messages_have_their_own_json(
    #[case] version: &str,
    #[case] kind: &str,
    #[case] raw: Vec<u8>,
    #[case] pointer: &str,
    #[case] wanted: Value,
) {
    let object = to_json(&body(version, kind, &raw)).unwrap().unwrap();
    assert_eq!(object.pointer(pointer), Some(&wanted), "{object}");
}

#[rstest]
#[case::not_ours(b"{}".to_vec(), "does not begin")]
#[case::cut_off(body("v1", "Pod", &[10, 9, 1]), "cut off")]
#[case::type_(body("v1", "Pod", &[1 << 3, 1]), "another type")]
fn what_cannot_be_read_is_refused(#[case] body: Vec<u8>, #[case] message: &str) {
    let error = to_json(&body).unwrap_err();
    assert!(error.contains(message), "{error}");
}

#[test]
fn a_kind_that_is_not_served_is_left_to_the_server() {
    assert_eq!(to_json(&body("batch/v1", "Job", b"")), Ok(None));
}

proptest::proptest! {
    #[test]
    fn no_body_makes_it_panic(kind in "Pod|Deployment|Event", raw in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
        let _ = to_json(&body(if kind == "Deployment" { "apps/v1" } else { "v1" }, &kind, &raw));
    }
}
