use crate::api::BudgetStatus::{self, *};
use crate::api::risk_budget::Freeze;
use crate::api::{ChangeType, Time};
use crate::policy::freeze::{ChangeFacts, Permission, permission};
use crate::policy::message::*;
use crate::policy::{Remaining, budget_status};
use rstest::rstest;

fn at(percent: f64) -> Remaining {
    Remaining::from_percent(percent).unwrap()
}

/// The figures of the document's four example messages.
#[rstest]
#[case(72.0, "Error budget HEALTHY: 72 % left (availability decides): every change ships by its own schedule.")]
#[case(
    42.0,
    "Error budget WARNING: 42 % left (availability decides): changes ship slower, started by hand, with a senior engineer's and SRE's sign-off; high-risk changes wait, until more than 50 % is left."
)]
#[case(
    18.0,
    "Error budget CRITICAL: 18 % left (availability decides): partial freeze: only rollbacks and P0 or P1 fixes ship, with SRE's and the VP Engineering's sign-off, until more than 30 % is left."
)]
#[case(
    7.0,
    "Error budget EMERGENCY: 7 % left (availability decides): full freeze: only rollbacks and P0 outage fixes ship, with the VP Engineering's, SRE's and two senior engineers' sign-off, until more than 10 % is left."
)]
fn the_budget_in_a_line(#[case] percent: f64, #[case] expected: &str) {
    assert_eq!(budget_line(budget_status(at(percent)), at(percent), "availability"), expected);
}

/// What people declared does not end by figures that were never below it.
#[test]
fn a_freeze_ends_by_its_own_end() {
    let line = budget_line(Emergency, at(90.0), "freeze (measured: availability)");
    assert!(
        line.starts_with("Error budget EMERGENCY: 90 % left (freeze (measured: availability) decides): full freeze"),
        "{line}"
    );
    assert!(line.ends_with("sign-off, until the declared freeze ends."), "{line}");
    let Permission::Blocked(blocked) =
        permission(&ChangeFacts { kind: ChangeType::Feature, severity: None, risk: None }, Critical)
    else {
        panic!("a feature ships in a freeze");
    };
    let line = blocked_line(ChangeType::Feature, Critical, Some(at(90.0)), &blocked);
    assert!(line.contains(" Ships once the declared freeze ends. Allowed now: "), "{line}");
}

/// At the boundary the figures do not let it go, whatever was declared.
#[rstest]
#[case::below(49.9, "more than 50 % is left")]
#[case::exactly(50.0, "more than 50 % is left")]
#[case::above(50.1, "the declared freeze ends")]
fn what_ends_a_block(#[case] left: f64, #[case] ends: &str) {
    let facts = ChangeFacts { kind: ChangeType::Infrastructure, severity: None, risk: None };
    let Permission::Blocked(blocked) = permission(&facts, Warning) else { panic!("infrastructure ships in Warning") };
    assert_eq!(ships_once(Some(at(left)), &blocked), ends);
}

#[rstest]
#[case(None, "Freeze declared: counts as CRITICAL until spec.freeze is removed: Black Friday.")]
#[case(Some("2026-11-28T00:00:00Z"), "Freeze declared: counts as CRITICAL until 28 Nov 00:00:00 UTC: Black Friday.")]
fn a_freeze_in_a_line(#[case] until: Option<&str>, #[case] expected: &str) {
    let until = until.map(|text| Time(text.parse().unwrap()));
    let freeze = Freeze { status: Critical, reason: "Black Friday.".to_owned(), until };
    assert_eq!(freeze_line(&freeze), expected);
}

fn sentence(kind: ChangeType, status: BudgetStatus) -> String {
    match permission(&ChangeFacts { kind, severity: None, risk: None }, status) {
        Permission::Blocked(blocked) => blocked_line(kind, status, Remaining::from_percent(18.0), &blocked),
        Permission::Allowed { sign_offs } => sign_off_line(&sign_offs),
    }
}

#[test]
fn a_block_and_a_sign_off_in_a_line() {
    assert_eq!(
        sentence(ChangeType::Config, Critical),
        "Config at 18 % error budget (Critical): blocked by \"Non-critical changes: BLOCKED\" (001, Critical, Deployment Policy); \"Low Risk (allowed with >10% budget)\" (001, Deployment Risk Assessment) would let it pass, the stricter holds. Ships once more than 30 % is left. Allowed now: Rollback; with sign-off BugFix, IncidentFix and SecurityFix of severity P0 (production outage) or P1 (critical bug)."
    );
    assert_eq!(
        sentence(ChangeType::Feature, Warning),
        "senior-engineer before the start (001, Enhanced Process, step 1; Warning, Requirements), sre before 100 % (001, Enhanced Process, step 7)"
    );
}
