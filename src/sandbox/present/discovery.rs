//! What a client may ask for: groups, versions and resources, in the older documents and in the aggregated one.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::sandbox::api::{Resource, Subresource};

/// The media type of the aggregated document.
pub(super) const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

const OF_STATUS: &[&str] = &["get", "patch", "update"];
const OF_FINALIZE: &[&str] = &["update"];
const OF_EVICTION: &[&str] = &["create"];

/// Whether the `Accept` header asks for the aggregated document in the version that is served.
pub(super) fn wants_aggregated(accept: &str) -> bool {
    let is = |part: &str, wanted: &str| part.split(';').any(|part| part.trim() == wanted);
    accept
        .split(',')
        .any(|one| is(one, "g=apidiscovery.k8s.io") && is(one, "v=v2") && is(one, "as=APIGroupDiscoveryList"))
}

/// `/api` (the core) or `/apis` (all other groups), with everything that is in them.
pub(super) fn aggregated(rows: &[Arc<Resource>], core: bool) -> Value {
    let of_group = |group: &'static str| {
        let versions = versions(rows, group).into_iter().map(|version| {
            let resources: Vec<_> = rows_of(rows, group, version).map(entry).collect();
            json!({"version": version, "resources": resources, "freshness": "Current"})
        });
        json!({"metadata": {"name": group, "creationTimestamp": null}, "versions": versions.collect::<Vec<_>>()})
    };
    let groups = groups(rows).into_iter().filter(|group| group.is_empty() == core);
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
        "items": groups.map(of_group).collect::<Vec<_>>(),
    })
}

fn entry(row: &Resource) -> Value {
    let kind = json!({"group": row.kind.group, "version": row.kind.version, "kind": row.kind.kind});
    let part = |part: &Subresource| {
        let (kind, verbs) = match part {
            Subresource::Status => (kind.clone(), OF_STATUS),
            Subresource::Finalize => (kind.clone(), OF_FINALIZE),
            Subresource::Scale => (json!({"group": "autoscaling", "version": "v1", "kind": "Scale"}), OF_STATUS),
            Subresource::Eviction => (json!({"group": "policy", "version": "v1", "kind": "Eviction"}), OF_EVICTION),
        };
        json!({"subresource": part.as_str(), "responseKind": kind, "verbs": verbs})
    };
    json!({
        "resource": row.kind.plural, "responseKind": kind,
        "scope": if row.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": row.singular, "verbs": row.verbs, "shortNames": row.short_names, "categories": row.categories,
        "subresources": row.subresources.iter().map(part).collect::<Vec<_>>(),
    })
}

/// `/api`
pub(super) fn core_versions(rows: &[Arc<Resource>]) -> Value {
    json!({"kind": "APIVersions", "versions": versions(rows, ""), "serverAddressByClientCIDRs": []})
}

/// `/apis`
pub(super) fn group_list(rows: &[Arc<Resource>]) -> Value {
    let groups = groups(rows).into_iter().filter(|group| !group.is_empty());
    let all: Vec<_> = groups.filter_map(|name| group(rows, name)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": all})
}

/// `/apis/<group>`; none where there is no such group.
pub(super) fn group(rows: &[Arc<Resource>], name: &str) -> Option<Value> {
    let version = |version: &str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let versions: Vec<_> = versions(rows, name).into_iter().map(version).collect();
    let preferred = versions.first()?.clone();
    Some(
        json!({"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions, "preferredVersion": preferred}),
    )
}

/// `/api/v1`, `/apis/<group>/<version>`; none where there is nothing.
pub(super) fn resource_list(rows: &[Arc<Resource>], group: &str, version: &str) -> Option<Value> {
    let mut all = Vec::new();
    for row in rows_of(rows, group, version) {
        all.push(json!({
            "name": row.kind.plural, "singularName": row.singular, "namespaced": row.namespaced, "kind": row.kind.kind,
            "verbs": row.verbs, "shortNames": row.short_names, "categories": row.categories,
        }));
        for part in &row.subresources {
            let name = format!("{}/{}", row.kind.plural, part.as_str());
            let mut entry =
                json!({"name": name, "singularName": "", "namespaced": row.namespaced, "kind": row.kind.kind});
            let verbs = match part {
                Subresource::Finalize => OF_FINALIZE,
                Subresource::Eviction => OF_EVICTION,
                Subresource::Status | Subresource::Scale => OF_STATUS,
            };
            entry["verbs"] = json!(verbs);
            if *part == Subresource::Scale {
                entry["kind"] = json!("Scale");
                entry["group"] = json!("autoscaling");
                entry["version"] = json!("v1");
            }
            if *part == Subresource::Eviction {
                entry["kind"] = json!("Eviction");
                entry["group"] = json!("policy");
                entry["version"] = json!("v1");
            }
            all.push(entry);
        }
    }
    let name = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let list = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": all});
    (!all.is_empty()).then_some(list)
}

/// All groups and versions that are served, in the order in which they were added.
pub(super) fn group_versions(rows: &[Arc<Resource>]) -> Vec<(&'static str, &'static str)> {
    let all = groups(rows).into_iter();
    all.flat_map(|group| versions(rows, group).into_iter().map(move |version| (group, version))).collect()
}

/// What a group serves in one version.
pub(super) fn rows_of<'r>(
    rows: &'r [Arc<Resource>],
    group: &'r str,
    version: &'r str,
) -> impl Iterator<Item = &'r Resource> {
    rows.iter().map(AsRef::as_ref).filter(move |row| row.kind.group == group && row.kind.version == version)
}

fn groups(rows: &[Arc<Resource>]) -> Vec<&'static str> {
    distinct(rows.iter().map(|row| row.kind.group))
}

fn versions(rows: &[Arc<Resource>], group: &str) -> Vec<&'static str> {
    distinct(rows.iter().filter(|row| row.kind.group == group).map(|row| row.kind.version))
}

fn distinct(all: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut seen = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}
