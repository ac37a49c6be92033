//! Whose doing is it? Asked where something happens to a service as a whole.

use super::chance::{Looked, beyond_chance};
use super::compare::{FACTOR, Overdispersion};
use super::evidence::Observation;
use super::figures::{count, percent};
use super::limits::counts;

/// The figures that say that the new version fails more often than what serves beside it, and that chance does not explain
/// it, with failures that scatter as stable's did; None where it does not, or one of them is not known. Both
/// failing alike blames nobody.
pub fn blame(seen: &Observation, scatter: Overdispersion, looked: Looked) -> Option<String> {
    let new = counts(&seen.candidate, "the new version").ok()?;
    let base = counts(&seen.base, "stable").ok().filter(|base| base.requests > 0.0)?;
    // One failure more than stable had: few requests do not prove that it never fails.
    let allowed = FACTOR * (base.errors + 1.0) / (base.requests + 1.0);
    let clear = beyond_chance(new.errors, new.requests, allowed, scatter, looked);
    let figures = || {
        format!(
            "{} of its {} requests failed, stable {} of {}",
            percent(new.errors / new.requests),
            count(new.requests),
            percent(base.errors / base.requests),
            count(base.requests)
        )
    };
    clear.then(figures)
}
