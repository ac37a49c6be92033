//! Who made a change, and so does not approve it.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::Claim;
use super::image::{NewImage, Part};
use crate::api::Time;
use crate::policy::evidence::{self, Evidence};

/// The fact by which CI says who made a change; several are separated by commas.
pub const CHANGE_AUTHOR: &str = "change-author";

/// The fact that `tidegate classify` writes: who wrote the commits, as Git knows them. The API server may know them by another name,
/// so that they count as not known, and are not heard under this one.
pub const COMMIT_AUTHORS: &str = "change-authors";

/// Whom the facts of one attestation name by the names under which they would approve.
pub fn named(facts: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    let names = facts.get(CHANGE_AUTHOR).into_iter().flat_map(|names| names.split(','));
    names.map(str::trim).filter(|name| !name.is_empty())
}

/// Whom they name as Git knows them: `Ann <ann@example.org>` is the whole, the name and the address.
pub fn in_commits(facts: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    let people = facts.get(COMMIT_AUTHORS).into_iter().flat_map(|names| names.split(',')).map(str::trim);
    let names = people.flat_map(|person| {
        let (name, address) = person.split_once('<').unwrap_or((person, ""));
        [person, name.trim(), address.trim_end_matches('>').trim()]
    });
    names.filter(|name| !name.is_empty())
}

/// Whether this is the name of a machine: a service account, a node, a component of the cluster.
pub fn is_machine(name: &str) -> bool {
    ["system:serviceaccount:", "system:node:", "system:kube-"].iter().any(|begins| name.starts_with(begins))
}

/// Whether somebody is called so. Names of the cluster's own stand for nobody that is known, also where a person used one.
pub fn is_person(name: &str) -> bool {
    !name.is_empty() && !name.starts_with("system:")
}

/// Whether somebody made the change by one of these names. Upper and lower case are the same here: a pipeline's `Ann@example.org` does not
/// approve as `ann@example.org`.
pub fn made_by(authors: &[String], name: &str) -> bool {
    let name = name.to_lowercase();
    authors.iter().any(|author| author.to_lowercase() == name)
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authors {
    /// Those who are named, sorted.
    pub names: Vec<String>,
    /// Whether they are all who made it. Otherwise two people approve where one would.
    pub known: bool,
}

/// The same claim where it says nothing of who made the change: whom it names made another one.
pub fn nameless(mut claim: Claim) -> Claim {
    claim.facts.retain(|fact, _| ![CHANGE_AUTHOR, COMMIT_AUTHORS].contains(&fact.as_str()));
    claim
}

/// Who made the change: the person who changed the template, whose name the API server proved, and whom evidence names. A machine
/// that changed it stands for somebody who is not known, unless a machine names them: a person who does may have made it themselves, so
/// that whom they name does not approve, and others may have made it.
pub fn authors(claims: &[Claim], changed_by: &str) -> Authors {
    authors_of(claims, &[], changed_by)
}

/// The same where these images come new: whom evidence of any names made the change, and they are all known where that of each names
/// somebody, or that of the revision.
pub fn authors_of(claims: &[Claim], images: &[NewImage], changed_by: &str) -> Authors {
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut known = true;
    for part in Part::of(images) {
        let (of_part, known_of_part) = attested(claims, part);
        names.extend(of_part.into_iter().map(str::to_owned));
        known &= known_of_part;
    }
    if changed_by.ends_with('…') {
        // A record has cut the name: nobody could be compared with it.
        known = false;
    } else if is_person(changed_by) {
        known = true;
        names.insert(changed_by.to_owned());
    }
    Authors { names: names.into_iter().collect(), known }
}

/// Whom evidence about one part names, and whether a machine's does.
fn attested<'a>(claims: &'a [Claim], part: Part<'_>) -> (Vec<&'a str>, bool) {
    let types = evidence::all();
    let of_pipelines = |claim: &&Claim| types.get(claim.kind.as_str()).is_some_and(Evidence::is_of_pipelines);
    let heard: Vec<&Claim> = claims.iter().filter(|claim| part.hears(claim)).collect();
    let taken_back = taken_back(&heard);
    let stands = |claim: &&Claim| {
        !claim.withdrawn
            && taken_back.get(&(claim.author.as_str(), claim.kind.as_str())).is_none_or(|at| claim.at > *at)
    };
    let (mut names, mut known) = (Vec::new(), false);
    for claim in heard.iter().copied().filter(of_pipelines).filter(stands) {
        for name in named(&claim.facts) {
            known |= claim.is_of_machine();
            names.push(name);
        }
    }
    (names, known)
}

/// When each author last took back what they said of a type.
fn taken_back<'a>(claims: &[&'a Claim]) -> BTreeMap<(&'a str, &'a str), Time> {
    let mut last = BTreeMap::new();
    for claim in claims.iter().filter(|claim| claim.withdrawn) {
        let known = last.entry((claim.author.as_str(), claim.kind.as_str())).or_insert(claim.at);
        *known = claim.at.max(*known);
    }
    last
}
