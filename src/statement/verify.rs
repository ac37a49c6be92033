//! Whether a statement that an attestation carries is signed by somebody who may say it, about just that change.

use super::issuers::{Issuer, Issuers, Party, Rule};
use super::token::{Sealed, Token, short};
use super::{GIT, LEEWAY, Refusal, Unsealed, Words, envelope, is_commit};
use crate::api::attestation::Statement;
use crate::api::{AttestationSpec, Time};
use crate::policy::evidence::START;
use crate::policy::requirement::claim::APPROVAL;

/// Who signed what an attestation says, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Issuer and subject, such as `github.com/acme/checkout/.github/workflows/ci.yaml@refs/heads/main`; of a key its
    /// holder and fingerprint.
    pub by: String,
    /// When it was signed: it is no newer where somebody applies it again.
    pub at: Time,
}

/// Who signed an attestation of a namespace that the API server took at a moment, or why its statement does not count.
pub fn verify(
    issuers: &Issuers,
    namespace: &str,
    spec: &AttestationSpec,
    statement: &Statement,
    taken: Time,
) -> Result<Signed, Refusal> {
    if [APPROVAL, START].contains(&spec.kind.as_str()) {
        return Err(Refusal::Person(spec.kind.clone()));
    }
    let words = Words::of(namespace, spec);
    match (&statement.token, &statement.envelope) {
        (Some(token), None) => by_token(issuers, &words, token, taken),
        (None, Some(envelope)) => by_envelope(issuers, &words, envelope, taken),
        (Some(_), Some(_)) | (None, None) => {
            Err(Refusal::Malformed("spec.statement has exactly one of token and envelope".to_owned()))
        }
    }
}

fn by_token(issuers: &Issuers, words: &Words, text: &str, taken: Time) -> Result<Signed, Refusal> {
    let sealed = Sealed::read(text)?;
    let mut parties = issuers.all().iter().filter_map(|one| match &one.party {
        Party::Oidc { issuer, audience, subject, commit, from: _, keys } => {
            Some((one, issuer, audience, subject, commit.as_ref(), keys))
        }
        Party::Holder { .. } => None,
    });
    let found = parties.find(|(_, issuer, ..)| **issuer == sealed.issuer());
    let Some((one, _, audience, subject, commit, keys)) = found else {
        return Err(Refusal::Issuer(short(sealed.issuer())));
    };
    let keys = keys.as_ref().map_err(|why| Refusal::NoKeys { issuer: one.name.clone(), why: why.clone() })?;
    let token = sealed.open(&one.name, keys)?;
    let at = token.valid(taken)?;
    bound(&token, words, audience, commit)?;
    if commit.is_none() && words.revision.starts_with(GIT) {
        return Err(Refusal::NoCommits { issuer: one.name.clone(), remedy: "oidc.commit" });
    }
    let subject = token.subject(subject)?;
    let by = format!("{}/{subject}", one.name);
    trusted(one, Some((&subject, &token)), words, &by)?;
    Ok(Signed { by, at })
}

/// Whether a token is about the change of the attestation: its audience signs every word, or its commit is the one that
/// the attestation is about, and nothing is said that it does not sign.
fn bound(token: &Token, words: &Words, audience: &str, commit: Option<&String>) -> Result<(), Refusal> {
    let all = token.audiences();
    let wanted = words.audience(audience).unwrap_or_default();
    let whole = all.contains(&wanted.as_str());
    if !(whole || commit.is_some() && all.contains(&audience)) {
        let also = commit.map(|_| format!(", or {audience:?} for evidence about a commit without facts"));
        return Err(Refusal::Audience { got: short(&all.join(", ")), wanted, also: also.unwrap_or_default() });
    }
    if !whole {
        let unsigned = [
            ("spec.facts", !words.facts.is_empty()),
            ("spec.link", words.link.is_some()),
            ("spec.expiresAt", words.expires_at.is_some()),
        ];
        if let Some((field, _)) = unsigned.into_iter().find(|(_, there)| *there) {
            let signed = format!("nothing, as the audience is {audience:?}");
            return Err(Refusal::Words { field, written: "there".to_owned(), signed });
        }
    }
    let Some(claim) = commit else { return Ok(()) };
    if whole && !words.revision.starts_with(GIT) {
        return Ok(());
    }
    let signed =
        token.claim(claim).ok_or(Refusal::Claim(claim.clone(), "the admin names the claim with oidc.commit"))?;
    let signed = format!("{GIT}{signed}");
    match signed == words.revision && is_commit(&signed) {
        true => Ok(()),
        false => Err(Refusal::Commit { signed: short(&signed), about: words.revision.clone() }),
    }
}

fn by_envelope(issuers: &Issuers, words: &Words, text: &str, taken: Time) -> Result<Signed, Refusal> {
    let holders: Vec<_> = issuers
        .all()
        .iter()
        .filter_map(|one| match &one.party {
            Party::Holder { keys, commits } => Some((one, keys, *commits)),
            Party::Oidc { .. } => None,
        })
        .collect();
    if holders.is_empty() {
        return Err(Refusal::NoIssuer("envelopes"));
    }
    for (one, keys, commits) in holders {
        let Some((said, key)) = envelope::opened(text, keys.all().iter())? else { continue };
        let by = format!("{}/{}", one.name, key.fingerprint());
        same(&said, words)?;
        if !commits && words.revision.starts_with(GIT) {
            return Err(Refusal::NoCommits { issuer: one.name.clone(), remedy: "commits: true" });
        }
        if said.at > taken.plus(LEEWAY) {
            return Err(Refusal::Early { from: said.at, taken });
        }
        trusted(one, None, words, &by)?;
        return Ok(Signed { by, at: said.at });
    }
    Err(Refusal::Signature("any configured holder of a key".to_owned()))
}

/// Whether an attestation says what was signed.
fn same(said: &Unsealed, words: &Words) -> Result<(), Refusal> {
    if !said.about.contains(&words.revision) {
        return Err(Refusal::Image { signed: short(&said.about.join(", ")), about: words.revision.clone() });
    }
    let shown = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
    let release = said.release.as_ref().unwrap_or(&words.release);
    let facts = |facts: &std::collections::BTreeMap<String, String>| short(&format!("{facts:?}"));
    let pairs = [
        ("spec.type", words.kind.clone(), said.kind.clone()),
        ("spec.releaseRef", words.release.clone(), release.clone()),
        ("spec.outcome", format!("{:?}", words.outcome), format!("{:?}", said.outcome)),
        (
            "spec.expiresAt",
            shown(words.expires_at.map(|at| at.to_string())),
            shown(said.expires_at.map(|at| at.to_string())),
        ),
        ("spec.link", shown(words.link.clone()), shown(said.link.clone())),
    ];
    for (field, written, signed) in pairs {
        if written != signed {
            return Err(Refusal::Words { field, written, signed: short(&signed) });
        }
    }
    match words.facts == said.facts {
        true => Ok(()),
        false => Err(Refusal::Words { field: "spec.facts", written: facts(&words.facts), signed: facts(&said.facts) }),
    }
}

/// Whether a rule lets an issuer say this. Otherwise the rule that came furthest says what is missing.
fn trusted(issuer: &Issuer, token: Option<(&str, &Token)>, words: &Words, by: &str) -> Result<(), Refusal> {
    let mut furthest: Option<(u8, Refusal)> = None;
    for rule in &issuer.rules {
        let Err((step, why)) = fits(rule, issuer, token, words, by) else { return Ok(()) };
        if furthest.as_ref().is_none_or(|(other, _)| step > *other) {
            furthest = Some((step, why));
        }
    }
    // An issuer without a rule is not read from any configuration.
    Err(furthest.map_or_else(|| Refusal::Type { by: by.to_owned(), kind: words.kind.clone() }, |(_, why)| why))
}

fn fits(
    rule: &Rule,
    issuer: &Issuer,
    token: Option<(&str, &Token)>,
    words: &Words,
    by: &str,
) -> Result<(), (u8, Refusal)> {
    if let Some((subject, token)) = token {
        if !rule.subjects.iter().any(|pattern| pattern.fits(subject)) {
            return Err((0, Refusal::Subject { issuer: issuer.name.clone(), subject: subject.to_owned() }));
        }
        for (claim, pattern) in &rule.claims {
            let got = token.claim(claim).unwrap_or_default();
            if !pattern.fits(&got) {
                let (claim, got, wanted) = (claim.clone(), short(&got), pattern.to_string());
                return Err((1, Refusal::ClaimDiffers { claim, got, wanted }));
            }
        }
    }
    if !rule.releases.iter().any(|pattern| pattern.fits(&words.release)) {
        return Err((2, Refusal::Release { by: by.to_owned(), release: words.release.clone() }));
    }
    match rule.types.contains(&words.kind) {
        true => Ok(()),
        false => Err((3, Refusal::Type { by: by.to_owned(), kind: words.kind.clone() })),
    }
}
