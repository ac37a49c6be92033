//! Those who agree that a RiskBudget allows more.

use serde_json::{Value, json};

use super::act::{create, name, namespace};
use crate::api::RiskBudgetSpec;
use crate::cluster::kind::{ATTESTATION, RISK_BUDGET};
use crate::policy::Role;
use crate::policy::loosening::revision;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::world::Shared;
use crate::sandbox::user::User;

/// A person in a role approves the RiskBudget as it stands now, as `tidegate approve --budget` does.
pub(super) fn approve(shared: &Shared, budget: &Value, by: &User, role: Role) -> Result<(), String> {
    let (place, of) = (namespace(budget), name(budget));
    let stands = shared.with(|world| world.cluster.api.get(&RISK_BUDGET, place, of).cloned());
    let stands = stands.ok_or_else(|| format!("there is no RiskBudget {of}"))?;
    let spec: RiskBudgetSpec = serde_json::from_value(stands["spec"].clone()).map_err(|why| why.to_string())?;
    let uid = stands.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    let generation = stands.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    let attestation = json!({
        "apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation",
        "metadata": {"generateName": format!("{of}-{role}-"), "namespace": place},
        "spec": {
            "releaseRef": {"kind": "RiskBudget", "name": of}, "revision": revision(uid, generation, &spec),
            "type": "approval", "role": role.as_str(),
        },
    });
    create(shared, by, ATTESTATION.path(place), &attestation)
}
