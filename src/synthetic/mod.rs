//! Synthetic checks, made: requests of Tidegate's own to the Service of a new version.
//!
//! Here belongs how a request is sent and what came back. What must never enter: when a check is due and what its answer
//! means (`release`, `analysis`), and a name that is looked up or that a manifest gives: who is asked was observed (`release/ask/checks.rs`).

mod http;

use std::net::SocketAddr;
use std::sync::Arc;

use futures::future::{BoxFuture, join_all};
use tokio::sync::Semaphore;

use crate::analysis::synthetic::{Came, Lost, Reply, judge, needs_control};
use crate::api::synthetic::HttpCheck;
use crate::api::{Span, Time};
use crate::release::ask::{Due, Place, Tried};

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
    /// Where it leads.
    pub sockets: &'a [SocketAddr],
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
        let mut reply = self.sent(namespace, &due.asked, due).await;
        let control = match &due.control {
            Some(stable) if needs_control(&reply) => Some(self.sent(namespace, stable, due).await),
            Some(_) | None => None,
        };
        if control.as_ref().is_some_and(Reply::is_ok) {
            // What lay between may have gone away before stable was asked.
            reply = self.sent(namespace, &due.asked, due).await;
        }
        Tried { name: due.name.clone(), at, found: judge(&due.http, &reply, control.as_ref()) }
    }

    async fn sent(&self, namespace: &str, place: &Place, due: &Due) -> Reply {
        let Place { service, port, sockets } = place;
        let target = Target { namespace, service, port: *port, sockets };
        match self.slots.acquire().await {
            // Who waits for a slot is not late yet.
            Ok(_slot) => self.probe.send(target, &due.http, due.within).await,
            Err(_) => Err(Lost { came: Came::NotMade, why: "Tidegate shuts down".to_owned() }),
        }
    }
}
