use super::*;
use crate::analysis::compare::Signal;
use crate::analysis::compliance::{Look, Objective, Reach, counted, look, met_for};
use crate::api::Time;
use crate::api::compliance::Compliance;
use proptest::prelude::*;
use rstest::rstest;

fn word(look: &Look) -> &'static str {
    match look {
        Look::Met => "Met",
        Look::Missed(_) => "Missed",
        Look::NotKnown(_) => "NotKnown",
    }
}

/// 99 % are to succeed.
#[rstest]
#[case::clean(1_000.0, 0.0, "Met")]
#[case::as_promised(1_000.0, 10.0, "Met")]
#[case::more_by_chance(1_000.0, 15.0, "Met")]
#[case::clearly_more(1_000.0, 40.0, "Missed")]
#[case::one_of_one(1.0, 1.0, "Met")]
#[case::everything(10.0, 10.0, "Missed")]
#[case::no_requests(0.0, 0.0, "NotKnown")]
#[case::two_different_queries(100.0, 200.0, "NotKnown")]
#[case::nan(f64::NAN, 0.0, "NotKnown")]
fn an_objective_is_missed_clearly_or_not(#[case] requests: f64, #[case] bad: f64, #[case] expected: &str) {
    let bad = Evidence::Value(bad);
    let objective = Objective { name: "availability", objective: Percent::whole(99), bad_is: Signal::Errors, bad };
    assert_eq!(word(&look(&Evidence::Value(requests), &[objective], Overdispersion::NONE)), expected);
}

#[rstest]
#[case::all_met(&[0.0, 0.0], "Met")]
#[case::one_missed(&[0.0, 500.0], "Missed")]
#[case::one_not_known(&[f64::NAN, 0.0], "NotKnown")]
#[case::the_last_not_known(&[0.0, f64::NAN], "NotKnown")]
#[case::a_miss_counts_more_than_what_is_not_known(&[f64::NAN, 500.0], "Missed")]
#[case::without_an_objective(&[], "NotKnown")]
fn the_worst_objective_decides(#[case] bad: &[f64], #[case] expected: &str) {
    let objectives = bad.iter().map(|bad| Objective {
        name: "x",
        objective: Percent::whole(99),
        bad_is: Signal::Slower(Span::from_millis(300)),
        bad: Evidence::Value(*bad),
    });
    assert_eq!(word(&look(&Evidence::Value(1_000.0), &objectives.collect::<Vec<_>>(), Overdispersion::NONE)), expected);
}

#[test]
fn a_miss_says_what_was_seen_and_what_may_be() {
    let bad = Evidence::Value(200.0);
    let bad_is = Signal::Slower(Span::from_millis(300));
    let objective = Objective { name: "fast", objective: Percent::whole(95), bad_is, bad };
    let said = look(&Evidence::Value(1_000.0), &[objective], Overdispersion::NONE);
    assert_eq!(said, Look::Missed("fast: 20 % of 1,000 requests took more than 300 ms, 5 % may".to_owned()));
}

fn at(second: u64) -> Time {
    Time(jiff::Timestamp::UNIX_EPOCH).plus(Span::seconds(second))
}

/// `m` met, `x` missed, `?` not known: a look every 15 s, which reaches two minutes back; seconds without a break at its end.
fn after(looks: &str) -> Option<u64> {
    let mut stands: Option<Compliance> = None;
    let mut met = None;
    for (index, one) in looks.chars().enumerate() {
        let now = at(1_000 + index as u64 * 15);
        let look = match one {
            'm' => Look::Met,
            'x' => Look::Missed("availability".to_owned()),
            _ => Look::NotKnown("away".to_owned()),
        };
        let back = Span::seconds((index as u64 * 15).clamp(1, 120));
        let reach = Reach { back, apart: Span::minutes(2), every: Span::seconds(15) };
        stands = counted(stands.as_ref(), &look, reach, now);
        met = stands.as_ref().map(|stands| met_for(stands, &look, now).as_millis() / 1_000);
    }
    met
}

#[rstest]
#[case::nothing_known("???", None)]
#[case::from_the_first_request_on("mmmmm", Some(61))]
#[case::known_late("?m", Some(15))]
#[case::a_miss_begins_anew("mmmmmxmm", Some(30))]
#[case::and_is_nothing("mmmmx", Some(0))]
#[case::a_short_gap_is_none("mmm???mmm", Some(121))]
fn how_long_without_a_break(#[case] looks: &str, #[case] expected: Option<u64>) {
    assert_eq!(after(looks), expected);
}

#[test]
fn a_long_time_in_which_it_is_not_known_does_not_count() {
    // Ten minutes of looks, ten minutes of nothing.
    let known = after(&"m".repeat(41)).unwrap();
    let with_gap = after(&format!("{}{}m", "m".repeat(41), "?".repeat(40))).unwrap();
    assert!(with_gap >= known && with_gap <= known + 120 + 60, "{known} s, then {with_gap} s");
}

proptest! {
    #[test]
    fn it_is_never_longer_than_since_the_last_miss(looks in "[mx?]{1,200}") {
        let since = looks.chars().rev().take_while(|look| *look != 'x').count() as u64;
        let longest = since * 15 + 1;
        prop_assert!(after(&looks).is_none_or(|met| met <= longest), "{:?}", after(&looks));
    }
}
