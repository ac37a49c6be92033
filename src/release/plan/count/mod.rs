//! Exposure by the number of pods, where no route divides the traffic: the Service spreads requests over all its ready
//! pods, so how many of them run the new version is its share. Coarse, and never called finer than it is.
//!
//! Here belong the phases of such a release and the seam between the kinds of workload ([`Exposure`]: one file a kind, and
//! the phases know neither). What must never enter: a route, and the word of a stage's weight where the real share is
//! another. The record, verdicts, holds and their words are shared with releases by routes.

mod back;
mod beside;
mod late;
mod ordered;
mod promote;
mod release;
mod share;
mod verify;

use super::active::{Active, NO_WAY_BACK, Template};
use super::start;
use super::step::{LOOK_AGAIN, Say, Step};
use crate::api::gated_release::WorkloadKind;
use crate::api::release_record::{Outcome, Phase, PodShare, Promotion, Trigger};
use crate::api::{Span, Time, Weight};
use crate::release::action::Action;
use crate::release::problem::Problem;
use crate::release::snapshot::{KindSeen, PodSeen, Snapshot, Workload};

pub(super) use back::begin;
pub(in crate::release) use late::is_late;

/// What a kind of workload answers, so that the phases need not know it.
pub(in crate::release) trait Exposure {
    /// Pods of the new version for a stage: so many that its share is at most the weight, and one where none would be so few.
    fn pods_for(&self, weight: Weight) -> u32;

    /// The share where so many pods run the new version.
    fn share_of(&self, pods: u32) -> PodShare;

    /// Whether a pod runs the new version, ready or not.
    fn is_new(&self, pod: &PodSeen) -> bool;

    /// How many pods are to run the new version at this moment, ready or not.
    fn exposes(&self) -> u32;

    /// The writes that make just so many pods run the new version; none where nothing is left to write.
    fn expose(&self, active: &Active<'_>, pods: u32) -> Result<Vec<Action>, Problem>;

    /// Whether just so many pods run the new version and take requests; otherwise what is missing.
    fn exposed(&self, active: &Active<'_>, pods: u32) -> Result<(), String>;

    /// The writes that take the new version away from users while the workload is held; none where nothing is left to write.
    fn withdraw(&self, active: &Active<'_>) -> Vec<Action>;

    /// What a withdrawal waits for, where it waits.
    fn withdrawing(&self) -> String;

    /// Why a withdrawal cannot go on by itself, where it is over its time budget and waits for nothing that is on its way.
    fn stuck(&self, active: &Active<'_>) -> Option<String>;

    /// Whether a way back is kept through the verification, so that there is no promotion that takes it away.
    fn keeps_way_back(&self) -> bool;
}

/// The kind that the workload is of; none where it is gone.
pub(in crate::release) fn exposure<'a>(active: &Active<'a>) -> Option<Box<dyn Exposure + 'a>> {
    let (seen, workload) = (active.seen, active.workload()?);
    Some(match &workload.kind {
        KindSeen::Deployment => Box::new(beside::Beside::of(active, workload)),
        KindSeen::StatefulSet(ordinals) => Box::new(ordered::Ordered { seen, workload, ordinals }),
    })
}

/// One look at an attempt whose record says where it stands.
pub(super) fn active_step(active: &Active<'_>) -> Step {
    if let Some(step) = verified(active) {
        return step.clearing_hold(active);
    }
    if let Some(step) = forced(active) {
        return step.clearing_hold(active);
    }
    let step = match active.status.phase {
        Phase::Plan => start::step(active),
        Phase::Stage => release::prepare(active),
        Phase::Release => release::step(active),
        Phase::Promote => promote::step(active),
        Phase::Verify => verify::step(active),
        Phase::Rollback => back::step(active),
        // A record that is neither sealed nor in a phase of work is finished by hand of the last phase that it had.
        Phase::Idle | Phase::Complete => active.seal(Outcome::Succeeded, "Released.".to_owned()),
    };
    super::follow::along(active, step).clearing_hold(active)
}

/// The writes that keep the present number of pods of the new version, however the workload is scaled while a step waits. A raise
/// that was begun and is held goes back to what passed.
pub(super) fn follow(active: &Active<'_>, step: &Step) -> Vec<Action> {
    let exposes = |action: &Action| {
        matches!(
            action,
            Action::Apply { .. } | Action::ScaleSide { .. } | Action::Delete { .. } | Action::SetPartition { .. }
        ) || matches!(action, Action::DeletePod { .. } | Action::Resume { .. })
    };
    let (Some(kind), false) = (exposure(active), step.actions.iter().any(exposes)) else { return Vec::new() };
    let Some(stage) = active.status.stages.get(active.status.stage as usize) else { return Vec::new() };
    let weight = match active.status.phase {
        Phase::Release if stage.started_at.is_some() => stage.spec.weight,
        Phase::Release if step.say == Say::Held => active.weight_before(),
        Phase::Promote if !rolled_over(active) => stage.spec.weight,
        // On its way to another number, or spread over the workload by its own controller.
        Phase::Release | Phase::Promote | Phase::Idle | Phase::Plan | Phase::Stage | Phase::Verify => {
            return Vec::new();
        }
        Phase::Complete | Phase::Rollback => return Vec::new(),
    };
    let pods = if weight == Weight::ZERO { 0 } else { kind.pods_for(weight) };
    if pods == 0 && kind.exposes() == 0 {
        return Vec::new();
    }
    kind.expose(active, pods).unwrap_or_default()
}

fn verified(active: &Active<'_>) -> Option<Step> {
    let verified = active.status.promotion.as_ref().and_then(|promotion| promotion.verified_at)?;
    (active.status.phase == Phase::Verify).then(|| verify::finish(active, verified))
}

/// What ends an attempt in any phase: a workload that left the gate, a person who let it go.
fn forced(active: &Active<'_>) -> Option<Step> {
    if active.status.rollback.is_some() {
        return None;
    }
    let plan = active.status.phase == Phase::Plan;
    let ours = |workload: &&Workload| workload.gated && workload.uid == active.record.spec.workload_uid;
    let Some(workload) = active.workload().filter(ours) else {
        let why = "the workload is gone or no longer under the gate";
        if plan {
            return Some(active.seal(Outcome::Abandoned, format!("It took no traffic: {why} before.")));
        }
        return Some(match rolled_over(active) {
            // Nothing hurts, and there is nothing to go back to.
            true => leave(active, why),
            false => begin(active, Trigger::Ungated, why.to_owned(), "gated".to_owned()),
        });
    };
    if let Some(step) = forgotten(active, workload) {
        return Some(step);
    }
    if workload.paused || rolled_over(active) {
        return None;
    }
    let (ours, stateful) = (active.template(workload) == Template::Ours, workload.kind != KindSeen::Deployment);
    if stateful && active.status.phase == Phase::Verify && !ours {
        return Some(active.seal(Outcome::Superseded, "Another template was let run in the workload.".to_owned()));
    }
    if plan && !ours {
        return Some(active.seal(Outcome::Superseded, "Another template was let run in the workload.".to_owned()));
    }
    if stateful || plan {
        // Its own controller is on the way to what was asked for; taking pods back would be a tug of war with a person.
        let who = workload.resumed_by.clone().unwrap_or_else(|| "somebody".to_owned());
        return Some(active.seal(
            Outcome::Bypassed,
            format!("{who} let the workload go while it was held: all its pods get the template now."),
        ));
    }
    let how = workload.under_glass().map_or("without being held".to_owned(), |why| format!("under break-glass: {why}"));
    Some(match ours {
        true => {
            let who = workload.resumed_by.clone().unwrap_or_else(|| "somebody".to_owned());
            let value = format!("{who} resumed the workload while it was held");
            begin(active, Trigger::Resumed, value, "held".to_owned())
        }
        false => {
            let value = format!("another template runs in the workload {how}");
            begin(active, Trigger::Superseded, value, "the template stays".to_owned())
        }
    })
}

/// A StatefulSet that is scaled to nothing forgets its former version, whatever its partition says: with no pod at all
/// every pod runs the new one. Its pods come up with it, and there is no way back but Git.
fn forgotten(active: &Active<'_>, workload: &Workload) -> Option<Step> {
    let verified = active.status.promotion.as_ref().is_some_and(|promotion| promotion.verified_at.is_some());
    let ours = workload.paused && active.template(workload) == Template::Ours;
    (ours && !verified && has_one_revision(workload)).then(|| active.seal(Outcome::Bypassed, FORGOTTEN.to_owned()))
}

/// What is said where a StatefulSet forgot its former version.
pub(super) const FORGOTTEN: &str = "The StatefulSet was scaled to nothing while its template was held, and forgets the former version then: its pods come up with this one, ungated. To go back, revert in Git.";

/// Whether a held StatefulSet has no other version left than the held one.
pub(super) fn has_forgotten(workload: &Workload) -> bool {
    workload.paused_because.is_some() && has_one_revision(workload)
}

/// Whether a StatefulSet knows no revision but that of its template.
fn has_one_revision(workload: &Workload) -> bool {
    match &workload.kind {
        KindSeen::StatefulSet(ordinals) => ordinals.observed && ordinals.current == ordinals.update,
        KindSeen::Deployment => false,
    }
}

/// Whether the workload itself has taken the new version over, or may have, so that there is no way back.
fn rolled_over(active: &Active<'_>) -> bool {
    let of_deployment = active.workload().is_none_or(|workload| workload.kind == KindSeen::Deployment);
    of_deployment
        && match active.status.phase {
            Phase::Verify => true,
            Phase::Promote => {
                active.status.promotion.as_ref().is_some_and(|it| it.resumed_at.is_some()) || promote::rolls(active)
            }
            Phase::Rollback => {
                active.status.rollback.as_ref().is_some_and(|log| late::is_late(active.seen, &active.status, log))
            }
            Phase::Idle | Phase::Plan | Phase::Stage | Phase::Release | Phase::Complete => false,
        }
}

/// Ends the attempt as it stands: what was needed beside the workload goes, what the workload runs stays.
fn leave(active: &Active<'_>, why: &str) -> Step {
    if let Some(step) = drop_canary(active) {
        return step;
    }
    active.seal(Outcome::Abandoned, format!("Not verified to its end: {why}; what the workload runs stays."))
}

fn drop_canary(active: &Active<'_>) -> Option<Step> {
    use crate::release::split::Carrier;
    active.deployment(Carrier::Canary)?;
    let step = Step::going("Finishing", "The pods beside the workload are not needed any more and go.".to_owned());
    Some(step.then(Action::Delete { carrier: Carrier::Canary }).wake(LOOK_AGAIN))
}

/// The workload leaves the gate while an attempt goes on; `why`, to follow a subject.
pub(super) fn close(active: &Active<'_>, why: &str) -> Step {
    if let Some(step) = verified(active) {
        return step;
    }
    match active.status.phase {
        Phase::Plan if active.stored().is_some() => {
            active.seal(Outcome::Abandoned, format!("It took no traffic: {why} before."))
        }
        Phase::Rollback if rolled_over(active) => late::stays(active, why),
        Phase::Rollback => back::step(active),
        Phase::Verify if !rolled_over(active) => verify::let_go(active, why),
        Phase::Plan
        | Phase::Stage
        | Phase::Release
        | Phase::Promote
        | Phase::Verify
        | Phase::Idle
        | Phase::Complete => match rolled_over(active) {
            true => leave(active, why),
            false => begin(active, Trigger::Deleted, why.to_owned(), "present".to_owned()),
        },
    }
}

/// No attempt goes on, and pods of a held StatefulSet run another revision than the one that they come back at: left by an
/// attempt that a newer template ended late.
pub(super) fn leftovers(seen: &Snapshot, now: Time) -> Option<Step> {
    let workload = seen.workload.as_ref().filter(|workload| workload.paused && workload.paused_because.is_some())?;
    let KindSeen::StatefulSet(ordinals) = &workload.kind else { return None };
    let ordered = ordered::Ordered { seen, workload, ordinals };
    let left = ordered.strays().count();
    if left == 0 {
        return None;
    }
    let last = seen.record.as_ref().and_then(|record| record.status.as_ref());
    let since = last.and_then(|last| last.rollback.as_ref().map(|log| log.at).or(last.ended_at));
    let overdue = since.and_then(|since| ordered::Overdue::of(seen, since, now));
    let writes = ordered.put_back(overdue);
    if let Some(why) = overdue.filter(|_| writes.is_empty()).and_then(|overdue| ordered.stuck_since(overdue)) {
        let (namespace, name) = (&seen.release.namespace, &seen.release.spec.workload_ref.name);
        let message = format!(
            "{left} pods run neither what was released nor what is held, and stay, because {why}. They go as soon as somebody else can answer. Look: kubectl get pods -n {namespace}. To let the held template run instead: {}",
            crate::release::wording::let_go(seen.kind(), namespace, name)
        );
        return Some(Step::says(Say::Unsettled(NO_WAY_BACK, message)).wake(LOOK_AGAIN));
    }
    let sentence = format!("{left} pods run neither what was released nor what is held: {}.", ordered.withdrawing());
    Some(Step::going("CleaningUp", sentence).all(writes).wake(LOOK_AGAIN))
}

/// The share of the pods that takes requests and runs the new version.
pub fn share(seen: &Snapshot) -> PodShare {
    let active = Active::of(seen, Time(jiff::Timestamp::UNIX_EPOCH), &[]);
    let kind = active.as_ref().and_then(exposure);
    let ready = || seen.pods.iter().filter(|pod| pod.ready && !pod.deleting);
    let new = kind.map_or(0, |kind| ready().filter(|pod| kind.is_new(pod)).count());
    PodShare { new: count(new), of: count(ready().count()) }
}

/// The pods of the new version, or of the former one, that take requests.
pub fn pods(seen: &Snapshot, new: bool) -> Vec<&PodSeen> {
    // The comparison asks this while it is counted in.
    let active = Active::as_stored(seen, Time(jiff::Timestamp::UNIX_EPOCH), &[]);
    let Some(kind) = active.as_ref().and_then(exposure) else { return Vec::new() };
    seen.pods.iter().filter(|pod| !pod.deleting && kind.is_new(pod) == new).collect()
}

/// The most pods that a canary beside a Deployment of this size ever gets.
pub(in crate::release) fn most_beside(replicas: u32) -> u32 {
    share::beside(replicas, Weight::FULL)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What is worth a warning before the first pod of the new version comes up: reason and sentence.
pub(in crate::release) fn warnings(seen: &Snapshot) -> Vec<(&'static str, String)> {
    let Some(active) = Active::of(seen, Time(jiff::Timestamp::UNIX_EPOCH), &[]) else { return Vec::new() };
    let (Some(kind), Some(first)) = (exposure(&active), active.status.stages.first()) else { return Vec::new() };
    let mut found = Vec::new();
    let (weight, share) = (first.spec.weight, kind.share_of(kind.pods_for(first.spec.weight)));
    if u32::from(share.weight().get()) > 2 * u32::from(weight.get()) {
        let exact = match seen.kind() {
            WorkloadKind::Deployment => "; an HTTPRoute in spec.traffic.httpRoutes makes it exact",
            WorkloadKind::StatefulSet => "",
        };
        let note = format!(
            "The first stage asks for {weight}, and the smallest share that these pods allow is {share}: so many users get the new version from its first moment on. More replicas make it finer{exact}."
        );
        found.push(("CoarseShare", note));
    }
    let beside = seen.workload.as_ref().is_some_and(|workload| workload.kind == KindSeen::Deployment);
    if beside && !seen.autoscalers.is_empty() {
        let names: Vec<_> = seen.autoscalers.iter().map(|one| one.name.as_str()).collect();
        let note = format!(
            "HorizontalPodAutoscaler {} counts the canary's pods too, because they carry the workload's labels: it sees the load of both. A PodDisruptionBudget over these labels counts them as well.",
            names.join(", ")
        );
        found.push(("CanaryCounted", note));
    }
    found
}

/// Whether the template is the one that served before the attempt, by its name or by the ReplicaSet that ran it.
pub(in crate::release) fn is_former(active: &Active<'_>, workload: &Workload) -> bool {
    use crate::release::template;
    let spec = &active.record.spec;
    let by_set = workload.sets.iter().any(|set| {
        Some(set.name.as_str()) == spec.stable_set.as_deref() && template::same(&set.template, &workload.template)
    });
    by_set || spec.stable.as_deref() == Some(workload.revision.as_str())
}

/// Until when something that began then may take.
fn until(active: &Active<'_>, since: Time) -> Time {
    since.plus(active.seen.release.spec.strategy.ready_within)
}

fn with(active: &Active<'_>, promotion: Promotion) -> crate::api::release_record::ReleaseRecordStatus {
    crate::api::release_record::ReleaseRecordStatus { promotion: Some(promotion), ..active.next() }
}

/// How long a release without a way back may hurt users before it is closed as what it is.
fn patience(active: &Active<'_>) -> Span {
    active.seen.release.spec.strategy.hold_for
}
