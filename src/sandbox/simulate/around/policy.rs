//! NetworkPolicies that mean the workload's pods, as somebody who looks after the network sets them.

use serde_json::{Value, json};

use crate::cluster::kind::NETWORK_POLICY;
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{NAME, NAMESPACE};
use crate::sandbox::simulate::people::{apply, delete};
use crate::sandbox::user::User;

const POLICIES: &str = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies";
const ALLOWS: &str = "allow-gateway";
const DENIES: &str = "deny-all";
const GUARDS: &str = "database";

fn policy(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": NETWORK_POLICY.api_version(), "kind": NETWORK_POLICY.kind,
        "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec,
    })
}

/// Closes all pods of the namespace, and opens the workload's.
pub(super) fn set(api: &mut ApiServer, admin: &User) -> u16 {
    let open = json!({
        "podSelector": {"matchLabels": {"app": NAME}}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": 8080}]}],
    });
    let shut = json!({"podSelector": {}, "policyTypes": ["Ingress"]});
    apply(api, admin, POLICIES, &policy(ALLOWS, open)).max(apply(api, admin, POLICIES, &policy(DENIES, shut)))
}

/// Takes both away; none where there are none.
pub(super) fn lift(api: &mut ApiServer, admin: &User) -> Option<u16> {
    let there = api.get(&NETWORK_POLICY, NAMESPACE, ALLOWS).is_some();
    there.then(|| {
        let mut gone = |name: &str| delete(api, admin, &format!("{POLICIES}/{name}"));
        gone(DENIES).max(gone(ALLOWS))
    })
}

/// Lets the workload's pods into a database, and nobody else.
pub(super) fn guard(api: &mut ApiServer, admin: &User) -> u16 {
    let ours = json!([{"podSelector": {"matchLabels": {"app": NAME}}}]);
    let spec = json!({
        "podSelector": {"matchLabels": {"app": "database"}}, "policyTypes": ["Ingress"], "ingress": [{"from": ours}],
    });
    apply(api, admin, POLICIES, &policy(GUARDS, spec))
}

/// Lets everybody in again; none where that is so.
pub(super) fn unguard(api: &mut ApiServer, admin: &User) -> Option<u16> {
    let there = api.get(&NETWORK_POLICY, NAMESPACE, GUARDS).is_some();
    there.then(|| delete(api, admin, &format!("{POLICIES}/{GUARDS}")))
}
