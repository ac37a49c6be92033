//! After the plan: a hold may outlast it many times.

use super::*;
use crate::analysis::compare::wealth::{Bet, Wealth, set_aside};
use fastrand::Rng;
use proptest::prelude::*;
use rstest::rstest;

/// An hour planned, at an interval a minute.
const PLANNED: usize = 60;

/// How many of `n` requests are bad, each with this chance; by the normal distribution where they are many.
fn draw(random: &mut Rng, n: f64, rate: f64) -> f64 {
    let variance = n * rate * (1.0 - rate);
    if variance < 30.0 {
        return (0..n as u64).map(|_| f64::from(u8::from(random.f64() < rate))).sum();
    }
    let normal = (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (random.f64() * std::f64::consts::TAU).cos();
    (n * rate + normal * variance.sqrt()).round().clamp(0.0, n)
}

/// A minute at so many requests of the new version and of stable, with these shares of bad ones.
fn drawn(random: &mut Rng, index: usize, (new, base): (f64, f64), (p_new, p_base): (f64, f64)) -> Interval {
    minute(index, (new, draw(random, new, p_new)), (base, draw(random, base, p_base)))
}

/// All that is ever bet and all that still waits is the stake of 1, at any time: more would be more chances to win by luck.
#[rstest]
fn the_stake_is_one_however_long_it_takes(#[values(1, 2, 60, 10_000)] planned: u32) {
    let horizon = Horizon::from(planned);
    for bet in [Bet::Worse, Bet::NotWorse] {
        let mut bets = 0.0;
        for index in 0..100_000 {
            let share = bet.begins_at(index, horizon);
            assert!(share > 0.0, "nothing is bet in interval {index}");
            bets += share;
            let all = bets + bet.not_begun(index + 1, horizon) + set_aside(index + 1, horizon);
            assert!((all - 1.0).abs() < 1e-9, "{bet:?}, {planned} planned, after {index}: {all}");
        }
    }
}

proptest! {
    /// Equal content decides nothing for the future: whatever came before, there is always something left to bet.
    #[test]
    fn what_came_before_takes_nothing_from_what_is_set_aside(
        before in proptest::collection::vec((1..4_000_u32, 0.0..0.3_f64, 1..40_000_u32, 0.0..0.3_f64), 1..200),
    ) {
        let game = Setup { horizon: Horizon::from(20), ..setup() }.game(Bet::Worse);
        let mut wealth = Wealth::default();
        for (index, (nc, c, ns, s)) in before.iter().enumerate() {
            let counted = u32::try_from(index).unwrap();
            let (nc, ns) = (f64::from(*nc), f64::from(*ns));
            wealth = wealth.after(&game, counted, &minute(index, (nc, (nc * c).round()), (ns, (ns * s).round())));
            prop_assert!(wealth.ln(&game, counted + 1) >= set_aside(counted + 1, game.horizon).ln());
        }
    }
}

/// Twenty plans long, and looked at every minute of it: of versions at the very edge of what is called equal, and of such as are too bad by
/// a hair, at most a hundredth is called what it is not.
#[rstest]
#[case::little_traffic((60.0, 540.0), 0.02)]
#[case::some((600.0, 5_400.0), 0.001)]
#[case::much((30_000.0, 30_000.0), 0.02)]
fn the_promise_holds_beyond_the_plan(#[case] traffic: (f64, f64), #[case] base: f64) {
    let mut random = Rng::with_seed(23);
    let setup = Setup { horizon: Horizon::from(20), ..setup() };
    for (slack, wrong) in [(setup.slack, "Worse"), (setup.tolerance, "NotWorse")] {
        let rate = FACTOR * base + slack.ratio();
        let told = (0..300).filter(|_| {
            let mut tally = Tally::default();
            (0..400).any(|index| {
                let _ = tally.count(&setup, &drawn(&mut random, index, traffic, (rate, base)));
                word(&tally.finding(&setup, &Signal::Errors)) == wrong
            })
        });
        let told = told.count();
        assert!(told <= 3, "{told} of 300 called {wrong} at {rate}");
    }
}

/// How many minutes it takes until a version that turns bad after so many plans is called worse.
fn noticed(plans: usize, traffic: (f64, f64), (bad, base): (f64, f64), before: Option<Interval>) -> usize {
    let mut random = Rng::with_seed(5);
    let setup = setup();
    let mut tally = Tally::default();
    for index in 0..plans * PLANNED {
        let good = drawn(&mut random, index, traffic, (base, base));
        let _ = tally.count(&setup, &before.filter(|other| other.end == good.end).unwrap_or(good));
    }
    assert_ne!(word(&tally.finding(&setup, &Signal::Errors)), "Worse");
    let onset = plans * PLANNED;
    let found = (onset..onset + 300).position(|index| {
        let _ = tally.count(&setup, &drawn(&mut random, index, traffic, (bad, base)));
        word(&tally.finding(&setup, &Signal::Errors)) == "Worse"
    });
    let since = tally.since.unwrap_or(end(0));
    assert!(since >= end(onset - 10), "bad since {since:?}, which is long before it was");
    found.map_or(usize::MAX, |index| index + 1)
}

#[rstest]
#[case::one_plan(1, (300.0, 5_700.0), (0.05, 0.001), 5)]
#[case::three(3, (300.0, 5_700.0), (0.05, 0.001), 5)]
#[case::a_day(24, (300.0, 5_700.0), (0.05, 0.001), 6)]
#[case::a_week(168, (300.0, 5_700.0), (0.05, 0.001), 8)]
#[case::slowly(3, (300.0, 5_700.0), (0.01, 0.001), 25)]
#[case::little_traffic(3, (30.0, 570.0), (0.05, 0.001), 15)]
#[case::half_of_much_traffic(3, (30_000.0, 30_000.0), (0.05, 0.001), 5)]
#[case::both_bad_before(3, (30_000.0, 30_000.0), (0.15, 0.05), 5)]
fn one_that_turns_bad_after_the_plan_is_noticed(
    #[case] plans: usize,
    #[case] traffic: (f64, f64),
    #[case] rates: (f64, f64),
    #[case] most: usize,
) {
    let minutes = noticed(plans, traffic, rates, None);
    assert!(minutes <= most, "{minutes} minutes after {plans} plans");
}

/// Stable alone had an incident, or the new version did for a minute that was too short to decide.
#[rstest]
#[case::of_stable((3_000.0, 3.0), (3_000.0, 2_000.0))]
#[case::of_the_new_version((3_000.0, 2_000.0), (3_000.0, 3.0))]
fn one_minute_that_says_much_makes_it_blind_to_nothing_later(
    #[case] candidate: (f64, f64),
    #[case] base: (f64, f64),
    #[values(30, 59, 60, 90)] at: usize,
) {
    let minutes = noticed(3, (3_000.0, 3_000.0), (0.05, 0.001), Some(minute(at, candidate, base)));
    assert!(minutes <= 5, "{minutes} minutes");
}

/// One that was bad for a while and is good again is called not worse in the end, also after the plan.
#[test]
fn one_that_turns_good_after_the_plan_is_called_not_worse() {
    let setup = setup();
    let bad = (0..PLANNED).map(|index| minute(index, (30.0, 0.7), (570.0, 6.0)));
    let mut tally = tally_of(&setup, bad);
    assert_eq!(word(&tally.finding(&setup, &Signal::Errors)), "NotYet");
    let good = (PLANNED..PLANNED + 60).position(|index| {
        let _ = tally.count(&setup, &minute(index, (300.0, 0.0), (5_700.0, 6.0)));
        word(&tally.finding(&setup, &Signal::Errors)) == "NotWorse"
    });
    assert!(good.is_some_and(|minutes| minutes < 20), "{good:?}");
}
