//! Attestations about one GatedRelease. Admission has proved their authors; statements are proved here by their signatures.

use serde_json::Value;

use super::text;
use crate::api::AttestationSpec;
use crate::api::Time;
use crate::api::names::{RELEASE, label_value};
use crate::cluster::kind::ATTESTATION;
use crate::cluster::{Cluster, Error};
use crate::release::snapshot::{AttestationSeen, Proof};
use crate::statement::{Issuers, verify};

/// How many are heard: more than the catalogue has, for several revisions and people. The newest count.
const HEARD_MAX: usize = 2_000;
/// How many with a statement that does not count are told of.
const REFUSED_MAX: usize = 50;

/// All that name the GatedRelease, in the order in which they were made. One that cannot be read is nobody's word.
pub(super) async fn read(
    cluster: &Cluster,
    namespace: &str,
    release: &str,
    issuers: &Issuers,
) -> Result<Vec<AttestationSeen>, Error> {
    // Admission gives each the label of its release; a name that is too long for one has none.
    let labels = if label_value(release) == release { format!("{RELEASE}={release}") } else { String::new() };
    let all = cluster.list(&ATTESTATION, namespace, &labels).await?;
    let seen = all.into_iter().filter_map(|object| seen(object, namespace, issuers));
    Ok(newest(seen.filter(|one| one.spec.release_ref.name == release).collect()))
}

/// The newest that count, and the newest that do not: these take no place from what somebody proved, as it takes no
/// right of its own to make them.
fn newest(all: Vec<AttestationSeen>) -> Vec<AttestationSeen> {
    let (mut refused, mut heard): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|one| matches!(one.proof, Proof::Refused(_)));
    for (list, most) in [(&mut refused, REFUSED_MAX), (&mut heard, HEARD_MAX)] {
        list.sort_by_key(|one| one.at);
        list.drain(..list.len().saturating_sub(most));
    }
    heard.extend(refused);
    heard.sort_by_key(|one| one.at);
    heard
}

fn seen(mut object: Value, namespace: &str, issuers: &Issuers) -> Option<AttestationSeen> {
    // What is being deleted was taken back.
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    let at: Time = text(&object, "/metadata/creationTimestamp")?.parse().ok().map(Time)?;
    let spec: AttestationSpec = serde_json::from_value(object["spec"].take()).ok()?;
    // Reading a statement is a part of reading: what it says is nobody's word before its signature was looked at.
    let proof = match &spec.statement {
        None => Proof::Author,
        Some(text) => match verify(issuers, namespace, &spec, text, at) {
            Ok(signed) => Proof::Signed(signed),
            Err(why) => Proof::Refused(why.to_string()),
        },
    };
    Some(AttestationSeen { spec, at, proof })
}
