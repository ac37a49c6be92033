//! All traffic goes to the workload where neither a promotion nor a rollback brings it there: what an attempt left behind that
//! did not end in the usual way, and what ends because the gate leaves or the workload runs something else. It drains as in
//! an ordinary withdrawal (weight 0, drain, out of the route), then the objects go.
//!
//! No record may be open here, so that the route itself remembers since when (`tidegate.io/withdrawn`, which the ordinary
//! withdrawal writes too). What must never enter: a previous version that serves after a late rollback, which is no leftover; a
//! side that another GatedRelease made.

use super::active::{NO_WAY_BACK, named, routes, steer, weight};
use super::came_back::served_by_previous;
use super::roll_back::emptied;
use super::step::{LOOK_AGAIN, Say, Step};
use crate::api::release_record::{Arm, Outcome, Phase, RollbackLog, Trigger};
use crate::api::{Time, Weight};
use crate::release::action::Action;
use crate::release::snapshot::{RouteProblem, RouteState, Side, Snapshot};
use crate::release::split::{Carrier, Split};
use crate::release::wording;

const SIDES: [Carrier; 2] = [Carrier::Canary, Carrier::Previous];

/// While nothing is being released: takes away what the last attempt left, traffic first. None where nothing is left.
pub(super) fn clear(seen: &Snapshot, now: Time) -> Option<Step> {
    if served_by_previous(seen) && !left_by_its_attempt(seen) {
        return None;
    }
    if let Some(step) = nobody_else_answers(seen) {
        return Some(step);
    }
    let going = || Step::going("CleaningUp", "Removing what the last attempt left.".to_owned());
    go(seen, now, going)
}

/// The same as [`clear`] for a gate that leaves; `why`, to follow a subject. Users who are answered by what leaves stay there for
/// `readyWithin`, if the workload does not answer.
pub(super) fn leave(seen: &Snapshot, now: Time, why: &str) -> Option<Step> {
    let going = || Step::going("Leaving", format!("Traffic goes home: {why}."));
    let answered = SIDES.into_iter().any(|carrier| weight(seen, carrier) > Weight::ZERO && side_answers(seen, carrier));
    if answered && !workload_answers(seen) {
        let within = seen.release.spec.strategy.ready_within;
        let since = marked_since(seen);
        // Nothing else remembers since when it is waited for.
        let stands = |route: &RouteState| route.rules.first().copied().flatten().filter(|split| *split != Split::HOME);
        let writes = if since.is_none() { marks(seen, now, stands) } else { Vec::new() };
        if !writes.is_empty() || since.is_some_and(|since| now < since.plus(within)) {
            let message = format!(
                "{why}, but {} {} has no ready pod: what the last attempt left keeps the traffic until it has one, for {within} at most.",
                seen.kind(),
                seen.release.spec.workload_ref.name
            );
            return Some(Step::going("Leaving", message).all(writes).wake(LOOK_AGAIN));
        }
    }
    go(seen, now, going)
}

/// Traffic first, then the objects; None where nothing is left. Whoever asks knows that the workload is to have all traffic.
pub(super) fn go(seen: &Snapshot, now: Time, going: impl Fn() -> Step) -> Option<Step> {
    home(seen, now, &going).or_else(|| gone(seen).map(|writes| going().all(writes).wake(LOOK_AGAIN)))
}

/// Whether the previous version's share belongs to nobody any more: the attempt that was judged in the workload was closed
/// without a way back, so that the workload's version is what runs, and the previous one has no pod left.
pub(super) fn left_by_its_attempt(seen: &Snapshot) -> bool {
    let closed = seen.record.as_ref().is_some_and(|record| {
        let outcome = record.status.as_ref().and_then(|status| status.outcome);
        record.spec.arm == Arm::Workload && outcome == Some(Outcome::NotWithdrawn)
    });
    closed && !side_answers(seen, Carrier::Previous)
}

fn workload_answers(seen: &Snapshot) -> bool {
    seen.service.as_ref().is_some_and(|service| service.ready_endpoints > 0)
}

fn side_answers(seen: &Snapshot, carrier: Carrier) -> bool {
    seen.side(carrier).and_then(|side| side.endpoints).is_some_and(|ready| ready > 0)
}

/// Users stay where they were answered last until the workload can answer them: with the canary of an attempt that was closed
/// in the middle of its promotion, or with a previous version whose pods may come back. A canary that is not ready at this
/// moment loses them to nobody, but where a newer template waits for the way to be free. A workload that is to have no pods
/// has none.
fn nobody_else_answers(seen: &Snapshot) -> Option<Step> {
    let workload = seen.workload.as_ref().filter(|workload| workload.replicas > 0)?;
    if workload_answers(seen) {
        return None;
    }
    let stands = |carrier: Carrier| {
        let deployment = seen.side(carrier).and_then(|side| side.deployment.as_ref());
        deployment.is_some_and(|deployment| !deployment.deleting && deployment.replicas > 0)
    };
    let stays = |carrier: &Carrier| {
        weight(seen, *carrier) > Weight::ZERO && (side_answers(seen, *carrier) || !workload.paused && stands(*carrier))
    };
    let who = match SIDES.into_iter().find(stays)? {
        Carrier::Canary | Carrier::Workload => "canary of the last attempt",
        Carrier::Previous => "previous version",
    };
    let (namespace, name) = (&seen.release.namespace, &seen.release.spec.workload_ref.name);
    let let_go = match workload.paused {
        true => format!(" To let its template run: {}", wording::let_go(seen.kind(), namespace, name)),
        false => String::new(),
    };
    let message = format!(
        "The {} has no ready pod: the {who} keeps the traffic until it has one. Look: kubectl get pods -n {namespace}.{let_go}",
        seen.kind()
    );
    Some(Step::says(Say::Unsettled(NO_WAY_BACK, message)).wake(LOOK_AGAIN))
}

/// Weight 0, then the drain, then out of the routes; None where no route names a side or carries a mark.
fn home(seen: &Snapshot, now: Time, going: impl Fn() -> Step) -> Option<Step> {
    if leads_to_anothers(seen) {
        return None;
    }
    if !SIDES.into_iter().any(|carrier| named(seen, carrier)) {
        // A rule that was led elsewhere took nothing along but left the marks, or came back to them.
        let writes = plain(seen);
        return (!writes.is_empty()).then(|| going().all(writes).wake(LOOK_AGAIN));
    }
    let writes = marks(seen, now, |route| {
        let away =
            route.rules.iter().any(|rule| rule.is_none_or(|split| split.weight(Carrier::Workload) < Weight::FULL));
        away.then(|| emptied(route, Carrier::Workload))
    });
    if !writes.is_empty() {
        return Some(going().all(writes).wake(LOOK_AGAIN));
    }
    // Weights without a mark were never more than 0, or somebody else wrote them.
    if let Some(since) = marked_since(seen) {
        let drained = since.plus(seen.release.spec.strategy.drain);
        if now < drained {
            return Some(going().wake(drained.since(now)));
        }
        let known = routes(seen).all(|(_, route)| route.effective.is_ok());
        if !known && now < since.plus(seen.release.spec.rollback.time_budget) {
            return Some(going().wake(LOOK_AGAIN));
        }
    }
    Some(going().all(plain(seen)).wake(LOOK_AGAIN))
}

/// Whether a route names a side that somebody else made: its weights are not this release's to take home.
fn leads_to_anothers(seen: &Snapshot) -> bool {
    SIDES.into_iter().any(|carrier| named(seen, carrier) && seen.side(carrier).is_some_and(Side::is_anothers))
}

/// The writes after which every route is what its owner says: no version but the workload's, and no mark of ours, also on one
/// that leads to somebody else by now.
fn plain(seen: &Snapshot) -> Vec<Action> {
    let left = marked_elsewhere(seen).map(|(route, resource_version)| Action::SetSplit {
        route: route.to_owned(),
        resource_version: resource_version.to_owned(),
        split: Split::HOME,
        withdrawn: None,
    });
    steer(seen, Split::HOME).into_iter().chain(left).collect()
}

/// Routes that no longer point to the Service and carry marks all the same, with their resourceVersions.
pub(in crate::release) fn marked_elsewhere(seen: &Snapshot) -> impl Iterator<Item = (&str, &str)> {
    seen.routes.iter().filter_map(|route| match &route.state {
        Err(RouteProblem::NoBackend { marked: Some(version) }) => Some((route.name.as_str(), version.as_str())),
        Err(RouteProblem::NoBackend { marked: None } | RouteProblem::Missing | RouteProblem::Unsplittable(_))
        | Ok(_) => None,
    })
}

/// Since when the routes have this room's mark: the youngest counts.
fn marked_since(seen: &Snapshot) -> Option<Time> {
    let marks = routes(seen).filter_map(|(_, route)| route.withdrawn.as_ref());
    marks.filter(|(name, _)| *name == seen.release.name).map(|(_, log)| log.at).max()
}

/// Gives every route that needs one the split, with the mark that says since when. Its name is the release's, which no record
/// has: no attempt takes it for a withdrawal of its own.
fn marks(seen: &Snapshot, now: Time, split: impl Fn(&RouteState) -> Option<Split>) -> Vec<Action> {
    let log = RollbackLog {
        trigger: Trigger::Deleted,
        value: "what the last attempt left".to_owned(),
        threshold: "nothing".to_owned(),
        at: now,
        phase: Phase::Idle,
        from_weight: SIDES.into_iter().map(|carrier| weight(seen, carrier)).max().unwrap_or(Weight::ZERO),
        traffic_to: seen.service_of(Carrier::Workload),
        home_at: None,
        took: None,
        within_time_budget: None,
        state_after: String::new(),
        check: String::new(),
    };
    let mark = (seen.release.name.clone(), log);
    let writes = routes(seen).filter_map(|(name, route)| {
        Some(Action::SetSplit {
            route: name.to_owned(),
            resource_version: route.resource_version.clone(),
            split: split(route)?,
            withdrawn: Some(Box::new(mark.clone())),
        })
    });
    writes.collect()
}

/// The deletions of what is left of both sides, objects without their Deployment included; None where nothing is.
fn gone(seen: &Snapshot) -> Option<Vec<Action>> {
    let left = |carrier: &Carrier| {
        // A former version of a release by routes may still serve: no route of its is looked at any more.
        !(seen.by_count() && *carrier == Carrier::Previous) && seen.side(*carrier).is_some_and(Side::is_left)
    };
    let gone: Vec<_> = SIDES.into_iter().filter(left).map(|carrier| Action::Delete { carrier }).collect();
    (!gone.is_empty()).then_some(gone)
}
