//! Times in which little ships: restricted windows (`000_…` §5.3), and a freeze that SRE declared (`001_…`, SRE Team).

use super::Loosened;
use crate::api::Time;
use crate::api::risk_budget::{Freeze, RestrictedWindow};
use crate::policy::budget::freeze_holds;

/// What is still to come of a former window stays restricted, by whatever windows.
pub(super) fn restricted(
    former: &[RestrictedWindow],
    wanted: &[RestrictedWindow],
    now: Time,
    held: &mut Vec<Loosened>,
) -> Vec<RestrictedWindow> {
    let mut merged = wanted.to_vec();
    for window in former.iter().filter(|window| window.to > now) {
        let Some(open) = first_open(wanted, window.from.max(now), window.to) else { continue };
        let from = format!("{} to {}", window.from.clock(), window.to.clock());
        held.push(Loosened::new(
            format!("spec.restrictedWindows[{}]", window.name),
            from,
            format!("open from {}", open.clock()),
        ));
        merged.push(window.clone());
    }
    merged
}

/// The first moment from `from` on, before `to`, that no window holds.
fn first_open(windows: &[RestrictedWindow], from: Time, to: Time) -> Option<Time> {
    let mut at = from;
    while at < to {
        let covers = windows.iter().filter(|window| window.from <= at && at < window.to);
        match covers.map(|window| window.to).max() {
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
