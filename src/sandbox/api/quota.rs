//! ResourceQuotas: whether a new pod or Job still has room. Of all that a quota may count, these alone are counted here.

use std::sync::Arc;

use serde_json::Value;

use super::refuse;
use super::resource::{RESOURCE_QUOTA, Resource};
use super::server::ApiServer;
use crate::cluster::kind::{JOB, POD};
use crate::sandbox::objects::Refusal;

/// Pods, as a quota calls them.
const PODS: &str = "pods";
/// Jobs, as a quota calls them, those that have ended included.
const JOBS: &str = "count/jobs.batch";

/// The pods that a quota allows; none where it counts none, or only some of them by a scope.
pub(in crate::sandbox) fn pods_allowed(quota: &Value) -> Option<u64> {
    allowed(quota, PODS)
}

fn allowed(quota: &Value, what: &str) -> Option<u64> {
    let scoped = ["/spec/scopes", "/spec/scopeSelector"].iter().any(|place| quota.pointer(place).is_some());
    let hard = quota.pointer("/spec/hard").and_then(|hard| hard.get(what)).filter(|_| !scoped)?;
    hard.as_u64().or_else(|| hard.as_str()?.parse().ok())
}

/// Whether a pod counts: one that has ended does not, one that is leaving does.
pub(in crate::sandbox) fn counts(pod: &Value) -> bool {
    let phase = pod.pointer("/status/phase").and_then(Value::as_str);
    !matches!(phase, Some("Succeeded" | "Failed"))
}

impl ApiServer {
    /// Refuses a pod or a Job that a quota of its namespace has no room for, in Kubernetes' words.
    pub(super) fn has_room(&self, resource: &Resource, namespace: &str, name: &str) -> Result<(), Refusal> {
        let what = match &resource.kind {
            kind if *kind == POD => PODS,
            kind if *kind == JOB => JOBS,
            _ => return Ok(()),
        };
        let Some(quotas) = self.resource(&RESOURCE_QUOTA).map(Arc::clone) else { return Ok(()) };
        let mut used = None;
        for (_, quota, object) in self.store.list(quotas.shelf, namespace) {
            let Some(hard) = allowed(object, what) else { continue };
            let all = self.store.list(resource.shelf, namespace);
            let used = *used.get_or_insert_with(|| all.filter(|(.., one)| what == JOBS || counts(one)).count() as u64);
            if used + 1 > hard {
                let why = format!(
                    "exceeded quota: {quota}, requested: {what}=1, used: {what}={used}, limited: {what}={hard}"
                );
                return Err(refuse::forbidden(resource, name, &why));
            }
        }
        Ok(())
    }
}
