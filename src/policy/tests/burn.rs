//! Burn rates over two windows each.

use rstest::rstest;

use crate::api::{Percent, Span};
use crate::policy::SliCount;
use crate::policy::burn::{Burn, BurnLevel, burn, rate};

#[rstest]
#[case::exactly_its_window(99.5, 5.0, 1_000.0, Some(1.0))]
#[case::an_outage(99.9, 1_000.0, 1_000.0, Some(1_000.0))]
#[case::extrapolated_beyond_all(99.0, 1_010.0, 1_000.0, Some(100.0))]
#[case::calm(99.9, 0.0, 1_000.0, Some(0.0))]
#[case::no_requests(99.9, 0.0, 0.0, None)]
#[case::no_number(99.9, f64::NAN, 10.0, None)]
#[case::below_nothing(99.9, -1.0, 10.0, None)]
#[case::an_objective_without_a_budget(100.0, 1.0, 10.0, None)]
fn a_rate_is_how_many_times_too_fast(
    #[case] objective: f64,
    #[case] bad: f64,
    #[case] total: f64,
    #[case] wanted: Option<f64>,
) {
    let found = rate(Percent::new(objective).unwrap(), SliCount { bad, total });
    assert_eq!(found.map(|rate| (rate * 1e6).round() / 1e6), wanted);
}

/// Rates of 5m, 30m, 1h, 2h, 6h, 1d and 3d.
fn rates(all: [f64; 7]) -> impl Fn(Span) -> Option<f64> {
    let windows = [
        Span::minutes(5),
        Span::minutes(30),
        Span::hours(1),
        Span::hours(2),
        Span::hours(6),
        Span::days(1),
        Span::days(3),
    ];
    move |window| windows.iter().position(|one| *one == window).map(|index| all[index])
}

#[rstest]
#[case::calm([0.0; 7], None)]
#[case::an_hour([15.0, 15.0, 15.0, 7.0, 3.0, 0.5, 0.2], Some((14.4, BurnLevel::Page)))]
#[case::an_hour_that_is_over([0.0, 9.0, 15.0, 7.0, 3.0, 0.5, 0.2], None)]
#[case::five_minutes_alone([100.0, 17.0, 9.0, 4.0, 1.4, 0.4, 0.1], None)]
#[case::exactly_allowed([14.4, 6.0, 14.4, 3.0, 6.0, 3.0, 1.0], None)]
#[case::the_short_window_exactly_allowed([14.4, 6.0, 15.0, 3.0, 6.0, 3.0, 1.0], None)]
#[case::six_hours([7.0, 7.0, 7.0, 7.0, 7.0, 2.0, 0.7], Some((6.0, BurnLevel::Page)))]
#[case::a_day([4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 1.4], Some((3.0, BurnLevel::Ticket)))]
#[case::three_days([1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5], Some((1.0, BurnLevel::Ticket)))]
fn two_windows_decide(#[case] all: [f64; 7], #[case] wanted: Option<(f64, BurnLevel)>) {
    assert_eq!(burn(rates(all)).map(|found| (found.pair.factor, found.pair.level)), wanted);
}

#[test]
fn what_is_not_known_burns_nothing() {
    assert_eq!(burn(|_| None), None);
    assert_eq!(burn(|window| (window == Span::hours(1)).then_some(100.0)), None, "the short window decides as well");
}

#[test]
fn a_burn_says_its_windows() {
    let found: Burn = burn(rates([20.0, 20.0, 20.52, 0.0, 0.0, 0.0, 0.0])).unwrap();
    assert_eq!(found.to_string(), "burns 20.5 times too fast over 1h and still over 5m (14.4 calls somebody)");
}
