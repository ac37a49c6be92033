//! Stories of the risk policy: what a change must show, who agrees, what it costs.

use serde_json::json;

use super::*;
use crate::api::attestation::ClaimOutcome;
use crate::api::release_record::{ApprovalRecord, ReleaseRecordStatus};
use crate::api::{AttestationSpec, ChangeType, Severity, Time};
use crate::policy::requirement::CATALOGUE;
use crate::policy::score::{Incident, OnCallLoad, Seen, Signal};
use crate::policy::{Band, Gate, Role, Tier};
use crate::release::snapshot::{AttestationSeen, Proof, SignalsSeen};
use crate::release::world::pod_template;

pub(super) fn enforced(tier: Tier, categories: &[&str]) -> World {
    let mut world = World::new();
    let risk = world.seen.risk.as_mut().unwrap();
    risk.tier = tier;
    // What is in the image says the annotation here; whose word counts is told by stories of its own.
    risk.requirements = serde_json::from_value(json!({"explainedBy": "Annotation"})).unwrap();
    change(&mut world, ChangeType::Feature, None);
    world.workload().change.categories = categories.iter().map(|word| (*word).to_owned()).collect();
    world.workload().change_annotated = true;
    world.workload().changed_by = "system:serviceaccount:argocd:controller".into();
    world
}

pub(super) fn change(world: &mut World, kind: ChangeType, severity: Option<Severity>) {
    world.workload().change.kind = kind;
    world.workload().change.severity = severity;
    world.workload().change_annotated = true;
}

pub(super) fn budget(world: &mut World, status: BudgetStatus, remaining_percent: f64) {
    world.seen.budget = BudgetSeen::Measured { status, remaining_percent, decided_by: "availability".into() };
}

/// Points: so many of a hundred are spent.
pub(super) fn spent(world: &mut World, allocated: u32, consumed: u32) {
    let budget = world.seen.risk.as_mut().unwrap().budget.as_mut().unwrap();
    (budget.allocated, budget.consumed) = (allocated, consumed);
}

pub(super) fn attest(world: &mut World, kind: &str, author: &str, facts: &[(&str, &str)]) {
    say(world, kind, None, author, ClaimOutcome::Passed, facts);
}

pub(super) fn approve(world: &mut World, role: Role, author: &str) {
    say(world, "approval", Some(role.as_str()), author, ClaimOutcome::Passed, &[]);
}

pub(super) fn say(
    world: &mut World,
    kind: &str,
    role: Option<&str>,
    author: &str,
    outcome: ClaimOutcome,
    facts: &[(&str, &str)],
) {
    let revision = world.workload().revision.clone();
    let spec: AttestationSpec = serde_json::from_value(json!({
        "releaseRef": {"name": "checkout"}, "revision": revision, "type": kind, "author": author, "outcome": outcome,
        "facts": facts.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
    }))
    .unwrap();
    let spec = AttestationSpec { role: role.map(str::to_owned), ..spec };
    // The API server's moments are whole seconds.
    let at = Time(jiff::Timestamp::from_second(world.now.0.as_second()).unwrap());
    world.seen.attestations.push(AttestationSeen { spec, at, proof: Proof::Author });
}

/// The roles that the status says somebody is asked in.
pub(super) fn asks(world: &World) -> Vec<Role> {
    world.seen.release.status.risk.as_ref().map(|risk| risk.asks.clone()).unwrap_or_default()
}

pub(super) fn missing(world: &World) -> Vec<String> {
    let risk = world.seen.release.status.risk.as_ref().unwrap();
    risk.missing.iter().map(|line| line.split(':').next().unwrap().to_owned()).collect()
}

pub(super) fn held(world: &World) -> String {
    let all = &world.seen.release.status.conditions;
    let held = all.iter().find(|condition| condition.kind == "Held").unwrap();
    format!("{}: {}", held.reason, held.message)
}

const PLAN: &[(&str, &str)] = &[
    ("change", "prices in euro"),
    ("customer-impact", "none"),
    ("categories", "authentication"),
    ("rollout", "canary"),
    ("abort-criteria", "error rate above 1 %"),
    ("rollback-steps", "revert in Git"),
    ("owners", "ann"),
    ("communication", "support, before the start"),
];

/// Everything that a Tier 3 change of authentication must show before it starts, but for one thing.
fn shows_all_but(world: &mut World, but: &str) {
    for entry in CATALOGUE {
        let plain = entry.means.iter().any(|means| {
            matches!(
                means,
                crate::policy::requirement::Means::Attestation(_)
                    | crate::policy::requirement::Means::ByAnother(_)
                    | crate::policy::requirement::Means::Fresh(..)
            )
        });
        if plain && entry.name != but && entry.name != "on-call-validation" {
            attest(world, entry.name, "system:serviceaccount:ci:builder", &[("change-author", "bob")]);
        }
    }
    if but != "release-plan" {
        attest(world, "release-plan", "ann", PLAN);
    }
    if but != "release-captain" {
        approve(world, Role::ReleaseCaptain, "ann");
    }
}

#[test]
fn a_tier_3_change_of_authentication_waits_in_g3_for_exactly_what_it_must_show_and_then_goes() {
    let mut world = enforced(Tier::T3, &["authentication"]);
    world.deploy("shop:v2", GOOD);
    world.run(3);
    let risk = world.seen.release.status.risk.clone().unwrap();
    assert_eq!((risk.gate, risk.why.as_str()), (Gate::G3, "20 RP → G3"), "{}", risk.score);
    assert!(
        held(&world).starts_with("RequirementsMissing: Held/RequirementsMissing: Feature not started: Gate G3"),
        "{}",
        held(&world)
    );
    for name in ["sast", "penetration-test", "release-plan", "release-captain", "on-call-presence"] {
        assert!(missing(&world).contains(&name.to_owned()), "{name}: {:?}", missing(&world));
    }
    shows_all_but(&mut world, "penetration-test");
    world.run(3);
    let due: Vec<_> = missing(&world);
    assert!(held(&world).contains("asks for 1 more: penetration-test."), "{}", held(&world));
    assert!(due.contains(&"penetration-test".to_owned()) && !due.contains(&"sast".to_owned()), "{due:?}");
    attest(&mut world, "penetration-test", "sec", &[]);
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    // Verified, it waits for the checklist, and is complete without it at the deadline.
    world.run(70);
    assert!(held(&world).contains("post-release-checklist"), "{}", held(&world));
    world.run_until(800, |world| world.outcome() == Some(Outcome::Succeeded));
    let status = world.status().clone();
    let assessment = status.assessment.unwrap();
    assert_eq!(assessment.not_shown, ["post-release-checklist"]);
    assert!(
        assessment.shown.iter().any(|one| one.by == "sec" && one.names == ["penetration-test"]),
        "{:?}",
        assessment.shown
    );
    // The rehearsal that was attested is the proven way back of "canary + automated health gates".
    assert_eq!((assessment.points, status.charge.unwrap().points), (17, 17));
    assert_eq!(agreed(world.status()), ["ann as release-captain before start: release-captain"]);
}

/// Who agreed, in which role, before what, and what that met.
pub(super) fn agreed(status: &ReleaseRecordStatus) -> Vec<String> {
    let one = |one: &ApprovalRecord| {
        format!("{} as {} before {}: {}", one.author, one.role, one.before, one.meets.join(", "))
    };
    status.approvals.iter().map(one).collect()
}

/// Two people where nobody knows who made it, and both are on record with what they agreed to; a person who meets two
/// requirements in one role stands there once.
#[test]
fn everybody_who_met_a_requirement_by_agreeing_stands_in_the_sealed_record() {
    let mut world = enforced(Tier::T3, &["authentication"]);
    for entry in CATALOGUE.iter().filter(|entry| entry.name != "release-captain") {
        let by_people = ["peer-review", "code-owner-review", "change-author"].contains(&entry.name);
        if !by_people {
            waive(&mut world, entry.name);
        }
    }
    world.deploy("shop:v2", GOOD);
    world.run(3);
    for (role, who) in
        [(Role::CodeOwner, "ann"), (Role::CodeOwner, "bob"), (Role::OnCall, "carl"), (Role::OnCall, "dana")]
    {
        approve(&mut world, role, who);
    }
    world.run_until(300, |world| world.phase() == Some(Phase::Verify));
    // Who takes it back now does not undo what the start rested on.
    world.now = world.now.plus(Span::seconds(1));
    say(&mut world, "approval", Some("code-owner"), "bob", ClaimOutcome::Withdrawn, &[]);
    world.run_until(900, |world| world.outcome() == Some(Outcome::Succeeded));
    let status = world.status();
    let both = "before start: peer-review, code-owner-review";
    let mut on_record = agreed(status);
    on_record.sort_unstable();
    assert_eq!(
        on_record,
        [
            format!("ann as code-owner {both}"),
            format!("bob as code-owner {both}"),
            "carl as on-call before start: release-captain".to_owned(),
            "dana as on-call before start: release-captain".to_owned(),
        ]
    );
    let assessment = status.assessment.as_ref().unwrap();
    let shown = assessment.shown.iter().find(|one| one.by == "approvals").unwrap();
    assert_eq!(shown.names, ["peer-review", "code-owner-review", "release-captain"]);
    assert!(!assessment.not_shown.contains(&"peer-review".to_owned()), "{:?}", assessment.not_shown);
}

/// What Tidegate saw between the templates alone, it cannot see once the workload runs the new one: it stands in the record all the same
/// whether it was shown, and by whom.
#[rstest]
#[case::shown(true)]
#[case::waived(false)]
fn what_was_seen_between_the_templates_is_on_record_to_the_end(#[case] shows: bool) {
    let mut world = enforced(Tier::T3, &["ui"]);
    for entry in CATALOGUE.iter().filter(|entry| entry.name != "certificate-rotation" || !shows) {
        waive(&mut world, entry.name);
    }
    let mut template = pod_template("shop:v2");
    let secret = json!({"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "key"}}});
    template["spec"]["containers"][0]["env"] = json!([secret]);
    world.push(template, GOOD);
    world.run(3);
    if shows {
        assert_eq!(missing(&world), ["certificate-rotation"]);
        attest(&mut world, "certificate-rotation", "sec", &[]);
    }
    world.run_until(900, |world| world.outcome() == Some(Outcome::Succeeded));
    let assessment = world.status().assessment.clone().unwrap();
    let by_sec = assessment.shown.iter().any(|one| one.by == "sec" && one.names == ["certificate-rotation"]);
    let without = assessment.not_shown.contains(&"certificate-rotation".to_owned());
    assert_eq!((by_sec, without), (shows, !shows), "{assessment:?}");
}

/// A requirement that this budget does not ask for.
pub(super) fn waive(world: &mut World, name: &str) {
    let waiver = serde_json::from_value(json!({"name": name, "reason": "shown elsewhere"})).unwrap();
    world.seen.risk.as_mut().unwrap().requirements.waived.push(waiver);
}

#[test]
fn in_mode_audit_it_ships_and_what_was_missing_is_on_record() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    let assessment = world.status().assessment.clone().unwrap();
    assert_eq!((assessment.gate, assessment.points), (Gate::G2, 12));
    assert!(
        assessment.not_shown.contains(&"unit-tests".to_owned())
            && !assessment.not_shown.contains(&"rollback-plan".to_owned())
    );
}

#[test]
fn a_waived_requirement_is_not_asked_for_until_the_waiver_ends() {
    let mut world = enforced(Tier::T1, &["ui"]);
    let waived = crate::policy::requirement::CATALOGUE
        .iter()
        .filter(|entry| entry.name != "sast")
        .map(|entry| json!({"name": entry.name, "reason": "not yet", "until": "2026-01-01T00:05:00Z"}));
    let waived: Vec<_> = waived.collect();
    world.seen.risk.as_mut().unwrap().requirements = serde_json::from_value(json!({"waived": waived})).unwrap();
    world.deploy("shop:v2", GOOD);
    world.run(3);
    assert!(held(&world).contains("asks for 1 more: sast."), "{}\n{}", held(&world), world.trace.join("\n"));
    world.now = world.now.plus(Span::minutes(5));
    world.run(3);
    assert!(held(&world).contains("unit-tests"), "{}", held(&world));
}

#[test]
fn a_release_is_charged_once_however_often_it_crashes() {
    for crash in 0..3 {
        let mut world = World::new();
        world.deploy("shop:v2", GOOD);
        for _ in 0..40 {
            world.run_crashing(&[crash]);
        }
        world.run_until(400, |world| world.outcome() == Some(Outcome::Succeeded));
        world.run(5);
        let risk = world.seen.risk.as_ref().unwrap();
        assert_eq!(
            (risk.ledger.sequence, risk.budget.as_ref().unwrap().consumed),
            (1, 12),
            "{}",
            world.trace.join("\n")
        );
        assert!(risk.ledger.pending.is_empty());
    }
}

#[test]
fn points_that_are_promised_to_another_release_are_not_there_and_come_back_when_it_ends() {
    let mut world = World::new();
    spent(&mut world, 100, 30);
    let other = json!({"reservations": [{"record": "cart-0007", "points": 60}]});
    world.seen.risk.as_mut().unwrap().ledger = serde_json::from_value(other).unwrap();
    world.deploy("shop:v2", GOOD);
    world.run(5);
    assert!(held(&world).contains("it costs 12 RP"), "{}", held(&world));
    assert!(held(&world).contains("has 10 RP that are neither spent nor promised"), "{}", held(&world));
    world.seen.risk.as_mut().unwrap().ledger.reservations.clear();
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

#[rstest]
#[case::a_feature(ChangeType::Feature, Some("GateBlocked"))]
#[case::a_bug_fix(ChangeType::BugFix, Some("GateBlocked"))]
#[case::reliability(ChangeType::Reliability, Some("GateBlocked"))]
#[case::an_incident_fix(ChangeType::IncidentFix, None)]
#[case::a_security_fix(ChangeType::SecurityFix, None)]
fn an_exhausted_budget_lets_fixes_of_incidents_and_security_through(
    #[case] kind: ChangeType,
    #[case] blocked: Option<&str>,
) {
    let mut world = World::new();
    spent(&mut world, 100, 100);
    change(&mut world, kind, Some(Severity::P1));
    world.deploy("shop:v2", GOOD);
    world.run(5);
    match blocked {
        Some(reason) => assert!(held(&world).starts_with(reason), "{}", held(&world)),
        None => {
            assert_eq!(world.seen.risk.as_ref().unwrap().band(), Some(Band::Exhausted));
            // What its gate asks for is only told in mode Audit; the sign-off holds (`000_…` §5.4, "explicit sign-off").
            assert!(held(&world).starts_with("ApprovalMissing"), "{}", held(&world));
            assert!(
                held(&world).contains("The risk budget is exhausted: both managers sign for it"),
                "{}",
                held(&world)
            );
            assert_eq!(asks(&world), [Role::ProductManager, Role::DevelopmentManager]);
            approve(&mut world, Role::ProductManager, "paul");
            world.run(3);
            assert_eq!(asks(&world), [Role::DevelopmentManager]);
            approve(&mut world, Role::DevelopmentManager, "dora");
            world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
            assert_eq!(world.status().assessment.as_ref().unwrap().gate, Gate::G3);
        }
    }
}

#[test]
fn yellow_is_one_gate_more() {
    let mut world = World::new();
    spent(&mut world, 100, 50);
    world.deploy("shop:v2", GOOD);
    world.run(3);
    let risk = world.seen.release.status.risk.clone().unwrap();
    assert_eq!((risk.gate, risk.why.as_str()), (Gate::G3, "12 RP → G2; Yellow: +1 → G3"));
}

pub(super) const EXCEPTION: &[(&str, &str)] = &[
    ("reason", "urgent-security-fix"),
    ("justification", "CVE"),
    ("change-complexity", "low"),
    ("blast-radius", "one module"),
    ("rollback-time", "1 min"),
    ("mitigation-plan", "canary at 1 %"),
    ("ticket", "SEC-7"),
];

/// Bob's security fix of severity P2, while the error budget is critical: blocked, unless it is an exception.
fn a_fix_in_a_freeze() -> World {
    let mut world = World::new();
    budget(&mut world, BudgetStatus::Critical, 18.0);
    change(&mut world, ChangeType::SecurityFix, Some(Severity::P2));
    world.workload().changed_by = "bob".into();
    world.deploy("shop:v2", GOOD);
    world.run(3);
    world
}

#[test]
fn an_exception_ships_in_a_freeze_when_all_have_agreed_and_costs_half_as_much_again() {
    let mut world = a_fix_in_a_freeze();
    assert!(held(&world).starts_with("BudgetFreeze") && held(&world).contains("--type exception"), "{}", held(&world));
    attest(&mut world, "exception", "bob", &EXCEPTION[1..]);
    world.run(3);
    assert!(held(&world).contains("incomplete: facts.reason is missing"), "{}", held(&world));
    attest(&mut world, "exception", "bob", EXCEPTION);
    world.run(3);
    assert!(
        held(&world).contains(
            "waits for development-manager, on-call, product-manager, service-owner, sre, engineering-manager, vp-engineering"
        ),
        "{}",
        held(&world)
    );
    for (role, who) in [
        (Role::DevelopmentManager, "dm"),
        (Role::OnCall, "oc"),
        (Role::ProductManager, "pm"),
        (Role::ServiceOwner, "so"),
        (Role::EngineeringManager, "em"),
        (Role::VpEngineering, "vp"),
    ] {
        approve(&mut world, role, who);
    }
    approve(&mut world, Role::Sre, "bob");
    world.run(3);
    assert!(held(&world).contains("waits for sre ("), "nobody approves their own change\n{}", held(&world));
    assert!(asks(&world).contains(&Role::Sre) && !asks(&world).contains(&Role::ServiceOwner), "{:?}", asks(&world));
    approve(&mut world, Role::Sre, "sre");
    world.run(3);
    assert!(held(&world).starts_with("ManualStart"), "{}", held(&world));
    attest(&mut world, "start", "sre", &[]);
    world.run_until(60, |world| world.status().charge.is_some());
    let status = world.status().clone();
    let (charge, assessment) = (status.charge.unwrap(), status.assessment.unwrap());
    assert_eq!((charge.points, charge.exception), (assessment.points * 3 / 2 + assessment.points % 2, true));
    assert!(assessment.exception.unwrap().starts_with("urgent-security-fix, asked by bob"));
    assert!(assessment.why.ends_with("G4"), "{}", assessment.why);
    let on_record = agreed(world.status());
    for who in [
        "dm as development-manager",
        "oc as on-call",
        "pm as product-manager",
        "so as service-owner",
        "em as engineering-manager",
        "sre as sre",
    ] {
        assert!(
            on_record.iter().any(|one| one.starts_with(&format!("{who} before start: ")) && one.ends_with("exception")),
            "{who}: {on_record:?}"
        );
    }
    assert!(
        on_record.contains(&"vp as vp-engineering before start: ".to_owned()),
        "the process asks too: {on_record:?}"
    );
    assert!(
        on_record.iter().all(|one| !one.starts_with("bob")),
        "whose own approval counts for nothing: {on_record:?}"
    );
}

/// Who had agreed by the time somebody let it run past its gate is on record with it.
#[test]
fn who_had_agreed_to_what_break_glass_let_go_is_on_record() {
    let mut world = a_fix_in_a_freeze();
    approve(&mut world, Role::CodeOwner, "ann");
    world.run(3);
    world.workload().paused = false;
    world.workload().paused_because = None;
    world.workload().break_glass = Some("INC-7".into());
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    assert_eq!(agreed(world.status()), ["ann as code-owner before start: peer-review, code-owner-review"]);
}

#[test]
fn the_enhanced_process_asks_before_the_start_and_before_all_of_the_traffic() {
    let mut world = World::new();
    budget(&mut world, BudgetStatus::Warning, 42.0);
    world.workload().changed_by = "bob".into();
    world.deploy("shop:v2", GOOD);
    world.run(3);
    assert!(
        held(&world)
            .contains("Missing: senior-engineer: kubectl tidegate approve checkout -n shop --role senior-engineer"),
        "{}",
        held(&world)
    );
    assert_eq!(asks(&world), [Role::SeniorEngineer]);
    approve(&mut world, Role::SeniorEngineer, "ann");
    attest(&mut world, "start", "ann", &[]);
    world.run_until(20_000, |world| world.status().stage == 4);
    world.run(3);
    assert!(held(&world).contains("until those agree to 100 %"), "{}", held(&world));
    assert_eq!(asks(&world), [Role::Sre]);
    assert_eq!(world.split().weight(Carrier::Canary), Weight::whole(50));
    say(&mut world, "approval", Some("sre"), "carl", ClaimOutcome::Failed, &[]);
    world.run(3);
    assert!(held(&world).contains("carl") && held(&world).contains("rejects it as sre"), "{}", held(&world));
    say(&mut world, "approval", Some("sre"), "carl", ClaimOutcome::Withdrawn, &[]);
    world.now = world.now.plus(Span::seconds(1));
    approve(&mut world, Role::Sre, "dana");
    world.run_until(20_000, |world| world.phase() == Some(Phase::Verify));
    let approvals = world.status().approvals.clone();
    let asked = approvals.iter().filter(|one| one.meets.is_empty());
    let said: Vec<_> = asked.map(|one| (one.author.as_str(), one.before.as_str())).collect();
    assert_eq!(said, [("ann", "start"), ("dana", "100 %")]);
    let reviewed = approvals.iter().find(|one| one.meets == ["peer-review"]);
    assert_eq!(reviewed.map(|one| one.author.as_str()), Some("ann"), "her word is a review as well");
}

#[test]
fn a_template_that_runs_ungated_is_charged_as_an_exception() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    world.workload().paused = false;
    world.workload().paused_because = None;
    world.workload().break_glass = Some("INC-7".into());
    world.run_until(60, |world| world.outcome() == Some(Outcome::Bypassed));
    let charge = world.status().charge.clone().unwrap();
    assert!(charge.exception && charge.points >= 18, "{charge:?}");
    world.run(5);
    assert_eq!(world.seen.risk.as_ref().unwrap().ledger.sequence, 1);
}

#[test]
fn a_rollback_waits_for_nothing_and_is_charged_the_least() {
    let mut world = enforced(Tier::T3, &[]);
    world.seen.risk.as_mut().unwrap().requirements = serde_json::from_value(json!({"mode": "Audit"})).unwrap();
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
    world.run(20);
    world.seen.risk.as_mut().unwrap().requirements = Default::default();
    spent(&mut world, 100, 100);
    budget(&mut world, BudgetStatus::Emergency, 2.0);
    world.deploy("shop:v1", GOOD);
    world.run(2);
    world.run_until(2_000, |world| world.outcome() == Some(Outcome::Succeeded));
    assert_eq!(world.seen.record.as_ref().unwrap().spec.change.kind, ChangeType::Rollback);
    assert_eq!(world.status().charge.as_ref().unwrap().points, 1);
}

fn heard(world: &mut World, incidents: Signal<Vec<Incident>>, on_call: Signal<OnCallLoad>) {
    world.seen.risk.as_mut().unwrap().signals = SignalsSeen { incidents, on_call };
}

/// `000_…` §5.3 and §6.3, "If active incident …: block non-fix releases by default".
#[test]
fn in_an_incident_a_feature_waits_until_it_is_over_and_then_costs_five_more() {
    let mut world = World::new();
    let incident = |ended| Incident { name: "INC-7".into(), severity: Some(2), ended };
    let known = |world: &World, ended| Signal::Known(Seen { value: vec![incident(ended)], at: world.now });
    change(&mut world, ChangeType::Feature, None);
    let going_on = known(&world, None);
    heard(&mut world, going_on, Signal::NotConfigured);
    world.deploy("shop:v2", GOOD);
    world.run(3);
    assert!(held(&world).starts_with("GateBlocked"), "{}", held(&world));
    assert!(held(&world).contains("the incident is over"), "{}", held(&world));
    // Seven days ago and an hour it would cost nothing; an hour ago it does, and blocks no more.
    let over = known(&world, Some(world.now));
    heard(&mut world, over, Signal::NotConfigured);
    world.run(3);
    let risk = world.seen.release.status.risk.clone().unwrap();
    assert_eq!((risk.gate, risk.why.as_str()), (Gate::G3, "17 RP → G3"), "{}", risk.score);
    assert!(risk.terms.iter().any(|term| term.starts_with("+5") && term.contains("INC-7 ended")), "{:?}", risk.terms);
}

#[test]
fn in_an_incident_its_fix_ships() {
    let mut world = World::new();
    let incident = Incident { name: "INC-7".into(), severity: Some(1), ended: None };
    let known = Signal::Known(Seen { value: vec![incident], at: world.now.plus(Span::days(1)) });
    heard(&mut world, known, Signal::NotConfigured);
    change(&mut world, ChangeType::IncidentFix, Some(Severity::P1));
    world.deploy("shop:v2", GOOD);
    world.run_until(300, |world| world.outcome() == Some(Outcome::Succeeded));
}

/// What is not known never passes.
#[test]
fn signals_that_nobody_can_hear_count_as_bad_and_say_so() {
    let mut world = World::new();
    change(&mut world, ChangeType::Feature, None);
    let down = || "Prometheus does not answer".to_owned();
    heard(&mut world, Signal::Unknown(down()), Signal::Unknown(down()));
    world.deploy("shop:v2", GOOD);
    world.run(3);
    let risk = world.seen.release.status.risk.clone().unwrap();
    let told: Vec<_> = risk.terms.iter().filter(|term| term.contains("not known, which counts as bad")).collect();
    assert_eq!((told.len(), risk.why.as_str()), (2, "19 RP → G3"), "{told:?}");
    assert!(held(&world).starts_with("GateBlocked"), "{}", held(&world));
}
