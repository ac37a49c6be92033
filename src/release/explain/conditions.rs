//! Ready, Progressing, Held, Released, Preflight, CircuitOpen, BudgetBurning, WouldHaveRolledBack; Stalled only where the object itself is invalid.

use super::{After, preflight, watched};
use crate::api::condition::{Condition, Truth};
use crate::api::names::{DETACH, GATED};
use crate::api::release_record::Outcome;
use crate::release::plan::Say;
use crate::release::problem::Problem;
use crate::release::snapshot::Snapshot;
use crate::release::template;

/// Problems that only an edit of the GatedRelease itself can mend.
const INVALID: [&str; 1] = ["StagesInvalid"];

pub(super) fn conditions(after: &After<'_>, found: &[Problem]) -> Vec<Condition> {
    let all = [
        Some(ready(after, found)),
        Some(progressing(after)),
        Some(held(after)),
        Some(released(after)),
        preflight::found(after),
        stalled(found),
        watched::circuit(after),
        watched::burning(after),
        watched::trial(after),
    ];
    all.into_iter()
        .flatten()
        .map(|(kind, status, reason, message)| {
            let release = &after.seen.release;
            let facts = (status, reason.as_str(), message);
            Condition::now(kind, facts, &release.status.conditions, release.generation, after.now)
        })
        .chain(preflight::stands(after))
        .collect()
}

pub(super) type Facts = (&'static str, Truth, String, String);

/// The gate is in force, and Git is what runs.
fn ready(after: &After<'_>, found: &[Problem]) -> Facts {
    if *after.say == Say::Detached {
        // Nothing that is missing matters to a gate that was taken away.
        return ("Ready", Truth::False, DETACHED.to_owned(), detached(after.seen));
    }
    if let Some(first) = found.first() {
        let all: Vec<_> = found.iter().map(|problem| problem.message.as_str()).collect();
        return ("Ready", Truth::False, first.reason.to_owned(), all.join(" "));
    }
    match after.say {
        Say::Unsettled(reason, message) => ("Ready", Truth::False, (*reason).to_owned(), message.clone()),
        Say::Closed => ("Ready", Truth::False, outcome_word(after), after.message()),
        Say::Problems(_) | Say::InForce | Say::Going(..) | Say::Held | Say::Detached => (
            "Ready",
            Truth::True,
            "InForce".to_owned(),
            "The gate is in force and all that it refers to was found.".to_owned(),
        ),
    }
}

/// Why Ready is false once Tidegate has left.
pub(super) const DETACHED: &str = "Detached";

/// What a detached release means for its workload, and the way back.
pub(super) fn detached(seen: &Snapshot) -> String {
    let (namespace, name) = (&seen.release.namespace, &seen.release.name);
    let gated = seen.workload.as_ref().is_some_and(|workload| workload.gated);
    let (kind, workload) = (seen.kind(), &seen.release.spec.workload_ref.name);
    let (label, again) = match gated {
        true => (
            format!(
                " {kind} {workload} still has the label {GATED}: its next change is held, and nothing releases it; remove the label."
            ),
            String::new(),
        ),
        false => (String::new(), format!("kubectl label {} {workload} -n {namespace} {GATED}= && ", kind.resource())),
    };
    format!(
        "Tidegate has left the workload and does nothing with it.{label} Take it under the gate again: {again}kubectl annotate gatedrelease {name} -n {namespace} {DETACH}-"
    )
}

fn progressing(after: &After<'_>) -> Facts {
    match (after.active(), after.say) {
        (Some(_), Say::Going(reason, sentence)) => ("Progressing", Truth::True, (*reason).to_owned(), sentence.clone()),
        (Some(_), Say::Held) => {
            ("Progressing", Truth::True, "Held".to_owned(), "The release is held; see condition Held.".to_owned())
        }
        (Some(_), Say::Problems(_) | Say::Unsettled(..) | Say::InForce | Say::Closed | Say::Detached) | (None, _) => {
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
            | Outcome::Charged
            | Outcome::NotWithdrawn,
        ) => Truth::False,
        None => Truth::Unknown,
    };
    let message = if status.summary.is_empty() {
        format!("Revision {} is on its way.", template::short_of(&spec.revision))
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
