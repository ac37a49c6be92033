//! ResourceQuotas: whether a new pod still has room. Of all that a quota may count, pods alone are counted here.

use std::sync::Arc;

use serde_json::Value;

use super::refuse;
use super::resource::{RESOURCE_QUOTA, Resource};
use super::server::ApiServer;
use crate::cluster::kind::POD;
use crate::sandbox::objects::Refusal;

/// The pods that a quota allows; none where it counts none, or only some of them by a scope.
pub(in crate::sandbox) fn pods_allowed(quota: &Value) -> Option<u64> {
    let scoped = ["/spec/scopes", "/spec/scopeSelector"].iter().any(|place| quota.pointer(place).is_some());
    let hard = quota.pointer("/spec/hard/pods").filter(|_| !scoped)?;
    hard.as_u64().or_else(|| hard.as_str()?.parse().ok())
}

/// Whether a pod counts: one that has ended does not, one that is leaving does.
pub(in crate::sandbox) fn counts(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    !matches!(phase, Some("Succeeded" | "Failed"))
}

impl ApiServer {
    /// Refuses a pod that a quota of its namespace has no room for, in Kubernetes' words.
    pub(super) fn has_room(&self, resource: &Resource, namespace: &str, name: &str) -> Result<(), Refusal> {
        if resource.kind != POD {
            return Ok(());
        }
        let Some(quotas) = self.resource(&RESOURCE_QUOTA).map(Arc::clone) else { return Ok(()) };
        let mut used = None;
        for (_, quota, object) in self.store.list(quotas.shelf, namespace) {
            let Some(hard) = pods_allowed(object) else { continue };
            let pods = self.store.list(resource.shelf, namespace);
            let used = *used.get_or_insert_with(|| pods.filter(|(.., pod)| counts(pod)).count() as u64);
            if used + 1 > hard {
                let why =
                    format!("exceeded quota: {quota}, requested: pods=1, used: pods={used}, limited: pods={hard}");
                return Err(refuse::forbidden(resource, name, &why));
            }
        }
        Ok(())
    }
}
