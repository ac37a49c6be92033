//! Whose statements count, as the admin configured it: issuers of tokens, holders of keys, and what each may say of which
//! releases.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Key, Keys, Pattern};
use crate::policy::evidence;

/// How many issuers, rules of an issuer, and entries of a list there may be.
const MANY: usize = 64;

/// The configured issuers. None are trusted where nothing is configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Issuers(Vec<Issuer>);

/// Somebody whose signature counts for some things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The name by which messages and records tell of it, such as `github.com`.
    pub name: String,
    /// How it signs.
    pub party: Party,
    /// What it may say. A statement needs one rule that fits in everything.
    pub rules: Vec<Rule>,
}

/// How an issuer signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// It gives out OpenID Connect tokens.
    Oidc {
        /// The `iss` of its tokens, character by character.
        issuer: String,
        /// What the `aud` of a token begins with.
        audience: String,
        /// The claim that says who asked for the token.
        subject: String,
        /// The claim that says which commit the token is for; none where no token counts for a commit.
        commit: Option<String>,
        /// Where its keys are from.
        from: KeysFrom,
        /// Its keys, as far as they are known; why not otherwise.
        keys: Result<Keys, String>,
    },
    /// It holds a private key and signs envelopes, as cosign does.
    Holder {
        /// The public keys.
        keys: Keys,
        /// Whether envelopes about a commit count; no image is bound to one.
        commits: bool,
    },
}

/// Where the keys of an issuer of tokens are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysFrom {
    /// They stand in the configuration.
    Inline,
    /// A file of this path, which holds a JSON Web Key Set.
    File(String),
    /// The issuer's own discovery document, over https.
    Discovery,
}

/// Who may say what of which releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Who signs: one of these fits the subject. Empty for holders of keys.
    pub subjects: Vec<Pattern>,
    /// Further claims of the token, each of which fits.
    pub claims: BTreeMap<String, Pattern>,
    /// About which releases, as `namespace/name`.
    pub releases: Vec<Pattern>,
    /// Which types of evidence.
    pub types: BTreeSet<String>,
}

impl Issuers {
    /// Reads the file's text, YAML. The error names the field, the value and what would be accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|why| why.to_string())?;
        few("issuers", &file.issuers)?;
        let read = |(at, one)| issuer(&format!("issuers[{at}]"), one);
        let all: Vec<Issuer> = file.issuers.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let (mut names, mut urls) = (BTreeSet::new(), BTreeSet::new());
        for (at, one) in all.iter().enumerate() {
            if !names.insert(one.name.as_str()) {
                return Err(format!("issuers[{at}].name: {:?} stands twice; a name is one issuer's", one.name));
            }
            if let Party::Oidc { issuer, .. } = &one.party
                && !urls.insert(issuer.as_str())
            {
                return Err(format!("issuers[{at}].oidc.issuer: {issuer} stands twice; write all its rules under one"));
            }
        }
        Ok(Self(all))
    }

    /// All of them, in the order of the file.
    pub fn all(&self) -> &[Issuer] {
        &self.0
    }

    /// The same with the keys of an issuer of tokens, or with why there are none.
    #[must_use]
    pub fn with_keys(mut self, name: &str, found: Result<Keys, String>) -> Self {
        for one in self.0.iter_mut().filter(|one| one.name == name) {
            if let Party::Oidc { keys, .. } = &mut one.party {
                *keys = found.clone();
            }
        }
        self
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    #[serde(default)]
    issuers: Vec<IssuerText>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IssuerText {
    name: String,
    oidc: Option<OidcText>,
    #[serde(default)]
    public_keys: Vec<String>,
    commits: Option<bool>,
    #[serde(default)]
    trust: Vec<RuleText>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OidcText {
    issuer: String,
    audience: String,
    #[serde(default = "OidcText::default_subject")]
    subject: String,
    commit: Option<String>,
    jwks: Option<serde_json::Value>,
    jwks_file: Option<String>,
}

impl OidcText {
    fn default_subject() -> String {
        "sub".to_owned()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RuleText {
    #[serde(default)]
    subjects: Vec<String>,
    #[serde(default)]
    claims: BTreeMap<String, String>,
    releases: Vec<String>,
    types: Vec<String>,
}

fn issuer(field: &str, text: IssuerText) -> Result<Issuer, String> {
    let IssuerText { name, oidc, public_keys, commits, trust } = text;
    let shown = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > 63 || !name.chars().all(shown) {
        return Err(format!(
            "{field}.name: {name:?} is not up to 63 letters, digits, dots, hyphens and underscores, such as github.com"
        ));
    }
    if trust.is_empty() {
        return Err(format!("{field}.trust: is empty, so that nothing of {name} would count; write what it may say"));
    }
    few(&format!("{field}.trust"), &trust)?;
    if oidc.is_some() && commits.is_some() {
        return Err(format!(
            "{field}.commits: is of publicKeys; for tokens write the claim that names the commit, as oidc.commit"
        ));
    }
    let party = match (oidc, public_keys.as_slice()) {
        (Some(text), []) => oidc_party(&format!("{field}.oidc"), text)?,
        (None, [_, ..]) => {
            few(&format!("{field}.publicKeys"), &public_keys)?;
            let read = |(at, pem): (usize, &String)| {
                Key::of_pem(pem).map_err(|why| format!("{field}.publicKeys[{at}]: {why}"))
            };
            let keys = Keys::new(public_keys.iter().enumerate().map(read).collect::<Result<_, _>>()?);
            Party::Holder { keys, commits: commits.unwrap_or(false) }
        }
        (Some(_), [_, ..]) | (None, []) => {
            return Err(format!(
                "{field}: exactly one of oidc and publicKeys says how {name} signs; write oidc for tokens, publicKeys for envelopes"
            ));
        }
    };
    let signs_tokens = matches!(party, Party::Oidc { .. });
    let read = |(at, text)| rule(&format!("{field}.trust[{at}]"), text, signs_tokens);
    let rules = trust.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
    Ok(Issuer { name, party, rules })
}

fn oidc_party(field: &str, text: OidcText) -> Result<Party, String> {
    let OidcText { issuer, audience, subject, commit, jwks, jwks_file } = text;
    // By this text keys are asked for: it is an address and nothing else.
    let host = issuer.strip_prefix("https://").unwrap_or_default();
    if host.is_empty() || host.starts_with('/') || host.contains(['?', '#', '@', ' ', '\\']) {
        return Err(format!(
            "{field}.issuer: {issuer:?} is not the https address that stands in the `iss` of its tokens, such as https://gitlab.com"
        ));
    }
    if audience.is_empty() || audience.chars().any(|c| c.is_whitespace() || c.is_control()) || audience.len() > 128 {
        return Err(format!(
            "{field}.audience: {audience:?} is not up to 128 characters without spaces, such as tidegate; take one that nobody else accepts"
        ));
    }
    for (name, claim) in [("subject", Some(&subject)), ("commit", commit.as_ref())] {
        if claim.is_some_and(String::is_empty) {
            return Err(format!(
                "{field}.{name}: is empty; it names a claim of the token, such as sub, or leave it out"
            ));
        }
    }
    let (from, keys) = match (jwks, jwks_file) {
        (Some(jwks), None) => (KeysFrom::Inline, Ok(inline(&jwks).map_err(|why| format!("{field}.jwks: {why}"))?)),
        (None, Some(file)) => {
            let why = format!("the key set {file} was not read yet");
            (KeysFrom::File(file), Err(why))
        }
        (None, None) => (KeysFrom::Discovery, Err(format!("the keys of {issuer} were not fetched yet"))),
        (Some(_), Some(_)) => {
            return Err(format!(
                "{field}: jwks and jwksFile both say which keys {issuer} has; write one, or neither to fetch them from {issuer}"
            ));
        }
    };
    Ok(Party::Oidc { issuer, audience, subject, commit, from, keys })
}

/// A key set as YAML, or as the JSON text that an issuer publishes.
fn inline(jwks: &serde_json::Value) -> Result<Keys, String> {
    match jwks.as_str() {
        Some(text) => Keys::of_jwks(text),
        None => Keys::of_jwks(&jwks.to_string()),
    }
}

fn rule(field: &str, text: RuleText, signs_tokens: bool) -> Result<Rule, String> {
    let RuleText { subjects, claims, releases, types } = text;
    let patterns = |name: &str, all: Vec<String>| -> Result<Vec<Pattern>, String> {
        few(&format!("{field}.{name}"), &all)?;
        let read =
            |(at, one): (usize, String)| Pattern::parse(&one).map_err(|why| format!("{field}.{name}[{at}]: {why}"));
        all.into_iter().enumerate().map(read).collect()
    };
    if signs_tokens && subjects.is_empty() {
        return Err(format!(
            "{field}.subjects: is empty; an issuer of tokens signs for many, write whose tokens count, such as acme/checkout/.github/workflows/ci.yaml@refs/heads/main"
        ));
    }
    if !(signs_tokens || subjects.is_empty() && claims.is_empty()) {
        return Err(format!(
            "{field}: subjects and claims are of tokens; who holds the key is one party, leave them out"
        ));
    }
    for (name, list) in [("releases", &releases), ("types", &types)] {
        if list.is_empty() {
            return Err(format!("{field}.{name}: is empty, so that the rule would fit nothing; write at least one"));
        }
    }
    for (at, one) in releases.iter().enumerate() {
        if one.split('/').count() != 2 {
            return Err(format!(
                "{field}.releases[{at}]: {one:?} is not namespace/name, such as shop/checkout or shop/*"
            ));
        }
    }
    few(&format!("{field}.types"), &types)?;
    let known = evidence::all();
    if let Some((at, other)) = types.iter().enumerate().find(|(_, one)| !known.contains_key(one.as_str())) {
        return Err(format!(
            "{field}.types[{at}]: {other:?} is no type of evidence; the types: tidegate requirements. Approvals and starts are said by people alone"
        ));
    }
    few(&format!("{field}.claims"), &claims.keys().cloned().collect::<Vec<_>>())?;
    let read = |(name, one): (String, String)| match Pattern::parse(&one) {
        Ok(pattern) => Ok((name, pattern)),
        Err(why) => Err(format!("{field}.claims.{name}: {why}")),
    };
    Ok(Rule {
        subjects: patterns("subjects", subjects)?,
        claims: claims.into_iter().map(read).collect::<Result<_, _>>()?,
        releases: patterns("releases", releases)?,
        types: types.into_iter().collect(),
    })
}

fn few<T>(field: &str, all: &[T]) -> Result<(), String> {
    match all.len() > MANY {
        true => Err(format!("{field}: has {} entries, at most {MANY} are taken; fold some with `*`", all.len())),
        false => Ok(()),
    }
}
