//! Several comparisons of one release: the once in 100 holds for all of them together.

use super::*;
use crate::analysis::compare::wealth::Bet;
use crate::analysis::course::CourseTally;
use crate::api::{ComparisonRecord, SignalRecord, SlowRecord};
use fastrand::Rng;
use proptest::prelude::*;
use rstest::rstest;

/// Stable's share of requests that failed, and that took longer than each bound, the shortest first.
const RATES: [f64; 4] = [0.01, 0.05, 0.02, 0.005];

/// By so many bounds beside errors.
fn setups(bounds: usize) -> Vec<Setup> {
    let of = |allowed: f64| {
        let allowed = Percent::new(allowed).unwrap();
        let promised = Percent::new(100.0 - allowed.get()).unwrap();
        let planned = Setup::new(None, promised, allowed, Span::hours(1), Span::minutes(1));
        Setup { overdispersion: Overdispersion::NONE, signals: Signals::errors_and(bounds), ..planned }
    };
    [0.5, 5.0, 2.0, 0.5].into_iter().take(bounds + 1).map(of).collect()
}

/// Of how many requests each signal calls so many bad, where a request that is slower than a bound is slower than the shorter ones.
fn bad(chance: &mut Rng, requests: u32, shares: &[f64]) -> Vec<f64> {
    let mut bad = vec![0.0; shares.len()];
    for _ in 0..requests {
        let (failed, slow) = (chance.f64(), chance.f64());
        for (at, (count, share)) in bad.iter_mut().zip(shares).enumerate() {
            if (if at == 0 { failed } else { slow }) < *share {
                *count += 1.0;
            }
        }
    }
    bad
}

/// How many of so many releases are called worse whose version is as bad as one that is called equal may be, in everything.
fn called_worse(releases: u32, setups: &[Setup]) -> usize {
    let mut chance = Rng::with_seed(7);
    let stable = &RATES[..setups.len()];
    let new: Vec<f64> = stable.iter().zip(setups).map(|(rate, setup)| FACTOR * rate + setup.slack.ratio()).collect();
    let mut release = || {
        let mut tallies = vec![Tally::default(); setups.len()];
        (0..40).any(|index| {
            let (candidate, base) = (bad(&mut chance, 200, &new), bad(&mut chance, 200, stable));
            tallies.iter_mut().zip(setups).enumerate().any(|(signal, (tally, setup))| {
                let _ = tally.count(setup, &minute(index, (200.0, candidate[signal]), (200.0, base[signal])));
                tally.is_worse(setup)
            })
        })
    };
    (0..releases).filter(|_| release()).count()
}

/// In whatever it is compared: each signal by itself at the very edge of what is called equal.
#[rstest]
#[case::errors_alone(0)]
#[case::one_bound(1)]
#[case::two_bounds(2)]
#[case::three_bounds(3)]
fn an_equal_version_is_called_worse_once_in_100_releases_by_all_of_them_together(#[case] bounds: usize) {
    let worse = called_worse(500, &setups(bounds));
    assert!(worse <= 5, "{worse} of 500");
}

#[rstest]
fn the_chances_of_all_of_them_come_to_the_one_that_is_promised(#[values(0, 1, 2, 3)] bounds: usize) {
    let chance = |bet: Bet| setups(bounds).iter().map(|setup| (-setup.game(bet).decided()).exp()).collect::<Vec<_>>();
    let together: f64 = chance(Bet::Worse).iter().sum();
    assert!((together - CHANCE_MAX).abs() < 1e-12, "{together}");
    // Who is worse in one of them passes only where that one is called not worse.
    assert!(chance(Bet::NotWorse).iter().all(|chance| (chance - CHANCE_MAX).abs() < 1e-12));
}

proptest! {
    /// What is called worse is as rare as its share of the promise, and never after one interval.
    #[test]
    fn nobody_is_called_worse_for_less(
        bounds in 0..4_usize,
        rows in proptest::collection::vec((1..400_u32, 0.0..0.2_f64, 1..4_000_u32, 0.0..0.1_f64), 2..40),
    ) {
        let setup = setups(bounds)[0];
        let mut tally = Tally::default();
        for (index, (nc, c, ns, s)) in rows.into_iter().enumerate() {
            let (nc, ns) = (f64::from(nc), f64::from(ns));
            let _ = tally.count(&setup, &minute(index, (nc, (nc * c).round()), (ns, (ns * s).round())));
        }
        if let Finding::Worse(figures) = tally.finding(&setup, &Signal::Errors) {
            let least = (bounds as f64 + 1.0) / CHANCE_MAX;
            prop_assert!(figures.once_in >= least * (1.0 - 1e-5), "{} of {least}", figures.once_in);
            prop_assert!(tally.intervals >= 2);
        }
    }
}

/// What a record in flight keeps with as many bounds as there may be, after as long a time.
#[test]
fn the_memory_of_three_bounds_is_small() {
    let trace = || (0..5_000).map(|index| minute(index, (123_456.7, 1.0), (2_345_678.9, 20.0)));
    let of = |setup: &Setup| SignalRecord { setup: *setup, tally: tally_of(setup, trace()) };
    let setups = setups(3);
    let slow = |(setup, bound): (&Setup, Span)| SlowRecord { slower_than: bound, signal: of(setup) };
    let bounds = [300, 1_000, 2_500].map(Span::from_millis);
    let slow = setups[1..].iter().zip(bounds).map(slow).collect();
    let mut course = CourseTally::new(Percent::whole(1));
    for interval in trace() {
        let _ = course.count(&setups[0], Percent::whole(1), (interval.end, interval.length), interval.candidate);
    }
    let record = ComparisonRecord { errors: of(&setups[0]), slow, course: Some(course) };
    let written = serde_json::to_string(&record).unwrap();
    assert!(written.len() <= 3_800, "{}: {written}", written.len());
    assert_eq!(serde_json::from_str::<ComparisonRecord>(&written).unwrap(), record);
}
