//! What is to be done next about the charges of a budget. One move at a look, each fenced or idempotent by name, so that a
//! death between two of them charges nothing twice: the number stands in the ledger before the record is made, and the
//! record's name follows from the change.

use super::authors::authors;
use super::cost::{Asked, Cost, at_worst, cost};
use super::name::{book, stands_as};
use crate::api::attestation::ClaimOutcome;
use crate::api::release_record::{Arm, AssessmentRecord, ChargeRecord, Outcome, Phase};
use crate::api::risk_budget::{LedgerStatus, PendingCharge};
use crate::api::{ReleaseRecordSpec, ReleaseRecordStatus, Time};
use crate::policy::Attested;
use crate::policy::evidence::CHARGE;
use crate::policy::ledger::{LATE, PENDING_WITHIN};
use crate::release::plan::numbered;
use crate::release::snapshot::{BudgetSeen, RiskSeen};
use crate::release::wording::at_most;
use crate::release::{chain, room};

/// A record of a change that was charged before.
#[derive(Debug, Clone, PartialEq)]
pub struct Charged {
    /// Its name.
    pub name: String,
    /// The version that was read.
    pub resource_version: String,
    /// What it was made with.
    pub spec: ReleaseRecordSpec,
    /// Its digest; none where its status was never written.
    pub digest: Option<String>,
    /// When it was charged; none where its status was never written.
    pub at: Option<Time>,
}

/// Everything that the next move depends on.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The RiskBudget's name.
    pub name: &'a str,
    /// Its error budget.
    pub budget: &'a BudgetSeen,
    /// Its risk points.
    pub risk: &'a RiskSeen,
    /// What was attested about the budget, of whatever type.
    pub claims: &'a [Attested],
    /// What was charged.
    pub records: &'a [Charged],
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Move {
    /// Give the charge its number, fenced by the RiskBudget's version.
    Number {
        /// The version that was looked at.
        resource_version: String,
        /// The ledger with the number.
        ledger: Box<LedgerStatus>,
    },
    /// Make its record and seal it.
    Open {
        /// Its name.
        name: String,
        /// What it is of.
        spec: Box<ReleaseRecordSpec>,
        /// What it says.
        status: Box<ReleaseRecordStatus>,
    },
    /// Seal a record that was made and never written.
    Finish {
        /// Its name.
        name: String,
        /// The version that was read.
        resource_version: String,
        /// What it says.
        status: Box<ReleaseRecordStatus>,
    },
    /// Nothing yet: what is not known.
    Wait(String),
}

/// The next move; none where everything that was asked for is charged.
pub fn next(seen: &Seen<'_>, now: Time) -> Option<Move> {
    let claim = due(seen)?;
    let asked = Asked::of(&claim.spec);
    let name = stands_as(seen, claim);
    let cost = match known_or_late(seen, claim, &asked, &name, now) {
        Ok(cost) => cost,
        Err(why) => {
            return Some(Move::Wait(format!("{} is charged once it is known what it costs: {why}", asked.change)));
        }
    };
    let Some(pending) = seen.risk.ledger.pending.iter().find(|pending| pending.record == name) else {
        let mut ledger = seen.risk.ledger.clone();
        ledger.sequence = ledger.sequence.saturating_add(1);
        let (points, at, exception) = (cost.points.get(), seen.risk.charged_at(now), cost.exception());
        let charge = numbered(seen.risk, ledger.sequence, (points, exception), at);
        ledger.pending.push(PendingCharge { record: name, charge });
        return Some(Move::Number { resource_version: seen.risk.resource_version.clone(), ledger: Box::new(ledger) });
    };
    let made = seen.records.iter().find(|record| record.name == name);
    let spec = made.map_or_else(|| spec(seen, claim, &asked), |record| record.spec.clone());
    let mut status = status(seen, claim, &asked, &cost, &pending.charge, now);
    room::fit(&spec, &mut status);
    chain::put(&name, &spec, &mut status);
    Some(match made {
        Some(record) => {
            Move::Finish { name, resource_version: record.resource_version.clone(), status: Box::new(status) }
        }
        None => Move::Open { name, spec: Box::new(spec), status: Box::new(status) },
    })
}

/// What a claim costs: by what is known, or after [`LATE`] as if nothing were left of what is not. The error says why nobody can tell.
fn known_or_late(seen: &Seen<'_>, claim: &Attested, asked: &Asked, name: &str, now: Time) -> Result<Cost, String> {
    let risk = without(seen.risk, name);
    cost(asked, seen.budget, &risk, now).or_else(|why| {
        let late = now >= claim.at.plus(LATE);
        let worst = late.then(|| at_worst(asked, seen.budget, &risk, why.clone(), now)).flatten();
        worst.ok_or(why)
    })
}

/// What is told of a charge that was asked for long ago and has no number yet, because nobody knows what it costs; without a full stop.
pub fn waiting(seen: &Seen<'_>, now: Time) -> Option<String> {
    let Some(Move::Wait(why)) = next(seen, now) else { return None };
    let claim = due(seen).filter(|claim| now.since(claim.at) >= PENDING_WITHIN)?;
    let name = stands_as(seen, claim);
    if seen.risk.ledger.pending.iter().any(|pending| pending.record == name) {
        return None;
    }
    Some(format!(
        "{}. It was attested on {} ({}); on {} at the latest it is charged as if nothing were left of what is not known",
        why.trim_end_matches('.'),
        claim.at.clock(),
        claim.name,
        claim.at.plus(LATE).clock()
    ))
}

/// Whether a claim may have been charged by a record that is pruned by now: nothing is charged twice. Records go from the beginning of
/// their chain, so that what was attested after the oldest one that is left was charged has its own, or was never charged.
fn may_be_pruned(seen: &Seen<'_>, claim: &Attested) -> bool {
    let oldest = seen.records.iter().min_by_key(|record| record.spec.attempt);
    match (oldest, &seen.risk.ledger.chain) {
        (Some(oldest), _) if oldest.spec.attempt <= 1 => false,
        (None, None) => false,
        (Some(Charged { at: Some(at), .. }), _) => claim.at <= *at,
        // Where the chain begins nobody knows: all of it is gone, or the first that is left was never written.
        (Some(_) | None, _) => seen.risk.budget.as_ref().is_some_and(|window| window.from.since(claim.at) > LATE),
    }
}

/// The budget as it was before a charge got its number: what it says of the charge must not rest on the charge.
fn without(risk: &RiskSeen, record: &str) -> RiskSeen {
    let mut risk = risk.clone();
    let own = risk.ledger.pending.iter().position(|pending| pending.record == record);
    let Some(own) = own.map(|place| risk.ledger.pending.remove(place)) else { return risk };
    if let Some(window) = risk.budget.as_mut().filter(|window| window.sequence >= own.charge.sequence) {
        window.consumed = window.consumed.saturating_sub(own.charge.points);
    }
    risk
}

/// The oldest claim whose record is not sealed; of a change that is attested twice the first. One that failed, was taken back before it
/// was charged, or had lapsed when the API server took it asks for nothing; what was charged stays. One that lapses while nobody knows
/// what it costs is owed all the same: the change was made.
fn due<'a>(seen: &Seen<'a>) -> Option<&'a Attested> {
    let sealed = |claim: &Attested| {
        let name = stands_as(seen, claim);
        seen.records.iter().any(|record| record.name == name && record.digest.is_some())
    };
    let withdrawn = |claim: &Attested| {
        seen.claims.iter().any(|other| {
            other.spec.outcome == ClaimOutcome::Withdrawn
                && other.spec.kind == CHARGE
                && (&other.spec.author, &other.spec.revision) == (&claim.spec.author, &claim.spec.revision)
                && other.at >= claim.at
        })
    };
    // What has its number is brought to its end, whatever was said since.
    let numbered = |claim: &Attested| {
        let name = stands_as(seen, claim);
        seen.risk.ledger.pending.iter().any(|pending| pending.record == name)
    };
    seen.claims
        .iter()
        .filter(|claim| claim.spec.kind == CHARGE && claim.spec.outcome == ClaimOutcome::Passed && !sealed(claim))
        .filter(|claim| {
            numbered(claim)
                || (!withdrawn(claim)
                    && !may_be_pruned(seen, claim)
                    && claim.spec.expires_at.is_none_or(|until| claim.at < until))
        })
        .min_by_key(|claim| (!numbered(claim), claim.at, claim.name.clone()))
}

/// Number and digest of the last record, also where it is gone: its number is not given again, and the link to it is missed.
fn end(seen: &Seen<'_>) -> (u32, Option<String>) {
    let there = seen.records.iter().max_by_key(|record| record.spec.attempt);
    let there = there.map_or((0, None), |last| (last.spec.attempt, last.digest.clone()));
    match &seen.risk.ledger.chain {
        Some(known) if known.attempts > there.0 => (known.attempts, Some(known.head.clone())),
        Some(_) | None => there,
    }
}

fn spec(seen: &Seen<'_>, claim: &Attested, asked: &Asked) -> ReleaseRecordSpec {
    let (last, digest) = end(seen);
    ReleaseRecordSpec {
        release: book(seen.name),
        attempt: last.saturating_add(1),
        workload_uid: String::new(),
        revision: at_most(64, &claim.spec.revision),
        stable: None,
        stable_set: None,
        change: asked.change.clone(),
        changed_by: at_most(256, &claim.spec.author),
        retry: None,
        risk_budget: seen.name.to_owned(),
        arm: Arm::default(),
        previous_digest: digest,
        budget_before: None,
        closed_as: Some(Outcome::Charged),
    }
}

fn status(
    seen: &Seen<'_>,
    claim: &Attested,
    asked: &Asked,
    cost: &Cost,
    charge: &ChargeRecord,
    now: Time,
) -> ReleaseRecordStatus {
    let (budget, assessment) = cost.recorded(asked);
    let assessment = AssessmentRecord { authors: Some(authors(seen, claim)), ..assessment };
    let link = claim.spec.link.as_ref().map(|link| format!(" See {link}.")).unwrap_or_default();
    let past = match charge.exception {
        true => " The budget did not allow it, so it costs half as much again.",
        false => "",
    };
    let worst = cost.unknown.as_ref().map(|why| {
        format!(
            " It waited for a day, and counts as if nothing were left of what is not known: {}.",
            why.trim_end_matches('.')
        )
    });
    let worst = worst.unwrap_or_default();
    let summary = format!(
        "{} is no workload's change; charged {} RP, as {} attested ({}).{past}{worst}{link}",
        asked.change, charge.points, claim.spec.author, claim.name
    );
    ReleaseRecordStatus {
        budget: Some(budget),
        assessment: Some(assessment),
        charge: Some(charge.clone()),
        outcome: Some(Outcome::Charged),
        ended_at: Some(now),
        summary: at_most(1_000, &summary),
        ..ReleaseRecordStatus::begun(Phase::Complete, now)
    }
}
