//! Reads what one decision needs, fresh from the API server, and makes it typed: one file an object.
//!
//! What cannot matter is not read: while nothing is being released and nothing is held, endpoints, pods and the side
//! objects' Services and PodDisruptionBudgets are left alone (a side's Deployment is made first and goes last).

mod attestations;
mod autoscaler;
pub mod budget;
pub mod charges;
mod config;
mod jobs;
pub mod others;
mod pods;
mod record;
mod release;
mod routes;
mod service;
mod side;
mod stateful;
mod workload;

use serde_json::Value;

pub use attestations::of_budget as attested_about;
pub use budget::Measured;
pub use release::{Found, find, of_manifest};

use super::{Cluster, Error};
use crate::api::Time;
use crate::api::gated_release::WorkloadKind;
use crate::api::names::{CANARY_SUFFIX, PREVIOUS_SUFFIX};
use crate::api::release_record::{Arm, Outcome, Phase, RollbackLog};
use crate::release::Snapshot;
use crate::release::snapshot::{KindSeen, MetricsSeen, PodSeen, Record, Release, RouteSeen, Workload};
use crate::release::split::{Carrier, Split};
use crate::statement::Issuers;

/// Everything about one GatedRelease but the answers of Prometheus.
///
/// `measured` tells whether this process has measured a budget: a figure from before it started may be old. `issuers` are
/// those whose signed statements count.
pub async fn observe(
    cluster: &Cluster,
    found: &Found,
    metrics: MetricsSeen,
    measured: &dyn Measured,
    issuers: &Issuers,
) -> Result<Snapshot, Error> {
    let release = &found.release;
    let (namespace, spec) = (release.namespace.as_str(), &release.spec);
    let name = &spec.workload_ref.name;
    let (canary, previous) = (format!("{name}{CANARY_SUFFIX}"), format!("{name}{PREVIOUS_SUFFIX}"));
    let deployments = &super::kind::DEPLOYMENT;
    let ((mut workload, pods), service, routes, (budget, risk), record, canary, previous, scalers) = tokio::try_join!(
        read_workload(cluster, release),
        cluster.get(&super::kind::SERVICE, namespace, &spec.traffic.service),
        routes::read(cluster, namespace, &spec.traffic),
        budget::read(cluster, namespace, &spec.risk_budget_ref.name, measured),
        record::read(cluster, release),
        cluster.get(deployments, namespace, &canary),
        cluster.get(deployments, namespace, &previous),
        autoscaler::list(cluster, namespace),
    )?;
    let autoscalers = autoscaler::of_workload(cluster, namespace, spec.workload_ref.kind, name, &scalers).await?;
    let busy = is_busy(workload.as_ref(), record.as_ref(), leaves(release))
        || canary.is_some()
        || previous.is_some()
        || names_a_side(&routes);
    let (attestations, too_many_attestations) = match busy {
        true => {
            attestations::of_release(cluster, namespace, &release.name, issuers, attestations::Bounds::USUAL).await?
        }
        false => (Vec::new(), false),
    };
    let endpoints = if busy {
        service::ready_endpoints(cluster, namespace, &spec.traffic.service).await?
    } else {
        service::Endpoints::default()
    };
    // A release that asks for copies of them cannot start without knowing them.
    let network_policies = match busy && spec.traffic.clone_network_policies {
        true => cluster.list(&super::kind::NETWORK_POLICY, namespace, "").await?,
        false => Vec::new(),
    };
    // Where exposure is by count, the user's own mean the canary's pods too.
    let disruption_budgets = match busy && !spec.traffic.by_count() {
        true => cluster.list(&super::kind::PDB, namespace, "").await?,
        false => Vec::new(),
    };
    let own = |carrier, deployment| side::Objects {
        carrier,
        deployment,
        autoscalers: &scalers,
        disruption_budgets: &disruption_budgets,
    };
    let (canary, previous) = tokio::try_join!(
        side::read(cluster, release, own(Carrier::Canary, canary), busy, &endpoints),
        side::read(cluster, release, own(Carrier::Previous, previous), busy, &endpoints),
    )?;
    let pods = match &workload {
        Some(workload) if busy && spec.traffic.by_count() && workload.kind == KindSeen::Deployment => {
            let selector = workload::selector_of(&workload.selector);
            pods::of_deployment(cluster, release, selector.as_deref()).await?
        }
        Some(_) | None => pods,
    };
    if let Some(workload) = workload.as_mut().filter(|workload| workload.kind == KindSeen::Deployment)
        && !spec.traffic.by_count()
        && runs_what_is_judged(record.as_ref())
    {
        pods::crashes(cluster, release, workload).await?;
    }
    let jobs = jobs::read(cluster, release, busy).await?;
    Ok(Snapshot {
        pods,
        service: service.map(|object| service::seen(object, &spec.traffic.service, &endpoints)),
        release: release.clone(),
        others: Vec::new(),
        workload,
        routes,
        canary,
        previous,
        autoscalers,
        budget,
        risk,
        attestations,
        too_many_attestations,
        record,
        answers: None,
        jobs,
        circuits: Vec::new(),
        metrics,
        preflight: None,
        network_policies,
        disruption_budgets,
    })
}

/// Whether the workload still has to be left.
const fn leaves(release: &Release) -> bool {
    release.deleting || (release.detached && release.finalizer)
}

/// The workload, and the pods of a StatefulSet, which say how far it is.
async fn read_workload(cluster: &Cluster, release: &Release) -> Result<(Option<Workload>, Vec<PodSeen>), Error> {
    let (namespace, name) = (&release.namespace, &release.spec.workload_ref.name);
    let (mut workload, pods) = match release.spec.workload_ref.kind {
        WorkloadKind::Deployment => (workload::read(cluster, namespace, name).await?, Vec::new()),
        WorkloadKind::StatefulSet => stateful::read(cluster, namespace, name).await?,
    };
    if let Some(workload) = &mut workload {
        workload.config = config::read(cluster, namespace, workload).await?;
    }
    Ok((workload, pods))
}

/// Whether an attempt goes on or may begin, so that everything is looked at.
fn is_busy(workload: Option<&Workload>, record: Option<&Record>, leaves: bool) -> bool {
    let open = record.is_some_and(|record| record.status.as_ref().is_none_or(|status| status.outcome.is_none()));
    leaves || open || came_back_late(record) || workload.is_some_and(|workload| workload.paused)
}

/// Whether the last attempt left the previous version serving, so that its objects are there even where its Deployment is gone.
fn came_back_late(record: Option<&Record>) -> bool {
    let log = |record: &Record| {
        let late = |log: &RollbackLog| matches!(log.phase, Phase::Promote | Phase::Verify);
        record.status.as_ref().and_then(|status| status.rollback.as_ref()).is_some_and(late)
    };
    let released = |record: &Record| record.status.as_ref().is_some_and(|it| it.outcome == Some(Outcome::Succeeded));
    record.is_some_and(|record| log(record) || record.spec.arm == Arm::Workload && !released(record))
}

/// Whether the workload itself runs, or begins to run, the version that is judged, so that its own pods are looked at.
fn runs_what_is_judged(record: Option<&Record>) -> bool {
    let Some((spec, status)) = record.and_then(|record| Some((&record.spec, record.status.as_ref()?))) else {
        return false;
    };
    let judged = match status.phase {
        Phase::Release => spec.arm == Arm::Workload,
        Phase::Promote | Phase::Verify => true,
        Phase::Idle | Phase::Plan | Phase::Stage | Phase::Rollback | Phase::Complete => false,
    };
    judged && status.outcome.is_none()
}

/// Whether a route names the canary or the previous version, whose Deployment may be gone.
fn names_a_side(routes: &[RouteSeen]) -> bool {
    let mut rules = routes.iter().filter_map(|route| route.state.as_ref().ok()).flat_map(|route| &route.rules);
    rules.any(|rule| rule.is_none_or(|split| split != Split::HOME))
}

fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place)?.as_str()
}

/// When an object was made; the beginning of time where it does not say.
fn created(object: &Value) -> Time {
    let at = text(object, "/metadata/creationTimestamp").and_then(|at| at.parse().ok());
    at.map_or(Time(jiff::Timestamp::UNIX_EPOCH), Time)
}

fn number(value: &Value, place: &str) -> Option<u32> {
    value.pointer(place)?.as_u64().map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

fn strings(value: &Value, place: &str) -> std::collections::BTreeMap<String, String> {
    let map = value.pointer(place).and_then(Value::as_object);
    let pairs = map.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    pairs.collect()
}

fn items<'a>(value: &'a Value, place: &str) -> &'a [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
