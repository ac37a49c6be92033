//! A workload that a GatedRelease is given in the middle of a roll, or by another GatedRelease: what runs then is taken as stable
//! when one version is left, and costs nobody anything.
//!
//! What ran is noted in status before anything else is done ([`HandedOver`]), so that it is known afterwards from what came under
//! the gate: a template that runs and was not there then was let past it, and is recorded and charged. What must never enter: a
//! condition of the status as the proof of anything but that another one had the workload.

use super::active::{active_set, judged_revision};
use super::came_back::served_by_previous;
use super::idle::{last_good, settling};
use super::step::{LOOK_AGAIN, Say, Step};
use super::{open, stable};
use crate::api::Time;
use crate::api::gated_release::HandedOver;
use crate::api::release_record::Outcome;
use crate::release::problem::Problem;
use crate::release::snapshot::{Snapshot, Workload};
use crate::release::template;
use crate::release::twins::taken;

/// How many revisions are noted: a workload with more has been pushed to for hours without one that gets ready.
const RUNNING_MAX: usize = 16;

const SUMMARY: &str = "Taken under the gate as it runs.";

/// What ran when the workload was handed over; none where it was not, or that is settled, or it is another workload by now.
pub(super) fn handed(seen: &Snapshot) -> Option<&HandedOver> {
    let workload = seen.workload.as_ref()?;
    seen.release.status.handed_over.as_ref().filter(|handed| handed.uid == workload.uid)
}

/// What runs in a workload now, or is about to.
fn runs(seen: &Snapshot, workload: &Workload) -> HandedOver {
    let rolls = (!workload.paused).then(|| judged_revision(seen, workload));
    let active = workload.sets.iter().filter(|set| set.is_active()).map(|set| template::revision(&set.template));
    let mut running: Vec<_> = rolls.into_iter().collect();
    for revision in active {
        if running.len() < RUNNING_MAX && !running.contains(&revision) {
            running.push(revision);
        }
    }
    HandedOver { uid: workload.uid.clone(), running }
}

/// The first step of a release with a past that is given its workload: what runs is noted, before the finalizer says that it is
/// this one's. One without a past notes it in [`running`].
pub(super) fn handed_over(seen: &Snapshot) -> Option<Step> {
    let workload = seen.workload.as_ref()?;
    let stable = last_good(seen)?;
    let runs = runs(seen, workload);
    if handed(seen).is_some() || served_by_previous(seen) || runs.running == [stable] {
        return None;
    }
    (another_had_it(seen) || rolls_by_itself(seen, workload)).then(|| {
        let sentence = "Taking the workload under the gate as it runs.".to_owned();
        Step::says(Say::Going("Starting", sentence)).noting(runs).wake(LOOK_AGAIN)
    })
}

/// What ran meanwhile was another one's to judge.
fn another_had_it(seen: &Snapshot) -> bool {
    seen.release.status.conditions.iter().any(|condition| {
        condition.kind == "Ready"
            && [Problem::WORKLOAD_TAKEN, Problem::SERVICE_TAKEN].contains(&condition.reason.as_str())
    })
}

/// Whether a workload that nobody had under the gate is in the middle of a roll of its own: nobody let go what the gate's label held,
/// and it is not the template that was tried here last.
fn rolls_by_itself(seen: &Snapshot, workload: &Workload) -> bool {
    let let_go = workload.resumed_by.is_some() || workload.under_glass().is_some();
    let tried = seen.record.as_ref().is_some_and(|last| last.spec.revision == judged_revision(seen, workload));
    workload.gated && !workload.paused && !let_go && !tried && settling(seen, workload).is_some()
}

/// Whether what runs under the gate, and is not known, is what was found when the workload was handed over.
pub(super) fn is_adopted(seen: &Snapshot, stable: Option<&str>, revision: &String) -> bool {
    // A release without a past finds all that it sees first.
    handed(seen).map_or(stable.is_none(), |handed| handed.running.contains(revision))
}

/// The workload runs, and what does was there when it was handed over: it is stable once it is all that runs.
pub(super) fn running(seen: &Snapshot, workload: &Workload, now: Time) -> Step {
    let noted = || handed(seen).cloned().unwrap_or_else(|| runs(seen, workload));
    match settling(seen, workload) {
        Some(step) => step.noting(noted()),
        None => open::sealed(seen, workload, now, Outcome::Bootstrap, SUMMARY.to_owned()),
    }
}

/// The workload was handed over and is held: the one version that runs is stable, before anything is compared with it.
pub(super) fn held(seen: &Snapshot, workload: &Workload, now: Time) -> Option<Step> {
    let active = active_set(workload).or_else(|| stable::of_one_program(workload))?;
    let revision = template::revision(&active.template);
    let is_new = handed(seen)?.running.contains(&revision) && last_good(seen).as_ref() != Some(&revision);
    (is_new && !served_by_previous(seen))
        .then(|| open::as_set(open::sealed(seen, workload, now, Outcome::Bootstrap, SUMMARY.to_owned()), active))
}

/// What stands in status of the handing over after a step: it is forgotten with the next record, when the workload runs what is
/// known to be stable, and when it is not this one's any more.
pub(in crate::release) fn noted_after(seen: &Snapshot, step: &Step) -> Option<HandedOver> {
    let attempt =
        seen.record.as_ref().is_some_and(|it| it.status.as_ref().is_none_or(|status| status.outcome.is_none()));
    if step.opened.is_some() || attempt || seen.release.leaving().is_some() || taken(seen).is_some() {
        return None;
    }
    let settled = |workload: &Workload| {
        workload.gated && !workload.paused && last_good(seen) == Some(judged_revision(seen, workload))
    };
    let stands = || handed(seen).cloned().filter(|_| !seen.workload.as_ref().is_some_and(settled));
    step.handed.clone().or_else(stands)
}
