//! The time that is needed.

use super::*;
use rstest::rstest;

/// A twentieth of so many requests a second goes to the new version.
fn flow(per_second: f64) -> Flow {
    Flow { candidate: per_second * 0.05, base: per_second * 0.95 }
}

fn needed(setup: &Setup, tally: &Tally, flow: Flow) -> Option<Span> {
    bake_time(setup, tally, flow, Span::minutes(1)).map(|needed| needed.more)
}

/// Stable fails 0.1 %.
fn known() -> Setup {
    Setup { base_rate: Some(Percent::new(0.1).unwrap()), ..setup() }
}

/// Before the start; twice the traffic needs half of the time, until one interval alone would decide.
#[rstest]
#[case(1.0, 290)]
#[case(10.0, 29)]
#[case(100.0, 3)]
#[case(1_000.0, 2)]
#[case(1e9, 2)]
fn before_the_start(#[case] per_second: f64, #[case] minutes: u64) {
    assert_eq!(needed(&known(), &Tally::default(), flow(per_second)), Some(Span::minutes(minutes)));
}

/// What is promised is what it takes: traffic that is exactly as good as stable.
#[rstest]
#[case(2.0, 0.0)]
#[case(8.0, 0.001)]
#[case(50.0, 0.02)]
#[case(50.0, 0.3)]
fn the_promise_is_kept(#[case] per_second: f64, #[case] rate: f64) {
    let setup = Setup { base_rate: Some(Percent::new(rate * 100.0).unwrap()), ..setup() };
    let promised = needed(&setup, &Tally::default(), flow(per_second)).unwrap().as_millis() / 60_000;
    let mut tally = Tally::default();
    let took = (0..20_000_usize)
        .position(|index| {
            let of = |share: f64| (per_second * share * 60.0, per_second * share * 60.0 * rate);
            let _ = tally.count(&setup, &minute(index, of(0.05), of(0.95)));
            word(&tally.finding(&setup, &Signal::Errors)) == "NotWorse"
        })
        .unwrap() as u64
        + 1;
    assert!(took <= promised && promised <= took + took / 4 + 1, "promised {promised}, took {took}");
}

#[test]
fn it_shrinks_as_time_goes_by_and_ends() {
    let setup = known();
    let mut tally = Tally::default();
    let mut before = needed(&setup, &tally, flow(8.0)).unwrap();
    for index in 0..60 {
        let _ = tally.count(&setup, &minute(index, (24.0, 0.0), (456.0, 0.0)));
        let now = needed(&setup, &tally, flow(8.0)).unwrap();
        assert!(now <= before, "{index}: {now} after {before}");
        before = now;
    }
    assert_eq!(before, Span::ZERO);
    assert_eq!(word(&tally.finding(&setup, &Signal::Errors)), "NotWorse");
}

/// A stage change: with five times the share it takes about a fifth.
#[test]
fn more_weight_needs_less_time() {
    let more = Flow { candidate: 2.0, base: 6.0 };
    let (little, much) = (needed(&known(), &Tally::default(), flow(8.0)), needed(&known(), &Tally::default(), more));
    assert!(much.unwrap().as_millis() * 4 <= little.unwrap().as_millis(), "{little:?} {much:?}");
}

#[rstest]
#[case::no_traffic(Flow { candidate: 0.0, base: 8.0 }, known())]
#[case::nan(Flow { candidate: f64::NAN, base: 8.0 }, known())]
#[case::infinite(Flow { candidate: f64::INFINITY, base: 8.0 }, known())]
#[case::nothing_to_compare_with(Flow { candidate: 8.0, base: 0.0 }, setup())]
fn it_never_tells(#[case] flow: Flow, #[case] setup: Setup) {
    assert_eq!(needed(&setup, &Tally::default(), flow), None);
}

#[test]
fn all_of_the_traffic_is_compared_with_what_stable_was() {
    let alone = Flow { candidate: 8.0, base: 0.0 };
    assert!(needed(&known(), &Tally::default(), alone).unwrap() <= Span::minutes(3));
}

#[rstest]
#[case(23, 8.0, "needs about 23 min more at 8 requests/s, 5 % of them to the new version")]
#[case(0, 0.333, "needs about 1 min more at 0.33 requests/s, 5 % of them to the new version")]
#[case(240, 1_234.4, "needs about 4 h more at 1,234 requests/s, 5 % of them to the new version")]
#[case(20_000, 0.01, "needs about 14 days more at 0.01 requests/s, 5 % of them to the new version")]
fn what_people_read(#[case] minutes: u64, #[case] per_second: f64, #[case] expected: &str) {
    let told = BakeTime { more: Span::minutes(minutes), flow: flow(per_second) };
    assert_eq!(told.to_string(), expected);
}
