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
        let Due { check, service, port } = due;
        let within: Duration = check.timeout.as_std();
        let asked = async {
            let target = Target { namespace, service, port: *port };
            match self.slots.acquire().await {
                // Who waits for a slot is not late yet.
                Ok(_slot) => tokio::time::timeout(within, self.probe.send(target, &check.http))
                    .await
                    .unwrap_or_else(|_| Err(format!("no answer within {}", check.timeout))),
                Err(_) => Err("shutting down".to_owned()),
            }
        };
        Tried { name: check.name.clone(), at, found: judge(&check.http, &asked.await) }
    }
}

/// HTTP inside the cluster, by the name that its DNS gives a Service.
pub struct Http(reqwest::Client);

impl Http {
    /// A client that follows no redirects and goes through no proxy.
    pub fn new() -> Result<Self, String> {
        reqwest::Client::builder()
            .user_agent(concat!("tidegate/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // Each try is a connection of its own: one that is kept would stay with one pod.
            .pool_max_idle_per_host(0)
            .tls_backend_preconfigured(crate::prometheus::tls()?)
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
        let mut body = Vec::new();
        while body.len() < BODY_MAX {
            match answer.chunk().await {
                Ok(Some(part)) => body.extend_from_slice(part.get(..part.len().min(BODY_MAX - body.len())).unwrap_or(&part)),
                Ok(None) => break,
                Err(error) => return Err(in_words(&error.without_url())),
            }
        }
        Ok((status, body))
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
