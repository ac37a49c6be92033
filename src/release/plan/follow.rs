//! What a release keeps up whatever it waits for: people, a budget, a circuit breaker, Prometheus. Whoever has users follows the
//! workload's size, and every rule keeps the present share, one that is new or was written over too.
//!
//! Appended to what a phase answers, so that no hold can forget it. What must never enter: a share that users do not have by what
//! is on record.

use serde_json::Value;

use super::active::{Active, steer_route};
use super::step::{LOOK_AGAIN, Say, Step};
use super::{came_back, count, promote, way_back};
use crate::api::Weight;
use crate::api::names::ROLE;
use crate::api::release_record::{Arm, Phase};
use crate::release::action::Action;
use crate::release::objects;
use crate::release::snapshot::{RouteState, Snapshot};
use crate::release::split::{Carrier, Split};

/// The step, with what is kept up meanwhile. Where it writes the record, that goes first and the rest is for the next look.
pub(super) fn along(active: &Active<'_>, step: Step) -> Step {
    let leaves = step.say == Say::Held && active.leaves();
    if step.record.is_some() || leaves {
        return step;
    }
    match active.status.phase {
        Phase::Release | Phase::Promote => {}
        // An attempt after a late rollback: the previous version has the users until its first stage and beyond.
        Phase::Plan | Phase::Stage => return of_previous(active.seen, step),
        Phase::Idle | Phase::Verify | Phase::Complete | Phase::Rollback => return step,
    }
    let writes = match active.seen.by_count() {
        true => count::follow(active, &step),
        false => sizes(active, &step).into_iter().chain(shares(active, &step)).collect(),
    };
    if writes.is_empty() { step } else { step.all(writes).wake(LOOK_AGAIN) }
}

/// The step, with what keeps up a previous version that serves because the one after it came back late: it grows with the
/// workload, and what stands around it is followed. A copy of the autoscaler may make it larger than that.
pub(super) fn of_previous(seen: &Snapshot, step: Step) -> Step {
    let carrier = Carrier::Previous;
    let serves = !seen.by_count() && came_back::has_users(seen) && step.record.is_none() && step.opened.is_none();
    if serves && untouched(&step, carrier) && seen.side(carrier).is_none_or(|side| side.deployment.is_none()) {
        return way_back::of_who_serves(seen, step);
    }
    let side = seen.side(carrier).filter(|side| side.foreign.is_none() && serves);
    let there = side.and_then(|side| side.deployment.as_ref()).is_some_and(|there| !there.deleting);
    let (true, Some(workload), true) = (there, &seen.workload, untouched(&step, carrier)) else {
        return step;
    };
    let replicas = objects::previous_size(workload.replicas, seen.release.spec.strategy.fallback_percent);
    let mut writes = around(seen, &step);
    writes.extend(way_back::grown(seen, workload, carrier, replicas));
    if writes.is_empty() { step } else { step.all(writes).wake(LOOK_AGAIN) }
}

/// The writes that keep what stands around the pods of canary and previous version as it should be, while they are there: copies of
/// NetworkPolicies, the PodDisruptionBudget and the Service. A copy whose original was deleted stays until its carrier goes.
pub(super) fn around(seen: &Snapshot, step: &Step) -> Vec<Action> {
    let (Some(workload), false) = (&seen.workload, seen.by_count()) else { return Vec::new() };
    let mut writes = Vec::new();
    for carrier in [Carrier::Canary, Carrier::Previous] {
        let there = seen.side(carrier).and_then(|side| side.deployment.as_ref());
        let Some(there) = there.filter(|there| !there.deleting && untouched(step, carrier)) else { continue };
        // Where a name was taken by somebody else, or no label tells the pods apart any more, there is nothing to keep up.
        let wanted = objects::around(seen, workload, there, carrier).unwrap_or_default();
        let stale = wanted.into_iter().filter(|object| !stands(seen, object, carrier));
        writes.extend(stale.map(|object| Action::Apply { carrier, object }));
    }
    writes
}

/// Whether an object says all that is wanted of it. What others add to it is theirs.
fn stands(seen: &Snapshot, wanted: &Value, carrier: Carrier) -> bool {
    if wanted["kind"] == "Service" {
        // One that is missing is made with its carrier.
        let there = seen.side(carrier).and_then(|side| side.service.as_ref());
        return there.is_none_or(|spec| {
            wanted["spec"]
                .as_object()
                .is_some_and(|all| all.iter().all(|(field, value)| spec.get(field) == Some(value)))
        });
    }
    if wanted["kind"] == "HorizontalPodAutoscaler" {
        let there = seen.side(carrier).and_then(|side| side.autoscaler.as_ref());
        return there.is_none_or(|spec| {
            wanted["spec"]
                .as_object()
                .is_some_and(|all| all.iter().all(|(field, value)| spec.get(field) == Some(value)))
        });
    }
    let is_budget = wanted["kind"] == "PodDisruptionBudget";
    let all = if is_budget { &seen.disruption_budgets } else { &seen.network_policies };
    let Some(there) = all.iter().find(|object| object["metadata"]["name"] == wanted["metadata"]["name"]) else {
        // One that is missing is made with its carrier.
        return is_budget;
    };
    let ours = there["metadata"]["labels"][ROLE] == carrier.as_str();
    let says = |(field, value): (&String, &Value)| there["spec"].get(field) == Some(value);
    !ours || wanted["spec"].as_object().is_some_and(|spec| spec.iter().all(says))
}

/// Whoever has users grows with the workload, and never shrinks, whatever an autoscaler thinks of the workload beside it.
fn sizes(active: &Active<'_>, step: &Step) -> Vec<Action> {
    let share = active.weight(Carrier::Canary);
    let mut writes = Vec::new();
    if share > Weight::ZERO && active.record.spec.arm == Arm::Canary && untouched(step, Carrier::Canary) {
        let have = active.deployment(Carrier::Canary).map_or(0, |deployment| deployment.replicas);
        let replicas = have.max(active.canary_size(share));
        // Where its objects cannot be worked out now, such as without the user's Service, what stands grows all the same.
        let carrier = Carrier::Canary;
        let grows = (0 < have && have < replicas).then_some(Action::ScaleSide { carrier, replicas });
        writes.extend(active.bring_up(carrier, replicas).unwrap_or_else(|_| Vec::from_iter(grows)));
    }
    let previous = active.status.phase == Phase::Promote || active.weight(Carrier::Previous) > Weight::ZERO;
    if previous && untouched(step, Carrier::Previous) {
        writes.extend(way_back::kept(active));
    }
    writes
}

/// Whether a step leaves a carrier's objects to others.
fn untouched(step: &Step, carrier: Carrier) -> bool {
    !step.actions.iter().any(|action| is_of(action, carrier))
}

fn is_of(action: &Action, carrier: Carrier) -> bool {
    let whose = match action {
        Action::Apply { carrier, .. } | Action::Delete { carrier } | Action::ScaleSide { carrier, .. } => carrier,
        Action::AddFinalizer
        | Action::RemoveFinalizer
        | Action::OpenRecord { .. }
        | Action::UpdateRecord { .. }
        | Action::WriteLedger { .. }
        | Action::SetSplit { .. }
        | Action::DisownRules { .. }
        | Action::Resume { .. }
        | Action::ExplainPause { .. }
        | Action::ScaleReplicaSet { .. }
        | Action::DeleteReplicaSet { .. }
        | Action::CreateReplicaSet { .. }
        | Action::SetPartition { .. }
        | Action::DeletePod { .. }
        | Action::ScaleDown { .. }
        | Action::StartJob { .. }
        | Action::RemoveJob { .. } => return false,
    };
    *whose == carrier
}

/// The writes that give every rule the present share while the step is held: one that goes on writes what it needs itself, and one
/// that leaves sends users home. A route that cannot be divided is let be, and so is a share that nobody
/// would answer.
fn shares(active: &Active<'_>, step: &Step) -> Vec<Action> {
    let steers = |action: &Action| matches!(action, Action::SetSplit { .. });
    let keeps = step.say == Say::Held && !step.actions.iter().any(steers);
    let Some(present) = Present::of(active).filter(|_| keeps) else { return Vec::new() };
    let answered = |split: Split| {
        let mut with_users = [Carrier::Canary, Carrier::Previous].into_iter();
        with_users.all(|carrier| split.weight(carrier) == Weight::ZERO || active.ready(carrier, 1).is_ok())
    };
    let routes = active.routes().filter(|(_, route)| route.odd.is_none());
    let wrong = routes.map(|(name, route)| (name, route, present.in_route(route)));
    let wrong = wrong.filter(|(_, route, split)| !route.is(*split) && answered(*split));
    wrong.map(|(name, route, split)| steer_route(name, route, split)).collect()
}

/// The shares that a route has by what is on record.
struct Present {
    stands: Split,
    /// What was about to be written when the wait began: a route that has it already keeps it.
    next: Option<Split>,
}

impl Present {
    /// None where the phase writes the shares itself whatever it waits for.
    fn of(active: &Active<'_>) -> Option<Self> {
        let status = &active.status;
        let stage = status.stages.get(status.stage as usize)?;
        match status.phase {
            Phase::Release if stage.started_at.is_some() => {
                Some(Self { stands: active.split(stage.spec.weight), next: None })
            }
            Phase::Release => {
                let stands = active.split(active.weight_before());
                Some(Self { stands, next: Some(active.split(stage.spec.weight)) })
            }
            Phase::Promote => {
                let promotion = status.promotion.clone().unwrap_or_default();
                let carried = promote::carried(active);
                let half = Split::hand_back(promote::HALF);
                match (promotion.resumed_at, promotion.rolled_at, promotion.half_at, promotion.passed_at) {
                    (None, ..) => Some(Self { stands: active.split(stage.spec.weight), next: Some(carried) }),
                    (Some(_), None, ..) => Some(Self { stands: carried, next: None }),
                    (Some(_), Some(_), None, _) => Some(Self { stands: carried, next: Some(half) }),
                    (.., Some(_), None) => Some(Self { stands: half, next: None }),
                    (.., Some(_)) => None,
                }
            }
            Phase::Idle | Phase::Plan | Phase::Stage | Phase::Verify | Phase::Complete | Phase::Rollback => None,
        }
    }

    fn in_route(&self, route: &RouteState) -> Split {
        self.next.filter(|next| route.has_rule(*next)).unwrap_or(self.stands)
    }
}
