//! Which ReplicaSet of a held workload is stable, and what keeps it the only one that can ever start.
//!
//! A paused Deployment that was scaled to nothing and back starts the ReplicaSet of its template where there is one, else
//! the newest-created one, not the one that ran last. So what could be started instead of stable goes while it is empty,
//! and where something else was started all the same it is taken back.

use super::active::{Active, active_set};
use super::adopt::handed;
use super::came_back::served_by_previous;
use super::idle::last_good;
use super::leave::left_what_runs;
use super::lost;
use super::step::{LOOK_AGAIN, Step};
use crate::api::Span;
use crate::api::release_record::{Arm, Outcome, Phase};
use crate::release::action::Action;
use crate::release::snapshot::{KindSeen, Record, ReplicaSetSeen, Snapshot, Workload};
use crate::release::split::Carrier;
use crate::release::template;

/// The ReplicaSet that is stable while the workload is held; `None` where the workload itself runs, or is about to run,
/// the new version, and where it is not known.
pub(in crate::release) fn stable_set<'a>(seen: &Snapshot, workload: &'a Workload) -> Option<&'a ReplicaSetSeen> {
    let Some(record) = seen.record.as_ref().filter(|record| record.spec.workload_uid == workload.uid) else {
        return active_set(workload);
    };
    let status = record.status.as_ref();
    let noted = || noted_set(seen, workload, record);
    let last =
        || of_revision(workload, last_good(seen).as_deref()).or_else(|| the_one_that_runs(seen, workload, record));
    match status.and_then(|status| status.outcome) {
        // After a late rollback the workload runs the version that came back.
        Some(_) if served_by_previous(seen) => None,
        Some(Outcome::Succeeded | Outcome::Bootstrap | Outcome::Bypassed | Outcome::NotWithdrawn) => last(),
        Some(Outcome::Abandoned) if status.is_some_and(left_what_runs) => last(),
        Some(
            Outcome::RolledBack
            | Outcome::Superseded
            | Outcome::Expired
            | Outcome::Reverted
            | Outcome::Charged
            | Outcome::Abandoned,
        ) => noted(),
        None if record.spec.arm == Arm::Workload => None,
        None => match status.map(|status| status.phase) {
            None | Some(Phase::Idle | Phase::Plan | Phase::Stage | Phase::Release) => noted(),
            Some(Phase::Rollback) => {
                let log = status.and_then(|status| status.rollback.as_ref());
                log.is_some_and(|log| log.traffic_to == seen.service_of(Carrier::Workload)).then(noted).flatten()
            }
            Some(Phase::Promote) => {
                let resumed = status.and_then(|status| status.promotion.as_ref()?.resumed_at);
                if resumed.is_none() { noted() } else { None }
            }
            Some(Phase::Verify | Phase::Complete) => None,
        },
    }
}

/// The ReplicaSet that a record names as stable, or what runs where none can be told from it.
pub(super) fn noted_set<'a>(seen: &Snapshot, workload: &'a Workload, record: &Record) -> Option<&'a ReplicaSetSeen> {
    let name = record.spec.stable_set.as_deref();
    let by_name = workload.sets.iter().find(|set| Some(set.name.as_str()) == name);
    let serving =
        by_name.and_then(|noted| the_one_with_pods(workload, |set| template::same(&set.template, &noted.template)));
    serving
        .or(by_name)
        .or_else(|| of_revision(workload, record.spec.stable.as_deref()))
        .or_else(|| the_one_that_runs(seen, workload, record))
}

/// What alone runs, under whatever name, if it may be stable.
fn the_one_that_runs<'a>(seen: &Snapshot, workload: &'a Workload, record: &Record) -> Option<&'a ReplicaSetSeen> {
    active_set(workload).filter(|set| !is_another(seen, workload, record, set))
}

/// Whether a ReplicaSet of another revision than stable's is another version for sure, such as an older one that was started when
/// a hand had deleted stable's. An API server with new template defaults gives stable itself another revision, but its ReplicaSet
/// keeps its name: where the record has that name, what has neither is another. After an attempt that went well nobody noted the
/// name of its ReplicaSet; then the version before it is known, and what completed under a name of its own.
pub(super) fn is_another(seen: &Snapshot, workload: &Workload, record: &Record, set: &ReplicaSetSeen) -> bool {
    let (spec, revision) = (&record.spec, template::revision(&set.template));
    // What runs when a workload is handed over may be stable (`adopt`); so may a version that an attempt left there.
    if workload.kind != KindSeen::Deployment || handed(seen).is_some() || revision == spec.revision {
        return false;
    }
    let completed = seen.release.status.completed.iter().flatten().any(|one| one.revision == revision);
    let went_well = last_good(seen).as_ref() == Some(&spec.revision);
    let told_apart = match went_well {
        true => spec.stable.as_ref() == Some(&revision) || spec.stable_set.as_ref() == Some(&set.name),
        false => spec.stable.is_some() && spec.stable_set.is_some(),
    };
    completed || told_apart && spec.stable.as_ref() != Some(&spec.revision)
}

fn of_revision<'a>(workload: &'a Workload, revision: Option<&str>) -> Option<&'a ReplicaSetSeen> {
    let is = |set: &ReplicaSetSeen| Some(template::revision(&set.template).as_str()) == revision;
    the_one_with_pods(workload, is).or_else(|| workload.sets.iter().filter(|set| is(set)).max_by_key(|set| set.created))
}

/// A restart makes another ReplicaSet of the same program: which of them has pods is what serves.
fn the_one_with_pods(workload: &Workload, is: impl Fn(&ReplicaSetSeen) -> bool) -> Option<&ReplicaSetSeen> {
    let with_pods = workload.sets.iter().filter(|set| is(set) && set.is_active());
    with_pods.max_by_key(|set| (set.replicas, set.available, set.created))
}

/// The ReplicaSet that runs in a workload that was paused in the middle of a restart: several have pods, all of the same
/// program; the newest is taken.
pub(super) fn of_one_program(workload: &Workload) -> Option<&ReplicaSetSeen> {
    let active = || workload.sets.iter().filter(|set| set.is_active());
    let newest = active().max_by_key(|set| set.created)?;
    active().all(|set| template::same(&set.template, &newest.template)).then_some(newest)
}

/// Keeps stable the only ReplicaSet that a held workload runs or could start; `None` where it is.
pub(super) fn guard(seen: &Snapshot, workload: &Workload) -> Option<Step> {
    // A held StatefulSet starts nothing but its current revision.
    if !workload.paused || workload.paused_because.is_none() || workload.kind != KindSeen::Deployment {
        return None;
    }
    let stable = stable_set(seen, workload)?;
    let others = || workload.sets.iter().filter(|set| set.name != stable.name);
    if workload.replicas > 0 && stable.replicas == 0 && beside(workload, stable).next().is_some() {
        let wrong = beside(workload, stable).map(|set| scale(set, 0));
        let sentence = format!(
            "The Deployment controller started another ReplicaSet than {}, which is stable, when the held workload was scaled up: it is taken back.",
            stable.name
        );
        let right = scale(stable, workload.replicas);
        return Some(Step::going("RestoringStable", sentence).then(right).all(wrong).wake(LOOK_AGAIN));
    }
    let could_start = |set: &&ReplicaSetSeen| {
        set.replicas == 0
            && set.existing == 0
            && (set.created >= stable.created || template::same(&set.template, &workload.template))
    };
    let gone: Vec<_> = others()
        .filter(could_start)
        .map(|set| Action::DeleteReplicaSet { name: set.name.clone(), resource_version: set.resource_version.clone() })
        .collect();
    let sentence = "Empty ReplicaSets that could start instead of stable, when the held workload is scaled to nothing and back, are taken away.";
    (!gone.is_empty()).then(|| Step::going("GuardingStable", sentence.to_owned()).all(gone).wake(LOOK_AGAIN))
}

/// As [`guard`] for an attempt that goes on: where another ReplicaSet runs beside stable, which only a hand can have
/// brought about, it is reported and waited for.
pub(super) fn keep(active: &Active<'_>, patience: Span) -> Option<Step> {
    let workload = active.workload().filter(|workload| workload.kind == KindSeen::Deployment)?;
    guard(active.seen, workload).or_else(|| lost::hold(active, workload, patience)).or_else(|| {
        let stable = stable_set(active.seen, workload).filter(|stable| stable.replicas > 0)?;
        let others: Vec<_> =
            beside(workload, stable).map(|set| format!("{} ({} pods)", set.name, set.existing)).collect();
        if others.is_empty() {
            return None;
        }
        let beside = format!("{} beside {}", others.join(" and "), stable.name);
        let message = format!(
            "Two ReplicaSets of the held Deployment run: {beside}. Users of stable get both, and the comparison would too. Scale the other one to 0: kubectl scale replicaset NAME --replicas 0 -n {}",
            active.seen.release.namespace
        );
        Some(active.hold("NotSettled", message, patience).wake(LOOK_AGAIN))
    })
}

/// ReplicaSets that want pods of another program than stable's.
fn beside<'a>(workload: &'a Workload, stable: &'a ReplicaSetSeen) -> impl Iterator<Item = &'a ReplicaSetSeen> {
    let is_other = |set: &&ReplicaSetSeen| set.replicas > 0 && !template::same(&set.template, &stable.template);
    workload.sets.iter().filter(move |set| set.name != stable.name && is_other(set))
}

pub(super) fn scale(set: &ReplicaSetSeen, replicas: u32) -> Action {
    Action::ScaleReplicaSet { name: set.name.clone(), resource_version: set.resource_version.clone(), replicas }
}
