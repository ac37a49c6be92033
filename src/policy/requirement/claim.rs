//! What people and machines attested about one revision.

use std::collections::{BTreeMap, BTreeSet};

use super::author::{is_machine, made_by};
use super::image::{NewImage, Part};
use crate::api::attestation::ClaimOutcome;
use crate::api::{AttestationSpec, Time};
use crate::policy::sign_off::Role;

/// The type of an attestation by which a person approves in a role.
pub const APPROVAL: &str = "approval";

/// The group that admission adds to those of a machine user, and takes from everybody else (`admission.machineUsers`).
pub const MACHINES: &str = "system:machine";

/// An attestation about the revision that is judged, whose author the API server proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// `approval`, or the name of a requirement.
    pub kind: String,
    /// The role of an approval.
    pub role: Option<String>,
    /// Who claims it.
    pub author: String,
    /// Whether it speaks for the revision; an approval that does not is a rejection.
    pub passed: bool,
    /// Whether the author takes back what they said before: it says nothing itself.
    pub withdrawn: bool,
    /// When it was made.
    pub at: Time,
    /// When it lapses.
    pub until: Option<Time>,
    /// Its named facts.
    pub facts: BTreeMap<String, String>,
    /// Whether it is proved that a machine claims it, whatever its name: by a signature, or by admission, which knows the machine users
    /// of the administrator.
    pub machine: bool,
    /// The digest of the image that it speaks of; none where it speaks of the revision, whatever that runs.
    pub about: Option<String>,
}

impl Claim {
    /// What an attestation claims of a revision that the API server took at this moment, in the role that it names itself.
    pub fn of(spec: &AttestationSpec, at: Time) -> Self {
        Self {
            kind: spec.kind.clone(),
            role: spec.role.clone(),
            author: spec.author.clone(),
            passed: spec.outcome == ClaimOutcome::Passed,
            withdrawn: spec.outcome == ClaimOutcome::Withdrawn,
            at,
            until: spec.expires_at,
            facts: spec.facts.clone(),
            machine: spec.groups.iter().any(|group| group == MACHINES),
            about: None,
        }
    }

    /// Whether a machine claims it: nobody approves or reviews through one, and it made nothing.
    pub fn is_of_machine(&self) -> bool {
        self.machine || is_machine(&self.author)
    }

    /// The reason that its author gave, to follow a sentence, shortened: `: no dashboard`; empty where they gave none.
    pub fn why(&self) -> String {
        let note = self.facts.get("note").map_or("", |note| note.trim());
        let cut = note.char_indices().nth(NOTE).map_or(note, |(at, _)| &note[..at]);
        match (cut.is_empty(), cut.len() < note.len()) {
            (true, _) => String::new(),
            (false, false) => format!(": {cut}"),
            (false, true) => format!(": {cut}…"),
        }
    }

    /// `ci:shop (2 Jan 10:00:00 UTC)`.
    pub fn by(&self) -> String {
        format!("{} ({})", self.author, self.at.clock())
    }
}

/// How many characters of a reason a sentence has.
const NOTE: usize = 200;

/// The claims about one revision.
#[derive(Debug, Clone, Copy)]
pub struct Claims<'a> {
    pub(super) all: &'a [Claim],
    /// The images that come new, each of which something must be said of.
    pub(super) images: &'a [NewImage],
    /// Who made the change, who may not approve it; empty where it is not known.
    authors: &'a [String],
    /// Whether they are all who made it, by the names under which they would approve.
    known: bool,
    /// From when on a word about a requirement counts, to the second; always where absent.
    pub(super) since: Option<Time>,
    /// From when on an approval counts, to the second; always where absent.
    approved_since: Option<Time>,
    pub(super) now: Time,
}

impl<'a> Claims<'a> {
    /// The claims as they stand at `now`. `authors` are those who made the change, as far as they are known.
    pub const fn new(all: &'a [Claim], authors: &'a [String], now: Time) -> Self {
        Self { all, images: &[], authors, known: !authors.is_empty(), since: None, approved_since: None, now }
    }

    /// The same, where these images come new.
    pub const fn bringing(self, images: &'a [NewImage]) -> Self {
        Self { images, ..self }
    }

    /// The same, where a word about a requirement counts from a moment on. The API server's times are whole seconds: what was said in
    /// that very second counts.
    pub const fn since(self, since: Time) -> Self {
        Self { since: Some(since), ..self }
    }

    /// The same, where an approval counts from a moment on, as a word does by [`Claims::since`]. A rejection counts however old it is.
    pub const fn approved_since(self, since: Option<Time>) -> Self {
        Self { approved_since: since, ..self }
    }

    /// Since when a claim's facts are what somebody says of its type and image, however often they were said again.
    pub fn worded(&self, claim: &Claim) -> Time {
        let same = |other: &&Claim| other.kind == claim.kind && other.about == claim.about && other.at <= claim.at;
        let others = self.all.iter().filter(same).filter(|other| other.facts != claim.facts);
        let before = others.map(|other| other.at).max();
        let again = self.all.iter().filter(same).filter(|other| other.facts == claim.facts);
        again.map(|other| other.at).filter(|at| before.is_none_or(|before| before <= *at)).min().unwrap_or(claim.at)
    }

    /// The same, where the authors may be known under other names than those under which they would approve.
    pub const fn knowing(self, known: bool) -> Self {
        Self { known, ..self }
    }

    /// Whether it is known who made the change.
    pub const fn knows_author(&self) -> bool {
        self.known
    }

    /// What each author last said of a type about one part, without what they took back. Who made the change may stop it: what they say for it takes
    /// that back and counts for nothing.
    pub(super) fn of_others(&self, part: Part<'a>, kind: &str) -> Vec<&'a Claim> {
        self.last_of(part, kind).filter(|claim| !claim.passed || !self.is_own(claim)).collect()
    }

    /// The latest that somebody says for their own change; none where nobody does.
    pub(super) fn own(&self, part: Part<'a>, kind: &str) -> Option<&'a Claim> {
        self.last_of(part, kind).filter(|claim| claim.passed && self.is_own(claim)).max_by_key(|claim| claim.at)
    }

    fn last_of(&self, part: Part<'a>, kind: &str) -> impl Iterator<Item = &'a Claim> {
        let mut latest: BTreeMap<&str, &'a Claim> = BTreeMap::new();
        let rank = |claim: &Claim| (claim.at, claim.withdrawn, !claim.passed);
        let said = |claim: &&Claim| claim.kind == kind && self.is_said(claim) && part.hears(claim);
        for claim in self.all.iter().filter(said) {
            let known = latest.entry(&claim.author).or_insert(claim);
            if rank(claim) > rank(known) {
                *known = claim;
            }
        }
        latest.into_values().filter(|claim| !claim.withdrawn)
    }

    /// Whether who claims this made the change, as far as that is known.
    fn is_own(&self, claim: &Claim) -> bool {
        made_by(self.authors, &claim.author)
    }

    /// Whether it is said by now. Who says no, or takes a word back, is heard although the API server's clock is ahead of ours.
    pub(super) fn is_said(&self, claim: &Claim) -> bool {
        claim.at <= self.now || !claim.passed || claim.withdrawn
    }

    /// The moment at which they stand.
    pub(super) const fn now(&self) -> Time {
        self.now
    }

    /// What each person last said in a role, without what lapsed. Who made the change may stop it and not approve it: an approval of
    /// theirs takes their rejection back and counts for nothing.
    fn voices(&self, role: Role) -> Vec<&'a Claim> {
        let mut latest: BTreeMap<&str, &'a Claim> = BTreeMap::new();
        for claim in self.all {
            let is_voice = claim.kind == APPROVAL && claim.role.as_deref() == Some(role.as_str());
            if !is_voice || !self.is_said(claim) {
                continue;
            }
            let known = latest.entry(&claim.author).or_insert(claim);
            if (claim.at, claim.withdrawn, !claim.passed) > (known.at, known.withdrawn, !known.passed) {
                *known = claim;
            }
        }
        let own = |claim: &Claim| claim.passed && self.is_own(claim);
        let early = |claim: &Claim| {
            let before = |since: Time| claim.at.0.as_second() < since.0.as_second();
            claim.passed && self.approved_since.is_some_and(before)
        };
        let in_force = |claim: &Claim| claim.until.is_none_or(|until| until > self.now);
        let stands = |claim: &&Claim| !claim.withdrawn && !own(claim) && !early(claim) && in_force(claim);
        latest.into_values().filter(stands).collect()
    }

    /// Somebody who rejects in any of these roles and has not taken it back.
    pub fn rejection(&self, roles: &[Role]) -> Option<&'a Claim> {
        roles.iter().flat_map(|role| self.voices(*role)).find(|claim| !claim.passed)
    }

    /// A distinct person for each seat, who approves in one of its roles; the seats that stay empty otherwise. As many
    /// seats as possible are taken: a person who could take two is given the one that nobody else can.
    pub fn seats(&self, seats: &[&[Role]]) -> Result<Vec<&'a Claim>, Vec<usize>> {
        let able: Vec<Vec<&'a Claim>> = seats
            .iter()
            .map(|roles| roles.iter().flat_map(|role| self.voices(*role)).filter(|claim| claim.passed).collect())
            .collect();
        let mut taken: BTreeMap<&str, (usize, &'a Claim)> = BTreeMap::new();
        let empty: Vec<usize> =
            (0..seats.len()).filter(|seat| !sit(*seat, &able, &mut taken, &mut BTreeSet::new())).collect();
        if !empty.is_empty() {
            return Err(empty);
        }
        let mut sitting: Vec<(usize, &'a Claim)> = taken.into_values().collect();
        sitting.sort_by_key(|(seat, _)| *seat);
        Ok(sitting.into_iter().map(|(_, claim)| claim).collect())
    }
}

/// Gives a seat to somebody who is able, moving others where that helps (augmenting paths; there are few seats).
fn sit<'a>(
    seat: usize,
    able: &[Vec<&'a Claim>],
    taken: &mut BTreeMap<&'a str, (usize, &'a Claim)>,
    asked: &mut BTreeSet<&'a str>,
) -> bool {
    for claim in &able[seat] {
        let person = claim.author.as_str();
        if !asked.insert(person) {
            continue;
        }
        let free = match taken.get(person) {
            Some((other, _)) => sit(*other, able, taken, asked),
            None => true,
        };
        if free {
            taken.insert(person, (seat, claim));
            return true;
        }
    }
    false
}
