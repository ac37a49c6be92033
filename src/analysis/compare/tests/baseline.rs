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
    assert_eq!(found.worst_rate, Some(Percent::whole(60)));
}

#[test]
fn the_worst_hour_stands_for_stable() {
    let mut history = repeated(&[1.0], 1_440);
    history[600..660].fill(Some(counts((1_000.0, 20.0))));
    assert_eq!(Baseline::of(&history).worst_rate, Some(Percent::whole(2)));
    assert_eq!(Baseline::of(&[None, None]).worst_rate, None);
}
