//! Carries a linted plan out: one action, one request (or a few by name). It makes no choices.
//!
//! Every write carries its fence, and the first that fails ends the plan. [`Error::Outdated`] means that the snapshot was
//! old: the caller plans again.

mod charge;

use serde_json::{Value, json};

pub use charge::carry_out;

use super::kind::{
    DEPLOYMENT, GATED_RELEASE, HPA, JOB, NETWORK_POLICY, PDB, POD, RELEASE_RECORD, REPLICA_SET, RISK_BUDGET,
    SCALED_OBJECT, SERVICE, STATEFUL_SET,
};
use super::request::{Change, Just};
use super::{Cluster, Error, Kind};
use crate::api::gated_release::WorkloadKind;
use crate::api::names::{
    BUDGET, CANARY_SUFFIX, FINALIZER, PAUSED_BECAUSE, PREVIOUS_SUFFIX, RELEASE, RESUMED_BY, ROLE, SCALE_DOWN_MANAGER,
    label_value,
};
use crate::api::release_record::{ReleaseRecordSpec, ReleaseRecordStatus};
use crate::api::risk_budget::LedgerStatus;
use crate::release::action::Scaler;
use crate::release::snapshot::{Release, service_of};
use crate::release::split::Carrier;
use crate::release::{Action, LintedPlan};
use crate::traffic::Provider;

/// Where the actions of a plan go.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The GatedRelease of the snapshot.
    pub release: &'a Release,
    /// Its resourceVersion when it was read.
    pub resource_version: &'a str,
    /// Its finalizers when it was read.
    pub finalizers: &'a [String],
}

impl Target<'_> {
    fn namespace(&self) -> &str {
        &self.release.namespace
    }

    fn workload(&self) -> &str {
        &self.release.spec.workload_ref.name
    }

    fn workload_kind(&self) -> &'static Kind {
        Kind::of_workload(self.release.spec.workload_ref.kind)
    }

    /// What of a workload's spec lets its template go.
    fn let_go(&self) -> Value {
        match self.release.spec.workload_ref.kind {
            WorkloadKind::Deployment => json!({"paused": null}),
            WorkloadKind::StatefulSet => partition(0),
        }
    }
}

fn partition(partition: u32) -> Value {
    json!({"updateStrategy": {"rollingUpdate": {"partition": partition}}})
}

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Done {
    /// How many writes were made.
    pub writes: usize,
    /// Jobs that were not made, with the API server's words: that is evidence of nothing, and no failure of the plan.
    pub refused: Vec<(String, String)>,
    /// Routes whose rules could not be given back, with the API server's words: nothing of a release rests on it.
    pub kept: Vec<(String, String)>,
}

/// Carries the actions out in their order; calls `done` after each.
pub async fn execute(
    cluster: &Cluster,
    plan: &LintedPlan,
    target: Target<'_>,
    mut done: impl FnMut(&Action),
) -> Result<Done, Error> {
    let mut all = Done::default();
    for action in &plan.plan().actions {
        match (act(cluster, action, target).await, action) {
            // A Job of that name is there: the next look sees it, where it is Tidegate's.
            (Err(Error::Refused { why, .. } | Error::Outdated { why, .. }), Action::StartJob { name, .. }) => {
                all.refused.push((name.clone(), why));
            }
            (Err(Error::Refused { why, .. }), Action::DisownRules { route, .. }) => all.kept.push((route.clone(), why)),
            (result, _) => {
                result?;
                all.writes += 1;
                done(action);
            }
        }
    }
    Ok(all)
}

/// One word for an action, for metrics and logs.
pub const fn word(action: &Action) -> &'static str {
    match action {
        Action::AddFinalizer => "add_finalizer",
        Action::RemoveFinalizer => "remove_finalizer",
        Action::OpenRecord { .. } => "open_record",
        Action::UpdateRecord { .. } => "update_record",
        Action::Apply { .. } => "apply",
        Action::Delete { .. } => "delete",
        Action::SetSplit { .. } => "set_split",
        Action::DisownRules { .. } => "disown_rules",
        Action::Resume { .. } => "resume",
        Action::ExplainPause { .. } => "explain_pause",
        Action::ScaleReplicaSet { .. } => "scale_replica_set",
        Action::DeleteReplicaSet { .. } => "delete_replica_set",
        Action::CreateReplicaSet { .. } => "create_replica_set",
        Action::ScaleSide { .. } => "scale_side",
        Action::SetPartition { .. } => "set_partition",
        Action::DeletePod { .. } => "delete_pod",
        Action::ScaleDown { .. } => "scale_down",
        Action::StartJob { .. } => "start_job",
        Action::RemoveJob { .. } => "remove_job",
        Action::WriteLedger { .. } => "write_ledger",
    }
}

async fn act(cluster: &Cluster, action: &Action, target: Target<'_>) -> Result<(), Error> {
    let namespace = target.namespace();
    match action {
        Action::AddFinalizer => finalizers(cluster, target, true).await,
        Action::RemoveFinalizer => finalizers(cluster, target, false).await,
        Action::OpenRecord { name, spec, status } => open_record(cluster, target, name, spec, status).await,
        Action::UpdateRecord { name, resource_version, status } => {
            record_status(cluster, namespace, name, resource_version, status).await
        }
        Action::Apply { carrier: _, object } => apply(cluster, namespace, object).await,
        Action::Delete { carrier } => delete(cluster, target, *carrier).await,
        Action::SetSplit { route, resource_version, split, withdrawn } => {
            let provider = Provider::HttpRoute;
            let seen = route_of(cluster, namespace, route, resource_version).await?;
            let patch = provider.write(&seen, &target.release.spec.traffic.service, *split, withdrawn.as_deref());
            cluster.patch(provider.kind(), namespace, route, None, Change::Json(patch)).await.map(drop)
        }
        Action::DisownRules { route, resource_version } => {
            let provider = Provider::HttpRoute;
            let patch = provider.disown(&route_of(cluster, namespace, route, resource_version).await?);
            cluster.patch(provider.kind(), namespace, route, None, Change::Json(patch)).await.map(drop)
        }
        Action::WriteLedger { budget, resource_version, ledger } => {
            write_ledger(cluster, (namespace, budget), resource_version, ledger).await
        }
        Action::Resume { resource_version } => {
            let patch = json!({
                "metadata": {"resourceVersion": resource_version, "annotations": {PAUSED_BECAUSE: null, RESUMED_BY: null}},
                "spec": target.let_go(),
            });
            cluster
                .patch(target.workload_kind(), namespace, target.workload(), None, Change::Merge(patch))
                .await
                .map(drop)
        }
        Action::ExplainPause { resource_version, text } => {
            let patch =
                json!({"metadata": {"resourceVersion": resource_version, "annotations": {PAUSED_BECAUSE: text}}});
            cluster
                .patch(target.workload_kind(), namespace, target.workload(), None, Change::Merge(patch))
                .await
                .map(drop)
        }
        Action::ScaleReplicaSet { name, resource_version, replicas } => {
            let patch = json!({"metadata": {"resourceVersion": resource_version}, "spec": {"replicas": replicas}});
            cluster.patch(&REPLICA_SET, namespace, name, None, Change::Merge(patch)).await.map(drop)
        }
        Action::DeleteReplicaSet { name, resource_version } => {
            cluster.delete(&REPLICA_SET, namespace, name, Just::Version(resource_version)).await
        }
        Action::CreateReplicaSet { object } => cluster.create(&REPLICA_SET, namespace, object).await.map(drop),
        Action::SetPartition { resource_version, partition: place } => {
            let patch = json!({"metadata": {"resourceVersion": resource_version}, "spec": partition(*place)});
            cluster.patch(&STATEFUL_SET, namespace, target.workload(), None, Change::Merge(patch)).await.map(drop)
        }
        Action::DeletePod { name, uid } => cluster.delete(&POD, namespace, name, Just::Uid(uid)).await,
        Action::StartJob { object, .. } => cluster.create(&JOB, namespace, object).await.map(drop),
        Action::RemoveJob { name, uid } => match cluster.delete(&JOB, namespace, name, Just::Uid(uid)).await {
            // It is gone already.
            Ok(()) | Err(Error::Outdated { .. }) => Ok(()),
            Err(other) => Err(other),
        },
        Action::ScaleSide { carrier, replicas } => scale_side(cluster, target, *carrier, *replicas).await,
        Action::ScaleDown { scaler, name, resource_version, held } => {
            let kind = match scaler {
                Scaler::HorizontalPodAutoscaler => &HPA,
                Scaler::ScaledObject => &SCALED_OBJECT,
            };
            let leaf = json!({"selectPolicy": "Disabled"});
            let behavior = json!({"behavior": {"scaleDown": leaf}});
            let spec = match (scaler, held) {
                (_, false) => json!({}),
                (Scaler::HorizontalPodAutoscaler, true) => behavior,
                (Scaler::ScaledObject, true) => json!({"advanced": {"horizontalPodAutoscalerConfig": behavior}}),
            };
            let mut object = json!({
                "apiVersion": kind.api_version(),
                "kind": kind.kind,
                "metadata": {"name": name, "namespace": namespace, "resourceVersion": resource_version},
            });
            if *held {
                object["spec"] = spec;
            }
            cluster.patch(kind, namespace, name, None, Change::ApplyAs(SCALE_DOWN_MANAGER, object)).await.map(drop)
        }
    }
}

/// The route of this resourceVersion.
async fn route_of(cluster: &Cluster, namespace: &str, name: &str, resource_version: &str) -> Result<Value, Error> {
    let seen = cluster.get(Provider::HttpRoute.kind(), namespace, name).await?;
    seen.filter(|seen| seen["metadata"]["resourceVersion"] == *resource_version).ok_or_else(|| Error::Outdated {
        what: format!("HTTPRoute {namespace}/{name}"),
        why: "it was changed or deleted".to_owned(),
    })
}

async fn write_ledger(
    cluster: &Cluster,
    (namespace, budget): (&str, &str),
    resource_version: &str,
    ledger: &LedgerStatus,
) -> Result<(), Error> {
    // Lists that are empty are written out: a merge patch would keep what stands in them.
    let patch = json!({
        "metadata": {"resourceVersion": resource_version},
        "status": {"ledger": {
            "sequence": ledger.sequence,
            "before": ledger.before,
            "reservations": ledger.reservations,
            "pending": ledger.pending,
        }},
    });
    cluster.patch(&RISK_BUDGET, namespace, budget, Some("status"), Change::Merge(patch)).await.map(drop)
}

async fn finalizers(cluster: &Cluster, target: Target<'_>, ours: bool) -> Result<(), Error> {
    let others = target.finalizers.iter().map(String::as_str).filter(|name| *name != FINALIZER);
    let wanted: Vec<_> = others.chain(ours.then_some(FINALIZER)).collect();
    let patch = json!({"metadata": {"resourceVersion": target.resource_version, "finalizers": wanted}});
    let name = &target.release.name;
    cluster.patch(&GATED_RELEASE, target.namespace(), name, None, Change::Merge(patch)).await.map(drop)
}

async fn open_record(
    cluster: &Cluster,
    target: Target<'_>,
    name: &str,
    spec: &ReleaseRecordSpec,
    status: &ReleaseRecordStatus,
) -> Result<(), Error> {
    create_record(cluster, target.namespace(), (name, &target.release.name), spec, status).await
}

/// Makes a record with the label of its release, then writes its status.
async fn create_record(
    cluster: &Cluster,
    namespace: &str,
    (name, release): (&str, &str),
    spec: &ReleaseRecordSpec,
    status: &ReleaseRecordStatus,
) -> Result<(), Error> {
    let record = json!({
        "apiVersion": RELEASE_RECORD.api_version(),
        "kind": RELEASE_RECORD.kind,
        "metadata": {"name": name, "namespace": namespace,
                     "labels": {RELEASE: release, BUDGET: label_value(&spec.risk_budget)}},
        "spec": spec,
    });
    let created = cluster.create(&RELEASE_RECORD, namespace, &record).await?;
    let version = created["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    record_status(cluster, namespace, name, version, status).await
}

/// Replaces the whole status: what it does not say any more goes.
async fn record_status(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    resource_version: &str,
    status: &ReleaseRecordStatus,
) -> Result<(), Error> {
    let patch = json!([
        {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version},
        {"op": "add", "path": "/status", "value": status},
    ]);
    cluster.patch(&RELEASE_RECORD, namespace, name, Some("status"), Change::Json(patch)).await.map(drop)
}

async fn apply(cluster: &Cluster, namespace: &str, object: &Value) -> Result<(), Error> {
    let kinds = [&DEPLOYMENT, &SERVICE, &PDB, &HPA, &NETWORK_POLICY];
    let kind = kinds.into_iter().find(|kind| object["kind"] == kind.kind);
    let (Some(kind), Some(name)) = (kind, object.pointer("/metadata/name").and_then(Value::as_str)) else {
        return Err(Error::Malformed {
            what: "object to apply".to_owned(),
            why: format!("kind {} is not one that is applied", object["kind"]),
        });
    };
    cluster.patch(kind, namespace, name, None, Change::Apply(object.clone())).await.map(drop)
}

/// The Deployment goes last: as long as it is there, something is left to clear away.
async fn delete(cluster: &Cluster, target: Target<'_>, carrier: Carrier) -> Result<(), Error> {
    let namespace = target.namespace();
    let own = side_name(target, carrier)?;
    let service = service_of(&target.release.spec.traffic.service, carrier);
    for (kind, name) in [(&HPA, &own), (&SERVICE, &service), (&PDB, &own), (&DEPLOYMENT, &own)] {
        if kind.kind == DEPLOYMENT.kind {
            delete_policies(cluster, namespace, &target.release.name, carrier).await?;
        }
        delete_ours(cluster, kind, namespace, name, &target.release.name, carrier).await?;
    }
    Ok(())
}

fn side_name(target: Target<'_>, carrier: Carrier) -> Result<String, Error> {
    let ending = match carrier {
        Carrier::Workload => {
            return Err(Error::Malformed {
                what: "write to a side".to_owned(),
                why: "the workload is not ours".to_owned(),
            });
        }
        Carrier::Canary => CANARY_SUFFIX,
        Carrier::Previous => PREVIOUS_SUFFIX,
    };
    Ok(format!("{}{ending}", target.workload()))
}

/// Only what Tidegate made for this release is scaled, as it stands at this moment.
async fn scale_side(cluster: &Cluster, target: Target<'_>, carrier: Carrier, replicas: u32) -> Result<(), Error> {
    let (namespace, name) = (target.namespace(), side_name(target, carrier)?);
    let outdated = || Error::Outdated {
        what: format!("Deployment {namespace}/{name}"),
        why: "it is gone or not Tidegate's".to_owned(),
    };
    let object = cluster.get(&DEPLOYMENT, namespace, &name).await?.ok_or_else(outdated)?;
    if !is_ours(&object, &target.release.name, carrier) {
        return Err(outdated());
    }
    let version = &object["metadata"]["resourceVersion"];
    let patch = json!({"metadata": {"resourceVersion": version}, "spec": {"replicas": replicas}});
    cluster.patch(&DEPLOYMENT, namespace, &name, None, Change::Merge(patch)).await.map(drop)
}

fn is_ours(object: &Value, release: &str, carrier: Carrier) -> bool {
    let label =
        |key: &str| object.pointer("/metadata/labels").and_then(|labels| labels.get(key)).and_then(Value::as_str);
    label(RELEASE) == Some(release) && label(ROLE) == Some(carrier.as_str())
}

/// Copies of NetworkPolicies are found by their labels: what they were made from may be gone or changed by now.
async fn delete_policies(cluster: &Cluster, namespace: &str, release: &str, carrier: Carrier) -> Result<(), Error> {
    let made = match cluster.list(&NETWORK_POLICY, namespace, &format!("{RELEASE}={release},{ROLE}={carrier}")).await {
        Ok(made) => made,
        // Who may not list them could not make any.
        Err(Error::Refused { code: 403 | 404, .. }) => return Ok(()),
        Err(other) => return Err(other),
    };
    for policy in made {
        if let Some(name) = policy.pointer("/metadata/name").and_then(Value::as_str) {
            delete_ours(cluster, &NETWORK_POLICY, namespace, name, release, carrier).await?;
        }
    }
    Ok(())
}

async fn delete_ours(
    cluster: &Cluster,
    kind: &Kind,
    namespace: &str,
    name: &str,
    release: &str,
    carrier: Carrier,
) -> Result<(), Error> {
    let Some(object) = cluster.get(kind, namespace, name).await? else { return Ok(()) };
    let leaving = object.pointer("/metadata/deletionTimestamp").is_some();
    if leaving || !is_ours(&object, release, carrier) {
        return Ok(());
    }
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    match cluster.delete(kind, namespace, name, Just::Uid(uid)).await {
        // Gone already is as good as deleted.
        Ok(()) | Err(Error::Outdated { .. }) => Ok(()),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests;
