//! Each GatedRelease, and Deployments under the gate.

use serde_json::Value;

use super::{Level, Line, line, unseen};
use crate::cluster::doctor::Installation;
use crate::release::preflight::paused_owners;

pub(super) fn judge(seen: &Installation) -> Vec<Line> {
    let mut lines = Vec::new();
    lines.extend(unseen("GatedReleases", &seen.releases));
    lines.extend(seen.releases.all().iter().map(of_release));
    lines.extend(unseen("Deployments", &seen.gated));
    for deployment in seen.gated.all() {
        lines.extend(of_deployment(seen, deployment));
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
    match has("Ready", "False").or_else(|| has("Held", "True")) {
        Some(says) => line(Level::Warn, WHAT, says),
        None => line(Level::Ok, WHAT, format!("{name}: {}", text(release, "/status/message"))),
    }
}

fn of_deployment(seen: &Installation, deployment: &Value) -> Vec<Line> {
    const WHAT: &str = "Deployment";
    let (namespace, name) = (text(deployment, "/metadata/namespace"), text(deployment, "/metadata/name"));
    let mut lines = Vec::new();
    let named = seen.releases.all().iter().any(|release| {
        text(release, "/metadata/namespace") == namespace && text(release, "/spec/workloadRef/name") == name
    });
    if !named && unseen(WHAT, &seen.releases).is_none() {
        lines.push(line(
            Level::Fail,
            WHAT,
            format!("{namespace}/{name} carries the label tidegate.io/gated and no GatedRelease names it: a changed template is held and nobody ships it. Create one, or take the label off: kubectl label deployment {name} -n {namespace} tidegate.io/gated-"),
        ));
    }
    for manager in paused_owners(deployment) {
        lines.push(line(
            Level::Warn,
            WHAT,
            format!("{namespace}/{name}: field manager {manager} owns spec.paused, which belongs to the gate. Remove `paused` from the manifest that it applies"),
        ));
    }
    lines
}
