//! Ready, Progressing, Held, Released; Stalled only where the object itself is invalid.

use super::After;
use crate::api::condition::{Condition, Truth};
use crate::api::release_record::Outcome;
use crate::release::plan::Say;
use crate::release::problem::Problem;

/// Problems that only an edit of the GatedRelease itself can mend.
const INVALID: [&str; 1] = ["StagesInvalid"];

pub(super) fn conditions(after: &After<'_>, found: &[Problem]) -> Vec<Condition> {
    let all =
        [Some(ready(after, found)), Some(progressing(after)), Some(held(after)), Some(released(after)), stalled(found)];
    all.into_iter()
        .flatten()
        .map(|(kind, status, reason, message)| {
            let before = after.seen.release.status.conditions.iter().find(|condition| condition.kind == kind);
            let last_transition_time =
                before.filter(|before| before.status == status).map_or(after.now, |before| before.last_transition_time);
            let observed_generation = after.seen.release.generation;
            Condition { kind: kind.to_owned(), status, reason, message, last_transition_time, observed_generation }
        })
        .collect()
}

type Facts = (&'static str, Truth, String, String);

/// The gate is in force, and Git is what runs.
fn ready(after: &After<'_>, found: &[Problem]) -> Facts {
    if let Some(first) = found.first() {
        let all: Vec<_> = found.iter().map(|problem| problem.message.as_str()).collect();
        return ("Ready", Truth::False, first.reason.to_owned(), all.join(" "));
    }
    match after.say {
        Say::Unsettled(reason, message) => ("Ready", Truth::False, (*reason).to_owned(), message.clone()),
        Say::Closed => ("Ready", Truth::False, outcome_word(after), after.message()),
        Say::Problems(_) | Say::InForce | Say::Going(..) | Say::Held => (
            "Ready",
            Truth::True,
            "InForce".to_owned(),
            "The gate is in force and all that it refers to was found.".to_owned(),
        ),
    }
}

fn progressing(after: &After<'_>) -> Facts {
    match (after.active(), after.say) {
        (Some(_), Say::Going(reason, sentence)) => ("Progressing", Truth::True, (*reason).to_owned(), sentence.clone()),
        (Some(_), Say::Held) => {
            ("Progressing", Truth::True, "Held".to_owned(), "The release is held; see condition Held.".to_owned())
        }
        (Some(_), Say::Problems(_) | Say::Unsettled(..) | Say::InForce | Say::Closed) | (None, _) => {
            ("Progressing", Truth::False, outcome_word(after), "No release is going on.".to_owned())
        }
    }
}

fn held(after: &After<'_>) -> Facts {
    match after.active().and_then(|(_, status)| status.hold.as_ref()) {
        Some(hold) => ("Held", Truth::True, hold.reason.clone(), after.held()),
        None => ("Held", Truth::False, "NotHeld".to_owned(), "Nothing is waited for.".to_owned()),
    }
}

fn released(after: &After<'_>) -> Facts {
    let Some((_, spec, status)) = after.record else {
        return ("Released", Truth::Unknown, "NoRecord".to_owned(), "Nothing has been released yet.".to_owned());
    };
    let truth = match status.outcome {
        Some(Outcome::Succeeded | Outcome::Bootstrap | Outcome::Bypassed) => Truth::True,
        Some(
            Outcome::RolledBack
            | Outcome::Superseded
            | Outcome::Expired
            | Outcome::Reverted
            | Outcome::Abandoned
            | Outcome::NotWithdrawn,
        ) => Truth::False,
        None => Truth::Unknown,
    };
    let message = if status.summary.is_empty() {
        format!("Revision {} is on its way.", spec.revision)
    } else {
        status.summary.clone()
    };
    ("Released", truth, outcome_word(after), message)
}

fn stalled(found: &[Problem]) -> Option<Facts> {
    let problem = found.iter().find(|problem| INVALID.contains(&problem.reason))?;
    Some(("Stalled", Truth::True, problem.reason.to_owned(), problem.message.clone()))
}

fn outcome_word(after: &After<'_>) -> String {
    match (after.outcome(), after.active()) {
        (Some(outcome), _) => outcome.to_string(),
        (None, Some(_)) => "InProgress".to_owned(),
        (None, None) => "Idle".to_owned(),
    }
}
