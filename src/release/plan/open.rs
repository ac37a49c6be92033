//! The record that an attempt begins with.

use super::active::{Active, judged_revision};
use super::budget;
use super::idle::last_good;
use super::stable::stable_set;
use super::step::Step;
use super::unpaid;
use crate::api::release_record::{Arm, AuthorsRecord, Outcome, Phase, ReleaseRecordSpec, ReleaseRecordStatus};
use crate::api::{Change, ChangeType, Time};
use crate::release::action::Action;
use crate::release::snapshot::{ReplicaSetSeen, Snapshot, Workload, record_name};
use crate::release::{completed, template, wording};

/// Begins an attempt at the workload's template.
pub(super) fn attempt(seen: &Snapshot, workload: &Workload, now: Time, served_by_previous: bool) -> Step {
    let arm = if served_by_previous { Arm::Workload } else { Arm::Canary };
    let sentence = "A new template was found and is held; it is decided whether and how it may ship.";
    let change = seen_change(seen, workload, now);
    record(seen, workload, (arm, change), ReleaseRecordStatus::begun(Phase::Plan, now), sentence.to_owned())
}

/// Records a template that runs without having been gated.
pub(super) fn sealed(seen: &Snapshot, workload: &Workload, now: Time, outcome: Outcome, summary: String) -> Step {
    let summary = wording::at_most(1_000, &summary);
    let status = ReleaseRecordStatus {
        outcome: Some(outcome),
        ended_at: Some(now),
        resumed_by: resumed_by(seen).filter(|_| outcome == Outcome::Bypassed),
        summary: summary.clone(),
        ..ReleaseRecordStatus::begun(Phase::Complete, now)
    };
    let step = record(seen, workload, (Arm::Canary, claimed_change(seen, workload)), status, summary);
    if outcome == Outcome::Bypassed { charged(step, seen, now) } else { step }
}

/// Who let the workload's template go, as the API server stamped it: they do not approve that afterwards (`policy::obligation`).
pub(super) fn resumed_by(seen: &Snapshot) -> Option<String> {
    // Nobody stamps a workload without the label.
    let workload = seen.workload.as_ref().filter(|workload| workload.gated)?;
    workload.resumed_by.as_deref().map(|who| wording::at_most(256, who))
}

/// What runs ungated is charged as an exception (`000_…` §7): the number first, then the record that carries it. Where its
/// budget is not known yet the record waits for its charge.
fn charged(mut step: Step, seen: &Snapshot, now: Time) -> Step {
    let mut number = None;
    for action in &mut step.actions {
        if let Action::OpenRecord { name, spec, status } = action {
            let (write, end) = unpaid::charged(seen, (name, spec), status, (**status).clone(), now);
            **status = end;
            (number, step.record) = (write, Some((**status).clone()));
        }
    }
    step.actions.splice(0..0, number);
    step
}

/// A record that was to be closed as it was opened, and is not, because the controller died between the two: it is closed as
/// what it says, and begins no attempt. What else was said is lost with the controller.
pub(super) fn close_again(active: &Active<'_>) -> Option<Step> {
    let outcome = active.record.spec.closed_as.filter(|_| active.stored().is_none())?;
    let summary = match outcome {
        Outcome::Bootstrap => "Taken under the gate as it runs.",
        Outcome::Bypassed if active.record.spec.change.kind == ChangeType::Config => {
            "A ConfigMap was edited in place: all pods read it, or will when they start, and no stage has judged it."
        }
        Outcome::Bypassed
        | Outcome::Succeeded
        | Outcome::RolledBack
        | Outcome::Superseded
        | Outcome::Expired
        | Outcome::Reverted
        | Outcome::Abandoned
        | Outcome::Charged
        | Outcome::NotWithdrawn => "Runs ungated. It is the stable revision from now on.",
    };
    Some(active.seal(outcome, summary.to_owned()))
}

/// The record of an edit that was no change of the template.
pub(super) fn as_config(mut step: Step, change: &Change) -> Step {
    for action in &mut step.actions {
        if let Action::OpenRecord { spec, status, .. } = action {
            of_the_edit(spec, change);
            by_nobody_known(status);
        }
    }
    if let Some((_, spec)) = &mut step.opened {
        of_the_edit(spec, change);
    }
    if let Some(status) = &mut step.record {
        by_nobody_known(status);
    }
    step
}

/// Who changed the template did not make the edit, and managed fields name programs, not people.
fn of_the_edit(spec: &mut ReleaseRecordSpec, change: &Change) {
    spec.change = change.clone();
    spec.changed_by.clear();
}

/// Who made the template, agreed to it or let it go did not do so with the edit.
fn by_nobody_known(status: &mut ReleaseRecordStatus) {
    status.approvals.clear();
    status.resumed_by = None;
    if let Some(assessment) = &mut status.assessment {
        assessment.authors = Some(AuthorsRecord::NOBODY);
    }
}

/// The record of what runs in a workload that is held: the held template is not it, and neither is what was said of that.
pub(super) fn as_set(mut step: Step, set: &ReplicaSetSeen) -> Step {
    let of_set = |spec: &mut ReleaseRecordSpec| {
        spec.revision = template::revision(&set.template);
        (spec.change, spec.changed_by) = (Change::default(), String::new());
    };
    for action in &mut step.actions {
        if let Action::OpenRecord { spec, .. } = action {
            of_set(spec);
        }
    }
    if let Some((_, spec)) = &mut step.opened {
        of_set(spec);
    }
    step
}

fn record(
    seen: &Snapshot,
    workload: &Workload,
    (arm, change): (Arm, Change),
    status: ReleaseRecordStatus,
    sentence: String,
) -> Step {
    let last = seen.record.as_ref().map_or(0, |record| record.spec.attempt);
    let attempt = last.max(seen.release.status.attempts).saturating_add(1);
    let spec = ReleaseRecordSpec {
        release: seen.release.name.clone(),
        attempt,
        workload_uid: workload.uid.clone(),
        revision: judged_revision(seen, workload),
        stable: last_good(seen),
        stable_set: stable_set(seen, workload).map(|set| set.name.clone()),
        change,
        // Nobody stamps a change of a workload without the label: what stands there is of an earlier one.
        changed_by: if workload.gated { wording::at_most(256, &workload.changed_by) } else { String::new() },
        retry: seen.release.retry.clone(),
        risk_budget: seen.release.spec.risk_budget_ref.name.clone(),
        budget_before: budget::before(seen),
        arm,
        previous_digest: seen.record.as_ref().and_then(|last| last.status.as_ref()?.digest.clone()),
        closed_as: status.outcome,
    };
    let name = record_name(&seen.release.name, attempt);
    Step {
        opened: Some((name.clone(), spec.clone())),
        record: Some(status.clone()),
        ..Step::going("Planning", sentence)
    }
    .then(Action::OpenRecord { name, spec: Box::new(spec), status: Box::new(status) })
}

/// What the revision is said to carry: the Deployment's annotations, else the GatedRelease's change where it is bound to
/// an image of this template.
fn claimed_change(seen: &Snapshot, workload: &Workload) -> Change {
    let bound =
        seen.release.spec.change.as_ref().filter(|bound| template::has_image(&workload.template, &bound.image_digest));
    match (workload.change_annotated, bound) {
        (false, Some(bound)) => bound.change.clone(),
        _ => workload.change.clone(),
    }
}

/// As claimed, but that it is a rollback is never believed: users were served by the template lately, or it is a Feature.
pub(super) fn seen_change(seen: &Snapshot, workload: &Workload, now: Time) -> Change {
    let claimed = claimed_change(seen, workload);
    let kind = match (completed::is_return(seen, workload, now), claimed.kind) {
        (true, _) => ChangeType::Rollback,
        (false, ChangeType::Rollback) => ChangeType::Feature,
        (false, other) => other,
    };
    Change { kind, ..claimed }
}
