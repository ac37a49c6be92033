//! What runs beside the workload and is Tidegate's: somebody sets its image, or deletes it. And the Service of which it has copies.

use serde_json::{Value, json};

use crate::cluster::kind::DEPLOYMENT;
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{CANARY, NAMESPACE, PREVIOUS};
use crate::sandbox::simulate::people::{DEPLOYMENTS, apply, delete, merge, service};
use crate::sandbox::user::User;

const SERVICES: &str = "/api/v1/namespaces/shop/services";

/// Somebody who may edit Deployments sets the image of the canary, or of the previous version; none where neither runs.
pub(super) fn edit(api: &mut ApiServer) -> Option<u16> {
    let name = [CANARY, PREVIOUS].into_iter().find(|name| api.get(&DEPLOYMENT, NAMESPACE, name).is_some())?;
    let mut containers = api.get(&DEPLOYMENT, NAMESPACE, name)?.pointer("/spec/template/spec/containers")?.clone();
    containers[0]["image"] = json!("shop:elsewhere");
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    Some(merge(api, &User::person("alice"), &format!("{DEPLOYMENTS}/{name}"), &patch))
}

/// Somebody deletes the previous version; none where there is none.
pub(super) fn delete_previous(api: &mut ApiServer) -> Option<u16> {
    api.get(&DEPLOYMENT, NAMESPACE, PREVIOUS)?;
    Some(delete(api, &User::person("alice"), &format!("{DEPLOYMENTS}/{PREVIOUS}")))
}

/// Git says of the Service that it has one port more, or what it had.
pub(super) fn ports(api: &mut ApiServer, flux: &User, more: bool) -> u16 {
    let mut service = service();
    if let Some(ports) = service.pointer_mut("/spec/ports").and_then(Value::as_array_mut).filter(|_| more) {
        ports.push(json!({"name": "admin", "port": 9000, "targetPort": 9000}));
    }
    apply(api, flux, SERVICES, &service)
}
