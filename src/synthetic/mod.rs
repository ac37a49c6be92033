//! Synthetic checks, made: requests of Tidegate's own to the Service of a new version.
//!
//! Here belongs how a request is sent and what came back. What must never enter: when a check is due and what its answer
//! means (`release`, `analysis`), and a host that a manifest names: the Service is what Tidegate made.

mod http;

use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use tokio::sync::Semaphore;

use crate::analysis::synthetic::{Came, Lost, Reply, judge};
use crate::api::synthetic::HttpCheck;
use crate::api::{Span, Time};
use crate::release::ask::{Due, Tried};

pub use self::http::Http;

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
    /// The status and the beginning of the body; or why there is no answer, and how far the request came. It has so long until
    /// it is connected, and as long again until it is answered: what is slow before somebody was asked is not their slowness.
    fn send<'a>(&'a self, target: Target<'a>, check: &'a HttpCheck, within: Span) -> BoxFuture<'a, Reply>;
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
    pub fn over_http() -> Self {
        Self::new(Arc::new(Http))
    }

    /// Tries what is due, once each and all at once.
    pub async fn tried(&self, namespace: &str, due: &[Due], at: Time) -> Vec<Tried> {
        join_all(due.iter().map(|due| self.one(namespace, due, at))).await
    }

    async fn one(&self, namespace: &str, due: &Due, at: Time) -> Tried {
        let Due { name, http, within, service, port } = due;
        let target = Target { namespace, service, port: *port };
        let reply = match self.slots.acquire().await {
            // Who waits for a slot is not late yet.
            Ok(_slot) => self.probe.send(target, http, *within).await,
            Err(_) => Err(Lost { came: Came::NotMade, why: "Tidegate shuts down".to_owned() }),
        };
        Tried { name: name.clone(), at, found: judge(http, &reply) }
    }
}
