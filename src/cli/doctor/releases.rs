//! Each GatedRelease, and Deployments and StatefulSets under the gate.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Level, Line, line, unseen};
use crate::api::gated_release::WorkloadKind;
use crate::api::names::DETACH;
use crate::cluster::doctor::Installation;
use crate::policy::standing::OBLIGATIONS_MET;
use crate::release::preflight::hold_owners;

pub(super) fn judge(seen: &Installation) -> Vec<Line> {
    let mut lines = Vec::new();
    lines.extend(unseen("GatedReleases", &seen.releases));
    lines.extend(seen.releases.all().iter().map(of_release));
    lines.extend(twins(seen.releases.all()));
    lines.extend(unseen("RiskBudgets", &seen.budgets));
    lines.extend(seen.budgets.all().iter().filter_map(of_budget));
    let kinds = [
        (WorkloadKind::Deployment, "Deployments", &seen.gated),
        (WorkloadKind::StatefulSet, "StatefulSets", &seen.gated_sets),
    ];
    for (kind, all, looked) in kinds {
        lines.extend(unseen(all, looked));
        lines.extend(looked.all().iter().flat_map(|workload| of_workload(seen, kind, workload)));
    }
    if seen.releases.all().is_empty() && lines.is_empty() {
        lines.push(line(Level::Ok, "GatedReleases", "there are none here; -A looks into all namespaces"));
    }
    lines
}

fn text<'v>(object: &'v Value, place: &str) -> &'v str {
    object.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn id(object: &Value) -> String {
    format!("{}/{}", text(object, "/metadata/namespace"), text(object, "/metadata/name"))
}

fn of_release(release: &Value) -> Line {
    const WHAT: &str = "GatedRelease";
    let name = id(release);
    let whole = |place: &str| release.pointer(place).and_then(Value::as_i64).unwrap_or(0);
    let conditions = release.pointer("/status/conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let has = |kind: &str, status: &str| {
        let found = conditions.iter().find(|one| text(one, "/type") == kind && text(one, "/status") == status)?;
        Some(format!("{name}: {kind} is {status}, {}: {}", text(found, "/reason"), text(found, "/message")))
    };
    if conditions.is_empty() {
        let says = format!("{name}: never looked at. Does the controller run? (see Controller and Lease)");
        return line(Level::Fail, WHAT, says);
    }
    if let Some(says) = has("Stalled", "True") {
        return line(Level::Fail, WHAT, says);
    }
    if whole("/status/observedGeneration") < whole("/metadata/generation") {
        let says =
            format!("{name}: its last change has not been looked at yet; wait a moment, else see Controller and Lease");
        return line(Level::Warn, WHAT, says);
    }
    let warned =
        || conditions.iter().find(|one| text(one, "/type") == "Preflight" && text(one, "/reason") == "Warnings");
    let warned = || warned().map(|warned| format!("{name}: Preflight warns of {}", text(warned, "/message")));
    match has("Ready", "False").or_else(|| has("Held", "True")).or_else(|| has("Preflight", "False")).or_else(warned) {
        Some(says) => line(Level::Warn, WHAT, says),
        None => line(Level::Ok, WHAT, format!("{name}: {}", text(release, "/status/message"))),
    }
}

/// Workloads that several GatedReleases name, but for detached ones.
fn twins(releases: &[Value]) -> Vec<Line> {
    let mut all = BTreeMap::<_, Vec<&str>>::new();
    for release in releases {
        let detached = release.pointer("/metadata/annotations").is_some_and(|all| all.get(DETACH).is_some());
        if !detached {
            let workload =
                (text(release, "/metadata/namespace"), kind_of(release), text(release, "/spec/workloadRef/name"));
            all.entry(workload).or_default().push(text(release, "/metadata/name"));
        }
    }
    let several = all.into_iter().filter(|(_, names)| names.len() > 1);
    let told = several.map(|((namespace, kind, name), names)| {
        let says = format!(
            "{kind} {namespace}/{name} is named by {}: one of them has it, the others wait (WorkloadTaken) and release nothing. Delete all but one: kubectl delete gatedrelease NAME -n {namespace}",
            names.join(", ")
        );
        line(Level::Warn, "GatedRelease", says)
    });
    told.collect()
}

/// What a RiskBudget's people owe, where something is overdue.
fn of_budget(budget: &Value) -> Option<Line> {
    let conditions = budget.pointer("/status/conditions").and_then(Value::as_array)?;
    let overdue =
        conditions.iter().find(|one| text(one, "/type") == OBLIGATIONS_MET && text(one, "/status") == "False")?;
    Some(line(Level::Warn, "RiskBudget", format!("{}: {}", id(budget), text(overdue, "/message"))))
}

/// The kind that a GatedRelease names; the API server writes the default.
fn kind_of(release: &Value) -> &str {
    match text(release, "/spec/workloadRef/kind") {
        "" => WorkloadKind::Deployment.as_str(),
        kind => kind,
    }
}

fn of_workload(seen: &Installation, kind: WorkloadKind, workload: &Value) -> Vec<Line> {
    let (what, resource) = (kind.as_str(), kind.resource());
    let (namespace, name) = (text(workload, "/metadata/namespace"), text(workload, "/metadata/name"));
    let mut lines = Vec::new();
    let named = seen.releases.all().iter().any(|release| {
        text(release, "/metadata/namespace") == namespace
            && text(release, "/spec/workloadRef/name") == name
            && kind_of(release) == what
    });
    if !named && unseen(what, &seen.releases).is_none() {
        lines.push(line(
            Level::Fail,
            what,
            format!("{namespace}/{name} carries the label tidegate.io/gated and no GatedRelease names it: a changed template is held and nobody ships it. Create one, or take the label off: kubectl label {resource} {name} -n {namespace} tidegate.io/gated-"),
        ));
    }
    let field = match kind {
        WorkloadKind::Deployment => "paused",
        WorkloadKind::StatefulSet => "updateStrategy.rollingUpdate.partition",
    };
    for manager in hold_owners(kind, workload) {
        lines.push(line(
            Level::Warn,
            what,
            format!("{namespace}/{name}: field manager {manager} owns spec.{field}, which belongs to the gate. Remove `{field}` from the manifest that it applies"),
        ));
    }
    lines
}
