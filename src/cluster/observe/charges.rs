//! The charges of a budget: what pipelines attested, and the records that were made of it.

use serde_json::Value;

use super::text;
use crate::api::attestation::SubjectRef;
use crate::api::names::{RELEASE, label_value};
use crate::api::{AttestationSpec, ReleaseRecordSpec, Time};
use crate::cluster::kind::{ATTESTATION, RELEASE_RECORD};
use crate::cluster::{Cluster, Error};
use crate::policy::evidence::CHARGE;
use crate::release::charge::{Charged, Claimed, book};

/// What was attested to be charged to a budget. One that cannot be read is nobody's word.
pub async fn claims(cluster: &Cluster, namespace: &str, budget: &str) -> Result<Vec<Claimed>, Error> {
    // As of releases: a name that is too long for a label has none.
    let labels = if label_value(budget) == budget { format!("{RELEASE}={budget}") } else { String::new() };
    let all = cluster.list_all(&ATTESTATION, namespace, &labels).await?;
    let subject = SubjectRef::budget(budget);
    // A signature stands for no charge: its author is proven at admission.
    let of_it = |claim: &Claimed| {
        claim.spec.kind == CHARGE && claim.spec.release_ref == subject && claim.spec.statement.is_none()
    };
    Ok(all.into_iter().filter_map(claimed).filter(of_it).collect())
}

fn claimed(mut object: Value) -> Option<Claimed> {
    // What is being deleted was taken back.
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    let name = text(&object, "/metadata/name")?.to_owned();
    let at: Time = text(&object, "/metadata/creationTimestamp")?.parse().ok().map(Time)?;
    let spec: AttestationSpec = serde_json::from_value(object["spec"].take()).ok()?;
    Some(Claimed { name, at, spec })
}

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
        name,
        spec,
    })
}
