//! The records that were made of the charges of a budget; what pipelines attested is read with all that was attested about it
//! (`attestations.rs`).

use serde_json::Value;

use super::text;
use crate::api::names::{RELEASE, label_value};
use crate::api::{ReleaseRecordSpec, Time};
use crate::cluster::kind::RELEASE_RECORD;
use crate::cluster::{Cluster, Error};
use crate::release::charge::{Charged, book};

/// The records of what was charged to a budget and is no workload's change.
pub async fn records(cluster: &Cluster, namespace: &str, budget: &str) -> Result<Vec<Charged>, Error> {
    let labels = format!("{RELEASE}={}", label_value(&book(budget)));
    let all = cluster.list_all(&RELEASE_RECORD, namespace, &labels).await?;
    all.into_iter().map(charged).filter(|one| one.as_ref().map_or(true, |one| one.spec.risk_budget == budget)).collect()
}

fn charged(mut object: Value) -> Result<Charged, Error> {
    let name = text(&object, "/metadata/name").unwrap_or_default().to_owned();
    let spec: ReleaseRecordSpec = serde_json::from_value(object["spec"].take())
        .map_err(|why| Error::Malformed { what: format!("ReleaseRecord {name}"), why: format!("spec: {why}") })?;
    Ok(Charged {
        resource_version: text(&object, "/metadata/resourceVersion").unwrap_or_default().to_owned(),
        digest: text(&object, "/status/digest").map(str::to_owned),
        at: text(&object, "/status/charge/at").and_then(|at| at.parse().ok()).map(Time),
        name,
        spec,
    })
}
