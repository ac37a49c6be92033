//! Eviction: a pod is deleted where the PodDisruptionBudgets over it allow that now.

use serde_json::{Value, json};

use super::delete::Options;
use super::refuse;
use super::server::ApiServer;
use super::write::Intent;
use crate::cluster::kind::PDB;
use crate::sandbox::objects::{Objects, Refusal};
use crate::sandbox::user::User;

impl ApiServer {
    /// Evicts a pod as an `Eviction` asks. What a budget allows is less by one until its controller has counted anew.
    pub(super) fn evict(&mut self, intent: &Intent<'_>, name: &str, body: &Value) -> Result<(), Refusal> {
        let options = Options::read(body.get("deleteOptions").unwrap_or(&Value::Null));
        let pod = self.store.get(intent.resource.shelf, intent.namespace, name).cloned();
        let pod = pod.ok_or_else(|| refuse::not_found(&intent.resource, name))?;
        let leaving = pod.pointer("/metadata/deletionTimestamp").is_some();
        let over = |budget: &&Value| !leaving && selects(budget, &pod);
        let budget = self.list(&PDB, intent.namespace).into_iter().find(over).cloned();
        if let Some(mut budget) = budget {
            let count = |field: &str| budget.pointer(&format!("/status/{field}")).and_then(Value::as_i64).unwrap_or(0);
            let allowed = count("disruptionsAllowed");
            if allowed <= 0 {
                let called = budget.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                return Err(refuse::disruption(called, count("currentHealthy"), count("desiredHealthy")));
            }
            if !intent.dry_run {
                budget["status"]["disruptionsAllowed"] = json!(allowed - 1);
                self.update_status(&User::person("system:apiserver"), &PDB, budget)?;
            }
        }
        let whole = Intent { subresource: None, ..intent.clone() };
        self.delete_object(&whole, name, &options).map(drop)
    }
}

/// Whether a budget's `matchLabels` are all on a pod; one without a selector means all pods.
fn selects(budget: &Value, pod: &Value) -> bool {
    let wanted = budget.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let labels = pod.pointer("/metadata/labels");
    wanted.into_iter().flatten().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}
