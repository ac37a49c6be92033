//! `000_…` §5.3: "restricted windows (holidays/freeze)".

use jiff::tz::TimeZone;
use rstest::rstest;
use serde_json::{Value, json};

use crate::api::restricted_window::WeeklyTimes;
use crate::api::{RiskBudgetSpec, Time};
use crate::policy::restricted::{Restriction, Week, restricted, understand};

fn at(text: &str) -> Time {
    Time(text.parse().unwrap())
}

fn spec(windows: &Value) -> RiskBudgetSpec {
    serde_json::from_value(json!({
        "tier": 2, "slos": [{"name": "a", "objective": 99.5, "availability": {"service": "web"}}],
        "window": {"timeZone": "Europe/Berlin"}, "restrictedWindows": windows,
    }))
    .unwrap()
}

fn windows(windows: &Value) -> Vec<Restriction> {
    understand(&spec(windows), |zone| TimeZone::get(zone).ok()).unwrap()
}

/// What holds, in words; empty where nothing does.
fn held(all: &Value, now: &str) -> String {
    restricted(&windows(all), at(now)).map_or_else(String::new, |holds| holds.to_string())
}

fn once() -> Value {
    json!([{"name": "Easter", "from": "2026-04-03T00:00:00+02:00", "to": "2026-04-06T00:00:00Z"}])
}

fn weekly(days: &[&str], from: &str, to: &str) -> Value {
    json!([{"name": "w", "weekly": {"days": days, "from": from, "to": to}}])
}

fn yearly(first: &str, last: &str) -> Value {
    json!([{"name": "y", "yearly": {"firstDay": first, "lastDay": last}}])
}

fn in_zone(mut all: Value, zone: &str) -> Value {
    all[0]["timeZone"] = json!(zone);
    all
}

#[rstest]
#[case::not_yet(once(), "2026-04-02T21:59:59Z", "")]
#[case::its_first_moment(once(), "2026-04-02T22:00:00Z", "Easter until 6 Apr 00:00:00 UTC")]
#[case::its_last(once(), "2026-04-05T23:59:59Z", "Easter until 6 Apr 00:00:00 UTC")]
#[case::its_end(once(), "2026-04-06T00:00:00Z", "")]
fn once_from_the_first_moment_up_to_the_end(#[case] all: Value, #[case] now: &str, #[case] says: &str) {
    assert_eq!(held(&all, now), says);
}

/// 20 November 2026 is a Friday; Berlin is at +01:00 then.
#[rstest]
#[case::not_yet(weekly(&["Friday"], "16:00", "24:00"), "2026-11-20T14:59:59Z", "")]
#[case::from_four_on(weekly(&["Friday"], "16:00", "24:00"), "2026-11-20T15:00:00Z", "w until 20 Nov 23:00:00 UTC")]
#[case::until_midnight(weekly(&["Friday"], "16:00", "24:00"), "2026-11-20T23:00:00Z", "")]
#[case::another_day(weekly(&["Friday"], "16:00", "24:00"), "2026-11-19T16:00:00Z", "")]
#[case::over_midnight(weekly(&["Friday"], "22:00", "06:00"), "2026-11-21T04:59:59Z", "w until 21 Nov 05:00:00 UTC")]
#[case::over_midnight_and_over(weekly(&["Friday"], "22:00", "06:00"), "2026-11-21T05:00:00Z", "")]
#[case::the_morning_of_the_day_is_not_the_night_before(weekly(&["Friday"], "22:00", "06:00"), "2026-11-20T04:00:00Z", "")]
#[case::up_to_midnight_by_its_other_name(weekly(&["Friday"], "16:00", "00:00"), "2026-11-20T22:59:59Z", "w until 20 Nov 23:00:00 UTC")]
#[case::whole_days_follow_each_other(weekly(&["Saturday", "Sunday"], "00:00", "24:00"), "2026-11-20T23:00:00Z", "w until 22 Nov 23:00:00 UTC")]
#[case::in_a_zone_of_its_own(in_zone(weekly(&["Friday"], "16:00", "24:00"), "Asia/Tokyo"), "2026-11-20T07:00:00Z", "w until 20 Nov 15:00:00 UTC")]
#[case::without_end(weekly(&["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"], "00:00", "24:00"), "2026-11-20T07:00:00Z", "w, with no end in sight")]
fn every_week_by_the_clocks_of_the_zone(#[case] all: Value, #[case] now: &str, #[case] says: &str) {
    assert_eq!(held(&all, now), says);
}

/// In Berlin 2026: 29 March, 02:00 becomes 03:00 (01:00 UTC); 25 October, 03:00 becomes 02:00 (01:00 UTC). Both are Sundays.
#[rstest]
#[case::before_the_skip(("02:30", "03:30"), "2026-03-29T00:59:59Z", "")]
#[case::a_beginning_that_is_skipped_is_the_skip(("02:30", "03:30"), "2026-03-29T01:00:00Z", "w until 29 Mar 01:30:00 UTC")]
#[case::an_end_that_is_skipped_is_the_skip(("01:00", "02:30"), "2026-03-29T00:30:00Z", "w until 29 Mar 01:00:00 UTC")]
#[case::and_no_later(("01:00", "02:30"), "2026-03-29T01:00:00Z", "")]
#[case::all_of_it_skipped(("02:10", "02:50"), "2026-03-29T01:00:00Z", "")]
#[case::a_short_day(("00:00", "24:00"), "2026-03-29T21:59:59Z", "w until 29 Mar 22:00:00 UTC")]
#[case::first_time(("02:15", "02:45"), "2026-10-25T00:15:00Z", "w until 25 Oct 01:45:00 UTC")]
#[case::between_both_times(("02:15", "02:45"), "2026-10-25T01:00:00Z", "w until 25 Oct 01:45:00 UTC")]
#[case::second_time(("02:15", "02:45"), "2026-10-25T01:44:59Z", "w until 25 Oct 01:45:00 UTC")]
#[case::over(("02:15", "02:45"), "2026-10-25T01:45:00Z", "")]
#[case::a_long_day(("00:00", "24:00"), "2026-10-25T22:59:59Z", "w until 25 Oct 23:00:00 UTC")]
fn where_clocks_are_put_forward_and_back(#[case] (from, to): (&str, &str), #[case] now: &str, #[case] says: &str) {
    assert_eq!(held(&weekly(&["Sunday"], from, to), now), says);
}

#[rstest]
#[case::eve(yearly("12-20", "01-02"), "2026-12-19T22:59:59Z", "")]
#[case::first_day(yearly("12-20", "01-02"), "2026-12-19T23:00:00Z", "y until 2 Jan 23:00:00 UTC")]
#[case::after_new_year(yearly("12-20", "01-02"), "2027-01-02T22:59:59Z", "y until 2 Jan 23:00:00 UTC")]
#[case::over(yearly("12-20", "01-02"), "2027-01-02T23:00:00Z", "")]
#[case::within_a_year(yearly("07-01", "07-01"), "2027-07-01T12:00:00Z", "y until 1 Jul 22:00:00 UTC")]
#[case::the_year_after(yearly("07-01", "07-01"), "2028-07-01T12:00:00Z", "y until 1 Jul 22:00:00 UTC")]
#[case::the_29th_in_a_leap_year(yearly("02-20", "02-29"), "2028-02-29T12:00:00Z", "y until 29 Feb 23:00:00 UTC")]
#[case::the_29th_in_another(yearly("02-20", "02-29"), "2027-02-28T12:00:00Z", "y until 28 Feb 23:00:00 UTC")]
#[case::from_the_29th_in_another(yearly("02-29", "03-05"), "2027-02-28T12:00:00Z", "")]
#[case::from_the_first_of_march_then(yearly("02-29", "03-05"), "2027-02-28T23:00:00Z", "y until 5 Mar 23:00:00 UTC")]
#[case::with_a_change_of_clocks_within(yearly("03-28", "03-29"), "2026-03-29T21:59:59Z", "y until 29 Mar 22:00:00 UTC")]
#[case::where_a_day_was_left_out(in_zone(yearly("12-30", "12-30"), "Pacific/Apia"), "2011-12-30T10:00:00Z", "")]
#[case::over_new_year_to_the_29th(yearly("12-20", "02-29"), "2027-12-25T12:00:00Z", "y until 29 Feb 23:00:00 UTC")]
#[case::in_a_zone_of_its_own(in_zone(yearly("12-20", "01-02"), "America/New_York"), "2026-12-20T04:59:59Z", "")]
fn every_year_on_whole_days(#[case] all: Value, #[case] now: &str, #[case] says: &str) {
    assert_eq!(held(&all, now), says);
}

#[test]
fn windows_that_touch_are_told_with_the_end_of_the_last() {
    let all = json!([
        {"name": "evening", "weekly": {"days": ["Friday"], "from": "16:00"}},
        {"name": "weekend", "weekly": {"days": ["Saturday", "Sunday"]}},
        {"name": "launch", "from": "2026-11-22T12:00:00Z", "to": "2026-11-23T09:00:00Z"},
    ]);
    assert_eq!(held(&all, "2026-11-20T16:00:00Z"), "evening until 23 Nov 09:00:00 UTC");
    assert_eq!(held(&json!([]), "2026-11-20T16:00:00Z"), "");
}

#[rstest]
#[case::zone(
    in_zone(yearly("12-20", "01-02"), "Europe/Vena"),
    "spec.restrictedWindows[0] (y).timeZone: there is no time zone \"Europe/Vena\"; write one of the IANA data base, such as Europe/Berlin"
)]
#[case::day(
    yearly("12-20", "02-30"),
    "spec.restrictedWindows[0] (y).yearly.lastDay: \"02-30\" is no day; write month and day, such as 12-20"
)]
#[case::time(
    weekly(&["Friday"], "16h", "24:00"),
    "spec.restrictedWindows[0] (w).weekly.from: \"16h\" is no time from 00:00 to 23:59"
)]
#[case::no_beginning_of_a_day(
    weekly(&["Friday"], "24:00", "24:00"),
    "spec.restrictedWindows[0] (w).weekly.from: \"24:00\" is no time from 00:00 to 23:59"
)]
#[case::no_minute(
    weekly(&["Friday"], "16:00", "16:60"),
    "spec.restrictedWindows[0] (w).weekly.to: \"16:60\" is no time from 00:00 to 24:00"
)]
#[case::nothing(json!([{"name": "x"}]), "spec.restrictedWindows[0] (x): say from and to (once), weekly or yearly, one of the three")]
fn what_cannot_be_understood_is_told_with_field_value_and_remedy(#[case] all: Value, #[case] says: &str) {
    assert_eq!(understand(&spec(&all), |zone| TimeZone::get(zone).ok()).unwrap_err(), says);
}

/// In minutes from Monday 00:00 on.
#[rstest]
#[case::a_day("Monday", "00:00", "24:00", &[(0, 1_440)])]
#[case::the_last_day("Sunday", "00:00", "24:00", &[(8_640, 10_080)])]
#[case::sundays_night_goes_on_on_monday("Sunday", "22:00", "06:00", &[(9_960, 10_080), (0, 360)])]
fn what_a_week_covers(#[case] day: &str, #[case] from: &str, #[case] to: &str, #[case] covers: &[(u16, u16)]) {
    let times: WeeklyTimes = serde_json::from_value(json!({"days": [day], "from": from, "to": to})).unwrap();
    assert_eq!(Week::parse(&times).unwrap().spans(), covers);
}
