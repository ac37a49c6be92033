//! What stands in other namespaces and may mean pods or Services of a release: what of a cluster is worth keeping.

use serde_json::{Value, json};

use super::facts::list;
use super::surroundings::Unseen;
use crate::release::clones::DIRECTIONS;

/// Everything of a cluster that may mean another namespace than its own. One serves all releases, each of which leaves out what
/// stands in its own namespace.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Elsewhere {
    /// NetworkPolicies that speak of other namespaces, or of everybody.
    pub network_policies: Vec<Value>,
    /// ServiceMonitors that look into other namespaces.
    pub service_monitors: Vec<Value>,
    /// PodMonitors that look into other namespaces.
    pub pod_monitors: Vec<Value>,
    /// AuthorizationPolicies of the mesh's root namespace, which bind pods of all namespaces.
    pub authorizations: Vec<Value>,
    /// PeerAuthentications of the mesh's root namespace, which bind pods of all namespaces.
    pub peer_authentications: Vec<Value>,
    /// Kinds that could not be listed, or not whole.
    pub unseen: Vec<Unseen>,
}

/// Whether a NetworkPolicy may let pods of another namespace in or out: those of a peer with a `namespaceSelector`, or all.
pub fn crosses(policy: &Value) -> bool {
    peers(policy).any(|peers| peers.is_empty() || peers.iter().any(has_namespaces))
}

/// Whether a NetworkPolicy selects namespaces, so that the labels of one have to be known.
pub fn selects_namespaces(policy: &Value) -> bool {
    peers(policy).flatten().any(has_namespaces)
}

/// The peers of each rule; none of them means everybody.
fn peers(policy: &Value) -> impl Iterator<Item = &[Value]> {
    DIRECTIONS.into_iter().flat_map(move |(_, rules, peers)| {
        let rules = list(policy, &format!("/spec/{rules}"));
        rules.iter().map(move |rule| rule.get(peers).and_then(Value::as_array).map_or(&[][..], Vec::as_slice))
    })
}

fn has_namespaces(peer: &Value) -> bool {
    peer.get("namespaceSelector").is_some()
}

/// Whether a monitor looks into other namespaces than its own.
pub fn looks_out(monitor: &Value) -> bool {
    let any = monitor.pointer("/spec/namespaceSelector/any").and_then(Value::as_bool).unwrap_or(false);
    any || !list(monitor, "/spec/namespaceSelector/matchNames").is_empty()
}

/// An object with what rules ask of it, and no more: there may be thousands.
pub fn kept(object: &Value) -> Value {
    let of = |key: &str| object.pointer(&format!("/metadata/{key}")).cloned().unwrap_or_default();
    json!({
        "metadata": {"name": of("name"), "namespace": of("namespace"), "labels": of("labels")},
        "spec": object.get("spec").cloned().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::closes_all(json!({"podSelector": {}, "policyTypes": ["Ingress"]}), false, false)]
    #[case::from_its_own(json!({"ingress": [{"from": [{"podSelector": {}}]}]}), false, false)]
    #[case::from_everybody(json!({"ingress": [{"ports": [{"port": 80}]}]}), true, false)]
    #[case::to_everybody(json!({"egress": [{"to": []}]}), true, false)]
    #[case::from_addresses(json!({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]}), false, false)]
    #[case::from_namespaces(json!({"ingress": [{"from": [{"podSelector": {}}, {"namespaceSelector": {}}]}]}), true, true)]
    #[case::to_namespaces(json!({"egress": [{"to": [{"namespaceSelector": {}, "podSelector": {}}]}]}), true, true)]
    fn policies_that_speak_of_other_namespaces(#[case] spec: Value, #[case] crossing: bool, #[case] selecting: bool) {
        let policy = json!({"spec": spec});
        assert_eq!((crosses(&policy), selects_namespaces(&policy)), (crossing, selecting));
    }

    #[rstest]
    #[case(json!({}), false)]
    #[case(json!({"namespaceSelector": {}}), false)]
    #[case(json!({"namespaceSelector": {"any": true}}), true)]
    #[case(json!({"namespaceSelector": {"matchNames": ["shop"]}}), true)]
    fn monitors_that_look_into_other_namespaces(#[case] spec: Value, #[case] wanted: bool) {
        assert_eq!(looks_out(&json!({"spec": spec})), wanted);
    }
}
