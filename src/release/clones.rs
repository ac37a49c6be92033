//! Copies of NetworkPolicies for the time of a release: where a policy speaks of the user's pods by the label that is
//! rewritten, a copy speaks of the canary's, or the previous version's, in the same words.

use serde_json::{Value, json};

use super::labels::{Labels, labels, selects};
use super::objects::suffix;
use super::problem::Problem;
use super::snapshot::Snapshot;
use super::split::Carrier;
use super::template::Relabel;
use crate::api::names::{RELEASE, ROLE};
use crate::policy::canonical::short;

/// The longest name, as for all that Tidegate makes.
const NAME_MAX: usize = 63;
/// Where a policy lists its rules, and where a rule lists its peers.
pub(super) const DIRECTIONS: [(&str, &str, &str); 2] = [("Ingress", "ingress", "from"), ("Egress", "egress", "to")];

/// The copies that a carrier needs, none where the release does not ask for them. An object of such a name that Tidegate
/// did not make is a problem, never overwritten.
pub fn clones(seen: &Snapshot, carrier: Carrier, relabel: &Relabel, stable: &Labels) -> Result<Vec<Value>, Problem> {
    if !seen.release.spec.traffic.clone_network_policies {
        return Ok(Vec::new());
    }
    let mut made = Vec::new();
    for policy in seen.network_policies.iter().filter(|policy| !is_made(policy)) {
        let Some(copy) = clone(seen, policy, carrier, relabel, stable) else { continue };
        let name = copy.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let taken = seen.network_policies.iter().any(|other| {
            let ours = labels(other, "/metadata/labels").get(RELEASE) == Some(&seen.release.name);
            other.pointer("/metadata/name").and_then(Value::as_str) == Some(&name) && !ours
        });
        if taken {
            return Err(Problem::name_taken(&format!("NetworkPolicy {}/{name}", seen.release.namespace), carrier));
        }
        made.push(copy);
    }
    Ok(made)
}

/// Whether Tidegate made an object for a release.
pub(super) fn is_made(object: &Value) -> bool {
    labels(object, "/metadata/labels").contains_key(ROLE)
}

/// A copy of a policy for a carrier; none where the policy means the carrier's pods already, or not by the label.
pub(super) fn clone(
    seen: &Snapshot,
    policy: &Value,
    carrier: Carrier,
    relabel: &Relabel,
    stable: &Labels,
) -> Option<Value> {
    let mut own = stable.clone();
    own.insert(relabel.key.clone(), relabel.to.clone());
    let pods = policy.pointer("/spec/podSelector");
    let mut spec = policy.get("spec")?.clone();
    let mut needed = false;
    if selects(pods, stable) && !selects(pods, &own) {
        spec["podSelector"] = relabel.selector(pods?);
        // An expression that no rewriting turns around, such as DoesNotExist, cannot be copied.
        if !selects(spec.get("podSelector"), &own) {
            return None;
        }
        needed = true;
    }
    for (_, rules, peers) in DIRECTIONS {
        for rule in spec.get_mut(rules).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(list) = rule.get_mut(peers).and_then(Value::as_array_mut) else { continue };
            let more: Vec<_> = list.iter().filter_map(|peer| other_peer(peer, relabel, stable, &own)).collect();
            needed |= !more.is_empty();
            list.extend(more);
        }
    }
    let base = policy.pointer("/metadata/name").and_then(Value::as_str)?;
    needed.then(|| {
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {
                "name": name(base, &seen.release.name, carrier), "namespace": seen.release.namespace,
                "labels": {RELEASE: seen.release.name, ROLE: carrier.as_str()},
            },
            "spec": spec,
        })
    })
}

/// The peer that means the carrier's pods where this one means the user's alone.
fn other_peer(peer: &Value, relabel: &Relabel, stable: &Labels, own: &Labels) -> Option<Value> {
    let pods = peer.get("podSelector")?;
    if !selects(Some(pods), stable) || selects(Some(pods), own) {
        return None;
    }
    let rewritten = relabel.selector(pods);
    selects(Some(&rewritten), own).then(|| {
        let mut other = peer.clone();
        other["podSelector"] = rewritten;
        other
    })
}

/// `<policy>-<release>-canary`: two releases may need copies of one policy. A name that is too long ends in a hash.
fn name(policy: &str, release: &str, carrier: Carrier) -> String {
    let whole = if policy == release {
        format!("{policy}{}", suffix(carrier))
    } else {
        format!("{policy}-{release}{}", suffix(carrier))
    };
    if whole.len() <= NAME_MAX {
        return whole;
    }
    let hash = short(&whole, 4);
    let end = format!("-{hash}{}", suffix(carrier));
    let kept: String = whole.chars().take(NAME_MAX - end.len()).collect();
    format!("{}{end}", kept.trim_end_matches(['-', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::world::World;
    use rstest::rstest;

    fn relabel() -> Relabel {
        Relabel { key: "app".into(), from: "checkout".into(), to: "checkout-canary".into() }
    }

    fn stable() -> Labels {
        Labels::from([("app".to_owned(), "checkout".to_owned()), ("tier".to_owned(), "web".to_owned())])
    }

    fn copy(spec: Value) -> Option<Value> {
        let policy = json!({"metadata": {"name": "allow"}, "spec": spec});
        clone(&World::new().seen, &policy, Carrier::Canary, &relabel(), &stable())
    }

    #[rstest]
    #[case::all_pods(json!({"podSelector": {}}))]
    #[case::another_label(json!({"podSelector": {"matchLabels": {"tier": "web"}}}))]
    #[case::other_pods(json!({"podSelector": {"matchLabels": {"app": "cart"}}}))]
    #[case::both_already(json!({"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["checkout", "checkout-canary"]}]}}))]
    #[case::a_peer_that_means_both(json!({"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"tier": "web"}}}]}]}))]
    fn what_means_the_canary_already_is_not_copied(#[case] spec: Value) {
        assert_eq!(copy(spec), None);
    }

    #[test]
    fn a_copy_selects_the_canary_and_knows_both_as_peers() {
        let made = copy(json!({
            "podSelector": {"matchLabels": {"app": "checkout"}}, "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "checkout"}}}], "ports": [{"port": 80}]}],
        }))
        .unwrap();
        assert_eq!(made["metadata"]["name"], "allow-checkout-canary");
        assert_eq!(made["metadata"]["labels"], json!({RELEASE: "checkout", ROLE: "canary"}));
        assert_eq!(made["spec"]["podSelector"]["matchLabels"]["app"], "checkout-canary");
        assert_eq!(
            made["spec"]["ingress"][0]["from"],
            json!([{"podSelector": {"matchLabels": {"app": "checkout"}}}, {"podSelector": {"matchLabels": {"app": "checkout-canary"}}}])
        );
    }

    #[test]
    fn what_lets_the_workload_in_elsewhere_lets_the_canary_in_too() {
        let made = copy(json!({
            "podSelector": {"matchLabels": {"app": "db"}},
            "ingress": [{"from": [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["checkout", "cart"]}]}}]}],
        }))
        .unwrap();
        assert_eq!(made["spec"]["podSelector"]["matchLabels"]["app"], "db");
        assert_eq!(
            made["spec"]["ingress"][0]["from"][1]["podSelector"]["matchExpressions"][0]["values"],
            json!(["checkout-canary", "cart"])
        );
    }

    #[test]
    fn names_are_short_told_apart_and_always_the_same() {
        assert_eq!(name("checkout", "checkout", Carrier::Previous), "checkout-previous");
        let long = "a-policy-with-a-name-that-is-much-longer-than-it-would-have-to-be";
        let (one, other) = (name(long, "one", Carrier::Canary), name(long, "other", Carrier::Canary));
        assert!(one.len() <= NAME_MAX && one.ends_with("-canary") && one != other);
        assert_eq!(one, name(long, "one", Carrier::Canary));
    }

    #[test]
    fn a_policy_of_that_name_that_is_somebody_else_s_is_never_overwritten() {
        let mut seen = World::new().seen;
        seen.release.spec.traffic.clone_network_policies = true;
        let policy = |name: &str, role: Option<&str>| {
            json!({
                "metadata": {"name": name, "labels": role.map_or(json!({}), |role| json!({RELEASE: "checkout", ROLE: role}))},
                "spec": {"podSelector": {"matchLabels": {"app": "checkout"}}},
            })
        };
        seen.network_policies = vec![policy("allow", None), policy("allow-checkout-canary", Some("canary"))];
        let made = clones(&seen, Carrier::Canary, &relabel(), &stable()).unwrap();
        assert_eq!(made.len(), 1, "our own is made anew, and not copied again");
        seen.network_policies = vec![policy("allow", None), policy("allow-checkout-canary", None)];
        assert_eq!(clones(&seen, Carrier::Canary, &relabel(), &stable()).unwrap_err().reason, "NameTaken");
        seen.release.spec.traffic.clone_network_policies = false;
        assert_eq!(clones(&seen, Carrier::Canary, &relabel(), &stable()).unwrap(), Vec::<Value>::new());
    }
}
