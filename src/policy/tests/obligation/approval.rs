//! What an executive approves after the fact.

use rstest::rstest;
use serde_json::json;

use super::*;

const VP: &str = "vp-engineering";

/// `002_…`, Guardrails: "Gate failures require executive approval to override", proved as every approval is.
#[rstest]
#[case::by_the_executive(&[("vera", VP, "Passed", "it stops the leak")], Some("vera"), "")]
#[case::who_says_not_why(&[("vera", VP, "Passed", "")], None, "the approval of vera (20 Nov 09:00:00 UTC) does not say why: ")]
#[case::in_another_role(&[("sam", "sre", "Passed", "fine")], None, "")]
#[case::by_who_resumed_it(&[("bob", VP, "Passed", "fine")], None, "bob (20 Nov 09:00:00 UTC) changed it or let it go, ")]
#[case::by_who_changed_it(&[("ann", VP, "Passed", "fine")], None, "ann (20 Nov 09:00:00 UTC) changed it or let it go, ")]
#[case::by_another_besides(&[("bob", VP, "Passed", "fine"), ("vera", VP, "Passed", "fine")], Some("vera"), "")]
#[case::taken_back(&[("vera", VP, "Passed", "fine"), ("vera", VP, "Withdrawn", "")], None, "")]
#[case::not_approved(&[("vera", VP, "Failed", "it loses orders")], None, "vera (20 Nov 09:00:00 UTC) does not approve it (it loses orders): revert it, or ship a fix through the gate. It stays open until what runs is approved: tidegate approve ")]
#[case::not_approved_by_one_of_two(&[("vera", VP, "Failed", "no"), ("carl", VP, "Passed", "yes")], None, "vera (20 Nov 09:00:00 UTC) does not approve it (no)")]
#[case::approved_after_all(&[("vera", VP, "Failed", "it loses orders"), ("vera", VP, "Passed", "reverted")], Some("vera"), "")]
fn what_ran_past_the_gate_takes_an_executive(
    #[case] said: &[(&str, &str, &str, &str)],
    #[case] by: Option<&str>,
    #[case] problem: &str,
) {
    let mut world = overridden();
    for (minute, (who, role, outcome, note)) in said.iter().enumerate() {
        world.speaks((who, role), &format!("2026-11-20T09:0{minute}:00Z"), outcome, note);
    }
    let one = approval(&world.look("2026-11-20T09:30:00Z"));
    assert_eq!(one.met.as_ref().map(|met| met.by.as_str()), by, "{one:?}");
    assert_eq!(one.state, if by.is_some() { Met } else { Open });
    assert!(one.problem.starts_with(problem) && one.problem.is_empty() == problem.is_empty(), "{}", one.problem);
}

/// What is said of another record meets nothing here.
#[test]
fn an_approval_is_of_one_record() {
    let mut world = overridden();
    world.speaks(("vera", VP), "2026-11-20T09:00:00Z", "Passed", "it stops the leak");
    world.said[0].obligation = "override-approval-web-0008".to_owned();
    assert_eq!(approval(&world.look("2026-11-20T09:30:00Z")).state, Open);
}

#[test]
fn what_was_approved_does_not_lapse() {
    let mut world = overridden();
    world.speaks(("vera", VP), "2026-11-20T09:00:00Z", "Passed", "it stops the leak");
    world.said[0].claim.until = Some(at("2026-11-20T09:10:00Z"));
    assert_eq!(approval(&world.look("2026-11-20T09:30:00Z")).state, Met);
}

/// A record of what ann changed and bob let go.
fn overridden() -> World {
    let mut world = World::new();
    let status = json!({"outcome": "Bypassed", "endedAt": "2026-11-20T08:00:00Z", "resumedBy": "bob"});
    let facts = record("web-0007", status).unwrap();
    assert_eq!(facts.people, ["bob"]);
    world.records.push(RecordFacts { people: vec!["ann".into(), "bob".into()], knows_author: true, ..facts });
    world
}

/// `000_…` §4: whoever made it does not approve it, whoever applied it; where that is not known, two people approve.
#[rstest]
#[case::named_by_a_pipeline(ARGO, Some(json!({"names": ["vera"], "known": true})), &["vera"], None, "vera (20 Nov 09:00:00 UTC) changed it or let it go, ")]
#[case::somebody_else(ARGO, Some(json!({"names": ["bob"], "known": true})), &["vera"], Some("vera"), "")]
#[case::nobody_is_named(ARGO, Some(json!({"known": false})), &["vera"], None, "who made the change is not known, so two people approve: vera (20 Nov 09:00:00 UTC) does, ")]
#[case::two_people(ARGO, Some(json!({"known": false})), &["vera", "victor"], Some("victor"), "")]
#[case::one_of_them_is_named(ARGO, Some(json!({"names": ["vera"], "known": false})), &["vera", "victor"], None, "who made the change is not known, so two people approve: victor (20 Nov 09:01:00 UTC) does, ")]
#[case::a_person_changed_it("ann", Some(json!({"names": ["ann"], "known": true})), &["vera"], Some("vera"), "")]
#[case::nobody_looked_and_a_person_changed_it("ann", None, &["vera"], Some("vera"), "")]
#[case::nobody_looked_and_a_machine_changed_it(ARGO, None, &["vera"], None, "who made the change is not known, ")]
fn who_made_the_change_does_not_approve_what_ran_past_the_gate(
    #[case] changed_by: &str,
    #[case] authors: Option<serde_json::Value>,
    #[case] said: &[&str],
    #[case] by: Option<&str>,
    #[case] problem: &str,
) {
    let mut assessment = assessed("Red blocks it");
    assessment["exception"] = serde_json::Value::Null;
    assessment["authors"] = authors.unwrap_or_default();
    let status = json!({"charge": charge(true), "assessment": assessment, "outcome": "Bypassed", "endedAt": "2026-11-20T08:00:00Z"});
    let mut world = World::new();
    world.records.extend(record_by(changed_by, "web-0007", status));
    for (minute, who) in said.iter().enumerate() {
        world.speaks((who, VP), &format!("2026-11-20T09:0{minute}:00Z"), "Passed", "it stops the leak");
    }
    let one = approval(&world.look("2026-11-20T09:30:00Z"));
    assert_eq!(one.met.as_ref().map(|met| met.by.as_str()), by, "{one:?}");
    assert!(one.problem.starts_with(problem) && one.problem.is_empty() == problem.is_empty(), "{}", one.problem);
}

const ARGO: &str = "system:serviceaccount:argocd:controller";

fn approval(all: &[ObligationStatus]) -> ObligationStatus {
    all.iter().find(|one| one.kind == "override-approval").unwrap().clone()
}

/// Whoever may attest what is owed gives nobody's approval by that.
#[test]
fn an_attestation_is_no_approval() {
    let mut world = overridden();
    world.says("override-approval-web-0007", "eve", "2026-11-20T09:00:00Z", "Passed");
    let one = approval(&world.look("2026-11-20T09:30:00Z"));
    assert_eq!(one.state, Open);
    assert!(one.problem.starts_with("an attestation of eve (20 Nov 09:00:00 UTC) is no approval"), "{}", one.problem);
}

#[test]
fn who_is_not_in_the_role_is_told_so() {
    let mut world = overridden();
    world.speaks(("eve", VP), "2026-11-20T09:00:00Z", "Passed", "fine");
    world.said[0].unheard = "eve is not in role vp-engineering of the RiskBudget (spec.roles)".to_owned();
    let one = approval(&world.look("2026-11-20T09:30:00Z"));
    assert_eq!(
        one.problem,
        "the approval of eve (20 Nov 09:00:00 UTC) is not heard: eve is not in role vp-engineering of the RiskBudget (spec.roles)"
    );
}

/// The roles of a RiskBudget say who speaks as whom, as for every approval.
#[test]
fn an_own_name_of_the_role_counts_for_those_who_are_in_it() {
    let roles = serde_json::from_value::<Vec<crate::api::risk_budget::Role>>(json!([
        {"name": "cto", "as": VP, "users": ["vera"]},
    ]));
    let roles = roles.unwrap();
    let said = |who: &str| {
        let spec = json!({"releaseRef": {"kind": "RiskBudget", "name": "web"}, "revision": "override-approval-web-0007",
            "type": "approval", "role": "cto", "author": who, "facts": {"note": "fine"}});
        let one = crate::policy::Attested {
            name: format!("att-{who}"),
            at: at("2026-11-20T09:00:00Z"),
            spec: serde_json::from_value(spec).unwrap(),
        };
        Said::of(&one, &roles)
    };
    let mut world = overridden();
    world.said = vec![said("eve")];
    assert!(approval(&world.look("2026-11-20T09:30:00Z")).problem.contains("eve is not in role cto"));
    world.said.push(said("vera"));
    assert_eq!(approval(&world.look("2026-11-20T09:30:00Z")).met.unwrap().by, "vera");
}

/// Between two looks at the records nobody can tell whose approval would be their own.
#[test]
fn without_its_record_nothing_is_approved_and_what_was_stays() {
    let mut world = overridden();
    world.look("2026-11-20T08:30:00Z");
    world.listed = false;
    let records = std::mem::take(&mut world.records);
    world.speaks(("vera", VP), "2026-11-20T09:00:00Z", "Passed", "fine");
    assert_eq!(approval(&world.look("2026-11-20T09:10:00Z")).state, Open);
    (world.records, world.listed) = (records, true);
    assert_eq!(approval(&world.look("2026-11-20T09:20:00Z")).state, Met);
    (world.records, world.listed) = (vec![], false);
    assert_eq!(approval(&world.look("2026-11-20T09:30:00Z")).state, Met);
    world.speaks(("vera", VP), "2026-11-20T09:40:00Z", "Withdrawn", "");
    assert_eq!(approval(&world.look("2026-11-20T09:50:00Z")).state, Open);
}

/// Whoever deletes a record takes along who made the change: what is owed for it says so, and ends as where nobody knows that.
#[rstest]
#[case::nobody(&[], None, "its record web-0007 is gone, and with it who made the change, so two people approve: tidegate approve --budget … --obligation override-approval-web-0007 --role vp-engineering --note …")]
#[case::one(&["vera"], None, "its record web-0007 is gone, and with it who made the change, so two people approve: vera (20 Nov 09:00:00 UTC) does, somebody else in the role is missing: tidegate approve ")]
#[case::two(&["vera", "victor"], Some("victor"), "")]
fn what_is_owed_for_a_record_that_is_gone_takes_two_people(
    #[case] said: &[&str],
    #[case] by: Option<&str>,
    #[case] problem: &str,
) {
    let mut world = overridden();
    world.look("2026-11-20T08:30:00Z");
    world.records.clear();
    for (minute, who) in said.iter().enumerate() {
        world.speaks((who, VP), &format!("2026-11-20T09:0{minute}:00Z"), "Passed", "it stops the leak");
    }
    let one = approval(&world.look("2026-11-20T09:30:00Z"));
    assert_eq!((one.met.as_ref().map(|met| met.by.as_str()), one.record.as_deref()), (by, Some("web-0007")), "{one:?}");
    assert!(one.problem.starts_with(problem) && one.problem.is_empty() == problem.is_empty(), "{}", one.problem);
    // A process that has just started has listed nothing yet, and says what was said.
    world.listed = false;
    assert_eq!(approval(&world.look("2026-11-20T09:31:00Z")), one);
    world.listed = true;
    // What was approved stays so, unless one of them takes it back.
    assert_eq!(approval(&world.look("2026-11-20T09:32:00Z")), one);
    world.speaks(("vera", VP), "2026-11-20T09:40:00Z", "Withdrawn", "");
    assert_eq!(approval(&world.look("2026-11-20T09:50:00Z")).state, Open);
}

/// One person was enough while it was known who made it: a deletion does not ask for a second.
#[test]
fn what_was_approved_before_its_record_went_stays_approved() {
    let mut world = overridden();
    world.speaks(("vera", VP), "2026-11-20T09:00:00Z", "Passed", "it stops the leak");
    assert_eq!(approval(&world.look("2026-11-20T09:10:00Z")).state, Met);
    world.records.clear();
    assert_eq!(approval(&world.look("2026-11-20T09:20:00Z")).state, Met);
    world.speaks(("victor", VP), "2026-11-20T09:30:00Z", "Failed", "it loses orders");
    assert_eq!(approval(&world.look("2026-11-20T09:40:00Z")).state, Open);
}

/// Why one does not count is told before that two must.
#[test]
fn who_is_not_in_the_role_is_told_so_for_a_record_that_is_gone_too() {
    let mut world = overridden();
    world.look("2026-11-20T08:30:00Z");
    world.records.clear();
    world.speaks(("eve", VP), "2026-11-20T09:00:00Z", "Passed", "fine");
    world.said[0].unheard = "eve is not in role vp-engineering of the RiskBudget (spec.roles)".to_owned();
    let one = approval(&world.look("2026-11-20T09:30:00Z"));
    assert!(one.problem.starts_with("the approval of eve (20 Nov 09:00:00 UTC) is not heard: "), "{}", one.problem);
}

/// Of a record that is gone it stays met by what met it, not by what somebody else said.
#[test]
fn what_met_it_must_still_be_there_when_the_record_is_gone() {
    let mut world = overridden();
    world.speaks(("vera", VP), "2026-11-20T09:00:00Z", "Passed", "it stops the leak");
    assert_eq!(approval(&world.look("2026-11-20T09:10:00Z")).state, Met);
    world.records.clear();
    world.speaks(("victor", VP), "2026-11-20T09:20:00Z", "Passed", "fine");
    world.said.remove(0);
    world.said[0].attestation = "att-1".to_owned();
    let one = approval(&world.look("2026-11-20T09:30:00Z"));
    assert_eq!(one.state, Open, "{one:?}");
    assert!(one.problem.contains("so two people approve: victor "), "{}", one.problem);
}
