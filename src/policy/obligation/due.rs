//! By when something is owed.

use std::fmt;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span as Calendar, Timestamp};

use crate::api::{Span, Time};

/// By when something is owed. Days are those of the budget's time zone (`spec.window.timeZone`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// So long after it arose.
    Within(Span),
    /// At the end of the so many-th business day after it arose: Monday to Friday. Holidays are not known.
    BusinessDays(u8),
    /// So long after it arose, and again after each time that it was met.
    Every(Span),
    /// Each day at this full hour, 0 to 23.
    Daily(i8),
    /// Each Monday at this full hour, 0 to 23.
    Mondays(i8),
    /// Once in each calendar month.
    Monthly,
}

impl Due {
    /// Whether it is owed again once it was met.
    pub const fn renews(self) -> bool {
        match self {
            Self::Within(_) | Self::BusinessDays(_) => false,
            Self::Every(_) | Self::Daily(_) | Self::Mondays(_) | Self::Monthly => true,
        }
    }

    /// The moment by which it is owed: of something that arose, or was `met` the last time, at `from`.
    pub fn after(self, from: Time, met: bool, zone: &TimeZone) -> Time {
        let here = from.0.to_zoned(zone.clone());
        let today = here.date();
        let moment = |day: Date, hour: i8| {
            let at = day.at(hour, 0, 0, 0).to_zoned(zone.clone());
            Time(at.map_or(Timestamp::MAX, |zoned| zoned.timestamp()))
        };
        // What was met today is owed on another day; what arose today is owed today where the hour is still to come.
        let first = |hour: i8| if !met && moment(today, hour) > from { today } else { plus(today, 1) };
        match self {
            Self::Within(span) | Self::Every(span) => from.plus(span),
            Self::BusinessDays(days) => {
                let mut day = today;
                for _ in 0..days {
                    day = plus(day, 1);
                    while matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                        day = plus(day, 1);
                    }
                }
                moment(plus(day, 1), 0)
            }
            Self::Daily(hour) => moment(first(hour), hour),
            Self::Mondays(hour) => {
                let mut day = first(hour);
                while day.weekday() != Weekday::Monday {
                    day = plus(day, 1);
                }
                moment(day, hour)
            }
            Self::Monthly => {
                let months = if met { 2 } else { 1 };
                moment(today.first_of_month().saturating_add(Calendar::new().months(months)), 0)
            }
        }
    }
}

fn plus(day: Date, days: i32) -> Date {
    day.saturating_add(Calendar::new().days(days))
}

impl fmt::Display for Due {
    /// Completes "owed …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(span) => write!(f, "within {span}"),
            Self::BusinessDays(1) => f.write_str("within 1 business day"),
            Self::BusinessDays(days) => write!(f, "within {days} business days"),
            Self::Every(span) => write!(f, "every {span}"),
            Self::Daily(hour) => write!(f, "daily by {hour}:00"),
            Self::Mondays(hour) => write!(f, "every Monday by {hour}:00"),
            Self::Monthly => f.write_str("every month"),
        }
    }
}
