//! The GatedRelease was deleted or detached: traffic goes home before the finalizer goes, and nothing runs that was not let go.

use super::active::{Active, active_set};
use super::step::{LOOK_AGAIN, Say, Step};
use super::{autoscaler, came_back, count, open, promote, roll_back, stranded, verify, way_home};
use crate::api::names::RELEASE;
use crate::api::release_record::{Outcome, Phase, ReleaseRecordStatus, Trigger};
use crate::api::{Time, Weight};
use crate::release::action::Action;
use crate::release::snapshot::{Snapshot, Workload};
use crate::release::split::Carrier;
use crate::release::{template, wording};

pub(super) fn step(seen: &Snapshot, now: Time, why: &str) -> Step {
    if !seen.release.finalizer {
        return Step::says(if seen.release.deleting { Say::InForce } else { Say::Detached });
    }
    if let Some(active) = Active::of(seen, now, &[]) {
        return close(&active, why);
    }
    let going = || Step::going("Leaving", format!("Traffic goes home: {why}."));
    if let Some(step) = came_back::restored(seen) {
        return step;
    }
    if came_back::has_users(seen) && !way_home::left_by_its_attempt(seen) {
        // The previous version serves, because the workload runs one that came back: both stay as they are.
        return going().all(autoscaler::release_now(seen)).then(Action::RemoveFinalizer);
    }
    if let Some(step) = way_home::leave(seen, now, why) {
        return step;
    }
    going()
        .all(autoscaler::release_now(seen))
        .all(seen.workload.as_ref().and_then(|workload| last_word(workload, seen, why)))
        .then(Action::RemoveFinalizer)
}

/// Whether an attempt was left when the workload ran its version already: not verified to its end, and what runs since. What
/// else is abandoned went home.
pub(super) fn left_what_runs(status: &ReleaseRecordStatus) -> bool {
    status.outcome == Some(Outcome::Abandoned) && matches!(status.phase, Phase::Promote | Phase::Verify)
}

/// A workload that was held goes on by itself where its template runs already. A template that was not released stays
/// paused, and whoever describes it learns that nobody will release it.
fn last_word(workload: &Workload, seen: &Snapshot, why: &str) -> Option<Action> {
    let stands = workload.paused_because.as_ref().filter(|_| workload.paused)?;
    let resource_version = workload.resource_version.clone();
    if active_set(workload).is_some_and(|set| template::same(&set.template, &workload.template)) {
        return Some(Action::Resume { resource_version });
    }
    let (namespace, name) = (&seen.release.namespace, &seen.release.spec.workload_ref.name);
    let text = format!(
        "{RELEASE}={}: this template was not released, and {why}: stable serves. To let it run: {}",
        seen.release.name,
        wording::let_go_for_good(seen.kind(), namespace, name)
    );
    (*stands != text).then_some(Action::ExplainPause { resource_version, text })
}

/// An attempt that is going on is ended first: forward where the workload runs the new version already, else back.
pub(super) fn close(active: &Active<'_>, why: &str) -> Step {
    if let Some(step) = open::close_again(active) {
        return step;
    }
    if active.seen.by_count() {
        return count::close(active, why);
    }
    if let Some(step) = verify::verified(active) {
        return step;
    }
    match active.status.phase {
        Phase::Rollback => roll_back::step(active),
        Phase::Plan if active.stored().is_some() => {
            active.seal(Outcome::Abandoned, format!("It took no traffic: {why} before."))
        }
        Phase::Promote | Phase::Verify if active.workload_is_new() => forward(active, why),
        Phase::Plan
        | Phase::Stage
        | Phase::Release
        | Phase::Promote
        | Phase::Verify
        | Phase::Idle
        | Phase::Complete => roll_back::begin(active, Trigger::Deleted, why.to_owned(), "present".to_owned()),
    }
}

/// The workload finishes its roll, then takes all traffic; the attempt ends there. `why` it is not verified to its end.
pub(super) fn forward(active: &Active<'_>, why: &str) -> Step {
    let wanted = active.workload().map_or(0, |workload| workload.replicas);
    let going = || {
        let says = format!("{}: {why}; the workload takes all traffic as soon as it is ready.", active.name());
        Step::going("Leaving", says)
    };
    if wanted == 0
        && let Some(step) = stranded::without_pods(active, why)
    {
        return step;
    }
    let away = wanted > 0 && active.weight(Carrier::Workload) < Weight::FULL;
    if away && active.ready(Carrier::Workload, wanted).is_err() {
        let since = active.status.promotion.as_ref().and_then(|promotion| promotion.resumed_at);
        let until = since.unwrap_or(active.status.phase_since).plus(active.seen.release.spec.strategy.ready_within);
        if active.now >= until {
            let value = format!("{why}, and the workload did not become ready");
            return roll_back::begin(active, Trigger::Deleted, value, "present".to_owned());
        }
        let finished = active.workload().and_then(|workload| promote::to_one_revision(active, workload));
        return finished.unwrap_or_else(|| going().wake(LOOK_AGAIN.min(until.since(active.now))));
    }
    if let Some(step) = way_home::go(active.seen, active.now, going) {
        return step;
    }
    active.seal(Outcome::Abandoned, format!("Not verified to its end: {why}; what the workload runs stays."))
}
