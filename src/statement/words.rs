//! What a statement says: every word that counts, in one form that is signed.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::api::attestation::ClaimOutcome;
use crate::api::{AttestationSpec, Time};

/// What an attestation says about a change. Whoever signs signs this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Words {
    /// The release that it is about, as `namespace/name`.
    pub release: String,
    /// The revision, the image digest or the commit (`git:…`) that it is about.
    pub revision: String,
    /// The type of evidence.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the check passed.
    pub outcome: ClaimOutcome,
    /// Its named facts.
    pub facts: BTreeMap<String, String>,
    /// When it lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// Where to read more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Words {
    /// The words of an attestation in a namespace.
    pub fn of(namespace: &str, spec: &AttestationSpec) -> Self {
        Self {
            release: format!("{namespace}/{}", spec.release_ref.name),
            revision: spec.revision.clone(),
            kind: spec.kind.clone(),
            outcome: spec.outcome,
            facts: spec.facts.clone(),
            expires_at: spec.expires_at,
            link: spec.link.clone(),
        }
    }

    /// The audience of a token that says these words: that of the issuer, a slash, and the SHA-256 of the words as
    /// canonical JSON (RFC 8785) in 64 hexadecimal digits. None where the words cannot be written as JSON, which is never.
    pub fn audience(&self, issuer: &str) -> Option<String> {
        let json = serde_json_canonicalizer::to_vec(self).ok()?;
        let hex: String = Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect();
        Some(format!("{issuer}/{hex}"))
    }
}
