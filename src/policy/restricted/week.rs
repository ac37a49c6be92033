//! Times of days of every week.

use jiff::civil::{Date, Time as Clock};
use jiff::tz::TimeZone;

use super::clock;
use crate::api::Time;
use crate::api::restricted_window::{Weekday, WeeklyTimes};

/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// Minutes of a week.
const WEEK: u16 = 7 * DAY;

/// Times of days of every week, as clocks on the wall show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    days: Vec<Weekday>,
    /// Minutes since midnight, up to 23:59.
    from: u16,
    /// Minutes since the same midnight, up to 47:59: later than `from`.
    to: u16,
}

impl Week {
    /// What a manifest says. The error begins with the field below `weekly`, and has value and remedy.
    pub fn parse(times: &WeeklyTimes) -> Result<Self, String> {
        let from = minutes(&times.from).filter(|from| *from < DAY);
        let from = from.ok_or_else(|| format!(".from: {:?} is no time from 00:00 to 23:59", times.from))?;
        let to = minutes(&times.to).ok_or_else(|| format!(".to: {:?} is no time from 00:00 to 24:00", times.to))?;
        if times.days.is_empty() {
            return Err(".days: name at least one day, such as Friday".to_owned());
        }
        // An end before the beginning is on the next day.
        Ok(Self { days: times.days.clone(), from, to: if to <= from { to + DAY } else { to } })
    }

    /// The end of the occurrence that holds at `now`: one that began today, or yesterday and goes on over midnight.
    pub(super) fn ends(&self, zone: &TimeZone, now: Time) -> Option<Time> {
        let today = now.0.to_zoned(zone.clone()).date();
        let days = [today.yesterday().ok(), Some(today)];
        let held = days.into_iter().flatten().filter(|day| self.begins_on(*day)).filter_map(|day| {
            let from = clock::first(zone, at(day, self.from)?);
            let to = clock::last(zone, at(day, self.to)?);
            (from <= now && now < to).then_some(to)
        });
        held.max()
    }

    fn begins_on(&self, day: Date) -> bool {
        let number = day.weekday().to_monday_zero_offset();
        self.days.iter().any(|one| i32::from(one.number()) == i32::from(number))
    }

    /// The minutes of the week that it covers, from Monday 00:00 on, each with the first minute after it.
    pub fn spans(&self) -> Vec<(u16, u16)> {
        let mut all = Vec::new();
        for day in &self.days {
            let midnight = day.number() * DAY;
            let (from, to) = (midnight + self.from, midnight + self.to);
            all.push((from, to.min(WEEK)));
            // Sunday's night goes on on Monday.
            if to > WEEK {
                all.push((0, to - WEEK));
            }
        }
        all
    }

    /// A minute of the week in words: `Friday 16:00`.
    pub fn shown(minute: u16) -> String {
        let day = Weekday::ALL[usize::from(minute % WEEK / DAY)];
        format!("{day:?} {:02}:{:02}", minute % DAY / 60, minute % 60)
    }
}

/// `minutes` after midnight of a day, by the clocks.
fn at(day: Date, minutes: u16) -> Option<jiff::civil::DateTime> {
    let day = if minutes >= DAY { day.tomorrow().ok()? } else { day };
    let minutes = minutes % DAY;
    let hour = i8::try_from(minutes / 60).ok()?;
    Some(day.to_datetime(Clock::new(hour, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?))
}

/// `16:30` as minutes since midnight, up to 24:00.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let all = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && all <= DAY).then_some(all)
}
