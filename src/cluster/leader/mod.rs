//! Which of several processes writes: one Lease, a pure step, and a deadline on this machine's own clock.
//!
//! The holder stops writing [`Timing::renew_deadline`] after the last renewal that it *sent* successfully; another takes
//! the Lease [`Timing::lease`] after it last *saw* it change. As long as clocks run at nearly the same speed, the first
//! ends before the second begins; what they show does not matter.
//!
//! A Lease that is not there is created and then waited for like another's: a process cannot know whether there never was
//! one or somebody deleted it under a holder that still writes. So the first start in a cluster waits once for
//! [`Timing::lease`], and a deleted Lease costs a pause, never two writers. A program that puts a deleted Lease back
//! *without a holder* would let a standby take it at once: nothing may manage the Lease but these processes.

mod deadline;
mod keep;
#[cfg(test)]
mod model;
mod step;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use deadline::Deadline;
pub use keep::{Keeper, Role};
pub use step::{LeaseStep, LeaseView, step};

/// The three spans of leadership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long the Lease is good for after its last change.
    pub lease: Duration,
    /// How long the holder writes after its last successful renewal.
    pub renew_deadline: Duration,
    /// How often it is renewed or looked at.
    pub retry: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { lease: Duration::from_secs(15), renew_deadline: Duration::from_secs(10), retry: Duration::from_secs(2) }
    }
}

impl Timing {
    /// Refuses spans that would let two processes write at once, or one lose leadership for no reason.
    pub fn check(self) -> Result<Self, String> {
        if self.retry.is_zero() || self.retry * 2 > self.renew_deadline {
            return Err(format!(
                "--lease-retry {:?} must be more than nothing and at most half of --lease-renew-deadline {:?}",
                self.retry, self.renew_deadline
            ));
        }
        if self.renew_deadline >= self.lease {
            return Err(format!(
                "--lease-renew-deadline {:?} must be below --lease-duration {:?}",
                self.renew_deadline, self.lease
            ));
        }
        if self.lease.as_secs() == 0 || self.lease.subsec_nanos() != 0 {
            return Err(format!("--lease-duration {:?} must be whole seconds", self.lease));
        }
        Ok(self)
    }
}

/// Whether this process may write, asked before every write.
#[derive(Debug, Clone)]
pub struct Leadership(Held);

#[derive(Debug, Clone)]
enum Held {
    Always,
    Until(Arc<watch::Receiver<Option<Deadline<Instant>>>>),
}

impl Leadership {
    /// Of a process that is alone, because it was started so.
    pub const fn always() -> Self {
        Self(Held::Always)
    }

    fn until(deadline: watch::Receiver<Option<Deadline<Instant>>>) -> Self {
        Self(Held::Until(Arc::new(deadline)))
    }

    /// How long a write that begins now may take; none where none may begin.
    pub fn may_write(&self) -> Option<Duration> {
        match &self.0 {
            Held::Always => Some(Duration::MAX),
            Held::Until(deadline) => {
                let now = Instant::now();
                let deadline = (*deadline.borrow())?;
                deadline.may_begin(now).then(|| deadline.end.saturating_duration_since(now))
            }
        }
    }
}
