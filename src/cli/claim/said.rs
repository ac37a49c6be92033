//! What was said about a release before.

use kube::{Api, Client};

use super::Failure;
use crate::api::attestation::SubjectRef;
use crate::api::{Attestation, Time};
use crate::cli::pages;
use crate::release::snapshot::{AttestationSeen, Proof};

/// All that was said about a release or a budget, the oldest first. By no label: nothing that somebody said is to be missed.
pub(super) async fn about(
    client: &Client,
    namespace: &str,
    subject: &SubjectRef,
) -> Result<Vec<AttestationSeen>, Failure> {
    let api = Api::<Attestation>::namespaced(client.clone(), namespace);
    let all = pages::all(&api, &format!("Attestations in {namespace}")).await?;
    let ours = all.into_iter().filter(|one| one.spec.release_ref == *subject);
    let mut said: Vec<AttestationSeen> = ours
        .map(|one| {
            let made = one.metadata.creation_timestamp.map_or(jiff::Timestamp::UNIX_EPOCH, |made| made.0);
            AttestationSeen { at: Time::from(made), spec: one.spec, proof: Proof::Author }
        })
        .collect();
    said.sort_by_key(|one| one.at);
    Ok(said)
}
