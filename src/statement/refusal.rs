//! Why a statement does not count: one variant a reason, which owns its sentence and the remedy.

use crate::api::Time;

/// Why a statement does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read.
    #[error("it cannot be read: {0}; send what the issuer gave, unchanged")]
    Malformed(String),
    /// Its form is not spoken of by any issuer of the configuration.
    #[error("no issuer is configured that signs {0}; the admin adds one (chart value evidence.issuers)")]
    NoIssuer(&'static str),
    /// A token of somebody else.
    #[error("it is from issuer {0:?}, which is not configured; the admin adds it (chart value evidence.issuers)")]
    Issuer(String),
    /// A way to sign that is not allowed.
    #[error("it is signed with {0:?}; allowed are RS256, ES256 and EdDSA")]
    Algorithm(String),
    /// The keys of the issuer are not known.
    #[error("the keys of {issuer} are not known: {why}; Tidegate looks again")]
    NoKeys {
        /// The issuer's name.
        issuer: String,
        /// Why not.
        why: String,
    },
    /// It asks for a key that the issuer does not have.
    #[error(
        "it is signed by key {key:?}, which {issuer} does not have (any more); sign it anew, or the admin adds the key"
    )]
    Key {
        /// The issuer's name.
        issuer: String,
        /// The key's name; empty where it asks for none.
        key: String,
    },
    /// The signature is not that of the key.
    #[error("its signature is not that of {0}; it was changed after it was signed, or signed by somebody else")]
    Signature(String),
    /// It is for somebody else, or says other words.
    #[error(
        "it is made out to {got:?}, wanted is {wanted:?}{also}; ask for the token with just that audience: tidegate attest … --print-audience shows it"
    )]
    Audience {
        /// The audiences that it has.
        got: String,
        /// The one that says the attestation's words.
        wanted: String,
        /// What else would do.
        also: String,
    },
    /// It had expired when the API server took the attestation.
    #[error(
        "it expired {expired}, and the API server took it {taken}; a token is brought within its lifetime: ask for another and apply it at once",
        expired = expired.clock(), taken = taken.clock()
    )]
    Expired {
        /// When it expired.
        expired: Time,
        /// When the attestation was made.
        taken: Time,
    },
    /// It was not valid yet when the API server took the attestation.
    #[error(
        "it is valid from {from}, and the API server took it {taken}; set the clock of whoever signs, and sign it anew",
        from = from.clock(), taken = taken.clock()
    )]
    Early {
        /// From when it is valid, or when it was signed.
        from: Time,
        /// When the attestation was made.
        taken: Time,
    },
    /// It lacks a claim, or the claim is no text or number.
    #[error("it has no claim {0:?} that can be read; {1}")]
    Claim(String, &'static str),
    /// No rule trusts the subject.
    #[error(
        "{issuer} signed it for {subject:?}, whom no rule of {issuer} trusts; the admin adds a pattern to trust.subjects"
    )]
    Subject {
        /// The issuer's name.
        issuer: String,
        /// Whom the token is for.
        subject: String,
    },
    /// Rules trust the subject, but not with these claims.
    #[error(
        "its claim {claim} is {got:?}, wanted is {wanted:?}; run it where that holds, or the admin changes trust.claims"
    )]
    ClaimDiffers {
        /// The claim.
        claim: String,
        /// Its value; empty where there is none.
        got: String,
        /// The pattern.
        wanted: String,
    },
    /// Rules trust the subject, but not for this release.
    #[error("{by} may not speak of release {release}; the admin adds it to trust.releases")]
    Release {
        /// Who signed.
        by: String,
        /// The release.
        release: String,
    },
    /// Rules trust the subject for this release, but not for this type.
    #[error("{by} may not attest {kind}; the admin adds it to trust.types")]
    Type {
        /// Who signed.
        by: String,
        /// The type.
        kind: String,
    },
    /// The token is for another commit.
    #[error("it is for commit {signed}, and the attestation is about {about}; run CI for that commit")]
    Commit {
        /// The commit of the token.
        signed: String,
        /// `spec.revision`.
        about: String,
    },
    /// It speaks of a commit, which the admin did not let it do.
    #[error(
        "it is about a commit, which no image is bound to, and {issuer} counts for images alone; sign it for the image, or the admin writes {remedy}"
    )]
    NoCommits {
        /// The issuer's name.
        issuer: String,
        /// What the admin writes.
        remedy: &'static str,
    },
    /// The envelope is about other images.
    #[error("it is about {signed}, and the attestation is about {about}; sign one for that image")]
    Image {
        /// The digests that were signed.
        signed: String,
        /// `spec.revision`.
        about: String,
    },
    /// The attestation says something else than what was signed.
    #[error(
        "{field} of the attestation is {written}, signed is {signed}; make it with: tidegate attest --statement FILE"
    )]
    Words {
        /// The field of the attestation.
        field: &'static str,
        /// What stands there.
        written: String,
        /// What was signed.
        signed: String,
    },
    /// Approvals and starts are not signed by machines.
    #[error("{0} is said by people, whom the API server authenticates; no signature stands for them")]
    Person(String),
}
