//! Checks every plan against the invariants before it is carried out. Only [`lint`] makes a [`LintedPlan`], and the
//! executor takes nothing else: a plan that breaks a promise to the users stops here, whatever made it.

mod charge;
mod count;
mod owned;
mod taken;

use super::action::{Action, Plan};
use super::check_job;
use super::plan::{Active, by_record, is_back, is_lost, marked_elsewhere, named, rolled, routes, stable_set};
use super::snapshot::{ReplicaSetSeen, Side, Snapshot};
use super::split::{Carrier, Split};
use super::template;
use crate::api::release_record::{Arm, Phase, ReleaseRecordStatus};
use crate::api::risk_budget::LedgerStatus;
use crate::api::{Time, Weight};

/// A plan that breaks no invariant that one plan can show.
#[derive(Debug, Clone, PartialEq)]
pub struct LintedPlan(Plan);

impl LintedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

/// A broken invariant, with what breaks it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Note {
    /// A weight of the new version would rise without a recorded pass of the stage before.
    #[error("route {route}: the weight of the new version would rise to {to} without a recorded pass")]
    RaisedWithoutPass {
        /// The route.
        route: String,
        /// The weight that it would get.
        to: Weight,
    },
    /// A weight of the new version would rise after a rollback began.
    #[error("route {route}: the weight of the new version would rise to {to} after its rollback began")]
    RaisedAfterRollback {
        /// The route.
        route: String,
        /// The weight that it would get.
        to: Weight,
    },
    /// The finalizer would go, and whoever applies a route would be refused for good.
    #[error("the finalizer would go while the rules of route {0} are Tidegate's by field management")]
    KeptRules(String),
    /// Traffic would go to a carrier without a ready pod.
    #[error("route {route}: {carrier} would get traffic and has no ready pod")]
    TrafficToNobody {
        /// The route.
        route: String,
        /// Who would get it.
        carrier: Carrier,
    },
    /// A carrier would be deleted while a route names it.
    #[error("{0} would be deleted while a route names it")]
    DeletedWhileNamed(Carrier),
    /// The previous version would be deleted while the workload runs what came back.
    #[error("the previous version would be deleted while the workload runs what came back")]
    DeletedWayBack,
    /// The workload would roll to a template that was not let go.
    #[error("the workload would be resumed with a template that was not let go")]
    ResumedUngated,
    /// A write would not be fenced by what was seen.
    #[error("{0} is not fenced by what was seen")]
    NotFenced(&'static str),
    /// A sealed record would be written.
    #[error("a sealed record would be written")]
    SealedRecord,
    /// More than one record write in one plan.
    #[error("more than one record would be written")]
    TwoRecords,
    /// A release would be charged twice.
    #[error("a release would be charged twice")]
    ChargedTwice,
    /// A ledger would lose a number, or what belongs to another release.
    #[error("the ledger would skip a number, or lose what belongs to another release")]
    LedgerTorn,
    /// A record would say a charge that the ledger has not given it.
    #[error("a record would say a charge that the ledger has not given it")]
    ChargeNotInLedger,
    /// What a record was charged would change, or be forgotten.
    #[error("what a record was charged would change")]
    ChargeChanged,
    /// Users would meet a version that was not charged to its budget.
    #[error("users would meet a version that was not charged")]
    NotCharged,
    /// A hold without an end.
    #[error("a hold would have no deadline after its beginning")]
    HoldWithoutEnd,
    /// The finalizer would go while a route still names the canary.
    #[error("the finalizer would go while a route names the canary")]
    LeftTraffic,
    /// A stage would pass, or start, out of order or twice.
    #[error("stage {0} would start or pass out of order or twice")]
    StageOrder(usize),
    /// A ReplicaSet that serves would be emptied.
    #[error("ReplicaSet {0} would be emptied while users depend on it")]
    EmptiedServing(String),
    /// A ReplicaSet of the held workload other than stable would start.
    #[error("ReplicaSet {0} would start in the held workload, and it is not stable")]
    StartedOther(String),
    /// A ReplicaSet that has pods, or is stable, would be deleted.
    #[error("ReplicaSet {0} would be deleted, and it has pods or is stable")]
    DeletedSet(String),
    /// The canary or the previous version would shrink while it serves or must be able to.
    #[error("{0} would shrink while users depend on it")]
    ShrunkSide(Carrier),
    /// More pods would run the new version than the recorded verdicts allow.
    #[error("more pods would run the new version than the recorded verdicts allow")]
    ExposedWithoutPass,
    /// More pods would run the new version after its rollback began.
    #[error("more pods would run the new version after its rollback began")]
    ExposedAfterRollback,
    /// A Job would be started that no check of the stage asks for, or that would outlive its release.
    #[error("Job {0} would be started, and no check of the stage asks for it, or nothing would take it away")]
    JobOutOfTurn(String),
    /// A release would write to what another GatedRelease has.
    #[error("{0} would be written by a release whose workload or Service another one has")]
    Taken(&'static str),
    /// A pod would be deleted that would not come back at the former version, or is missed.
    #[error("pod {0} would be deleted, and it is missed or would not come back at the former version")]
    DeletedPod(String),
}

/// All broken invariants; none stops at the first.
pub fn lint(plan: Plan, seen: &Snapshot) -> Result<LintedPlan, Vec<Note>> {
    let mut notes = Vec::new();
    for action in &plan.actions {
        check(&plan, action, seen, &mut notes);
    }
    taken::writes(&plan, seen, &mut notes);
    owned::given_back(&plan, seen, &mut notes);
    let records =
        plan.actions.iter().filter(|action| matches!(action, Action::OpenRecord { .. } | Action::UpdateRecord { .. }));
    if records.count() > 1 {
        notes.push(Note::TwoRecords);
    }
    if notes.is_empty() { Ok(LintedPlan(plan)) } else { Err(notes) }
}

fn check(plan: &Plan, action: &Action, seen: &Snapshot, notes: &mut Vec<Note>) {
    match action {
        Action::SetSplit { route, resource_version, split, .. } => {
            set_split(seen, (route, resource_version, *split), charge::is_owed(plan, action, seen), notes)
        }
        Action::UpdateRecord { name, resource_version, status } => {
            update_record(plan, seen, (name, resource_version), status, notes)
        }
        Action::Delete { carrier } => {
            if named(seen, *carrier) {
                notes.push(Note::DeletedWhileNamed(*carrier));
            }
            if *carrier == Carrier::Previous && by_record(seen) && seen.release.leaving().is_none() {
                notes.push(Note::DeletedWayBack);
            }
        }
        Action::Resume { resource_version } => resume(seen, resource_version, notes),
        Action::RemoveFinalizer => {
            if named(seen, Carrier::Canary) && !seen.canary.as_ref().is_some_and(Side::is_anothers) {
                notes.push(Note::LeftTraffic);
            }
        }
        Action::ScaleReplicaSet { name, resource_version, replicas } => {
            scale_set(plan, seen, (name, resource_version, *replicas), notes)
        }
        Action::DeleteReplicaSet { name, resource_version } => delete_set(seen, name, resource_version, notes),
        Action::CreateReplicaSet { object } => create_set(seen, object, notes),
        Action::ScaleSide { carrier, replicas } if seen.by_count() && *carrier == Carrier::Canary => {
            count::grow_canary(seen, *replicas, charge::is_owed(plan, action, seen), notes)
        }
        Action::ScaleSide { carrier, replicas } => scale_side(seen, *carrier, *replicas, notes),
        Action::SetPartition { resource_version, partition } => {
            workload_fence(seen, resource_version, "a StatefulSet's partition", notes);
            count::set_partition(seen, *partition, charge::is_owed(plan, action, seen), notes);
        }
        Action::DeletePod { name, uid } => count::delete_pod(plan, seen, (name, uid), notes),
        Action::Apply { carrier: Carrier::Canary, object } if seen.by_count() => {
            count::apply_canary(seen, object, charge::is_owed(plan, action, seen), notes)
        }
        Action::ExplainPause { resource_version, .. } => {
            workload_fence(seen, resource_version, "the pause's explanation", notes)
        }
        Action::WriteLedger { resource_version, ledger, .. } => write_ledger(seen, resource_version, ledger, notes),
        Action::OpenRecord { name, status, .. } => notes.extend(charge::stands(plan, seen, name, None, status)),
        Action::StartJob { name, object } => start_job(seen, name, object, notes),
        Action::RemoveJob { name, uid } => {
            if !seen.jobs.all.iter().any(|job| job.name == *name && job.uid == *uid) {
                notes.push(Note::NotFenced("a Job"));
            }
        }
        Action::AddFinalizer | Action::DisownRules { .. } | Action::Apply { .. } | Action::ScaleDown { .. } => {}
    }
}

/// A Job is started once in a stage that has its weight, for a check of it, and goes with its release at the latest.
fn start_job(seen: &Snapshot, name: &str, object: &serde_json::Value, notes: &mut Vec<Note>) {
    let wanted = || {
        let record = seen.record.as_ref()?;
        let status = record.status.as_ref().filter(|status| status.phase == Phase::Release)?;
        status.stages.get(status.stage as usize)?.started_at?;
        let mut checks = seen.release.spec.analysis.checks.iter().filter(|check| check.job.is_some());
        let asks = checks.any(|check| check_job::name(&record.name, status.stage, &check.name) == name);
        let owner = object.pointer("/metadata/ownerReferences/0/uid").and_then(serde_json::Value::as_str);
        let ends = object.pointer("/spec/activeDeadlineSeconds").is_some_and(serde_json::Value::is_u64);
        Some(asks && ends && status.rollback.is_none() && owner == Some(seen.release.uid.as_str()))
    };
    if wanted() != Some(true) || seen.jobs.of(name).is_some() {
        notes.push(Note::JobOutOfTurn(name.to_owned()));
    }
}

fn workload_fence(seen: &Snapshot, resource_version: &str, what: &'static str, notes: &mut Vec<Note>) {
    if seen.workload.as_ref().is_none_or(|workload| workload.resource_version != resource_version) {
        notes.push(Note::NotFenced(what));
    }
}

/// A charge is given a number once, in order, and nobody else's promise or charge is lost by the write.
fn write_ledger(seen: &Snapshot, resource_version: &str, ledger: &LedgerStatus, notes: &mut Vec<Note>) {
    let Some(risk) = seen.risk.as_ref().filter(|risk| risk.resource_version == resource_version) else {
        notes.push(Note::NotFenced("a ledger"));
        return;
    };
    let before = &risk.ledger;
    let new: Vec<_> = ledger.pending.iter().filter(|one| !before.pending.contains(one)).collect();
    let charged = |record: &str| {
        before.pending.iter().any(|one| one.record == record)
            || seen.record.as_ref().is_some_and(|known| {
                known.name == record && known.status.as_ref().is_some_and(|status| status.charge.is_some())
            })
    };
    if new.iter().any(|one| charged(&one.record)) || new.len() > 1 {
        notes.push(Note::ChargedTwice);
    }
    let numbered = ledger.sequence == before.sequence + new.len() as u64
        && new.iter().all(|one| one.charge.sequence == ledger.sequence)
        && before.pending.iter().all(|one| ledger.pending.contains(one))
        && ledger.before == before.before;
    let ours = |record: &str| {
        new.iter().any(|one| one.record == record) || seen.record.as_ref().is_some_and(|known| known.name == record)
    };
    let kept = before.reservations.iter().all(|one| ours(&one.record) || ledger.reservations.contains(one))
        && ledger.reservations.iter().all(|one| ours(&one.record) || before.reservations.contains(one));
    if !numbered || !kept {
        notes.push(Note::LedgerTorn);
    }
}

fn set_split(seen: &Snapshot, (name, resource_version, split): (&str, &str, Split), owes: bool, notes: &mut Vec<Note>) {
    // What leads to nobody of ours loses its marks, and nothing else is written to it.
    if split == Split::HOME && marked_elsewhere(seen).any(|left| left == (name, resource_version)) {
        return;
    }
    let Some((_, route)) = routes(seen).find(|(route, _)| *route == name) else {
        notes.push(Note::NotFenced("a route that was not seen"));
        return;
    };
    if route.resource_version != resource_version {
        notes.push(Note::NotFenced("a route's weights"));
    }
    let active = Active::of(seen, Time(jiff::Timestamp::UNIX_EPOCH), &[]);
    let (new, arm) = new_version(active.as_ref());
    let to = share(split, &new);
    let from = route
        .rules
        .iter()
        .map(|rule| rule.map_or(Weight::ZERO, |split| share(split, &new)))
        .min()
        .unwrap_or(Weight::ZERO);
    if to > from {
        match &active {
            Some(active) if active.status.rollback.is_some() => {
                notes.push(Note::RaisedAfterRollback { route: name.to_owned(), to })
            }
            Some(active) if may_have(&active.status, arm, to) => {
                if from == Weight::ZERO && owes {
                    notes.push(Note::NotCharged);
                }
            }
            // With nothing released the workload is what Git says.
            None if split == Split::HOME => {}
            _ => notes.push(Note::RaisedWithoutPass { route: name.to_owned(), to }),
        }
    }
    for carrier in [Carrier::Canary, Carrier::Previous] {
        let had = route.rules.iter().flatten().map(|split| split.weight(carrier)).min().unwrap_or(Weight::ZERO);
        let ready = seen.side(carrier).is_some_and(|side| {
            side.endpoints.is_some_and(|ready| ready > 0) && side.deployment.as_ref().is_some_and(|d| d.available > 0)
        });
        if split.weight(carrier) > had && !ready {
            notes.push(Note::TrafficToNobody { route: name.to_owned(), carrier });
        }
    }
}

/// The carriers of the new version.
fn new_version(active: Option<&Active<'_>>) -> (Vec<Carrier>, Arm) {
    let Some(active) = active else { return (vec![Carrier::Canary], Arm::Canary) };
    let resumed = active.status.promotion.as_ref().is_some_and(|promotion| promotion.resumed_at.is_some());
    match (active.record.spec.arm, resumed) {
        (Arm::Canary, false) => (vec![Carrier::Canary], Arm::Canary),
        (Arm::Canary, true) => (vec![Carrier::Canary, Carrier::Workload], Arm::Canary),
        (Arm::Workload, _) => (vec![Carrier::Workload], Arm::Workload),
    }
}

fn share(split: Split, carriers: &[Carrier]) -> Weight {
    let sum: u8 = carriers.iter().map(|carrier| split.weight(*carrier).get()).sum();
    Weight::whole(sum)
}

/// The largest weight that the recorded verdicts allow.
fn may_have(status: &ReleaseRecordStatus, arm: Arm, weight: Weight) -> bool {
    match status.phase {
        Phase::Release => {
            let index = status.stage as usize;
            let passed = status.stages.iter().take(index).all(|stage| stage.passed_at.is_some());
            passed && status.stages.get(index).is_some_and(|stage| weight <= stage.spec.weight)
        }
        Phase::Promote | Phase::Verify => status.stages.iter().all(|stage| stage.passed_at.is_some()),
        Phase::Rollback => arm == Arm::Canary && weight == Weight::ZERO,
        Phase::Idle | Phase::Plan | Phase::Stage | Phase::Complete => false,
    }
}

fn update_record(
    plan: &Plan,
    seen: &Snapshot,
    (name, resource_version): (&str, &str),
    next: &ReleaseRecordStatus,
    notes: &mut Vec<Note>,
) {
    let Some(record) =
        seen.record.as_ref().filter(|record| record.name == name && record.resource_version == resource_version)
    else {
        notes.push(Note::NotFenced("a record's status"));
        return;
    };
    if next.hold.as_ref().is_some_and(|hold| hold.deadline <= hold.since) {
        notes.push(Note::HoldWithoutEnd);
    }
    notes.extend(charge::stands(plan, seen, name, record.status.as_ref(), next));
    let Some(before) = &record.status else { return };
    let settles = before.charge_waits.is_some()
        && next.is_sealed()
        && (next.outcome, next.ended_at, next.phase) == (before.outcome, before.ended_at, before.phase);
    if before.outcome.is_some() && !settles {
        notes.push(Note::SealedRecord);
    }
    for (index, (old, new)) in before.stages.iter().zip(&next.stages).enumerate() {
        let changed_twice = (old.started_at.is_some() && new.started_at != old.started_at)
            || (old.passed_at.is_some() && new.passed_at != old.passed_at);
        let before_its_turn =
            index as u32 != before.stage && (old.started_at != new.started_at || old.passed_at != new.passed_at);
        let unstarted = new.passed_at.is_some() && old.started_at.is_none();
        if changed_twice || before_its_turn || unstarted {
            notes.push(Note::StageOrder(index));
        }
    }
    let skipped = next.stage > before.stage && (next.stage != before.stage + 1 || !passed(next, before.stage));
    if skipped {
        notes.push(Note::StageOrder(next.stage as usize));
    }
}

fn passed(status: &ReleaseRecordStatus, stage: u32) -> bool {
    status.stages.get(stage as usize).is_some_and(|stage| stage.passed_at.is_some())
}

fn resume(seen: &Snapshot, resource_version: &str, notes: &mut Vec<Note>) {
    workload_fence(seen, resource_version, "letting the workload go", notes);
    let Some(workload) = &seen.workload else { return };
    let active = || workload.sets.iter().filter(|set| set.is_active());
    let runs = active().next().is_some() && active().all(|set| template::same(&set.template, &workload.template));
    // With nothing running the template runs instead of nothing, but not in the place of a stable that is lost.
    let idle = !workload.sets.iter().any(|set| set.is_active()) && !is_lost(seen, workload);
    // Stable's own template, where another version was started in the place of its lost ReplicaSet.
    let back = is_back(seen, workload);
    let allowed = match Active::of(seen, Time(jiff::Timestamp::UNIX_EPOCH), &[]) {
        Some(active) if active.record.spec.arm == Arm::Workload => !traffic(seen, Carrier::Workload),
        Some(_) if seen.by_count() => count::may_resume(seen),
        Some(_) => promotes(seen),
        // The roll that a newer template interrupted, to what is stable.
        None => rolled(seen, workload),
    };
    if !(runs || idle || back || allowed) {
        notes.push(Note::ResumedUngated);
    }
}

fn traffic(seen: &Snapshot, carrier: Carrier) -> bool {
    routes(seen)
        .flat_map(|(_, route)| route.rules.iter())
        .any(|rule| rule.is_none_or(|split| split.weight(carrier) > Weight::ZERO))
}

/// The ReplicaSet that an action means, where its fence holds.
fn set<'a>(seen: &'a Snapshot, name: &str, version: &str, notes: &mut Vec<Note>) -> Option<&'a ReplicaSetSeen> {
    let sets = seen.workload.iter().flat_map(|workload| &workload.sets);
    let found = sets.clone().find(|set| set.name == name && set.resource_version == version);
    if found.is_none() {
        notes.push(Note::NotFenced("a ReplicaSet"));
    }
    found
}

fn is_stable(seen: &Snapshot, name: &str) -> bool {
    seen.workload.as_ref().and_then(|workload| stable_set(seen, workload)).is_some_and(|set| set.name == name)
}

fn paused(seen: &Snapshot) -> bool {
    seen.workload.as_ref().is_some_and(|workload| workload.paused)
}

fn scale_set(plan: &Plan, seen: &Snapshot, (name, version, replicas): (&str, &str, u32), notes: &mut Vec<Note>) {
    let Some(set) = set(seen, name, version, notes) else { return };
    if replicas > set.replicas {
        if !paused(seen) || !(is_stable(seen, name) || promotes(seen)) {
            notes.push(Note::StartedOther(name.to_owned()));
        }
        return;
    }
    // What was started instead of stable goes as stable comes.
    let stable_comes = plan.actions.iter().any(|action| {
        matches!(action, Action::ScaleReplicaSet { name, replicas, .. } if *replicas > 0 && is_stable(seen, name))
    });
    let spared = stable_comes && !is_stable(seen, name);
    let serves = if seen.by_count() { !count::spared(seen, name) } else { traffic(seen, Carrier::Workload) };
    if !paused(seen) || (serves && !spared) {
        notes.push(Note::EmptiedServing(name.to_owned()));
    }
}

fn delete_set(seen: &Snapshot, name: &str, version: &str, notes: &mut Vec<Note>) {
    let Some(set) = set(seen, name, version, notes) else { return };
    if !paused(seen) || set.is_active() || is_stable(seen, name) {
        notes.push(Note::DeletedSet(name.to_owned()));
    }
}

/// The workload gets the judged version by hand only as it would by letting it go: with a way back and without users.
fn create_set(seen: &Snapshot, object: &serde_json::Value, notes: &mut Vec<Note>) {
    let uid = object.pointer("/metadata/ownerReferences/0/uid").and_then(serde_json::Value::as_str);
    if uid.is_none_or(|uid| seen.workload.as_ref().is_none_or(|workload| workload.uid != uid)) {
        notes.push(Note::NotFenced("a ReplicaSet that is created"));
    }
    if !paused(seen) || !promotes(seen) {
        notes.push(Note::ResumedUngated);
    }
}

fn scale_side(seen: &Snapshot, carrier: Carrier, replicas: u32, notes: &mut Vec<Note>) {
    let have = seen.side(carrier).and_then(|side| side.deployment.as_ref()).map_or(0, |deployment| deployment.replicas);
    if replicas < have {
        notes.push(Note::ShrunkSide(carrier));
    }
}

/// Whether the promotion has come to where the workload may take the new version over: its way back is ready, and it
/// has no users.
fn promotes(seen: &Snapshot) -> bool {
    let phase = Active::of(seen, Time(jiff::Timestamp::UNIX_EPOCH), &[]).map(|active| active.status.phase);
    let previous = seen.previous.as_ref().and_then(|side| side.deployment.as_ref()).is_some_and(|d| d.available > 0);
    phase == Some(Phase::Promote) && previous && !traffic(seen, Carrier::Workload)
}

#[cfg(test)]
mod tests;
