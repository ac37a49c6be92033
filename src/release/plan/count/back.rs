//! The way back: the record first, so that a crash right after it raises nothing; then the pods of the new version.

use super::super::active::{Active, NO_WAY_BACK, Template};
use super::super::roll_back::{afterwards, came_home, going_back, log, sentence};
use super::super::step::{LOOK_AGAIN, Step};
use super::{exposure, late, rolled_over};
use crate::api::release_record::{Outcome, RollbackLog, Trigger};
use crate::release::snapshot::KindSeen;
use crate::release::split::Carrier;

/// Sets a rollback off, or says that there is none where the workload has taken the version over.
pub(in crate::release::plan) fn begin(active: &Active<'_>, trigger: Trigger, value: String, threshold: String) -> Step {
    let log = log(active, (trigger, &value, &threshold), super::share(active.seen).weight(), Carrier::Workload);
    let (sentence, writes) = match rolled_over(active) {
        true => (late::sentence(active, &log), Vec::new()),
        false => (sentence(active, &log), exposure(active).map_or_else(Vec::new, |kind| kind.withdraw(active))),
    };
    Step::going("RollingBack", sentence).update(active, going_back(active, log)).all(writes).wake(LOOK_AGAIN)
}

/// Phase Rollback.
pub(super) fn step(active: &Active<'_>) -> Step {
    let Some(log) = &active.status.rollback else {
        return active.seal(Outcome::RolledBack, "Rolled back.".to_owned());
    };
    if late::is_late(active.seen, &active.status, log) {
        return late::step(active, log);
    }
    let going = |what: &str| Step::going("RollingBack", format!("{} {what}", sentence(active, log))).wake(LOOK_AGAIN);
    let Some(kind) = exposure(active) else {
        return super::drop_canary(active).unwrap_or_else(|| home(active, log));
    };
    // Where the workload left the gate it is let be; what a person let go already is on its way.
    let let_go = active.workload().is_some_and(|workload| {
        workload.kind != KindSeen::Deployment && !workload.paused && active.template(workload) == Template::Ours
    });
    let writes = if let_go { Vec::new() } else { kind.withdraw(active) };
    let left = !let_go && active.seen.pods.iter().any(|pod| !pod.deleting && in_the_way(kind.as_ref(), active, pod));
    if left
        && writes.is_empty()
        && let Some(why) = kind.stuck(active)
    {
        return stays(active, log, &why);
    }
    if left || (!writes.is_empty() && log.home_at.is_none()) {
        return going(&format!("Now {}.", kind.withdrawing())).all(writes);
    }
    if !writes.is_empty() {
        return going("").all(writes);
    }
    home(active, log)
}

/// Pods of the new version stay, because nobody else would answer: that is told, and where nobody changes it in time the
/// attempt is closed as what it is. What is left is put back even then, as soon as that can be.
fn stays(active: &Active<'_>, log: &RollbackLog, why: &str) -> Step {
    let (namespace, workload) = (&active.seen.release.namespace, &active.seen.release.spec.workload_ref.name);
    let message = format!(
        "{} Its pods are not all put back, because {why}: those that serve stay until somebody else can answer. Look: kubectl get pods -n {namespace}; kubectl describe {}/{workload} -n {namespace}.",
        sentence(active, log),
        active.seen.kind().resource()
    );
    let patience = active.seen.release.spec.strategy.hold_for;
    active
        .hold_until(NO_WAY_BACK, &message, patience, |_| {
            // A change of mind hurts nobody.
            let outcome = match log.trigger.outcome() {
                Outcome::RolledBack => Outcome::NotWithdrawn,
                other @ (Outcome::Bootstrap
                | Outcome::Succeeded
                | Outcome::Superseded
                | Outcome::Expired
                | Outcome::Reverted
                | Outcome::Bypassed
                | Outcome::Abandoned
                | Outcome::Charged
                | Outcome::NotWithdrawn) => other,
            };
            let summary = format!(
                "{} Pods of it still serve, because {why}; they are put back as soon as somebody else can answer.",
                sentence(active, log)
            );
            active.seal(outcome, summary)
        })
        .wake(LOOK_AGAIN)
}

/// Pods that must be gone: all of the new version, but those that the Deployment itself made, which nobody can take from it.
fn in_the_way(kind: &dyn super::Exposure, active: &Active<'_>, pod: &crate::release::snapshot::PodSeen) -> bool {
    let stateful = active.workload().is_some_and(|workload| workload.kind != KindSeen::Deployment);
    kind.is_new(pod) && (pod.canary || stateful)
}

fn home(active: &Active<'_>, log: &RollbackLog) -> Step {
    let Some(home_at) = log.home_at else {
        let next = came_home(active, log);
        return Step::going("RollingBack", sentence(active, log)).update(active, next);
    };
    if active.deployment(Carrier::Canary).is_some() {
        return super::drop_canary(active).unwrap_or_else(|| Step::going("RollingBack", sentence(active, log)));
    }
    afterwards(active, log, Carrier::Workload, home_at)
}
