//! All stages together: what is promised for every trace, how rarely chance is blamed, and how soon a drop is found.

use super::tally::{BEYOND, Way};
use super::*;
use crate::analysis::compare::{Counted, Horizon};
use crate::analysis::{Evidence, NotYet};
use crate::api::gated_release::BusinessMetric;
use crate::api::{Percent, Span, Time};
use proptest::prelude::*;
use rstest::rstest;

fn metric() -> BusinessMetric {
    serde_json::from_value(serde_json::json!({"name": "checkouts", "query": "q"})).unwrap()
}

fn tally() -> BusinessTally {
    BusinessTally::begun(Rules::of(&metric(), Horizon::from(30)), None)
}

fn happened((requests, events): (f64, f64)) -> Happened {
    Happened::measured(&Evidence::Value(requests), &Evidence::Value(events), "a version").unwrap()
}

/// The interval number `index`, from 0: requests and events of the new version, then of stable.
fn stretch(index: usize, candidate: (f64, f64), base: (f64, f64)) -> Stretch {
    let end = Time("2027-03-01T10:00:00Z".parse().unwrap()).plus(Span::minutes(2 * (index as u64 + 1)));
    Stretch { end, length: Span::minutes(2), candidate: happened(candidate), base: happened(base) }
}

fn tally_of(contents: impl IntoIterator<Item = Contents>) -> BusinessTally {
    let mut tally = tally();
    for (index, (candidate, base)) in contents.into_iter().enumerate() {
        let _ = tally.count(&stretch(index, candidate, base));
    }
    tally
}

fn reread(tally: &BusinessTally) -> BusinessTally {
    serde_json::from_str(&serde_json::to_string(tally).unwrap()).unwrap()
}

type Contents = ((f64, f64), (f64, f64));

fn content() -> impl Strategy<Value = Contents> {
    (1..4_000_u32, 0.0..0.5_f64, 1..40_000_u32, 0.0..0.5_f64).prop_map(|(nc, c, ns, s)| {
        let (nc, ns) = (f64::from(nc), f64::from(ns));
        ((nc, (nc * c).round()), (ns, (ns * s).round()))
    })
}

proptest! {
    #[test]
    fn a_restart_anywhere_changes_nothing(trace in proptest::collection::vec(content(), 1..40)) {
        let mut restarted = tally();
        for (index, (candidate, base)) in trace.iter().enumerate() {
            let _ = restarted.count(&stretch(index, *candidate, *base));
            restarted = reread(&restarted);
        }
        prop_assert_eq!(restarted, tally_of(trace));
    }

    #[test]
    fn an_interval_counts_once(trace in proptest::collection::vec(content(), 1..20), again in any::<prop::sample::Index>()) {
        let mut tally = tally_of(trace.iter().copied());
        let once = tally.clone();
        let same = stretch(again.index(trace.len()), (9e5, 0.0), (9e5, 9e5));
        prop_assert!(matches!(tally.count(&same), Counted::Before | Counted::Decided));
        let late = stretch(trace.len(), (9e5, 0.0), (9e5, 9e5));
        let longer = Stretch { length: Span::minutes(3), ..late };
        prop_assert!(matches!(tally.count(&longer), Counted::Overlaps | Counted::Decided));
        prop_assert_eq!(tally, once);
    }

    /// What an interval says is what its parts say.
    #[test]
    fn splitting_an_interval((candidate, base) in content(), pieces in 2..6_u32) {
        let n = 10.0 * f64::from(pieces);
        let ten = |(requests, events): (f64, f64)| (requests * n, events * n);
        let part = |(requests, events): (f64, f64)| (requests * 10.0, events * 10.0);
        let (whole, piece) = (stretch(0, ten(candidate), ten(base)), stretch(0, part(candidate), part(base)));
        for way in [Way::Below, Way::Above] {
            let said = |stretch| way.says(stretch, Percent::whole(10), 1.0);
            for (one, other) in said(&whole).into_iter().zip(said(&piece)) {
                prop_assert!((one - other * f64::from(pieces)).abs() <= 1e-6 * (1.0 + one.abs()), "{one} {other}");
            }
        }
    }

    /// Intervals of equal content may come in any order, and what all of them say does not depend on it.
    #[test]
    fn permuting_intervals(trace in proptest::collection::vec(content(), 2..20), seed in any::<u64>()) {
        let mut shuffled = trace.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        let said = |trace: &[Contents]| -> f64 {
            let all = trace.iter().map(|(new, base)| Way::Below.says(&stretch(0, *new, *base), Percent::whole(10), 2.0)[1]);
            all.sum()
        };
        prop_assert!((said(&trace) - said(&shuffled)).abs() < 1e-6);
        let equal = vec![trace[0]; trace.len()];
        let mut turned = equal.clone();
        turned.reverse();
        prop_assert_eq!(tally_of(equal), tally_of(turned));
    }

    /// Another stage begins, at any point, and with it another share and, with the hour, another rate: as long as both versions
    /// are alike within the limit in each interval, nobody is blamed, though added up over the stages they differ.
    #[test]
    fn adding_a_stage_change(
        stages in proptest::collection::vec((0.01..0.99_f64, 0.01..0.5_f64, 1..15_usize), 2..5),
        requests in 1_000.0..500_000.0_f64,
        as_often in 0.9..1.1_f64,
    ) {
        let mut tally = tally();
        let contents = stages.iter().flat_map(|(share, rate, times)| std::iter::repeat_n((*share, *rate), *times));
        for (index, (share, rate)) in contents.enumerate() {
            let (new, base) = ((requests * share).round(), (requests * (1.0 - share)).round());
            // Rounding to tenths must not push it beyond the limit.
            let as_often = 1.0 + (as_often - 1.0) * 0.9;
            let interval = stretch(index, (new, new * rate * as_often), (base, base * rate));
            prop_assert_eq!(tally.count(&interval), Counted::New);
            prop_assert_eq!(tally.decided(), None);
        }
    }

    /// More of what the service is there for never speaks for too little of it.
    #[test]
    fn more_events_never_hurt(((nc, ec), base) in content(), more in 0.0..50.0_f64) {
        let says = |way: Way, events| way.says(&stretch(0, (nc, events), base), Percent::whole(10), 1.0);
        for (few, many) in says(Way::Below, ec).into_iter().zip(says(Way::Below, ec + more)) {
            prop_assert!(many <= few + 1e-9);
        }
        for (few, many) in says(Way::Above, ec).into_iter().zip(says(Way::Above, ec + more)) {
            prop_assert!(many >= few - 1e-9);
        }
    }
}

/// As long as the version keeps its limit, no interval is worth more than 1 on average: all outcomes of small counts.
#[test]
fn a_bet_on_what_is_not_so_gains_nothing() {
    let chance = |n: u32, e: u32, p: f64| {
        let ways: f64 = (0..e).map(|i| f64::from(n - i) / f64::from(i + 1)).product();
        ways * p.powi(e as i32) * (1.0 - p).powi((n - e) as i32)
    };
    for way in [Way::Below, Way::Above] {
        for (nc, ns) in [(1, 1), (3, 20), (8, 8), (20, 3), (5, 0)] {
            for p in [0.0, 0.02, 0.3, 0.9] {
                let at_limit = (way.limit(Percent::whole(10)) * p).min(1.0);
                let mut worth = [0.0; BEYOND.len()];
                for ec in 0..=nc {
                    for es in 0..=ns {
                        let seen = stretch(0, (nc.into(), ec.into()), (ns.into(), es.into()));
                        let likely = chance(nc, ec, at_limit) * chance(ns, es, p);
                        let says = way.says(&seen, Percent::whole(10), 1.0);
                        for (worth, said) in worth.iter_mut().zip(says) {
                            *worth += likely * said.exp();
                        }
                    }
                }
                assert!(worth.iter().all(|worth| *worth <= 1.0 + 1e-9), "{way:?} {nc} {ns} {p}: {worth:?}");
            }
        }
    }
}

/// A count of this mean, in clumps of `clump` events.
fn draw(chance: &mut fastrand::Rng, mean: f64, clump: f64) -> f64 {
    let normal =
        (-2.0 * chance.f64().max(f64::MIN_POSITIVE).ln()).sqrt() * (std::f64::consts::TAU * chance.f64()).cos();
    let clumps = mean / clump;
    (clump * (clumps + clumps.sqrt() * normal).round()).max(0.0)
}

/// The weights of a standard release, and for how many intervals of two minutes each lasts.
const STAGES: [(f64, usize); 3] = [(0.05, 7), (0.25, 7), (0.5, 7)];

/// In how many of `runs` releases at so many requests a second, one in ten of which is a checkout with stable, the metric is found
/// beyond 10 %, and after how many intervals.
fn found(runs: usize, per_second: f64, as_often: f64, clump: f64) -> Vec<usize> {
    let mut chance = fastrand::Rng::with_seed(11);
    let one = |chance: &mut fastrand::Rng| {
        let mut tally = tally();
        let intervals = STAGES.iter().flat_map(|(weight, times)| std::iter::repeat_n(*weight, *times));
        intervals.enumerate().position(|(index, weight)| {
            let all = per_second * 120.0;
            // Fewer buy at night.
            let rate = 0.1 * (1.0 + 0.3 * (index as f64 / 4.0).sin());
            let arm = |chance: &mut fastrand::Rng, share: f64, rate: f64| {
                let requests = draw(chance, all * share, 1.0);
                (requests, draw(chance, requests * rate, clump))
            };
            let (new, base) = (arm(chance, weight, rate * as_often), arm(chance, 1.0 - weight, rate));
            let _ = tally.count(&stretch(index, new, base));
            tally.decided().is_some()
        })
    };
    (0..runs).filter_map(|_| one(&mut chance)).collect()
}

/// However often one looks, at most 1 in 100 releases comes back that keeps its limit; at the very limit, too.
#[rstest]
#[case::equal(1.0, 1.0)]
#[case::equal_where_orders_come_in_clumps(1.0, 5.0)]
#[case::at_the_limit_down(0.9, 1.0)]
#[case::at_the_limit_up(1.1, 1.0)]
fn what_keeps_its_limit_is_not_blamed(#[case] as_often: f64, #[case] clump: f64) {
    for per_second in [5.0, 100.0, 1_000.0] {
        let back = found(1_000, per_second, as_often, clump).len();
        assert!(back <= 10, "{back} of 1,000 at {per_second} requests/s");
    }
}

/// 15 % down, limit 10 %, found by the end of the stages; no single window of two minutes would show it.
#[rstest]
#[case::down(0.85)]
#[case::up(1.15)]
fn fifteen_percent_are_found_by_the_end_of_the_stages(#[case] as_often: f64) {
    let back = found(200, 1_000.0, as_often, 1.0).len();
    assert!(back >= 198, "{back} of 200");
}

/// Half the checkouts are gone, at 20 requests/s.
#[test]
fn a_large_drop_is_found_with_little_traffic() {
    let back = found(200, 20.0, 0.5, 1.0).len();
    assert!(back >= 198, "{back} of 200");
}

/// In how many of `runs` releases that are held at a quarter for 20 plans the metric is found beyond its limit, where it drops after `good`
/// intervals; and after how many intervals from then, at most.
fn held(runs: usize, good: usize, as_often: f64) -> (usize, usize) {
    let mut chance = fastrand::Rng::with_seed(17);
    let found: Vec<usize> = (0..runs)
        .filter_map(|_| {
            let mut tally = tally();
            (0..600_usize).position(|index| {
                let kept = if index < good { 1.0 } else { as_often };
                let mut arm = |requests: f64, rate: f64| (requests, draw(&mut chance, requests * rate, 1.0));
                let (new, base) = (arm(3_000.0, 0.1 * kept), arm(9_000.0, 0.1));
                let _ = tally.count(&stretch(index, new, base));
                tally.decided().is_some()
            })
        })
        .collect();
    (found.len(), found.iter().map(|at| (at + 1).saturating_sub(good)).max().unwrap_or(0))
}

/// 30 intervals are planned, and a hold takes 20 times as long.
#[test]
fn what_keeps_its_limit_is_not_blamed_beyond_the_plan_and_a_drop_is_found() {
    let (blamed, _) = held(200, 600, 1.0);
    assert!(blamed <= 2, "{blamed} of 200");
    let (found, most) = held(50, 120, 0.5);
    assert!(found == 50 && most <= 8, "{found} of 50, after {most} intervals");
}

#[test]
fn one_interval_decides_nothing_and_what_is_decided_stays() {
    let gone = ((1e6, 0.0), (1e6, 1e5));
    assert_eq!(tally_of([gone]).decided(), None);
    let mut tally = tally_of([gone; 4]);
    assert_eq!(tally.decided(), Some(Way::Below));
    let decided = tally.clone();
    assert_eq!(tally.count(&stretch(9, (1e6, 1e5), (1e6, 0.0))), Counted::Decided);
    assert_eq!(tally, decided);
}

#[test]
fn where_stable_has_no_traffic_nothing_is_said() {
    assert_eq!(tally_of([((1e6, 1e5), (0.0, 0.0)); 9]).decided(), None);
    assert_eq!(tally_of([((0.0, 0.0), (1e6, 1e5)); 9]).decided(), None);
}

/// A record in progress has it beside what people read.
#[test]
fn the_memory_is_small() {
    let mut chance = fastrand::Rng::with_seed(3);
    let contents = (0..3_000).map(|_| {
        let mut arm = |n: f64| (n, draw(&mut chance, n * 0.1, 3.0));
        (arm(1_234_567.8), arm(23_456_789.1))
    });
    let written = serde_json::to_string(&tally_of(contents.collect::<Vec<_>>())).unwrap();
    assert!(written.len() <= 1_100, "{}: {written}", written.len());
}

#[rstest]
#[case::both(Evidence::Value(10.0), Evidence::Value(1.0), "Ok")]
#[case::several_a_request(Evidence::Value(10.0), Evidence::Value(30.0), "Ok")]
#[case::none_so_none(Evidence::Value(0.0), Evidence::NoData("no series".to_owned()), "Ok")]
#[case::missing(Evidence::Value(10.0), Evidence::NoData("no series".to_owned()), "NoEvidence")]
#[case::partial(Evidence::Partial { value: Some(10.0), why: "one store of two".to_owned() }, Evidence::Value(1.0), "PartialEvidence")]
#[case::too_large(Evidence::Value(10.0), Evidence::Value(1e16), "InvalidEvidence")]
#[case::no_number(Evidence::Value(10.0), Evidence::Value(f64::NAN), "InvalidEvidence")]
#[case::silent(Evidence::Unreachable("timeout".to_owned()), Evidence::Value(1.0), "MetricsUnreachable")]
fn measured(#[case] requests: Evidence<f64>, #[case] events: Evidence<f64>, #[case] expected: &str) {
    let read = Happened::measured(&requests, &events, "stable");
    assert_eq!(read.as_ref().map_or_else(NotYet::reason, |_| "Ok"), expected, "{read:?}");
}
