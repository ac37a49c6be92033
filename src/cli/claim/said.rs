//! What was said about a release before.

use kube::{Api, Client};

use super::Failure;
use crate::api::{Attestation, Time};
use crate::cli::pages;
use crate::release::snapshot::AttestationSeen;

/// All that was said about a release, the oldest first. By no label: nothing that somebody said is to be missed.
pub(super) async fn about(client: &Client, namespace: &str, release: &str) -> Result<Vec<AttestationSeen>, Failure> {
    let api = Api::<Attestation>::namespaced(client.clone(), namespace);
    let all = pages::all(&api, &format!("Attestations in {namespace}")).await?;
    let ours = all.into_iter().filter(|one| one.spec.release_ref.name == release);
    let mut said: Vec<AttestationSeen> = ours
        .map(|one| {
            let made = one.metadata.creation_timestamp.map_or(jiff::Timestamp::UNIX_EPOCH, |made| made.0);
            AttestationSeen { at: Time::from(made), spec: one.spec }
        })
        .collect();
    said.sort_by_key(|one| one.at);
    Ok(said)
}
