//! Another Service over the workload's pods, for callers that its owner knows.

use serde_json::json;

use crate::cluster::kind::SERVICE;
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{NAME, NAMESPACE};
use crate::sandbox::simulate::people::{apply, delete};
use crate::sandbox::user::User;

const SERVICES: &str = "/api/v1/namespaces/shop/services";
const OTHER: &str = "web-reports";

/// Makes it.
pub(super) fn make(api: &mut ApiServer, flux: &User) -> u16 {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": OTHER, "namespace": NAMESPACE},
        "spec": {"selector": {"app": NAME}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    });
    apply(api, flux, SERVICES, &service)
}

/// Takes it away; none where there is none.
pub(super) fn lift(api: &mut ApiServer, flux: &User) -> Option<u16> {
    let there = api.get(&SERVICE, NAMESPACE, OTHER).is_some();
    there.then(|| delete(api, flux, &format!("{SERVICES}/{OTHER}")))
}
