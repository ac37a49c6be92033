//! The strategy of the Deployment, as Git has it.

use serde_json::{Value, json};

use crate::cluster::kind::DEPLOYMENT;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{NAME, NAMESPACE};
use crate::sandbox::simulate::people::{DEPLOYMENTS, merge, rolling};
use crate::sandbox::simulate::world::World;
use crate::sandbox::user::User;

/// From now on two versions of it never run side by side, or they may again; none where there is no Deployment.
pub(super) fn say(world: &mut World, all: bool) -> Option<u16> {
    let api = &mut world.cluster.api;
    api.get(&DEPLOYMENT, NAMESPACE, NAME)?;
    world.people.owned.recreates = all;
    let strategy = if all { json!({"type": "Recreate", "rollingUpdate": Value::Null}) } else { rolling() };
    Some(merge(api, &User::person("alice"), &format!("{DEPLOYMENTS}/{NAME}"), &json!({"spec": {"strategy": strategy}})))
}
