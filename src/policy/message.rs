//! What people read about the budget, its rules and what is owed under them (`001_…`, example messages), in one place.

mod course;
mod owed;

use std::fmt;

pub use course::{Told, course_lines, course_news};
pub use owed::{UnknownWaivers, owed_condition, owed_line, owed_news};

use crate::api::risk_budget::Freeze;
use crate::api::{BudgetStatus, ChangeType};

use super::budget::{Remaining, budget_status, in_force_above};
use super::freeze::{Blocked, Clause};
use super::sign_off::SignOff;

/// Something that is told once, when it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Whether somebody has to do something about it.
    pub warns: bool,
    /// One word for programs.
    pub reason: &'static str,
    /// The sentence.
    pub note: String,
}

/// What a status means for deployments, without figures and without its end.
pub const fn meaning(status: BudgetStatus) -> &'static str {
    match status {
        BudgetStatus::Healthy => "every change ships by its own schedule",
        BudgetStatus::Warning => {
            "changes ship slower, started by hand, with a senior engineer's and SRE's sign-off; high-risk changes wait"
        }
        BudgetStatus::Critical => {
            "partial freeze: only rollbacks and P0 or P1 fixes ship, with SRE's and the VP Engineering's sign-off"
        }
        BudgetStatus::Emergency => {
            "full freeze: only rollbacks and P0 outage fixes ship, with the VP Engineering's, SRE's and two senior engineers' sign-off"
        }
    }
}

/// Until when a status lasts, to follow a sentence: `until more than 30 % is left`. A declared freeze that is worse than the
/// figures does not end by them. Empty for Healthy, which waits for nothing.
fn lasts(status: BudgetStatus, left: Remaining) -> String {
    let better = match status {
        BudgetStatus::Healthy => return String::new(),
        BudgetStatus::Warning => BudgetStatus::Healthy,
        BudgetStatus::Critical => BudgetStatus::Warning,
        BudgetStatus::Emergency => BudgetStatus::Critical,
    };
    match in_force_above(better) {
        Some(above) if budget_status(left) >= status => format!("until more than {above} is left"),
        Some(_) | None => "until the declared freeze ends".to_owned(),
    }
}

/// One line about the budget: `Error budget WARNING: 42 % left (availability decides): …`.
pub fn budget_line(status: BudgetStatus, left: Remaining, decided_by: &str) -> String {
    let lasts = match lasts(status, left) {
        empty if empty.is_empty() => empty,
        lasts => format!(", {lasts}"),
    };
    format!("Error budget {}: {left} left ({decided_by} decides): {}{lasts}.", shouted(status), meaning(status))
}

/// One line about a freeze that people declared: what is in force, why, until when.
pub fn freeze_line(freeze: &Freeze) -> String {
    let until = match freeze.until {
        Some(until) => format!("until {}", until.clock()),
        None => "until spec.freeze is removed".to_owned(),
    };
    format!("Freeze declared: counts as {} {until}: {}.", shouted(freeze.status), freeze.reason.trim_end_matches('.'))
}

impl fmt::Display for Blocked {
    /// `blocked by "Feature releases: BLOCKED" (001, …)`; no full stop at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blocked by {}", listed(&self.by))?;
        if !self.despite.is_empty() {
            write!(f, "; {} would let it pass, the stricter holds", listed(&self.despite))?;
        }
        Ok(())
    }
}

/// Why a change waits, what would let it go and what may go now: `Feature at 18 % error budget (Critical): blocked by
/// "Feature releases: BLOCKED" (001, …). Ships once …. Allowed now: ….`.
pub fn blocked_line(kind: ChangeType, status: BudgetStatus, left: Option<Remaining>, blocked: &Blocked) -> String {
    let at = left.map_or_else(|| format!("under {status}"), |left| format!("at {left} error budget ({status})"));
    let once = ships_once(left, blocked);
    format!("{kind} {at}: {blocked}. Ships once {once}. Allowed now: {}.", blocked.allowed_now)
}

/// What ends a block, to follow "ships once".
pub fn ships_once(left: Option<Remaining>, blocked: &Blocked) -> String {
    match left {
        // The figures alone would let it go.
        Some(left) if left.rounded() > blocked.released_above.get() => "the declared freeze ends".to_owned(),
        Some(_) | None => format!("more than {} is left", blocked.released_above),
    }
}

/// Who must agree: `senior-engineer before the start (001, …), sre before 100 % (001, …)`; empty for nobody.
pub fn sign_off_line(sign_offs: &[SignOff]) -> String {
    let lines: Vec<String> = sign_offs.iter().map(|one| format!("{one} ({})", one.source)).collect();
    lines.join(", ")
}

fn listed(clauses: &[Clause]) -> String {
    let all: Vec<String> = clauses.iter().map(Clause::to_string).collect();
    all.join(" and ")
}

fn shouted(status: BudgetStatus) -> String {
    status.as_str().to_uppercase()
}
