//! How the pods of the StatefulSet get a new template: by themselves, or when somebody deletes them.

use serde_json::{Value, json};

use crate::cluster::kind::STATEFUL_SET;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{NAME, NAMESPACE};
use crate::sandbox::simulate::people::merge;
use crate::sandbox::simulate::world::World;
use crate::sandbox::user::User;

/// Says it; none where there is no StatefulSet.
pub(super) fn say(world: &mut World, on_delete: bool) -> Option<u16> {
    let api = &mut world.cluster.api;
    api.get(&STATEFUL_SET, NAMESPACE, NAME)?;
    let strategy = if on_delete {
        json!({"type": "OnDelete", "rollingUpdate": Value::Null})
    } else {
        json!({"type": "RollingUpdate"})
    };
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/{NAME}");
    Some(merge(api, &User::person("alice"), &path, &json!({"spec": {"updateStrategy": strategy}})))
}
