//! Each checker of what happens around a workload sees what is wrong, and nothing else: objects as they should never be.

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::cluster::kind::{
    CONFIG_MAP, DEPLOYMENT, GATED_RELEASE, HPA, HTTP_ROUTE, NETWORK_POLICY, RELEASE_RECORD, REPLICA_SET, SCALED_OBJECT,
};
use crate::sandbox::objects::Refusal;
use crate::sandbox::user::User;

/// Objects that nobody writes.
pub(super) struct Kept(pub(super) Vec<(Kind, Value)>);

impl Objects for Kept {
    fn get(&self, kind: &Kind, _: &str, name: &str) -> Option<&Value> {
        self.list(kind, "").into_iter().find(|one| text(one, "/metadata/name") == Some(name))
    }

    fn list(&self, kind: &Kind, _: &str) -> Vec<&Value> {
        self.0.iter().filter(|(of, _)| of == kind).map(|(_, one)| one).collect()
    }

    fn create(&mut self, _: &User, _: &Kind, _: Value) -> Result<Value, Refusal> {
        panic!("nobody writes")
    }

    fn update(&mut self, _: &User, _: &Kind, _: Value) -> Result<Value, Refusal> {
        panic!("nobody writes")
    }

    fn update_status(&mut self, _: &User, _: &Kind, _: Value) -> Result<Value, Refusal> {
        panic!("nobody writes")
    }

    fn delete(&mut self, _: &User, _: &Kind, _: &str, _: &str) -> Result<(), Refusal> {
        panic!("nobody writes")
    }
}

pub(super) fn at(text: &str) -> Time {
    Time(format!("2026-01-01T{text}Z").parse().unwrap())
}

/// A write that the checkers look at.
struct Write<'a> {
    kind: &'a Kind,
    before: Option<Value>,
    after: Option<Value>,
    process: Option<usize>,
}

/// Shows a write at a time to checkers that have seen a calm world.
fn see(checkers: &mut Checkers, objects: &Kept, when: &str, write: &Write<'_>) {
    checkers.circumstances.calm_since.get_or_insert(at("08:00:00"));
    let name = [&write.after, &write.before].into_iter().flatten().find_map(|it| text(it, "/metadata/name"));
    checkers.see(&Seen {
        kind: write.kind,
        namespace: NAMESPACE,
        name: name.unwrap_or_default(),
        before: write.before.as_ref(),
        after: write.after.as_ref(),
        process: write.process,
        objects,
        now: at(when),
    });
}

/// The rules that were broken.
pub(super) fn broken(checkers: &Checkers) -> Vec<Rule> {
    checkers.violations.iter().map(|violation| violation.rule).collect()
}

pub(super) fn with(mut value: Value, more: &Value) -> Value {
    json_patch::merge(&mut value, more);
    value
}

fn route(name: &str, canary: [u64; 2], observed: u64) -> Value {
    let rule = |weight: u64| json!({"backendRefs": [{"name": NAME, "weight": 100 - weight}, {"name": "web-canary", "weight": weight}]});
    let parent = |generation: u64| json!({"conditions": [{"type": "ResolvedRefs", "observedGeneration": generation}]});
    json!({
        "metadata": {"name": name, "generation": 2},
        "spec": {"parentRefs": [{"name": "a"}, {"name": "b"}], "rules": [rule(canary[0]), rule(canary[1])]},
        "status": {"parents": [parent(2), parent(observed)]},
    })
}

fn release(more: &Value) -> Value {
    let spec =
        json!({"traffic": {"httpRoutes": [{"name": NAME}, {"name": SECOND_ROUTE}], "cloneNetworkPolicies": true}});
    with(json!({"metadata": {"name": NAME, "creationTimestamp": "2026-01-01T08:00:00Z"}, "spec": spec}), more)
}

fn record(status: &Value) -> Value {
    json!({"metadata": {"name": "web-0002"}, "spec": {"release": NAME, "attempt": 2}, "status": status})
}

#[rstest]
#[case::everywhere(route(NAME, [10, 10], 2), route(SECOND_ROUTE, [10, 10], 2), None)]
#[case::not_in_every_rule(route(NAME, [10, 0], 2), route(SECOND_ROUTE, [10, 10], 2), Some(Rule::RoutesDiffer))]
#[case::not_in_every_route(route(NAME, [10, 10], 2), route(SECOND_ROUTE, [0, 0], 2), Some(Rule::RoutesDiffer))]
#[case::not_at_every_parent(route(NAME, [10, 10], 1), route(SECOND_ROUTE, [10, 10], 2), Some(Rule::RoutesDiffer))]
fn a_stage_starts_when_all_routes_have_its_weight(
    #[case] one: Value,
    #[case] other: Value,
    #[case] rule: Option<Rule>,
) {
    let objects = Kept(vec![(GATED_RELEASE, release(&json!({}))), (HTTP_ROUTE, one), (HTTP_ROUTE, other)]);
    let stage = |more: Value| json!({"stages": [with(json!({"weight": 10}), &more)]});
    let write = Write {
        kind: &RELEASE_RECORD,
        before: Some(record(&stage(json!({})))),
        after: Some(record(&stage(json!({"startedAt": "2026-01-01T09:00:00Z"})))),
        process: Some(0),
    };
    let mut checkers = Checkers::default();
    see(&mut checkers, &objects, "09:00:00", &write);
    assert_eq!(broken(&checkers), Vec::from_iter(rule), "{:?}", checkers.violations);
}

#[rstest]
#[case::a_moment_ago("tidegate", "Update", "09:59:30", None)]
#[case::for_long("tidegate", "Update", "09:58:00", Some(Rule::OwnerRefused))]
#[case::their_owners("git", "Apply", "09:00:00", None)]
fn the_rules_of_a_route_are_given_back(
    #[case] manager: &str,
    #[case] operation: &str,
    #[case] since: &str,
    #[case] rule: Option<Rule>,
) {
    let fields = json!({"f:spec": {"f:rules": {}}});
    let entry =
        json!({"manager": manager, "operation": operation, "time": format!("2026-01-01T{since}Z"), "fieldsV1": fields});
    let owned = with(route(NAME, [0, 0], 2), &json!({"metadata": {"managedFields": [entry]}}));
    let objects = Kept(vec![(HTTP_ROUTE, owned.clone())]);
    let write = Write { kind: &HTTP_ROUTE, before: Some(owned.clone()), after: Some(owned), process: None };
    let mut checkers = Checkers::default();
    see(&mut checkers, &objects, "10:00:00", &write);
    assert_eq!(broken(&checkers), Vec::from_iter(rule), "{:?}", checkers.violations);
}

/// No route sends anybody to the former version at this moment: its owner made the route anew.
#[rstest]
#[case::it_came_back("RolledBack", "bad", &[Rule::FallbackGone])]
#[case::another_template_came_since("RolledBack", "fix", &[])]
#[case::it_is_released("Succeeded", "bad", &[])]
fn what_serves_after_a_late_rollback_is_not_taken_away(
    #[case] outcome: &str,
    #[case] runs: &str,
    #[case] rules: &[Rule],
) {
    let noted = json!({"status": {"workload": {"uid": "u1", "generation": 4, "revision": runs}}});
    let status = json!({"outcome": outcome, "rollback": {"trafficTo": "web-previous"}});
    let ended = with(record(&status), &json!({"spec": {"revision": "bad"}}));
    let workload = json!({"metadata": {"name": NAME, "uid": "u1", "generation": 4}, "spec": {"replicas": 3}});
    let objects = Kept(vec![(GATED_RELEASE, release(&noted)), (RELEASE_RECORD, ended), (DEPLOYMENT, workload)]);
    let role = json!({"tidegate.io/role": "previous"});
    let previous = json!({"metadata": {"name": "web-previous", "labels": role}, "spec": {"replicas": 3}});
    let write = Write { kind: &DEPLOYMENT, before: Some(previous), after: None, process: Some(0) };
    let mut checkers = Checkers::default();
    see(&mut checkers, &objects, "09:00:00", &write);
    assert_eq!(broken(&checkers), rules, "{:?}", checkers.violations);
}

#[test]
fn what_is_written_into_one_rule_is_written_into_all() {
    let objects = Kept(vec![]);
    let write = |after: Value| Write { kind: &HTTP_ROUTE, before: None, after: Some(after), process: Some(0) };
    let mut checkers = Checkers::default();
    see(&mut checkers, &objects, "09:00:00", &write(route(SECOND_ROUTE, [0, 0], 2)));
    assert_eq!(broken(&checkers), [Rule::ForeignField], "a route is nobody's to make");
    see(&mut checkers, &objects, "09:00:00", &write(route(SECOND_ROUTE, [10, 0], 2)));
    assert!(broken(&checkers).contains(&Rule::RoutesDiffer));
}

fn config_map(colour: &str) -> Value {
    json!({"metadata": {"name": NAME}, "data": {"COLOUR": colour}})
}

fn of_edit(name: &str, status: &Value) -> Value {
    let spec = json!({"release": NAME, "attempt": 3, "closedAs": "Bypassed", "change": {"type": "Config"}});
    json!({"metadata": {"name": name, "creationTimestamp": "2026-01-01T09:00:00Z"}, "spec": spec, "status": status})
}

/// What happens after one another: an edit, the record of it, its closing, and the note of it.
#[rstest]
#[case::once(&["edit", "record", "close", "note"], &[])]
#[case::two_share_one(&["edit", "edit", "record", "close", "note"], &[])]
#[case::twice(&["edit", "record", "close", "record"], &[Rule::EditRecorded])]
#[case::of_nothing(&["record"], &[Rule::EditRecorded])]
#[case::forgotten(&["edit", "note"], &[Rule::EditRecorded])]
#[case::for_nothing(&["edit", "record", "close-uncharged"], &[Rule::NotCharged])]
fn an_edit_is_on_record_once_and_charged(#[case] steps: &[&str], #[case] rules: &[Rule]) {
    let objects = Kept(vec![(crate::cluster::kind::RISK_BUDGET, json!({"metadata": {"name": NAME}}))]);
    let mut checkers = Checkers::default();
    let noted = |mark: &str| release(&json!({"status": {"workload": {"config": {NAME: mark}}}}));
    for step in steps {
        let (kind, before, after, process) = match *step {
            "edit" => (&CONFIG_MAP, Some(config_map("1")), config_map("2"), None),
            "record" => (&RELEASE_RECORD, None, of_edit("web-0003", &json!({})), Some(0)),
            "close" | "close-uncharged" => {
                let charge = if *step == "close" { json!({"sequence": 1, "points": 5}) } else { Value::Null };
                checkers.charges.insert("web-0003".to_owned(), ledger::Numbered::of(&charge));
                let status = json!({"outcome": "Bypassed", "charge": charge});
                (&RELEASE_RECORD, Some(of_edit("web-0003", &json!({}))), of_edit("web-0003", &status), Some(0))
            }
            _ => (&GATED_RELEASE, Some(noted("a")), noted("b"), Some(0)),
        };
        see(&mut checkers, &objects, "09:00:00", &Write { kind, before, after: Some(after), process });
    }
    assert_eq!(broken(&checkers), rules, "{:?}", checkers.violations);
}

/// What runs past its gate waits for its charge where its budget is not known, and is never sealed without one.
#[rstest]
#[case::charged(&[json!({"digest": "d", "charge": {"sequence": 1, "points": 5}})], true, &[])]
#[case::waits(&[json!({"chargeWaits": "2026-01-01T09:00:00Z"}), json!({"digest": "d", "charge": {"sequence": 1, "points": 5}})], true, &[])]
#[case::for_nothing(&[json!({"digest": "d"})], true, &[Rule::NotCharged])]
#[case::for_nothing_after_all(&[json!({"chargeWaits": "2026-01-01T09:00:00Z"}), json!({"digest": "d"})], true, &[Rule::NotCharged])]
#[case::without_a_budget(&[json!({"digest": "d"})], false, &[])]
#[case::twice(&[json!({"digest": "d", "charge": {"sequence": 1, "points": 5}}), json!({"digest": "e", "charge": {"sequence": 2, "points": 5}})], true, &[Rule::SealedChanged, Rule::ChargedTwice])]
fn a_bypass_is_sealed_with_its_charge(#[case] writes: &[Value], #[case] budget: bool, #[case] rules: &[Rule]) {
    let budgets = budget.then(|| (crate::cluster::kind::RISK_BUDGET, json!({"metadata": {"name": NAME}})));
    let objects = Kept(budgets.into_iter().collect());
    let mut checkers = Checkers::default();
    let charge = json!({"sequence": 1, "points": 5});
    checkers.charges.insert("web-0001".to_owned(), ledger::Numbered::of(&charge));
    let mut before = None;
    for write in writes {
        let mut after = record(&with(json!({"outcome": "Bypassed", "phase": "Complete"}), write));
        after["spec"]["riskBudget"] = json!(NAME);
        after["metadata"]["name"] = json!("web-0001");
        let seen = Write { kind: &RELEASE_RECORD, before: before.take(), after: Some(after.clone()), process: Some(0) };
        see(&mut checkers, &objects, "09:00:00", &seen);
        before = Some(after);
    }
    assert_eq!(broken(&checkers), rules, "{:?}", checkers.violations);
}

/// What was held until it came back cost something only where users met it, or a process may have died after it was charged.
#[rstest]
#[case::nobody_met_it(json!({}), Some("08:00:00"), &[Rule::ChargedUnmet])]
#[case::a_stage_began(json!({"stages": [{"weight": 5, "startedAt": "2026-01-01T08:40:00Z"}]}), Some("08:00:00"), &[])]
#[case::replaced(json!({"rollback": {"trigger": "Superseded"}}), Some("08:00:00"), &[])]
#[case::something_failed_since(json!({}), Some("08:45:00"), &[])]
#[case::not_charged(json!({"charge": null}), Some("08:00:00"), &[])]
fn nothing_is_charged_that_was_held_before_anybody_met_it(
    #[case] more: Value,
    #[case] calm: Option<&str>,
    #[case] rules: &[Rule],
) {
    let charge = json!({"sequence": 1, "points": 5, "at": "2026-01-01T08:30:00Z"});
    let stages = json!([{"weight": 5}]);
    let begun =
        json!({"phase": "Rollback", "charge": charge, "stages": stages, "rollback": {"trigger": "HoldExpired"}});
    let begun = with(begun, &more);
    let mut before = record(&begun);
    let mut after = record(&with(begun, &json!({"digest": "d", "outcome": "RolledBack"})));
    (before["metadata"]["name"], after["metadata"]["name"]) = (json!("web-0001"), json!("web-0001"));
    let mut checkers = Checkers::default();
    checkers.circumstances.calm_since = calm.map(at);
    checkers.charges.insert("web-0001".to_owned(), ledger::Numbered::of(&charge));
    let write = Write { kind: &RELEASE_RECORD, before: Some(before), after: Some(after), process: Some(0) };
    see(&mut checkers, &Kept(vec![]), "09:00:00", &write);
    assert_eq!(broken(&checkers), rules, "{:?}", checkers.violations);
}

#[rstest]
#[case::never("2026-01-01T08:30:00Z", json!({"outcome": "Succeeded", "endedAt": "2026-01-01T08:40:00Z"}), true)]
#[case::in_a_record_of_what_ran_ungated("2026-01-01T08:30:00Z", json!({"outcome": "Bypassed", "endedAt": "2026-01-01T09:10:00Z"}), false)]
#[case::not_noted_yet("2026-01-01T08:59:59Z", json!({"outcome": "Succeeded", "endedAt": "2026-01-01T08:40:00Z"}), false)]
fn an_edit_that_is_never_recorded_is_found_at_the_end(#[case] made: &str, #[case] status: Value, #[case] left: bool) {
    let workload = json!({"metadata": {"name": NAME, "labels": {"tidegate.io/gated": ""}}, "spec": {}});
    let mut last = record(&status);
    if status["outcome"] == "Bypassed" {
        last["spec"]["closedAs"] = json!("Bypassed");
    }
    let objects = Kept(vec![
        (GATED_RELEASE, release(&json!({"metadata": {"creationTimestamp": made}}))),
        (DEPLOYMENT, workload),
        (RELEASE_RECORD, last),
    ]);
    let mut checkers = Checkers::default();
    let edit = Write { kind: &CONFIG_MAP, before: Some(config_map("1")), after: Some(config_map("2")), process: None };
    see(&mut checkers, &objects, "09:00:00", &edit);
    assert_eq!(checkers.unseen_edit(&objects).is_some(), left);
}

fn workload(more: &Value) -> Value {
    let template = json!({"metadata": {"labels": {"app": NAME}}, "spec": {"containers": [{"image": "shop:1-good"}]}});
    let object = json!({
        "metadata": {"name": NAME, "uid": "w", "labels": {"tidegate.io/gated": ""}},
        "spec": {"replicas": 3, "template": template},
    });
    with(object, more)
}

#[rstest]
#[case::held(json!({"paused": true, "template": {"spec": {"containers": [{"image": "shop:2-good"}]}}}), json!({}), None)]
#[case::under_a_reason_that_is_spent(json!({"template": {"spec": {"containers": [{"image": "shop:2-good"}]}}}), json!({"annotations": {"tidegate.io/break-glass": "it burnt"}}), Some(Rule::NotHeld))]
#[case::let_run(json!({"template": {"spec": {"containers": [{"image": "shop:2-good"}]}}}), json!({}), Some(Rule::NotHeld))]
#[case::not_gated(json!({"template": {"spec": {"containers": [{"image": "shop:2-good"}]}}}), json!({"labels": {"tidegate.io/gated": null}}), None)]
#[case::under_break_glass(json!({"template": {"spec": {"containers": [{"image": "shop:2-good"}]}}}), json!({"annotations": {"tidegate.io/break-glass": "it burns"}}), None)]
#[case::a_restart(json!({"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "1"}}}}), json!({}), None)]
#[case::a_scale(json!({"replicas": 5}), json!({}), None)]
fn a_new_template_is_held_in_the_write_that_brings_it(
    #[case] spec: Value,
    #[case] meta: Value,
    #[case] rule: Option<Rule>,
) {
    let after = workload(&json!({"spec": spec, "metadata": meta}));
    let spent = json!({"metadata": {"annotations": {"tidegate.io/break-glass-spent": "it smoked\nit burnt"}}});
    let write = Write { kind: &DEPLOYMENT, before: Some(workload(&spent)), after: Some(after), process: None };
    let mut checkers = Checkers::default();
    see(&mut checkers, &Kept(vec![]), "09:00:00", &write);
    assert_eq!(broken(&checkers), Vec::from_iter(rule), "{:?}", checkers.violations);
}

fn set(name: &str, image: &str) -> Value {
    json!({
        "metadata": {"name": name, "ownerReferences": [{"uid": "w"}]},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": image}]}}},
    })
}

/// A second ReplicaSet runs for half a minute in a phase, under a hold.
#[rstest]
#[case::told("Release", json!({"reason": "NotSettled", "deadline": "2026-01-01T10:00:00Z"}), &[])]
#[case::not_told("Release", Value::Null, &[Rule::NotTold])]
#[case::something_else_is_told("Stage", json!({"reason": "NoEvidence", "deadline": "2026-01-01T10:00:00Z"}), &[Rule::NotTold])]
#[case::in_a_promotion("Promote", Value::Null, &[])]
fn a_second_set_is_told_of(#[case] phase: &str, #[case] hold: Value, #[case] rules: &[Rule]) {
    let objects = Kept(vec![
        (GATED_RELEASE, release(&json!({}))),
        (DEPLOYMENT, workload(&json!({"spec": {"paused": true}}))),
        (REPLICA_SET, set("web-1", "shop:1-good")),
        (REPLICA_SET, set("web-0", "shop:0-good")),
        (RELEASE_RECORD, record(&json!({"phase": phase, "hold": hold}))),
    ]);
    let mut checkers = Checkers::default();
    checkers.circumstances.by_hand = Some(("web-0".to_owned(), at("09:00:00")));
    for when in ["09:00:00", "09:00:30"] {
        see(&mut checkers, &objects, when, &Write { kind: &CONFIG_MAP, before: None, after: None, process: None });
    }
    assert_eq!(broken(&checkers), rules, "{:?}", checkers.violations);
}

#[rstest]
#[case::one_version("shop:1-good", &[])]
#[case::two_versions("shop:0-good", &[Rule::AdoptedUnsettled])]
fn a_workload_is_taken_under_the_gate_once_it_is_settled(#[case] other: &str, #[case] rules: &[Rule]) {
    let objects = Kept(vec![
        (DEPLOYMENT, workload(&json!({}))),
        (REPLICA_SET, set("web-1", "shop:1-good")),
        (REPLICA_SET, set("web-0", other)),
    ]);
    let mut checkers = Checkers::default();
    see(&mut checkers, &objects, "09:00:00", &Write { kind: &CONFIG_MAP, before: None, after: None, process: None });
    let mut taken = record(&json!({}));
    taken["spec"]["closedAs"] = json!("Bootstrap");
    let write = Write { kind: &RELEASE_RECORD, before: None, after: Some(taken), process: Some(0) };
    see(&mut checkers, &objects, "09:00:10", &write);
    assert_eq!(broken(&checkers), rules, "{:?}", checkers.violations);
}

/// A quota refuses the pods that a release waits for.
#[rstest]
#[case::told("web-0002: no pods are made: exceeded quota: small", "Stage", &[])]
#[case::not_told("web-0002: waiting until it is ready to take traffic", "Stage", &[Rule::NotTold])]
#[case::not_waited_for("web-0002 has 10 of the traffic", "Verify", &[])]
fn what_a_quota_refuses_is_told_of(#[case] message: &str, #[case] phase: &str, #[case] rules: &[Rule]) {
    let failure = json!({"type": "ReplicaFailure", "status": "True", "message": "pods \"a\" is forbidden: exceeded quota: small"});
    let canary = json!({
        "metadata": {"name": "web-canary"}, "spec": {"replicas": 2}, "status": {"availableReplicas": 1, "conditions": [failure]},
    });
    let objects = Kept(vec![
        (GATED_RELEASE, release(&json!({"status": {"message": message}}))),
        (DEPLOYMENT, canary),
        (RELEASE_RECORD, record(&json!({"phase": phase}))),
    ]);
    let mut checkers = Checkers::default();
    for when in ["09:00:00", "09:00:30"] {
        see(&mut checkers, &objects, when, &Write { kind: &CONFIG_MAP, before: None, after: None, process: None });
    }
    assert_eq!(broken(&checkers), rules, "{:?}", checkers.violations);
}

fn policy(name: &str, app: &str, role: Option<&str>) -> Value {
    let labels = role.map_or(json!({}), |role| json!({"tidegate.io/role": role}));
    json!({
        "metadata": {"name": name, "labels": labels, "creationTimestamp": "2026-01-01T08:00:00Z"},
        "spec": {"podSelector": {"matchLabels": {"app": app}}},
    })
}

#[rstest]
#[case::copied(Some(policy("allow-web-canary", "web-canary", Some("canary"))), None)]
#[case::not_copied(None, Some("nothing allows it what allow allows"))]
#[case::copied_for_another(
    Some(policy("allow-web-previous", "web-previous", Some("previous"))),
    Some("nothing allows it")
)]
fn a_canary_has_users_when_its_policies_are_copied(#[case] copy: Option<Value>, #[case] says: Option<&str>) {
    let canary = json!({
        "metadata": {"name": "web-canary", "creationTimestamp": "2026-01-01T08:30:00Z"},
        "spec": {"template": {"metadata": {"labels": {"app": "web-canary"}}}},
    });
    let mut all =
        vec![(GATED_RELEASE, release(&json!({}))), (DEPLOYMENT, canary), (NETWORK_POLICY, policy("allow", NAME, None))];
    all.extend(copy.map(|copy| (NETWORK_POLICY, copy)));
    let objects = Kept(all);
    let mut checkers = Checkers::default();
    let write = Write { kind: &HTTP_ROUTE, before: None, after: Some(route(NAME, [10, 10], 2)), process: Some(0) };
    let seen = Seen {
        kind: write.kind,
        namespace: NAMESPACE,
        name: NAME,
        before: None,
        after: write.after.as_ref(),
        process: write.process,
        objects: &objects,
        now: at("09:00:00"),
    };
    network::rises(&mut checkers, &seen);
    let said = checkers.violations.first().map(|one| one.says.as_str());
    assert_eq!(said.is_some(), says.is_some(), "{said:?}");
    assert!(said.unwrap_or_default().contains(says.unwrap_or_default()), "{said:?}");
}

#[rstest]
#[case::of_a_canary(Some("canary"), false, true)]
#[case::of_the_version_that_serves(Some("previous"), true, false)]
#[case::of_one_that_does_not(Some("previous"), false, true)]
#[case::the_user_s_own(None, false, false)]
fn copies_of_policies_go_with_what_they_are_for(#[case] role: Option<&str>, #[case] late: bool, #[case] left: bool) {
    let objects = Kept(vec![(NETWORK_POLICY, policy("one", NAME, role))]);
    assert_eq!(network::left_over(&objects, late).is_some(), left);
}

#[rstest]
#[case::in_the_scaled_object(&SCALED_OBJECT, json!({}), json!({"advanced": {"horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}}}), &[])]
#[case::and_nothing_else(&SCALED_OBJECT, json!({}), json!({"maxReplicaCount": 9}), &[Rule::ForeignField])]
#[case::in_an_autoscaler(&HPA, json!({}), json!({"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}), &[])]
#[case::in_keda_s(&HPA, json!({"ownerReferences": [{"kind": "ScaledObject"}]}), json!({"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}), &[Rule::ForeignField])]
fn an_autoscaler_is_held_where_it_is_said(
    #[case] kind: &Kind,
    #[case] meta: Value,
    #[case] spec: Value,
    #[case] rules: &[Rule],
) {
    let object = |spec: Value| with(json!({"metadata": {"name": "a"}, "spec": spec}), &json!({"metadata": meta}));
    let write = Write { kind, before: Some(object(json!({}))), after: Some(object(spec)), process: Some(0) };
    let mut checkers = Checkers::default();
    see(&mut checkers, &Kept(vec![]), "09:00:00", &write);
    assert_eq!(broken(&checkers), rules, "{:?}", checkers.violations);
}

fn sized(name: &str, replicas: u64) -> (Kind, Value) {
    (DEPLOYMENT, json!({"metadata": {"name": name}, "spec": {"replicas": replicas}}))
}

#[rstest]
#[case::large_enough(3, json!({}), None)]
#[case::too_small(2, json!({}), Some(Rule::TooSmall))]
#[case::held_by_people(2, json!({"hold": {"reason": "ApprovalMissing", "deadline": "2026-01-01T12:00:00Z"}}), Some(Rule::TooSmall))]
#[case::should_go_back(2, json!({"hold": {"reason": "NoWayBack", "deadline": "2026-01-01T12:00:00Z"}}), None)]
#[case::goes_back(2, json!({"rollback": {"at": "2026-01-01T09:00:00Z"}}), None)]
#[case::is_over(2, json!({"outcome": "Succeeded"}), None)]
fn a_canary_follows_the_workload(#[case] pods: u64, #[case] status: Value, #[case] rule: Option<Rule>) {
    let status = with(json!({"phase": "Release"}), &status);
    let objects = Kept(vec![
        (GATED_RELEASE, release(&json!({}))),
        (RELEASE_RECORD, record(&status)),
        (HTTP_ROUTE, route(NAME, [25, 25], 2)),
        sized(NAME, 8),
        sized("web-canary", pods),
    ]);
    let mut checkers = Checkers::default();
    for when in ["09:00:00", "09:00:20"] {
        follow_at(&mut checkers, &objects, when);
        assert!(!broken(&checkers).contains(&Rule::TooSmall), "there is time to follow");
    }
    follow_at(&mut checkers, &objects, "09:00:31");
    let found: Vec<_> = broken(&checkers).into_iter().filter(|rule| *rule == Rule::TooSmall).collect();
    assert_eq!(found, Vec::from_iter(rule), "{:?}", checkers.violations);
}

/// Anything happens at this moment.
fn follow_at(checkers: &mut Checkers, objects: &Kept, when: &str) {
    let object = Some(json!({"metadata": {"name": "other"}}));
    see(checkers, objects, when, &Write { kind: &CONFIG_MAP, before: None, after: object, process: None });
}

#[rstest]
#[case::its_status(&GATED_RELEASE, json!({"metadata": {"name": TWIN}, "status": {"message": "web-too waits"}}), false)]
#[case::its_finalizer(&GATED_RELEASE, json!({"metadata": {"name": TWIN, "finalizers": ["tidegate.io/traffic"]}}), true)]
#[case::a_record(&RELEASE_RECORD, json!({"metadata": {"name": "web-too-0001"}, "spec": {"release": TWIN}}), true)]
#[case::a_mark_in_a_route(&HTTP_ROUTE, json!({"metadata": {"name": NAME, "annotations": {"tidegate.io/withdrawn": "web-too 25"}}}), true)]
#[case::another_route(&HTTP_ROUTE, json!({"metadata": {"name": NAME}}), false)]
fn who_does_not_have_the_workload_writes_nothing(#[case] kind: &Kind, #[case] after: Value, #[case] wrong: bool) {
    let mut checkers = Checkers::default();
    let write = Write { kind, before: None, after: Some(after), process: Some(0) };
    see(&mut checkers, &Kept(Vec::new()), "09:00:00", &write);
    let found = checkers.violations.iter().any(|found| found.rule == Rule::TwinWrote);
    assert_eq!(found, wrong, "{:?}", checkers.violations);
}
