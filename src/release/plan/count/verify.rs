//! Phase Verify: the new version is watched in all pods, or in all but the first of a StatefulSet, which is the way back.

use super::super::active::{Active, Template};
use super::super::step::{LOOK_AGAIN, Step};
use super::super::verify::{is_fix, on_verdict};
use super::super::{agree, patience};
use super::{Exposure, begin, exposure, is_former, leave, release, rolled_over, until, with};
use crate::api::release_record::{Outcome, ReleaseRecordStatus, Trigger};
use crate::api::{Time, Weight};
use crate::release::action::Action;
use crate::release::snapshot::Workload;

pub(super) fn step(active: &Active<'_>) -> Step {
    if let Some(step) = release::hurts(active) {
        return step;
    }
    let (Some(workload), Some(kind)) = (active.workload(), exposure(active)) else {
        return Step::going("Verifying", "The workload is gone.".to_owned());
    };
    if let Some(step) = moved(active, workload, kind.as_ref()) {
        return step;
    }
    let since = active.status.phase_since;
    let until = since.plus(active.status.verify);
    let pods = kind.pods_for(Weight::FULL);
    let going = || {
        let who = match kind.keeps_way_back() {
            true => format!("{} has {}; the first pod keeps the former version", active.name(), kind.share_of(pods)),
            false => format!("{} has all pods; no former pod is kept", active.name()),
        };
        Step::going("Verifying", format!("{who}. It is verified until {}.", until.clock()))
    };
    let step = on_verdict(active, since, until, going, |verdict| {
        if let Some(hold) = agree::before_completion(active) {
            return hold;
        }
        let promotion = patience::verified_now(active, verdict);
        let next = ReleaseRecordStatus { assessment: agree::completed(active), ..with(active, promotion) };
        Step::going("Finishing", "Verified.".to_owned()).update(active, next)
    });
    if step.record.is_some() || !kind.keeps_way_back() {
        return step;
    }
    match kind.expose(active, pods) {
        Ok(writes) if !writes.is_empty() => step.all(writes).wake(LOOK_AGAIN),
        Ok(_) | Err(_) => step,
    }
}

/// The template is another one by now.
fn moved(active: &Active<'_>, workload: &Workload, kind: &dyn Exposure) -> Option<Step> {
    if kind.keeps_way_back() {
        return release::template_moved(active);
    }
    if is_former(active, workload) {
        let value = "the template went back to the stable one".to_owned();
        return Some(begin(active, Trigger::Reverted, value, "the template stays".to_owned()));
    }
    match active.template(workload) {
        Template::Ours | Template::Stable => None,
        Template::Newer if !workload.paused => {
            Some(active.seal(Outcome::Superseded, "Another template was let run in the workload.".to_owned()))
        }
        // A fix does not wait: the verification ends and the fix is planned at once.
        Template::Newer if is_fix(workload.change.kind) => {
            Some(active.seal(Outcome::Succeeded, "Released; a fix ended its verification early.".to_owned()))
        }
        Template::Newer => None,
    }
}

/// The last pod of the former version follows; then the record is sealed.
pub(super) fn finish(active: &Active<'_>, verified: Time) -> Step {
    let going = |sentence: &str| Step::going("Finishing", sentence.to_owned()).wake(LOOK_AGAIN);
    let sealed = |summary: &str| active.seal(Outcome::Succeeded, summary.to_owned());
    let Some(workload) = active.workload().filter(|_| !rolled_over(active)) else {
        return super::drop_canary(active).unwrap_or_else(|| sealed(&patience::summary(active)));
    };
    if active.template(workload) != Template::Ours {
        let says = "It was verified, and a newer template came before the first pod had followed: its pods go back to the former version.";
        return active.seal(Outcome::Superseded, says.to_owned());
    }
    if workload.paused {
        return going("The first pod follows: nothing keeps the template from it any more.")
            .then(Action::Resume { resource_version: workload.resource_version.clone() });
    }
    let all = workload.sets.iter().map(|set| set.available).sum::<u32>() >= workload.replicas
        && workload.sets.iter().filter(|set| set.existing > 0).count() <= 1;
    match (all, active.now < until(active, verified)) {
        (true, _) => sealed(&patience::summary(active)),
        (false, true) => going("The first pod follows."),
        (false, false) => {
            let summary = patience::summary(active);
            sealed(&format!("{summary} The first pod is not ready with it yet: kubectl get pods."))
        }
    }
}

/// Goes on to the end without verification: fewer pods move than on the way back.
pub(super) fn let_go(active: &Active<'_>, why: &str) -> Step {
    match active.workload().filter(|workload| workload.paused && active.template(workload) == Template::Ours) {
        Some(workload) => Step::going("Leaving", format!("The first pod follows: {why}."))
            .then(Action::Resume { resource_version: workload.resource_version.clone() })
            .wake(LOOK_AGAIN),
        None => leave(active, why),
    }
}
