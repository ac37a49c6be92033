//! The way back: the record first, so that a crash right after it raises nothing; then the pods of the new version.

use super::super::active::{Active, Template};
use super::super::roll_back::{afterwards, came_home, going_back, log, sentence};
use super::super::step::{LOOK_AGAIN, Step};
use super::{exposure, late, rolled_over};
use crate::api::release_record::{RollbackLog, Trigger};
use crate::release::snapshot::KindSeen;
use crate::release::split::Carrier;

/// Sets a rollback off, or says that there is none where the workload has taken the version over.
pub(in crate::release::plan) fn begin(active: &Active<'_>, trigger: Trigger, value: String, threshold: String) -> Step {
    let log = log(active, (trigger, &value, &threshold), super::share(active.seen).weight(), Carrier::Workload);
    let (sentence, writes) = match rolled_over(active) {
        true => (late::sentence(active, &log), Vec::new()),
        false => (sentence(active, &log), exposure(active).map_or_else(Vec::new, |kind| kind.withdraw())),
    };
    Step::going("RollingBack", sentence).update(active, going_back(active, log)).all(writes).wake(LOOK_AGAIN)
}

/// Phase Rollback.
pub(super) fn step(active: &Active<'_>) -> Step {
    let Some(log) = &active.status.rollback else {
        return active.seal(crate::api::release_record::Outcome::RolledBack, "Rolled back.".to_owned());
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
    let writes = if let_go { Vec::new() } else { kind.withdraw() };
    let left = !let_go && active.seen.pods.iter().any(|pod| !pod.deleting && in_the_way(kind.as_ref(), active, pod));
    if left || (!writes.is_empty() && log.home_at.is_none()) {
        return going(&format!("Now {}.", kind.withdrawing())).all(writes);
    }
    if !writes.is_empty() {
        return going("").all(writes);
    }
    home(active, log)
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
