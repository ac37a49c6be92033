use crate::api::risk_budget::Freeze;
use crate::api::{BudgetStatus, Percent, Span, Time};
use crate::policy::budget::*;
use proptest::prelude::*;
use rstest::rstest;

const MONTH: Span = Span::days(30);

fn percent(number: f64) -> Percent {
    Percent::new(number).unwrap()
}

fn left(objective: f64, bad: f64, total: f64) -> Option<f64> {
    remaining(percent(objective), SliCount { bad, total }).map(Remaining::rounded)
}

fn status_at(percent: f64) -> BudgetStatus {
    budget_status(Remaining::from_percent(percent).unwrap())
}

/// `001_…`, Error Budget Calculation: the four interpretations, and the example, whose figures are swapped: at an
/// objective of 99.5 % and 99.7 % actual, 0.3 of the 0.5 points are used. Its own formula gives 60 % used and 40 %
/// left, which is Warning; it prints 40 % used, 60 % left, "Healthy". The formula holds, and is the stricter.
#[rstest]
#[case::example_99_7_printed_60_exactly_40(99.5, 300.0, 100_000.0, 40.0)]
#[case::what_the_example_prints_is_99_8(99.5, 200.0, 100_000.0, 60.0)]
#[case::no_failures(99.5, 0.0, 100_000.0, 100.0)]
#[case::half_of_the_allowed(99.5, 250.0, 100_000.0, 50.0)]
#[case::breached(99.5, 500.0, 100_000.0, 0.0)]
#[case::over_budget(99.5, 1_000.0, 100_000.0, -100.0)]
#[case::latency_2_percent_slow(95.0, 2_000.0, 100_000.0, 60.0)]
#[case::everything_failed(99.5, 100_000.0, 100_000.0, -19_900.0)]
#[case::extrapolated_apart(99.5, 100_001.5, 100_000.0, -19_900.0)]
#[case::strict_objective(99.999, 1.0, 1_000_000.0, 90.0)]
fn what_is_left(#[case] objective: f64, #[case] bad: f64, #[case] total: f64, #[case] expected: f64) {
    assert_eq!(left(objective, bad, total), Some(expected));
}

#[rstest]
#[case::no_events(99.5, 0.0, 0.0)]
#[case::negative_total(99.5, 0.0, -1.0)]
#[case::negative_bad(99.5, -1.0, 10.0)]
#[case::negative_however_little(99.5, -1e-300, 10.0)]
#[case::nan_bad(99.5, f64::NAN, 10.0)]
#[case::nan_total(99.5, 0.0, f64::NAN)]
#[case::infinite_total(99.5, 0.0, f64::INFINITY)]
#[case::no_budget_at_all(100.0, 0.0, 10.0)]
fn nothing_can_be_said(#[case] objective: f64, #[case] bad: f64, #[case] total: f64) {
    assert_eq!(left(objective, bad, total), None);
}

/// `001_…`, Error Budget Thresholds, and the figures of its example messages (72, 42, 18, 7).
#[rstest]
#[case(100.0, BudgetStatus::Healthy)]
#[case(72.0, BudgetStatus::Healthy)]
#[case(60.0, BudgetStatus::Healthy)]
#[case::the_example_99_7(40.0, BudgetStatus::Warning)]
#[case(50.1, BudgetStatus::Healthy)]
#[case::shown_as_50(50.04, BudgetStatus::Warning)]
#[case::boundary_stricter(50.0, BudgetStatus::Warning)]
#[case(42.0, BudgetStatus::Warning)]
#[case(30.1, BudgetStatus::Warning)]
#[case::boundary_stricter(30.0, BudgetStatus::Critical)]
#[case(29.96, BudgetStatus::Critical)]
#[case(18.0, BudgetStatus::Critical)]
#[case(10.1, BudgetStatus::Critical)]
#[case::boundary_stricter(10.0, BudgetStatus::Emergency)]
#[case(7.0, BudgetStatus::Emergency)]
#[case::the_text_says_critical_the_table_emergency(0.0, BudgetStatus::Emergency)]
#[case::overspent(-250.0, BudgetStatus::Emergency)]
fn a_remainder_has_a_status(#[case] percent: f64, #[case] expected: BudgetStatus) {
    assert_eq!(status_at(percent), expected);
}

/// A ratio of exactly half the budget is not exact in binary: it must not tip over to Healthy.
#[test]
fn half_of_the_budget_is_warning_whatever_the_floats_say() {
    for (objective, bad) in [(99.5, 25.0), (99.9, 5.0), (99.7, 15.0), (95.0, 250.0), (99.3, 35.0)] {
        let left = remaining(percent(objective), SliCount { bad, total: 10_000.0 }).unwrap();
        assert_eq!(budget_status(left), BudgetStatus::Warning, "{objective}: {}", left.percent());
    }
}

/// `001_…`, Error Budget Fundamentals and Appendix A, example 1.
#[rstest]
#[case::monthly(MONTH, Span::minutes(216))]
#[case::the_same_in_hours(MONTH, Span::minutes(3 * 60 + 36))]
#[case::daily_7_2_minutes(Span::days(1), Span::seconds(432))]
fn allowed_downtime_at_99_5(#[case] window: Span, #[case] expected: Span) {
    assert_eq!(allowed_bad_time(percent(99.5), window), expected);
}

/// `001_…`, Appendix A, example 2: 1,000 requests a minute are 43.2 million in 30 days.
#[test]
fn allowed_slow_requests_at_95() {
    assert_eq!(allowed_bad_events(percent(95.0), 1_000.0 * 43_200.0), 2_160_000.0);
}

/// `001_…`, Appendix A, incident impact. The document prints these to one decimal, the first latency figure to two.
#[rstest]
#[case::outage_8m(99.5, Span::minutes(8), 100.0, 3.7, 10.0)]
#[case::outage_30m(99.5, Span::minutes(30), 100.0, 13.9, 10.0)]
#[case::outage_2h(99.5, Span::hours(2), 100.0, 55.6, 10.0)]
#[case::slow_10m_printed_0_05_exactly_0_0463(95.0, Span::minutes(10), 10.0, 0.05, 100.0)]
#[case::slow_1h_half(95.0, Span::hours(1), 50.0, 1.4, 10.0)]
#[case::slow_1d_tenth(95.0, Span::days(1), 10.0, 6.7, 10.0)]
fn what_an_incident_costs(
    #[case] objective: f64,
    #[case] lasting: Span,
    #[case] bad_share: f64,
    #[case] printed: f64,
    #[case] precision: f64,
) {
    let cost = cost_percent(percent(objective), MONTH, lasting, percent(bad_share)).unwrap();
    assert_eq!((cost * precision).round() / precision, printed, "{cost}");
}

/// `001_…`, Emergency, example message: its incident costs do not follow from its own arithmetic, so they are not held.
#[rstest]
#[case::high_error_rate_12_percent_18m(Span::minutes(18), 12.0, 4.0, 1.0)]
#[case::service_down_8m(Span::minutes(8), 100.0, 6.0, 3.7)]
fn the_example_message_prints_other_costs(
    #[case] lasting: Span,
    #[case] bad_share: f64,
    #[case] printed: f64,
    #[case] computed: f64,
) {
    let cost = cost_percent(percent(99.5), MONTH, lasting, percent(bad_share)).unwrap();
    assert_eq!((cost * 10.0).round() / 10.0, computed);
    assert_ne!(computed, printed);
}

#[test]
fn the_worst_objective_decides_and_the_first_of_equals() {
    let at = |percent| Remaining::from_percent(percent).unwrap();
    let all = [("availability", at(72.0)), ("latency", at(-3.0)), ("checkout", at(-3.0))];
    assert_eq!(worst(&all), Some(("latency", at(-3.0))));
    assert_eq!(worst(&[]), None);
}

#[rstest]
#[case::without_end(BudgetStatus::Critical, None, BudgetStatus::Critical)]
#[case::still_on(BudgetStatus::Critical, Some("2026-11-21T12:00:01Z"), BudgetStatus::Critical)]
#[case::just_over(BudgetStatus::Critical, Some("2026-11-21T12:00:00Z"), BudgetStatus::Warning)]
#[case::milder_than_measured(BudgetStatus::Healthy, None, BudgetStatus::Warning)]
fn a_declared_freeze_is_the_least(
    #[case] declared: BudgetStatus,
    #[case] until: Option<&str>,
    #[case] expected: BudgetStatus,
) {
    let at = |text: &str| Time(text.parse().unwrap());
    let freeze = Freeze { status: declared, reason: "Black Friday".to_owned(), until: until.map(at) };
    assert_eq!(with_freeze(BudgetStatus::Warning, Some(&freeze), at("2026-11-21T12:00:00Z")), expected);
    assert_eq!(with_freeze(BudgetStatus::Warning, None, at("2026-11-21T12:00:00Z")), BudgetStatus::Warning);
}

#[test]
fn an_untouched_or_spent_budget_reads_without_a_stray_sign() {
    let read = |percent| Remaining::from_percent(percent).unwrap().to_string();
    assert_eq!([read(100.0), read(-0.01), read(42.46), read(-3.0)], ["100 %", "0 %", "42.5 %", "-3 %"]);
}

#[rstest]
#[case::untouched(100.0, true)]
#[case::overspent(-250.0, true)]
#[case::more_than_there_is(100.1, false)]
#[case::no_number(f64::NAN, false)]
#[case::without_end(f64::INFINITY, false)]
#[case::overspent_without_end(f64::NEG_INFINITY, false)]
fn a_figure_that_was_kept_is_read_where_it_can_be_one(#[case] percent: f64, #[case] accepted: bool) {
    assert_eq!(Remaining::from_percent(percent).is_some(), accepted);
}

#[rstest]
#[case::no_budget(100.0, MONTH)]
#[case::no_window(99.5, Span::ZERO)]
fn an_incident_costs_no_share_of_nothing(#[case] objective: f64, #[case] window: Span) {
    assert_eq!(cost_percent(percent(objective), window, Span::minutes(8), percent(100.0)), None);
}

proptest! {
    #[test]
    fn more_bad_events_never_better_the_status(
        objective in 1.0..99.999_f64, total in 1.0..1e9_f64, one in 0.0..1.0_f64, other in 0.0..1.0_f64,
    ) {
        let status = |share: f64| remaining(percent(objective), SliCount { bad: total * share, total }).map(budget_status);
        prop_assert!(status(one.min(other)) <= status(one.max(other)));
    }

    #[test]
    fn rounding_never_betters_the_status(left in -200.0..100.0_f64) {
        let unrounded = match left {
            l if l > 50.0 => BudgetStatus::Healthy,
            l if l > 30.0 => BudgetStatus::Warning,
            l if l > 10.0 => BudgetStatus::Critical,
            _ => BudgetStatus::Emergency,
        };
        prop_assert!(status_at(left) >= unrounded);
    }
}
