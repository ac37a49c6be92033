use super::*;
use crate::analysis::Business;
use crate::api::gated_release::BusinessMetric;
use crate::api::release_record::Trigger;
use rstest::rstest;

fn contract_of(change: u8) -> RollbackContract {
    let business: BusinessMetric =
        serde_json::from_value(serde_json::json!({"name": "checkouts", "query": "q", "changePercent": change}))
            .unwrap();
    RollbackContract { business: Some(business), ..contract() }
}

fn counted(new: f64, base: f64) -> Option<Business> {
    Some(Business { candidate: Evidence::Value(new), base: Evidence::Value(base) })
}

/// Both versions answered 10,000 requests; stable made 4,000 checkouts of them, and 10 % more or less is allowed
/// (`003_…`, module 5).
#[rstest]
#[case::alike(4_000.0, "Pass")]
#[case::at_the_limit(3_600.0, "Pass")]
#[case::just_below_is_noise(3_550.0, "Pass")]
#[case::seventeen_percent_down(3_300.0, "BusinessMetric")]
#[case::none_at_all(0.0, "BusinessMetric")]
#[case::twenty_percent_up(4_800.0, "BusinessMetric")]
#[case::just_above_is_noise(4_450.0, "Pass")]
fn ten_percent_are_allowed(#[case] checkouts: f64, #[case] expected: &str) {
    let both = arm(10_000.0, 0.0, 0.2);
    let seen = Observation { candidate: both.clone(), base: both, business: counted(checkouts, 4_000.0), ..good() };
    match verdict_under(&contract_of(10), None, &seen) {
        Verdict::Pass(figures) => {
            assert_eq!("Pass", expected);
            assert!(figures.contains("checkouts: "), "{figures}");
        }
        Verdict::Fail(breach) => assert_eq!(breach.trigger.as_str(), expected, "{breach}"),
        Verdict::NotYet(why) => panic!("{why}"),
    }
}

#[test]
fn a_breach_names_both_versions() {
    let both = arm(10_000.0, 0.0, 0.2);
    let seen = Observation { candidate: both.clone(), base: both, business: counted(3_300.0, 4_000.0), ..good() };
    let Verdict::Fail(breach) = verdict_under(&contract_of(10), None, &seen) else { panic!() };
    assert_eq!(breach.trigger, Trigger::BusinessMetric);
    assert_eq!(
        (breach.value.as_str(), breach.threshold.as_str()),
        ("checkouts 17.5 % below stable's", "10 % below stable's")
    );
    assert_eq!(
        breach.sentence,
        "checkouts: 3,300 in 10,000 requests, stable 4,000 in 10,000: 17.5 % below stable's, limit 10 %"
    );
}

#[rstest]
#[case::five_orders(60.0, 0.0, 5.0)]
#[case::none_at_either(5_000.0, 0.0, 0.0)]
#[case::one_at_the_new_version(5_000.0, 1.0, 0.0)]
fn few_events_hold_nothing(#[case] requests: f64, #[case] new: f64, #[case] base: f64) {
    let both = arm(requests, 0.0, 0.2);
    let seen = Observation { candidate: both.clone(), base: both, business: counted(new, base), ..good() };
    assert!(matches!(verdict_under(&contract_of(10), None, &seen), Verdict::Pass(_)));
}

#[test]
fn absence_holds() {
    let none = Some(Business { candidate: Evidence::NoData("no series".into()), base: Evidence::Value(3.0) });
    for business in [None, none] {
        let seen = Observation { business, ..good() };
        let verdict = verdict_under(&contract_of(10), None, &seen);
        assert!(matches!(verdict, Verdict::NotYet(NotYet::NoData(_))), "{verdict:?}");
    }
    let nan = Some(Business { candidate: Evidence::Value(f64::NAN), base: Evidence::Value(3.0) });
    let verdict = verdict_under(&contract_of(10), None, &Observation { business: nan, ..good() });
    assert!(matches!(verdict, Verdict::NotYet(NotYet::Invalid(_))), "{verdict:?}");
}

#[test]
fn where_stable_has_no_traffic_there_is_nothing_to_compare_with() {
    let seen = Observation { base: silent(), business: counted(10.0, 0.0), ..good() };
    let Verdict::Pass(figures) = verdict_under(&contract_of(10), Some(0.2), &seen) else { panic!() };
    assert!(figures.contains("checkouts: stable has no traffic to compare with"), "{figures}");
}
