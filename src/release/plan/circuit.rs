//! Circuit breakers: a critical signal of the administrator's stops whatever is under way (`003_…`, module 3: "circuit-breaking
//! logic that halts deployment progression upon detection of critical errors"). It blames nobody and brings nothing back.

use super::active::Active;
use super::step::Step;
use super::verify::is_fix;
use crate::api::Time;
use crate::api::release_record::{Phase, ReleaseRecordStatus};
use crate::api::watched::OpenCircuit;
use crate::release::snapshot::{CircuitSeen, Snapshot};

/// The hold of a release that an open circuit breaker stops. In the verification its end is not a way back: what serves well
/// stays.
pub(in crate::release) const CIRCUIT_OPEN: &str = "CircuitOpen";

/// The record's status with the breakers as they are now. What a breaker answers opens or closes it; where its answer is not
/// known it stays what it was.
pub(super) fn counted(seen: &Snapshot, status: ReleaseRecordStatus, now: Time) -> ReleaseRecordStatus {
    let open = |circuit: &CircuitSeen| {
        let stands = status.circuits.iter().find(|open| open.name == circuit.name);
        match circuit.reading {
            Ok(value) if value > circuit.above => Some(stands.cloned().unwrap_or_else(|| OpenCircuit {
                name: circuit.name.clone(),
                since: now,
                value: circuit.value(value),
            })),
            Ok(_) => None,
            Err(_) => stands.cloned(),
        }
    };
    let circuits = seen.circuits.iter().filter_map(open).collect();
    ReleaseRecordStatus { circuits, ..status }
}

/// The breaker that stops this change; a fix goes on where the breaker lets it, because it may be what closes it, and a
/// rollback always.
fn stops<'a>(active: &'a Active<'_>) -> Option<(&'a OpenCircuit, Option<&'a CircuitSeen>)> {
    let kind = active.record.spec.change.kind;
    let seen = |open: &OpenCircuit| active.seen.circuits.iter().find(|circuit| circuit.name == open.name);
    let mut open = active.status.circuits.iter().map(|open| (open, seen(open)));
    open.find(|(_, circuit)| {
        let halts_fixes = circuit.is_some_and(|circuit| circuit.halts_fixes);
        !is_fix(kind) || (halts_fixes && kind != crate::api::ChangeType::Rollback)
    })
}

/// A hold while a breaker is open: nothing starts, no weight rises, no way back is let go. None where none is, or a verified
/// version has waited long enough for it.
pub(super) fn hold(active: &Active<'_>) -> Option<Step> {
    let (open, seen) = stops(active)?;
    let stays = match active.status.phase {
        Phase::Plan => "not started",
        Phase::Verify => "verified and not complete, its way back is kept",
        Phase::Idle | Phase::Stage | Phase::Release | Phase::Promote | Phase::Complete | Phase::Rollback => {
            "stays where it is"
        }
    };
    let note = seen.map(|seen| seen.note.trim()).filter(|note| !note.is_empty());
    let note = note.map(|note| format!(" {}.", note.trim_end_matches('.'))).unwrap_or_default();
    let fixes = match seen.is_some_and(|seen| seen.halts_fixes) {
        true => "Fixes wait too; a rollback does not",
        false => "A fix goes on (tidegate.io/change-type: IncidentFix, SecurityFix or BugFix), and so does a rollback",
    };
    let message = format!(
        "{}: {stays}: circuit breaker {} is open since {} ({}).{note} Not held against the new version, which is watched and comes back by its limits as ever. It goes on when the breaker closes. {fixes}. What it asks: circuitBreakers.{} in the controller's configuration.",
        active.name(),
        open.name,
        open.since.clock(),
        open.value,
        open.name
    );
    let hold = match active.status.phase {
        Phase::Verify => active.hold_to_complete(CIRCUIT_OPEN, &message)?,
        Phase::Idle
        | Phase::Plan
        | Phase::Stage
        | Phase::Release
        | Phase::Promote
        | Phase::Complete
        | Phase::Rollback => active.hold(CIRCUIT_OPEN, message, active.seen.release.spec.strategy.hold_for),
    };
    Some(hold.wake(active.seen.release.spec.analysis.interval))
}
