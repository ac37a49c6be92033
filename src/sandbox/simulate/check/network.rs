//! NetworkPolicies that mean the user's pods: where a release copies them, no user meets a canary without its copies.

use serde_json::Value;

use super::route::CANARY;
use super::{Checkers, FRESH, NAME, NAMESPACE, Rule, Seen, text, time};
use crate::cluster::kind::{DEPLOYMENT, NETWORK_POLICY};
use crate::sandbox::objects::Objects;

const ROLE: &str = "/metadata/labels/tidegate.io~1role";
const SELECTED: &str = "/spec/podSelector/matchLabels/app";

/// The canary gets more of the traffic.
pub(super) fn rises(checkers: &mut Checkers, seen: &Seen<'_>) {
    let release = super::release(seen.objects);
    let copies = release.and_then(|release| release.pointer("/spec/traffic/cloneNetworkPolicies"));
    let Some(canary) = seen.objects.get(&DEPLOYMENT, NAMESPACE, CANARY).filter(|_| copies == Some(&true.into())) else {
        return;
    };
    let label = text(canary, "/spec/template/metadata/labels/app");
    let Some(made) = time(canary, "/metadata/creationTimestamp") else { return };
    let all = seen.objects.list(&NETWORK_POLICY, NAMESPACE);
    // What came after the canary is not copied for it.
    let older = |policy: &&&Value| {
        time(policy, "/metadata/creationTimestamp").is_some_and(|at| at.0 < made.0 && made.since(at) > FRESH)
    };
    let means = |policy: &&&Value| text(policy, ROLE).is_none() && text(policy, SELECTED) == Some(NAME);
    let copied = all.iter().any(|policy| text(policy, ROLE) == Some("canary") && text(policy, SELECTED) == label);
    if let Some(policy) = all.iter().filter(means).find(older).filter(|_| !copied) {
        let name = text(policy, "/metadata/name").unwrap_or_default();
        let says = format!("{CANARY} gets traffic, and nothing allows it what {name} allows the workload");
        checkers.violated(Rule::TrafficToNobody, seen.now, says);
    }
}

/// A copy that is still there when nothing goes on.
pub(super) fn left_over(objects: &dyn Objects, late: bool) -> Option<String> {
    let all = objects.list(&NETWORK_POLICY, NAMESPACE);
    let left = all.iter().find(|policy| match text(policy, ROLE) {
        Some("previous") => !late,
        role => role.is_some(),
    });
    left.map(|policy| format!("NetworkPolicy {} is still there", text(policy, "/metadata/name").unwrap_or_default()))
}
