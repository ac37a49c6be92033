//! ResourceQuotas: how many pods they allow, and how many there are. The API server counts for itself when a pod is made.

use serde_json::json;

use super::look::{at, namespace};
use super::write::{Context, place, tried};
use crate::api::Time;
use crate::cluster::kind::POD;
use crate::sandbox::api::RESOURCE_QUOTA;
use crate::sandbox::api::quota::{counts, pods_allowed};

/// Brings the status of all quotas up to date.
pub(super) fn run(cx: &mut Context<'_>) -> Option<Time> {
    let mut writes = Vec::new();
    for quota in cx.objects.list(&RESOURCE_QUOTA, "") {
        let Some(hard) = pods_allowed(quota) else { continue };
        let used = cx.objects.list(&POD, namespace(quota)).into_iter().filter(|pod| counts(pod)).count();
        let status = json!({"hard": {"pods": hard.to_string()}, "used": {"pods": used.to_string()}});
        if at(quota, &["status"]) != Some(&status) {
            writes.push((place(quota), status));
        }
    }
    for ((home, called), status) in writes {
        tried(cx.set_status(&cx.users.quota, &RESOURCE_QUOTA, &home, &called, status));
    }
    None
}
