//! What is said about obligations.

use crate::api::condition::Truth;
use crate::api::obligation::{ObligationState, ObligationStatus};
use crate::policy::obligation::Demand;

use super::News;

/// How many are named in one sentence; the rest is counted.
const NAMED_MAX: usize = 3;

/// Names of waivers that nothing has, such as `pen-test`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnknownWaivers<'a> {
    /// Of `spec.requirements.waived`.
    pub requirements: Vec<&'a str>,
    /// Of `spec.obligations.waived`.
    pub obligations: Vec<&'a str>,
}

/// One obligation in a line: `incident-review-20261122-0015 by 22 Nov 02:15:00 UTC, owed by service-owner or sre ("Within 2
/// hours: Incident review meeting", 001, …): The error budget is Critical or worse`; no full stop at the end.
pub fn owed_line(one: &ObligationStatus) -> String {
    let roles: Vec<&str> = one.owed_by.iter().map(|role| role.as_str()).collect();
    let says = Demand::told(&one.kind, &one.source).map_or(String::new(), |demand| format!("\"{}\", ", demand.says));
    let problem = if one.problem.is_empty() { String::new() } else { format!("; {}", one.problem) };
    let about = one.about.trim_end_matches('.');
    let about = if about.is_empty() { String::new() } else { format!(": {about}") };
    format!(
        "{} by {}, owed by {} ({says}{}){about}{problem}",
        one.name,
        one.due.clock(),
        roles.join(" or "),
        one.source,
    )
}

/// The condition ObligationsMet: status, reason, message. `place` is the budget for commands: `checkout -n shop`. None
/// where nothing was ever owed. `unknown` are the names of waivers by which nothing is waived.
pub fn owed_condition(
    place: &str,
    all: &[ObligationStatus],
    unknown: &UnknownWaivers<'_>,
) -> Option<(Truth, &'static str, String)> {
    let stands = how_it_stands(place, all);
    let UnknownWaivers { requirements, obligations } = unknown;
    let sentence = |field: &str, what: &str, names: &[&str], listed: &str| {
        let told = format!(
            "{field}: no {what} is called {}, and nothing is waived by it: write {listed}, or take the line out.",
            names.join(", ")
        );
        (!names.is_empty()).then_some(told)
    };
    let of_requirements =
        sentence("spec.requirements.waived", "requirement", requirements, "a name as tidegate requirements lists them");
    let of_obligations = sentence(
        "spec.obligations.waived",
        "obligation",
        obligations,
        "a type as tidegate obligations --catalogue lists them",
    );
    let told: Vec<String> = of_requirements.into_iter().chain(of_obligations).collect();
    if told.is_empty() {
        return stands;
    }
    let told = told.join(" ");
    Some(match stands {
        Some((Truth::False, reason, message)) => (Truth::False, reason, format!("{message}. {told}")),
        Some((Truth::True | Truth::Unknown, _, message)) => (Truth::True, "UnknownWaiver", format!("{told} {message}")),
        None => (Truth::True, "UnknownWaiver", told),
    })
}

fn how_it_stands(place: &str, all: &[ObligationStatus]) -> Option<(Truth, &'static str, String)> {
    let of = |state: ObligationState| all.iter().filter(|one| one.state == state).collect::<Vec<_>>();
    let (overdue, due) = (of(ObligationState::Overdue), of(ObligationState::Due));
    match (overdue.first(), due.first()) {
        (Some(first), _) => {
            let what = if overdue.len() == 1 { "1 obligation is" } else { "obligations are" };
            let count = if overdue.len() == 1 { String::new() } else { format!("{} ", overdue.len()) };
            Some((
                Truth::False,
                "Overdue",
                format!(
                    "{count}{what} overdue: {}. No release is held up by it. {}",
                    listed(&overdue),
                    how(place, first)
                ),
            ))
        }
        (None, Some(first)) => {
            let next = format!("{} owed, the next is {}. {}", due.len(), owed_line(first), how(place, first));
            Some((Truth::True, "Due", format!("Nothing is overdue; {next}")))
        }
        (None, None) if all.is_empty() => None,
        (None, None) => Some((Truth::True, "Met", "Everything that was owed is met.".to_owned())),
    }
}

/// What is told once: what is owed from now on, what is overdue from now on, what was met; one sentence for each, however
/// many they are.
pub fn owed_news(place: &str, before: &[ObligationStatus], now: &[ObligationStatus]) -> Vec<News> {
    let state_before = |one: &ObligationStatus| before.iter().find(|known| known.name == one.name);
    let (mut due, mut overdue, mut met) = (Vec::new(), Vec::new(), Vec::new());
    for one in now {
        match (state_before(one), one.state) {
            (None, ObligationState::Due) => due.push(one),
            (Some(known), ObligationState::Overdue) if known.state == ObligationState::Overdue => {}
            (_, ObligationState::Overdue) => overdue.push(one),
            (Some(known), ObligationState::Met | ObligationState::Due) if known.met != one.met && one.met.is_some() => {
                met.push(one);
            }
            (Some(_) | None, ObligationState::Met | ObligationState::Due) => {}
        }
    }
    let mut news = Vec::new();
    if let Some(first) = due.first() {
        let note = format!("Owed from now on: {}. {}", listed(&due), how(place, first));
        news.push(News { warns: true, reason: "ObligationDue", note });
    }
    if let Some(first) = overdue.first() {
        let note = format!("Overdue: {}. No release is held up by it. {}", listed(&overdue), how(place, first));
        news.push(News { warns: true, reason: "ObligationOverdue", note });
    }
    if !met.is_empty() {
        let lines: Vec<String> = met.iter().map(|one| met_line(one)).collect();
        news.push(News { warns: false, reason: "ObligationMet", note: format!("Met: {}.", lines.join("; ")) });
    }
    news
}

fn met_line(one: &ObligationStatus) -> String {
    let by = one.met.as_ref().map(|met| format!(" by {} ({})", met.by, met.attestation)).unwrap_or_default();
    let again = match one.state {
        ObligationState::Due => format!(", owed again by {}", one.due.clock()),
        ObligationState::Overdue | ObligationState::Met => String::new(),
    };
    format!("{}{by}{again}", one.name)
}

fn listed(all: &[&ObligationStatus]) -> String {
    let lines: Vec<String> = all.iter().take(NAMED_MAX).map(|one| owed_line(one)).collect();
    let more = all.len().saturating_sub(NAMED_MAX);
    let more = if more == 0 { String::new() } else { format!("; and {more} more (status.obligations)") };
    format!("{}{more}", lines.join("; "))
}

fn how(place: &str, first: &ObligationStatus) -> String {
    format!(
        "Say what was done: kubectl tidegate meet {place} {} --facts-file FILE; the form for it: --fields",
        first.name
    )
}
