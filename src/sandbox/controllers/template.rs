//! Pod templates: when two are the same, and the hash in names.

use serde_json::Value;

use crate::cluster::kind::REPLICA_SET;

/// The label that tells the pods of one ReplicaSet from another's.
pub(super) const HASH: &str = "pod-template-hash";

/// Whether a ReplicaSet's template is the Deployment's, its hash left aside.
pub(super) fn same(deployment: &Value, set: &Value) -> bool {
    debug_assert_eq!(set.get("kind").and_then(Value::as_str).unwrap_or(REPLICA_SET.kind), REPLICA_SET.kind);
    let (Some(wanted), Some(has)) = (deployment.pointer("/spec/template"), set.pointer("/spec/template")) else {
        return false;
    };
    if wanted.get("spec") != has.get("spec") {
        return false;
    }
    let part = |template: &Value, place: &str| -> Vec<(String, Value)> {
        let map = template.pointer(place).and_then(Value::as_object);
        let all = map.into_iter().flatten().filter(|(key, _)| *key != HASH);
        all.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    ["/metadata/labels", "/metadata/annotations"].iter().all(|place| part(wanted, place) == part(has, place))
}

/// A short name for a template.
pub(super) fn hash(template: &Value) -> String {
    // FNV-1a: names need to differ, and to be the same in every run.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in template.to_string().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    const LETTERS: [char; 27] = [
        'b', 'c', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'q', 'r', 's', 't', 'v', 'w', 'x', 'z', '2', '4',
        '5', '6', '7', '8', '9',
    ];
    (0..10)
        .map(|_| {
            let letter = LETTERS[(hash % 27) as usize];
            hash /= 27;
            letter
        })
        .collect()
}
