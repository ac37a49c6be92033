use super::{facts, ordered_statuses};
use crate::api::BudgetStatus::{self, *};
use crate::api::ChangeType::{self, *};
use crate::api::Severity::{self, *};
use crate::api::risk_budget::OwnerApproval;
use crate::api::{Percent, RiskClass, Weight};
use crate::policy::freeze::*;
use crate::policy::sign_off::{Role, SignOff, SignOffPoint};
use proptest::prelude::*;
use rstest::rstest;

fn change(kind: ChangeType, severity: Option<Severity>) -> ChangeFacts {
    ChangeFacts { kind, severity, risk: None }
}

fn allowed(kind: ChangeType, severity: Option<Severity>, status: BudgetStatus) -> bool {
    matches!(permission(&change(kind, severity), status), Permission::Allowed { .. })
}

fn blocked(kind: ChangeType, severity: Option<Severity>, status: BudgetStatus) -> Blocked {
    match permission(&change(kind, severity), status) {
        Permission::Blocked(blocked) => blocked,
        Permission::Allowed { .. } => panic!("{kind} in {status} is allowed"),
    }
}

fn sign_offs(kind: ChangeType, severity: Option<Severity>, status: BudgetStatus) -> Vec<String> {
    match permission(&change(kind, severity), status) {
        Permission::Allowed { sign_offs } => sign_offs.iter().map(ToString::to_string).collect(),
        Permission::Blocked(blocked) => panic!("{blocked}"),
    }
}

/// Every type without a severity, under each status: y ships, n does not.
#[rstest]
#[case(Feature, "yynn")]
#[case(BugFix, "yynn")]
#[case(Reliability, "yynn")]
#[case(IncidentFix, "yynn")]
#[case(SecurityFix, "yynn")]
#[case(Rollback, "yyyy")]
#[case(Experiment, "yynn")]
#[case(Refactor, "ynnn")]
#[case(Infrastructure, "ynnn")]
#[case(Config, "yynn")]
#[case(Docs, "yynn")]
fn without_a_severity(#[case] kind: ChangeType, #[case] expected: &str) {
    let seen: String = BudgetStatus::ALL.iter().map(|s| if allowed(kind, None, *s) { 'y' } else { 'n' }).collect();
    assert_eq!(seen, expected);
}

/// A severity lifts fixes only: a Feature that claims P0 is still a feature.
#[rstest]
fn in_critical_and_emergency_severity_decides(
    #[values(
        Feature,
        BugFix,
        Reliability,
        IncidentFix,
        SecurityFix,
        Experiment,
        Refactor,
        Infrastructure,
        Config,
        Docs
    )]
    kind: ChangeType,
    #[values(P0, P1, P2, P3, P4)] severity: Severity,
) {
    let fix = matches!(kind, BugFix | IncidentFix | SecurityFix);
    assert_eq!(allowed(kind, Some(severity), Critical), fix && severity <= P1);
    assert_eq!(allowed(kind, Some(severity), Emergency), fix && severity == P0);
}

/// `001_…`, Healthy, Requirements; Roles, Service Owner: "Approve deployments when budget >30%".
#[rstest]
#[case(OwnerApproval::Asked, Feature, "yynn")]
#[case(OwnerApproval::Asked, Docs, "yynn")]
#[case(OwnerApproval::Asked, IncidentFix, "yynn")]
#[case(OwnerApproval::Asked, Rollback, "nnnn")]
#[case(OwnerApproval::Manifest, Feature, "nnnn")]
fn the_service_owner_approves_above_30_percent(
    #[case] how: OwnerApproval,
    #[case] kind: ChangeType,
    #[case] expected: &str,
) {
    let asked = |status: &BudgetStatus| match by_owner(how, kind, *status) {
        [one] => one.role == Role::ServiceOwner && one.people == 1 && one.when == SignOffPoint::BeforeStart,
        others => !others.is_empty(),
    };
    let seen: String = BudgetStatus::ALL.iter().map(|status| if asked(status) { 'y' } else { 'n' }).collect();
    assert_eq!(seen, expected);
}

#[test]
fn every_type_is_in_the_tables() {
    assert_eq!(ChangeType::ALL.len(), 11, "a new type needs a row in both tables above");
}

#[rstest]
#[case::healthy_holds_nobody(Feature, None, Healthy, &[])]
#[case::healthy_infrastructure(Infrastructure, None, Healthy, &[])]
#[case::rollback_in_emergency(Rollback, None, Emergency, &[])]
#[case::enhanced(Feature, None, Warning, &["senior-engineer before the start", "sre before 100 %"])]
#[case::enhanced_for_fixes_too(IncidentFix, Some(P0), Warning, &["senior-engineer before the start", "sre before 100 %"])]
#[case::experiment(Experiment, None, Warning, &["service-owner before the start", "senior-engineer before the start", "sre before 100 %"])]
#[case::outage_in_critical(IncidentFix, Some(P0), Critical, &["sre before the start", "vp-engineering before the start", "sre before each further stage", "vp-engineering before each further stage"])]
#[case::critical_bug_in_critical(BugFix, Some(P1), Critical, &["sre before the start", "vp-engineering before the start", "sre before each further stage", "vp-engineering before each further stage"])]
#[case::outage_in_emergency(SecurityFix, Some(P0), Emergency, &["2 senior-engineer before the start", "sre before the start", "vp-engineering before the start", "sre before each further stage", "vp-engineering before each further stage"])]
fn who_must_agree(
    #[case] kind: ChangeType,
    #[case] severity: Option<Severity>,
    #[case] status: BudgetStatus,
    #[case] expected: &[&str],
) {
    assert_eq!(sign_offs(kind, severity, status), expected);
}

#[rstest]
#[case::feature(Feature, None, Critical, 30)]
#[case::feature_in_emergency(Feature, None, Emergency, 30)]
#[case::config(Config, None, Critical, 30)]
#[case::refactor(Refactor, None, Critical, 50)]
#[case::infrastructure(Infrastructure, None, Warning, 50)]
#[case::critical_bug(BugFix, Some(P1), Emergency, 10)]
#[case::minor_bug(BugFix, Some(P3), Emergency, 30)]
fn what_would_release_it(
    #[case] kind: ChangeType,
    #[case] severity: Option<Severity>,
    #[case] status: BudgetStatus,
    #[case] above: u8,
) {
    assert_eq!(blocked(kind, severity, status).released_above, Percent::whole(above));
}

/// Places where the document contradicts itself: the stricter holds, both are named.
#[rstest]
#[case(
    Infrastructure,
    Warning,
    "High Risk (allowed with >50% budget)",
    "Infrastructure changes: Requires SRE approval"
)]
#[case(Refactor, Warning, "High Risk (allowed with >50% budget)", "Refactoring: Defer unless high-value")]
#[case(Config, Critical, "Non-critical changes: BLOCKED", "Low Risk (allowed with >10% budget)")]
#[case(Docs, Critical, "Non-critical changes: BLOCKED", "Low Risk (allowed with >10% budget)")]
#[case(Reliability, Critical, "Non-critical changes: BLOCKED", "Quick wins: Low-risk reliability improvements")]
#[case(Reliability, Emergency, "Everything else: BLOCKED", "Quick wins: Low-risk reliability improvements")]
fn a_contradiction_names_both(
    #[case] kind: ChangeType,
    #[case] status: BudgetStatus,
    #[case] stricter: &str,
    #[case] looser: &str,
) {
    let blocked = blocked(kind, None, status);
    assert!(blocked.by.iter().any(|clause| clause.says == stricter), "{blocked}");
    assert!(blocked.despite.iter().any(|clause| clause.says == looser), "{blocked}");
    assert!(blocked.to_string().contains("the stricter holds"), "{blocked}");
}

#[rstest]
#[case::small_refactor_ships(Refactor, Some(RiskClass::Low), Warning, true)]
#[case::medium_refactor_ships(Refactor, Some(RiskClass::Medium), Warning, true)]
#[case::infrastructure_stays_high(Infrastructure, Some(RiskClass::Low), Warning, false)]
#[case::feature_with_breaking_migration(Feature, Some(RiskClass::High), Warning, false)]
#[case::config_with_dependency_update(Config, Some(RiskClass::Medium), Warning, true)]
fn the_diff_can_only_raise_the_class(
    #[case] kind: ChangeType,
    #[case] risk: Option<RiskClass>,
    #[case] status: BudgetStatus,
    #[case] ships: bool,
) {
    let seen = permission(&ChangeFacts { kind, severity: None, risk }, status);
    assert_eq!(matches!(seen, Permission::Allowed { .. }), ships, "{seen:?}");
}

#[test]
fn what_is_named_as_allowed_now_is_allowed() {
    for status in [Critical, Emergency] {
        for kind in ChangeType::ALL {
            let named = allowed_now(status).contains(kind.as_str());
            assert_eq!(named, allowed(*kind, Some(P0), status), "{kind} in {status}");
        }
        assert_eq!(allowed_now(status).contains("P1"), allowed(BugFix, Some(P1), status), "{status}");
    }
    for kind in ChangeType::ALL.iter().filter(|kind| **kind != Rollback) {
        let excepted = allowed_now(Warning).contains(kind.as_str());
        assert_eq!(excepted, !allowed(*kind, None, Warning), "{kind}");
    }
}

#[test]
fn a_sign_off_knows_its_stages() {
    let at = |when| SignOff { role: Role::Sre, people: 1, when, why: "", source: "" };
    let needed = |when| {
        let stages = [5, 25, 100].into_iter().enumerate();
        stages.map(|(index, weight)| at(when).needed_before(index, Weight::whole(weight))).collect::<Vec<_>>()
    };
    assert_eq!(needed(SignOffPoint::BeforeStart), [true, false, false]);
    assert_eq!(needed(SignOffPoint::EachStage), [false, true, true]);
    assert_eq!(needed(SignOffPoint::BeforeStage { weight: Weight::FULL }), [false, false, true]);
    assert_eq!(needed(SignOffPoint::BeforeStage { weight: Weight::whole(50) }), [false, false, true]);
}

/// How many people must have agreed before each stage of a schedule, whatever their role: the more, the stricter.
fn people_by_stage(sign_offs: &[SignOff]) -> Vec<u32> {
    let stages = [2, 5, 10, 25, 50, 100].into_iter().enumerate();
    let mut so_far = 0;
    stages
        .map(|(index, weight)| {
            let due = sign_offs.iter().filter(|s| s.needed_before(index, Weight::whole(weight)));
            so_far += due.map(|s| u32::from(s.people)).sum::<u32>();
            so_far
        })
        .collect()
}

/// `001_…`, Warning: only the line about this very type, or its class, would have let the change pass.
#[rstest]
#[case::refactoring(Refactor, None, "Refactoring: Defer unless high-value")]
#[case::infrastructure(Infrastructure, None, "Infrastructure changes: Requires SRE approval")]
#[case::risky_feature(Feature, Some(RiskClass::High), "Feature releases: Approved with extra review")]
#[case::risky_fix(BugFix, Some(RiskClass::High), "Critical bug fixes: Approved")]
fn what_would_have_let_it_pass_in_warning(
    #[case] kind: ChangeType,
    #[case] risk: Option<RiskClass>,
    #[case] despite: &str,
) {
    match permission(&ChangeFacts { risk, ..change(kind, None) }, Warning) {
        Permission::Blocked(blocked) => {
            assert_eq!(blocked.despite.iter().map(|clause| clause.says).collect::<Vec<_>>(), [despite]);
        }
        Permission::Allowed { .. } => panic!("{kind} is allowed"),
    }
}

proptest! {
    #[test]
    fn a_worse_budget_never_loosens(facts in facts(), (good, bad) in ordered_statuses()) {
        match (permission(&facts, good), permission(&facts, bad)) {
            (Permission::Blocked(_), now) => prop_assert!(matches!(now, Permission::Blocked(_))),
            (Permission::Allowed { .. }, Permission::Blocked(_)) => {}
            (Permission::Allowed { sign_offs: before }, Permission::Allowed { sign_offs: now }) => {
                let (before, now) = (people_by_stage(&before), people_by_stage(&now));
                prop_assert!(now.iter().zip(&before).all(|(now, before)| now >= before), "{before:?} {now:?}");
            }
        }
    }

    #[test]
    fn a_block_says_why_and_what_ends_it(facts in facts(), (_, status) in ordered_statuses()) {
        if let Permission::Blocked(blocked) = permission(&facts, status) {
            prop_assert!(!blocked.by.is_empty());
            let better = match blocked.released_above.get() { 50.0 => Healthy, 30.0 => Warning, _ => Critical };
            prop_assert!(better < status);
            let released = matches!(permission(&facts, better), Permission::Allowed { .. });
            prop_assert!(released);
            prop_assert!(blocked.to_string().len() < 900, "an event note stays under 1 kB");
        }
    }

    #[test]
    fn healthy_and_rollbacks_hold_nothing(facts in facts(), (_, status) in ordered_statuses()) {
        let free = Permission::Allowed { sign_offs: Vec::new() };
        prop_assert_eq!(permission(&facts, Healthy), free.clone());
        prop_assert_eq!(permission(&ChangeFacts { kind: Rollback, ..facts }, status), free);
    }
}
