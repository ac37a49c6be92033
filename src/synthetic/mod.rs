//! Synthetic checks, made: requests of Tidegate's own to the Service of a new version.
//!
//! Here belongs how a request is sent and what came back. What must never enter: when a check is due and what its answer
//! means (`release`, `analysis`), and a host that a manifest names: the Service is what Tidegate made.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use tokio::sync::Semaphore;

use crate::analysis::synthetic::{Reply, judge};
use crate::api::Time;
use crate::api::synthetic::{HttpCheck, Method};
use crate::outbound::{body, http_client};
use crate::release::ask::{Due, Tried};

/// So much of an answer is read.
const BODY_MAX: usize = 64 << 10;
/// So many checks are on their way at once, of all releases together.
const AT_ONCE: usize = 8;

/// Who is asked: one port of one Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The Service.
    pub service: &'a str,
    /// Its port.
    pub port: u16,
}

/// How a request gets to a Service.
pub trait Probe: Send + Sync {
    /// The status and the beginning of the body; or why there is no answer.
    fn send<'a>(&'a self, target: Target<'a>, check: &'a HttpCheck) -> BoxFuture<'a, Reply>;
}

/// Makes checks.
#[derive(Clone)]
pub struct Checks {
    probe: Arc<dyn Probe>,
    slots: Arc<Semaphore>,
}

impl Checks {
    /// Checks that go this way.
    pub fn new(probe: Arc<dyn Probe>) -> Self {
        Self { probe, slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Checks that go over HTTP.
    pub fn over_http() -> Result<Self, String> {
        Ok(Self::new(Arc::new(Http::new()?)))
    }

    /// Tries what is due, once each and all at once.
    pub async fn tried(&self, namespace: &str, due: &[Due], at: Time) -> Vec<Tried> {
        join_all(due.iter().map(|due| self.one(namespace, due, at))).await
    }

    async fn one(&self, namespace: &str, due: &Due, at: Time) -> Tried {
        let Due { name, http, within: span, service, port } = due;
        let within: Duration = span.as_std();
        let asked = async {
            let target = Target { namespace, service, port: *port };
            match self.slots.acquire().await {
                // Who waits for a slot is not late yet.
                Ok(_slot) => tokio::time::timeout(within, self.probe.send(target, http))
                    .await
                    .unwrap_or_else(|_| Err(format!("no answer within {span}"))),
                Err(_) => Err("shutting down".to_owned()),
            }
        };
        Tried { name: name.clone(), at, found: judge(http, &asked.await) }
    }
}

/// HTTP inside the cluster, by the name that its DNS gives a Service.
pub struct Http(reqwest::Client);

impl Http {
    /// A client that follows no redirects and goes through no proxy.
    pub fn new() -> Result<Self, String> {
        Self::from(http_client()?)
    }

    fn from(builder: reqwest::ClientBuilder) -> Result<Self, String> {
        builder
            .no_proxy()
            // Each try is a connection of its own: one that is kept would stay with one pod.
            .pool_max_idle_per_host(0)
            .build()
            .map(Self)
            .map_err(|error| format!("the client for synthetic checks could not be made: {error}"))
    }

    async fn fetch(&self, target: Target<'_>, check: &HttpCheck) -> Reply {
        let Target { namespace, service, port } = target;
        let url = format!("http://{service}.{namespace}.svc:{port}{}", check.path);
        let request = match check.method {
            Method::Get => self.0.get(url),
            Method::Head => self.0.head(url),
            Method::Post => self.0.post(url).header("content-type", "application/json"),
        };
        let request = match &check.body {
            Some(body) if check.method == Method::Post => request.body(body.clone()),
            Some(_) | None => request,
        };
        let mut answer = request.send().await.map_err(|error| in_words(&error.without_url()))?;
        let status = answer.status().as_u16();
        let read = body(&mut answer, BODY_MAX).await.map_err(|error| in_words(&error.without_url()))?;
        Ok((status, read.into_bytes()))
    }
}

impl Probe for Http {
    fn send<'a>(&'a self, target: Target<'a>, check: &'a HttpCheck) -> BoxFuture<'a, Reply> {
        Box::pin(self.fetch(target, check))
    }
}

/// The last cause says what happened: a connection refused, a name that is not known.
fn in_words(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    format!("no answer: {last}")
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::response::Redirect;
    use axum::routing::{get, post};
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::api::Span;

    /// A program at the Service's name; how to reach it.
    async fn program() -> (Checks, u16) {
        let pages = axum::Router::new()
            .route("/cart", get(|| async { "a cart" }).post(|body: String| async move { body }))
            .route("/elsewhere", get(|| async { Redirect::temporary("http://example.org/cart") }))
            .route("/long", get(|| async { "x".repeat(BODY_MAX) + "the end" }))
            .route("/never", get(std::future::pending::<()>))
            .route("/only-post", post(|| async { StatusCode::CREATED }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, pages).await });
        let http = Http::from(http_client().unwrap().resolve("checkout-canary.shop.svc", address)).unwrap();
        (Checks::new(Arc::new(http)), address.port())
    }

    fn due(http: serde_json::Value, service: &str, port: u16) -> Due {
        let http = serde_json::from_value(http).unwrap();
        Due { name: "one".to_owned(), http, within: Span::seconds(1), service: service.to_owned(), port }
    }

    async fn found(checks: &Checks, port: u16, http: serde_json::Value) -> Result<(), String> {
        let due = due(http, "checkout-canary", port);
        let at = Time(jiff::Timestamp::UNIX_EPOCH);
        checks.tried("shop", &[due], at).await.pop().unwrap().found
    }

    #[rstest]
    #[case::page(json!({"path": "/cart", "expectBody": "a cart"}), "")]
    #[case::head(json!({"path": "/cart", "method": "HEAD"}), "")]
    #[case::body(json!({"path": "/cart", "method": "POST", "body": "{\"id\":1}", "expectBody": "\"id\":1"}), "")]
    #[case::body_without_post(json!({"path": "/cart", "body": "ignored", "expectBody": "a cart"}), "")]
    #[case::status(json!({"path": "/only-post", "method": "POST", "expectStatus": 201}), "")]
    #[case::not_there(json!({"path": "/nothing"}), "answered 404, not 200")]
    #[case::not_followed(json!({"path": "/elsewhere"}), "answered 307, not 200")]
    #[case::beyond_what_is_read(json!({"path": "/long", "expectBody": "the end"}), "answered 200 without \"the end\": x")]
    #[case::too_late(json!({"path": "/never"}), "no answer within 1s")]
    #[tokio::test]
    async fn a_service_is_asked_and_its_answer_judged(#[case] http: serde_json::Value, #[case] why: &str) {
        let (checks, port) = program().await;
        let found = found(&checks, port, http).await.err().unwrap_or_default();
        assert!(found.starts_with(why) && found.is_empty() == why.is_empty(), "{found}");
    }

    #[tokio::test]
    async fn nobody_there_is_said_in_a_few_words() {
        let (checks, port) = program().await;
        let nobody = due(json!({}), "nobody", port);
        let tried = checks.tried("shop", &[nobody], Time(jiff::Timestamp::UNIX_EPOCH)).await;
        let why = tried[0].found.clone().unwrap_err();
        assert!(why.starts_with("no answer: ") && why.len() < 120, "{why}");
    }
}
