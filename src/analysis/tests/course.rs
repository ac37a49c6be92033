use super::*;
use crate::analysis::compare::{Counted, Counts, Setup};
use crate::analysis::course::{Course, CourseTally};
use crate::api::Time;
use rstest::rstest;

/// A day of intervals of a minute; failures scatter as is assumed.
fn setup() -> Setup {
    Setup::new(None, Percent::new(99.5).unwrap(), Percent::whole(1), Span::hours(24), Span::minutes(1))
}

fn minute(number: u64) -> (Time, Span) {
    (Time("2027-03-01T10:00:00Z".parse().unwrap()).plus(Span::minutes(number)), Span::minutes(1))
}

fn counts((requests, errors): (f64, f64)) -> Counts {
    Counts::new(requests, errors).unwrap()
}

fn judged(tally: &CourseTally, contract: &RollbackContract) -> Verdict {
    let setup = setup();
    let limits = Limits { course: Some(Course { tally, setup: &setup }), ..limits_of(contract, None, &[]) };
    // What the present look sees says nothing.
    judge(limits, &Observation { candidate: arm(1.0, 0.0, 0.2), ..good() })
}

/// After how many intervals of so many requests and failures it comes back, first for so long those, then these.
fn back_after(times: u64, first: (f64, f64), then: (f64, f64), limit: u8) -> Option<u64> {
    let contract = RollbackContract { error_rate_percent: Percent::whole(limit), ..contract() };
    let mut tally = CourseTally::new(contract.error_rate_percent);
    (1..=times + 120).find(|number| {
        let of = if *number <= times { first } else { then };
        let counted = tally.count(&setup(), contract.error_rate_percent, minute(*number), counts(of));
        assert_eq!(counted, Counted::New);
        matches!(judged(&tally, &contract), Verdict::Fail(_))
    })
}

/// Limit 1 % where no other is given.
#[rstest]
#[case::every_request_at_one_a_minute(0, (0.0, 0.0), (1.0, 1.0), 1, Some(5))]
#[case::at_two_a_minute(0, (0.0, 0.0), (2.0, 2.0), 1, Some(3))]
#[case::every_second_one(0, (0.0, 0.0), (2.0, 1.0), 1, Some(5))]
#[case::after_half_a_day_that_was_good(720, (1.0, 0.0), (1.0, 1.0), 1, Some(725))]
#[case::at_a_limit_of_five_percent(0, (0.0, 0.0), (1.0, 1.0), 5, Some(5))]
#[case::at_the_limit(0, (0.0, 0.0), (100.0, 1.0), 1, None)]
#[case::below_it(0, (0.0, 0.0), (1_000.0, 8.0), 1, None)]
#[case::no_requests(0, (0.0, 0.0), (0.0, 0.0), 1, None)]
#[case::where_none_is_allowed_each_look_sees_it(0, (0.0, 0.0), (1.0, 1.0), 0, None)]
fn it_comes_back_after(
    #[case] times: u64,
    #[case] first: (f64, f64),
    #[case] then: (f64, f64),
    #[case] limit: u8,
    #[case] expected: Option<u64>,
) {
    assert_eq!(back_after(times, first, then, limit), expected);
}

#[test]
fn an_interval_counts_once_also_after_a_restart() {
    let limit = Percent::whole(1);
    let mut tally = CourseTally::new(limit);
    assert_eq!(tally.count(&setup(), limit, minute(1), counts((1.0, 1.0))), Counted::New);
    let mut read: CourseTally = serde_json::from_value(serde_json::to_value(tally).unwrap()).unwrap();
    assert_eq!(read, tally);
    assert_eq!(read.count(&setup(), limit, minute(1), counts((1.0, 1.0))), Counted::Before);
    let half = (minute(1).0.plus(Span::seconds(30)), Span::minutes(1));
    assert_eq!(read.count(&setup(), limit, half, counts((1.0, 1.0))), Counted::Overlaps);
    assert_eq!(read, tally);
}

#[test]
fn another_limit_begins_anew_and_counts_nothing_twice() {
    let mut tally = CourseTally::new(Percent::whole(1));
    for number in 1..=9 {
        let _ = tally.count(&setup(), Percent::whole(1), minute(number), counts((1.0, 1.0)));
    }
    let looser = RollbackContract { error_rate_percent: Percent::whole(5), ..contract() };
    assert!(!matches!(judged(&tally, &looser), Verdict::Fail(_)), "it was counted by another limit");
    assert_eq!(tally.count(&setup(), Percent::whole(5), minute(9), counts((1.0, 1.0))), Counted::Before);
    assert_eq!(tally.count(&setup(), Percent::whole(5), minute(10), counts((1.0, 1.0))), Counted::New);
    assert_eq!((tally.intervals, tally.requests), (1, 1.0));
}

#[test]
fn what_people_read() {
    let mut tally = CourseTally::new(Percent::whole(1));
    for number in 1..=60 {
        let errors = if number <= 48 { 0.0 } else { 1.0 };
        let _ = tally.count(&setup(), Percent::whole(1), minute(number), counts((1.0, errors)));
    }
    let Verdict::Fail(breach) = judged(&tally, &contract()) else { panic!("{tally:?}") };
    assert_eq!(breach.value, "100 % of 12 requests since 1 Mar 10:48:00 UTC");
    assert_eq!(breach.threshold, "1 %");
    assert_eq!(
        breach.sentence,
        "100 % of 12 requests failed since 1 Mar 10:48:00 UTC, limit 1 %: as unlikely as 1 in 100 at the limit, however long one looks"
    );
}
