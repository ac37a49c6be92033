//! How a version of a program behaves.

use super::latency::Latency;
use crate::api::Span;

/// What a version does to its users.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The share of requests that it answers with 500, 0 to 1.
    pub errors: f64,
    /// How long its answers take.
    pub latency: Latency,
    /// What is worse while it is new.
    pub warmup: Option<Warmup>,
    /// Requests per second that one ready pod can serve; `None` is any number. The nearer to it, the longer answers take;
    /// what is above it is answered 503.
    pub capacity: Option<f64>,
}

/// A cold start: worst when the first pod is ready, gone after a time, less in proportion in between.
#[derive(Debug, Clone, PartialEq)]
pub struct Warmup {
    /// How long it lasts.
    pub lasts: Span,
    /// How many times longer answers take at first.
    pub latency: f64,
    /// The share of requests that fail at first besides, 0 to 1.
    pub errors: f64,
}

/// How a version behaves right now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Behaviour {
    /// The share of requests that the pods answer with 500.
    pub(super) errors: f64,
    /// The share of requests that they turn away with 503.
    pub(super) overload: f64,
    /// How many times longer answers take.
    pub(super) slower: f64,
}

/// The load at which answers stop taking longer; what is above the capacity is turned away.
const LOAD_MAX: f64 = 0.97;

impl Version {
    /// A version that behaves.
    pub fn good() -> Self {
        Self { errors: 0.0, latency: Latency::LogNormal { median: 0.08, p95: 0.2 }, warmup: None, capacity: None }
    }

    /// How it behaves so long after its first pod was ready, with so many requests per second on each ready pod.
    pub(super) fn now(&self, age: Span, per_pod: f64) -> Behaviour {
        let mut now = Behaviour { errors: self.errors, overload: 0.0, slower: 1.0 };
        if let Some(warmup) = &self.warmup {
            let cold = 1.0 - (age.as_secs_f64() / warmup.lasts.as_secs_f64().max(1e-3)).min(1.0);
            now.slower += (warmup.latency - 1.0).max(0.0) * cold;
            now.errors += warmup.errors * cold;
        }
        if let Some(capacity) = self.capacity {
            let load = per_pod / capacity.max(1e-9);
            // Hardly any queue at half load, a long one near the capacity.
            now.slower /= 1.0 - load.min(LOAD_MAX).powi(4);
            now.overload = (1.0 - 1.0 / load.max(1.0)).clamp(0.0, 1.0);
        }
        now.errors = now.errors.clamp(0.0, 1.0);
        now
    }
}
