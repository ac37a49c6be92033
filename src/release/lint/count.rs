//! The invariants where exposure is by the number of pods. Asked of the snapshot anew and not of the phase that made the plan.

use serde_json::Value;

use super::Note;
use crate::api::Time;
use crate::api::release_record::Phase;
use crate::release::action::{Action, Plan};
use crate::release::plan::Active;
use crate::release::plan::count::{exposure, is_former, is_late};
use crate::release::snapshot::{KindSeen, Ordinals, Snapshot, Workload};

/// The most pods of the new version that the recorded verdicts allow; the error is said where they allow none.
fn allowed(active: &Active<'_>) -> Result<u32, Note> {
    if active.status.rollback.is_some() {
        return Err(Note::ExposedAfterRollback);
    }
    let kind = exposure(active).ok_or(Note::ExposedWithoutPass)?;
    let stages = &active.status.stages;
    let passed = |count: usize| stages.iter().take(count).all(|stage| stage.passed_at.is_some());
    match active.status.phase {
        Phase::Release => {
            let index = active.status.stage as usize;
            let stage = stages.get(index).filter(|_| passed(index)).ok_or(Note::ExposedWithoutPass)?;
            Ok(kind.pods_for(stage.spec.weight))
        }
        // Until the workload is let go, the pods beside it keep the share of the last stage.
        Phase::Promote if passed(stages.len()) => Ok(stages.last().map_or(0, |last| kind.pods_for(last.spec.weight))),
        Phase::Verify if passed(stages.len()) => Ok(kind.pods_for(crate::api::Weight::FULL)),
        Phase::Verify
        | Phase::Promote
        | Phase::Idle
        | Phase::Plan
        | Phase::Stage
        | Phase::Complete
        | Phase::Rollback => Err(Note::ExposedWithoutPass),
    }
}

fn may_expose(seen: &Snapshot, pods: u32, owes: bool) -> Result<(), Note> {
    let active = Active::of(seen, Time(jiff::Timestamp::UNIX_EPOCH), &[]).ok_or(Note::ExposedWithoutPass)?;
    if pods > allowed(&active)? {
        return Err(Note::ExposedWithoutPass);
    }
    let begins = active.status.phase == Phase::Release && active.status.stage == 0;
    let first = begins && exposure(&active).is_some_and(|kind| kind.exposes() == 0);
    if first && owes { Err(Note::NotCharged) } else { Ok(()) }
}

fn stateful(seen: &Snapshot) -> Option<(&Workload, &Ordinals)> {
    let workload = seen.workload.as_ref()?;
    match &workload.kind {
        KindSeen::StatefulSet(ordinals) => Some((workload, ordinals)),
        KindSeen::Deployment => None,
    }
}

/// A partition is lowered no further than the stage allows, and only for the template that was looked at.
pub(super) fn set_partition(seen: &Snapshot, partition: u32, owes: bool, notes: &mut Vec<Note>) {
    let Some((workload, ordinals)) = stateful(seen) else {
        notes.push(Note::NotFenced("the partition of a workload that has none"));
        return;
    };
    if partition == 0 {
        // The last pod follows by letting the workload go, once the version is verified.
        notes.push(Note::ExposedWithoutPass);
    }
    if partition < ordinals.partition {
        let pods = workload.replicas.saturating_sub(partition);
        notes.extend(may_expose(seen, pods, owes).err());
        if !ordinals.observed {
            notes.push(Note::NotFenced("a partition whose controller has not seen the template"));
        }
    }
}

/// Only a pod that comes back at the current revision goes, only one at a time, and none that serves while another is missed:
/// but for a withdrawal, and what one left, where somebody of the former version answers. How long a withdrawal has taken, a
/// plan does not show.
pub(super) fn delete_pod(plan: &Plan, seen: &Snapshot, (name, uid): (&str, &str), notes: &mut Vec<Note>) {
    let found = seen.pods.iter().find(|pod| pod.name == name && pod.uid == uid && !pod.deleting);
    let (Some((workload, ordinals)), Some(pod)) = (stateful(seen), found) else {
        notes.push(Note::NotFenced("the deletion of a pod"));
        return;
    };
    let ready = seen.pods.iter().filter(|pod| pod.ready && !pod.deleting).count();
    let record = seen.record.as_ref().and_then(|record| record.status.as_ref());
    let withdrawn = record.is_some_and(|status| status.rollback.is_some() || status.outcome.is_some());
    let answered = seen.pods.iter().any(|pod| pod.ready && !pod.deleting && pod.of == ordinals.current);
    let missed = pod.ready && ready < workload.replicas as usize && !(withdrawn && answered);
    let comes_back = pod.place < ordinals.partition && pod.of != ordinals.current && ordinals.observed;
    let alone = plan.actions.iter().filter(|action| matches!(action, Action::DeletePod { .. })).count() == 1;
    if missed || !comes_back || !alone {
        notes.push(Note::DeletedPod(name.to_owned()));
    }
}

/// The canary grows only as far as its stage allows.
pub(super) fn apply_canary(seen: &Snapshot, object: &Value, owes: bool, notes: &mut Vec<Note>) {
    let wanted = object.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(u64::from(u32::MAX));
    grow_canary(seen, u32::try_from(wanted).unwrap_or(u32::MAX), owes, notes);
}

pub(super) fn grow_canary(seen: &Snapshot, wanted: u32, owes: bool, notes: &mut Vec<Note>) {
    let have =
        seen.canary.as_ref().and_then(|side| side.deployment.as_ref()).map_or(0, |deployment| deployment.replicas);
    if wanted > have {
        notes.extend(may_expose(seen, wanted, owes).err());
    }
}

/// The workload is let go with what passed all its stages, or with the version that it comes back to.
pub(super) fn may_resume(seen: &Snapshot) -> bool {
    let Some(active) = Active::of(seen, Time(jiff::Timestamp::UNIX_EPOCH), &[]) else { return false };
    let (Some(workload), status) = (active.workload(), &active.status) else { return false };
    if let Some(log) = &status.rollback {
        return is_late(seen, status, log) && is_former(&active, workload);
    }
    let passed = !status.stages.is_empty() && status.stages.iter().all(|stage| stage.passed_at.is_some());
    let ours = workload.revision == active.record.spec.revision
        || crate::release::plan::judged_revision(seen, workload) == active.record.spec.revision;
    let verified = status.promotion.as_ref().is_some_and(|promotion| promotion.verified_at.is_some());
    let time = match workload.kind {
        KindSeen::Deployment => status.phase == Phase::Promote,
        KindSeen::StatefulSet(_) => status.phase == Phase::Verify && (verified || seen.release.leaving().is_some()),
    };
    passed && ours && time
}

/// Whether as many pods as the workload wants are ready without those of one ReplicaSet.
pub(super) fn spared(seen: &Snapshot, set: &str) -> bool {
    let others = seen.pods.iter().filter(|pod| pod.ready && !pod.deleting && pod.of != set).count();
    seen.workload.as_ref().is_some_and(|workload| others >= workload.replicas as usize)
}
