//! A quota of pods that an admin sets and lifts.

use serde_json::json;

use crate::cluster::kind::POD;
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::NAMESPACE;
use crate::sandbox::simulate::people::{apply, delete};
use crate::sandbox::user::User;

const QUOTAS: &str = "/api/v1/namespaces/shop/resourcequotas";
const NAME: &str = "small";

/// Leaves room for so many pods more than there are.
pub(super) fn leave(api: &mut ApiServer, admin: &User, more: u32) -> u16 {
    let pods = api.list(&POD, NAMESPACE).len() + more as usize;
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"hard": {"pods": pods.to_string()}},
    });
    apply(api, admin, QUOTAS, &quota)
}

/// Takes it away; none where there is none.
pub(super) fn lift(api: &mut ApiServer, admin: &User) -> Option<u16> {
    let there = !api.list(&crate::sandbox::api::RESOURCE_QUOTA, NAMESPACE).is_empty();
    there.then(|| delete(api, admin, &format!("{QUOTAS}/{NAME}")))
}
