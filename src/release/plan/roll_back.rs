//! The way back: weight 0 first, then the canary goes. What set it off, how long it took and what was left are on record.

use super::active::{Active, Template};
use super::step::{LOOK_AGAIN, Step};
use super::verify::{verdict_now, with_stables_latency};
use super::{lost, stranded, way_back};
use crate::analysis::Verdict;
use crate::api::gated_release::{NewerTemplate, WorkloadKind};
use crate::api::release_record::{Outcome, Phase, ReleaseRecordStatus, RollbackLog, Trigger};
use crate::api::{Time, Weight};
use crate::release::action::Action;
use crate::release::split::{Carrier, Split};
use crate::release::wording;

/// Sets a rollback off. The route is written first, and in the same write learns why, so that a crash right after it
/// forgets nothing; then the record.
pub(super) fn begin(active: &Active<'_>, trigger: Trigger, value: String, threshold: String) -> Step {
    if active.seen.by_count() {
        return super::count::begin(active, trigger, value, threshold);
    }
    let log = log(active, (trigger, &value, &threshold), from_weight(active), home(active));
    let stays = match active.workload_is_new() {
        true => stranded::without_a_way_back(active, &log),
        false => stranded::with_nobody_home(active, &log),
    };
    stays.unwrap_or_else(|| withdraw(active, &log))
}

/// What a rollback that begins now has to tell: what set it off, with value and threshold.
pub(super) fn log(
    active: &Active<'_>,
    (trigger, value, threshold): (Trigger, &str, &str),
    from_weight: Weight,
    to: Carrier,
) -> RollbackLog {
    RollbackLog {
        trigger,
        value: wording::at_most(256, value),
        threshold: wording::at_most(256, threshold),
        at: active.now,
        phase: active.status.phase,
        from_weight,
        traffic_to: active.seen.service_of(to),
        home_at: None,
        took: None,
        within_time_budget: None,
        state_after: String::new(),
        check: String::new(),
    }
}

/// The record of an attempt that goes back from now on.
pub(super) fn going_back(active: &Active<'_>, log: RollbackLog) -> ReleaseRecordStatus {
    // What stable did while it was compared is what the check afterwards holds it to.
    with_stables_latency(active, ReleaseRecordStatus { rollback: Some(log), ..active.enter(Phase::Rollback) })
}

fn withdraw(active: &Active<'_>, log: &RollbackLog) -> Step {
    let mark = (active.record.name.clone(), log.clone());
    let to = target(active, log);
    let writes = active.routes().filter(|(_, route)| !at_home(route, to)).map(|(name, route)| Action::SetSplit {
        route: name.to_owned(),
        resource_version: route.resource_version.clone(),
        split: emptied(route, to),
        withdrawn: Some(Box::new(mark.clone())),
    });
    Step::going("RollingBack", sentence(active, log))
        .all(writes.collect::<Vec<_>>())
        .update(active, going_back(active, log.clone()))
        .all(if to == Carrier::Previous { way_back::kept(active) } else { Vec::new() })
        .wake(LOOK_AGAIN)
}

/// That it goes back, from where and why.
pub(super) fn sentence(active: &Active<'_>, log: &RollbackLog) -> String {
    format!("{} goes back from {}: {}.", active.name(), log.from_weight, wording::why(log))
}

/// Where the traffic goes: to the workload while it still runs stable, else to the previous version.
pub(super) fn home(active: &Active<'_>) -> Carrier {
    if active.workload_is_new() { Carrier::Previous } else { Carrier::Workload }
}

fn from_weight(active: &Active<'_>) -> Weight {
    match home(active) {
        Carrier::Previous => active.weight(Carrier::Workload).max(active.weight(Carrier::Canary)),
        Carrier::Workload | Carrier::Canary => active.weight(active.candidate()),
    }
}

fn target(active: &Active<'_>, log: &RollbackLog) -> Carrier {
    if log.traffic_to == active.seen.service_of(Carrier::Previous) { Carrier::Previous } else { Carrier::Workload }
}

/// No rule gives traffic to anything but the target.
fn at_home(route: &crate::release::snapshot::RouteState, to: Carrier) -> bool {
    route.rules.iter().all(|rule| rule.is_some_and(|split| split.weight(to) == Weight::FULL))
}

/// All traffic on the target, whatever else stands in the route stays in it at 0 until it has drained.
pub(super) fn emptied(route: &crate::release::snapshot::RouteState, to: Carrier) -> Split {
    let names = |carrier| route.rules.iter().any(|rule| rule.is_none_or(|split| split.of(carrier).is_some()));
    match (to, names(Carrier::Canary)) {
        (Carrier::Previous, true) => Split::FALL_BACK,
        (Carrier::Previous, false) => Split::previous(Weight::FULL),
        (_, true) if names(Carrier::Previous) => Split::hand_back(Weight::FULL),
        (_, true) => Split::canary(Weight::ZERO),
        (_, false) if names(Carrier::Previous) => Split::previous(Weight::ZERO),
        (_, false) => Split::HOME,
    }
}

/// What sets a rollback off in any phase: a withdrawal that was begun, a workload that left the gate, a person who resumed it.
pub(super) fn forced(active: &Active<'_>) -> Option<Step> {
    if active.status.rollback.is_some() {
        return None;
    }
    let withdrawn = active
        .routes()
        .filter_map(|(_, route)| route.withdrawn.as_ref())
        .find(|(record, _)| *record == active.record.name);
    if let Some((_, log)) = withdrawn {
        return Some(withdraw(active, log));
    }
    let Some(workload) =
        active.workload().filter(|workload| workload.gated && workload.uid == active.record.spec.workload_uid)
    else {
        let previous = active.ready(Carrier::Previous, 1).is_ok();
        let passed = matches!(active.status.phase, Phase::Promote | Phase::Verify);
        if active.workload_is_new() && !previous && passed {
            // Nothing hurts, and there is nothing to go back to.
            return Some(super::leave::forward(active, "the workload is gone or no longer under the gate"));
        }
        if active.workload_is_new() && stranded::strands_users(active) {
            return Some(stranded::without_a_workload(active));
        }
        return Some(begin(
            active,
            Trigger::Ungated,
            "the workload is gone or no longer under the gate".to_owned(),
            "gated".to_owned(),
        ));
    };
    let held = !active.workload_is_new() && active.status.phase != Phase::Promote;
    if held && !workload.paused && active.template(workload) == Template::Newer {
        let how =
            workload.under_glass().map_or("without being held".to_owned(), |why| format!("under break-glass: {why}"));
        let value = format!("another template runs in the workload {how}");
        return Some(begin(active, Trigger::Superseded, value, "the template stays".to_owned()));
    }
    if held && !workload.paused && active.template(workload) == Template::Stable {
        return Some(reverted(active));
    }
    if held && !workload.paused {
        let who = workload.resumed_by.clone().unwrap_or_else(|| "somebody".to_owned());
        return Some(begin(
            active,
            Trigger::Resumed,
            format!("{who} resumed the workload while it was held"),
            "held".to_owned(),
        ));
    }
    None
}

/// A newer template, or the stable one again, ends what is going on before the promotion.
pub(super) fn template_moved(active: &Active<'_>) -> Option<Step> {
    let workload = active.workload()?;
    let queues = active.seen.release.spec.strategy.newer_template == NewerTemplate::Queue;
    match active.template(workload) {
        Template::Ours => None,
        // It is let finish; the newest one that waits then is next.
        Template::Newer if queues && workload.paused => None,
        // Nobody could take its users over: it goes on meanwhile, as if the newer one were queued.
        Template::Newer if workload.paused && stranded::strands_users(active) => None,
        Template::Stable => Some(reverted(active)),
        Template::Newer => Some(begin(
            active,
            Trigger::Superseded,
            "a newer template took its place".to_owned(),
            "the template stays".to_owned(),
        )),
    }
}

/// Git has stable's template again. Where nothing could start that but the workload itself, it is let go: traffic waits for its
/// pods.
fn reverted(active: &Active<'_>) -> Step {
    let (value, stays) = ("the template went back to the stable one", "the template stays");
    begin(active, Trigger::Reverted, value.to_owned(), stays.to_owned()).all(lost::let_go(active))
}

/// Phase Rollback.
pub(super) fn step(active: &Active<'_>) -> Step {
    let Some(log) = &active.status.rollback else {
        return active.seal(Outcome::RolledBack, "Rolled back.".to_owned());
    };
    let going = || Step::going("RollingBack", sentence(active, log));
    let to = target(active, log);
    let writes: Vec<_> = active
        .routes()
        .filter(|(_, route)| !at_home(route, to))
        .map(|(name, route)| Action::SetSplit {
            route: name.to_owned(),
            resource_version: route.resource_version.clone(),
            split: emptied(route, to),
            withdrawn: None,
        })
        .collect();
    if !writes.is_empty() {
        // A route that was made anew leads to what should go back, and there may be nobody else by now.
        let stays =
            Some(to).filter(|to| *to == Carrier::Previous).and_then(|_| stranded::without_a_way_back(active, log));
        return stays.unwrap_or_else(|| going().all(writes).wake(LOOK_AGAIN));
    }
    let Some(home_at) = log.home_at else {
        return match active.effective() {
            Err(_) if waits_for_router(active, log) => going().wake(LOOK_AGAIN),
            Err(_) | Ok(()) => going().update(active, came_home(active, log)),
        };
    };
    let drained = home_at.plus(active.seen.release.spec.strategy.drain);
    if log.from_weight > Weight::ZERO && active.now < drained {
        let grows = if to == Carrier::Previous { way_back::kept(active) } else { Vec::new() };
        return going().all(grows).wake(drained.since(active.now));
    }
    let last = match to {
        Carrier::Previous => Split::previous(Weight::FULL),
        Carrier::Workload | Carrier::Canary => Split::HOME,
    };
    let writes = active.steer(last);
    if !writes.is_empty() {
        return going().all(writes).wake(LOOK_AGAIN);
    }
    if active.effective().is_err() && waits_for_router(active, log) {
        return going().wake(LOOK_AGAIN);
    }
    let leaving =
        [Carrier::Canary, Carrier::Previous].into_iter().filter(|carrier| *carrier != to && active.is_left(*carrier));
    let leaving: Vec<_> = leaving.map(|carrier| Action::Delete { carrier }).collect();
    if !leaving.is_empty() {
        return going().all(leaving).wake(LOOK_AGAIN);
    }
    afterwards(active, log, to, home_at)
}

/// Whether the router's word is waited for: not where the version never had traffic, and not beyond the time budget. The
/// route itself says already where traffic goes, and what breaks it may be the very backend that has to leave it.
fn waits_for_router(active: &Active<'_>, log: &RollbackLog) -> bool {
    log.from_weight > Weight::ZERO && active.now < log.at.plus(active.seen.release.spec.rollback.time_budget)
}

pub(super) fn came_home(active: &Active<'_>, log: &RollbackLog) -> ReleaseRecordStatus {
    let took = active.now.since(log.at);
    let log = RollbackLog {
        home_at: Some(active.now),
        took: Some(took),
        within_time_budget: Some(took <= active.seen.release.spec.rollback.time_budget),
        ..log.clone()
    };
    ReleaseRecordStatus { rollback: Some(log), ..active.next() }
}

/// Traffic is home and the canary is gone: the state is checked and the record sealed.
pub(super) fn afterwards(active: &Active<'_>, log: &RollbackLog, to: Carrier, home_at: Time) -> Step {
    let outcome = log.trigger.outcome();
    let window = active.seen.release.spec.analysis.window;
    // A change of mind is no incident: only what hurt, or might have, is checked afterwards.
    if outcome == Outcome::RolledBack && active.now < home_at.plus(window) {
        return Step::going("RollingBack", sentence(active, log)).wake(home_at.plus(window).since(active.now));
    }
    let check = check(active, to);
    let state_after = wording::at_most(256, &state_after(active, to));
    let took = log.took.map(|took| format!(" Traffic home after {took}.")).unwrap_or_default();
    let summary = format!("{}{took} {state_after}", sentence(active, log));
    let log = RollbackLog { check, state_after, ..log.clone() };
    active.seal_back(outcome, summary, Some(log))
}

fn state_after(active: &Active<'_>, to: Carrier) -> String {
    match (to, active.workload()) {
        (Carrier::Previous, _) => format!(
            "The workload runs this template without traffic from the routes: Service {} serves until Git reverts or fixes. Who calls Service {} itself still meets it.",
            active.seen.service_of(Carrier::Previous),
            active.seen.service_of(Carrier::Workload)
        ),
        (_, Some(workload)) if lost::is_lost(active.seen, workload) => {
            "The Deployment stays paused with this template, and stable's ReplicaSet is gone: revert in Git.".to_owned()
        }
        (_, Some(workload)) if workload.paused && active.template(workload) == Template::Ours => {
            let how = match active.seen.kind() {
                WorkloadKind::Deployment => "Deployment stays paused",
                WorkloadKind::StatefulSet => "StatefulSet stays held by its partition",
            };
            let advice = match (workload.gated, active.seen.kind()) {
                (true, _) => "push a fix or revert",
                // Nothing is released any more that is pushed now.
                (false, WorkloadKind::Deployment) => {
                    "put the label back, or let it run ungated (kubectl rollout resume)"
                }
                (false, WorkloadKind::StatefulSet) => "put the label back, or let it run ungated (partition 0)",
            };
            format!("The {how} with this template; stable serves: {advice}.")
        }
        (_, Some(_)) => "The workload serves.".to_owned(),
        (_, None) => "The workload is gone.".to_owned(),
    }
}

/// What serves now has its capacity, and users are well.
pub(super) fn check(active: &Active<'_>, to: Carrier) -> String {
    let (serving, wanted) = match to {
        Carrier::Previous => {
            (active.deployment(to).map_or(0, |d| d.available), active.deployment(to).map_or(0, |d| d.replicas))
        }
        Carrier::Workload | Carrier::Canary => {
            let workload = active.workload();
            (workload.map_or(0, |w| w.sets.iter().map(|set| set.available).sum()), workload.map_or(0, |w| w.replicas))
        }
    };
    let pods = format!("{serving} of {wanted} pods serve");
    let text = match verdict_now(active) {
        Some(Verdict::Pass(why)) => format!("Good: {pods}; {why}"),
        Some(Verdict::Fail(breach)) => {
            format!("Still bad: {pods}; {}: {}, limit {}", breach.trigger, breach.value, breach.threshold)
        }
        Some(Verdict::NotYet(not_yet)) => format!("Not known: {pods}; {not_yet}"),
        None => format!("{pods}; users' requests were not looked at"),
    };
    wording::at_most(256, &text)
}
