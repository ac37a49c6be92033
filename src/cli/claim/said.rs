//! What was said about a release before.

use kube::api::ListParams;
use kube::{Api, Client};

use super::{Failure, why};
use crate::api::attestation::{ClaimOutcome, SubjectRef};
use crate::api::{Attestation, AttestationSpec, Time};
use crate::policy::requirement::Claim;

/// Attestations are read page by page.
const PAGE: u32 = 500;

/// One attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) at: Time,
    pub(super) spec: AttestationSpec,
}

impl Said {
    /// As the policy sees it.
    pub(super) fn claim(&self) -> Claim {
        Claim {
            kind: self.spec.kind.clone(),
            role: self.spec.role.clone(),
            author: self.spec.author.clone(),
            passed: self.spec.outcome == ClaimOutcome::Passed,
            withdrawn: self.spec.outcome == ClaimOutcome::Withdrawn,
            at: self.at,
            until: self.spec.expires_at,
            facts: self.spec.facts.clone(),
        }
    }
}

/// All that was said about a release or a budget, the oldest first. By no label: nothing that somebody said is to be missed.
pub(super) async fn about(client: &Client, namespace: &str, subject: &SubjectRef) -> Result<Vec<Said>, Failure> {
    let api = Api::<Attestation>::namespaced(client.clone(), namespace);
    let mut params = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = api.list(&params).await.map_err(|error| format!("Attestations in {namespace}: {}", why(&error)))?;
        for one in page.items.into_iter().filter(|one| one.spec.release_ref == *subject) {
            let made = one.metadata.creation_timestamp.map_or(jiff::Timestamp::UNIX_EPOCH, |made| made.0);
            all.push(Said { at: Time::from(made), spec: one.spec });
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    all.sort_by_key(|said| said.at);
    Ok(all)
}
