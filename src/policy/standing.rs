//! What a RiskBudget says beside its figures: how its error budget went and what that means, what people owe, and what is
//! told once because it changed.

use jiff::tz::TimeZone;

use crate::api::condition::Condition;
use crate::api::obligation::{Course, FurtherObligation, ObligationStatus};
use crate::api::risk_budget::Waiver;
use crate::api::{RiskBudgetSpec, RiskBudgetStatus, Time};

use super::budget::{Remaining, freeze_holds};
use super::burn::Present;
use super::course::{Reading, advance};
use super::message::{News, Told, UnknownWaivers, course_lines, course_news, owed_condition, owed_news};
use super::obligation::{Demand, Facts, RecordFacts, Said, known, next_change, obligations, remembered, shown};
use super::requirement::CATALOGUE;

/// The condition that says whether something is overdue.
pub const OBLIGATIONS_MET: &str = "ObligationsMet";

/// What is seen of a budget.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What it asks for.
    pub spec: &'a RiskBudgetSpec,
    /// Its time zone.
    pub zone: &'a TimeZone,
    /// Its status as it was written last.
    pub before: &'a RiskBudgetStatus,
    /// Its status as it is written next, with the figures of this look.
    pub now: &'a RiskBudgetStatus,
    /// What happened to its releases; none where nobody has listed its records yet.
    pub records: Option<&'a [RecordFacts]>,
    /// What was attested about it.
    pub said: &'a [Said],
    /// How fast the budget of the objective that decides goes at present; none where that is not known.
    pub present: Option<Present>,
}

/// What is added to its status, and told.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// How the error budget went.
    pub course: Option<Course>,
    /// What it means.
    pub message: String,
    /// What people owe, as much of it as is shown in full.
    pub obligations: Vec<ObligationStatus>,
    /// What is remembered beyond it.
    pub further: Vec<FurtherObligation>,
    /// All of it, to be counted.
    pub all: Vec<ObligationStatus>,
    /// Whether something is overdue; none where nothing was ever owed.
    pub condition: Option<Condition>,
    /// What is told once.
    pub news: Vec<News>,
    /// When an obligation stands otherwise although nothing happens.
    pub next: Option<Time>,
}

/// How the error budget went, this look included. While it cannot be measured it stays as it was.
pub fn course(seen: &Seen<'_>, now: Time) -> Option<Course> {
    let before = seen.before.course.as_ref();
    let Some(budget) = &seen.now.error_budget else { return before.cloned() };
    let left = |slo: &&crate::api::risk_budget::SloStatus| slo.remaining_percent.is_some();
    let worst = budget.slos.iter().filter(left).min_by(|one, other| {
        one.remaining_percent.unwrap_or(f64::MAX).total_cmp(&other.remaining_percent.unwrap_or(f64::MAX))
    });
    let reading = Reading {
        status: budget.status,
        remaining: budget.remaining_percent,
        last: seen.before.error_budget.as_ref().map(|last| last.remaining_percent),
        objective: worst.map_or(budget.decided_by.as_str(), |slo| slo.name.as_str()),
        present: seen.present,
    };
    Some(advance(before, &reading, seen.zone, now))
}

/// Whether somebody owes something, or did, so that it matters what was attested.
pub fn asks(seen: &Seen<'_>, now: Time) -> bool {
    let alone = Seen { said: &[], ..*seen };
    !seen.before.obligations.is_empty() || !stand(&alone, now).obligations.is_empty()
}

/// What a budget says beside its figures.
pub fn stand(seen: &Seen<'_>, now: Time) -> Standing {
    let course = course(seen, now);
    let tightened = seen.now.risk.as_ref().filter(|risk| !risk.tightened_by.is_empty());
    let why = tightened.map(|risk| risk.adjustments.join(" ")).unwrap_or_default();
    let before = known(seen.before);
    let facts = Facts {
        course: course.as_ref(),
        records: seen.records,
        tightened: tightened.map(|risk| (risk.window.as_str(), why.as_str())),
        rules: &seen.spec.obligations,
        said: seen.said,
        before: &before,
        zone: seen.zone,
    };
    let owed = obligations(&facts, now);
    let unknown = unknown(seen.spec);
    let place = format!("{} -n {}", seen.name, seen.namespace);
    let budget = seen.now.error_budget.as_ref();
    let told = course.as_ref().zip(budget).and_then(|(course, budget)| {
        Some(Told {
            course,
            left: Remaining::from_percent(budget.remaining_percent)?,
            decided_by: &budget.decided_by,
            freeze: seen.spec.freeze.as_ref().filter(|freeze| freeze_holds(freeze, now)),
            owed: &owed,
            slos: &budget.slos,
        })
    });
    let former = seen.before.course.as_ref().map(|course| course.status);
    let mut news: Vec<News> = told.as_ref().and_then(|told| course_news(former, told, now)).into_iter().collect();
    news.extend(owed_news(&place, &before, remembered(&owed)));
    let message = told.as_ref().map_or_else(|| seen.before.message.clone(), |told| course_lines(told, now).join("\n"));
    let (obligations, further) = shown(&owed);
    Standing {
        message: message.chars().take(4_000).collect(),
        condition: owed_condition(&place, &owed, &unknown).map(|facts| condition(facts, seen, now)),
        next: next_change(&owed, now),
        obligations,
        further,
        all: owed,
        course,
        news,
    }
}

/// A name that is written wrong waives nothing, and nobody would see that before a release waits for what it meant.
fn unknown(spec: &RiskBudgetSpec) -> UnknownWaivers<'_> {
    fn names(waived: &[Waiver]) -> Vec<&str> {
        waived.iter().map(|waiver| waiver.name.as_str()).collect()
    }
    let mut unknown =
        UnknownWaivers { requirements: names(&spec.requirements.waived), obligations: names(&spec.obligations.waived) };
    unknown.requirements.retain(|name| CATALOGUE.iter().all(|entry| entry.name != *name));
    unknown.obligations.retain(|name| Demand::named(name).is_none());
    unknown
}

fn condition(
    (status, reason, message): (crate::api::condition::Truth, &str, String),
    seen: &Seen<'_>,
    now: Time,
) -> Condition {
    let stands = seen.before.conditions.iter().find(|one| one.kind == OBLIGATIONS_MET && one.status == status);
    Condition {
        kind: OBLIGATIONS_MET.to_owned(),
        status,
        reason: reason.to_owned(),
        message: message.chars().take(4_000).collect(),
        last_transition_time: stands.map_or(now, |stands| stands.last_transition_time),
        observed_generation: seen.now.observed_generation,
    }
}
