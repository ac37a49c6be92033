//! Envelopes: a statement of in-toto about images or commits, with signatures (DSSE 1.0; in-toto Statement 0.1 and 1), as
//! `cosign attest` makes them.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

use super::{GIT, Key, Refusal};
use crate::api::Time;
use crate::api::attestation::{ClaimOutcome, ENVELOPE_MAX};

/// The type of the predicate that says evidence for Tidegate.
pub const PREDICATE: &str = "https://tidegate.io/evidence/v1";

/// The type of the payload that is read.
const PAYLOAD: &str = "application/vnd.in-toto+json";
/// The types of the statement that are read.
const STATEMENTS: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
/// How many signatures and subjects are looked at.
const MANY: usize = 16;

/// An envelope; what else may stand in it, such as a certificate, is not looked at.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Signature {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

/// What newer tools write around an envelope.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    dsse_envelope: Envelope,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Wrapped {
    Bundle(Bundle),
    Envelope(Envelope),
}

/// The statement in an envelope.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

/// The predicate: what is said about the subjects.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Predicate {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    outcome: ClaimOutcome,
    at: Time,
    release: Option<String>,
    #[serde(default)]
    facts: BTreeMap<String, String>,
    expires_at: Option<Time>,
    link: Option<String>,
}

/// What an envelope says, whoever signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsealed {
    /// What it is about: image digests `sha256:…` and commits `git:…`.
    pub about: Vec<String>,
    /// The type of evidence.
    pub kind: String,
    /// Whether the check passed.
    pub outcome: ClaimOutcome,
    /// When it was said. A copy that is applied later is no newer.
    pub at: Time,
    /// The release that it is about, as `namespace/name`; every one that runs the image where absent.
    pub release: Option<String>,
    /// Its named facts.
    pub facts: BTreeMap<String, String>,
    /// When it lapses.
    pub expires_at: Option<Time>,
    /// Where to read more.
    pub link: Option<String>,
}

/// What an envelope says, before anybody looked at its signatures: to make an attestation of it, not to believe it.
pub fn unsealed(text: &str) -> Result<Unsealed, Refusal> {
    read(text).and_then(|envelope| statement(&payload(&envelope)?))
}

/// An envelope without what tools write around it, as an attestation carries it.
pub fn compact(text: &str) -> Result<String, Refusal> {
    let short = serde_json::to_string(&read(text)?).map_err(|why| Refusal::Malformed(why.to_string()))?;
    match short.len() > ENVELOPE_MAX {
        true => Err(too_large(short.len())),
        false => Ok(short),
    }
}

/// What an envelope says that one of these keys signed, and the key.
pub(super) fn opened<'a>(
    text: &str,
    keys: impl Iterator<Item = &'a Key>,
) -> Result<Option<(Unsealed, &'a Key)>, Refusal> {
    if text.len() > ENVELOPE_MAX {
        return Err(too_large(text.len()));
    }
    let envelope = read(text)?;
    let payload = payload(&envelope)?;
    let signatures: Vec<Vec<u8>> =
        envelope.signatures.iter().take(MANY).map(|one| decode(&one.sig, "a signature")).collect::<Result<_, _>>()?;
    let message = message(&envelope.payload_type, &payload);
    let mut keys = keys.filter(|key| signatures.iter().any(|signature| key.signed_envelope(&message, signature)));
    match keys.next() {
        Some(key) => Ok(Some((statement(&payload)?, key))),
        None => Ok(None),
    }
}

/// What is signed: the type and the payload, each with its length, so that neither can be taken for a part of the other.
pub(super) fn message(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn read(text: &str) -> Result<Envelope, Refusal> {
    let wanted = "wanted is a DSSE envelope in JSON, such as {\"payloadType\": …, \"payload\": …, \"signatures\": […]}";
    match serde_json::from_str(text) {
        Ok(Wrapped::Bundle(Bundle { dsse_envelope: envelope }) | Wrapped::Envelope(envelope)) => Ok(envelope),
        Err(_) => Err(Refusal::Malformed(wanted.to_owned())),
    }
}

fn payload(envelope: &Envelope) -> Result<Vec<u8>, Refusal> {
    match envelope.payload_type == PAYLOAD {
        true => decode(&envelope.payload, "the payload"),
        false => Err(Refusal::Malformed(format!(
            "its payload is {:?}, wanted is {PAYLOAD}",
            super::token::short(&envelope.payload_type)
        ))),
    }
}

fn statement(payload: &[u8]) -> Result<Unsealed, Refusal> {
    let bad = Refusal::Malformed;
    let Statement { kind, subject, predicate_type, predicate } =
        serde_json::from_slice(payload).map_err(|why| bad(format!("its statement: {why}")))?;
    if !STATEMENTS.contains(&kind.as_str()) {
        return Err(bad(format!("its statement is {:?}, wanted is {}", super::token::short(&kind), STATEMENTS[0])));
    }
    if predicate_type != PREDICATE {
        let got = super::token::short(&predicate_type);
        return Err(bad(format!("its predicate is {got:?}, wanted is {PREDICATE} (cosign attest --type {PREDICATE})")));
    }
    let Predicate { kind, outcome, at, release, facts, expires_at, link } =
        serde_json::from_value(predicate).map_err(|why| bad(format!("its predicate: {why}")))?;
    let about = |(name, hex): (&String, &String)| match name.as_str() {
        "sha256" => Some(format!("sha256:{hex}")),
        "gitCommit" => Some(format!("{GIT}{hex}")),
        _ => None,
    };
    let about: Vec<String> = subject.iter().take(MANY).flat_map(|one| one.digest.iter()).filter_map(about).collect();
    Ok(Unsealed { about, kind, outcome, at, release, facts, expires_at, link })
}

fn decode(text: &str, what: &str) -> Result<Vec<u8>, Refusal> {
    let all = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text));
    all.map_err(|_| Refusal::Malformed(format!("{what} of the envelope is not base64")))
}

fn too_large(bytes: usize) -> Refusal {
    Refusal::Malformed(format!("an envelope of {bytes} bytes is too large, at most {ENVELOPE_MAX} are taken"))
}
