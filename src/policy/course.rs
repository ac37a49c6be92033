//! How the error budget goes: since when it is at its level, what it lost, how long the rest lasts
//! (`001_…`, Freeze Policy, example messages: "was 42% yesterday", "Projected Depletion", "Recent Incidents").
//!
//! It is counted from the figures that are measured anyway, one look after the other. How long the rest lasts follows from how fast the
//! budget goes at present, and from the days before where nobody knows that. Nothing is written anew as long as the figure and the kind of
//! burn stay.

use jiff::tz::TimeZone;

use super::burn::Present;
use super::confidence::{Confidence, confidence};
use crate::api::obligation::{Course, DayStatus, Episode, LossStatus, ProjectedBurn};
use crate::api::{BudgetStatus, Span, Time};

/// Who comes back to a level within this time goes on with the episode before: a figure at a boundary would otherwise
/// demand a review at every crossing. The documents give no figure.
pub const SAME_EPISODE_WITHIN: Span = Span::hours(24);
/// Falls that are less apart are one loss: three points of the recording rules, which are made every five minutes.
const ONE_LOSS_WITHIN: Span = Span::minutes(15);
/// `001_…`, Emergency, example message: "Recent Incidents (last 24h)".
const LOSSES_SHOWN: Span = Span::hours(24);
/// A loss of less than so many percent of the budget is not told among those that cost most.
const LOSS_TOLD: f64 = 1.0;
/// How many cost most: three in the example message.
const LOSSES_TOLD: usize = 3;
/// Losses that are kept.
const LOSSES_KEPT: usize = 8;
/// Days that are kept.
const DAYS_KEPT: usize = 8;
/// A rate needs this much time behind it.
const RATE_AFTER: Span = Span::hours(1);
/// A projection beyond this is a day, one before it an hour.
const HOURS_UP_TO: Span = Span::hours(48);

/// One look at the error budget.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The level that is in force.
    pub status: BudgetStatus,
    /// Percent left, to one decimal.
    pub remaining: f64,
    /// The same at the look before; none at the first.
    pub last: Option<f64>,
    /// The objective that decides.
    pub objective: &'a str,
    /// How fast its budget goes at present; none where that is not known.
    pub present: Option<Present>,
}

/// The course after a look. `zone` tells where a day ends.
pub fn advance(before: Option<&Course>, reading: &Reading<'_>, zone: &TimeZone, now: Time) -> Course {
    let stays = before.filter(|before| before.status == reading.status);
    let mut course = Course {
        status: reading.status,
        since: stays.map_or(now, |stays| stays.since),
        before: stays.map_or_else(|| before.map(|before| before.status), |stays| stays.before),
        remaining_percent: stays.map_or(reading.remaining, |stays| stays.remaining_percent),
        episodes: episodes(before.map_or(&[], |before| &before.episodes), reading.status, now),
        days: days(before.map_or(&[], |before| &before.days), reading, zone, now),
        losses: losses(before.map_or(&[], |before| &before.losses), reading, now),
        depleted_at: None,
        confidence: None,
        projected_since: None,
        compared_since: None,
        projected_by: None,
    };
    // Where nothing changed the projection stays: it would move at every look, and be written.
    match before.filter(|before| reading.last == Some(reading.remaining) && before.days == course.days) {
        Some(before) if before.depleted_at.is_some_and(|at| at > now) && still_so(before, reading) => {
            (course.depleted_at, course.confidence) = (before.depleted_at, before.confidence);
            (course.projected_since, course.compared_since) = (before.projected_since, before.compared_since);
            course.projected_by = before.projected_by;
        }
        // A burn can begin before the figure moves; the days say nothing new.
        Some(_) => {
            course = projected(course, reading.present.and_then(|present| by_burn(&present, reading.remaining, now)))
        }
        None => {
            let found = match &reading.present {
                Some(present) => by_burn(present, reading.remaining, now),
                None => by_days(&course.days, reading.remaining, now),
            };
            course = projected(course, found);
        }
    }
    course
}

/// Whether the projection of before rests on what still holds: the same look back, over which the budget is still spent too soon. Where
/// nobody knows how fast it goes, nothing speaks against it.
fn still_so(before: &Course, reading: &Reading<'_>) -> bool {
    let Some(present) = &reading.present else { return true };
    let over = before.projected_by.map(|burn| burn.over);
    over == Some(present.over) && lasts(present, reading.remaining).is_some()
}

fn projected(course: Course, found: Option<Projection>) -> Course {
    let Some(Projection { at, confidence, rests_on }) = found else { return course };
    let course = Course { depleted_at: Some(at), confidence: Some(confidence), ..course };
    match rests_on {
        RestsOn::Days { since, compared } => {
            Course { projected_since: Some(since), compared_since: compared, ..course }
        }
        RestsOn::Burn(burn) => Course { projected_by: Some(burn), ..course },
    }
}

fn episodes(before: &[Episode], status: BudgetStatus, now: Time) -> Vec<Episode> {
    let of = |level: &BudgetStatus| {
        let known = before.iter().find(|episode| episode.level == *level);
        let goes_on = known.filter(|known| known.ended.is_none_or(|at| now.since(at) < SAME_EPISODE_WITHIN));
        match (goes_on, status >= *level) {
            (Some(known), true) => Some(Episode { ended: None, ..*known }),
            (Some(known), false) => Some(Episode { ended: known.ended.or(Some(now)), ..*known }),
            (None, true) => Some(Episode { level: *level, since: now, ended: None, passed: status > *level }),
            (None, false) => None,
        }
    };
    BudgetStatus::ALL.iter().filter(|level| **level > BudgetStatus::Healthy).filter_map(of).collect()
}

/// What was left before the first change of each day.
fn days(before: &[DayStatus], reading: &Reading<'_>, zone: &TimeZone, now: Time) -> Vec<DayStatus> {
    let day = |at: Time| at.0.to_zoned(zone.clone()).date();
    let mut days = before.to_vec();
    let new = match days.last() {
        None => Some(reading.remaining),
        Some(last) if day(last.at) < day(now) && last.remaining_percent != reading.remaining => {
            Some(reading.last.unwrap_or(reading.remaining))
        }
        Some(_) => None,
    };
    days.extend(new.map(|remaining_percent| DayStatus { at: now, remaining_percent }));
    let first = days.len().saturating_sub(DAYS_KEPT);
    days.split_off(first)
}

fn losses(before: &[LossStatus], reading: &Reading<'_>, now: Time) -> Vec<LossStatus> {
    let mut losses: Vec<LossStatus> =
        before.iter().filter(|loss| now.since(loss.until) < LOSSES_SHOWN).cloned().collect();
    let fall = one_decimal(reading.last.map_or(0.0, |last| last - reading.remaining));
    if fall > 0.0 {
        let objective: String = reading.objective.chars().take(128).collect();
        match losses.last_mut().filter(|loss| now.since(loss.until) < ONE_LOSS_WITHIN) {
            Some(loss) => {
                (loss.until, loss.percent, loss.objective) = (now, one_decimal(loss.percent + fall), objective);
            }
            None => losses.push(LossStatus { from: now, until: now, percent: fall, objective }),
        }
    }
    while losses.len() > LOSSES_KEPT {
        // The latest may still grow.
        let rest = &losses[..losses.len() - 1];
        let least = rest.iter().enumerate().min_by(|(_, one), (_, other)| one.percent.total_cmp(&other.percent));
        let Some(least) = least.map(|(index, _)| index) else { break };
        losses.remove(least);
    }
    losses
}

/// When nothing is left, and what says so.
struct Projection {
    at: Time,
    confidence: Confidence,
    rests_on: RestsOn,
}

enum RestsOn {
    /// What was left on other days.
    Days {
        /// Since when the rate is taken.
        since: Time,
        /// Since when the longer look back is that it was compared with.
        compared: Option<Time>,
    },
    /// How fast it goes at present.
    Burn(ProjectedBurn),
}

/// How long the rest lasts at the present rate; none where it outlasts the window: by then all that was spent before has left it, and
/// what goes no faster than once is never spent.
fn lasts(present: &Present, remaining: f64) -> Option<Span> {
    let share = remaining / 100.0 / present.rate;
    let lasts = present.rate > 0.0 && remaining > 0.0 && share < 1.0;
    lasts.then(|| Span::from_millis((present.window.as_secs_f64() * share * 1_000.0) as u64))
}

/// When nothing is left at the present rate (`001_…`, example messages, "at current rate"); believed as far as a longer window says the
/// same.
fn by_burn(present: &Present, remaining: f64, now: Time) -> Option<Projection> {
    let at = rounded_up(lasts(present, remaining)?, now)?;
    let confidence = confidence(present.rate, present.longer.map(|(rate, _)| rate));
    let burn = ProjectedBurn {
        rate: one_decimal(present.rate),
        over: present.over,
        compared_over: present.longer.map(|(_, over)| over),
    };
    Some(Projection { at, confidence, rests_on: RestsOn::Burn(burn) })
}

/// Up to the next full hour or day after so long: never a moment that is over.
fn rounded_up(rest: Span, now: Time) -> Option<Time> {
    let unit = if rest < HOURS_UP_TO { 3_600 } else { 86_400 };
    let at = now.plus(rest).0.as_second();
    jiff::Timestamp::from_second(at.div_euclid(unit).saturating_add(1) * unit).ok().map(Time)
}

/// When nothing is left where nobody knows how fast it goes at present: at the rate since the latest day that is far enough back; believed as far as the rate since the
/// earliest day that is known says the same.
fn by_days(days: &[DayStatus], remaining: f64, now: Time) -> Option<Projection> {
    let since = days.iter().rev().find(|day| now.since(day.at) >= RATE_AFTER)?;
    let fall = since.remaining_percent - remaining;
    if fall <= 0.0 || remaining <= 0.0 {
        return None;
    }
    let rate = |day: &DayStatus| (day.remaining_percent - remaining) / now.since(day.at).as_secs_f64();
    let longer = days.first().filter(|first| first.at < since.at);
    let confidence = confidence(rate(since), longer.map(rate));
    let rest = now.since(since.at).as_std().mul_f64((remaining / fall).min(10_000.0));
    let rest = Span::from_millis(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX));
    let rests_on = RestsOn::Days { since: since.at, compared: longer.map(|longer| longer.at) };
    Some(Projection { at: rounded_up(rest, now)?, confidence, rests_on })
}

/// What cost most in the last 24 hours, the costliest first (`001_…`, Emergency, example message).
pub fn costliest(course: &Course) -> Vec<&LossStatus> {
    let mut losses: Vec<&LossStatus> = course.losses.iter().filter(|loss| loss.percent >= LOSS_TOLD).collect();
    losses.sort_by(|one, other| other.percent.total_cmp(&one.percent).then(one.from.cmp(&other.from)));
    losses.truncate(LOSSES_TOLD);
    losses
}

/// What was left at the end of a day before this one, where it was another figure; the latest.
pub fn earlier(course: &Course, remaining: f64, now: Time) -> Option<&DayStatus> {
    course.days.iter().rev().find(|day| now.since(day.at) >= RATE_AFTER && day.remaining_percent != remaining)
}

fn one_decimal(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
