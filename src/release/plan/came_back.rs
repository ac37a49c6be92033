//! After a late rollback the workload runs the version that came back, and the previous one serves: how that is known, and
//! what keeps it so whatever becomes of the routes.
//!
//! A route says so while it stands. One that was made anew, was led elsewhere for a while or was put back by its owner says
//! nothing, and then the record does. What must never enter: traffic that goes home, which is `way_home`.

use super::active::{Active, NO_WAY_BACK, judged_revision, routes, steer, weight};
use super::leave::left_what_runs;
use super::step::{LOOK_AGAIN, Say, Step};
use crate::api::Weight;
use crate::api::release_record::{Arm, Outcome};
use crate::release::snapshot::{Record, Snapshot};
use crate::release::split::{Carrier, Split};
use crate::release::template;

/// The reason of a step that sends users back to the previous version.
pub(in crate::release) const SENT_BACK: &str = "Restoring";

const SERVES: Split = Split::previous(Weight::FULL);

/// Whether the previous version serves, or should, because an attempt came back after its promotion.
pub(in crate::release) fn served_by_previous(seen: &Snapshot) -> bool {
    has_users(seen) || by_record(seen)
}

/// Whether a route sends users to the previous version.
pub(super) fn has_users(seen: &Snapshot) -> bool {
    weight(seen, Carrier::Previous) > Weight::ZERO
}

/// Whether the last record says so: its attempt, or one before it that it was to follow, came back after its promotion, the
/// workload has not been given anything else since, and the previous version stands.
pub(in crate::release) fn by_record(seen: &Snapshot) -> bool {
    let Some(record) = seen.record.as_ref().filter(|_| !seen.by_count()) else { return false };
    let Some(status) = &record.status else { return false };
    let to_previous = status.rollback.as_ref().is_some_and(|log| log.traffic_to == seen.service_of(Carrier::Previous));
    let ended = match status.outcome {
        Some(Outcome::RolledBack | Outcome::Reverted | Outcome::Superseded | Outcome::Expired | Outcome::Abandoned) => {
            !left_what_runs(status)
        }
        Some(
            Outcome::Succeeded | Outcome::Bootstrap | Outcome::Bypassed | Outcome::Charged | Outcome::NotWithdrawn,
        )
        | None => false,
    };
    ended && (to_previous || record.spec.arm == Arm::Workload) && stands(seen) && still_there(seen, record)
}

fn stands(seen: &Snapshot) -> bool {
    seen.previous.as_ref().filter(|side| side.foreign.is_none()).is_some_and(|side| {
        side.deployment.as_ref().is_some_and(|deployment| !deployment.deleting && deployment.replicas > 0)
    })
}

/// Whether the workload runs the version that came back, or what is held in it has not taken its place. Another template that
/// was let run past the gate is its owner's will: then the routes alone decide.
fn still_there(seen: &Snapshot, record: &Record) -> bool {
    let revision = &record.spec.revision;
    seen.workload.as_ref().is_none_or(|workload| {
        let runs = || workload.sets.iter().any(|set| set.is_active() && template::revision(&set.template) == *revision);
        workload.paused || judged_revision(seen, workload) == *revision || runs()
    })
}

fn answers(seen: &Snapshot) -> bool {
    seen.previous.as_ref().is_some_and(|side| {
        side.endpoints.is_some_and(|ready| ready > 0)
            && side.deployment.as_ref().is_some_and(|deployment| !deployment.deleting && deployment.available > 0)
    })
}

/// The previous version serves, and its users came upon a rule or a route that was written since: it answers there too, as
/// soon as it has pods. None where every rule says so, and where nobody would answer.
pub(super) fn restored(seen: &Snapshot) -> Option<Step> {
    let elsewhere = routes(seen).any(|(_, route)| route.rules.contains(&Some(SERVES)));
    let writes = if (elsewhere || by_record(seen)) && answers(seen) { steer(seen, SERVES) } else { Vec::new() };
    (!writes.is_empty()).then(|| Step::going(SENT_BACK, sentence(seen)).all(writes).wake(LOOK_AGAIN))
}

fn sentence(seen: &Snapshot) -> String {
    let (namespace, name) = (&seen.release.namespace, &seen.release.name);
    format!(
        "A route was edited or made anew: the previous version answers in every rule of it, until Git reverts or fixes. The workload runs what came back. To try that again: kubectl tidegate retry {name} -n {namespace}; to divide the traffic by hand: kubectl tidegate detach {name} -n {namespace}, then the route, with tidegate.io/break-glass."
    )
}

/// The same while a next attempt is planned, which is judged in the workload: a hold stays, with its deadline.
pub(super) fn kept(active: &Active<'_>) -> Option<Step> {
    let judged_there = active.record.spec.arm == Arm::Workload && answers(active.seen);
    let writes = if judged_there { active.steer(SERVES) } else { Vec::new() };
    (!writes.is_empty()).then(|| put_back(active, sentence(active.seen)).all(writes).wake(LOOK_AGAIN))
}

/// A step that writes weights again; it ends no hold.
pub(super) fn put_back(active: &Active<'_>, sentence: String) -> Step {
    match active.status.hold {
        Some(_) => Step::says(Say::Held),
        None => Step::going(SENT_BACK, sentence),
    }
}

/// What is told while users are with the version that came back because the previous one has no ready pod; None where they are not.
pub(super) fn astray(seen: &Snapshot) -> Option<Step> {
    let (namespace, previous) = (&seen.release.namespace, seen.service_of(Carrier::Previous));
    let strayed = by_record(seen) && !answers(seen) && !steer(seen, SERVES).is_empty();
    let message = format!(
        "A route was edited or made anew and leads to the version that came back. Service {previous} has no ready pod: its users go there again as soon as it has one. Look: kubectl get pods -n {namespace}. Revert or fix in Git."
    );
    strayed.then(|| Step::says(Say::Unsettled(NO_WAY_BACK, message)).wake(LOOK_AGAIN))
}
