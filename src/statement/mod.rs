//! Statements that somebody outside the cluster signed: which text is signed by whom, about which change, and why one does
//! not count. For pipelines that hold no role in the cluster.
//!
//! Here belongs what follows from a text, the issuers that the admin trusts, and the moment at which the API server took
//! it. What must never enter: I/O, a clock, a key that a tenant named, and what a requirement is (that is `policy`).
//! `tests/pure_rooms.rs` holds this.
//!
//! An [`Attestation`](crate::api::Attestation) may be made by anybody who may create one: a relay, a GitOps tool, a person.
//! Its author proves nothing then, the signature does: it covers every word that counts ([`Words`]), so that whoever
//! carries a statement cannot change what it says, move it to another release, image or commit, or make it look newer.
//!
//! A token is judged by the moment at which the API server took the attestation (`metadata.creationTimestamp`, which no
//! client can set, on a spec that cannot be edited). So it may live for minutes, its verdict needs no memory, and a copy
//! that is applied after it expired does not count.

mod envelope;
mod issuers;
mod key;
mod pattern;
mod refusal;
mod token;
mod verify;
mod words;

#[cfg(test)]
pub(crate) mod tests;

pub use envelope::{PREDICATE, Unsealed, compact, unsealed};
pub use issuers::{Issuer, Issuers, KeysFrom, Party, Rule};
pub use key::{Key, Keys};
pub use pattern::Pattern;
pub use refusal::Refusal;
pub use verify::{Signed, verify};
pub use words::Words;

use crate::api::Span;

/// How far the clocks of an issuer and of the API server may differ.
pub const LEEWAY: Span = Span::seconds(60);

/// The longest name of a signer that is shown, in characters.
pub const SUBJECT_MAX: usize = 256;

/// What stands before the commit of a change, in `tidegate.io/change` and in `spec.revision`.
pub const GIT: &str = "git:";

/// Whether a text names a commit whole: `git:` and 40 or 64 hexadecimal digits. Of an abbreviated one somebody can make
/// another that begins alike.
pub fn is_commit(text: &str) -> bool {
    let hex = text.strip_prefix(GIT).unwrap_or_default();
    matches!(hex.len(), 40 | 64) && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
