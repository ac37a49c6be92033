//! The GatedRelease is being deleted: traffic goes home before the finalizer goes, and nothing runs that was not let go.

use super::active::{Active, active_set, named, steer, weight};
use super::step::{LOOK_AGAIN, Say, Step};
use super::{autoscaler, count, promote, roll_back, verify};
use crate::api::release_record::{Outcome, Phase, Trigger};
use crate::api::{Time, Weight};
use crate::release::action::Action;
use crate::release::snapshot::Snapshot;
use crate::release::split::{Carrier, Split};
use crate::release::template;

pub(super) fn step(seen: &Snapshot, now: Time) -> Step {
    if !seen.release.finalizer {
        return Step::says(Say::InForce);
    }
    if let Some(active) = Active::of(seen, now, &[]) {
        return close(&active);
    }
    let going = || Step::going("Leaving", "The GatedRelease is being deleted: traffic goes home.".to_owned());
    if weight(seen, Carrier::Previous) > Weight::ZERO {
        // The previous version serves, because the workload runs one that came back: both stay as they are.
        return going().then(Action::RemoveFinalizer);
    }
    if named(seen, Carrier::Canary) || named(seen, Carrier::Previous) {
        return going().all(steer(seen, Split::HOME)).wake(LOOK_AGAIN);
    }
    let sides = [Carrier::Canary, Carrier::Previous];
    let leaving: Vec<_> = sides
        .into_iter()
        // A former version of a release by routes may still serve: no route of its is looked at any more.
        .filter(|carrier| !(seen.by_count() && *carrier == Carrier::Previous))
        .filter(|carrier| seen.side(*carrier).and_then(|side| side.deployment.as_ref()).is_some_and(|d| !d.deleting))
        .map(|carrier| Action::Delete { carrier })
        .collect();
    if !leaving.is_empty() {
        return going().all(leaving).wake(LOOK_AGAIN);
    }
    let resume = seen.workload.as_ref().filter(|workload| {
        let runs = active_set(workload).is_some_and(|set| template::same(&set.template, &workload.template));
        workload.paused && workload.paused_because.is_some() && runs
    });
    going()
        .all(autoscaler::release_now(seen))
        .all(resume.map(|workload| Action::Resume { resource_version: workload.resource_version.clone() }))
        .then(Action::RemoveFinalizer)
}

/// An attempt that is going on is ended first: forward where the workload runs the new version already, else back.
fn close(active: &Active<'_>) -> Step {
    if active.seen.by_count() {
        return count::close(active);
    }
    if let Some(step) = verify::verified(active) {
        return step;
    }
    match active.status.phase {
        Phase::Rollback => roll_back::step(active),
        Phase::Plan if active.stored().is_some() => {
            active.seal(Outcome::Abandoned, "The GatedRelease was deleted before it took traffic.".to_owned())
        }
        Phase::Promote | Phase::Verify if active.workload_is_new() => {
            forward(active, "the GatedRelease is being deleted")
        }
        Phase::Plan
        | Phase::Stage
        | Phase::Release
        | Phase::Promote
        | Phase::Verify
        | Phase::Idle
        | Phase::Complete => {
            roll_back::begin(active, Trigger::Deleted, "the GatedRelease was deleted".to_owned(), "present".to_owned())
        }
    }
}

/// The workload finishes its roll, then takes all traffic; the attempt ends there. `why` it is not verified to its end.
pub(super) fn forward(active: &Active<'_>, why: &str) -> Step {
    let wanted = active.workload().map_or(0, |workload| workload.replicas);
    let going = || {
        let says = format!("{}: {why}; the workload takes all traffic as soon as it is ready.", active.name());
        Step::going("Leaving", says)
    };
    let there = active.workload().is_some();
    if there && active.weight(Carrier::Workload) < Weight::FULL && active.ready(Carrier::Workload, wanted).is_err() {
        let since = active.status.promotion.as_ref().and_then(|promotion| promotion.resumed_at);
        let until = since.unwrap_or(active.status.phase_since).plus(active.seen.release.spec.strategy.ready_within);
        if active.now >= until {
            let value = format!("{why}, and the workload did not become ready");
            return roll_back::begin(active, Trigger::Deleted, value, "present".to_owned());
        }
        let finished = active.workload().and_then(|workload| promote::to_one_revision(active, workload));
        return finished.unwrap_or_else(|| going().wake(LOOK_AGAIN.min(until.since(active.now))));
    }
    let writes = active.steer(Split::HOME);
    if !writes.is_empty() {
        return going().all(writes).wake(LOOK_AGAIN);
    }
    active.seal(Outcome::Abandoned, format!("Not verified to its end: {why}; what the workload runs stays."))
}
