//! What is told of circuit breakers, of an error budget that burns, and of what is on trial: a condition each, and an event where a
//! breaker or a trial is news.

use super::After;
use super::conditions::Facts;
use super::events::{normal, warning};
use crate::api::condition::Truth;
use crate::api::release_record::{ReleaseRecordSpec, ReleaseRecordStatus};
use crate::policy::burn::Pace;
use crate::release::action::Event;
use crate::release::ask::Burning;
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

/// Whether the service's error budget goes too fast while a release has users, whichever version is at fault; none where it does not.
///
/// It tells the allowed rate and not the measured one, which moves at every look.
pub(super) fn burning(after: &After<'_>) -> Option<Facts> {
    let (_, status) = after.active()?;
    let seen = &after.seen.answers.as_ref()?.burning;
    let why = match &seen.page {
        Pace::NotKnown(why) => Some(at_most(300, why)),
        Pace::Calm | Pace::Burns(_) => None,
    };
    let page = status.burning.as_ref().map(|standing| {
        let known = match &why {
            Some(why) => format!(" Whether it still does is not known, so it counts as before: {why}."),
            None => String::new(),
        };
        let since = standing.since.clock();
        let sentence = format!("Since {since}: {standing}.{known} No weight rises but that of a fix; where it is the new version's doing, that comes back.");
        (Truth::True, "Page", sentence)
    });
    let unknown = why.as_ref().map(|why| {
        let sentence = format!("Whether the error budget goes too fast is not known: {why}. It was not seen to, so that nothing is held for it; what is seen of the version decides.");
        (Truth::Unknown, "NotKnown", sentence)
    });
    let ticket = seen.ticket.burning().map(|Burning { objective, burn }| {
        let sentence = format!("Objective {objective} {}. It holds nothing: it is for working hours.", burn.pair);
        (Truth::True, "Ticket", sentence)
    });
    let beside =
        ticket.as_ref().filter(|_| page.is_some() || unknown.is_some()).map(|(_, _, sentence)| format!(" {sentence}"));
    let (truth, reason, sentence) = page.or(unknown).or(ticket)?;
    Some(("BudgetBurning", truth, reason.to_owned(), format!("{sentence}{}", beside.unwrap_or_default())))
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
