//! Whose doing is it? Asked where something happens to a service as a whole.

use super::chance::{Looked, beyond_chance};
use super::compare::{FACTOR, Overdispersion, Setup, Signal};
use super::evidence::Observation;
use super::figures::{count, percent};
use super::limits::counts;
use crate::api::Percent;

/// What the new version's bad requests are held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Beside {
    /// Stable's in the same window.
    Stable,
    /// Nobody's, because stable has no users: what it had in a usual hour of the day before, at most, with what the comparison allows
    /// above it, in percent of the requests.
    ItsDay {
        /// The share of bad requests in such an hour, as the comparison has it.
        usual: Percent,
        /// What is no matter above it.
        slack: Percent,
    },
}

impl Beside {
    /// Stable as it was the day before; None where that is not known.
    pub fn day_of(setup: &Setup) -> Option<Self> {
        Some(Self::ItsDay { usual: setup.base_rate?, slack: setup.slack })
    }
}

/// The figures that say that more of the new version's requests are bad than of what it is held against, and that chance does not explain
/// it, with bad requests that scatter as stable's did; None where it does not, or one of them is not known. Both being bad alike blames
/// nobody. `seen` counts as errors what `signal` speaks of.
pub fn blame(
    seen: &Observation,
    beside: Beside,
    signal: Signal,
    scatter: Overdispersion,
    looked: Looked,
) -> Option<String> {
    let new = counts(&seen.candidate, "the new version").ok()?;
    let (allowed, stable) = match beside {
        Beside::Stable => {
            let base = counts(&seen.base, "stable").ok().filter(|base| base.requests > 0.0)?;
            let words = format!("stable {} of {}", percent(base.errors / base.requests), count(base.requests));
            // One bad request more than stable had: few requests do not prove that it never has any.
            (FACTOR * (base.errors + 1.0) / (base.requests + 1.0), words)
        }
        Beside::ItsDay { usual, slack } => {
            let words = format!("stable, which has no users any more, up to {usual} in a usual hour of the day before");
            (FACTOR * usual.ratio() + slack.ratio(), words)
        }
    };
    let clear = beyond_chance(new.errors, new.requests, allowed, scatter, looked);
    let figures = || {
        let rate = percent(new.errors / new.requests);
        format!("{rate} of its {} requests {signal}, {stable}", count(new.requests))
    };
    clear.then(figures)
}
