//! A Deployment or StatefulSet that is held by the gate although no GatedRelease looks after it: its owner is told.

use serde_json::Value;

use super::queue::Key;
use super::release::warning;
use super::{Context, Next};
use crate::api::gated_release::WorkloadKind;
use crate::api::names::{GATED, HELD_PARTITION};
use crate::cluster::events::About;
use crate::cluster::{Error, Kind};
use crate::release::wording;

pub(super) async fn reconcile(
    context: &Context,
    key: &Key,
    kind: &Kind,
    namespace: &str,
    name: &str,
) -> Result<Next, Error> {
    if !context.index.of_workload(namespace, name).is_empty() {
        return Ok(Next::OnChange);
    }
    let Some(deployment) = context.cluster.get(kind, namespace, name).await? else {
        context.old_news(key);
        return Ok(Next::OnChange);
    };
    let gated = deployment.pointer("/metadata/labels").and_then(|labels| labels.get(GATED)).is_some();
    let partition = deployment.pointer("/spec/updateStrategy/rollingUpdate/partition").and_then(Value::as_u64);
    let paused = deployment.pointer("/spec/paused").and_then(Value::as_bool).unwrap_or(false)
        || partition == Some(u64::from(HELD_PARTITION));
    let uid = deployment.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    let generation = deployment.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    if !gated || !paused || !context.is_news(key, format!("{uid}/{generation}")) {
        return Ok(Next::OnChange);
    }
    let kind_of = if partition.is_some() { WorkloadKind::StatefulSet } else { WorkloadKind::Deployment };
    let let_go = wording::let_go(kind_of, namespace, name);
    let what = kind.kind;
    let note = format!(
        "Held/NoGatedRelease: {what} {namespace}/{name} carries the label {GATED} and is held, but no GatedRelease names it, so nothing will release its template. Create a GatedRelease with spec.workloadRef {{kind: {what}, name: {name}}}, or remove the label and run: {let_go}"
    );
    tracing::warn!(namespace, name, "held without a GatedRelease");
    context.cluster.tell(&About { kind, namespace, name, uid }, &warning("NoGatedRelease", note)).await;
    Ok(Next::OnChange)
}
