//! Leaving while no controller runs, as `tidegate detach` does it: the Lease, and the same looks.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::check::{NAME, NAMESPACE, Rule};
use super::link::Link;
use super::probe::Caller;
use super::process::{TIMING, user};
use super::prometheus::Answers;
use super::world::Shared;
use crate::api::Span;
use crate::cluster::Cluster;
use crate::cluster::leader::Keeper;
use crate::controller::{Alone, Context};
use crate::prometheus::{Config, Sources};
use crate::server::{Health, Metrics};
use crate::synthetic::Checks;

/// The number of this process beside those of the controller.
const NUMBER: usize = 2;

/// Leaves the workload; gives up when the controller is about to be there again.
pub async fn leave(shared: Arc<Shared>, away: Span) {
    let until = Instant::now() + away.as_std().saturating_sub(Duration::from_secs(2));
    let link = Link::new(shared.clone(), user(NUMBER), 0);
    let (keeper, leadership) = Keeper::new("tidegate", "tidegate", "tidegate-detach", TIMING);
    let clock = Arc::new(shared.clock().of_process(jiff::SignedDuration::ZERO, 0));
    let cluster = Cluster::new(link.client(), clock, leadership, "tidegate-detach");
    let metrics = Arc::new(Metrics::default());
    let answers = Arc::new(Answers::new(shared.clone(), NUMBER));
    // It asks no Prometheus: traffic that goes home asks for no verdict.
    let sources = Sources::new(Arc::new(Config::empty()), answers, metrics.clone(), 0);
    let checks = Checks::new(Arc::new(Caller(shared.clone())));
    let context = Context::new(cluster, sources, checks, metrics.clone(), Arc::new(Health::default()), "");
    let Some(alone) = Alone::begin(keeper, context, until).await else {
        shared.with(|world| world.coverage.count("left alone", "not-taken"));
        return;
    };
    let tell = |says: &str| {
        shared.note(&format!("detach: {says}"));
        Ok(())
    };
    let left = alone.leave(NAMESPACE, NAME, until, tell).await;
    shared.with(|world| world.coverage.count("left alone", if left.is_ok() { "left" } else { "not-in-time" }));
    alone.end().await;
    let refused = metrics.errors("invariant");
    if refused > 0 {
        let now = shared.now();
        let says = format!("{refused} of the command that leaves");
        shared.with(|world| world.checkers.violated(Rule::PlanRefused, now, says));
    }
}
