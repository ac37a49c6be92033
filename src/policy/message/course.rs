//! The message of each level of the error budget (`001_…`, Freeze Policy, example messages): where it stands and stood,
//! how long it lasts, what ships and what does not, what is demanded by when, what cost most, when it is looked at next.

use crate::api::obligation::{Course, ObligationState, ObligationStatus, ProjectedBurn};
use crate::api::risk_budget::{Freeze, SloStatus};
use crate::api::{BudgetStatus, ChangeType, Time};
use crate::policy::budget::Remaining;
use crate::policy::confidence::Confidence;
use crate::policy::course::{costliest, earlier};
use crate::policy::freeze::{ChangeFacts, Permission, permission};
use crate::policy::obligation::{Demand, Trigger};

use super::{News, budget_line, freeze_line, lasts};

/// What the message of a level is made of.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// How the error budget went.
    pub course: &'a Course,
    /// What is left of it.
    pub left: Remaining,
    /// What decides: an objective, or a freeze.
    pub decided_by: &'a str,
    /// The freeze that is in force; none where none is.
    pub freeze: Option<&'a Freeze>,
    /// What is owed.
    pub owed: &'a [ObligationStatus],
    /// Each objective.
    pub slos: &'a [SloStatus],
}

/// The message, line by line; what there is nothing to say about is left out.
pub fn course_lines(told: &Told<'_>, now: Time) -> Vec<String> {
    let Told { course, left, decided_by, freeze, .. } = *told;
    let lines = [
        Some(budget_line(course.status, left, decided_by)),
        Some(history(told, now)),
        freeze.map(freeze_line),
        burns(told.slos),
        projection(told),
        blocked(course.status),
        demanded(told),
        cost_most(course),
        Some(format!("Next review: {}.", next_review(course.status, left))),
    ];
    lines.into_iter().flatten().collect()
}

/// What is told when the level changes; the first level is news where it is below Healthy.
pub fn course_news(before: Option<BudgetStatus>, told: &Told<'_>, now: Time) -> Option<News> {
    let status = told.course.status;
    let former = before.unwrap_or(BudgetStatus::Healthy);
    let reason = match status {
        BudgetStatus::Healthy => "ErrorBudgetHealthy",
        BudgetStatus::Warning => "ErrorBudgetWarning",
        BudgetStatus::Critical => "ErrorBudgetCritical",
        BudgetStatus::Emergency => "ErrorBudgetEmergency",
    };
    (status != former).then(|| News { warns: status > former, reason, note: course_lines(told, now).join(" ") })
}

/// `Since 20 Nov 08:05:00 UTC; it was 42 % on 20 Nov 08:00:00 UTC.`
fn history(told: &Told<'_>, now: Time) -> String {
    let was = earlier(told.course, told.left.rounded(), now)
        .map(|day| format!("; it was {} % on {}", day.remaining_percent, day.at.clock()))
        .unwrap_or_default();
    format!("Since {}{was}.", told.course.since.clock())
}

/// What goes too fast at present, whoever it calls: without the measured rate, which moves at every look.
fn burns(slos: &[SloStatus]) -> Option<String> {
    let line = |slo: &SloStatus| slo.burn.as_ref().map(|burn| format!("{} {burn}", slo.name));
    let lines: Vec<String> = slos.iter().filter_map(line).collect();
    (!lines.is_empty()).then(|| format!("Burns: {}.", lines.join("; ")))
}

fn projection(told: &Told<'_>) -> Option<String> {
    if told.left.percent() <= 0.0 {
        return Some("It is spent: the objective is missed.".to_owned());
    }
    let course = told.course;
    if let Some(burn) = &course.projected_by {
        return by_burn(course, burn);
    }
    let since = course.projected_since.map_or_else(|| "of late".to_owned(), |since| format!("since {}", since.clock()));
    let longer = course.compared_since.map(|longer| format!("since {}", longer.clock()));
    let believed = match (course.confidence, longer) {
        (Some(Confidence::High), Some(longer)) => format!(" (high confidence: {longer} it went about as fast)"),
        (Some(Confidence::Medium), Some(longer)) => {
            format!(" (medium confidence: {longer} it went two to four times as fast, or as slowly)")
        }
        (Some(Confidence::Low), Some(longer)) => format!(" (low confidence: {longer} it went quite otherwise)"),
        (Some(Confidence::Low), None) => " (low confidence: nothing longer is known to compare with)".to_owned(),
        // As an earlier version wrote it.
        (Some(Confidence::High | Confidence::Medium), None) | (None, _) => String::new(),
    };
    course.depleted_at.map(|at| format!("As fast as {since} it is spent by {}{believed}.", at.clock()))
}

/// `As fast as over the last 6h (2.4 times what its window allows) it is spent by 23 Nov 15:00:00 UTC (high confidence: over 3d it went about as fast).`
fn by_burn(course: &Course, burn: &ProjectedBurn) -> Option<String> {
    let believed = match (course.confidence?, burn.compared_over) {
        (Confidence::High, Some(longer)) => format!("high confidence: over {longer} it went about as fast"),
        (Confidence::Medium, Some(longer)) => {
            format!("medium confidence: over {longer} it went two to four times as fast, or as slowly")
        }
        (Confidence::Low, Some(longer)) => format!("low confidence: over {longer} it went quite otherwise"),
        (confidence, None) => {
            format!("{} confidence: nothing longer is known to compare with", confidence.as_str().to_lowercase())
        }
    };
    let ProjectedBurn { rate, over, .. } = burn;
    let at = course.depleted_at?.clock();
    Some(format!(
        "As fast as over the last {over} ({rate} times what its window allows) it is spent by {at} ({believed})."
    ))
}

/// What is blocked, by the rules themselves; none where nothing is.
fn blocked(status: BudgetStatus) -> Option<String> {
    let facts = |kind: ChangeType| ChangeFacts { kind, severity: None, risk: None };
    let blocked: Vec<ChangeType> = ChangeType::ALL
        .iter()
        .copied()
        .filter(|kind| matches!(permission(&facts(*kind), status), Permission::Blocked(_)))
        .collect();
    let (fixes, others): (Vec<ChangeType>, Vec<ChangeType>) =
        blocked.into_iter().partition(|kind| facts(*kind).is_fix());
    let mut names: Vec<&str> = others.iter().map(|kind| kind.as_str()).collect();
    names.extend((!fixes.is_empty()).then_some("every other fix"));
    (!names.is_empty()).then(|| format!("Blocked: {}.", names.join(", ")))
}

/// What the level demands of people that is still owed.
fn demanded(told: &Told<'_>) -> Option<String> {
    let of_level = |one: &&ObligationStatus| {
        let by_level = Demand::named(&one.kind).is_some_and(|demand| matches!(demand.on, Trigger::Level(_)));
        by_level && one.state != ObligationState::Met
    };
    let line = |one: &ObligationStatus| {
        let overdue = if one.state == ObligationState::Overdue { " (overdue)" } else { "" };
        format!("{} by {}{overdue}", one.kind, one.due.clock())
    };
    let lines: Vec<String> = told.owed.iter().filter(of_level).map(line).collect();
    (!lines.is_empty()).then(|| format!("Demanded: {}.", lines.join(", ")))
}

fn cost_most(course: &Course) -> Option<String> {
    let line = |loss: &crate::api::obligation::LossStatus| {
        let until = match loss.from == loss.until {
            true => String::new(),
            false => format!(" to {}", loss.until.0.strftime("%H:%M")),
        };
        format!("{}{until} UTC {} % ({})", loss.from.0.strftime("%-d %b %H:%M"), loss.percent, loss.objective)
    };
    let lines: Vec<String> = costliest(course).into_iter().map(line).collect();
    (!lines.is_empty()).then(|| format!("Cost most in 24 hours: {}.", lines.join(", ")))
}

/// `001_…`, Error Budget Review Process; example messages, "Next Review" and "Next Update".
fn next_review(status: BudgetStatus, left: Remaining) -> String {
    let when = match status {
        BudgetStatus::Healthy => return "weekly, Monday 10:00".to_owned(),
        BudgetStatus::Warning => "daily at 10:00",
        BudgetStatus::Critical => "daily at 10:00 with a standup",
        BudgetStatus::Emergency => "every 6 hours, day and night,",
    };
    format!("{when} {}", lasts(status, left))
}
