//! Terms that keep the pods of the workload apart, spread them, and keep them away from somebody else's.

use serde_json::{Value, json};

use crate::sandbox::simulate::check::NAME;

/// Puts the terms of a version into its template: each third version has none, and no two in a row have the same.
pub(super) fn put(number: u32, template: &mut Value) {
    let own = json!({"matchLabels": {"app": NAME}});
    let weight = 1 + number % 100;
    let apart = |selector: Value| json!({"topologyKey": "kubernetes.io/hostname", "labelSelector": selector});
    let spec = &mut template["spec"];
    match number % 3 {
        0 => {}
        1 => {
            spec["affinity"] = json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": weight, "podAffinityTerm": apart(own)},
                {"weight": weight, "podAffinityTerm": apart(json!({"matchLabels": {"app": "docs"}}))},
            ]}});
        }
        _ => {
            let named = json!({"matchExpressions": [{"key": "app", "operator": "In", "values": [NAME]}]});
            spec["affinity"] = json!({"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": weight, "podAffinityTerm": apart(named)},
            ]}});
            spec["topologySpreadConstraints"] = json!([{
                "maxSkew": 1 + number % 3, "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": own,
            }]);
        }
    }
}
