//! Whether the new version meets the objectives of its service, and for how long without a break
//! (`003_…`, module 3: "sustained SLO compliance over a 30-minute window").

use crate::api::compliance::Compliance;
use crate::api::{Percent, Span, Time};

use super::chance::beyond_chance;
use super::compare::{Overdispersion, Signal};
use super::evidence::Evidence;
use super::figures::{count, percent};
use super::limits::{EXTRAPOLATION_MAX, figure};

/// An objective, and what the new version did by it in a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective<'a> {
    /// Its name in the RiskBudget.
    pub name: &'a str,
    /// How many of the requests are to be good.
    pub objective: Percent,
    /// What makes a request bad.
    pub bad_is: Signal,
    /// Requests that were bad.
    pub bad: Evidence<f64>,
}

/// What one look comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Every objective was met, as far as so many requests tell.
    Met,
    /// One was missed, clearly. The figures, in words.
    Missed(String),
    /// It cannot be told. Why, in words.
    NotKnown(String),
}

/// What the objectives come to: missed by more than chance explains (1 in 1,000, with bad requests
/// that scatter as stable's failures did, and at least five of them), not known, or met.
/// What is missed counts more than what is not known. Without requests, or without an objective, nothing is known.
pub fn look(requests: &Evidence<f64>, objectives: &[Objective<'_>], scatter: Overdispersion) -> Look {
    let requests = match figure(requests, "requests of the new version") {
        Ok(requests) if requests >= 1.0 => requests,
        Ok(_) => return Look::NotKnown("the new version answered no request".to_owned()),
        Err(why) => return Look::NotKnown(why.to_string()),
    };
    let looks = objectives.iter().map(|objective| of(requests, objective, scatter));
    let mut found = Look::NotKnown("its RiskBudget has no objective of this Service".to_owned());
    for (index, look) in looks.enumerate() {
        found = match (look, found) {
            (missed @ Look::Missed(_), _) => return missed,
            (other, _) if index == 0 => other,
            (Look::Met, before) => before,
            (unknown @ Look::NotKnown(_), Look::Met | Look::Missed(_)) => unknown,
            (Look::NotKnown(_), before @ Look::NotKnown(_)) => before,
        };
    }
    found
}

fn of(requests: f64, objective: &Objective<'_>, scatter: Overdispersion) -> Look {
    let bad = match figure(&objective.bad, &format!("requests of the new version that {}", objective.bad_is)) {
        Ok(bad) if bad > requests * EXTRAPOLATION_MAX => {
            return Look::NotKnown(format!("{} of {} requests {}", count(bad), count(requests), objective.bad_is));
        }
        Ok(bad) => bad.min(requests),
        Err(why) => return Look::NotKnown(why.to_string()),
    };
    let allowed = 1.0 - objective.objective.ratio();
    if !beyond_chance(bad, requests, allowed, scatter) {
        return Look::Met;
    }
    Look::Missed(format!(
        "{}: {} of {} requests {}, {} may",
        objective.name,
        percent(bad / requests),
        count(requests),
        objective.bad_is,
        percent(allowed)
    ))
}

/// How far looks reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// How far back this one looks.
    pub back: Span,
    /// How far apart two may be to be one course: `spec.analysis.window`.
    pub apart: Span,
    /// How often one counts: `spec.analysis.interval`.
    pub every: Span,
}

/// How it stands after a look; one counts an interval. A miss begins anew. Time in which it was not known does not count, and
/// takes nothing away.
pub fn counted(before: Option<&Compliance>, look: &Look, reach: Reach, now: Time) -> Option<Compliance> {
    match (before, look) {
        (before, Look::NotKnown(_)) => before.cloned(),
        // Many looks within an interval are one.
        (Some(before), _) if now < before.until.plus(reach.every) => Some(before.clone()),
        (_, Look::Missed(figures)) => {
            let figures = figures.chars().take(160).collect();
            Some(Compliance { since: now, until: now, missed: Some(figures) })
        }
        (None, Look::Met) => Some(Compliance { since: before_by(now, reach.back), until: now, missed: None }),
        (Some(before), Look::Met) => {
            let apart = now.since(before.until).as_millis();
            let not_known = Span::from_millis(apart.saturating_sub(reach.apart.as_millis()));
            // It is written where half of what may lie between is over, and not at every look.
            if apart * 2 < reach.apart.as_millis() {
                return Some(before.clone());
            }
            Some(Compliance { since: before.since.plus(not_known), until: now, missed: before.missed.clone() })
        }
    }
}

/// For how long the objectives have been met without a break.
pub fn met_for(stands: &Compliance, look: &Look, now: Time) -> Span {
    match look {
        Look::Met => now.since(stands.since),
        Look::Missed(_) => Span::ZERO,
        Look::NotKnown(_) => stands.until.since(stands.since),
    }
}

fn before_by(now: Time, span: Span) -> Time {
    Time(now.0.saturating_sub(span.as_signed()).unwrap_or(now.0))
}
