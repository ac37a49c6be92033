//! The previous version while it is the way back, or serves: it has its objects and its size, and is made again where somebody
//! deleted it.
//!
//! It is made of the template that ran, which a ReplicaSet of the workload has kept. What must never enter: traffic, and whom users
//! go to while it has no ready pod (`stranded`, `came_back`).

use super::active::{Active, previous_size};
use super::step::{Say, Step};
use crate::api::release_record::Phase;
use crate::release::action::Action;
use crate::release::objects;
use crate::release::snapshot::{ReplicaSetSeen, Side, Snapshot, Workload};
use crate::release::split::Carrier;
use crate::release::template;

/// The reason of what is told where the previous version serves, is gone, and nothing knows its template.
const GONE: &str = super::active::NO_WAY_BACK;

/// Whether its Deployment is being deleted, or its name is another's: nothing can be written to it now.
fn is_taken(side: Option<&Side>) -> bool {
    side.is_some_and(|side| side.foreign.is_some() || side.deployment.as_ref().is_some_and(|it| it.deleting))
}

/// The writes that give it its objects and its size, which never shrinks; none where they stand, and where nothing can be made.
pub(super) fn kept(active: &Active<'_>) -> Vec<Action> {
    let carrier = Carrier::Previous;
    let (wanted, have) = (previous_size(active), active.deployment(carrier).map(|there| there.replicas));
    let resumed = active.status.promotion.as_ref().is_some_and(|promotion| promotion.resumed_at.is_some());
    let nobody = active.workload().is_none_or(|workload| workload.replicas == 0);
    let missing = have.is_none();
    // Before the workload is let go, the promotion itself brings it up in its turn.
    if is_taken(active.seen.side(carrier)) || missing && (nobody || active.status.phase == Phase::Promote && !resumed) {
        return Vec::new();
    }
    let grown = active.workload().map(|workload| grown(active.seen, workload, carrier, wanted)).unwrap_or_default();
    if !grown.is_empty() {
        return grown;
    }
    // What cannot be worked out now, such as without the user's Service, is for a later look.
    active.bring_up(carrier, have.unwrap_or(wanted)).unwrap_or_default()
}

/// The writes that give a carrier that is there `wanted` pods at least; none where it has them. The copy of the autoscaler goes
/// first: without traffic it would take pods away again that it does not have to leave.
pub(super) fn grown(seen: &Snapshot, workload: &Workload, carrier: Carrier, wanted: u32) -> Vec<Action> {
    let Some(side) = seen.side(carrier) else { return Vec::new() };
    let low = side.floor().is_some_and(|floor| floor < wanted);
    let floor = low.then(|| objects::autoscaler(seen, workload, carrier, wanted)).flatten();
    let small = side.deployment.as_ref().is_some_and(|there| !there.deleting && there.replicas < wanted);
    let scale = small.then_some(Action::ScaleSide { carrier, replicas: wanted });
    floor.map(|object| Action::Apply { carrier, object }).into_iter().chain(scale).collect()
}

/// Whether it is gone in the verification, and nothing could bring it back: no ReplicaSet has its template any more.
pub(super) fn is_lost(active: &Active<'_>) -> bool {
    let gone = active.deployment(Carrier::Previous).is_none();
    gone && active.workload().is_some_and(|workload| active.stable_template(workload).is_none())
}

/// The step, with the writes that make a previous version again which serves because the one after it came back late. Where nothing
/// knows its template any more that is told, in the place of what says that all is well.
pub(super) fn of_who_serves(seen: &Snapshot, step: Step) -> Step {
    let Some(workload) = seen.workload.as_ref().filter(|workload| workload.replicas > 0) else { return step };
    if is_taken(seen.side(Carrier::Previous)) {
        return step;
    }
    let Some(set) = former(seen) else { return told(seen, step) };
    let replicas = objects::previous_size(workload.replicas, seen.release.spec.strategy.fallback_percent);
    let revision = template::revision(&set.template);
    let made = objects::side(seen, workload, Carrier::Previous, &set.template, &revision, replicas);
    let writes =
        made.unwrap_or_default().into_iter().map(|object| Action::Apply { carrier: Carrier::Previous, object });
    step.all(writes)
}

/// The ReplicaSet that ran before what came back.
fn former(seen: &Snapshot) -> Option<&ReplicaSetSeen> {
    let (workload, record) = (seen.workload.as_ref()?, seen.record.as_ref()?);
    let (stable, name) = (record.spec.stable.as_deref()?, record.spec.stable_set.as_deref());
    let is = |set: &&ReplicaSetSeen| template::revision(&set.template) == stable;
    // An API server with new template defaults gives it another revision; its name stays.
    let named = |set: &&ReplicaSetSeen| {
        Some(set.name.as_str()) == name && template::revision(&set.template) != record.spec.revision
    };
    let sets = workload.sets.iter();
    sets.clone().filter(is).max_by_key(|set| set.created).or_else(|| sets.clone().find(named))
}

fn told(seen: &Snapshot, step: Step) -> Step {
    let (namespace, name) = (&seen.release.namespace, &seen.release.name);
    let service = seen.service_of(Carrier::Previous);
    let message = format!(
        "Service {service} serves the users and nobody stands behind it: its Deployment was deleted, and no ReplicaSet of the workload has its template any more, so that Tidegate cannot make it again. The workload runs what came back. Fix in Git and the fix is released; until then, to let what came back have the users: kubectl tidegate detach {name} -n {namespace}."
    );
    match step.say {
        Say::InForce | Say::Closed => Step { say: Say::Unsettled(GONE, message), ..step },
        Say::Problems(_) | Say::Unsettled(..) | Say::Detached | Say::Going(..) | Say::Held => step,
    }
}
