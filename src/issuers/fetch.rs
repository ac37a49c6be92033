//! The keys that an issuer publishes: its discovery document says where (OpenID Connect Discovery 1.0, section 4).

use std::time::Duration;

use futures::future::BoxFuture;
use serde::Deserialize;

use crate::outbound::{Body, body, http_client};
use crate::statement::Keys;

/// The largest document that is read.
const BODY_MAX: usize = 256 * 1024;
/// How long one request may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Reads a document over https; the error says in words why not.
pub trait Fetch: Send + Sync {
    /// The body of a successful answer.
    fn get<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>>;
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// The keys that an issuer publishes now.
pub async fn discover(fetch: &impl Fetch, issuer: &str) -> Result<Keys, String> {
    let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let body = fetch.get(&place).await.map_err(|why| format!("{place}: {why}"))?;
    let document: Document =
        serde_json::from_slice(&body).map_err(|why| format!("{place} is no discovery document: {why}"))?;
    if document.issuer != issuer {
        return Err(format!(
            "{place} is of issuer {:?}, not {issuer:?}; write oidc.issuer as it stands there",
            document.issuer
        ));
    }
    let place = document.jwks_uri;
    if !place.starts_with("https://") {
        return Err(format!("{issuer} names {place:?} for its keys, which is not https; give the keys with oidc.jwks"));
    }
    let body = fetch.get(&place).await.map_err(|why| format!("{place}: {why}"))?;
    let text = String::from_utf8(body).map_err(|_| format!("{place}: not UTF-8"))?;
    Keys::of_jwks(&text).map_err(|why| format!("{place}: {why}"))
}

/// HTTPS alone, without redirects.
pub struct Https(reqwest::Client);

impl Https {
    /// A client that trusts the certificates of this machine, or of `SSL_CERT_FILE`.
    pub fn new() -> Result<Self, String> {
        let client = http_client()?
            .https_only(true)
            .timeout(WITHIN)
            .build()
            .map_err(|error| format!("the client for keys of issuers could not be made: {error}"))?;
        Ok(Self(client))
    }

    async fn read(&self, url: &str) -> Result<Vec<u8>, String> {
        let failed = |error: reqwest::Error| {
            let error = error.without_url();
            match std::error::Error::source(&error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            }
        };
        let mut answer = self.0.get(url).send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(format!("answered {}", answer.status()));
        }
        match body(&mut answer, BODY_MAX).await.map_err(failed)? {
            Body::Whole(body) => Ok(body),
            Body::Begins(_) => Err(format!("the answer is larger than {} KiB", BODY_MAX / 1024)),
        }
    }
}

impl Fetch for Https {
    fn get<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Vec<u8>, String>> {
        Box::pin(self.read(url))
    }
}
