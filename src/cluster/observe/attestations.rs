//! Attestations about one GatedRelease, or one RiskBudget. Admission has proved their authors.

use serde_json::Value;

use super::text;
use crate::api::attestation::SubjectRef;
use crate::api::names::{RELEASE, label_value};
use crate::api::{AttestationSpec, Time};
use crate::cluster::kind::ATTESTATION;
use crate::cluster::{Cluster, Error};
use crate::release::snapshot::AttestationSeen;

/// How many are heard: more than the catalogue has, for several revisions and people. The newest count.
const HEARD_MAX: usize = 2_000;

/// All that name the object, in the order in which they were made. One that cannot be read is nobody's word.
pub async fn read(cluster: &Cluster, namespace: &str, subject: &SubjectRef) -> Result<Vec<AttestationSeen>, Error> {
    // Admission gives each the label of what it is about; a name that is too long for one has none.
    let name = &subject.name;
    let labels = if label_value(name) == *name { format!("{RELEASE}={name}") } else { String::new() };
    let all = cluster.list(&ATTESTATION, namespace, &labels).await?;
    let mut heard: Vec<_> = all.into_iter().filter_map(seen).filter(|one| one.spec.release_ref == *subject).collect();
    heard.sort_by_key(|one| one.at);
    let newest = heard.len().saturating_sub(HEARD_MAX);
    Ok(heard.split_off(newest))
}

fn seen(mut object: Value) -> Option<AttestationSeen> {
    // What is being deleted was taken back.
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    let at: Time = text(&object, "/metadata/creationTimestamp")?.parse().ok().map(Time)?;
    let spec: AttestationSpec = serde_json::from_value(object["spec"].take()).ok()?;
    Some(AttestationSeen { spec, at })
}
