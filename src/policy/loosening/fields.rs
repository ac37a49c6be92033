//! Fields that are one value.

use super::Loosened;
use crate::api::risk_budget::{RewardSpec, Window, WindowKind};
use crate::policy::adjustment::EarnedPercent;
use crate::policy::{RiskPoints, Tier};

/// A lower tier has more points, smaller bases and lower gates (`000_…` §5.1 to §5.3).
pub(super) fn tier(former: u8, wanted: u8, held: &mut Vec<Loosened>) -> u8 {
    if wanted < former {
        held.push(Loosened::new("spec.tier", former, wanted));
    }
    wanted.max(former)
}

/// Points of each window, the tier's where the spec names none. `wanted` is judged in the tier that is in force.
pub(super) fn risk_points(
    former: (u8, Option<u32>),
    wanted: (u8, Option<u32>),
    held: &mut Vec<Loosened>,
) -> Option<u32> {
    let (before, after) = (allocation(former), allocation(wanted));
    if after <= before {
        return wanted.1;
    }
    held.push(Loosened::new("spec.riskPoints", before, after));
    former.1
}

/// The schema keeps other tiers out; one that came in all the same has nothing to spend.
fn allocation((tier, points): (u8, Option<u32>)) -> u32 {
    points.unwrap_or_else(|| Tier::new(tier).map_or(RiskPoints::ZERO, Tier::allocation).get())
}

/// Another window cuts time anew: what was spent before the cut counts no more, whichever way it is moved.
pub(super) fn window(former: &Window, wanted: &Window, held: &mut Vec<Loosened>) -> Window {
    if cuts(former) == cuts(wanted) {
        return wanted.clone();
    }
    held.push(Loosened::new("spec.window", said(former), said(wanted)));
    former.clone()
}

/// What decides where a window begins; a month has no first day and no length of its own.
fn cuts(window: &Window) -> (WindowKind, &str, Option<&str>, Option<u16>) {
    let (kind, zone) = (window.kind, window.time_zone.as_str());
    match kind {
        WindowKind::CalendarMonth => (kind, zone, None, None),
        WindowKind::Sprint => (kind, zone, window.sprint_start.as_deref(), window.sprint_days),
    }
}

fn said(window: &Window) -> String {
    match window.kind {
        WindowKind::CalendarMonth => format!("the month in {}", window.time_zone),
        WindowKind::Sprint => format!(
            "sprints of {} days from {} in {}",
            window.sprint_days.unwrap_or(0),
            window.sprint_start.as_deref().unwrap_or("no day"),
            window.time_zone
        ),
    }
}

/// Another Prometheus may know of fewer failures.
pub(super) fn metrics(former: &str, wanted: &str, held: &mut Vec<Loosened>) -> String {
    if former != wanted {
        held.push(Loosened::new("spec.metrics", former, wanted));
    }
    former.to_owned()
}

/// Other queries may know of fewer incidents, and of less load of the people on call.
pub(super) fn signals(former: Option<&str>, wanted: Option<&str>, held: &mut Vec<Loosened>) -> Option<String> {
    if former != wanted {
        held.push(Loosened::new("spec.signals", former.unwrap_or("default"), wanted.unwrap_or("default")));
    }
    former.map(str::to_owned)
}

/// More points, more categories, or the other kind of reward; without one it is the least share of points (`000_…` §5.6).
pub(super) fn reward(
    former: Option<&RewardSpec>,
    wanted: Option<&RewardSpec>,
    held: &mut Vec<Loosened>,
) -> Option<RewardSpec> {
    let grows = match (earned(former), earned(wanted)) {
        (Earned::Points(before), Earned::Points(after)) => after > before,
        (Earned::Gates(before), Earned::Gates(after)) => after.iter().any(|category| !before.contains(category)),
        (Earned::Points(_), Earned::Gates(_)) | (Earned::Gates(_), Earned::Points(_)) => true,
    };
    if !grows {
        return wanted.cloned();
    }
    held.push(Loosened::new("spec.reward", earned(former), earned(wanted)));
    former.cloned()
}

enum Earned<'a> {
    Points(u32),
    Gates(&'a [String]),
}

fn earned(spec: Option<&RewardSpec>) -> Earned<'_> {
    let least = EarnedPercent::LEAST.get();
    match spec.map(|spec| (spec.budget_percent, &spec.relaxed_categories)) {
        Some((Some(percent), _)) => Earned::Points(percent),
        Some((None, Some(categories))) => Earned::Gates(categories),
        Some((None, None)) | None => Earned::Points(least),
    }
}

impl std::fmt::Display for Earned<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Points(percent) => write!(f, "{percent} % more points"),
            Self::Gates(categories) => write!(f, "one gate less for {}", categories.join(", ")),
        }
    }
}
