//! Tokens of OpenID Connect: three parts of base64 with dots between them (RFC 7519, signed as RFC 7515 says).
//!
//! Written here and not taken from a library: those for Rust look at the clock themselves, or bring a second set of
//! cryptography beside the one that TLS has.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::key::Algorithm;
use super::{Keys, LEEWAY, Refusal, SUBJECT_MAX};
use crate::api::Time;
use crate::api::attestation::TOKEN_MAX;

/// The head of a token. Others of its fields change nothing.
#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// A token whose signature nobody has looked at: only its issuer may be asked for, to know whose keys to take.
#[derive(Debug)]
pub(super) struct Sealed<'a> {
    head: Head,
    claims: Map<String, Value>,
    message: &'a [u8],
    signature: Vec<u8>,
}

/// What a token says whose signature is its issuer's.
#[derive(Debug)]
pub(super) struct Token(Map<String, Value>);

impl<'a> Sealed<'a> {
    /// Reads a token.
    pub(super) fn read(text: &'a str) -> Result<Self, Refusal> {
        let bad = |what: &str| Refusal::Malformed(what.to_owned());
        if text.len() > TOKEN_MAX {
            return Err(bad(&format!("a token of {} bytes is too large, at most {TOKEN_MAX} are taken", text.len())));
        }
        let Some((message, signature)) = text.rsplit_once('.') else { return Err(bad("a token has three parts")) };
        let Some((head, claims)) = message.split_once('.') else { return Err(bad("a token has three parts")) };
        let decode = |part: &str, what: &str| {
            URL_SAFE_NO_PAD.decode(part).map_err(|_| bad(&format!("the {what} of the token is not base64url")))
        };
        let head: Head = serde_json::from_slice(&decode(head, "head")?)
            .map_err(|why| bad(&format!("the head of the token: {why}")))?;
        let claims = serde_json::from_slice(&decode(claims, "body")?)
            .map_err(|why| bad(&format!("the body of the token: {why}")))?;
        let signature = decode(signature, "signature")?;
        Ok(Self { head, claims, message: message.as_bytes(), signature })
    }

    /// Whose it says it is; nothing else of it is believed before [`Self::open`].
    pub(super) fn issuer(&self) -> &str {
        self.claims.get("iss").and_then(Value::as_str).unwrap_or_default()
    }

    /// What it says, where its signature is that of the issuer.
    pub(super) fn open(self, issuer: &str, keys: &Keys) -> Result<Token, Refusal> {
        if self.head.crit.is_some() {
            return Err(Refusal::Malformed("its head has `crit`, which Tidegate does not know".to_owned()));
        }
        let Some(algorithm) = Algorithm::named(&self.head.alg) else {
            return Err(Refusal::Algorithm(short(&self.head.alg)));
        };
        let Some(key) = keys.asked(self.head.kid.as_deref()) else {
            let key = short(self.head.kid.as_deref().unwrap_or_default());
            return Err(Refusal::Key { issuer: issuer.to_owned(), key });
        };
        match key.signed_token(algorithm, self.message, &self.signature) {
            true => Ok(Token(self.claims)),
            false => Err(Refusal::Signature(issuer.to_owned())),
        }
    }
}

impl Token {
    /// A claim as text, a number or truth as it is written; none where there is none of these.
    pub(super) fn claim(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Who asked for the token: a claim that can be shown, without spaces.
    pub(super) fn subject(&self, claim: &str) -> Result<String, Refusal> {
        let subject = self.0.get(claim).and_then(Value::as_str).unwrap_or_default();
        let shown = !subject.is_empty()
            && subject.chars().count() <= SUBJECT_MAX
            && !subject.chars().any(|c| c.is_whitespace() || c.is_control());
        match shown {
            true => Ok(subject.to_owned()),
            false => Err(Refusal::Claim(claim.to_owned(), "the admin names the claim with oidc.subject")),
        }
    }

    /// Whom it is made out to.
    pub(super) fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => Vec::new(),
        }
    }

    /// When it was signed, where it was valid at the moment at which the API server took it.
    pub(super) fn valid(&self, taken: Time) -> Result<Time, Refusal> {
        let always = "tokens of OpenID Connect have it";
        let need = |claim: &str| self.moment(claim).ok_or(Refusal::Claim(claim.to_owned(), always));
        let (issued, expires) = (need("iat")?, need("exp")?);
        if self.0.contains_key("nbf") && self.moment("nbf").is_none() {
            return Err(Refusal::Claim("nbf".to_owned(), always));
        }
        if expires.plus(LEEWAY) <= taken {
            return Err(Refusal::Expired { expired: expires, taken });
        }
        let from = self.moment("nbf").map_or(issued, |from| from.max(issued));
        match from > taken.plus(LEEWAY) {
            true => Err(Refusal::Early { from, taken }),
            false => Ok(issued),
        }
    }

    /// A claim in seconds since 1970, with or without a fraction.
    fn moment(&self, claim: &str) -> Option<Time> {
        let value = self.0.get(claim)?;
        let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
        jiff::Timestamp::from_second(seconds).ok().map(Time)
    }
}

/// The beginning of a text that somebody made up, for messages.
pub(super) fn short(text: &str) -> String {
    text.chars().take(120).collect()
}
