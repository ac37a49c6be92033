//! How large a record may be. etcd keeps each of its versions and every watcher a copy, so one that somebody blew up would be
//! paid for by all. This is the one place that decides what of a record is cut, and it says that something was.
//!
//! What is decided by stays whole: moments, figures, names of objects, and the approvals that a release rests on. Texts and
//! lists that tell people something are cut, step by step, until the record fits.

use serde::Serialize;

use super::action::Action;
use super::snapshot::Snapshot;
use crate::api::release_record::{
    ApprovalRecord, AssessmentRecord, ReleaseRecordSpec, ReleaseRecordStatus, ShownRecord,
};
use crate::policy::sign_off::{OTHER_BUDGET, SignOff};

/// Bytes of spec and status in JSON that no record exceeds, but for what a release in progress needs to go on. An ordinary one has less than
/// half of it (`docs/records.md`).
pub(super) const RECORD_MAX: usize = 9 * 1024;

/// What the digest takes that a record gets when it is sealed (field, `sha256:` and 64 digits), and the names of spec and status.
const DIGEST: usize = 128;
/// A claimed category that nobody knows is cut here; no known one is longer.
const WORD: usize = 32;
/// A reference to a change: `git:` and a whole SHA-256, and twice as much.
const REFERENCE: usize = 160;
/// Who changed the template. Who is cut is nobody whom an approval could be compared with.
const PERSON: usize = 512;
/// The value of the retry annotation: a moment, a ticket.
pub const RETRY: usize = 160;

/// How many bytes of a text and how many items of a list are left, from step to step.
const STEPS: &[(usize, usize)] = &[(200, 24), (120, 12), (80, 8), (48, 4), (24, 2), (12, 1)];

/// Makes every record that these actions write fit. A write that then says what stands already is none.
pub(super) fn make(actions: &mut Vec<Action>, seen: &Snapshot) {
    let stored = |name: &str| seen.record.as_ref().filter(|record| record.name == name);
    actions.retain_mut(|action| {
        if let Action::OpenRecord { spec, status, .. } = action {
            trim(spec);
            fit(spec, status);
        } else if let Action::UpdateRecord { name, status, .. } = action
            && let Some(record) = stored(name)
        {
            return !fit(&record.spec, status) || record.status.as_ref() != Some(&**status);
        }
        true
    });
}

/// Cuts what others wrote into the part of a record that is never written again.
fn trim(spec: &mut ReleaseRecordSpec) {
    cut(&mut spec.change.reference, REFERENCE);
    cut(&mut spec.changed_by, PERSON);
    for word in &mut spec.change.categories {
        cut(word, WORD);
    }
}

/// Cuts the status of a record until both fit; whether something was cut.
pub(super) fn fit(spec: &ReleaseRecordSpec, status: &mut ReleaseRecordStatus) -> bool {
    if let Some(who) = &mut status.resumed_by {
        cut(who, PERSON);
    }
    let room = RECORD_MAX.saturating_sub(size(spec) + DIGEST);
    let mut was_cut = false;
    for (text, items) in STEPS {
        if size(status) <= room + in_progress(status) {
            break;
        }
        shorten(status, *text, *items);
        was_cut = true;
    }
    was_cut
}

/// What is needed to go on is gone once the record is sealed, and cannot be cut; each has a bound of its own.
fn in_progress(status: &ReleaseRecordStatus) -> usize {
    let ReleaseRecordStatus { comparison, business, complies, checks, streaks, circuits, .. } = status;
    let watched = complies.as_ref().map_or(0, size) + size(checks) + size(streaks) + size(circuits);
    comparison.as_ref().map_or(0, size) + business.as_ref().map_or(0, size) + watched
}

fn size(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |bytes| bytes.len())
}

fn shorten(status: &mut ReleaseRecordStatus, text: usize, items: usize) {
    cut(&mut status.summary, 3 * text);
    if let Some(hold) = &mut status.hold {
        cut(&mut hold.message, 3 * text);
    }
    if let Some(log) = &mut status.rollback {
        for one in [&mut log.value, &mut log.threshold, &mut log.state_after, &mut log.check] {
            cut(one, text);
        }
    }
    for one in &mut status.would_have {
        cut(&mut one.value, text);
        cut(&mut one.threshold, text);
    }
    for stage in &mut status.stages {
        cut(&mut stage.verdict, text);
        if items == 1 && stage.passed_at.is_some() {
            stage.pods = None;
        }
    }
    if let Some(assessment) = &mut status.assessment {
        shorten_assessment(assessment, text, items);
    }
    agreed(&mut status.approvals, text, items);
}

fn shorten_assessment(assessment: &mut AssessmentRecord, text: usize, items: usize) {
    cut(&mut assessment.score, text);
    cut(&mut assessment.why, text);
    if let Some(why) = &mut assessment.exception {
        cut(why, text);
    }
    if let Some(authors) = &mut assessment.authors
        && authors.names.len() > items
    {
        // Who is left out is nobody whom an approval could be compared with.
        authors.names.truncate(items);
        authors.known = false;
    }
    assessment.terms.iter_mut().for_each(|term| cut(term, text));
    for all in [&mut assessment.terms, &mut assessment.categories, &mut assessment.not_shown] {
        list(all, items);
    }
    for one in &mut assessment.shown {
        cut(&mut one.by, text);
        list(&mut one.names, items);
    }
    let told = assessment.shown.last().and_then(|last| told(&last.by)).unwrap_or(0);
    let real = assessment.shown.len() - usize::from(told > 0);
    if real > items {
        assessment.shown.truncate(items);
        assessment.shown.push(ShownRecord { by: more(real - items + told), names: Vec::new() });
    }
}

/// The newest stay, and those that a budget in the place of another rests on; what went is told in front of them.
fn agreed(approvals: &mut Vec<ApprovalRecord>, text: usize, items: usize) {
    let told = approvals.first().and_then(|first| told(&first.author)).unwrap_or(0);
    let real = approvals.len() - usize::from(told > 0);
    for one in approvals.iter_mut() {
        cut(&mut one.author, text);
        list(&mut one.meets, items);
    }
    if real <= items {
        return;
    }
    let last = |kept: &SignOff| {
        // What it met as a requirement is no word about the budget.
        approvals.iter().rposition(|one| one.role == kept.role.as_str() && one.meets.is_empty())
    };
    let kept: Vec<usize> = OTHER_BUDGET.iter().filter_map(last).collect();
    let newest = approvals.len() - items;
    let stays =
        |(place, one): (usize, &ApprovalRecord)| (place >= newest || kept.contains(&place)).then(|| one.clone());
    let staying: Vec<ApprovalRecord> = approvals.iter().enumerate().filter_map(stays).collect();
    let gone = real.saturating_sub(staying.len()) + told;
    let first = approvals.first().filter(|_| gone > 0);
    let mark = first.map(|first| ApprovalRecord {
        role: String::new(),
        author: more(gone),
        meets: Vec::new(),
        ..first.clone()
    });
    *approvals = mark.into_iter().chain(staying).collect();
}

/// Keeps the first of a list and says how many more there were.
fn list(all: &mut Vec<String>, items: usize) {
    let gone: usize = all.iter().filter_map(|one| told(one)).sum();
    all.retain(|one| told(one).is_none());
    let gone = gone + all.len().saturating_sub(items);
    all.truncate(items);
    if gone > 0 {
        all.push(more(gone));
    }
}

fn more(count: usize) -> String {
    format!("and {count} more")
}

/// How many a mark tells of.
fn told(text: &str) -> Option<usize> {
    text.strip_prefix("and ")?.strip_suffix(" more")?.parse().ok()
}

/// A text of at most so many bytes as JSON writes it; what was cut is told by an ellipsis.
pub fn bounded(text: &str, bytes: usize) -> String {
    let mut text = text.to_owned();
    cut(&mut text, bytes);
    text
}

fn cut(text: &mut String, bytes: usize) {
    if text.chars().map(width).sum::<usize>() <= bytes {
        return;
    }
    let mut left = bytes.saturating_sub('…'.len_utf8());
    let mut end = 0;
    for (at, letter) in text.char_indices() {
        let Some(rest) = left.checked_sub(width(letter)) else { break };
        (left, end) = (rest, at + letter.len_utf8());
    }
    text.truncate(end);
    text.push('…');
}

const fn width(letter: char) -> usize {
    match letter {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => letter.len_utf8(),
    }
}

#[cfg(test)]
mod tests;
