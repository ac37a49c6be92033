//! The note of the weights that a route's owner gave the Service, while its rules are divided.
//!
//! Owners put rules in, take them out and move them in the middle of a release. So the note goes by what a rule is: its name
//! where it has one, and what it matches. What must never enter: the place of a rule, which an edit of another changes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{rules_of, text};
use crate::policy::canonical::sha256;

/// Weights by what a rule is; none for a rule whose backend had no weight. Without weights, nothing was noted.
pub(super) type Weights = BTreeMap<String, Option<u32>>;

/// The weights of one Service, and the rules that they are of.
#[derive(Debug)]
pub(super) struct Note {
    weights: Weights,
    /// What each rule of the route is, as it stands now.
    rules: Vec<Identity>,
}

/// What tells a rule from the others.
#[derive(Debug, Clone)]
struct Identity {
    /// `name:` and its name (Gateway API, `HTTPRouteRule.name`, unique in a route).
    name: Option<String>,
    /// `matches:`, a digest of what it matches, and which of those that match the same it is, from 1, in the order of the route.
    matches: String,
}

impl Note {
    /// What was noted about the rules that stand now.
    pub(super) fn of(route: &Value, noted: Weights) -> Self {
        let rules = identities(route);
        // An earlier Tidegate noted places: they are taken for those of the rules that stand, as nothing better is known.
        let weights = noted.into_iter().filter_map(|(key, weight)| match key.parse::<usize>() {
            Ok(place) => Some((rules.get(place)?.matches.clone(), weight)),
            Err(_) => Some((key, weight)),
        });
        Self { weights: weights.collect(), rules }
    }

    /// The weight of the rule in this place. One that nobody knows any more has what all have, or none: a rule without other
    /// backends divides nothing by it.
    pub(super) fn weight(&self, place: usize) -> Option<u32> {
        let known = self.rules.get(place).and_then(|rule| {
            let by_name = rule.name.as_ref().and_then(|name| self.weights.get(name));
            by_name.or_else(|| self.weights.get(&rule.matches))
        });
        known.copied().unwrap_or_else(|| self.common())
    }

    fn common(&self) -> Option<u32> {
        let mut all = self.weights.values();
        let first = *all.next()?;
        all.all(|weight| *weight == first).then_some(first).flatten()
    }

    /// A note of the same rules with nothing in it yet: what is gone is forgotten.
    pub(super) fn anew(&self) -> Self {
        Self { weights: Weights::new(), rules: self.rules.clone() }
    }

    /// Notes the weight of the rule in this place: by its name too, so that either may change.
    pub(super) fn keep(&mut self, place: usize, weight: Option<u32>) {
        let Some(rule) = self.rules.get(place) else { return };
        let keys = [Some(&rule.matches), rule.name.as_ref()].into_iter().flatten();
        self.weights.extend(keys.map(|key| (key.clone(), weight)));
    }

    /// What is noted now.
    pub(super) fn weights(self) -> Weights {
        self.weights
    }
}

fn identities(route: &Value) -> Vec<Identity> {
    let mut alike = BTreeMap::<String, usize>::new();
    let rules = rules_of(route).iter().map(|rule| {
        // Twelve digits tell the sixteen rules of a route apart.
        let digest = sha256(&matches(rule)).chars().take(12).collect::<String>();
        let ordinal = alike.entry(digest.clone()).and_modify(|count| *count += 1).or_insert(1);
        Identity {
            name: text(rule, "/name").map(|name| format!("name:{name}")),
            matches: format!("matches:{digest}:{ordinal}"),
        }
    });
    rules.collect()
}

/// What the rule matches: everything where it does not say, as the API server would write it.
fn matches(rule: &Value) -> Value {
    let said = rule.get("matches").filter(|matches| matches.as_array().is_some_and(|matches| !matches.is_empty()));
    said.cloned().unwrap_or_else(|| json!([{"path": {"type": "PathPrefix", "value": "/"}}]))
}
