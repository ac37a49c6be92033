//! An obligation that is met by an approval: what ran past its gate, or past its budget, takes an executive's (`002_…`, Guardrails).
//!
//! It is proved as every approval is: a person, whom the API server authenticated and who holds the verb `approve` on the role, is in
//! it where the RiskBudget lists who is, and neither made, changed nor let go what they approve. Where it is not known who made it, one of
//! two people is somebody else (`000_…` §4).

use super::facts::{Facts, Said};
use super::owed::{Owed, met, told};
use crate::api::Time;
use crate::api::obligation::{MetStatus, ObligationState, ObligationStatus};
use crate::policy::requirement::claim::APPROVAL;
use crate::policy::requirement::{Claim, Claims};

/// How it stands. What was approved does not lapse; a rejection leaves it open until the same person approves.
pub(super) fn approved(owed: &Owed, facts: &Facts<'_>, now: Time) -> ObligationStatus {
    let due = owed.demand.due.after(owed.since, false, facts.zone);
    let open = told(owed, owed.since, due, now);
    let of_it = |said: &&Said| said.obligation == owed.name && said.claim.kind == APPROVAL;
    let said: Vec<&Said> = facts.said.iter().filter(of_it).collect();
    let before = facts.before.iter().find(|one| one.name == owed.name);
    let listed = facts.records.map(|all| all.iter().find(|one| Some(&one.record) == owed.record.as_ref()));
    let (people, who_made_it) = match listed {
        Some(Some(record)) if record.knows_author => (record.people.as_slice(), Made::ByThese),
        Some(Some(record)) => (record.people.as_slice(), Made::BySomebody),
        Some(None) | None => match (before.and_then(|one| stands(one, &said)), listed) {
            // What was approved while it was there stays so.
            (Some(met), _) => return ObligationStatus { state: ObligationState::Met, met: Some(met.clone()), ..open },
            (None, Some(_)) => (<&[String]>::default(), Made::RecordGone),
            // Nobody can tell yet whose approval would be their own.
            (None, None) => {
                let problem = before.map(|one| one.problem.clone()).unwrap_or_default();
                return ObligationStatus { problem, ..open };
            }
        },
    };
    let known = who_made_it == Made::ByThese;
    let heard = said.iter().filter(|said| said.unheard.is_empty());
    let claims: Vec<Claim> = heard.map(|said| Claim { until: None, ..said.claim.clone() }).collect();
    let voices = Claims::new(&claims, people, now);
    let seats = [owed.demand.owed_by; 2];
    let seats = if known { &seats[..1] } else { &seats[..] };
    let problem = match (voices.rejection(owed.demand.owed_by), voices.seats(seats)) {
        (Some(claim), _) => rejected(owed, claim),
        (None, Ok(agreed)) => match agreed.iter().find_map(|claim| says_not_why(owed, claim)) {
            Some(problem) => problem,
            None => {
                // The last of them met it.
                let last = agreed.iter().max_by_key(|claim| claim.at);
                let by = |said: &&&Said| {
                    last.is_some_and(|last| said.claim.author == last.author && said.claim.at == last.at)
                };
                let met = said.iter().find(by).map(|said| met(said));
                return ObligationStatus { state: ObligationState::Met, met, ..open };
            }
        },
        (None, Err(_)) => match (known, voices.seats(&seats[..1])) {
            (false, Ok(agreed)) => one_more(owed, who_made_it, &agreed),
            (true, Ok(_)) | (_, Err(_)) => match (who_made_it, unheard(owed, facts, &said, people)) {
                (Made::RecordGone, why) if why.is_empty() => format!("{}: {}", who_made_it.says(owed), command(owed)),
                (_, why) => why,
            },
        },
    };
    ObligationStatus { problem: problem.chars().take(512).collect(), ..open }
}

/// How much is known of who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    /// All who made it are known.
    ByThese,
    /// Its record does not know them all.
    BySomebody,
    /// Its record was deleted, and with it who made it and who let it go.
    RecordGone,
}

impl Made {
    /// Why more than one person approves.
    fn says(self, owed: &Owed) -> String {
        match (self, &owed.record) {
            (Self::RecordGone, Some(record)) => {
                format!("its record {record} is gone, and with it who made the change, so two people approve")
            }
            (Self::ByThese | Self::BySomebody | Self::RecordGone, _) => {
                "who made the change is not known, so two people approve".to_owned()
            }
        }
    }
}

/// By what it was met, where that is still there and nobody has taken anything back or rejected it since.
fn stands<'a>(before: &'a ObligationStatus, said: &[&Said]) -> Option<&'a MetStatus> {
    let met = before.met.as_ref().filter(|_| before.state == ObligationState::Met)?;
    let there = said.iter().any(|said| said.attestation == met.attestation && said.claim.passed);
    let against = said.iter().any(|said| !said.claim.passed && said.claim.at >= met.at);
    (there && !against).then_some(met)
}

fn says_not_why(owed: &Owed, claim: &Claim) -> Option<String> {
    let problems = owed.demand.form.problems(&claim.facts);
    let why = || format!("the approval of {} does not say why: {}", claim.by(), problems.join("; "));
    (!problems.is_empty()).then(why)
}

/// What one person is told where two approve.
fn one_more(owed: &Owed, made: Made, agreed: &[&Claim]) -> String {
    let who: Vec<String> = agreed.iter().map(|claim| claim.by()).collect();
    format!("{}: {} does, somebody else in the role is missing: {}", made.says(owed), who.join(", "), command(owed))
}

/// The command that meets it; the budget's name is not known here.
fn command(owed: &Owed) -> String {
    let role = owed.demand.owed_by.first().map_or("", |role| role.as_str());
    format!("tidegate approve --budget … --obligation {} --role {role} --note …", owed.name)
}

fn rejected(owed: &Owed, claim: &Claim) -> String {
    let because = claim.facts.get("note").map(|note| format!(" ({note})")).unwrap_or_default();
    format!(
        "{} does not approve it{because}: revert it, or ship a fix through the gate. It stays open until what runs is approved: {}",
        claim.by(),
        command(owed)
    )
}

/// Why what was said is no approval; empty where nothing was said, or it was taken back.
fn unheard(owed: &Owed, facts: &Facts<'_>, said: &[&Said], people: &[String]) -> String {
    let in_vain = said.iter().filter(|said| said.claim.passed).max_by_key(|said| said.claim.at);
    if let Some(said) = in_vain.filter(|said| !said.unheard.is_empty()) {
        return format!("the approval of {} is not heard: {}", said.claim.by(), said.unheard);
    }
    if let Some(said) = in_vain.filter(|said| people.contains(&said.claim.author)) {
        return format!(
            "{} changed it or let it go, and nobody approves that of their own: somebody else in the role does",
            said.claim.by()
        );
    }
    let attested = |said: &&Said| said.obligation == owed.name && said.claim.kind == owed.demand.kind();
    match facts.said.iter().find(attested) {
        Some(said) => {
            format!("an attestation of {} is no approval, which is given in a role: {}", said.claim.by(), command(owed))
        }
        None => String::new(),
    }
}
