use jiff::tz::TimeZone;
use proptest::prelude::*;
use rstest::rstest;

use crate::api::obligation::Course;
use crate::api::{BudgetStatus, Span, Time};
use crate::policy::burn::Present;
use crate::policy::course::{Reading, advance, costliest, earlier};
use crate::policy::{Confidence, Remaining, budget_status};

fn at(text: &str) -> Time {
    Time(text.parse().unwrap())
}

/// The course after looks: `day hour:minute`, percent left.
fn course(looks: &[(&str, f64)]) -> Course {
    let mut course = None;
    let mut last = None;
    for (time, remaining) in looks {
        let (day, time) = time.split_once(' ').unwrap();
        let status = budget_status(Remaining::from_percent(*remaining).unwrap());
        let reading = Reading { status, remaining: *remaining, last, objective: "availability", present: None };
        let now = at(&format!("2026-11-{day}T{time}:00Z"));
        course = Some(advance(course.as_ref(), &reading, &TimeZone::UTC, now));
        last = Some(*remaining);
    }
    course.unwrap()
}

#[test]
fn a_level_remembers_since_when_it_is_in_force_and_what_was_before() {
    let course = course(&[("20 08:00", 42.0), ("20 09:00", 41.0), ("20 10:00", 18.0), ("20 11:00", 17.0)]);
    assert_eq!(
        (course.status, course.since, course.before, course.remaining_percent),
        (BudgetStatus::Critical, at("2026-11-20T10:00:00Z"), Some(BudgetStatus::Warning), 18.0)
    );
    let levels: Vec<_> = course.episodes.iter().map(|one| (one.level, one.since)).collect();
    assert_eq!(
        levels,
        [(BudgetStatus::Warning, at("2026-11-20T08:00:00Z")), (BudgetStatus::Critical, at("2026-11-20T10:00:00Z"))]
    );
}

/// `001_…`, Critical, example message: "18% (was 42% yesterday)".
#[test]
fn what_was_left_at_the_end_of_the_day_before_is_known() {
    let course = course(&[("19 08:00", 60.0), ("19 20:00", 42.0), ("20 09:00", 30.0), ("20 12:00", 18.0)]);
    let earlier = earlier(&course, 18.0, at("2026-11-20T12:00:00Z")).unwrap();
    assert_eq!((earlier.remaining_percent, earlier.at), (42.0, at("2026-11-20T09:00:00Z")));
}

/// `001_…`, example messages: "Projected Depletion".
#[rstest]
#[case::twenty_four_in_three_hours(&[("20 09:00", 42.0), ("20 12:00", 18.0)], Some("2026-11-20T15:00:00Z"))]
#[case::slowly(&[("10 00:00", 60.0), ("20 00:00", 40.0)], Some("2026-12-11T00:00:00Z"))]
#[case::two_days_sharp(&[("18 00:00", 30.0), ("19 00:00", 20.0)], Some("2026-11-22T00:00:00Z"))]
#[case::until_the_moment_comes(&[("20 09:00", 42.0), ("20 12:00", 18.0), ("20 14:59", 18.0)], Some("2026-11-20T15:00:00Z"))]
#[case::the_moment_has_come(&[("20 09:00", 42.0), ("20 12:00", 18.0), ("20 15:00", 18.0)], None)]
#[case::not_at_all(&[("19 09:00", 42.0), ("20 12:00", 42.0)], None)]
#[case::recovering(&[("19 09:00", 18.0), ("20 12:00", 42.0)], None)]
#[case::spent(&[("19 09:00", 18.0), ("20 12:00", -1.0)], None)]
#[case::too_soon_to_tell(&[("20 11:30", 42.0), ("20 12:00", 18.0)], None)]
fn how_long_it_lasts(#[case] looks: &[(&str, f64)], #[case] expected: Option<&str>) {
    assert_eq!(course(looks).depleted_at, expected.map(at));
}

#[rstest]
#[case::one_day_alone(&[("20 09:00", 42.0), ("20 12:00", 18.0)], Some(Confidence::Low))]
#[case::as_on_the_days_before(&[("17 00:00", 60.0), ("18 00:00", 50.0), ("19 00:00", 40.0), ("20 00:00", 30.0)], Some(Confidence::High))]
#[case::faster_than_before(&[("10 00:00", 60.0), ("19 00:00", 58.0), ("20 00:00", 30.0)], Some(Confidence::Low))]
#[case::kept_while_nothing_moves(&[("17 00:00", 60.0), ("18 00:00", 50.0), ("19 00:00", 40.0), ("19 12:00", 40.0)], Some(Confidence::High))]
#[case::nothing_projected(&[("19 09:00", 42.0), ("20 12:00", 42.0)], None)]
fn a_projection_is_believed_as_far_as_the_days_before_agree(
    #[case] looks: &[(&str, f64)],
    #[case] expected: Option<Confidence>,
) {
    assert_eq!(course(looks).confidence, expected);
}

#[test]
fn a_projection_says_since_when_it_counts() {
    let steady = [("17 00:00", 60.0), ("18 00:00", 50.0), ("19 00:00", 40.0), ("20 00:00", 30.0)];
    let since = |course: &Course| (course.projected_since, course.compared_since);
    let told = course(&steady);
    assert_eq!(since(&told), (Some(at("2026-11-19T00:00:00Z")), Some(at("2026-11-17T00:00:00Z"))));
    let still = [&steady[..], &[("20 12:00", 30.0)]].concat();
    assert_eq!(since(&course(&still)), since(&told), "kept while nothing moves");
    assert_eq!(since(&course(&[("20 09:00", 42.0), ("20 12:00", 18.0)])), (Some(at("2026-11-20T09:00:00Z")), None));
    assert_eq!(since(&course(&[("19 09:00", 42.0), ("20 12:00", 42.0)])), (None, None));
}

/// `001_…`, Emergency, example message: three incidents, of which each cost some percent.
#[test]
fn falls_without_a_pause_are_one_loss_and_the_costliest_are_told() {
    let course = course(&[
        ("20 15:25", 30.0),
        ("20 15:30", 28.0),
        ("20 15:40", 26.0),
        ("20 16:30", 26.0),
        ("20 19:45", 20.0),
        ("20 22:00", 19.5),
        ("21 02:10", 17.0),
        ("21 02:20", 16.5),
    ]);
    let told: Vec<_> = costliest(&course).into_iter().map(|one| (one.from, one.until, one.percent)).collect();
    assert_eq!(
        told,
        [
            (at("2026-11-20T19:45:00Z"), at("2026-11-20T19:45:00Z"), 6.0),
            (at("2026-11-20T15:30:00Z"), at("2026-11-20T15:40:00Z"), 4.0),
            (at("2026-11-21T02:10:00Z"), at("2026-11-21T02:20:00Z"), 3.0),
        ]
    );
}

#[test]
fn what_cost_something_is_forgotten_after_a_day() {
    let looks = [("20 15:25", 30.0), ("20 15:30", 28.0), ("21 15:29", 28.0)];
    assert_eq!(course(&looks).losses.len(), 1);
    assert_eq!(course(&[&looks[..], &[("21 15:30", 28.0)]].concat()).losses, vec![]);
}

#[test]
fn a_level_that_is_come_back_to_within_a_day_is_not_over() {
    let left = course(&[("20 08:00", 42.0), ("20 09:00", 60.0)]).episodes;
    assert_eq!((left.len(), left[0].ended), (1, Some(at("2026-11-20T09:00:00Z"))));
    let again = course(&[("20 08:00", 42.0), ("20 09:00", 60.0), ("20 10:00", 42.0)]).episodes;
    assert_eq!((again.len(), again[0].since, again[0].ended), (1, at("2026-11-20T08:00:00Z"), None));
}

#[test]
fn a_quarter_of_an_hour_parts_two_losses() {
    let from = |looks: &[(&str, f64)]| course(looks).losses.iter().map(|loss| loss.percent).collect::<Vec<_>>();
    assert_eq!(from(&[("20 15:00", 30.0), ("20 15:10", 28.0), ("20 15:24", 25.0)]), [5.0]);
    assert_eq!(from(&[("20 15:00", 30.0), ("20 15:10", 28.0), ("20 15:25", 25.0)]), [2.0, 3.0]);
}

/// Of more losses than are kept the least goes, but never the latest: it may still grow.
#[test]
fn eight_losses_are_kept_and_the_latest_is_one_of_them() {
    let losses = |falls: &[f64]| -> Vec<f64> {
        let (mut left, mut looks) = (90.0, vec![("20 00:00".to_owned(), 90.0)]);
        for (hour, fall) in (1..).zip(falls) {
            left -= fall;
            looks.push((format!("20 {hour:02}:00"), left));
        }
        let looks: Vec<(&str, f64)> = looks.iter().map(|(time, left)| (time.as_str(), *left)).collect();
        course(&looks).losses.iter().map(|loss| loss.percent).collect()
    };
    let eight = [5.0, 4.0, 2.0, 6.0, 7.0, 3.0, 5.0, 4.0];
    assert_eq!(losses(&eight), eight);
    assert_eq!(losses(&[&eight[..], &[1.0]].concat()), [5.0, 4.0, 6.0, 7.0, 3.0, 5.0, 4.0, 1.0]);
}

proptest! {
    /// A quiet cluster gets no writes: where nothing is measured anew nothing changes, but for what grows old.
    #[test]
    fn nothing_changes_where_the_figure_does_not(remaining in -50_i32..1_000, later in 0_i64..10_000_000) {
        let remaining = f64::from(remaining) / 10.0;
        let status = budget_status(Remaining::from_percent(remaining).unwrap());
        let now = at("2026-11-20T08:00:00Z");
        let reading = |last: Option<f64>| Reading { status, remaining, last, objective: "availability", present: None };
        let first = advance(None, &reading(None), &TimeZone::UTC, now);
        let then = Time(jiff::Timestamp::from_second(now.0.as_second() + later).unwrap());
        prop_assert_eq!(advance(Some(&first), &reading(Some(remaining)), &TimeZone::UTC, then), first);
    }

    #[test]
    fn what_is_kept_is_bounded(figures in proptest::collection::vec((0_i64..200_000, 0_i32..1_000), 1..120)) {
        let (mut now, mut course, mut last) = (1_700_000_000_i64, None, None);
        for (pause, remaining) in figures {
            now += pause;
            let remaining = f64::from(remaining) / 10.0;
            let status = budget_status(Remaining::from_percent(remaining).unwrap());
            let time = Time(jiff::Timestamp::from_second(now).unwrap());
            let reading = Reading { status, remaining, last, objective: "availability", present: None };
            let next = advance(course.as_ref(), &reading, &TimeZone::UTC, time);
            prop_assert!(next.losses.len() <= 8 && next.days.len() <= 8 && next.episodes.len() <= 3);
            prop_assert!(next.depleted_at.is_none_or(|at| at > time));
            prop_assert!(next.since <= time && costliest(&next).len() <= 3);
            (course, last) = (Some(next), Some(remaining));
        }
    }
}

/// 42 % left at noon of the 20th, and how fast the budget of a 30-day window goes.
fn burning(before: Option<&Course>, rate: f64, over: Span, longer: Option<f64>, time: &str) -> Course {
    let longer = longer.map(|rate| (rate, Span::days(3)));
    let present = Some(Present { rate, over, longer, window: Span::days(30) });
    let last = before.map(|_| 42.0);
    let reading = Reading { status: BudgetStatus::Warning, remaining: 42.0, last, objective: "availability", present };
    advance(before, &reading, &TimeZone::UTC, at(&format!("2026-11-20T{time}:00Z")))
}

const SIX_HOURS: Span = Span::hours(6);

/// `001_…`, "at current rate": 42 % of 30 days are 12.6 days at once what the window allows.
#[rstest]
#[case::as_fast_as_allowed(1.0, Some(1.0), Some(("2026-12-04T00:00:00Z", Confidence::High)))]
#[case::an_outage(20.0, Some(0.5), Some(("2026-11-21T04:00:00Z", Confidence::Low)))]
#[case::faster_than_before(6.0, Some(2.0), Some(("2026-11-23T00:00:00Z", Confidence::Medium)))]
#[case::nothing_to_compare_with(6.0, None, Some(("2026-11-23T00:00:00Z", Confidence::Low)))]
#[case::it_outlasts_the_window(0.42, Some(0.42), None)]
#[case::it_hardly_does_not(0.43, Some(0.43), Some(("2026-12-20T00:00:00Z", Confidence::High)))]
#[case::calm(0.0, Some(3.0), None)]
fn how_long_it_lasts_as_it_burns_now(
    #[case] rate: f64,
    #[case] longer: Option<f64>,
    #[case] expected: Option<(&str, Confidence)>,
) {
    let course = burning(None, rate, SIX_HOURS, longer, "12:00");
    let expected = expected.map(|(time, confidence)| (at(time), confidence));
    assert_eq!(course.depleted_at.zip(course.confidence), expected);
    assert_eq!(course.projected_by.map(|burn| burn.over), expected.map(|_| SIX_HOURS));
    assert_eq!((course.projected_since, course.compared_since), (None, None));
}

/// What was lost on the days before is no reason to expect more of it, nor less.
#[test]
fn the_present_burn_goes_before_the_days() {
    let before = course(&[("19 00:00", 60.0), ("20 00:00", 50.0), ("20 11:00", 42.0)]);
    assert!(before.depleted_at.is_some() && before.projected_since.is_some());
    assert_eq!(burning(Some(&before), 0.1, SIX_HOURS, Some(0.1), "12:00").depleted_at, None);
    let burns = burning(Some(&before), 6.0, SIX_HOURS, Some(6.0), "12:00");
    assert_eq!((burns.depleted_at, burns.projected_since), (Some(at("2026-11-23T00:00:00Z")), None));
}

#[test]
fn a_projection_by_the_burn_is_written_anew_when_the_burn_is_another_one() {
    let first = burning(None, 6.0, SIX_HOURS, Some(6.0), "12:00");
    let moved = burning(Some(&first), 6.9, SIX_HOURS, Some(4.0), "12:01");
    assert_eq!(moved, first, "the rate moves at every look");
    let unknown = Reading {
        status: BudgetStatus::Warning,
        remaining: 42.0,
        last: Some(42.0),
        objective: "availability",
        present: None,
    };
    assert_eq!(
        advance(Some(&first), &unknown, &TimeZone::UTC, at("2026-11-20T12:01:00Z")),
        first,
        "nobody knows better"
    );
    let faster = burning(Some(&first), 20.0, Span::hours(1), Some(6.0), "12:01");
    assert_eq!((faster.depleted_at, faster.projected_by.unwrap().rate), (Some(at("2026-11-21T04:00:00Z")), 20.0));
    let over = burning(Some(&faster), 0.1, SIX_HOURS, Some(6.0), "12:02");
    assert_eq!((over.depleted_at, over.confidence, over.projected_by), (None, None, None));
}
