//! Requests of a process of Tidegate's own to the Services of the simulated cluster.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::world::Shared;
use crate::analysis::synthetic::Reply;
use crate::api::Span;
use crate::api::synthetic::HttpCheck;
use crate::synthetic::{Probe, Target};

/// The way of one process to Services.
pub struct Caller(pub Arc<Shared>);

impl Probe for Caller {
    fn send<'a>(&'a self, target: Target<'a>, _: &'a HttpCheck, _: Span) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.0.request(target.namespace, target.service)
        })
    }
}
