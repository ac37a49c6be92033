//! One of Tidegate's processes, as it begins, works, dies and begins again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::link::Link;
use super::probe::Caller;
use super::prometheus::Answers;
use super::world::Shared;
use crate::api::Span;
use crate::cluster::Cluster;
use crate::cluster::leader::{Keeper, Timing};
use crate::controller::{Context, asked, lead};
use crate::prometheus::{Config, Sources};
use crate::sandbox::user::User;
use crate::server::{Health, Metrics};
use crate::synthetic::Checks;

/// Short spans, so that a change of leaders fits into a world of minutes.
pub const TIMING: Timing =
    Timing { lease: Duration::from_secs(5), renew_deadline: Duration::from_secs(3), retry: Duration::from_secs(1) };

/// The place of a process: whoever works there at the moment has this link.
pub struct Place {
    /// Its number, from 0.
    pub number: usize,
    link: Mutex<Link>,
    /// How long the place stays empty when its process dies.
    pause: Mutex<Span>,
    metrics: Arc<Metrics>,
}

/// Who a process is for the API server: the controller's service account, with a group that tells checkers which it is.
pub fn user(number: usize) -> User {
    let mut user = User::service_account("tidegate", "tidegate");
    user.groups.push(format!("process:{number}"));
    user
}

impl Place {
    /// A place in which nobody works yet.
    pub fn new(number: usize, shared: &Arc<Shared>, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            number,
            link: Mutex::new(Link::new(shared.clone(), user(number), seed)),
            pause: Mutex::new(Span::ZERO),
            metrics: Arc::default(),
        })
    }

    /// The link of who works there.
    pub fn link(&self) -> Link {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The process dies after so many more writes, and another begins after the pause.
    pub fn crash(&self, writes: u32, pause: Span) {
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = pause;
        self.link().die_after(writes);
    }

    /// The process dies as soon as it has given a charge its number, and another begins after the pause.
    pub fn die_charging(&self, pause: Span) {
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = pause;
        self.link().die_charging();
    }

    /// What the processes of this place counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// One process after the other, each as `tidegate controller` runs; for ever.
    pub async fn work(self: Arc<Self>, shared: Arc<Shared>, config: Arc<Config>, seed: u64) {
        // Two machines never show the same time: up to half a minute lies between them.
        let behind = i64::try_from(seed % 61).unwrap_or(0) - 30;
        let skew = jiff::SignedDuration::from_secs(if self.number == 0 { 0 } else { behind });
        for life in 0_u64.. {
            let seed = seed ^ (life << 8) ^ self.number as u64;
            let link = Link::new(shared.clone(), user(self.number), seed);
            *self.link.lock().unwrap_or_else(PoisonError::into_inner) = link.clone();
            let clock = Arc::new(shared.clock().of_process(skew, seed));
            let (name, me) = (format!("tidegate-{}", self.number), format!("tidegate-{}_{life}", self.number));
            let (keeper, leadership) = Keeper::new("tidegate", "tidegate", &me, TIMING);
            let cluster = Cluster::new(link.client(), clock, leadership, &name);
            let answers = Arc::new(Answers::new(shared.clone(), self.number));
            let sources = Sources::new(config.clone(), answers, self.metrics.clone(), seed);
            let checks = Checks::new(Arc::new(Caller(shared.clone())));
            let context = Context::new(cluster, sources, checks, self.metrics.clone(), Arc::new(Health::default()), "");
            let (_nobody_asks, stop) = watch::channel(false);
            let mut process = tokio::spawn(lead(keeper, context, stop));
            tokio::select! {
                biased;
                () = asked(link.death()) => {
                    process.abort();
                    shared.note(&format!("process {} died", self.number));
                    let pause = *self.pause.lock().unwrap_or_else(PoisonError::into_inner);
                    tokio::time::sleep(pause.as_std()).await;
                }
                _ = &mut process => {
                    shared.note(&format!("process {} ended and begins anew", self.number));
                    link.die_after(0);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}
