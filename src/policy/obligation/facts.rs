//! What obligations arise from, and what is said about them.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::api::obligation::{Course, ObligationRules, ObligationStatus};
use crate::api::release_record::{AuthorsRecord, Outcome, ReleaseRecordSpec, ReleaseRecordStatus};
use crate::api::risk_budget::Role;
use crate::api::{Span, Time};
use crate::policy::Attested;
use crate::policy::requirement::author::authors;
use crate::policy::requirement::{Claim, heard};

/// What is longer ago begins to demand nothing: the present and the two windows before it, by month. Whether it was met once, and what
/// said so is gone, nobody knows by then. What is known to be open stays owed.
pub const REACH: Span = Span::days(92);

/// Everything that obligations are computed from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// How the error budget went, this look included; none while it was never measured.
    pub course: Option<&'a Course>,
    /// What happened to releases of this budget; none where nobody has listed its records yet.
    pub records: Option<&'a [RecordFacts]>,
    /// The window in which gates or points are stricter, and why; none where they are not.
    pub tightened: Option<(&'a str, &'a str)>,
    /// What the service changes.
    pub rules: &'a ObligationRules,
    /// What was attested about this budget.
    pub said: &'a [Said],
    /// The obligations as they were told last.
    pub before: &'a [ObligationStatus],
    /// The budget's time zone.
    pub zone: &'a TimeZone,
}

/// An attestation about the budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its name.
    pub attestation: String,
    /// The obligation that it names; of one that renews, its type.
    pub obligation: String,
    /// What it claims; an approval in the role of the policy that it counts as.
    pub claim: Claim,
    /// Why an approval is not heard; empty where it is.
    pub unheard: String,
}

impl Said {
    /// What an attestation about the budget says of an obligation; `roles` are who is in which (`spec.roles`).
    pub fn of(one: &Attested, roles: &[Role]) -> Self {
        let (attestation, obligation) = (one.name.clone(), one.spec.revision.clone());
        match heard(roles, &one.spec, one.at) {
            Ok(claim) => Self { attestation, obligation, claim, unheard: String::new() },
            Err(unheard) => Self { attestation, obligation, claim: Claim::of(&one.spec, one.at), unheard },
        }
    }
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// When.
    pub at: Time,
    /// What, in words.
    pub about: String,
}

/// What a record tells that somebody owes something for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFacts {
    /// Its name.
    pub record: String,
    /// It shipped as an exception, or ran past the gate.
    pub exception: Option<Cause>,
    /// It ran past the gate, and nobody had asked for an exception.
    pub bypass: Option<Cause>,
    /// It shipped as an exception, or ran past the gate, and nobody was asked before.
    pub unapproved: Option<Cause>,
    /// It came back after users had met it, or hurt them without a way back.
    pub rollback: Option<Cause>,
    /// Who made the change, who changed the template and who let it go: whose approval of that is none.
    pub people: Vec<String>,
    /// Whether they are all who made it; otherwise one of two people is somebody else.
    pub knows_author: bool,
}

impl RecordFacts {
    /// Reads a record; none where it demands nothing.
    pub fn of(record: &str, spec: &ReleaseRecordSpec, status: &ReleaseRecordStatus) -> Option<Self> {
        let asked = status.assessment.as_ref().and_then(|assessment| assessment.exception.as_deref());
        let charged = status.charge.as_ref().filter(|charge| charge.exception).map(|charge| charge.at);
        let past = (status.outcome == Some(Outcome::Bypassed)).then_some(status.ended_at).flatten();
        let named = format!("{} ({record})", spec.change);
        let bypass =
            past.map(|at| Cause { at, about: format!("{named} ran past the gate: {}", brief(&status.summary)) });
        let exception = match (&bypass, charged, asked) {
            (Some(bypass), _, _) => Some(bypass.clone()),
            (None, Some(at), why) => {
                let why = why.map(|why| format!(": {}", brief(why))).unwrap_or_default();
                Some(Cause { at, about: format!("{named} shipped as an exception{why}") })
            }
            (None, None, _) => None,
        };
        let facts = Self {
            record: record.to_owned(),
            bypass: bypass.filter(|_| asked.is_none()),
            // What is no workload's change is charged, and nobody was asked.
            unapproved: exception.clone().filter(|_| asked.is_none() || status.outcome == Some(Outcome::Charged)),
            exception,
            rollback: rollback(&named, status),
            people: people(spec, status),
            knows_author: knows_author(spec, status),
        };
        (facts.exception.is_some() || facts.rollback.is_some()).then_some(facts)
    }
}

fn people(spec: &ReleaseRecordSpec, status: &ReleaseRecordStatus) -> Vec<String> {
    let made = made_by(status).into_iter().flat_map(|authors| &authors.names);
    let changed_by = Some(&spec.changed_by).filter(|who| !who.is_empty());
    let all: BTreeSet<&String> = made.chain(changed_by).chain(&status.resumed_by).collect();
    all.into_iter().cloned().collect()
}

fn made_by(status: &ReleaseRecordStatus) -> Option<&AuthorsRecord> {
    status.assessment.as_ref()?.authors.as_ref()
}

/// Where nobody looked who made it, whoever changed it did.
fn knows_author(spec: &ReleaseRecordSpec, status: &ReleaseRecordStatus) -> bool {
    made_by(status).map_or_else(|| authors(&[], &spec.changed_by).known, |authors| authors.known)
}

/// A rollback that something set off, of a version that users had met. What its owner took back, replaced or let go demands
/// nothing; nor does what nobody met.
fn rollback(named: &str, status: &ReleaseRecordStatus) -> Option<Cause> {
    status.charge.as_ref()?;
    let log = status.rollback.as_ref().filter(|log| log.trigger.is_failure());
    let stayed = (status.outcome == Some(Outcome::NotWithdrawn)).then_some(status.ended_at).flatten();
    match (log, stayed) {
        (Some(log), None) => Some(Cause {
            at: log.at,
            about: format!(
                "{named} came back from {}: {} {}, limit {}",
                log.from_weight, log.trigger, log.value, log.threshold
            ),
        }),
        // A change of mind that could not be carried out hurt nobody.
        (None, Some(_)) if status.rollback.is_some() => None,
        (_, Some(at)) => {
            Some(Cause { at, about: format!("{named} hurt users without a way back: {}", brief(&status.summary)) })
        }
        (None, None) => None,
    }
}

/// As much as a status shows.
fn brief(text: &str) -> String {
    const CHARACTERS_MAX: usize = 240;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.trim_end_matches('.').to_owned(),
    }
}
