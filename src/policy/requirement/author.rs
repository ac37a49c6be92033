//! Who made a change, and so does not approve it.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{APPROVAL, Claim};
use crate::api::Time;
use crate::policy::evidence::{self, Evidence, START};

/// The fact by which CI says who made a change; several are separated by commas.
pub const CHANGE_AUTHOR: &str = "change-author";

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authors {
    /// Those who are named, sorted.
    pub names: Vec<String>,
    /// Whether they are all who made it. Otherwise two people approve where one would.
    pub known: bool,
}

/// Who made the change: the person who changed the template, whose name the API server proved, and whom pipelines name. A machine
/// that changed it stands for somebody who is not known, unless a pipeline names them.
pub fn authors(claims: &[Claim], changed_by: &str) -> Authors {
    let types = evidence::all();
    let of_pipelines = |claim: &Claim| types.get(claim.kind.as_str()).is_some_and(Evidence::is_of_pipelines);
    // Whoever approves or starts is no pipeline: they may have made it, and have named somebody else.
    let speaks = |claim: &&Claim| [APPROVAL, START].contains(&claim.kind.as_str());
    let people: BTreeSet<&str> = claims.iter().filter(speaks).map(|claim| claim.author.as_str()).collect();
    let taken_back = taken_back(claims);
    let stands = |claim: &&Claim| {
        !claim.withdrawn
            && taken_back.get(&(claim.author.as_str(), claim.kind.as_str())).is_none_or(|at| claim.at > *at)
    };
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut known = false;
    for claim in claims.iter().filter(|claim| of_pipelines(claim)).filter(stands) {
        let Some(named) = claim.facts.get(CHANGE_AUTHOR) else { continue };
        for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            known |= !people.contains(claim.author.as_str());
            names.insert(name.to_owned());
        }
    }
    if changed_by.ends_with('…') {
        // A record has cut the name: nobody could be compared with it.
        known = false;
    } else if !changed_by.is_empty() && !changed_by.starts_with("system:") {
        known = true;
        names.insert(changed_by.to_owned());
    }
    Authors { names: names.into_iter().collect(), known }
}

/// When each author last took back what they said of a type.
fn taken_back(claims: &[Claim]) -> BTreeMap<(&str, &str), Time> {
    let mut last = BTreeMap::new();
    for claim in claims.iter().filter(|claim| claim.withdrawn) {
        let known = last.entry((claim.author.as_str(), claim.kind.as_str())).or_insert(claim.at);
        *known = claim.at.max(*known);
    }
    last
}
