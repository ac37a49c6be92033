//! The API server: what is read from it for one decision, what is written to it, and who may write.
//!
//! Here belongs every request to Kubernetes. What must never enter: a choice. [`observe`](observe::observe) fills a
//! snapshot, [`execute`](execute::execute) carries a linted plan out, and neither asks whether it is right.
//! Watches are triggers only; nothing is decided from a cache, but for what preflight asks of other namespaces, which is seconds old
//! ([`elsewhere`]).

pub mod clock;
pub mod doctor;
pub mod elsewhere;
pub mod error;
pub mod events;
pub mod execute;
pub mod kind;
pub mod leader;
pub mod observe;
pub mod preflight;
pub(crate) mod request;
pub mod status;
pub mod watch;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

pub use clock::{Clock, SystemClock};
pub use error::Error;
pub use kind::Kind;
pub use leader::Leadership;

use crate::api::Time;

/// The one door to the API server. Any [`kube::Client`] will do, such as one over an API server in this process.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
    clock: Arc<dyn Clock>,
    leadership: Leadership,
    reporter: Arc<str>,
    told: Arc<AtomicU64>,
}

/// How long one request may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

impl Cluster {
    /// A door that writes as long as `leadership` allows; `reporter` names this process in events.
    pub fn new(client: kube::Client, clock: Arc<dyn Clock>, leadership: Leadership, reporter: &str) -> Self {
        Self { client, clock, leadership, reporter: reporter.into(), told: Arc::default() }
    }

    /// The time of decisions.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// A number from 0 to 1, by chance, for pauses that must not be equal.
    pub fn chance(&self) -> f64 {
        self.clock.chance()
    }

    /// The client, for watches.
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Who may write.
    pub fn leadership(&self) -> &Leadership {
        &self.leadership
    }
}
