//! What an interface promises, element by element, and what a change of an element means.
//!
//! Sound by construction: an element that is gone breaks, one that is not as it was breaks, and only elements of which
//! the format's own rules say so may come. Nothing else of a text is a promise.

use std::collections::BTreeMap;

use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;
use crate::policy::Category::{
    self, ApiBreaking, ApiCompatible, ApiNewEndpoint, Docs, PayloadBreaking, PayloadCompatible,
};

/// What it means that an element comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adding {
    /// Clients go on working.
    Compatible,
    /// Others can reach something new.
    Endpoint,
    /// Clients break, and why.
    Breaks(&'static str),
}

/// Whom an element is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Callers of an API.
    Api,
    /// Readers and writers of payloads and events.
    Payload,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Element {
    /// What must stay as it is.
    shape: String,
    adding: Adding,
    side: Side,
    /// The element that it belongs to: where that comes too, it decides.
    parent: Option<String>,
}

/// The elements of an interface by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contract(BTreeMap<String, Element>);

impl Contract {
    /// Adds an element. `name` is shown; `shape` is compared and never shown.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        parent: Option<&str>,
        side: Side,
        shape: impl Into<String>,
        adding: Adding,
    ) {
        let element = Element { shape: shape.into(), adding, side, parent: parent.map(str::to_owned) };
        self.0.insert(name.into(), element);
    }
}

const fn category(side: Side, breaks: bool) -> Category {
    match (side, breaks) {
        (Side::Api, true) => ApiBreaking,
        (Side::Api, false) => ApiCompatible,
        (Side::Payload, true) => PayloadBreaking,
        (Side::Payload, false) => PayloadCompatible,
    }
}

/// What changed between two interfaces; empty where their promises are the same.
fn differences(before: &Contract, after: &Contract) -> Vec<Seen> {
    let mut seen = Vec::new();
    let gone = |parent: &Option<String>| {
        parent.as_ref().is_some_and(|name| before.0.contains_key(name) && !after.0.contains_key(name))
    };
    let came = |parent: &Option<String>| {
        parent.as_ref().is_some_and(|name| !before.0.contains_key(name) && after.0.contains_key(name))
    };
    for (name, old) in &before.0 {
        match after.0.get(name) {
            None if gone(&old.parent) => {}
            None => seen.push(Seen::whole(category(old.side, true), format!("{name} removed"))),
            Some(new) if new.shape != old.shape => {
                seen.push(Seen::whole(category(old.side, true), format!("{name} changed")))
            }
            Some(_) => {}
        }
    }
    for (name, new) in after.0.iter().filter(|(name, _)| !before.0.contains_key(*name)) {
        if came(&new.parent) {
            continue;
        }
        seen.push(match new.adding {
            Adding::Compatible => Seen::whole(category(new.side, false), format!("{name} added")),
            Adding::Endpoint => Seen::whole(ApiNewEndpoint, format!("{name} added")),
            Adding::Breaks(why) => Seen::whole(category(new.side, true), format!("{name} added: {why}")),
        });
    }
    seen
}

/// No more differences of one file are told than this; of each category at least one.
const TOLD: usize = 12;

/// Compares the two sides of a file. `read` takes a text apart: None where it is not of the format, an error where it
/// is and cannot be told.
pub fn compare(file: &ChangedFile, side: Side, read: impl Fn(&str) -> Option<Result<Contract, String>>) -> Vec<Seen> {
    let cannot = |why: &str| vec![Seen::whole(category(side, true), format!("{why}, which counts as breaking"))];
    let Some((before, after)) = file.texts() else { return cannot("is no text") };
    let one = |there: bool, text: &str| if there { read(text) } else { Some(Ok(Contract::default())) };
    let (before, after) = (one(file.was_there(), before), one(file.is_there(), after));
    if (before.is_none() || !file.was_there()) && (after.is_none() || !file.is_there()) {
        return Vec::new();
    }
    // Where one side alone is of the format, all that was promised is gone, or nothing was.
    let (before, after) = match (before.unwrap_or(Ok(Contract::default())), after.unwrap_or(Ok(Contract::default()))) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(why), _) | (_, Err(why)) => return cannot(&format!("cannot tell what changed: {why}")),
    };
    let mut all = differences(&before, &after);
    if all.is_empty() {
        return vec![if file.was_there() && file.is_there() && file.before_path.is_none() {
            Seen::whole(Docs, "what the interface promises is the same: descriptions and layout differ")
        } else {
            Seen::whole(category(side, false), "an interface that promises nothing, or one that moved")
        }];
    }
    // The worst first, so that the shortening hides none.
    all.sort_by_key(|seen| std::cmp::Reverse(seen.category.floor()));
    let mut told: Vec<Seen> = Vec::new();
    for seen in all {
        if told.len() < TOLD || told.iter().all(|other| other.category != seen.category) {
            told.push(seen);
        }
    }
    told
}
