//! Jobs of synthetic checks at the end of a stage: which one to start, what one came to, and which one to end.

use super::active::Active;
use super::step::Step;
use crate::api::release_record::{Phase, ReleaseRecordStatus};
use crate::api::synthetic::{Asks, CheckRecord, JobCheck, SyntheticCheck};
use crate::api::{Span, Time};
use crate::release::action::Action;
use crate::release::check_job::{Found, TemplateSeen, name, object, trouble};
use crate::release::snapshot::Snapshot;
use crate::release::wording;

/// The hold of a stage whose check could not be asked.
pub(super) const CHECK_NOT_RUN: &str = "CheckNotRun";

/// How soon a Job is looked at again, at the latest: no watch tells of it.
const LOOK: Span = Span::seconds(5);

/// The record's status with the Jobs counted in that have a result. Each has one name and is counted once.
pub(super) fn counted(seen: &Snapshot, mut status: ReleaseRecordStatus, now: Time) -> ReleaseRecordStatus {
    let Some(record) = seen.record.as_ref().filter(|_| status.phase == Phase::Release) else { return status };
    for check in &seen.release.spec.analysis.checks {
        if !matches!(check.asks(), Asks::Job(_)) || status.checks.iter().any(|tried| tried.name == check.name) {
            continue;
        }
        let Some(job) = seen.jobs.of(&name(&record.name, status.stage, &check.name)) else { continue };
        let (failed, said) = match job.found(check.within(), now) {
            Found::Passed => (0, String::new()),
            Found::Failed(why) => (1, wording::at_most(160, &why)),
            Found::Runs | Found::Nothing(_) => continue,
        };
        let (name, passed) = (check.name.clone(), failed == 0);
        status.checks.push(CheckRecord { name, at: now, failed, passed, said, not_asked: None });
    }
    status
}

/// What a good stage waits for as long as these checks have not passed, where one of them starts a Job; none where none does.
pub(super) fn wait(active: &Active<'_>, open: &[&SyntheticCheck], going: Step) -> Step {
    let jobs = open.iter().filter_map(|check| match check.asks() {
        Asks::Job(job) => Some(next(active, check, job)),
        Asks::Http(_) => None,
    });
    let jobs: Vec<Next> = jobs.collect();
    let analysis = &active.seen.release.spec.analysis;
    let wake = LOOK.min(analysis.interval);
    let stuck = jobs.iter().find_map(|next| next.stuck.as_ref());
    // While it is tried once more, the hold and its deadline stay.
    let stands = active.status.hold.as_ref().filter(|hold| hold.reason == CHECK_NOT_RUN && !jobs.is_empty());
    let message = stuck.map(|why| message(active, why)).or_else(|| stands.map(|hold| hold.message.clone()));
    let step = match message {
        None => going,
        Some(message) => active.hold(CHECK_NOT_RUN, message, analysis.evidence_within),
    };
    if jobs.is_empty() || step.record.as_ref().is_some_and(|record| record.phase != Phase::Release) {
        return step;
    }
    step.all(jobs.into_iter().filter_map(|next| next.action)).wake(wake)
}

fn message(active: &Active<'_>, why: &str) -> String {
    format!(
        "{} stays where it is: {why} Not held against the new version; a hold that runs out brings it back.",
        active.name()
    )
}

/// What is next about one check: a write, and what is in its way.
struct Next {
    action: Option<Action>,
    stuck: Option<String>,
}

fn next(active: &Active<'_>, check: &SyntheticCheck, job: &JobCheck) -> Next {
    let (seen, name) = (active.seen, name(&active.record.name, active.status.stage, &check.name));
    if let Some(made) = seen.jobs.of(&name) {
        let Found::Nothing(why) = made.found(check.within(), active.now) else {
            return Next { action: None, stuck: None };
        };
        let (uid, look) = (made.uid.clone(), format!("kubectl describe job {name} -n {}", seen.release.namespace));
        // Its name is free again once it is gone; then it is made anew.
        let action = (!made.deleting).then_some(Action::RemoveJob { name, uid });
        return Next {
            action,
            stuck: Some(format!("check {:?} found nothing out: {why}. Look at: {look}.", check.name)),
        };
    }
    if let Some((_, sentence)) = trouble(seen, check, job) {
        return Next { action: None, stuck: Some(sentence) };
    }
    let Some(TemplateSeen::Found(template)) = seen.jobs.templates.get(&job.cron_job) else {
        return Next { action: None, stuck: None };
    };
    let refused = seen.jobs.refused.get(&name);
    let rests = refused.is_some_and(|refusal| active.now < refusal.at.plus(seen.release.spec.analysis.interval));
    let start = || Action::StartJob {
        name: name.clone(),
        object: Box::new(object(seen, (active.record, &active.status), (check, template), active.now)),
    };
    let stuck = refused.map(|refusal| {
        format!("the Job of check {:?} cannot be made: {}. It is tried again each interval.", check.name, refusal.why)
    });
    Next { action: (!rests).then(start), stuck }
}

/// Ends the Jobs that still run and that nobody waits for any more: of a stage that passed, of an attempt that goes back or is
/// over. The last write about an attempt comes after it, so that a crash forgets none.
pub(super) fn ended(seen: &Snapshot, now: Time, mut step: Step) -> Step {
    if seen.jobs.all.is_empty() {
        return step;
    }
    let active = Active::as_stored(seen, now, &[]);
    let stands = step.record.as_ref().or(active.as_ref().map(|active| &active.status));
    let stands = stands.filter(|status| status.outcome.is_none() && status.phase == Phase::Release);
    let is_wanted = |job: &str| {
        let (Some(status), Some(record)) = (stands, &seen.record) else { return false };
        seen.release.spec.analysis.checks.iter().any(|check| name(&record.name, status.stage, &check.name) == job)
    };
    let over = seen.jobs.all.iter().filter(|job| job.runs() && !is_wanted(&job.name));
    let ends: Vec<Action> =
        over.map(|job| Action::RemoveJob { name: job.name.clone(), uid: job.uid.clone() }).collect();
    let seals = step.record.as_ref().is_some_and(|record| record.outcome.is_some());
    let leaves = step.actions.contains(&Action::RemoveFinalizer);
    let place = if seals || leaves { 0 } else { step.actions.len() };
    drop(step.actions.splice(place..place, ends));
    step
}
