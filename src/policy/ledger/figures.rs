//! The figures of a window (`000_…` §8; `003_…`, Modules 6 and 7), from the records of a budget.
//!
//! A change counts in the window in which the moment lies that a figure speaks of: users met it (`deploys`), it ended
//! (`ended`, `failed`, MTTR), it was brought back (`rollbacks`). So what began before a window turned is counted once.

use super::Entry;
use crate::api::figures::{DiffSizes, Figures};
use crate::api::{Span, Time};
use crate::policy::adjustment::WindowFigures;
use crate::policy::window::Period;

/// A frequency needs this much of a window behind it: three deploys in the first hour are no 500 a week.
const RATED_AFTER: Span = Span::days(1);

/// What a window showed, of the releases that users met and that ended in it.
pub(super) fn outcomes(entries: &[Entry], period: &Period) -> WindowFigures {
    let ended: Vec<&Entry> =
        entries.iter().filter(|entry| entry.is_deploy() && entry.ended_at.is_some_and(|at| period.holds(at))).collect();
    let failed: Vec<&&Entry> = ended.iter().filter(|entry| entry.failed()).collect();
    let times = failed.iter().filter_map(|entry| entry.recovered);
    WindowFigures {
        releases: number(ended.len()),
        failed: number(failed.len()),
        mttr: mean(times).unwrap_or(Span::ZERO),
    }
}

/// All figures of a window. They change with records alone, never with the time: a figure that moved by itself would be
/// written at every look.
pub fn figures(entries: &[Entry], period: &Period) -> Figures {
    let deploys: Vec<&Entry> = entries
        .iter()
        .filter(|entry| entry.is_deploy() && entry.charge.as_ref().is_some_and(|charge| period.holds(charge.at)))
        .collect();
    let past_gate = number(deploys.iter().filter(|entry| went_past(entry)).count());
    let back: Vec<_> = entries
        .iter()
        .filter(|entry| entry.charge.is_some())
        .filter_map(|entry| entry.rollback)
        .filter(|rollback| rollback.is_of_the_change() && period.holds(rollback.at))
        .collect();
    let shown = outcomes(entries, period);
    let recovered = entries
        .iter()
        .any(|entry| entry.failed() && entry.recovered.is_some() && entry.ended_at.is_some_and(|at| period.holds(at)));
    Figures {
        window: period.key.clone(),
        deploys: number(deploys.len()),
        ended: shown.releases,
        failed: shown.failed,
        change_failure_percent: percent(shown.failed, shown.releases),
        mttr: recovered.then_some(shown.mttr),
        rollbacks: number(back.len()),
        time_to_rollback: mean(back.iter().filter_map(|rollback| rollback.took)),
        longest_rollback: back.iter().filter_map(|rollback| rollback.took).max(),
        late_rollbacks: number(back.iter().filter(|rollback| rollback.late).count()),
        past_gate,
        gate_compliance_percent: percent(number(deploys.len()).saturating_sub(past_gate), number(deploys.len())),
        shown_short: number(deploys.iter().filter(|entry| entry.shown_short && !went_past(entry)).count()),
        diff_sizes: sizes(deploys.iter().map(|entry| entry.diff_lines)),
    }
}

/// Deploy frequency: deploys for seven days of the window as it is at `now`; none on its first day.
pub fn deploys_per_week(figures: &Figures, from: Time, now: Time) -> Option<f64> {
    let elapsed = now.since(from);
    (elapsed >= RATED_AFTER).then(|| f64::from(figures.deploys) * Span::days(7).as_secs_f64() / elapsed.as_secs_f64())
}

/// As an exception, or ungated.
fn went_past(entry: &Entry) -> bool {
    entry.charge.as_ref().is_some_and(|charge| charge.exception)
}

/// `000_…` §8 asks "are we shipping huge diffs?" and gives no figures: the classes are Tidegate's own.
fn sizes(lines: impl Iterator<Item = Option<u32>>) -> DiffSizes {
    let mut sizes = DiffSizes::default();
    for lines in lines {
        let class = match lines {
            None => &mut sizes.unknown,
            Some(0..=10) => &mut sizes.tiny,
            Some(11..=100) => &mut sizes.small,
            Some(101..=400) => &mut sizes.medium,
            Some(401..=1_000) => &mut sizes.large,
            Some(1_001..) => &mut sizes.huge,
        };
        *class = class.saturating_add(1);
    }
    sizes
}

fn percent(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| (f64::from(part) * 1_000.0 / f64::from(whole)).round() / 10.0)
}

fn mean(times: impl Iterator<Item = Span>) -> Option<Span> {
    let times: Vec<u64> = times.map(Span::as_millis).collect();
    times.iter().sum::<u64>().checked_div(times.len() as u64).map(Span::from_millis)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
