//! Error budget arithmetic (`001_…`, Error Budget Fundamentals, Error Budget Calculation, Appendix A).

use crate::api::risk_budget::Freeze;
use crate::api::{BudgetStatus, Percent, Span, Time};

/// Above this many percent left the status is Healthy (`001_…`, Error Budget Thresholds).
pub const HEALTHY_ABOVE: Percent = Percent::whole(50);
/// Above this many percent left the status is at least Warning (`001_…`, Error Budget Thresholds).
pub const WARNING_ABOVE: Percent = Percent::whole(30);
/// Above this many percent left the status is at least Critical (`001_…`, Error Budget Thresholds).
pub const CRITICAL_ABOVE: Percent = Percent::whole(10);

/// Events over the whole window of an objective, as Prometheus counted them; whole numbers are not required,
/// because `increase()` extrapolates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SliCount {
    /// Events that missed the objective: failed or slow requests. From 0.
    pub bad: f64,
    /// All events. From 0.
    pub total: f64,
}

/// What is left of an error budget, in percent: 100 untouched, 0 spent, below 0 overspent.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Remaining(f64);

impl Remaining {
    /// A figure in percent that was kept, such as from a record; None when it is not finite or above 100.
    pub fn from_percent(percent: f64) -> Option<Self> {
        (percent.is_finite() && percent <= 100.0).then_some(Self(percent))
    }

    /// Percent left, unrounded; at most 100, may be negative.
    pub const fn percent(self) -> f64 {
        self.0
    }

    /// Percent left to one decimal: the figure that people see and that [`budget_status`] judges by.
    pub fn rounded(self) -> f64 {
        // Adding zero turns -0 into 0, which would be shown as "-0".
        (self.0 * 10.0).round() / 10.0 + 0.0
    }
}

impl std::fmt::Display for Remaining {
    /// `42.5 %`, `-3 %`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} %", self.rounded())
    }
}

/// What `count` leaves of the budget of `objective`: 1 - ((1 - ratio) / (1 - SLO)) (`001_…`, Error Budget Calculation).
///
/// None when nothing can be said: no events, a figure that is not finite or negative, or an objective of 100 %, which
/// has no budget. More bad events than events count as all of them: both are extrapolated apart.
pub fn remaining(objective: Percent, count: SliCount) -> Option<Remaining> {
    let budget = 1.0 - objective.ratio();
    let known = count.bad.is_finite() && count.total.is_finite();
    if !known || count.total <= 0.0 || count.bad < 0.0 || budget <= 0.0 {
        return None;
    }
    let bad_ratio = (count.bad / count.total).min(1.0);
    Remaining::from_percent((1.0 - bad_ratio / budget) * 100.0)
}

/// The status that a remainder stands for (`001_…`, Error Budget Thresholds): above 50 % Healthy, 30 to 50 Warning,
/// 10 to 30 Critical, below 10 Emergency.
///
/// The table names 30 and 10 twice and leaves 50 to both readings: at a boundary the stricter holds. It is judged by
/// the rounded figure, so that figure and status never contradict each other; rounding moves a status only to the
/// strict side.
pub fn budget_status(remaining: Remaining) -> BudgetStatus {
    let left = remaining.rounded();
    if left > HEALTHY_ABOVE.get() {
        BudgetStatus::Healthy
    } else if left > WARNING_ABOVE.get() {
        BudgetStatus::Warning
    } else if left > CRITICAL_ABOVE.get() {
        BudgetStatus::Critical
    } else {
        BudgetStatus::Emergency
    }
}

/// The percent above which a status, or a better one, is in force; None for Emergency, which has no floor.
pub const fn in_force_above(status: BudgetStatus) -> Option<Percent> {
    match status {
        BudgetStatus::Healthy => Some(HEALTHY_ABOVE),
        BudgetStatus::Warning => Some(WARNING_ABOVE),
        BudgetStatus::Critical => Some(CRITICAL_ABOVE),
        BudgetStatus::Emergency => None,
    }
}

/// The objective that leaves least, with what it leaves; the first of equals. None when there is none.
pub fn worst<'a>(objectives: &[(&'a str, Remaining)]) -> Option<(&'a str, Remaining)> {
    objectives.iter().copied().reduce(|worst, next| if next.1 < worst.1 { next } else { worst })
}

/// Whether a declared freeze holds at `now`: it has no end, or its end is still to come.
pub fn freeze_holds(freeze: &Freeze, now: Time) -> bool {
    freeze.until.is_none_or(|until| until > now)
}

/// The status in force: the measured one, or a declared freeze's where that is worse and holds at `now`
/// (`001_…`, Roles and Responsibilities, SRE Team: "Declare error budget freeze").
pub fn with_freeze(measured: BudgetStatus, freeze: Option<&Freeze>, now: Time) -> BudgetStatus {
    match freeze {
        Some(freeze) if freeze_holds(freeze, now) => measured.max(freeze.status),
        Some(_) | None => measured,
    }
}

/// The time in `window` that an objective lets everything fail (`001_…`, Fundamentals and Appendix A, example 1).
pub fn allowed_bad_time(objective: Percent, window: Span) -> Span {
    let share = (100.0 - objective.get()) / 100.0;
    // A window has at most 366 days of milliseconds and the share is at most 1: the cast loses nothing.
    Span::from_millis((window.as_millis() as f64 * share).round() as u64)
}

/// The bad events that an objective lets pass among `total` (`001_…`, Appendix A, example 2).
pub fn allowed_bad_events(objective: Percent, total: f64) -> f64 {
    total * (100.0 - objective.get()) / 100.0
}

/// Percent of the window's budget that an incident costs in which `bad_share` of the requests is bad for `lasting`,
/// at even traffic (`001_…`, Appendix A, incident impact). None where there is no budget or no window.
pub fn cost_percent(objective: Percent, window: Span, lasting: Span, bad_share: Percent) -> Option<f64> {
    let budget = window.as_secs_f64() * (100.0 - objective.get()) / 100.0;
    (budget > 0.0).then(|| lasting.as_secs_f64() * bad_share.ratio() / budget * 100.0)
}
