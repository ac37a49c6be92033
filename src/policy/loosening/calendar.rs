//! Times in which little ships: restricted windows (`000_…` §5.3), and a freeze that SRE declared (`001_…`, SRE Team).

use super::Loosened;
use crate::api::Time;
use crate::api::restricted_window::RestrictedWindow;
use crate::api::risk_budget::Freeze;
use crate::policy::budget::freeze_holds;
use crate::policy::restricted::{Week, Year};

/// What is still to come of a former window stays restricted, by whatever windows of its own kind: once, weekly or yearly.
///
/// Kinds are not set off against each other, and neither are zones: what one of them leaves open differs from year to year.
/// `zone` is the one in force, where a window names none.
pub(super) fn restricted(
    former: &[RestrictedWindow],
    wanted: &[RestrictedWindow],
    zone: &str,
    now: Time,
    held: &mut Vec<Loosened>,
) -> Vec<RestrictedWindow> {
    let mut merged = wanted.to_vec();
    for window in former {
        let Some((from, open)) = opened(window, wanted, zone, now) else { continue };
        let open = format!("open from {open}");
        held.push(Loosened::new(format!("spec.restrictedWindows[{}]", window.name), from, open));
        merged.push(window.clone());
    }
    merged
}

/// What a former window says, and the first time of it that is not restricted any more; none where all of it is.
fn opened(window: &RestrictedWindow, wanted: &[RestrictedWindow], zone: &str, now: Time) -> Option<(String, String)> {
    let in_zone = |one: &RestrictedWindow| one.time_zone.as_deref().unwrap_or(zone).to_owned();
    let named = in_zone(window);
    let beside = || wanted.iter().filter(|one| in_zone(one) == named);
    if let (Some(from), Some(to)) = (window.from, window.to) {
        let covers: Vec<_> = wanted.iter().filter_map(|one| Some((one.from?, one.to?))).collect();
        let open = (to > now).then(|| first_open(&covers, from.max(now), to))??;
        return Some((format!("{} to {}", from.clock(), to.clock()), open.clock()));
    }
    // What cannot be understood never restricted anything.
    if let Some(week) = window.weekly.as_ref().and_then(|times| Week::parse(times).ok()) {
        let weeks = beside().filter_map(|one| Week::parse(one.weekly.as_ref()?).ok());
        let covers: Vec<_> = weeks.flat_map(|week| week.spans()).collect();
        let open = week.spans().into_iter().find_map(|(from, to)| first_open(&covers, from, to))?;
        return Some((weekly(window, &named), Week::shown(open)));
    }
    let year = window.yearly.as_ref().and_then(|days| Year::parse(days).ok())?;
    let years = beside().filter_map(|one| Year::parse(one.yearly.as_ref()?).ok());
    let covers: Vec<_> = years.flat_map(Year::spans).collect();
    let open = year.spans().into_iter().find_map(|(from, to)| first_open(&covers, from, to))?;
    Some((yearly(window, &named), Year::shown(open)))
}

/// `Friday, Saturday 16:00 to 24:00 in Europe/Berlin`.
fn weekly(window: &RestrictedWindow, zone: &str) -> String {
    window.weekly.as_ref().map_or_else(String::new, |times| {
        let days: Vec<String> = times.days.iter().map(|day| format!("{day:?}")).collect();
        format!("{} {} to {} in {zone}", days.join(", "), times.from, times.to)
    })
}

/// `12-20 to 01-02 in UTC`.
fn yearly(window: &RestrictedWindow, zone: &str) -> String {
    window.yearly.as_ref().map_or_else(String::new, |days| format!("{} to {} in {zone}", days.first_day, days.last_day))
}

/// The first place from `from` on, before `to`, that no span covers.
fn first_open<T: Ord + Copy>(spans: &[(T, T)], from: T, to: T) -> Option<T> {
    let mut at = from;
    while at < to {
        match spans.iter().filter(|(from, to)| *from <= at && at < *to).map(|(_, to)| *to).max() {
            Some(until) => at = until,
            None => return Some(at),
        }
    }
    None
}

/// A freeze that holds is neither lifted, nor ended earlier, nor made milder; made stricter in one thing and milder in
/// another, the stricter of both holds.
pub(super) fn freeze(
    former: Option<&Freeze>,
    wanted: Option<&Freeze>,
    now: Time,
    held: &mut Vec<Loosened>,
) -> Option<Freeze> {
    let Some(before) = former.filter(|freeze| freeze_holds(freeze, now)) else { return wanted.cloned() };
    let Some(after) = wanted else {
        held.push(lifted(before, "lifted".to_owned()));
        return former.cloned();
    };
    if after.status >= before.status && lasts(after) >= lasts(before) {
        return wanted.cloned();
    }
    held.push(lifted(before, said(after)));
    let longer = if lasts(after) >= lasts(before) { after } else { before };
    Some(Freeze { status: after.status.max(before.status), reason: after.reason.clone(), until: longer.until })
}

/// Without an end it lasts longest.
fn lasts(freeze: &Freeze) -> (bool, Option<Time>) {
    (freeze.until.is_none(), freeze.until)
}

fn lifted(before: &Freeze, to: String) -> Loosened {
    Loosened { field: "spec.freeze".to_owned(), from: said(before), to, is_freeze: true }
}

fn said(freeze: &Freeze) -> String {
    let until =
        freeze.until.map_or_else(|| "until it is removed".to_owned(), |until| format!("until {}", until.clock()));
    format!("{} {until}", freeze.status)
}
