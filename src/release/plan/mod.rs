//! The one decision: what was seen and the time in, the next step out. One file a phase; this one says which is asked.

mod active;
pub(super) mod adopt;
pub(in crate::release) mod agree;
mod autoscaler;
mod blocked;
mod budget;
mod burn;
mod business;
mod came_back;
mod check_job;
mod circuit;
mod compare;
mod compliance;
pub mod count;
mod disown;
mod follow;
mod halt;
mod idle;
mod leave;
mod ledger;
mod lost;
mod open;
pub(in crate::release) mod patience;
mod promote;
mod release;
mod roll_back;
mod slow;
mod stable;
mod stage;
mod start;
mod step;
mod stranded;
mod synthetic;
mod taken;
mod trial;
mod unlabelled;
mod unpaid;
mod verify;
mod watch;
mod way_back;
mod way_home;

use super::action::{Action, Plan};
use super::problem::problems;
use super::snapshot::Snapshot;
use super::{chain, explain, room};
use crate::api::Time;
use crate::api::release_record::{Outcome, Phase};

pub(super) use active::{Active, NO_WAY_BACK, REVERT_NOT_READY, active_set, judged_revision, named, routes, weight};
pub(super) use came_back::{SENT_BACK, by_record, served_by_previous};
pub(super) use circuit::CIRCUIT_OPEN;
pub(super) use compare::base_serves;
pub(super) use disown::owned;
pub(super) use idle::{last_good, rolled};
pub(super) use ledger::{numbered, with_penalty};
pub(super) use lost::{is_back, is_lost};
pub(super) use stable::stable_set;
pub(super) use step::{Say, Step};
pub(super) use stranded::NOBODY_HOME;
pub(super) use taken::has_own;
pub(super) use way_home::marked_elsewhere;

/// What to do now. Total: every snapshot has a plan.
pub fn plan(seen: &Snapshot, now: Time) -> Plan {
    let mut step = check_job::ended(seen, now, decide(seen, now));
    room::make(&mut step.actions, seen);
    chain::seal(&mut step.actions, seen);
    let mut plan = explain::complete(seen, step, now);
    disown::first(&mut plan.actions, seen);
    plan
}

fn decide(seen: &Snapshot, now: Time) -> Step {
    if let Some(step) = unpaid::due(seen, now) {
        return step;
    }
    if let Some(step) = taken::step(seen, now) {
        return step;
    }
    if let Some(why) = seen.release.leaving() {
        return leave::step(seen, now, why);
    }
    if !seen.release.finalizer {
        if let Some(step) = adopt::handed_over(seen) {
            return step;
        }
        return Step::says(Say::Going("Starting", "Taking the workload under the gate.".to_owned()))
            .then(Action::AddFinalizer);
    }
    let found = problems(seen);
    match Active::of(seen, now, &found) {
        Some(active) => active_step(&active),
        None => unpaid::before(seen, idle::step(seen, now, found), now),
    }
}

fn active_step(active: &Active<'_>) -> Step {
    if let Some(step) = open::close_again(active) {
        return step;
    }
    let Some(status) = active.stored() else {
        // The controller died between creating the record and writing where it stands.
        return Step::says(Say::Going("Planning", "The attempt has been recorded.".to_owned()))
            .update(active, active.status.clone());
    };
    if let Some(step) = ledger::taken_up(active) {
        return step;
    }
    if active.seen.by_count() {
        return watch::kept(active, surrounded(active, count::active_step(active)));
    }
    // What is verified is released: nothing that happens while it is tidied up brings it back.
    if let Some(step) = verify::verified(active) {
        return step;
    }
    if let Some(step) = roll_back::forced(active) {
        return step;
    }
    let step = match status.phase {
        Phase::Plan => start::step(active),
        Phase::Stage => stage::step(active),
        Phase::Release => release::step(active),
        Phase::Promote => promote::step(active),
        Phase::Verify => verify::step(active),
        Phase::Rollback => roll_back::step(active),
        // A record that is neither sealed nor in a phase of work is finished by hand of the last phase that it had.
        Phase::Idle | Phase::Complete => active.seal(Outcome::Succeeded, "Released.".to_owned()),
    };
    let step = follow::along(active, step).clearing_hold(active);
    watch::kept(active, surrounded(active, step))
}

/// What stands around a release is kept up: who takes the leaf away in its middle, or makes the autoscaler anew, finds it written
/// again, and what the carriers' surroundings are copied from is followed.
fn surrounded(active: &Active<'_>, step: Step) -> Step {
    match active.status.phase {
        Phase::Release | Phase::Promote | Phase::Verify if step.record.is_none() => {
            let around = follow::around(active.seen, &step);
            step.all(autoscaler::hold(active.seen)).all(around)
        }
        Phase::Idle
        | Phase::Plan
        | Phase::Stage
        | Phase::Release
        | Phase::Promote
        | Phase::Verify
        | Phase::Complete
        | Phase::Rollback => step,
    }
}
