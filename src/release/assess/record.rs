//! What is put on record of an assessment, and what is shown of it.

use std::collections::{BTreeMap, BTreeSet};

use super::Assessed;
use crate::api::gated_release::RiskView;
use crate::api::release_record::{ApprovalRecord, AssessmentRecord, AuthorsRecord, ShownRecord};
use crate::policy::Role;
use crate::policy::evidence::CLASSIFICATION;
use crate::policy::exception::{EXCEPTION, Request};
use crate::policy::requirement::{Claim, Due, Requirement, SENTENCE, State, Word};
use crate::release::wording::at_most;

/// Bytes of the names of those who made a change: twenty of them.
const AUTHORS: usize = 512;

/// How much of a term a record keeps: what the document says of it, and who showed it and when. Where a record has no room for all of
/// them, `room` shortens what says least.
const TERM: usize = 240;

/// Before what is agreed to at the start.
pub(in crate::release) const START: &str = "start";

/// Who showed what people agreed to: they stand among the approvals.
const BY_APPROVALS: &str = "approvals";

/// The assessment for the record, frozen when the change begins to ship.
pub(in crate::release) fn recorded(assessed: &Assessed<'_>) -> AssessmentRecord {
    let (shown, not_shown) = shown(assessed, &[]);
    AssessmentRecord {
        points: assessed.points().get(),
        score: at_most(160, &assessed.score.to_string()),
        terms: assessed.score.terms.iter().take(16).map(|term| at_most(TERM, &term.to_string())).collect(),
        gate: assessed.decision.gate,
        why: at_most(256, &assessed.decision.to_string()),
        band: assessed.risk.band().unwrap_or(crate::policy::Band::Exhausted),
        categories: assessed.change.categories().map(|category| category.as_str().to_owned()).collect(),
        risk_class: assessed.score.class,
        diff_lines: diff_lines(assessed),
        shown,
        not_shown,
        exception: assessed.exception.as_ref().map(|why| at_most(256, why)),
        authors: Some(authors_on_record(&assessed.heard.authors, assessed.heard.knows_authors)),
    }
}

/// Those who made it, whole names only: nobody could be compared with a part of one. They are not all known where there is no room
/// for all.
pub(in crate::release) fn authors_on_record(all: &[String], known: bool) -> AuthorsRecord {
    let all: BTreeSet<&String> = all.iter().collect();
    let (mut room, mut names) = (AUTHORS, Vec::new());
    for name in &all {
        // As JSON writes it, with a comma.
        let width = serde_json::to_string(name).map_or(usize::MAX, |text| text.len().saturating_add(1));
        if let Some(left) = room.checked_sub(width) {
            room = left;
            names.push((*name).clone());
        }
    }
    AuthorsRecord { known: known && names.len() == all.len(), names }
}

/// The recorded assessment with what was shown in the course of the release. What was shown before the start stays so, whatever
/// lapsed or was taken back since: it is what the start rested on.
pub(in crate::release) fn completed(assessed: &Assessed<'_>, stands: AssessmentRecord) -> AssessmentRecord {
    let (shown, not_shown) = shown(assessed, &stands.shown);
    AssessmentRecord { shown, not_shown, ..stands }
}

/// What is shown by whom, and what is not; `before` says what was at the start.
fn shown(assessed: &Assessed<'_>, before: &[ShownRecord]) -> (Vec<ShownRecord>, Vec<String>) {
    let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut not_shown = Vec::new();
    for one in &assessed.requirements {
        let known =
            before.iter().find(|known| one.due == Due::Start && known.names.iter().any(|name| name == one.name));
        let by = match (&one.state, known) {
            (_, Some(known)) => known.by.clone(),
            (State::Met { by, approvals }, None) if approvals.is_empty() => at_most(80, &party(by)),
            (State::Met { .. }, None) => BY_APPROVALS.to_owned(),
            (State::Missing { .. }, None) => {
                not_shown.push(one.name.to_owned());
                continue;
            }
        };
        shown.entry(by).or_default().push(one.name.to_owned());
    }
    (shown.into_iter().map(|(by, names)| ShownRecord { by, names }).take(40).collect(), not_shown)
}

/// Lines added and removed, of the attestation that `tidegate classify` makes; of several images the most, as one range of commits may
/// have made them all.
fn diff_lines(assessed: &Assessed<'_>) -> Option<u32> {
    let Word::For(said) = assessed.claims().word(CLASSIFICATION, None) else { return None };
    let lines = |claim: &Claim, key: &str| claim.facts.get(key)?.trim().parse::<u32>().ok();
    let of_one = |claim: &Claim| Some(lines(claim, "lines-added")?.saturating_add(lines(claim, "lines-removed")?));
    said.all().map(of_one).collect::<Option<Vec<u32>>>()?.into_iter().max()
}

/// Everybody whose approval met a requirement, or agreed to an exception: one line a person and role, with all that it counted
/// for, so that a record stays small.
pub(in crate::release) fn agreed(assessed: &Assessed<'_>) -> Vec<ApprovalRecord> {
    let mut all: Vec<ApprovalRecord> = Vec::new();
    let mut add = |claim: &Claim, met: &str| {
        let one = approval(claim, START);
        match all.iter_mut().find(|known| (&known.role, &known.author) == (&one.role, &one.author)) {
            Some(known) => known.meets.push(met.to_owned()),
            None => all.push(ApprovalRecord { meets: vec![met.to_owned()], ..one }),
        }
    };
    for one in &assessed.requirements {
        if let State::Met { approvals, .. } = &one.state {
            approvals.iter().for_each(|claim| add(claim, one.name));
        }
    }
    if let Request::Approved { approvals, .. } = assessed.request() {
        approvals.iter().for_each(|claim| add(claim, EXCEPTION.kind));
    }
    all
}

/// An approval that counted, and before what: `start`, or a weight.
pub(in crate::release) fn approval(claim: &Claim, before: &str) -> ApprovalRecord {
    ApprovalRecord {
        role: claim.role.clone().unwrap_or_default(),
        author: claim.author.clone(),
        at: claim.at,
        before: before.to_owned(),
        meets: Vec::new(),
    }
}

/// Who met it, without the moments: `ci (2 Jan 10:00:00 UTC)` and `ci (2 Jan 10:05:00 UTC)` are one party, of two images too, and so are
/// the two people who reviewed what nobody knows the author of.
fn party(by: &str) -> String {
    let mut names: Vec<&str> = by.split("), ").map(|one| one.split(" (").next().unwrap_or(one)).collect();
    names.dedup();
    names.join(", ")
}

/// The roles in which somebody must approve what is not shown yet. What is only audited asks nobody.
fn asks(assessed: &Assessed<'_>) -> Vec<Role> {
    if !assessed.enforced() {
        return Vec::new();
    }
    let open = assessed.requirements.iter().filter(|one| !one.is_met() && assessed.waived(one.name).is_none());
    let mut all: Vec<Role> = Vec::new();
    for role in open.flat_map(Requirement::approvers) {
        if !all.contains(&role) {
            all.push(role);
        }
    }
    all
}

/// The assessment as it stands in the status of the GatedRelease.
pub(in crate::release) fn view(assessed: &Assessed<'_>, recorded: Option<&AssessmentRecord>) -> RiskView {
    let (mut met, mut missing) = (Vec::new(), Vec::new());
    for one in &assessed.requirements {
        let line = at_most(SENTENCE, &one.to_string());
        match (one.is_met(), assessed.waived(one.name)) {
            (true, _) => met.push(line),
            (false, Some(waiver)) => met.push(format!("{}: waived, {}", one.name, waiver.reason)),
            (false, None) => missing.push(line),
        }
    }
    let terms = assessed.score.terms.iter().map(ToString::to_string);
    let declined = assessed.score.declined.iter().map(ToString::to_string);
    let ignored = assessed.ignored().iter().map(|why| format!("not heard: {why}"));
    RiskView {
        score: recorded.map_or_else(|| assessed.score.to_string(), |recorded| recorded.score.clone()),
        terms: match recorded {
            Some(recorded) => recorded.terms.clone(),
            None => terms.chain(declined).chain(ignored).take(24).collect(),
        },
        gate: super::gate_of(recorded, &assessed.decision),
        why: recorded.map_or_else(|| assessed.decision.to_string(), |recorded| recorded.why.clone()),
        missing,
        asks: asks(assessed),
        met,
    }
}
