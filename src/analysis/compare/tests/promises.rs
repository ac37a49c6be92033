//! What must hold for every trace.

use super::*;
use crate::analysis::compare::wealth::{Bet, Game, LATER, RATIOS};
use proptest::prelude::*;
use rstest::rstest;

fn game(bet: Bet) -> Game {
    setup().game(bet)
}

/// Requests and bad ones of the new version, then of stable.
type Contents = ((f64, f64), (f64, f64));

fn content() -> impl Strategy<Value = Contents> {
    (1..400_u32, 0.0..0.2_f64, 1..4_000_u32, 0.0..0.1_f64).prop_map(|(nc, c, ns, s)| {
        let (nc, ns) = (f64::from(nc), f64::from(ns));
        ((nc, (nc * c).round()), (ns, (ns * s).round()))
    })
}

fn trace() -> impl Strategy<Value = Vec<Interval>> {
    proptest::collection::vec(content(), 1..40).prop_map(|contents| {
        contents.into_iter().enumerate().map(|(index, (candidate, base))| minute(index, candidate, base)).collect()
    })
}

fn extreme() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(1e-300),
        Just(0.4),
        Just(1.0),
        Just(3.0),
        Just(1e6),
        Just(1e15),
        0.0..1e4_f64,
        0.0..1e15_f64
    ]
}

fn extreme_interval(index: usize) -> impl Strategy<Value = Interval> {
    let base = prop_oneof![
        3 => (extreme(), extreme()).prop_map(|(n, e): (f64, f64)| Base::Measured(counts((n, e.min(n))))),
        1 => (0.0..=100.0_f64).prop_map(|rate| Base::Frozen(Percent::new(rate).unwrap())),
    ];
    (extreme(), extreme(), base).prop_map(move |(n, e, base)| Interval {
        end: end(index),
        length: Span::minutes(1),
        candidate: counts((n, e.min(n))),
        base,
    })
}

fn reread(tally: &Tally) -> Tally {
    serde_json::from_str(&serde_json::to_string(tally).unwrap()).unwrap()
}

proptest! {
    /// A controller may die after any interval: the next one reads the record and goes on as if nothing had been.
    #[test]
    fn a_restart_anywhere_changes_nothing(trace in trace(), phi in 1.0..9.0_f64) {
        let setup = Setup { overdispersion: Overdispersion::from(phi), ..setup() };
        let setup_again: Setup = serde_json::from_str(&serde_json::to_string(&setup).unwrap()).unwrap();
        prop_assert_eq!(setup, setup_again);
        let mut restarted = Tally::default();
        for interval in &trace {
            let _ = restarted.count(&setup_again, interval);
            restarted = reread(&restarted);
        }
        prop_assert_eq!(restarted, tally_of(&setup, trace));
    }

    #[test]
    fn an_interval_counts_once(trace in trace(), again in any::<prop::sample::Index>()) {
        let setup = setup();
        let mut tally = tally_of(&setup, trace.iter().copied());
        let once = tally.clone();
        let counted = tally.count(&setup, &trace[again.index(trace.len())]);
        prop_assert!(matches!(counted, Counted::Before | Counted::Decided), "{:?}", counted);
        // Whatever an older interval says now.
        let other = Interval { candidate: counts((1e6, 1e6)), ..trace[again.index(trace.len())] };
        prop_assert_ne!(tally.count(&setup, &other), Counted::New);
        prop_assert_eq!(tally, once);
    }

    /// What an interval says is what its parts say, and the bet is worth no less than if it were one: a later beginning is
    /// spread over the parts, which costs their number at most.
    #[test]
    fn splitting_an_interval(contents in proptest::collection::vec(content(), 1..20), pieces in 2..6_u32) {
        for bet in [Bet::Worse, Bet::NotWorse] {
            let whole_game = game(bet);
            let split_game = Game { horizon: Horizon::from(whole_game.horizon.get() * pieces), ..whole_game };
            let (mut whole, mut split) = (Wealth::default(), Wealth::default());
            let mut capped = false;
            for (index, (candidate, base)) in contents.iter().enumerate() {
                let counted = u32::try_from(index).unwrap();
                let part = |(n, e): (f64, f64)| (n / f64::from(pieces), e / f64::from(pieces));
                let (one, piece) = (minute(index, *candidate, *base), minute(index, part(*candidate), part(*base)));
                for m in RATIOS {
                    let (said, said_by_parts) = (whole_game.says(&one, m), whole_game.says(&piece, m) * f64::from(pieces));
                    prop_assert!((said - said_by_parts).abs() <= 1e-9 * (1.0 + said.abs()), "{said} {said_by_parts}");
                }
                let before = whole.ln_planned(&whole_game, counted);
                whole = whole.after(&whole_game, counted, &one);
                capped |= whole.ln_planned(&whole_game, counted + 1) >= before + whole_game.growth_max() - 1e-6;
                for step in 0..pieces {
                    split = split.after(&split_game, counted * pieces + step, &piece);
                }
                let (one, parts) =
                    (whole.ln(&whole_game, counted + 1), split.ln(&split_game, (counted + 1) * pieces));
                // The ceiling of the bet that it is not worse.
                capped |= bet == Bet::NotWorse && parts.max(one) >= 9.0;
                prop_assert!(capped || parts >= one - f64::from(pieces).ln() - 1e-6, "{bet:?} {index}: {parts} {one}");
            }
        }
    }

    /// Minutes of equal content may come in any order, and a bet from the start is worth the same in any order of all.
    #[test]
    fn permuting_intervals(contents in proptest::collection::vec(content(), 2..20), seed in any::<u64>()) {
        let mut shuffled = contents.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        let at = |contents: &[Contents]| -> Vec<Interval> {
            contents.iter().enumerate().map(|(index, (candidate, base))| minute(index, *candidate, *base)).collect()
        };
        let game = game(Bet::Worse);
        let from_start = |trace: &[Interval]| {
            let each = RATIOS.map(|m| trace.iter().map(|interval| game.says(interval, m)).sum::<f64>());
            let most = each.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            most + (each.iter().map(|nats| (nats - most).exp()).sum::<f64>() / RATIOS.len() as f64 * (1.0 - LATER) / 2.0).ln()
        };
        let (one, other) = (at(&contents), at(&shuffled));
        prop_assert!((from_start(&one) - from_start(&other)).abs() < 1e-6);
        for trace in [one, other] {
            let (mut wealth, mut capped) = (Wealth::default(), false);
            for (counted, interval) in (0..).zip(&trace) {
                let before = wealth.ln_planned(&game, counted);
                wealth = wealth.after(&game, counted, interval);
                capped |= wealth.ln_planned(&game, counted + 1) >= before + game.growth_max() - 1e-6;
            }
            let (worth, least) = (wealth.ln(&game, u32::try_from(trace.len()).unwrap()), from_start(&trace));
            prop_assert!(capped || worth >= least - 1e-6, "{worth} {least}");
        }
        let equal = vec![contents[0]; contents.len()];
        let mut turned = equal.clone();
        turned.reverse();
        prop_assert_eq!(tally_of(&setup(), at(&equal)), tally_of(&setup(), at(&turned)));
    }

    /// Another stage begins, at any point: the canary gets another share of the traffic. However both fail before and after it,
    /// as long as they fail alike in each interval nobody is blamed, though added up over both stages their shares of bad
    /// requests differ.
    #[test]
    fn adding_a_stage_change(
        stages in proptest::collection::vec((0.01..0.99_f64, 0.0..0.5_f64, 1..15_usize), 2..5),
        requests in 100.0..50_000.0_f64,
        kinder in 0.0..1.0_f64,
    ) {
        let setup = setup();
        let mut tally = Tally::default();
        let contents = stages.iter().flat_map(|(share, rate, intervals)| std::iter::repeat_n((*share, *rate), *intervals));
        for (index, (share, rate)) in contents.enumerate() {
            let (canary, stable) = (requests * share, requests * (1.0 - share));
            let interval = minute(index, (canary, canary * rate * kinder), (stable, stable * rate));
            for m in RATIOS {
                prop_assert!(game(Bet::Worse).says(&interval, m) <= 1e-9, "{share} {rate} {m}");
            }
            prop_assert_eq!(tally.count(&setup, &interval), Counted::New);
            prop_assert_ne!(word(&tally.finding(&setup, &Signal::Errors)), "Worse");
        }
    }

    /// So many times the traffic says so many times as much.
    #[test]
    fn scaling(content in content(), times in 0.01..1_000.0_f64) {
        let (candidate, base) = content;
        let scaled = |(n, e): (f64, f64)| (n * times, e * times);
        for bet in [Bet::Worse, Bet::NotWorse] {
            for m in RATIOS {
                let one = game(bet).says(&minute(0, candidate, base), m);
                let many = game(bet).says(&minute(0, scaled(candidate), scaled(base)), m);
                prop_assert!((many - one * times).abs() <= 1e-9 * (1.0 + many.abs()), "{one} {many}");
            }
        }
    }

    /// A bad request more speaks for worse, and against not worse.
    #[test]
    fn more_bad_requests_never_help(content in content(), more in 0.0..50.0_f64) {
        let ((nc, ec), base) = content;
        let (one, other) = (minute(0, (nc, ec), base), minute(0, (nc, (ec + more).min(nc)), base));
        for m in RATIOS {
            prop_assert!(game(Bet::Worse).says(&one, m) <= game(Bet::Worse).says(&other, m) + 1e-12);
            prop_assert!(game(Bet::NotWorse).says(&one, m) >= game(Bet::NotWorse).says(&other, m) - 1e-12);
        }
    }

    #[test]
    fn extremes(trace in (1..12_usize).prop_flat_map(|length| (0..length).map(extreme_interval).collect::<Vec<_>>())) {
        let setup = Setup { base_rate: Some(Percent::ZERO), ..setup() };
        let mut tally = Tally::default();
        for interval in trace {
            let _ = tally.count(&setup, &interval);
            tally = reread(&tally);
            for bet in [Bet::Worse, Bet::NotWorse] {
                prop_assert!(tally.ln_wealth(&setup, bet).is_finite());
            }
            let told = tally.finding(&setup, &Signal::Errors).to_string();
            prop_assert!(!told.contains("NaN") && !told.contains("inf"), "{}", told);
            let flow = Flow { candidate: interval.candidate.requests(), base: 1.0 };
            let needed = bake_time(&setup, &tally, flow, Span::minutes(1)).map(|needed| needed.to_string());
            prop_assert!(!needed.is_some_and(|told| told.contains("NaN") || told.contains("inf")));
        }
    }
}

/// The heart of it: as long as the doubt is true, no interval is worth more than 1 on average. All outcomes of small counts,
/// one by one.
#[test]
fn a_bet_on_what_is_not_so_gains_nothing() {
    let chance = |n: u32, e: u32, p: f64| {
        let ways: f64 = (0..e).map(|i| f64::from(n - i) / f64::from(i + 1)).product();
        ways * p.powi(e as i32) * (1.0 - p).powi((n - e) as i32)
    };
    for (bet, slack) in [(Bet::Worse, 0.000_5), (Bet::NotWorse, 0.01)] {
        for (nc, ns) in [(1, 1), (3, 20), (8, 8), (20, 3), (5, 0)] {
            for p in [0.0, 0.001, 0.02, 0.3, 0.7] {
                let at_doubt = (FACTOR * p + slack).min(1.0);
                for m in RATIOS {
                    let mut worth = 0.0;
                    for ec in 0..=nc {
                        for es in 0..=ns {
                            let seen = minute(0, (nc.into(), ec.into()), (ns.into(), es.into()));
                            let likely = chance(nc, ec, at_doubt) * chance(ns, es, p);
                            worth += likely * (game(bet).says(&seen, m)).exp();
                        }
                    }
                    assert!(worth <= 1.0 + 1e-9, "{bet:?} {nc} {ns} {p} {m}: {worth}");
                }
            }
        }
    }
}

/// Whatever the rate, 300 releases of a version that is as good as stable: at most a hundredth is called worse.
#[rstest]
#[case::well(0.001)]
#[case::unwell(0.02)]
#[case::both_broken(0.3)]
#[case::both_gone(1.0)]
fn failing_alike_is_not_held_against_it(#[case] rate: f64) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut draw = |n: u32| f64::from((0..n).map(|_| u32::from(random.f64() < rate)).sum::<u32>());
    let setup = setup();
    let worse = (0..300)
        .filter(|_| {
            let trace = (0..40).map(|index| minute(index, (20.0, draw(20)), (180.0, draw(180))));
            word(&tally_of(&setup, trace).finding(&setup, &Signal::Errors)) == "Worse"
        })
        .count();
    assert!(worse <= 3, "{worse} of 300");
}

/// One interval never decides, and two that say enough do.
#[test]
fn no_interval_decides_alone() {
    let setup = setup();
    let gone = |index| minute(index, (1e9, 1e9), (1e9, 0.0));
    let mut tally = tally_of(&setup, [gone(0)]);
    assert_eq!(word(&tally.finding(&setup, &Signal::Errors)), "NotYet");
    assert_eq!(tally.count(&setup, &gone(1)), Counted::New);
    assert_eq!(word(&tally.finding(&setup, &Signal::Errors)), "Worse");
    // And it stays decided, whatever comes.
    let decided = tally.clone();
    assert_eq!(tally.count(&setup, &minute(2, (1e9, 0.0), (1e9, 1e9))), Counted::Decided);
    assert_eq!(tally, decided);
}

#[test]
fn a_part_of_an_interval_is_not_counted_again() {
    let setup = setup();
    let mut tally = tally_of(&setup, [minute(0, (20.0, 0.0), (180.0, 0.0))]);
    let half = Interval { end: end(0).plus(Span::seconds(30)), ..minute(0, (20.0, 0.0), (180.0, 0.0)) };
    assert_eq!(tally.count(&setup, &half), Counted::Overlaps);
    let longer = Interval { length: Span::minutes(5), ..minute(5, (100.0, 0.0), (900.0, 0.0)) };
    assert_eq!(tally.count(&setup, &longer), Counted::New);
    assert_eq!((tally.intervals, tally.until), (2, Some(end(5))));
}

/// A long good past does not hide that it turned bad.
#[test]
fn it_may_turn_bad_late() {
    let setup = setup();
    let good = (0..50).map(|index| minute(index, (300.0, 0.0), (5_700.0, 6.0)));
    let mut tally = tally_of(&setup, good);
    assert_eq!(word(&tally.finding(&setup, &Signal::Errors)), "NotWorse");
    let bad = (50..60).position(|index| {
        let _ = tally.count(&setup, &minute(index, (300.0, 15.0), (5_700.0, 6.0)));
        word(&tally.finding(&setup, &Signal::Errors)) == "Worse"
    });
    assert!(bad.is_some_and(|minutes| minutes < 4), "{bad:?}");
    assert!(tally.since >= Some(end(45)), "{:?}", tally.since);
}

/// A record has 4 KB in all.
#[test]
fn the_memory_is_small() {
    let setup = setup();
    let trace = (0..5_000).map(|index| minute(index, (123_456.7, 1.0), (2_345_678.9, 20.0)));
    let written = serde_json::to_string(&tally_of(&setup, trace)).unwrap();
    assert!(written.len() <= 700, "{}: {written}", written.len());
}

#[rstest]
#[case(f64::NAN, 0.0, "requests: NaN is no count")]
#[case(f64::INFINITY, 0.0, "requests: inf is no count")]
#[case(-1.0, 0.0, "requests: -1 is no count")]
#[case(10.0, f64::NAN, "bad requests: NaN is no count")]
#[case(10.0, -0.1, "bad requests: -0.1 is no count")]
#[case(1e16, 0.0, "requests: 10000000000000000 is no count")]
#[case(100.0, 106.0, "bad requests: 106 of 100 requests")]
fn no_counts(#[case] requests: f64, #[case] bad: f64, #[case] told: &str) {
    let refused = Counts::new(requests, bad).unwrap_err().to_string();
    assert!(refused.starts_with(told), "{refused}");
}

#[test]
fn counts_that_were_extrapolated_apart() {
    assert_eq!(counts((100.0, 104.0)), counts((100.0, 100.0)));
}

#[rstest]
#[case::both(Evidence::Value(10.0), Evidence::Value(1.0), "Ok")]
#[case::none_so_none_bad(Evidence::Value(0.0), Evidence::NoData("no series".to_owned()), "Ok")]
#[case::bad_ones_missing(Evidence::Value(10.0), Evidence::NoData("no series".to_owned()), "NoEvidence")]
#[case::partial(Evidence::Partial { value: Some(10.0), why: "one store of two".to_owned() }, Evidence::Value(1.0), "PartialEvidence")]
#[case::two_queries(Evidence::Value(10.0), Evidence::Value(20.0), "InvalidEvidence")]
#[case::silent(Evidence::Unreachable("timeout".to_owned()), Evidence::Value(1.0), "MetricsUnreachable")]
fn measured(#[case] requests: Evidence<f64>, #[case] bad: Evidence<f64>, #[case] expected: &str) {
    let read = Counts::measured(&requests, &bad, "stable");
    assert_eq!(read.as_ref().map_or_else(NotYet::reason, |_| "Ok"), expected, "{read:?}");
}
