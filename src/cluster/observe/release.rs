//! The GatedRelease itself.

use serde_json::Value;

use super::{items, text};
use crate::api::names::{DETACH, FINALIZER, RETRY};
use crate::api::{GatedReleaseSpec, GatedReleaseStatus, Time};
use crate::cluster::kind::GATED_RELEASE;
use crate::cluster::{Cluster, Error};
use crate::release::room;
use crate::release::snapshot::Release;

/// A GatedRelease as it was read, with what its writes need.
#[derive(Debug, Clone)]
pub struct Found {
    /// The release.
    pub release: Release,
    /// Its resourceVersion.
    pub resource_version: String,
    /// All its finalizers.
    pub finalizers: Vec<String>,
    /// Its status as raw JSON.
    pub status: Value,
}

/// Reads a GatedRelease; none where it does not exist.
pub async fn find(cluster: &Cluster, namespace: &str, name: &str) -> Result<Option<Found>, Error> {
    cluster.get(&GATED_RELEASE, namespace, name).await?.map(|object| parse(namespace, name, object)).transpose()
}

/// A GatedRelease as a manifest has it, as if it stood in the cluster.
pub fn of_manifest(namespace: &str, object: Value) -> Result<Found, Error> {
    let name = text(&object, "/metadata/name").unwrap_or_default().to_owned();
    parse(namespace, &name, object)
}

fn parse(namespace: &str, name: &str, mut object: Value) -> Result<Found, Error> {
    let malformed = |field: &str, why: serde_json::Error| Error::Malformed {
        what: format!("GatedRelease {namespace}/{name}"),
        why: format!("{field}: {why}"),
    };
    let spec: GatedReleaseSpec = serde_json::from_value(object["spec"].take()).map_err(|why| malformed("spec", why))?;
    let raw = object["status"].take();
    let status: Option<GatedReleaseStatus> =
        serde_json::from_value(raw.clone()).map_err(|why| malformed("status", why))?;
    let finalizers: Vec<_> =
        items(&object, "/metadata/finalizers").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let annotations = super::strings(&object, "/metadata/annotations");
    let release = Release {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        labels: super::strings(&object, "/metadata/labels"),
        uid: text(&object, "/metadata/uid").unwrap_or_default().to_owned(),
        created: text(&object, "/metadata/creationTimestamp").and_then(|at| at.parse().ok()).map(Time),
        generation: object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0),
        deleting: object.pointer("/metadata/deletionTimestamp").is_some(),
        detached: annotations.contains_key(DETACH),
        finalizer: finalizers.iter().any(|name| name == FINALIZER),
        // As much of it as a record keeps, so that the two can be compared.
        retry: annotations.get(RETRY).map(|value| room::bounded(value, room::RETRY)),
        spec,
        status: status.unwrap_or_default(),
    };
    let resource_version = text(&object, "/metadata/resourceVersion").unwrap_or_default().to_owned();
    Ok(Found { release, resource_version, finalizers, status: raw })
}
