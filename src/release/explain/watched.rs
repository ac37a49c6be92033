//! What is told of circuit breakers, and of what is on trial: two conditions, and an event where either is news.

use super::After;
use super::conditions::Facts;
use super::events::{normal, warning};
use crate::api::condition::Truth;
use crate::api::release_record::{ReleaseRecordSpec, ReleaseRecordStatus};
use crate::release::action::Event;
use crate::release::wording::{at_most, called};

/// Whether a circuit breaker is open for the attempt; none where none names it, or none goes on.
pub(super) fn circuit(after: &After<'_>) -> Option<Facts> {
    let (_, status) = after.active().filter(|_| !after.seen.circuits.is_empty())?;
    let open =
        status.circuits.iter().map(|open| format!("{} ({}) since {}", open.name, open.value, open.since.clock()));
    let open: Vec<_> = open.collect();
    let not_known: Vec<_> = after
        .seen
        .circuits
        .iter()
        .filter_map(|circuit| {
            let stays = match status.circuits.iter().any(|open| open.name == circuit.name) {
                true => "open",
                false => "closed",
            };
            let why = at_most(300, circuit.reading.as_ref().err()?);
            Some(format!("What {} says is not known, so it stays {stays}: {why}.", circuit.name))
        })
        .collect();
    let (truth, reason, opening) = match (open.is_empty(), not_known.is_empty()) {
        (false, _) => (Truth::True, "Firing", format!("Open: {}. Nothing is raised.", open.join(", "))),
        (true, false) => (Truth::Unknown, "NotKnown", String::new()),
        (true, true) => (Truth::False, "Closed", "No circuit breaker is open.".to_owned()),
    };
    let message = std::iter::once(opening).chain(not_known).filter(|text| !text.is_empty()).collect::<Vec<_>>();
    Some(("CircuitOpen", truth, reason.to_owned(), message.join(" ")))
}

/// What would have brought the last attempt back, had it not been on trial; none where nothing would.
pub(super) fn trial(after: &After<'_>) -> Option<Facts> {
    let (_, spec, status) = after.record.filter(|(_, _, status)| !status.would_have.is_empty())?;
    let told: Vec<_> = status.would_have.iter().map(ToString::to_string).collect();
    let message = format!("On trial, so {} went on: {}.", called(spec), told.join("; "));
    let reason = status.would_have.first().map(|first| first.trigger.to_string()).unwrap_or_default();
    Some(("WouldHaveRolledBack", Truth::True, reason, message))
}

pub(super) fn news(
    told: &mut Vec<Event>,
    after: &After<'_>,
    spec: &ReleaseRecordSpec,
    before: &ReleaseRecordStatus,
    now: &ReleaseRecordStatus,
) {
    let name = called(spec);
    for one in now.would_have.iter().filter(|one| !before.would_have.contains(one)) {
        let note = format!(
            "{name} would be rolled back now, and goes on, because this is on trial (dryRun): {}: {}, limit {}.",
            one.trigger, one.value, one.threshold
        );
        told.push(warning("WouldHaveRolledBack", note));
    }
    let of = after.seen.release.spec.rollback.consecutive;
    let stood = |limit| before.streaks.iter().any(|streak| streak.limit == limit);
    for streak in now.streaks.iter().filter(|streak| !stood(streak.limit)) {
        let limit = streak.limit;
        let note =
            format!("{name} breached its limit {limit}. Nothing more is raised; {of} checks in a row bring it back.");
        told.push(warning("LimitBreached", note));
    }
    for open in now.circuits.iter().filter(|open| !before.circuits.contains(open)) {
        let note = format!("Circuit breaker {} opened ({}): nothing more is raised for {name}.", open.name, open.value);
        told.push(warning("CircuitOpened", note));
    }
    let sealed = now.outcome.is_some();
    for open in before.circuits.iter().filter(|open| !sealed && !now.circuits.contains(open)) {
        let note = format!("Circuit breaker {} closed, which was open since {}.", open.name, open.since.clock());
        told.push(normal("CircuitClosed", note));
    }
}
