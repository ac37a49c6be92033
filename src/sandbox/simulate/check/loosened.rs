//! What of a RiskBudget is in force: what allows more only once product and development manager have agreed to it, each another
//! person, and what allows less at once. Looked at by two fields that worlds edit.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Checkers, FRESH, NAME, Rule, Seen, text};
use crate::api::Time;

/// The roles that agree (`000_…` §4).
const BOTH: [&str; 2] = ["product-manager", "development-manager"];

/// What was said about the RiskBudget, and what there was to agree to.
#[derive(Debug, Default)]
pub(super) struct Heard {
    said: Vec<Said>,
    /// What an approval names, by the generation of the spec.
    revisions: BTreeMap<i64, String>,
}

/// One approval, rejection or withdrawal.
#[derive(Debug)]
struct Said {
    at: Time,
    revision: String,
    role: String,
    author: String,
    agrees: bool,
}

/// An attestation was made.
pub(super) fn remember(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (None, Some(after)) = (seen.before, seen.after) else { return };
    let about = text(after, "/spec/releaseRef/kind") == Some("RiskBudget")
        && text(after, "/spec/releaseRef/name") == Some(NAME);
    if !about || text(after, "/spec/type") != Some("approval") {
        return;
    }
    let word = |place: &str| text(after, place).unwrap_or_default().to_owned();
    checkers.heard.said.push(Said {
        at: seen.now,
        revision: word("/spec/revision"),
        role: word("/spec/role"),
        author: word("/spec/author"),
        agrees: text(after, "/spec/outcome").unwrap_or("Passed") == "Passed",
    });
}

/// The spec that is in force, as the RiskBudget remembers it.
pub(super) fn in_force(budget: &Value) -> Option<Value> {
    serde_json::from_str(text(budget, "/status/inForce/spec")?).ok()
}

/// Whether two people agree, one in each role, by what was said at a moment.
fn agreed(said: &[Said], revision: &str) -> bool {
    let by = |role: &str| -> Vec<&str> {
        let of = said.iter().filter(|one| one.revision == revision && one.role == role);
        let last: BTreeMap<&str, bool> = of.map(|one| (one.author.as_str(), one.agrees)).collect();
        last.into_iter().filter(|(_, agrees)| *agrees).map(|(author, _)| author).collect()
    };
    let (one, other) = (by(BOTH[0]), by(BOTH[1]));
    one.iter().any(|author| other.iter().any(|another| another != author))
}

/// A field: where it is, and whether the first value allows more than the second.
type Field = (&'static str, fn(f64, f64) -> bool);

const FIELDS: [Field; 2] =
    [("/riskPoints", |wanted, held| wanted > held), ("/slos/0/objective", |wanted, held| wanted < held)];

/// A write of the RiskBudget.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    let generation = after.pointer("/status/inForce/generation").and_then(Value::as_i64);
    // What was edited since is looked at by the next write.
    let Some(generation) =
        generation.filter(|it| after.pointer("/metadata/generation").and_then(Value::as_i64) == Some(*it))
    else {
        return;
    };
    if let Some(revision) = text(after, "/status/loosening/revision") {
        checkers.heard.revisions.insert(generation, revision.to_owned());
    }
    let (Some(was), Some(is)) = (in_force(before), in_force(after)) else { return };
    for (place, allows_more) in FIELDS {
        let value = |spec: Option<&Value>| spec.and_then(|spec| spec.pointer(place)?.as_f64()).unwrap_or(0.0);
        let (wanted, was, is) = (value(after.pointer("/spec")), value(Some(&was)), value(Some(&is)));
        let same = |one: f64, other: f64| (one - other).abs() < f64::EPSILON;
        let more = allows_more(wanted, was);
        let says = |what: &str| format!("spec{place}: {was} was in force, {wanted} is asked for, {is} {what}");
        if same(is, wanted) {
            if more && !lately_agreed(checkers, seen.now, generation, after) {
                checkers.violated(Rule::LoosenedAlone, seen.now, says("is in force, and nobody agreed"));
            }
        } else if !same(is, was) {
            checkers.violated(Rule::LoosenedAlone, seen.now, says("is in force, which is neither"));
        } else if !more {
            checkers.violated(Rule::LoosenedAlone, seen.now, says("is in force, and what allows less holds at once"));
        }
    }
}

/// Whether both agreed at any moment that the look behind this write may be from.
fn lately_agreed(checkers: &Checkers, now: Time, generation: i64, budget: &Value) -> bool {
    let heard = &checkers.heard;
    let told = || text(budget, "/status/loosened/0/revision").map(str::to_owned);
    let Some(revision) = heard.revisions.get(&generation).cloned().or_else(told) else { return false };
    let old = heard.said.iter().take_while(|one| now.since(one.at) > FRESH).count();
    (old..=heard.said.len()).any(|known| agreed(&heard.said[..known], &revision))
}
