//! The PodDisruptionBudget of the workload, as Git has it.

use serde_json::json;

use crate::cluster::kind::PDB;
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{NAME, NAMESPACE};
use crate::sandbox::simulate::people::{apply, delete};
use crate::sandbox::simulate::schedule::Limit;
use crate::sandbox::user::User;

const BUDGETS: &str = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets";

/// Applies it with such a limit.
pub(super) fn set(api: &mut ApiServer, flux: &User, limit: Limit) -> u16 {
    let mut spec = match limit {
        Limit::Nobody => json!({"maxUnavailable": 0}),
        Limit::One => json!({"maxUnavailable": 1}),
        Limit::Half => json!({"minAvailable": "50%"}),
        Limit::Unready => json!({"maxUnavailable": "34%", "unhealthyPodEvictionPolicy": "AlwaysAllow"}),
    };
    spec["selector"] = json!({"matchLabels": {"app": NAME}});
    let budget = json!({
        "apiVersion": PDB.api_version(), "kind": PDB.kind,
        "metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": spec,
    });
    apply(api, flux, BUDGETS, &budget)
}

/// Deletes it; none where there is none.
pub(super) fn lift(api: &mut ApiServer, flux: &User) -> Option<u16> {
    let there = api.get(&PDB, NAMESPACE, NAME).is_some();
    there.then(|| delete(api, flux, &format!("{BUDGETS}/{NAME}")))
}
