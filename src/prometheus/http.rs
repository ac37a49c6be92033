//! HTTP, as Prometheus speaks it.

use futures::future::BoxFuture;

use super::client::{NoAnswer, Transport, When};
use super::config::Source;
use crate::api::Time;
use crate::outbound::{Body, body, http_client};

/// The largest answer that is read.
const BODY_MAX: usize = 1024 * 1024;

/// Sends queries over HTTP.
pub struct Http(reqwest::Client);

impl Http {
    /// A client that follows no redirects.
    pub fn new() -> Result<Self, String> {
        let http = http_client()?
            .build()
            .map_err(|error| format!("the client for Prometheus could not be made: {}", chain(&error)))?;
        Ok(Self(http))
    }

    async fn fetch(&self, source: &Source, query: &str, when: When) -> Result<(u16, Vec<u8>), NoAnswer> {
        let seconds = |time: Time| format!("{:.3}", time.0.as_millisecond() as f64 / 1_000.0);
        let (path, when) = match when {
            When::Now => ("query", Vec::new()),
            When::At(at) => ("query", vec![("time", seconds(at))]),
            When::Every { start, end, step } => {
                let step = step.as_secs_f64().to_string();
                ("query_range", vec![("start", seconds(start)), ("end", seconds(end)), ("step", step)])
            }
        };
        let url = format!("{}/api/v1/{path}", source.url.trim_end_matches('/'));
        let mut request = self.0.get(url).query(&[("query", query)]).query(&when);
        if let Some(file) = &source.bearer_token_file {
            match std::fs::read_to_string(file) {
                Ok(token) => request = request.bearer_auth(token.trim()),
                Err(why) => return Err(NoAnswer::Unreachable(format!("the bearer token file {file}: {why}"))),
            }
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(NoAnswer::Unreachable(chain(&error.without_url()))),
        };
        match body(&mut response, BODY_MAX).await {
            Ok(Body::Whole(body)) => Ok((response.status().as_u16(), body)),
            Ok(Body::Begins(_)) => {
                Err(NoAnswer::Invalid("the answer is larger than 1 MiB; make the query answer fewer series".to_owned()))
            }
            Err(error) => Err(NoAnswer::Unreachable(chain(&error.without_url()))),
        }
    }
}

impl Transport for Http {
    fn get<'a>(
        &'a self,
        source: &'a Source,
        query: &'a str,
        when: When,
    ) -> BoxFuture<'a, Result<(u16, Vec<u8>), NoAnswer>> {
        Box::pin(self.fetch(source, query, when))
    }
}

/// An error with its causes, which say more than itself.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
