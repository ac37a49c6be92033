//! No attempt is going on: is there one to begin?

use super::active::{active_set, judged_revision};
use super::autoscaler::{self, Release};
use super::came_back::{self, served_by_previous};
use super::step::{LOOK_AGAIN, Say, Step};
use super::{adopt, count, follow, leave, lost, open, stable, unlabelled, way_home};
use crate::api::gated_release::WorkloadKind;
use crate::api::release_record::Outcome;
use crate::api::{Span, Time};
use crate::release::action::Action;
use crate::release::problem::Problem;
use crate::release::snapshot::{Record, ReplicaSetSeen, Snapshot, Workload};
use crate::release::{config, template, wording};

pub(super) fn step(seen: &Snapshot, now: Time, found: Vec<Problem>) -> Step {
    // Also where the label was taken off meanwhile; where the workload is gone, whoever answers goes on.
    if let Some(step) = seen.workload.as_ref().and_then(|_| way_home::clear(seen, now)) {
        return step;
    }
    if let Some(step) = came_back::restored(seen) {
        return step;
    }
    let Some(workload) = seen.workload.as_ref().filter(|workload| workload.gated) else {
        let step = unlabelled::ran(seen, now).unwrap_or_else(|| Step::says(Say::Problems(found)));
        return with_autoscalers(seen, now, step);
    };
    if let Some(step) = count::leftovers(seen, now) {
        return step;
    }
    let step = if workload.paused { held(seen, workload, now) } else { running(seen, workload, now) };
    let waits = matches!(step.say, Say::InForce | Say::Closed);
    let step = match waits.then(|| came_back::astray(seen)).flatten() {
        Some(astray) => astray,
        None if waits && !found.is_empty() => Step { say: Say::Problems(found), ..step },
        None => step,
    };
    with_autoscalers(seen, now, follow::of_previous(seen, step))
}

/// Nothing is being released: autoscalers get their hand back when it is time.
fn with_autoscalers(seen: &Snapshot, now: Time, step: Step) -> Step {
    if step.opened.is_some() {
        return step;
    }
    match autoscaler::release(seen, now) {
        Release::Nothing => step,
        Release::In(rest) => step.wake(rest),
        Release::Now(writes) => step.all(writes).wake(LOOK_AGAIN),
    }
}

/// The workload is paused.
fn held(seen: &Snapshot, workload: &Workload, now: Time) -> Step {
    if count::has_forgotten(workload) && !is_known(seen, workload) {
        return runs_ungated(seen, workload, now, count::FORGOTTEN);
    }
    if let Some(step) = adopt::held(seen, workload, now) {
        return step;
    }
    if let Some(step) = lost::told(seen, workload).or_else(|| lost::back(seen, workload)) {
        return step;
    }
    // A template that came back stays back, whatever becomes of the pods meanwhile. What was handed over has its last attempt elsewhere.
    if adopt::handed(seen).is_none() && seen.record.as_ref().is_some_and(|last| closed_for_good(seen, workload, last)) {
        return stable::guard(seen, workload).unwrap_or_else(|| Step::says(Say::Closed));
    }
    let Some(active) = active_set(workload).or_else(|| stable::of_one_program(workload)) else {
        return match served_by_previous(seen) {
            // Without traffic on the workload the next template may finish whatever roll was interrupted.
            true => open::attempt(seen, workload, now, true),
            false if workload.replicas == 0 || workload.sets.is_empty() => nothing_runs(seen, workload, now),
            false if rolled(seen, workload) => goes_on(workload),
            false => unsettled(seen, workload),
        };
    };
    if template::same(&active.template, &workload.template) {
        return back_to_stable(seen, workload);
    }
    open::attempt(seen, workload, now, served_by_previous(seen))
}

/// The last attempt was at this very template, and nobody asked to try it again.
fn closed_for_good(seen: &Snapshot, workload: &Workload, last: &Record) -> bool {
    let Some(status) = &last.status else { return false };
    let retried = seen.release.retry.is_some() && seen.release.retry != last.spec.retry;
    let revision = judged_revision(seen, workload);
    // A template that went back to the stable one and then changed again is a new attempt, even at a revision tried before.
    let stayed = seen.release.status.workload.as_ref().is_none_or(|stored| stored.revision == revision);
    // What was not withdrawn from a StatefulSet is held all the same; in a Deployment it is what runs.
    let held = status.outcome == Some(Outcome::NotWithdrawn) && seen.kind() == WorkloadKind::StatefulSet;
    let settled = held || matches!(status.outcome, Some(Outcome::RolledBack | Outcome::Expired | Outcome::Abandoned));
    settled && !leave::left_what_runs(status) && stayed && !retried && revision == last.spec.revision
}

/// Nothing runs that a new template could be compared with: it becomes what runs when the workload is scaled up.
fn nothing_runs(seen: &Snapshot, workload: &Workload, now: Time) -> Step {
    if workload.paused_because.is_none() {
        return paused_by_others(seen);
    }
    let stable = stable::stable_set(seen, workload);
    if is_known(seen, workload) || stable.is_some_and(|set| template::same(&set.template, &workload.template)) {
        return Step::going("Resuming", "No pod runs: the workload is let go.".to_owned()).then(resume(workload));
    }
    if let Some(set) = stable {
        let message = format!(
            "The {} is scaled to nothing and its template is new: stable ({}) starts when it is scaled up, and the new template is judged then.",
            seen.kind(),
            set.name
        );
        return stable::guard(seen, workload).unwrap_or_else(|| Step::says(Say::Unsettled("NoPods", message)));
    }
    let summary = "No pod ran, so there was nothing to compare with: the template runs when the workload is scaled up.";
    runs_ungated(seen, workload, now, summary)
}

/// The template is the last good one.
pub(super) fn is_known(seen: &Snapshot, workload: &Workload) -> bool {
    last_good(seen).is_some_and(|stable| stable == judged_revision(seen, workload))
}

/// The held template is let go although nothing could be compared with it, and that is put on record.
fn runs_ungated(seen: &Snapshot, workload: &Workload, now: Time, summary: &str) -> Step {
    let outcome = if last_good(seen).is_some() { Outcome::Bypassed } else { Outcome::Bootstrap };
    open::sealed(seen, workload, now, outcome, summary.to_owned()).then(resume(workload))
}

fn resume(workload: &Workload) -> Action {
    Action::Resume { resource_version: workload.resource_version.clone() }
}

/// Whether a roll to what is known to be stable was interrupted by a template that is gone again.
pub(in crate::release) fn rolled(seen: &Snapshot, workload: &Workload) -> bool {
    let runs = |set: &ReplicaSetSeen| set.is_active() && template::same(&set.template, &workload.template);
    workload.paused_because.is_some() && is_known(seen, workload) && workload.sets.iter().any(runs)
}

fn goes_on(workload: &Workload) -> Step {
    let sentence =
        "The template is the one again whose roll was interrupted, and it is the stable one: the roll goes on.";
    Step::going("Resuming", sentence.to_owned()).then(resume(workload))
}

fn unsettled(seen: &Snapshot, workload: &Workload) -> Step {
    let active: Vec<_> = workload.sets.iter().filter(|set| set.is_active()).collect();
    let names: Vec<_> = active.iter().map(|set| format!("{} ({} pods)", set.name, set.existing)).collect();
    let message = format!(
        "The {} was held in the middle of a rolling update: {} are all active, and none of them is stable for sure. Finish one of them ({} lets the newest run ungated); the template is judged as soon as one is left.",
        seen.kind(),
        names.join(" and "),
        wording::let_go(seen.kind(), &seen.release.namespace, &seen.release.spec.workload_ref.name)
    );
    Step::says(Say::Unsettled("NotSettled", message)).wake(LOOK_AGAIN)
}

/// A workload in the middle of a roll of its own is adopted when it has ended: only then is it known what is stable.
pub(super) fn settling(seen: &Snapshot, workload: &Workload) -> Option<Step> {
    let active = workload.sets.iter().filter(|set| set.is_active());
    let names: Vec<_> = active.map(|set| set.name.as_str()).collect();
    let message = format!(
        "The {} is in the middle of a rolling update: {} are both active. It is taken under the gate when one is left (kubectl rollout status tells); undo the update where it does not end.",
        seen.kind(),
        names.join(" and ")
    );
    (names.len() > 1).then(|| Step::says(Say::Unsettled("NotSettled", message)))
}

/// The template is the one that runs.
fn back_to_stable(seen: &Snapshot, workload: &Workload) -> Step {
    if workload.paused_because.is_none() {
        return paused_by_others(seen);
    }
    Step::going("Resuming", "The template is the one that runs again: the workload is let go.".to_owned())
        .then(resume(workload))
}

fn paused_by_others(seen: &Snapshot) -> Step {
    let message = match seen.kind() {
        WorkloadKind::Deployment => {
            "The Deployment is paused, but not by Tidegate. Resume it when you like (kubectl rollout resume); changes are held all the same."
        }
        WorkloadKind::StatefulSet => {
            "The StatefulSet has a partition that Tidegate did not set, which keeps some of its pods from the template. Set spec.updateStrategy.rollingUpdate.partition to 0, or leave it out; changes are held all the same."
        }
    };
    Step::says(Say::Unsettled("PausedByOthers", message.to_owned()))
}

/// The workload is not paused: its template runs.
fn running(seen: &Snapshot, workload: &Workload, now: Time) -> Step {
    let revision = judged_revision(seen, workload);
    if served_by_previous(seen) {
        // The workload runs the version that came back, without traffic; whatever else runs in it, or is asked for again,
        // is judged from there and gets the traffic back in stages.
        let last = seen.record.as_ref();
        let retried = last.is_some_and(|last| seen.release.retry.is_some() && seen.release.retry != last.spec.retry);
        let moved = last.is_none_or(|last| last.spec.revision != revision);
        return if retried || moved { open::attempt(seen, workload, now, true) } else { Step::says(Say::Closed) };
    }
    let stable = last_good(seen);
    let running = workload.sets.iter().any(|set| set.replicas > 0 && template::same(&set.template, &workload.template));
    let known = stable.as_ref() == Some(&revision) || (running && is_stable_under_another_name(seen, workload));
    if known {
        return config_edited(seen, workload, now).unwrap_or_else(|| Step::says(Say::InForce));
    }
    if adopt::is_adopted(seen, stable.as_deref(), &revision) {
        return adopt::running(seen, workload, now);
    }
    let how = match (workload.under_glass(), &workload.resumed_by) {
        (Some(reason), _) => format!("under break-glass: {reason}"),
        (None, Some(who)) => format!("resumed by {who} while it was held"),
        (None, None) => "outside of the gate (created anew, or changed while it was not labelled)".to_owned(),
    };
    bypassed(seen, workload, now, &how)
}

/// Puts on record that the workload's template runs without having been gated; `how` that came, to follow a comma.
pub(super) fn bypassed(seen: &Snapshot, workload: &Workload, now: Time, how: &str) -> Step {
    let summary = format!("Runs ungated, {how}. It is the stable revision from now on.");
    open::sealed(seen, workload, now, Outcome::Bypassed, summary)
}

/// A ConfigMap that a controller writes all the time gets one record for all edits of an hour.
const CONFIG_RECORDS_EVERY: Span = Span::hours(1);

/// Content that the pods read was edited in place: no stage has judged it, and it goes on record as what it is.
fn config_edited(seen: &Snapshot, workload: &Workload, now: Time) -> Option<Step> {
    let noted = &seen.release.status.workload.as_ref()?.config;
    let edited = config::edited(noted, &workload.config);
    let names: Vec<_> = edited.iter().map(|(name, seen)| format!("{name} (by {})", seen.by)).collect();
    let summary = format!(
        "ConfigMap {} was edited in place: all pods read it, or will when they start, and no stage has judged it. A ConfigMap with a hash in its name is gated with the template that names it.",
        names.join(", ")
    );
    // Where they are on record and were not noted, because the controller died in between, they are noted now.
    if names.is_empty() || config::is_on_record(seen) {
        return None;
    }
    let last = seen.record.as_ref().filter(|record| config::is_record(&record.spec));
    let recorded = last.and_then(|record| record.status.as_ref());
    let next = recorded.and_then(|status| status.ended_at).map(|ended| ended.plus(CONFIG_RECORDS_EVERY));
    if let Some(next) = next.filter(|next| now < *next) {
        return Some(Step::says(Say::InForce).wake(next.since(now)));
    }
    let step = open::sealed(seen, workload, now, Outcome::Bypassed, summary);
    Some(open::as_config(step, &config::change(&edited)))
}

/// Whether a stored name of the template is what the last good attempt was called.
fn is_stable_under_another_name(seen: &Snapshot, workload: &Workload) -> bool {
    let stored = seen.release.status.workload.as_ref();
    stored.is_some_and(|stored| {
        stored.uid == workload.uid
            && Some(&stored.revision) == last_good(seen).as_ref()
            && stored.generation == workload.generation
    })
}

/// The revision that ran well last, from the last record.
pub(in crate::release) fn last_good(seen: &Snapshot) -> Option<String> {
    let last = seen.record.as_ref()?;
    let status = last.status.as_ref()?;
    match status.outcome? {
        // A StatefulSet comes back at the former version, one day.
        Outcome::NotWithdrawn if seen.kind() == WorkloadKind::StatefulSet => last.spec.stable.clone(),
        Outcome::Succeeded | Outcome::Bootstrap | Outcome::Bypassed | Outcome::NotWithdrawn => {
            Some(last.spec.revision.clone())
        }
        Outcome::Abandoned if leave::left_what_runs(status) => Some(last.spec.revision.clone()),
        Outcome::RolledBack
        | Outcome::Superseded
        | Outcome::Expired
        | Outcome::Reverted
        | Outcome::Charged
        | Outcome::Abandoned => last.spec.stable.clone(),
    }
}
