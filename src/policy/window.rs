//! The window in which risk points are spent: where it begins and ends (`000_…` §5.2: monthly by default, by sprint where
//! releases go by sprints).

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span as Calendar, Timestamp};

use crate::api::Time;
use crate::api::risk_budget::{Window, WindowKind};

/// How time is cut into windows, in the budget's time zone.
#[derive(Debug, Clone)]
pub struct Cut {
    zone: TimeZone,
    every: Every,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    Month,
    Sprint { first: Date, days: i32 },
}

/// One window. Its end is the beginning of the next: nothing is charged twice or to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// `2026-11` for a month, `2026-11-16` for a sprint: the day that it begins with.
    pub key: String,
    /// Its first moment.
    pub from: Time,
    /// The first moment after it.
    pub until: Time,
}

impl Period {
    /// Whether a moment lies in it.
    pub fn holds(&self, at: Time) -> bool {
        self.from <= at && at < self.until
    }
}

/// Why a window cannot be cut: field, value and remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// A sprint needs its first day.
    #[error("spec.window.sprintStart: {0:?} is no day: write one such as 2026-01-05")]
    Start(String),
    /// A sprint needs a length.
    #[error("spec.window.sprintDays: a Sprint window needs it, 1 to 90")]
    Days,
}

impl Cut {
    /// The cut that a budget asks for. The zone is looked up by the caller: a data base of zones is no pure thing.
    pub fn new(window: &Window, zone: TimeZone) -> Result<Self, CutError> {
        let every = match window.kind {
            WindowKind::CalendarMonth => Every::Month,
            WindowKind::Sprint => {
                let start = window.sprint_start.clone().unwrap_or_default();
                let first: Date = start.parse().map_err(|_| CutError::Start(start))?;
                let days = window.sprint_days.filter(|days| *days > 0).ok_or(CutError::Days)?;
                Every::Sprint { first, days: i32::from(days) }
            }
        };
        Ok(Self { zone, every })
    }

    /// The window that a moment lies in.
    pub fn at(&self, now: Time) -> Period {
        let today = now.0.to_zoned(self.zone.clone()).date();
        let first = match self.every {
            Every::Month => today.first_of_month(),
            Every::Sprint { first, days } => {
                let since = first.until(today).map_or(0, |span| span.get_days());
                first.saturating_add(Calendar::new().days(since.div_euclid(days).saturating_mul(days)))
            }
        };
        let next = first.saturating_add(match self.every {
            Every::Month => Calendar::new().months(1),
            Every::Sprint { days, .. } => Calendar::new().days(days),
        });
        let key = match self.every {
            Every::Month => first.strftime("%Y-%m").to_string(),
            Every::Sprint { .. } => first.to_string(),
        };
        Period { key, from: self.midnight(first, Timestamp::MIN), until: self.midnight(next, Timestamp::MAX) }
    }

    /// The window that is counted at `now`, where the one that was counted last began at `counted`. Windows turn forward only:
    /// a clock that is behind the one before it does not open a closed window again, whose points would be there a second time.
    pub fn after(&self, counted: Option<Time>, now: Time) -> Period {
        let here = self.at(now);
        match counted.map(|from| self.at(from)) {
            // Where time is cut anew, what was counted need not begin with a window.
            Some(last) if Some(last.from) == counted && here.from < last.from => last,
            Some(_) | None => here,
        }
    }

    /// The first moment of a day; where the clocks leave midnight out, the first that there is.
    fn midnight(&self, day: Date, beyond: Timestamp) -> Time {
        Time(day.to_zoned(self.zone.clone()).map_or(beyond, |zoned| zoned.timestamp()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn at(text: &str) -> Time {
        Time(text.parse().unwrap())
    }

    fn cut(zone: &str, sprint: Option<(&str, u16)>) -> Cut {
        let kind = if sprint.is_some() { WindowKind::Sprint } else { WindowKind::CalendarMonth };
        let window = Window {
            kind,
            time_zone: zone.to_owned(),
            sprint_start: sprint.map(|(start, _)| start.to_owned()),
            sprint_days: sprint.map(|(_, days)| days),
        };
        Cut::new(&window, TimeZone::get(zone).unwrap()).unwrap()
    }

    #[rstest]
    #[case::in_utc("UTC", None, "2026-11-21T17:00:00Z", "2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")]
    #[case::the_first_moment(
        "UTC",
        None,
        "2026-11-01T00:00:00Z",
        "2026-11",
        "2026-11-01T00:00:00Z",
        "2026-12-01T00:00:00Z"
    )]
    #[case::the_last(
        "UTC",
        None,
        "2026-11-30T23:59:59.999Z",
        "2026-11",
        "2026-11-01T00:00:00Z",
        "2026-12-01T00:00:00Z"
    )]
    #[case::already_december_there(
        "Asia/Tokyo",
        None,
        "2026-11-30T15:00:00Z",
        "2026-12",
        "2026-11-30T15:00:00Z",
        "2026-12-31T15:00:00Z"
    )]
    #[case::clocks_change_within(
        "Europe/Berlin",
        None,
        "2026-10-10T00:00:00Z",
        "2026-10",
        "2026-09-30T22:00:00Z",
        "2026-10-31T23:00:00Z"
    )]
    #[case::over_new_year(
        "UTC",
        None,
        "2026-12-31T12:00:00Z",
        "2026-12",
        "2026-12-01T00:00:00Z",
        "2027-01-01T00:00:00Z"
    )]
    #[case::a_sprint("UTC", Some(("2026-01-05", 14)), "2026-11-21T17:00:00Z", "2026-11-09", "2026-11-09T00:00:00Z", "2026-11-23T00:00:00Z")]
    #[case::before_the_first_sprint("UTC", Some(("2026-01-05", 14)), "2026-01-04T23:00:00Z", "2025-12-22", "2025-12-22T00:00:00Z", "2026-01-05T00:00:00Z")]
    fn a_window_is_cut_in_its_zone(
        #[case] zone: &str,
        #[case] sprint: Option<(&str, u16)>,
        #[case] now: &str,
        #[case] key: &str,
        #[case] from: &str,
        #[case] until: &str,
    ) {
        let wanted = Period { key: key.to_owned(), from: at(from), until: at(until) };
        assert_eq!(cut(zone, sprint).at(at(now)), wanted);
    }

    #[test]
    fn a_sprint_without_a_day_or_a_length_is_refused_with_field_and_remedy() {
        let window = Window { kind: WindowKind::Sprint, sprint_days: Some(14), ..Window::default() };
        let says = Cut::new(&window, TimeZone::UTC).unwrap_err().to_string();
        assert_eq!(says, "spec.window.sprintStart: \"\" is no day: write one such as 2026-01-05");
        let window = Window { sprint_start: Some("2026-01-05".into()), sprint_days: None, ..window };
        assert_eq!(Cut::new(&window, TimeZone::UTC).unwrap_err(), CutError::Days);
    }

    proptest! {
        #[test]
        fn windows_follow_each_other_without_a_gap(second in 0_i64..4_000_000_000, days in 1_u16..90, zone in 0_usize..4) {
            let zone = ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"][zone];
            for cut in [cut(zone, None), cut(zone, Some(("2026-01-05", days)))] {
                let now = Time(Timestamp::from_second(second).unwrap());
                let period = cut.at(now);
                prop_assert!(period.holds(now));
                let next = cut.at(period.until);
                prop_assert_eq!(period.until, next.from);
                prop_assert!(period.key < next.key);
            }
        }
    }

    /// Two processes never show the same time, and either may lead.
    #[rstest]
    #[case::nothing_was_counted(None, "2026-03-31T23:59:40Z", "2026-03")]
    #[case::the_same(Some("2026-03-01T00:00:00Z"), "2026-03-31T23:59:40Z", "2026-03")]
    #[case::it_turns(Some("2026-03-01T00:00:00Z"), "2026-04-01T00:00:00Z", "2026-04")]
    #[case::a_clock_that_is_behind(Some("2026-04-01T00:00:00Z"), "2026-03-31T23:59:40Z", "2026-04")]
    #[case::time_is_cut_anew(Some("2026-04-06T00:00:00Z"), "2026-04-07T12:00:00Z", "2026-04")]
    fn a_window_that_closed_stays_closed(#[case] counted: Option<&str>, #[case] now: &str, #[case] key: &str) {
        let period = cut("UTC", None).after(counted.map(at), at(now));
        assert_eq!(period.key, key);
    }
}
