//! Burn rates over two windows each.

use rstest::rstest;

use crate::api::{Percent, Span};
use crate::policy::SliCount;
use crate::policy::burn::{BurnLevel, Pace, Paces, Rate, pace, paces, present, rate};

#[rstest]
#[case::exactly_its_window(99.5, 5.0, 1_000.0, Some(1.0))]
#[case::an_outage(99.9, 1_000.0, 1_000.0, Some(1_000.0))]
#[case::extrapolated_beyond_all(99.0, 1_010.0, 1_000.0, Some(100.0))]
#[case::calm(99.9, 0.0, 1_000.0, Some(0.0))]
#[case::no_requests(99.9, 0.0, 0.0, Some(0.0))]
#[case::no_number(99.9, f64::NAN, 10.0, None)]
#[case::no_number_of_requests(99.9, 1.0, f64::INFINITY, None)]
#[case::below_nothing(99.9, -1.0, 10.0, None)]
#[case::requests_below_nothing(99.9, 0.0, -10.0, None)]
#[case::an_objective_without_a_budget(100.0, 1.0, 10.0, Some(0.0))]
fn a_rate_is_how_many_times_too_fast(
    #[case] objective: f64,
    #[case] bad: f64,
    #[case] total: f64,
    #[case] wanted: Option<f64>,
) {
    let found = rate(Percent::new(objective).unwrap(), SliCount { bad, total });
    assert_eq!(found.ok().map(|rate| (rate * 1e6).round() / 1e6), wanted);
}

const WINDOWS: [Span; 7] =
    [Span::minutes(5), Span::minutes(30), Span::hours(1), Span::hours(2), Span::hours(6), Span::days(1), Span::days(3)];

/// What is known of the windows of 5m, 30m, 1h, 2h, 6h, 1d and 3d; none is not asked for.
struct Rates([Option<Rate>; 7]);

impl Rates {
    fn of(&self, window: Span) -> Option<&Rate> {
        self.0[WINDOWS.iter().position(|one| *one == window)?].as_ref()
    }
}

fn rates(all: [f64; 7]) -> Rates {
    Rates(all.map(|rate| Some(Ok(rate))))
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
    let rates = rates(all);
    let found = paces(|window| rates.of(window));
    assert_eq!(found.gravest().map(|found| (found.pair.factor, found.pair.level)), wanted);
}

/// What came of 5m and 1h, and of 30m and 6h.
#[rstest]
#[case::both_away([Err(()), Err(()), Err(()), Err(())], None)]
#[case::the_short_one_away([Err(()), Ok(20.0), Ok(0.0), Ok(0.0)], None)]
#[case::the_long_one_away([Ok(20.0), Err(()), Ok(0.0), Ok(0.0)], None)]
#[case::the_short_one_away_and_the_long_one_calm([Err(()), Ok(1.0), Ok(0.0), Ok(0.0)], Some(None))]
#[case::the_long_one_away_and_the_short_one_calm([Ok(1.0), Err(()), Ok(0.0), Ok(0.0)], Some(None))]
#[case::a_lesser_pair_burns([Err(()), Err(()), Ok(7.0), Ok(7.0)], Some(Some(6.0)))]
#[case::a_graver_pair_burns([Ok(20.0), Ok(20.0), Err(()), Err(())], Some(Some(14.4)))]
#[case::a_graver_pair_is_calm([Ok(0.0), Ok(0.0), Err(()), Err(())], None)]
fn what_is_not_known_is_neither_calm_nor_a_burn(
    #[case] all: [Result<f64, ()>; 4],
    #[case] wanted: Option<Option<f64>>,
) {
    let [short, long, less_short, less_long] = all.map(|rate| Some(rate.map_err(|()| "away".to_owned())));
    let rates = Rates([short, less_short, long, None, less_long, None, None]);
    let found = match pace(BurnLevel::Page, |window| rates.of(window)) {
        Pace::Calm => Some(None),
        Pace::Burns(burn) => Some(Some(burn.pair.factor)),
        Pace::NotKnown(why) => {
            assert_eq!(why, "away");
            None
        }
    };
    assert_eq!(found, wanted);
}

#[test]
fn windows_without_figures_burn_nothing() {
    assert_eq!(paces(|_| None), Paces::CALM);
    let away: Rate = Err("away".to_owned());
    assert_eq!(paces(|window| (window == Span::hours(1)).then_some(&away)), Paces::CALM);
}

#[test]
fn a_burn_says_its_windows() {
    let rates = rates([20.0, 20.0, 20.52, 0.0, 0.0, 0.0, 0.0]);
    let found = paces(|window| rates.of(window)).gravest().copied().unwrap();
    assert_eq!(found.to_string(), "burns 20.5 times too fast over 1h and still over 5m (14.4 calls somebody)");
    assert_eq!(
        found.pair.to_string(),
        "burns more than 14.4 times too fast over 1h and still over 5m, which calls somebody"
    );
}

/// The rate of now, over so long, and what it is compared with.
#[rstest]
#[case::calm([0.1, 0.1, 0.1, 0.1, 0.4, 0.3, 0.2], (0.4, Span::hours(6), Some((0.2, Span::days(3)))))]
#[case::an_hour([20.0, 20.0, 20.0, 9.0, 4.0, 1.0, 0.3], (20.0, Span::hours(1), Some((4.0, Span::hours(6)))))]
#[case::six_hours([7.0, 7.0, 7.0, 7.0, 7.0, 2.0, 0.7], (7.0, Span::hours(6), Some((0.7, Span::days(3)))))]
#[case::a_day([4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 1.4], (4.0, Span::days(1), Some((0.58, Span::days(30)))))]
#[case::three_days([1.5; 7], (1.5, Span::days(3), Some((0.58, Span::days(30)))))]
fn the_present_rate_is_that_of_the_gravest_burn_or_of_six_hours(
    #[case] all: [f64; 7],
    #[case] wanted: (f64, Span, Option<(f64, Span)>),
) {
    let rates = rates(all);
    let found = present(|window| rates.of(window), 0.58, Span::days(30)).unwrap();
    assert_eq!((found.rate, found.over, found.longer), wanted);
}

#[test]
fn a_present_rate_that_is_not_known_is_none() {
    assert_eq!(present(|_| None, 0.5, Span::days(30)), None);
    let away: Rate = Err("away".to_owned());
    assert_eq!(present(|_| Some(&away), 0.5, Span::days(30)), None);
    let known: Rate = Ok(0.5);
    let six_hours_alone = |window| (window == Span::hours(6)).then_some(&known);
    assert_eq!(present(six_hours_alone, 0.5, Span::days(30)).unwrap().longer, None);
    assert_eq!(present(six_hours_alone, 0.5, Span::hours(1)), None, "an objective of an hour");
}
