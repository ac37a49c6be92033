use super::*;
use crate::analysis::compare::Signal;
use crate::analysis::compliance::{Look, Objective, Reach, Standing, counted, look, standing};
use crate::api::Time;
use crate::api::compliance::Compliance;
use proptest::prelude::*;
use rstest::rstest;

/// The share of good requests that is promised, and bad ones.
fn objective(name: &'static str, promised: u8, bad: f64) -> Objective<'static> {
    let bad = Evidence::Value(bad);
    Objective { name, objective: Percent::whole(promised), bad_is: Signal::Errors, bad }
}

const REACH: Reach = Reach { back: Span::minutes(2), over: Span::minutes(30) };

fn at(second: u64) -> Time {
    Time(jiff::Timestamp::UNIX_EPOCH).plus(Span::seconds(second))
}

/// One look of two minutes after the other: requests and bad ones in each.
fn after(looks: &[(f64, f64)], promised: u8) -> Option<(Compliance, Standing)> {
    let mut sums: Option<Compliance> = None;
    for (index, (requests, bad)) in looks.iter().enumerate() {
        let look = look(&Evidence::Value(*requests), &[objective("availability", promised, *bad)]);
        sums = counted(sums.as_ref(), &look, REACH, at(1_000 + 120 * index as u64));
    }
    let sums = sums?;
    let stands = standing(&sums, &[objective("availability", promised, 0.0)], Overdispersion::NONE)?;
    Some((sums, stands))
}

#[rstest]
#[case::clean(1_000.0, 0.0, None)]
#[case::one_of_one(1.0, 1.0, None)]
#[case::more_by_chance(1_000.0, 15.0, None)]
#[case::clearly_more(1_000.0, 40.0, Some("availability: 4 % of 1,000 requests failed, 1 % may"))]
#[case::everything(10.0, 10.0, Some("availability: 100 % of 10 requests failed, 1 % may"))]
fn an_objective_is_missed_clearly_or_not(#[case] requests: f64, #[case] bad: f64, #[case] missed: Option<&str>) {
    let (_, stands) = after(&[(requests, bad)], 99).unwrap();
    assert_eq!(stands, Standing { over: Span::minutes(2), missed: missed.map(str::to_owned) });
}

/// What no window of two minutes shows by itself: 15 looks of 1,000 requests each, of which 1 % may be bad.
#[rstest]
#[case::half_as_much_again(15.0, true)]
#[case::as_promised(10.0, false)]
fn the_sum_of_half_an_hour_shows_what_no_look_does(#[case] bad: f64, #[case] is_missed: bool) {
    assert_eq!(after(&[(1_000.0, bad)], 99).unwrap().1.missed, None);
    let (_, stands) = after(&[(1_000.0, bad); 15], 99).unwrap();
    assert_eq!((stands.over, stands.missed.is_some()), (Span::minutes(30), is_missed));
}

/// A bad moment is weighed against the half hour around it, and out of it in the end.
#[test]
fn what_was_bad_leaves_with_its_part() {
    let calm = [(1_000.0, 0.0); 19];
    let moment = [&[(1_000.0, 500.0)][..], &calm[..]].concat();
    assert!(after(&moment[..15], 99).unwrap().1.missed.is_some());
    assert_eq!(after(&moment, 99).unwrap().1.missed, None);
    let small = [&[(1_000.0, 60.0)][..], &calm[..14]].concat();
    assert_eq!(after(&small, 99).unwrap().1.missed, None, "60 of 15,000");
}

#[rstest]
#[case::nan(f64::NAN, 0.0)]
#[case::two_different_queries(100.0, 200.0)]
#[case::bad_not_known(100.0, f64::NAN)]
fn what_is_not_known_counts_nothing_and_takes_nothing_away(#[case] requests: f64, #[case] bad: f64) {
    let (before, _) = after(&[(1_000.0, 3.0)], 99).unwrap();
    let unknown = look(&Evidence::Value(requests), &[objective("availability", 99, bad)]);
    assert!(unknown.is_err());
    assert_eq!(counted(Some(&before), &unknown, REACH, at(9_000)), Some(before));
}

#[test]
fn without_an_objective_or_a_request_nothing_is_known() {
    assert!(look(&Evidence::Value(1.0), &[]).is_err());
    let (_, stands) = after(&[(0.0, 0.0); 20], 99).unwrap();
    assert_eq!(stands, Standing { over: Span::ZERO, missed: None });
}

#[test]
fn other_objectives_are_counted_anew() {
    let (before, _) = after(&[(1_000.0, 3.0)], 99).unwrap();
    let other = [objective("fast", 95, 0.0)];
    assert_eq!(standing(&before, &other, Overdispersion::NONE), None);
    let next = counted(Some(&before), &look(&Evidence::Value(10.0), &other), REACH, at(9_000)).unwrap();
    assert_eq!((next.parts.len(), next.parts[0].requests), (1, 10.0));
}

#[test]
fn the_worst_objective_decides() {
    let both = |bad| [objective("one", 99, 0.0), objective("two", 99, bad)];
    let sums = counted(None, &look(&Evidence::Value(1_000.0), &both(500.0)), REACH, at(1_000)).unwrap();
    let missed = standing(&sums, &both(0.0), Overdispersion::NONE).unwrap().missed.unwrap();
    assert_eq!(missed, "two: 50 % of 1,000 requests failed, 1 % may");
}

proptest! {
    /// However often one looks: nothing is counted twice, nothing grows without bound, and what is kept is as long as is asked for.
    #[test]
    fn each_moment_counts_once(looks in prop::collection::vec((1_u64..200, prop::option::of(1_u64..=120)), 1..300)) {
        let (mut now, mut sums) = (1_000, None::<Compliance>);
        let mut all: Vec<(u64, u64)> = Vec::new();
        for (later, back) in looks {
            now += later;
            let look: Result<Look, String> = match back {
                Some(back) => look(&Evidence::Value(back as f64), &[objective("availability", 99, 0.0)]),
                None => Err("away".to_owned()),
            };
            let back = back.unwrap_or(1);
            let reach = Reach { back: Span::seconds(back), ..REACH };
            let next = counted(sums.as_ref(), &look, reach, at(now));
            if next != sums {
                all.push((now - back, now));
            }
            sums = next;
        }
        prop_assert!(all.windows(2).all(|two| two[0].1 <= two[1].0), "{all:?}");
        if let Some(sums) = sums {
            prop_assert!(sums.parts.len() <= 16, "{}", sums.parts.len());
            let known: u64 = sums.parts.iter().map(|part| part.known.as_millis() / 1_000).sum();
            let requests: f64 = sums.parts.iter().map(|part| part.requests).sum();
            prop_assert_eq!(known as f64, requests, "a request a second");
            prop_assert!(known <= 30 * 60 * 6 / 5 + 120);
        }
    }
}
