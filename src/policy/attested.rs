//! An Attestation as the API server took it: the one form in which whoever decides by attestations gets them.

use crate::api::{AttestationSpec, Time};

/// What somebody attested. Admission proved its author; whether it counts is for whoever reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Attested {
    /// Its name.
    pub name: String,
    /// When the API server took it (`metadata.creationTimestamp`), which no client can set.
    pub at: Time,
    /// What it says.
    pub spec: AttestationSpec,
}
