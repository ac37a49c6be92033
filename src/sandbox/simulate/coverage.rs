//! What was reached of all that can be: acts, phases, outcomes, triggers, holds, events.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schedule::{Act, Around, Deed, Owner, Trial};
use crate::api::release_record::{Outcome, Phase, Trigger};
use crate::sandbox::api::Change;

/// How often each thing was seen, by its sort and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<(&'static str, String), u64>);

impl Coverage {
    /// Counts one.
    pub fn count(&mut self, sort: &'static str, name: &str) {
        *self.0.entry((sort, name.to_owned())).or_insert(0) += 1;
    }

    /// Counts what a change shows.
    pub fn see(&mut self, change: &Change) {
        let Some(after) = &change.after else { return };
        let now = |place: &str| after.pointer(place).and_then(Value::as_str);
        let new = |place: &str| {
            now(place).filter(|is| {
                change.before.as_ref().and_then(|before| before.pointer(place)).and_then(Value::as_str) != Some(*is)
            })
        };
        match change.kind.plural {
            "releaserecords" => {
                // What waited and went on.
                let stood = change.before.as_ref().and_then(|before| before.pointer("/status/hold/reason")?.as_str());
                if let Some(waited) = stood.filter(|_| now("/status/outcome").is_none())
                    && now("/status/hold/reason").is_none()
                {
                    self.count("went on", waited);
                }
                for (sort, place) in [
                    ("phase", "/status/phase"),
                    ("outcome", "/status/outcome"),
                    ("trigger", "/status/rollback/trigger"),
                    ("hold", "/status/hold/reason"),
                ] {
                    if let Some(is) = new(place) {
                        let is = is.to_owned();
                        self.count(sort, &is);
                    }
                }
            }
            "events" => {
                if let Some(reason) = now("/reason") {
                    self.count("event", reason);
                }
            }
            _ => {}
        }
    }

    /// Adds what another world reached.
    pub fn add(&mut self, other: &Self) {
        for (key, count) in &other.0 {
            *self.0.entry(key.clone()).or_insert(0) += count;
        }
    }

    /// All counts.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, &str, u64)> {
        self.0.iter().map(|((sort, name), count)| (*sort, name.as_str(), *count))
    }

    /// How often one thing was seen.
    pub fn of(&self, sort: &'static str, name: &str) -> u64 {
        self.0.get(&(sort, name.to_owned())).copied().unwrap_or(0)
    }

    /// What was never reached of what has a closed list.
    pub fn never(&self) -> Vec<(&'static str, String)> {
        let acts = Act::WORDS
            .iter()
            .chain(&Around::WORDS)
            .chain(&Deed::WORDS)
            .chain(&Trial::WORDS)
            .chain(&Owner::WORDS)
            .map(|word| ("act", (*word).to_owned()));
        let phases = Phase::ALL.iter().map(|phase| ("phase", phase.to_string()));
        let outcomes = Outcome::ALL.iter().map(|outcome| ("outcome", outcome.to_string()));
        let triggers = Trigger::ALL.iter().map(|trigger| ("trigger", trigger.to_string()));
        let all = acts.chain(phases).chain(outcomes).chain(triggers);
        all.filter(|(sort, name)| self.of(sort, name) == 0).collect()
    }
}
