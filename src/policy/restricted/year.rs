//! Whole days of every year.

use jiff::civil::{Date, Time as Clock};
use jiff::tz::TimeZone;

use super::clock;
use crate::api::Time;
use crate::api::restricted_window::YearlyDays;

/// Month and day.
type Day = (i8, i8);

/// A year in which every day has its place.
const LEAP: i16 = 2024;
/// Its days.
const YEAR: u16 = 366;

/// Whole days of every year, the last one included; over New Year where the last lies before the first.
///
/// 29 February is a day of leap years: in others, what begins with it begins on 1 March, what ends with it on 28 February.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Year {
    first: Day,
    last: Day,
}

impl Year {
    /// What a manifest says. The error begins with the field below `yearly`, and has value and remedy.
    pub fn parse(days: &YearlyDays) -> Result<Self, String> {
        let parsed = |field: &str, text: &str| {
            day(text).ok_or_else(|| format!(".{field}: {text:?} is no day; write month and day, such as 12-20"))
        };
        Ok(Self { first: parsed("firstDay", &days.first_day)?, last: parsed("lastDay", &days.last_day)? })
    }

    fn over_new_year(self) -> bool {
        self.last < self.first
    }

    /// The end of the occurrence that holds at `now`.
    pub(super) fn ends(self, zone: &TimeZone, now: Time) -> Option<Time> {
        let today = now.0.to_zoned(zone.clone()).date();
        let day = (today.month(), today.day());
        let (begun, not_over) = (day >= self.first, day <= self.last);
        if !(begun && not_over || self.over_new_year() && (begun || not_over)) {
            return None;
        }
        let year = if self.over_new_year() && begun { today.year() + 1 } else { today.year() };
        let (month, day) = self.last;
        let after = match Date::new(year, month, day) {
            Ok(last) => last.tomorrow().ok()?,
            // 29 February of a year that has none.
            Err(_) => Date::new(year, 3, 1).ok()?,
        };
        Some(clock::first(zone, after.to_datetime(Clock::midnight())))
    }

    /// The days of a leap year that it covers, counted from 1, each with the first day after it.
    pub fn spans(self) -> Vec<(u16, u16)> {
        let (first, after) = (place(self.first), place(self.last) + 1);
        if self.over_new_year() { vec![(first, YEAR + 1), (1, after)] } else { vec![(first, after)] }
    }

    /// A day of a leap year in words: `12-20`.
    pub fn shown(place: u16) -> String {
        let day = Date::new(LEAP, 1, 1)
            .ok()
            .and_then(|first| first.checked_add(jiff::Span::new().days(i32::from(place.saturating_sub(1)))).ok());
        day.map_or_else(String::new, |day| day.strftime("%m-%d").to_string())
    }
}

fn day(text: &str) -> Option<Day> {
    let (month, day) = text.split_once('-')?;
    let date = Date::new(LEAP, month.parse().ok()?, day.parse().ok()?).ok()?;
    Some((date.month(), date.day()))
}

fn place((month, day): Day) -> u16 {
    Date::new(LEAP, month, day).ok().and_then(|date| u16::try_from(date.day_of_year()).ok()).unwrap_or(YEAR)
}
