//! Stable's last day.

use super::*;
use rstest::rstest;

/// So many intervals of 1,000 requests with these bad ones, over and over.
fn repeated(bad: &[f64], intervals: usize) -> Vec<Option<Counts>> {
    bad.iter().cycle().take(intervals).map(|bad| Some(counts((1_000.0, *bad)))).collect()
}

fn phi(history: &[Option<Counts>]) -> f64 {
    Baseline::of(history).overdispersion.get()
}

/// How many clumps come when `mean` are expected (Knuth's product of uniform numbers).
fn poisson(random: &mut fastrand::Rng, mean: f64) -> f64 {
    let (mut left, mut number) = (random.f64(), 0.0);
    while left > (-mean).exp() {
        left *= random.f64();
        number += 1.0;
    }
    number
}

/// A day of minutes in which errors come in clumps of `clump`, `mean` errors a minute times what the hour makes of it.
fn day(mean: f64, clump: f64, hour: impl Fn(f64) -> f64) -> Vec<Option<Counts>> {
    let mut random = fastrand::Rng::with_seed(11);
    (0..1_440)
        .map(|minute| {
            let times = hour(f64::from(minute) / 60.0);
            let bad = clump * poisson(&mut random, mean * times / clump);
            Some(counts((10_000.0 * times, bad)))
        })
        .collect()
}

#[rstest]
#[case::by_themselves(5.0, 1.0, 0.9..1.3)]
#[case::by_themselves_and_many(50.0, 1.0, 0.9..1.2)]
#[case::in_fives(20.0, 5.0, 4.0..6.0)]
#[case::in_fives_and_few(0.3, 5.0, 4.0..6.0)]
#[case::in_twenties(40.0, 20.0, 15.0..25.0)]
fn what_was_put_in_is_found(#[case] mean: f64, #[case] clump: f64, #[case] expected: std::ops::Range<f64>) {
    let found = phi(&day(mean, clump, |_| 1.0));
    assert!(expected.contains(&found), "{found}");
}

/// Noon has ten times the traffic of the night, and both versions have their noon at once.
#[test]
fn the_hour_of_the_day_is_no_noise() {
    let found = phi(&day(20.0, 1.0, |hour| 1.0 - 0.82 * (hour / 24.0 * std::f64::consts::TAU).cos()));
    assert!((0.9..1.3).contains(&found), "{found}");
}

#[rstest]
#[case::nothing_known(vec![], 5.0)]
#[case::one_interval(repeated(&[10.0], 1), 5.0)]
#[case::all_missing(vec![None; 100], 5.0)]
#[case::no_traffic(vec![Some(Counts::NONE); 100], 5.0)]
#[case::no_errors(repeated(&[0.0], 1_440), 5.0)]
// (25 · 5 + 25) / (25 + 25): each error stands in two pairs but at the ends.
#[case::few_errors(repeated(&[0.0, 0.0, 0.0, 1.0, 0.0], 64), 3.0)]
#[case::always_the_same(repeated(&[10.0], 1_440), 1.0)]
// 20² / 40 = 10 for each pair of 10 and 30.
#[case::up_and_down(repeated(&[10.0, 30.0], 1_440), 10.0)]
#[case::every_other_missing(
    repeated(&[10.0, 30.0], 1_440).into_iter().enumerate().map(|(i, one)| one.filter(|_| i % 2 == 0)).collect(), 5.0)]
#[case::beyond_all_bounds(repeated(&[0.0, 1_000.0], 1_440), 200.0)]
fn table(#[case] history: Vec<Option<Counts>>, #[case] expected: f64) {
    assert_eq!(phi(&history), expected);
}

/// An incident of ten minutes begins and ends for both versions at once; a minute full of errors may be anybody's.
#[rstest]
#[case::ten_minutes(10, 1.0..1.5)]
#[case::three_minutes(3, 1.0..1.5)]
#[case::two_minutes(2, 2.0..20.0)]
#[case::one_minute(1, 2.0..20.0)]
fn an_incident(#[case] minutes: usize, #[case] expected: std::ops::Range<f64>) {
    let mut history = repeated(&[9.0, 11.0, 10.0], 600);
    for minute in &mut history[300..300 + minutes] {
        *minute = Some(counts((1_000.0, 300.0)));
    }
    let found = phi(&history);
    assert!(expected.contains(&found), "{found}");
}

#[rstest]
#[case(f64::NAN, 200.0)]
#[case(0.0, 1.0)]
#[case(1e9, 200.0)]
#[case(4.567_8, 4.57)]
fn overdispersion_is_brought_into_range(#[case] value: f64, #[case] expected: f64) {
    assert_eq!(Overdispersion::from(value).get(), expected);
}

#[test]
fn huge_counts_are_no_reason_to_panic() {
    let history: Vec<_> = (0..100).map(|i| Some(counts((1e15, if i % 2 == 0 { 1e15 } else { 1.0 })))).collect();
    let found = Baseline::of(&history);
    assert_eq!(found.overdispersion.get(), 200.0);
    assert_eq!(found.hours, Some(Hours { worst: Percent::whole(60), usual: Percent::whole(60) }));
}

/// A day of minutes, 24 hours of so many requests each with so many bad ones, first those of `others`, by their hour.
fn hours(usual: (f64, f64), others: &[(std::ops::Range<usize>, (f64, f64))]) -> Vec<Option<Counts>> {
    let of = |hour: usize| others.iter().find(|(range, _)| range.contains(&hour)).map_or(usual, |(_, other)| *other);
    // All in the first minute of the hour, where there are fewer than a minute each.
    let minute = |at: usize| match of(at / 60) {
        (requests, bad) if requests >= 60.0 => (requests / 60.0, bad / 60.0),
        whole if at.is_multiple_of(60) => whole,
        _ => (0.0, 0.0),
    };
    (0..1_440).map(|at| Some(counts(minute(at)))).collect()
}

/// What stands for stable where it has no traffic; 99.5 % promised.
#[rstest]
#[case::worst_hour_within_the_objective(hours((60_000.0, 60.0), &[(10..11, (60_000.0, 240.0))]), Some(0.4))]
#[case::never_a_bad_request(hours((60_000.0, 0.0), &[]), Some(0.0))]
#[case::a_thin_hour(hours((60_000.0, 60.0), &[(3..4, (3.0, 1.0))]), Some(0.101_662))]
#[case::a_thin_last_hour(hours((60_000.0, 60.0), &[(23..24, (3.0, 1.0))]), Some(0.101_662))]
#[case::a_thin_night(hours((60_000.0, 60.0), &[(0..6, (3.0, 1.0))]), Some(0.109_967))]
#[case::an_outage_of_an_hour(hours((60_000.0, 60.0), &[(10..11, (60_000.0, 36_000.0))]), Some(0.5))]
#[case::an_outage_of_five_hours(hours((60_000.0, 60.0), &[(10..15, (60_000.0, 36_000.0))]), Some(0.5))]
#[case::always_noisy(hours((60_000.0, 1_200.0), &[(10..11, (60_000.0, 1_500.0))]), Some(2.0))]
#[case::always_noisy_and_an_outage(hours((60_000.0, 1_200.0), &[(10..11, (60_000.0, 36_000.0))]), Some(2.0))]
#[case::rushed_for_eight_hours_a_day(hours((60_000.0, 60.0), &[(9..17, (60_000.0, 1_200.0))]), Some(2.0))]
#[case::a_request_each_six_minutes(hours((10.0, 0.0), &[(3..4, (10.0, 1.0))]), Some(0.5))]
#[case::fewer_in_all_than_tell_anything(hours((4.0, 1.0), &[]), None)]
#[case::three_requests_in_all(hours((0.0, 0.0), &[(3..4, (3.0, 1.0))]), None)]
#[case::no_traffic(vec![Some(Counts::NONE); 1_440], None)]
#[case::nothing_known(vec![None; 1_440], None)]
#[case::no_history(vec![], None)]
fn what_stands_for_stable(#[case] history: Vec<Option<Counts>>, #[case] expected: Option<f64>) {
    let baseline = Baseline::of(&history);
    let promised = Percent::new(99.5).unwrap();
    let setup = Setup::new(Some(&baseline), promised, Percent::whole(1), Span::hours(1), Span::minutes(1));
    assert_eq!(setup.base_rate.map(Percent::get), expected, "{baseline:?}");
}
