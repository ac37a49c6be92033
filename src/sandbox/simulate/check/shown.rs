//! Where it is enforced, nobody meets a change that has not shown what its gate asks for, and nothing counts that nobody said
//! or that was taken back. Judged by the attestations alone, and by the documents' words for what every gate asks.

use serde_json::Value;

use super::{Checkers, FRESH, NAME, NAMESPACE, Rule, Seen, items, text};
use crate::api::Time;
use crate::cluster::kind::RISK_BUDGET;

/// What is attested at every gate from G1 on, which a change of code has at least (`000_…` §6.2; `003_…`, Module 4).
const FROM_G1: [&str; 8] =
    ["lint", "build", "unit-tests", "static-analysis", "sast", "sca", "staging-deploy", "smoke-tests"];

/// A requirement that is met by evidence of another name (`002_…`, Guardrails).
const ON_CALL: (&str, &str) = ("on-call-validation", "on-call-presence");

/// In which roles a peer reviews.
const REVIEWERS: [&str; 2] = ["code-owner", "senior-engineer"];

/// One attestation, in the order in which they were made.
#[derive(Debug, Clone)]
pub(super) struct Said {
    at: Time,
    revision: String,
    kind: String,
    role: Option<String>,
    author: String,
    outcome: String,
    names_author: Option<String>,
}

/// An attestation was made: the checkers remember when.
pub(super) fn remember(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (None, Some(after)) = (seen.before, seen.after) else { return };
    if text(after, "/spec/releaseRef/name") != Some(NAME) {
        return;
    }
    let word = |place: &str| text(after, place).unwrap_or_default().to_owned();
    checkers.said.push(Said {
        at: seen.now,
        revision: word("/spec/revision"),
        kind: word("/spec/type"),
        role: text(after, "/spec/role").map(str::to_owned),
        author: word("/spec/author"),
        outcome: text(after, "/spec/outcome").unwrap_or("Passed").to_owned(),
        names_author: text(after, "/spec/facts/change-author").map(str::to_owned),
    });
}

/// What stood at one moment about one revision.
#[derive(Clone, Copy)]
struct Stood<'a>(&'a [Said], &'a str);

impl<'a> Stood<'a> {
    fn about(self) -> impl Iterator<Item = (usize, &'a Said)> {
        self.0.iter().enumerate().filter(move |(_, said)| said.revision == self.1)
    }

    /// Whether its author took it back later.
    fn withdrawn(self, number: usize, said: &Said) -> bool {
        let mut later = self.about().filter(|(other, _)| *other > number).map(|(_, other)| other);
        later.any(|other| {
            other.outcome == "Withdrawn"
                && (&other.author, &other.kind, &other.role) == (&said.author, &said.kind, &said.role)
        })
    }

    /// Whether the last that stands of a type speaks for it.
    fn attested(self, kind: &str) -> bool {
        let stands = |(number, said): &(usize, &Said)| {
            said.kind == kind && said.outcome != "Withdrawn" && !self.withdrawn(*number, said)
        };
        self.about().filter(stands).last().is_some_and(|(_, said)| said.outcome == "Passed")
    }

    /// The last that a person said in a role.
    fn last(self, author: &str, role: &str) -> Option<&'a str> {
        let ours =
            |said: &&Said| said.kind == "approval" && said.author == author && said.role.as_deref() == Some(role);
        self.about().map(|(_, said)| said).filter(ours).last().map(|said| said.outcome.as_str())
    }

    /// Since when a person has agreed in a role without a break; none where they do not.
    fn since(self, author: &str, role: &str) -> Option<Time> {
        let ours =
            |said: &&Said| said.kind == "approval" && said.author == author && said.role.as_deref() == Some(role);
        let words: Vec<&Said> = self.about().map(|(_, said)| said).filter(ours).collect();
        words.rsplit(|said| said.outcome != "Passed").next()?.first().map(|said| said.at)
    }

    /// Whether a person agreed in another role before, a second or more, and still does: then this one is not theirs.
    fn speaks_elsewhere(self, author: &str, role: &str) -> bool {
        let Some(since) = self.since(author, role) else { return false };
        let earlier = |other: &str| {
            let began = self.since(author, other);
            other != role && began.is_some_and(|began| began.0.as_second() < since.0.as_second())
        };
        self.about().filter_map(|(_, said)| said.role.as_deref()).any(earlier)
    }

    /// Those who made the change, as far as somebody said so.
    fn authors(self) -> Vec<&'a str> {
        let named = self.about().filter(|(number, said)| said.outcome != "Withdrawn" && !self.withdrawn(*number, said));
        named.filter_map(|(_, said)| said.names_author.as_deref()).collect()
    }

    /// Whether somebody rejects it in a role, also who made it, however long ago they said so. Of one second a process knows no
    /// order: what was taken back in it may be the rejection.
    fn rejected(self, role: &str) -> bool {
        let ours = |said: &&Said| said.kind == "approval" && said.role.as_deref() == Some(role);
        let words: Vec<&Said> = self.about().map(|(_, said)| said).filter(ours).collect();
        let stands = |no: &&&Said| {
            let of_them = words.iter().filter(|said| said.author == no.author);
            let mut later = of_them.filter(|said| said.at.0.as_second() >= no.at.0.as_second());
            later.all(|said| said.outcome == "Failed")
        };
        words.iter().filter(|said| said.outcome == "Failed").any(|said| stands(&said))
    }

    /// Whether somebody rejects it in any role.
    fn rejected_in_any(self) -> bool {
        self.about().filter_map(|(_, said)| said.role.as_deref()).any(|role| self.rejected(role))
    }

    /// Whether a peer has reviewed it: somebody who did not make it; two where it is not known who did.
    fn reviewed(self) -> bool {
        if self.attested("peer-review") {
            return true;
        }
        let authors = self.authors();
        let mut people: Vec<&str> = self.about().map(|(_, said)| said.author.as_str()).collect();
        people.sort_unstable();
        people.dedup();
        let says = |person: &&str, word: &str| {
            let said = |role: &&str| self.last(person, role) == Some(word) && !self.speaks_elsewhere(person, role);
            REVIEWERS.iter().any(said)
        };
        let agreed = people.iter().filter(|person| says(person, "Passed") && !authors.contains(person)).count();
        let against = people.iter().any(|person| says(person, "Failed") && !authors.contains(person));
        !against && agreed >= if authors.is_empty() { 2 } else { 1 }
    }

    /// Whether somebody spoke for a requirement, by its type or in any role.
    fn backed(self, author: &str, name: &str) -> bool {
        let by = |(number, said): (usize, &Said)| {
            said.author == author && said.outcome == "Passed" && said.kind == name && !self.withdrawn(number, said)
        };
        let mut roles = self.about().filter_map(|(_, said)| said.role.as_deref());
        self.about().any(by) || roles.any(|role| self.last(author, role) == Some("Passed"))
    }
}

/// Whether something held at any moment that the look behind this write may be from.
fn lately(checkers: &Checkers, now: Time, revision: &str, holds: impl Fn(Stood<'_>) -> bool) -> bool {
    let said = checkers.said.as_slice();
    let old = said.iter().take_while(|one| now.since(one.at) > FRESH).count();
    (old..=said.len()).any(|known| holds(Stood(&said[..known], revision)))
}

/// Whether somebody agrees in a role to what runs by this revision, and said so since a moment, by any clock that a process may
/// have; nobody does where somebody rejects it in that role.
pub(super) fn approved(checkers: &Checkers, now: Time, revision: &str, role: &str, since: Option<Time>) -> bool {
    lately(checkers, now, revision, |stood| {
        !stood.rejected(role)
            && stood.about().any(|(_, said)| {
                said.kind == "approval"
                    && said.role.as_deref() == Some(role)
                    && since.is_none_or(|since| said.at.plus(FRESH) >= since)
                    && stood.last(&said.author, role) == Some("Passed")
            })
    })
}

/// A write of a record.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let before = seen.before.unwrap_or(&Value::Null);
    let revision = text(after, "/spec/revision").unwrap_or_default();
    let known = items(before, "/status/approvals");
    for approval in items(after, "/status/approvals").iter().filter(|approval| !known.contains(approval)) {
        let (author, role) =
            (text(approval, "/author").unwrap_or_default(), text(approval, "/role").unwrap_or_default());
        let agrees =
            |stood: Stood<'_>| stood.last(author, role) == Some("Passed") && !stood.speaks_elsewhere(author, role);
        if !lately(checkers, seen.now, revision, agrees) {
            let says =
                format!("{}: {author} as {role} counts, and does not agree, or speaks in another role", seen.name);
            checkers.violated(Rule::NotAgreed, seen.now, says);
        }
    }
    if text(before, "/status/phase") == Some("Plan") && text(after, "/status/phase") == Some("Stage") {
        begins(checkers, seen, after, revision);
    }
}

/// The change of a record is about to ship.
fn begins(checkers: &mut Checkers, seen: &Seen<'_>, record: &Value, revision: &str) {
    for shown in items(record, "/status/assessment/shown") {
        let by = text(shown, "/by").unwrap_or_default();
        // What Tidegate knows by itself nobody said.
        if !checkers.said.iter().any(|said| said.author == by) {
            continue;
        }
        for name in items(shown, "/names").iter().filter_map(Value::as_str) {
            let kind = if name == ON_CALL.0 { ON_CALL.1 } else { name };
            if !lately(checkers, seen.now, revision, |stood| stood.backed(by, kind)) {
                let says = format!("{}: {name} counts as shown by {by}, who does not say so", seen.name);
                checkers.violated(Rule::NotAgreed, seen.now, says);
            }
        }
    }
    let rollback = text(record, "/spec/change/type") == Some("Rollback");
    if !rollback && !lately(checkers, seen.now, revision, |stood| !stood.rejected_in_any()) {
        checkers.violated(Rule::NotAgreed, seen.now, format!("{} ships, and somebody rejects it", seen.name));
    }
    let budget = seen.objects.get(&RISK_BUDGET, NAMESPACE, NAME);
    let audited = budget.and_then(|budget| text(budget, "/spec/requirements/mode")) == Some("Audit");
    if audited || rollback || text(record, "/status/assessment/exception").is_some() {
        return;
    }
    let mut missing: Vec<&str> = FROM_G1
        .into_iter()
        .filter(|name| !lately(checkers, seen.now, revision, |stood| stood.attested(name)))
        .collect();
    if !lately(checkers, seen.now, revision, |stood| stood.reviewed()) {
        missing.push("peer-review");
    }
    if !missing.is_empty() {
        let says = format!("{} ships without {}", seen.name, missing.join(", "));
        checkers.violated(Rule::NotShown, seen.now, says);
    }
}
