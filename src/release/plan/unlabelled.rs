//! A workload that a GatedRelease names and that does not carry the gate's label: nothing is held and nothing is released.
//! What ships meanwhile is put on record and charged while it runs, and not only when the label is back.
//!
//! No watch tells of such a workload; it is looked at because the gate is not in force, and what came and went between two
//! looks is not known. A workload that no GatedRelease names, or whose GatedRelease is detached, is not looked at: who has left
//! has no budget to charge.

use super::adopt;
use super::came_back::served_by_previous;
use super::idle::{bypassed, is_known, last_good};
use super::judged_revision;
use super::step::Step;
use crate::api::Time;
use crate::api::names::GATED;
use crate::release::snapshot::{ReplicaSetSeen, Snapshot, Workload};
use crate::release::template;

/// The record of a template that ships without the label, with its charge as an exception (`000_…` §7); none where the
/// template is the one that is known to run, or no user meets it. A workload that was never under the gate has nothing to
/// compare with.
pub(super) fn ran(seen: &Snapshot, now: Time) -> Option<Step> {
    let workload = seen.workload.as_ref().filter(|workload| !workload.gated && workload.replicas > 0)?;
    let handed = adopt::handed(seen);
    if last_good(seen).is_none() && handed.is_none() {
        return None;
    }
    // What ran, or rolled, when the workload was handed over is nobody's bypass.
    if handed.is_some_and(|handed| handed.running.contains(&judged_revision(seen, workload))) {
        return None;
    }
    // After a late rollback the workload has no traffic: its next template is judged from there when the label is back.
    if is_known(seen, workload) || served_by_previous(seen) || !runs(seen, workload) {
        return None;
    }
    let how = format!("shipped while the workload did not carry the label {GATED}");
    Some(bypassed(seen, workload, now, &how))
}

/// Whether pods run the template, or are about to. What was held before the label went stays so until somebody lets it go: what
/// pods of it are there until then are those of its attempt, whose record tells of them.
fn runs(seen: &Snapshot, workload: &Workload) -> bool {
    let wanted = |set: &ReplicaSetSeen| set.replicas > 0 && template::same(&set.template, &workload.template);
    let tried = seen.record.as_ref().is_some_and(|last| last.spec.revision == judged_revision(seen, workload));
    !workload.paused || (!tried && workload.sets.iter().any(wanted))
}
