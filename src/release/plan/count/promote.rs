//! Phase Promote of a Deployment: it is let go, and its own rolling update brings the rest under watch while the canary
//! serves beside it; then the canary goes. From here on there is no way back but a revert in Git.

use super::super::active::{Active, Template};
use super::super::promote::to_one_revision;
use super::super::step::{LOOK_AGAIN, Step};
use super::super::{agree, halt};
use super::{begin, drop_canary, is_former, release, with};
use crate::api::release_record::{Outcome, Phase, Trigger};
use crate::release::action::Action;
use crate::release::snapshot::Workload;

/// Whether the workload itself runs the new version, or is about to.
pub(super) fn rolls(active: &Active<'_>) -> bool {
    let let_go = |workload: &Workload| !workload.paused && active.template(workload) == Template::Ours;
    active.workload().is_some_and(let_go) || active.new_set().is_some_and(|set| set.replicas > 0)
}

pub(super) fn step(active: &Active<'_>) -> Step {
    let Some(workload) = active.workload() else { return Step::going("Promoting", "The workload is gone.".to_owned()) };
    let promotion = active.status.promotion.clone().unwrap_or_default();
    let Some(since) = promotion.resumed_at else {
        if rolls(active) {
            // The controller died between letting the workload go and writing so; it may be paused again by now.
            let promotion = crate::api::release_record::Promotion { resumed_at: Some(active.now), ..promotion };
            return Step::going("Promoting", "The workload rolls.".to_owned()).update(active, with(active, promotion));
        }
        if let Some(step) = release::template_moved(active).or_else(|| release::hurts(active)) {
            return step;
        }
        let hold = halt::before_more(active).or_else(|| agree::before_rest(active));
        if let Some(hold) = hold.or_else(|| agree::unwatched(active)) {
            return hold;
        }
        let sentence = format!("{} is let go in the workload; its pods beside it serve meanwhile.", active.name());
        return Step::going("Promoting", sentence)
            .then(Action::Resume { resource_version: workload.resource_version.clone() })
            .wake(LOOK_AGAIN);
    };
    if let Some(step) = release::hurts(active) {
        return step;
    }
    if is_former(active, workload) {
        let value = "the template went back to the stable one".to_owned();
        return begin(active, Trigger::Reverted, value, "the template stays".to_owned());
    }
    if !workload.paused && active.template(workload) == Template::Newer {
        return drop_canary(active).unwrap_or_else(|| {
            active.seal(Outcome::Superseded, "Another template was let run in the workload.".to_owned())
        });
    }
    // A newer template froze the roll. Nobody is missed while what is left of the former version goes, as soon as the pods
    // beside the workload and the new ones in it are as many as it wants.
    let new = super::count(super::pods(active.seen, true).into_iter().filter(|pod| pod.ready).count());
    if new >= workload.replicas
        && let Some(step) = to_one_revision(active, workload)
    {
        return step;
    }
    let available = active.new_set().map_or(0, |set| set.available);
    if available < workload.replicas || active.others_run(workload) {
        let what = format!("{available} of {} pods of the workload run the new version", workload.replicas);
        return active.wait(since, "Promoting", &what);
    }
    if let Some(step) = drop_canary(active) {
        return step;
    }
    let promotion = crate::api::release_record::Promotion {
        rolled_at: promotion.rolled_at.or(Some(active.now)),
        home_at: Some(active.now),
        ..promotion
    };
    let next =
        crate::api::release_record::ReleaseRecordStatus { promotion: Some(promotion), ..active.enter(Phase::Verify) };
    let sentence = format!(
        "{} runs in all pods and is verified for {}. No former pod is kept: a version that hurts now goes back only by a revert in Git, which ships at once.",
        active.name(),
        active.status.verify
    );
    Step::going("Verifying", sentence).update(active, next)
}
