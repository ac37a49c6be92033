//! Who holds a verb, by the roles and bindings of a cluster. Aggregated ClusterRoles need nothing here: the cluster
//! writes the rules that they gather into them.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::api::GROUP;

/// A verb on a resource of Tidegate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Right<'a> {
    pub(super) verb: &'a str,
    pub(super) resource: &'a str,
    /// The one that is meant; empty for any.
    pub(super) name: &'a str,
    /// Where; empty for anywhere.
    pub(super) namespace: &'a str,
}

/// Somebody who holds a right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    /// User, Group or ServiceAccount.
    pub(super) kind: String,
    /// The name; of a ServiceAccount with its namespace.
    pub(super) name: String,
    /// The namespace of the binding; empty for all.
    pub(super) place: String,
    /// The role, such as `ClusterRole tidegate-approve-sre`.
    pub(super) role: String,
    /// Whether the role names the right, and does not only say `*`.
    pub(super) named: bool,
}

impl Holder {
    /// Whether it is a machine: admission lets none approve or start.
    pub(super) fn is_machine(&self) -> bool {
        let user = self.kind == "User"
            && ["system:serviceaccount:", "system:node:", "system:kube-"]
                .iter()
                .any(|start| self.name.starts_with(start));
        let group = self.kind == "Group"
            && ["system:serviceaccounts", "system:nodes"].iter().any(|start| self.name.starts_with(start));
        self.kind == "ServiceAccount" || user || group
    }
}

impl fmt::Display for Holder {
    /// `Group on-call in shop`, `ServiceAccount flux-system/flux (by a wildcard)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        if !self.place.is_empty() {
            write!(f, " in {}", self.place)?;
        }
        if !self.named {
            write!(f, " (by a wildcard)")?;
        }
        Ok(())
    }
}

fn text<'v>(object: &'v Value, place: &str) -> &'v str {
    object.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn list<'v>(object: &'v Value, place: &str) -> &'v [Value] {
    object.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Everybody to whom a binding grants it. Objects carry their `kind`.
pub(super) fn holders(roles: &[Value], bindings: &[Value], right: &Right<'_>) -> BTreeSet<Holder> {
    let mut all = BTreeSet::new();
    for binding in bindings {
        let place = text(binding, "/metadata/namespace");
        if !place.is_empty() && !right.namespace.is_empty() && place != right.namespace {
            continue;
        }
        let (kind, name) = (text(binding, "/roleRef/kind"), text(binding, "/roleRef/name"));
        let home = if kind == "Role" { place } else { "" };
        let role = roles.iter().find(|role| {
            text(role, "/kind") == kind
                && text(role, "/metadata/name") == name
                && text(role, "/metadata/namespace") == home
        });
        let Some(named) = role.and_then(|role| grants(role, right)) else { continue };
        for subject in list(binding, "/subjects") {
            let of = text(subject, "/namespace");
            let who = text(subject, "/name");
            all.insert(Holder {
                kind: text(subject, "/kind").to_owned(),
                name: if of.is_empty() { who.to_owned() } else { format!("{of}/{who}") },
                place: place.to_owned(),
                role: format!("{kind} {name}"),
                named,
            });
        }
    }
    all
}

/// Whether a role grants it, and whether any of its rules names it instead of only saying `*`.
fn grants(role: &Value, right: &Right<'_>) -> Option<bool> {
    let has = |rule: &Value, place: &str, wanted: &str| {
        let all = list(rule, place);
        let named = all.iter().any(|one| one == wanted);
        (named || all.iter().any(|one| one == "*")).then_some(named)
    };
    let granting = list(role, "/rules").iter().filter_map(|rule| {
        let names = list(rule, "/resourceNames");
        if !names.is_empty() && !right.name.is_empty() && !names.iter().any(|name| name == right.name) {
            return None;
        }
        let by = [
            has(rule, "/apiGroups", GROUP)?,
            has(rule, "/resources", right.resource)?,
            has(rule, "/verbs", right.verb)?,
        ];
        Some(by.iter().all(|named| *named))
    });
    granting.reduce(|one, other| one || other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn role(kind: &str, namespace: &str, rules: Value) -> Value {
        json!({"kind": kind, "metadata": {"name": "r", "namespace": namespace}, "rules": rules})
    }

    fn binding(kind: &str, namespace: &str, of: &str) -> Value {
        json!({
            "kind": kind, "metadata": {"name": "b", "namespace": namespace}, "roleRef": {"kind": of, "name": "r"},
            "subjects": [{"kind": "User", "name": "dana"}],
        })
    }

    /// A binding can name the role that the policy asks for only where the chart made it.
    #[test]
    fn the_chart_makes_a_role_for_each_that_the_policy_names() {
        let helpers =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/charts/tidegate/templates/_helpers.tpl"));
        let helpers = helpers.unwrap();
        let (_, rest) = helpers.split_once("define \"tidegate.roles\" -}}").unwrap();
        let roles: Vec<String> = serde_json::from_str(rest.split("{{-").next().unwrap()).unwrap();
        let known: Vec<&str> = crate::policy::Role::ALL.iter().map(|role| role.as_str()).collect();
        assert_eq!(roles, known);
    }

    const NAMED: &str = "ClusterRole r";

    #[rstest]
    #[case::by_name(json!([{"apiGroups": ["tidegate.io"], "resources": ["releaseroles"], "resourceNames": ["sre"], "verbs": ["approve"]}]), Some(true))]
    #[case::every_name(json!([{"apiGroups": ["tidegate.io"], "resources": ["releaseroles"], "verbs": ["approve"]}]), Some(true))]
    #[case::another_name(json!([{"apiGroups": ["tidegate.io"], "resources": ["releaseroles"], "resourceNames": ["dba"], "verbs": ["approve"]}]), None)]
    #[case::another_verb(json!([{"apiGroups": ["tidegate.io"], "resources": ["releaseroles"], "verbs": ["get"]}]), None)]
    #[case::another_group(json!([{"apiGroups": [""], "resources": ["releaseroles"], "verbs": ["approve"]}]), None)]
    #[case::wildcards(json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]), Some(false))]
    #[case::all_verbs(json!([{"apiGroups": ["tidegate.io"], "resources": ["releaseroles"], "verbs": ["*"]}]), Some(false))]
    #[case::named_beside_a_wildcard(
        json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"apiGroups": ["tidegate.io"], "resources": ["releaseroles"], "verbs": ["approve"]}]),
        Some(true))]
    #[case::no_rules(Value::Null, None)]
    fn what_a_role_grants(#[case] rules: Value, #[case] expected: Option<bool>) {
        let right = Right { verb: "approve", resource: "releaseroles", name: "sre", namespace: "shop" };
        let found =
            holders(&[role("ClusterRole", "", rules)], &[binding("RoleBinding", "shop", "ClusterRole")], &right);
        assert_eq!(found.iter().map(|holder| holder.named).next(), expected);
        assert!(found.iter().all(|holder| holder.role == NAMED && holder.place == "shop"), "{found:?}");
    }

    #[rstest]
    #[case::everywhere(binding("ClusterRoleBinding", "", "ClusterRole"), true)]
    #[case::here(binding("RoleBinding", "shop", "ClusterRole"), true)]
    #[case::elsewhere(binding("RoleBinding", "other", "ClusterRole"), false)]
    #[case::a_role_that_is_not_there(binding("RoleBinding", "shop", "Role"), false)]
    fn where_a_binding_counts(#[case] binding: Value, #[case] holds: bool) {
        let rules = json!([{"apiGroups": ["tidegate.io"], "resources": ["evidence"], "verbs": ["attest"]}]);
        let right = Right { verb: "attest", resource: "evidence", name: "sast", namespace: "shop" };
        assert_eq!(!holders(&[role("ClusterRole", "", rules)], &[binding], &right).is_empty(), holds);
    }

    #[rstest]
    #[case("User", "dana", false)]
    #[case("Group", "sre", false)]
    #[case("Group", "system:masters", false)]
    #[case("ServiceAccount", "ci/ci", true)]
    #[case("User", "system:serviceaccount:ci:ci", true)]
    #[case("Group", "system:serviceaccounts:ci", true)]
    #[case("User", "system:kube-controller-manager", true)]
    fn machines(#[case] kind: &str, #[case] name: &str, #[case] expected: bool) {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        let holder = Holder { kind, name, place: String::new(), role: String::new(), named: true };
        assert_eq!(holder.is_machine(), expected);
    }
}
