//! What is said to the cluster: annotations, and an attestation.

use std::collections::BTreeMap;

use super::Told;
use super::annotate::Annotation;
use super::page::authors;
use crate::api::attestation::{ClaimOutcome, SubjectRef};
use crate::api::names::{CHANGE, CHANGE_CATEGORIES, CHANGE_SEVERITY, CHANGE_TYPE};
use crate::api::{Attestation, AttestationSpec};
use crate::cli::Failure;

/// The type of the attestation.
const KIND: &str = "classification";

/// Whom and what the attestation is about.
pub struct About<'a> {
    /// The GatedRelease.
    pub release: &'a str,
    /// The revision.
    pub revision: &'a str,
    /// Who attests.
    pub author: &'a str,
    /// The namespace; that of the kubeconfig where it is None.
    pub namespace: Option<&'a str>,
}

/// The annotations of the change. One that nobody says anything for is taken away: it would be an earlier change's.
pub fn annotations(told: &Told) -> Vec<Annotation> {
    let words = told.report.words();
    vec![
        (CHANGE, Some(told.reference.clone())),
        (CHANGE_TYPE, told.kind.as_ref().map(|said| said.value.to_string())),
        (CHANGE_SEVERITY, told.severity.as_ref().map(|said| said.value.to_string())),
        (CHANGE_CATEGORIES, (!words.is_empty()).then_some(words)),
    ]
}

/// The manifest of an Attestation.
pub fn manifest(told: &Told, about: &About<'_>) -> Result<String, Failure> {
    if told.report.files.is_empty() {
        return Err(format!("range {}: no file differs, so there is nothing to attest", told.range.shown));
    }
    let (added, removed) = told.report.lines();
    let list = |all: Vec<&str>| all.join(", ");
    let mut facts: BTreeMap<String, String> = [
        ("range", format!("{}..{}", told.range.base, told.range.head)),
        ("change", told.reference.clone()),
        ("change-authors", list(authors(told).into_iter().collect())),
        ("categories", told.report.words()),
        ("commits", told.commits.len().to_string()),
        ("files", told.report.files.len().to_string()),
        ("lines-added", added.to_string()),
        ("lines-removed", removed.to_string()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    let optional = [
        ("change-type", told.kind.as_ref().map(|said| said.value.to_string())),
        ("change-severity", told.severity.as_ref().map(|said| said.value.to_string())),
        ("owners", Some(list(told.report.owners().into_iter().collect())).filter(|owners| !owners.is_empty())),
        ("switched-off", Some(told.report.switched_off.join(", ")).filter(|off| !off.is_empty())),
    ];
    facts.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    let mut attestation = Attestation::new(
        &format!("{}-{KIND}-{}", about.release, told.range.head_short()),
        AttestationSpec {
            groups: Vec::new(),
            release_ref: SubjectRef::release(about.release),
            revision: about.revision.to_owned(),
            kind: KIND.to_owned(),
            role: None,
            outcome: ClaimOutcome::Passed,
            author: about.author.to_owned(),
            expires_at: None,
            link: None,
            facts,
        },
    );
    attestation.metadata.namespace = about.namespace.map(str::to_owned);
    let value = serde_json::to_value(&attestation).map_err(|why| why.to_string())?;
    Ok(format!("{}\n", serde_saphyr::to_string(&value).map_err(|why| why.to_string())?.trim_end()))
}
