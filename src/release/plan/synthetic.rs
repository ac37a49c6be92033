//! Synthetic checks at the end of a stage: tries are counted in the record, and decide.

use super::active::Active;
use super::check_job;
use super::step::Step;
use crate::analysis::synthetic::Finding;
use crate::analysis::{Breach, Verdict};
use crate::api::Time;
use crate::api::release_record::{ReleaseRecordStatus, Trigger};
use crate::api::synthetic::{Asks, CheckRecord, SyntheticCheck};
use crate::release::ask::{Tried, may_ask, pending};
use crate::release::snapshot::Snapshot;
use crate::release::wording;

/// The hold of a stage whose checks would go to somebody whom the Service's selector does not say.
pub(super) const NOT_OF_PODS: &str = "ServiceNotOfPods";

/// The hold of a stage of which a check got no answer over HTTP, and stable none either.
pub(super) const NOT_ASKED: &str = "CheckNotAsked";

/// The record's status with the tries since counted in. One that asked nobody is noted and counts neither way.
pub(super) fn counted(seen: &Snapshot, status: ReleaseRecordStatus, now: Time) -> ReleaseRecordStatus {
    let mut status = check_job::counted(seen, status, now);
    let Some(answers) = seen.answers.as_ref().filter(|_| status.outcome.is_none()) else { return status };
    for Tried { name, at, found } in &answers.tried {
        let before = status.checks.iter().position(|check| check.name == *name);
        let mut check = match before {
            Some(index) => status.checks.remove(index),
            None => {
                let (name, said) = (name.clone(), String::new());
                CheckRecord { name, at: *at, failed: 0, passed: false, said, not_asked: None }
            }
        };
        (check.at, check.not_asked) = (*at, None);
        match found {
            Finding::Passed => check.passed = true,
            Finding::Failed(why) => {
                check.failed += 1;
                check.said = wording::at_most(160, why);
            }
            Finding::NotAsked(why) => check.not_asked = Some(wording::at_most(160, why)),
        }
        status.checks.push(check);
    }
    status
}

/// A check that failed more often than it may.
pub(super) fn breach(active: &Active<'_>) -> Option<Breach> {
    active.seen.release.spec.analysis.checks.iter().find_map(|check| {
        let tried = of(active, check).filter(|tried| !tried.passed)?;
        if matches!(check.asks(), Asks::Job(_)) {
            let what = format!("failed: {}", tried.said);
            return (tried.failed > 0).then(|| Breach {
                trigger: Trigger::SyntheticCheck,
                value: format!("check {} {what}", check.name),
                threshold: "its Job completes".to_owned(),
                sentence: format!("check {} ({}) {what}", check.name, asks(check)),
            });
        }
        (tried.failed > check.retries).then(|| Breach {
            trigger: Trigger::SyntheticCheck,
            value: format!("check {} failed {}: {}", check.name, times(tried.failed), tried.said),
            threshold: format!("at most {} in a stage", times(check.retries)),
            sentence: format!("check {} ({}) failed {}: {}", check.name, asks(check), times(tried.failed), tried.said),
        })
    })
}

/// What a stage comes to that is good so far: its verdict with the checks', or what it waits for. The wait is bounded: each try
/// passes, or is one of those that may fail, or asks nobody, for which there is a hold.
pub(super) fn end_of_stage(active: &Active<'_>, verdict: &Verdict, passed: impl Fn(&Verdict) -> Step) -> Step {
    let analysis = &active.seen.release.spec.analysis;
    let checks = &analysis.checks;
    let (false, Verdict::Pass(why)) = (checks.is_empty(), verdict) else { return passed(verdict) };
    let all = pending(active.seen, &active.status);
    let Some(open) = all.first() else {
        let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        return passed(&Verdict::Pass(format!("{why}; checked: {}", names.join(", "))));
    };
    if matches!(open.asks(), Asks::Http(_)) && !may_ask(active.seen, active.candidate()) {
        let message = format!(
            "{}: check {} is not made: Service {} does not lead to pods by a selector of its own, and Tidegate sends no requests elsewhere. Give it its selector back, and a type other than ExternalName.",
            active.name(),
            open.name,
            active.seen.service_of(active.candidate())
        );
        return active.hold(NOT_OF_PODS, message, analysis.evidence_within).wake(analysis.interval);
    }
    let so_far = match (of(active, open), open.asks()) {
        (None, Asks::Job(_)) => job_so_far(active, open),
        (Some(tried), _) => format!("it failed {} of {} allowed: {}", times(tried.failed), open.retries, tried.said),
        (None, Asks::Http(_)) => "it was not tried yet".to_owned(),
    };
    let sentence =
        format!("{} kept its limits; check {} ({}) must pass: {so_far}.", active.name(), open.name, asks(open));
    let going = match all.iter().find_map(|check| not_asked(active, check)) {
        Some(message) => active.hold(NOT_ASKED, message, analysis.evidence_within),
        None => Step::going("Checking", sentence),
    };
    check_job::wait(active, &all, going.wake(analysis.interval))
}

/// What is said where the last try of a check asked nobody; None where somebody was asked, or it was not tried.
fn not_asked(active: &Active<'_>, check: &SyntheticCheck) -> Option<String> {
    let why = of(active, check)?.not_asked.as_ref()?;
    let (release, service) = (&active.seen.release.name, active.seen.service_of(active.candidate()));
    let namespace = &active.seen.release.namespace;
    Some(format!(
        "{} stays where it is: check {} ({}) got no answer over HTTP: {why}. Tidegate's own pods must reach Service {service} in plain HTTP. Likely a mesh demands mutual TLS of them (an Istio PeerAuthentication with STRICT), or a NetworkPolicy shuts them out: exempt the port from STRICT, let Tidegate's namespace in, or make it a check with a Job, which runs in {namespace}. Look with kubectl get service,networkpolicy -n {namespace}, and tidegate preflight {release} -n {namespace}. It is tried again each interval. Not held against the new version; a hold that runs out brings it back.",
        active.name(),
        check.name,
        asks(check),
    ))
}

fn job_so_far(active: &Active<'_>, check: &SyntheticCheck) -> String {
    let name = crate::release::check_job::name(&active.record.name, active.status.stage, &check.name);
    match active.seen.jobs.of(&name) {
        Some(job) => format!("Job {name} runs, until {} at the latest", job.created.plus(check.within()).clock()),
        None => format!("Job {name} is started"),
    }
}

fn of<'a>(active: &'a Active<'_>, check: &SyntheticCheck) -> Option<&'a CheckRecord> {
    active.status.checks.iter().find(|tried| tried.name == check.name)
}

fn asks(check: &SyntheticCheck) -> String {
    match check.asks() {
        Asks::Http(http) => format!("{} {}", http.method, http.path),
        Asks::Job(job) => format!("CronJob {}", job.cron_job),
    }
}

fn times(number: u32) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}
