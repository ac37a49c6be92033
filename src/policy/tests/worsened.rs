use crate::api::gated_release::Strategy;
use crate::api::risk_budget::OwnerApproval;
use crate::api::{BudgetStatus, ChangeType, Severity};
use crate::policy::worsened::{Levels, Underway, asked_anew};
use crate::policy::{Band, ChangeFacts, Gate};
use rstest::rstest;

use Band::{Exhausted, Green, Red, Yellow};
use BudgetStatus::{Critical, Emergency, Healthy, Warning};
use ChangeType::{BugFix, Config, Feature, IncidentFix, Infrastructure, Rollback};
use OwnerApproval::{Asked, Manifest};

const SENIOR: &str = "senior-engineer";
const PROCESS: &str = "sre, vp-engineering";

fn asked(
    (kind, severity): (ChangeType, Option<Severity>),
    diff: Gate,
    (customers_may_notice, owner): (bool, OwnerApproval),
    began: (BudgetStatus, Band),
    now: (BudgetStatus, Band),
) -> String {
    let strategy: Strategy = serde_json::from_value(serde_json::json!({"schedule": "Standard"})).unwrap();
    let change = ChangeFacts { kind, severity, risk: None };
    let underway = Underway { change, diff, strategy: &strategy, customers_may_notice, owner };
    let levels = |(status, band)| Levels { status, band };
    let all = asked_anew(&underway, levels(began), levels(now));
    all.iter().map(|one| format!("{one}").replace(" before the start", "")).collect::<Vec<_>>().join(", ")
}

/// `001_…`: the process of the worse status; who agrees to an exception where it would block the change by now.
#[rstest]
#[case::as_it_was((Feature, None), Healthy, Healthy, "")]
#[case::warning((Feature, None), Healthy, Warning, SENIOR)]
#[case::better((Feature, None), Warning, Healthy, "")]
#[case::a_feature_in_critical((Feature, None), Healthy, Critical, "sre, vp-engineering, development-manager, on-call, product-manager, service-owner, engineering-manager")]
#[case::infrastructure_in_warning((Infrastructure, None), Healthy, Warning, "senior-engineer, development-manager, on-call, product-manager, vp-engineering, sre")]
#[case::p1_in_critical((BugFix, Some(Severity::P1)), Warning, Critical, PROCESS)]
#[case::p0_in_emergency((IncidentFix, Some(Severity::P0)), Critical, Emergency, "2 senior-engineer")]
#[case::an_exception_of_critical((Feature, None), Critical, Emergency, "2 senior-engineer")]
#[case::a_rollback((Rollback, None), Healthy, Emergency, "")]
fn a_worse_error_budget_asks_who_was_not_asked(
    #[case] change: (ChangeType, Option<Severity>),
    #[case] began: BudgetStatus,
    #[case] now: BudgetStatus,
    #[case] roles: &str,
) {
    assert_eq!(asked(change, Gate::G2, (true, Manifest), (began, Green), (now, Green)), roles);
}

/// `000_…` §5.4 and §6.3.
#[rstest]
#[case::yellow((Feature, None), Gate::G4, Yellow, "")]
#[case::high_risk_in_red((Feature, None), Gate::G3, Red, "development-manager, on-call, product-manager, vp-engineering")]
#[case::moderate_in_red((Feature, None), Gate::G2, Red, "development-manager, on-call, product-manager, vp-engineering")]
#[case::low_risk_in_red((Config, None), Gate::G1, Red, "")]
#[case::a_fix_in_red((IncidentFix, None), Gate::G2, Red, "")]
#[case::a_fix_in_exhausted((IncidentFix, None), Gate::G2, Exhausted, "product-manager, development-manager")]
#[case::a_feature_in_exhausted((Feature, None), Gate::G1, Exhausted, "development-manager, on-call, product-manager, vp-engineering")]
fn a_worse_band_asks_who_was_not_asked(
    #[case] change: (ChangeType, Option<Severity>),
    #[case] diff: Gate,
    #[case] now: Band,
    #[case] roles: &str,
) {
    assert_eq!(asked(change, diff, (true, Manifest), (Healthy, Green), (Healthy, now)), roles);
    assert_eq!(asked(change, diff, (true, Manifest), (Healthy, now), (Healthy, now)), "", "nobody twice");
    assert_eq!(asked(change, diff, (true, Manifest), (Healthy, now), (Healthy, Green)), "", "better asks nobody");
}

#[test]
fn where_no_customer_may_notice_the_product_manager_agrees_to_no_exception() {
    let roles = asked((Feature, None), Gate::G3, (false, Manifest), (Healthy, Green), (Healthy, Red));
    assert_eq!(roles, "development-manager, on-call, vp-engineering");
}

/// `001_…`, Roles: the service owner approves above 30 %. Who approved the start is not asked again.
#[rstest]
#[case::since_the_start(Asked, Healthy, Warning, SENIOR)]
#[case::below_it(Asked, Warning, Critical, "sre, vp-engineering")]
#[case::by_the_manifest(Manifest, Healthy, Warning, SENIOR)]
fn a_service_owner_who_is_asked_is_asked_once(
    #[case] owner: OwnerApproval,
    #[case] began: BudgetStatus,
    #[case] now: BudgetStatus,
    #[case] roles: &str,
) {
    let change = (BugFix, Some(Severity::P1));
    assert_eq!(asked(change, Gate::G2, (true, owner), (began, Green), (now, Green)), roles);
}
