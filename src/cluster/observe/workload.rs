//! The user's Deployment with its ReplicaSets, and what its annotations claim about the change.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value;

use super::{created, items, number, strings, text};
use crate::api::names::{
    BREAK_GLASS, BREAK_GLASS_SPENT, CHANGE, CHANGE_CATEGORIES, CHANGE_SEVERITY, CHANGE_TYPE, CHANGED_BY, GATED,
    PAUSED_BECAUSE, RESUMED_BY,
};
use crate::api::units::UnitError;
use crate::api::{Change, ChangeType};
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET};
use crate::cluster::{Cluster, Error};
use crate::release::glass::BreakGlass;
use crate::release::snapshot::{KindSeen, ReplicaSetSeen, Workload};
use crate::release::template::{revision, without_hash};

pub(super) async fn read(cluster: &Cluster, namespace: &str, name: &str) -> Result<Option<Workload>, Error> {
    let Some(object) = cluster.get(&DEPLOYMENT, namespace, name).await? else { return Ok(None) };
    let uid = text(&object, "/metadata/uid").unwrap_or_default();
    let sets = match selector(&object) {
        None => Vec::new(),
        Some(selector) => cluster.list(&REPLICA_SET, namespace, &selector).await?,
    };
    let sets = sets.into_iter().filter(|set| is_owned(set, uid)).map(set_seen).collect();
    Ok(Some(seen(object, KindSeen::Deployment, sets)))
}

/// A Deployment or StatefulSet as the plan sees it.
pub(super) fn seen(mut object: Value, kind: KindSeen, sets: Vec<ReplicaSetSeen>) -> Workload {
    let annotations = strings(&object, "/metadata/annotations");
    let labels = strings(&object, "/metadata/labels");
    let (change, change_problems) = change(&annotations);
    let refused = super::side::refused(&object);
    let spec = object["spec"].take();
    let template = spec.get("template").cloned().unwrap_or_default();
    let of = |key: &str| annotations.get(key).filter(|value| !value.is_empty()).cloned();
    Workload {
        uid: text(&object, "/metadata/uid").unwrap_or_default().to_owned(),
        resource_version: text(&object, "/metadata/resourceVersion").unwrap_or_default().to_owned(),
        generation: object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0),
        gated: labels.contains_key(GATED),
        paused: match &kind {
            KindSeen::Deployment => spec.get("paused").and_then(Value::as_bool).unwrap_or(false),
            KindSeen::StatefulSet(ordinals) => ordinals.partition > 0,
        },
        replicas: number(&spec, "/replicas").unwrap_or(1),
        revision: revision(&template),
        selector: spec.get("selector").cloned().unwrap_or_default(),
        strategy: text(&spec, "/strategy/type")
            .or_else(|| text(&spec, "/updateStrategy/type"))
            .unwrap_or("RollingUpdate")
            .to_owned(),
        change,
        change_problems,
        change_annotated: [CHANGE, CHANGE_TYPE, CHANGE_SEVERITY, CHANGE_CATEGORIES]
            .iter()
            .any(|key| annotations.contains_key(*key)),
        changed_by: of(CHANGED_BY).unwrap_or_default(),
        resumed_by: of(RESUMED_BY),
        break_glass: of(BREAK_GLASS).map(|reason| BreakGlass::read(reason, annotations.get(BREAK_GLASS_SPENT))),
        paused_because: of(PAUSED_BECAUSE),
        template,
        spec,
        labels,
        sets,
        refused,
        config: BTreeMap::new(),
        kind,
    }
}

fn set_seen(mut set: Value) -> ReplicaSetSeen {
    ReplicaSetSeen {
        name: text(&set, "/metadata/name").unwrap_or_default().to_owned(),
        resource_version: text(&set, "/metadata/resourceVersion").unwrap_or_default().to_owned(),
        created: created(&set),
        replicas: number(&set, "/spec/replicas").unwrap_or(1),
        existing: number(&set, "/status/replicas").unwrap_or(0),
        available: number(&set, "/status/availableReplicas").unwrap_or(0),
        template: without_hash(set["spec"]["template"].take()),
        crashes: Vec::new(),
    }
}

pub(super) fn is_owned(object: &Value, uid: &str) -> bool {
    items(object, "/metadata/ownerReferences").iter().any(|owner| owner["controller"] == true && owner["uid"] == uid)
}

/// `spec.selector` of a workload as a query; none where it selects by nothing.
pub(super) fn selector(object: &Value) -> Option<String> {
    selector_of(object.pointer("/spec/selector")?)
}

/// A LabelSelector as a query; none where it selects by nothing.
pub(super) fn selector_of(selector: &Value) -> Option<String> {
    let mut terms: Vec<String> =
        strings(selector, "/matchLabels").into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    for expression in items(selector, "/matchExpressions") {
        let key = text(expression, "/key")?;
        let values: Vec<_> = items(expression, "/values").iter().filter_map(Value::as_str).collect();
        terms.push(match text(expression, "/operator")? {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!terms.is_empty()).then(|| terms.join(","))
}

/// What the annotations claim, and what of it could not be read.
fn change(annotations: &BTreeMap<String, String>) -> (Change, Vec<String>) {
    let mut problems = Vec::new();
    let kind = parsed(annotations, CHANGE_TYPE, &mut problems);
    let severity = parsed(annotations, CHANGE_SEVERITY, &mut problems);
    let categories = annotations.get(CHANGE_CATEGORIES).map(String::as_str).unwrap_or_default();
    let mut reference = annotations.get(CHANGE).cloned().unwrap_or_default();
    if reference.chars().count() > 128 {
        problems.push(format!("annotation {CHANGE} is longer than 128 characters. Shorten it, such as git:4f2c9e1."));
        reference = reference.chars().take(128).collect();
    }
    let change = Change {
        reference,
        kind: kind.unwrap_or(ChangeType::Feature),
        severity,
        categories: categories
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .take(32)
            .collect(),
    };
    (change, problems)
}

fn parsed<T: FromStr<Err = UnitError>>(
    annotations: &BTreeMap<String, String>,
    key: &str,
    problems: &mut Vec<String>,
) -> Option<T> {
    match annotations.get(key)?.parse() {
        Ok(value) => Some(value),
        Err(why) => {
            problems.push(format!("annotation {key} on the workload: {why}."));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Severity;
    use serde_json::json;

    fn annotated(pairs: &[(&str, &str)]) -> (Change, Vec<String>) {
        change(&pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_change_is_read_from_the_annotations() {
        let (change, problems) = annotated(&[
            (CHANGE, "git:1"),
            (CHANGE_TYPE, "BugFix"),
            (CHANGE_SEVERITY, "P0"),
            (CHANGE_CATEGORIES, "auth, db"),
        ]);
        assert_eq!(
            (change.kind, change.severity, change.reference.as_str()),
            (ChangeType::BugFix, Some(Severity::P0), "git:1")
        );
        assert_eq!((change.categories, problems), (vec!["auth".to_owned(), "db".to_owned()], vec![]));
    }

    #[test]
    fn a_claim_that_cannot_be_read_is_named_and_counts_as_a_feature() {
        let (change, problems) = annotated(&[(CHANGE_TYPE, "bugfix"), (CHANGE_SEVERITY, "high")]);
        assert_eq!((change.kind, change.severity), (ChangeType::Feature, None));
        assert_eq!(problems.len(), 2);
        assert!(problems[0].contains(CHANGE_TYPE) && problems[0].contains("\"bugfix\""), "{problems:?}");
    }

    #[test]
    fn a_selector_becomes_a_query() {
        let object = json!({"spec": {"selector": {"matchLabels": {"app": "web"}, "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"}]}}});
        assert_eq!(selector(&object).unwrap(), "app=web,tier in (a,b),!old");
        assert_eq!(selector(&json!({"spec": {"selector": {}}})), None);
    }
}
