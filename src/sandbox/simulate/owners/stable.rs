//! The ReplicaSet that serves, deleted by a hand while the workload is held: the only copy of its template goes with it.

use serde_json::Value;

use crate::cluster::kind::{DEPLOYMENT, HTTP_ROUTE, REPLICA_SET};
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{LostSet, NAME, NAMESPACE};
use crate::sandbox::simulate::people;
use crate::sandbox::simulate::world::World;
use crate::sandbox::user::User;

/// Deletes it; none where the workload is not held with another template, or not one set runs, or the previous version has a share.
pub(super) fn delete(world: &mut World) -> Option<u16> {
    let api = &mut world.cluster.api;
    let workload = api.get(&DEPLOYMENT, NAMESPACE, NAME).filter(|it| it["spec"]["paused"] == true)?;
    let (uid, held) = (workload.pointer("/metadata/uid")?, image(workload)?);
    let routes = api.list(&HTTP_ROUTE, NAMESPACE);
    if routes.iter().any(|route| route["spec"].to_string().contains("web-previous")) {
        return None;
    }
    let own =
        |set: &&Value| set.pointer("/metadata/ownerReferences/0/uid") == Some(uid) && set["spec"]["replicas"] != 0;
    let running: Vec<&Value> = api.list(&REPLICA_SET, NAMESPACE).into_iter().filter(own).collect();
    let [stable] = running.as_slice() else { return None };
    let (image, name) =
        (image(stable).filter(|image| *image != held)?.to_owned(), stable["metadata"]["name"].as_str()?);
    let (name, at) = (name.to_owned(), api.now());
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/replicasets/{name}");
    let code = people::delete(api, &User::person("alice"), &path);
    if code < 300 {
        world.checkers.circumstances.lost = Some(LostSet { name, image, at });
    }
    Some(code)
}

/// The image of the first container of a template.
fn image(object: &Value) -> Option<&str> {
    object.pointer("/spec/template/spec/containers/0/image")?.as_str()
}
