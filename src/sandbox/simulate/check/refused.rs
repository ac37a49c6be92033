//! What preflight refuses keeps a release in phase Plan, in which no user meets the new version, and is told; what it only warns of
//! holds nothing up.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Checkers, FRESH, NAME, NAMESPACE, Rule, Seen, items, leaves, newest_record, number, text};
use crate::api::{Span, Time};
use crate::cluster::kind::{DEPLOYMENT, NETWORK_POLICY};
use crate::sandbox::api::RESOURCE_QUOTA;
use crate::sandbox::objects::Objects;

/// How long a release may wait for something that is not told yet.
const TOLD_WITHIN: Span = Span::seconds(20);
/// What only warns.
const WARNINGS: [&str; 2] = ["ServiceMissesCanary", "NetworkPolicyNotBinding"];

/// Since when what is refused stands, and since when a release waits for it without a word.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    since: BTreeMap<&'static str, Time>,
    untold_since: Option<Time>,
}

/// Looks at every moment.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let stands = stands(seen.objects);
    checkers.standing.since.retain(|what, _| stands.contains(what));
    for what in stands {
        checkers.standing.since.entry(what).or_insert(seen.now);
    }
    let untold = untold(checkers, seen.objects);
    checkers.standing.untold_since = untold.as_ref().map(|_| checkers.standing.untold_since.unwrap_or(seen.now));
    if let (Some(since), Some(says)) = (checkers.standing.untold_since, untold)
        && checkers.circumstances.calm_since.is_some_and(|calm| seen.now.since(since.max(calm)) > TOLD_WITHIN)
    {
        checkers.violated(Rule::NotTold, seen.now, says);
    }
}

/// A write of a record of the first workload.
pub(super) fn record(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let name = text(after, "/metadata/name").unwrap_or_default();
    if let Some(reason) = text(after, "/status/hold/reason").filter(|reason| WARNINGS.contains(reason)) {
        let says = format!("{name} waits for {reason}, of which preflight only warns");
        checkers.violated(Rule::WarningHolds, seen.now, says);
    }
    let planned = seen.before.is_none_or(|before| text(before, "/status/phase").is_none_or(|phase| phase == "Plan"));
    let phase = text(after, "/status/phase").unwrap_or_default();
    let started = planned && matches!(phase, "Stage" | "Release" | "Promote" | "Verify");
    // What goes forward in the workload itself needs nothing beside it.
    if !started || text(after, "/spec/arm") == Some("Workload") {
        return;
    }
    let long = |since: &Time| seen.now.since(*since) > FRESH;
    if let Some((what, since)) = checkers.standing.since.iter().find(|(_, since)| long(since)) {
        let says = format!("{name} is in phase {phase} although {what} stands since {since}");
        checkers.violated(Rule::StartedRefused, seen.now, says);
    }
}

/// A release waits in Plan while something is refused, and is not said to wait, or not for that.
fn untold(checkers: &Checkers, objects: &dyn Objects) -> Option<String> {
    let what = checkers.standing.since.keys().next()?;
    let release = super::release(objects).filter(|release| !leaves(release))?;
    let waits = newest_record(objects).filter(|record| {
        let open = |place: &str| record.pointer(place).is_none_or(Value::is_null);
        text(record, "/status/phase") == Some("Plan") && open("/status/outcome") && open("/status/rollback")
    })?;
    let told = items(release, "/status/conditions").iter().find(|one| one["type"] == "Preflight");
    let refuses = told.is_some_and(|told| told["status"] == "False");
    let held = waits.pointer("/status/hold").is_some_and(|hold| !hold.is_null());
    (text(waits, "/spec/arm") != Some("Workload") && !(refuses && held)).then(|| {
        let name = text(waits, "/metadata/name").unwrap_or_default();
        format!("{what} stands before {name}: held {held}, and the GatedRelease says {told:?}")
    })
}

/// What stands of which preflight says that it refuses a release.
fn stands(objects: &dyn Objects) -> Vec<&'static str> {
    // A StatefulSet needs nothing beside its own pods.
    let Some(workload) = objects.get(&DEPLOYMENT, NAMESPACE, NAME) else { return Vec::new() };
    let Some(release) = super::release(objects) else { return Vec::new() };
    let mut all = Vec::new();
    if workload.pointer("/spec/revisionHistoryLimit").and_then(Value::as_u64) == Some(0) {
        all.push("HistoryTooShort");
    }
    if number(workload, "/spec/replicas") > 0 && objects.list(&RESOURCE_QUOTA, NAMESPACE).into_iter().any(is_full) {
        all.push("QuotaTooSmall");
    }
    let routed = !items(release, "/spec/traffic/httpRoutes").is_empty();
    if routed && release.pointer("/spec/traffic/cloneNetworkPolicies") != Some(&true.into()) {
        all.extend(policies(objects));
    }
    all
}

/// Whether not one pod more is allowed.
fn is_full(quota: &Value) -> bool {
    let pods = |of: &str| text(quota, &format!("/status/{of}/pods"))?.parse::<u64>().ok();
    matches!((pods("hard"), pods("used")), (Some(hard), Some(used)) if hard <= used)
}

/// NetworkPolicies that mean the workload's pods by the label that is rewritten for those beside it.
fn policies(objects: &dyn Objects) -> Vec<&'static str> {
    let theirs = |policy: &&Value| text(policy, "/metadata/labels/tidegate.io~1role").is_none();
    let all: Vec<_> = objects.list(&NETWORK_POLICY, NAMESPACE).into_iter().filter(theirs).collect();
    let closes = |policy: &Value| policy.pointer("/spec/podSelector").is_some_and(|all| *all == serde_json::json!({}));
    let opens = |policy: &Value| text(policy, "/spec/podSelector/matchLabels/app") == Some(NAME);
    let peers = |policy: &Value| {
        let mut from = items(policy, "/spec/ingress").iter().flat_map(|rule| items(rule, "/from"));
        from.any(|peer| text(peer, "/podSelector/matchLabels/app") == Some(NAME))
    };
    let any = |is: &dyn Fn(&Value) -> bool| all.iter().any(|policy| is(policy));
    let mut found = Vec::new();
    if any(&opens) && any(&closes) {
        found.push("NetworkPolicyMissesCanary");
    }
    if any(&|policy| peers(policy) && !opens(policy)) {
        found.push("NetworkPolicyPeerMissesCanary");
    }
    found
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::cluster::kind::{GATED_RELEASE, RELEASE_RECORD};
    use crate::sandbox::simulate::check::tests::{Kept, at, broken};

    fn policy(name: &str, spec: Value) -> Value {
        json!({"metadata": {"name": name}, "spec": spec})
    }

    fn opens() -> Value {
        policy("allow", json!({"podSelector": {"matchLabels": {"app": NAME}}}))
    }

    fn closes() -> Value {
        policy("deny", json!({"podSelector": {}}))
    }

    fn database() -> Value {
        let from = json!([{"podSelector": {"matchLabels": {"app": NAME}}}]);
        policy("database", json!({"podSelector": {"matchLabels": {"app": "database"}}, "ingress": [{"from": from}]}))
    }

    fn quota(hard: &str) -> Value {
        json!({"metadata": {"name": "small"}, "status": {"hard": {"pods": hard}, "used": {"pods": "3"}}})
    }

    /// A Deployment, its GatedRelease with such traffic, and the record of an attempt.
    fn world(limit: u32, traffic: &Value, record: &Value, others: Vec<(crate::cluster::Kind, Value)>) -> Kept {
        let spec = json!({"replicas": 3, "revisionHistoryLimit": limit});
        let mut all = vec![
            (DEPLOYMENT, json!({"metadata": {"name": NAME}, "spec": spec})),
            (GATED_RELEASE, json!({"metadata": {"name": NAME}, "spec": {"traffic": traffic}})),
            (RELEASE_RECORD, record.clone()),
        ];
        all.extend(others);
        Kept(all)
    }

    fn routed() -> Value {
        json!({"httpRoutes": [{"name": NAME}]})
    }

    fn attempt(phase: &str, hold: &Value) -> Value {
        json!({
            "metadata": {"name": "web-0002"}, "spec": {"release": NAME, "attempt": 2, "arm": "Canary"},
            "status": {"phase": phase, "hold": hold},
        })
    }

    #[rstest]
    #[case::nothing(10, routed(), vec![], &[])]
    #[case::no_history(0, routed(), vec![], &["HistoryTooShort"])]
    #[case::a_full_quota(10, routed(), vec![(RESOURCE_QUOTA, quota("3"))], &["QuotaTooSmall"])]
    #[case::a_quota_with_room(10, routed(), vec![(RESOURCE_QUOTA, quota("20"))], &[])]
    #[case::closed(10, routed(), vec![(NETWORK_POLICY, opens()), (NETWORK_POLICY, closes())], &["NetworkPolicyMissesCanary"])]
    #[case::open(10, routed(), vec![(NETWORK_POLICY, opens())], &[])]
    #[case::a_peer(10, routed(), vec![(NETWORK_POLICY, database())], &["NetworkPolicyPeerMissesCanary"])]
    #[case::without_a_route(10, json!({"service": NAME}), vec![(NETWORK_POLICY, database())], &[])]
    fn what_is_refused(
        #[case] limit: u32,
        #[case] traffic: Value,
        #[case] others: Vec<(crate::cluster::Kind, Value)>,
        #[case] expected: &[&str],
    ) {
        assert_eq!(stands(&world(limit, &traffic, &attempt("Plan", &Value::Null), others)), expected);
    }

    fn seen<'a>(objects: &'a Kept, before: Option<&'a Value>, after: Option<&'a Value>, when: &str) -> Seen<'a> {
        let now = at(when);
        Seen {
            kind: &RELEASE_RECORD,
            namespace: NAMESPACE,
            name: "web-0002",
            before,
            after,
            process: Some(0),
            objects,
            now,
        }
    }

    #[rstest]
    #[case::it_stands("09:00:30", "Stage", &[Rule::StartedRefused])]
    #[case::too_lately_to_be_known("09:00:02", "Stage", &[])]
    #[case::it_waits("09:00:30", "Plan", &[])]
    #[case::it_ends("09:00:30", "Complete", &[])]
    fn no_release_starts_before_it_is_mended(#[case] when: &str, #[case] phase: &str, #[case] rules: &[Rule]) {
        let (before, after) = (attempt("Plan", &Value::Null), attempt(phase, &Value::Null));
        let objects = world(0, &routed(), &before, Vec::new());
        let mut checkers = Checkers::default();
        check(&mut checkers, &seen(&objects, None, None, "09:00:00"));
        record(&mut checkers, &seen(&objects, Some(&before), Some(&after), when));
        assert_eq!(broken(&checkers), rules);
    }

    #[rstest]
    #[case::held_and_said("False", json!({"reason": "HistoryTooShort"}), &[])]
    #[case::not_held("False", Value::Null, &[Rule::NotTold])]
    #[case::not_said("True", json!({"reason": "BudgetFreeze"}), &[Rule::NotTold])]
    fn what_a_release_waits_for_is_told(#[case] truth: &str, #[case] hold: Value, #[case] rules: &[Rule]) {
        let mut objects = world(0, &routed(), &attempt("Plan", &hold), Vec::new());
        objects.0[1].1["status"] = json!({"conditions": [{"type": "Preflight", "status": truth}]});
        let mut checkers = Checkers::default();
        checkers.circumstances.calm_since = Some(at("08:00:00"));
        for when in ["09:00:00", "09:01:00"] {
            check(&mut checkers, &seen(&objects, None, None, when));
        }
        assert_eq!(broken(&checkers), rules);
    }

    #[test]
    fn a_warning_holds_nothing_up() {
        let waits = attempt("Plan", &json!({"reason": "ServiceMissesCanary"}));
        let objects = world(10, &routed(), &waits, Vec::new());
        let mut checkers = Checkers::default();
        record(&mut checkers, &seen(&objects, None, Some(&waits), "09:00:00"));
        assert_eq!(broken(&checkers), [Rule::WarningHolds]);
    }
}
