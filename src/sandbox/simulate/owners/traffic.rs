//! `spec.traffic`: a route that is named or given up, and the label that tells the canary.

use serde_json::{Value, json};

use super::{contract, flux};
use crate::cluster::kind::GATED_RELEASE;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{NAME, NAMESPACE, SECOND_ROUTE};
use crate::sandbox::simulate::people::{ROUTES, apply, delete};
use crate::sandbox::simulate::world::World;
use crate::sandbox::user::User;

/// Says it in a GatedRelease.
pub(super) fn name(release: &mut Value, label: bool, second: bool) {
    if label {
        release["spec"]["traffic"]["canaryLabel"] = json!("app");
    }
    if let Some(routes) =
        release.pointer_mut("/spec/traffic/httpRoutes").and_then(Value::as_array_mut).filter(|_| second)
    {
        routes.push(json!({"name": SECOND_ROUTE}));
    }
}

/// The route, which leads to the workload, or for a while to somebody else.
pub(super) fn route(away: bool) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": SECOND_ROUTE, "namespace": NAMESPACE},
        "spec": {"parentRefs": [{"name": "inside"}], "rules": [{
            "matches": [{"path": {"type": "PathPrefix", "value": "/inside"}}],
            "backendRefs": [{"name": if away { "docs" } else { NAME }, "port": 80}],
        }]},
    })
}

/// Whether Git's GatedRelease is there; what else would be applied is a new one.
fn there(world: &World) -> bool {
    world.cluster.api.get(&GATED_RELEASE, NAMESPACE, NAME).is_some()
}

/// The route is named and made; where naming it is refused, Git takes it back. None where it is there already.
pub(super) fn more(world: &mut World) -> Option<u16> {
    if world.people.owned.second || !there(world) {
        return None;
    }
    world.people.owned.second = true;
    let code = contract(world);
    if code >= 300 {
        world.people.owned.second = false;
        return Some(code);
    }
    let route = world.people.owned.route(world.people.git.is_away())?;
    Some(apply(&mut world.cluster.api, &flux(), ROUTES, &route))
}

/// The route is named no more, and goes; where that is refused, Git takes it back. None where it is not named.
pub(super) fn less(world: &mut World) -> Option<u16> {
    if !world.people.owned.second || !there(world) {
        return None;
    }
    world.people.owned.second = false;
    let code = contract(world);
    if code >= 300 {
        world.people.owned.second = true;
        return Some(code);
    }
    Some(delete(&mut world.cluster.api, &User::person("alice"), &format!("{ROUTES}/{SECOND_ROUTE}")))
}

/// The label is named, or not; where that is refused, Git takes it back. None where there is no GatedRelease.
pub(super) fn label(world: &mut World, named: bool) -> Option<u16> {
    if !there(world) {
        return None;
    }
    let before = std::mem::replace(&mut world.people.owned.label, named);
    let code = contract(world);
    if code >= 300 {
        world.people.owned.label = before;
    }
    Some(code)
}
