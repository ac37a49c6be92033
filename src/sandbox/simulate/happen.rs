//! One thing that happens, let happen.

use std::sync::Arc;

use super::process::Place;
use super::run::{ASIDE, LAG, set_budget};
use super::schedule::{Act, Deed};
use super::world::{Shared, World};
use super::{alone, around, owners, trials};

/// Lets it happen.
pub(super) fn happen(shared: &Arc<Shared>, places: &[Arc<Place>; 2], act: &Act) {
    shared.with(|world| world.coverage.count("act", act.word()));
    shared.note(&format!("--- {act}"));
    if act.fault().is_some() {
        shared.with(|world| world.checkers.circumstances.calm_since = None);
    }
    match act {
        Act::Lossy { one_in, span } => places.iter().for_each(|place| place.link().lose(*one_in, span.as_std())),
        Act::Conflicts { one_in, span } => {
            places.iter().for_each(|place| place.link().conflict(*one_in, span.as_std()))
        }
        Act::Crash { process, writes, pause } => {
            if let Some(place) = places.get(*process) {
                place.crash(*writes, *pause);
            }
        }
        Act::Partition { process, span } => {
            if let Some(place) = places.get(*process) {
                place.link().cut(span.as_std());
            }
        }
        Act::DropWatches => shared.drop_watches(false),
        Act::Compact => shared.drop_watches(true),
        Act::Prometheus { fault, span } => shared.set_prometheus(Some(*fault), *span),
        Act::Flap(span) => {
            let until = shared.now().plus(*span);
            shared.with(|world| world.cluster.flap_until(until));
        }
        Act::NodeGone { node, span } => {
            let until = shared.now().plus(*span);
            shared.with(|world| world.cluster.lose_node_until(*node, until));
        }
        Act::RouterLag(span) => {
            let until = shared.now().plus(*span);
            shared.with(|world| world.cluster.lag_until(until, LAG));
        }
        Act::RouterStuck(span) => {
            let until = shared.now().plus(*span);
            shared.with(|world| world.cluster.lag_until(until, *span));
        }
        Act::NotSent(span) => shared.send_nothing_for(*span),
        Act::Aside(span) => {
            let until = shared.now().plus(*span);
            shared.with(|world| world.cluster.call_aside_until(until, ASIDE));
        }
        Act::Breaker(span) => {
            let now = shared.now();
            shared.with(|world| {
                world.cluster.go_critical_until(now.plus(*span));
                world.checkers.circumstances.open = Some((now, now.plus(*span)));
            });
        }
        Act::Around(around) => {
            let code = shared.with(|world| around::happen(world, *around));
            refusal(shared, act, code);
        }
        Act::Trial(trial) => {
            let code = shared.with(|world| trials::happen(world, *trial));
            refusal(shared, act, code);
        }
        Act::Owner(owner) => {
            let code = shared.with(|world| owners::happen(world, *owner));
            refusal(shared, act, code);
        }
        Act::Deed(Deed::DieCharging { process, pause }) => {
            if let Some(place) = places.get(*process) {
                place.die_charging(*pause);
            }
        }
        Act::Load(percent) => shared.with(|world| world.cluster.set_cpu(f64::from(*percent))),
        Act::Budget(percent) => shared.with(|world| set_budget(&mut world.cluster, *percent)),
        Act::LeaveAlone(away) => {
            places.iter().for_each(|place| place.crash(0, *away));
            tokio::spawn(alone::leave(shared.clone(), *away));
            let code = shared.with(|world| {
                let World { people, cluster, .. } = world;
                people.act(&mut cluster.api, &Act::Detach)
            });
            refusal(shared, act, code);
        }
        Act::Deploy { .. }
        | Act::Revert
        | Act::Scale(_)
        | Act::ScaleByHand(_)
        | Act::Autoscale(_)
        | Act::NoAutoscaler
        | Act::Resume
        | Act::Unpause
        | Act::Restart
        | Act::RemoveLabel
        | Act::AddLabel
        | Act::DeleteRelease
        | Act::CreateRelease
        | Act::CreateTwin
        | Act::DeleteTwin
        | Act::DeleteFirst
        | Act::Detach
        | Act::Attach
        | Act::ReapplyRoute
        | Act::RecreateRoute
        | Act::MoveRouteAway
        | Act::MoveRouteBack
        | Act::EditRoute
        | Act::EditRules
        | Act::EditRelease
        | Act::Strategy { .. }
        | Act::Judged { .. }
        | Act::Checked
        | Act::Retry
        | Act::Recreate
        | Act::Malformed
        | Act::DeleteCanary
        | Act::Show { .. }
        | Act::Speak { .. }
        | Act::Deed(_) => {
            let code = shared.with(|world| {
                let World { people, cluster, .. } = world;
                people.act(&mut cluster.api, act)
            });
            refusal(shared, act, code);
        }
    }
}

/// Notes and counts what the API server refused.
fn refusal(shared: &Shared, act: &Act, code: Option<u16>) {
    if let Some(code) = code.filter(|code| *code >= 300) {
        shared.note(&format!("--- refused: {code}"));
        shared.with(|world| world.coverage.count("refused", act.word()));
    }
}
