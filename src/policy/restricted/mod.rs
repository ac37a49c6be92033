//! Times in which only exceptions and rollbacks ship (`000_…` §5.3: "restricted windows (holidays/freeze)"): whether one
//! holds at a moment, and until when.
//!
//! Here belongs what a restricted window means: once, every week or every year, by the clocks of its time zone. What must
//! never enter: looking up a time zone, which is the caller's, and what is done about a restricted change (`gate`).

mod clock;
mod week;
mod year;

use std::fmt;

use jiff::tz::TimeZone;

use crate::api::restricted_window::RestrictedWindow;
use crate::api::{RiskBudgetSpec, Time};

pub use week::Week;
pub use year::Year;

/// A restricted window that is understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Restriction {
    name: String,
    when: When,
}

#[derive(Debug, Clone, PartialEq)]
enum When {
    Once { from: Time, to: Time },
    Weekly(Week, TimeZone),
    Yearly(Year, TimeZone),
}

/// What restricts a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// The window, the first of several.
    pub name: String,
    /// The first moment that no window restricts; none where one follows the other for longer than anybody waits.
    pub until: Option<Time>,
}

/// Windows that follow each other without a gap are looked through up to so many: two months of nights and days.
const LINKS_MAX: usize = 128;

impl fmt::Display for Holds {
    /// `Black Friday until 30 Nov 00:00:00 UTC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) => write!(f, "{} until {}", self.name, until.clock()),
            None => write!(f, "{}, with no end in sight", self.name),
        }
    }
}

/// The restricted windows of a budget. `zone` finds a time zone by its IANA name. The error names field, value and remedy.
pub fn understand(spec: &RiskBudgetSpec, zone: impl Fn(&str) -> Option<TimeZone>) -> Result<Vec<Restriction>, String> {
    let one = |(place, window): (usize, &RestrictedWindow)| {
        let field = format!("spec.restrictedWindows[{place}] ({})", window.name);
        let zoned = || {
            let name = window.time_zone.as_deref().unwrap_or(&spec.window.time_zone);
            zone(name).ok_or_else(|| {
                format!("{field}.timeZone: there is no time zone {name:?}; write one of the IANA data base, such as Europe/Berlin")
            })
        };
        let when = match (&window.weekly, &window.yearly, window.from, window.to) {
            (Some(weekly), None, None, None) => {
                When::Weekly(Week::parse(weekly).map_err(|why| format!("{field}.weekly{why}"))?, zoned()?)
            }
            (None, Some(yearly), None, None) => {
                When::Yearly(Year::parse(yearly).map_err(|why| format!("{field}.yearly{why}"))?, zoned()?)
            }
            (None, None, Some(from), Some(to)) => When::Once { from, to },
            (_, _, _, _) => return Err(format!("{field}: say from and to (once), weekly or yearly, one of the three")),
        };
        Ok(Restriction { name: window.name.clone(), when })
    };
    spec.restricted_windows.iter().enumerate().map(one).collect()
}

/// What restricts `now`; none where nothing does.
pub fn restricted(windows: &[Restriction], now: Time) -> Option<Holds> {
    let first = windows.iter().find(|window| window.ends(now).is_some())?;
    let (mut at, mut links) = (now, 0);
    while let Some(end) = windows.iter().filter_map(|window| window.ends(at)).max() {
        (at, links) = (end, links + 1);
        if links == LINKS_MAX {
            return Some(Holds { name: first.name.clone(), until: None });
        }
    }
    Some(Holds { name: first.name.clone(), until: Some(at) })
}

impl Restriction {
    /// The first moment after the occurrence that holds at `now`, always later than `now`.
    fn ends(&self, now: Time) -> Option<Time> {
        match &self.when {
            When::Once { from, to } => (*from <= now && now < *to).then_some(*to),
            When::Weekly(week, zone) => week.ends(zone, now),
            When::Yearly(year, zone) => year.ends(zone, now),
        }
    }
}
