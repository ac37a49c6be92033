//! Whether chance explains so many failures. One test for all that is looked at again and again: the error rate, the objectives,
//! and whose doing it is.

use super::binomial::chance_of_at_least;
use super::compare::Overdispersion;

/// A version is blamed only where chance would explain what was seen less often than this.
///
/// A release is looked at some hundred times, so that one in a hundred would be far too often: a version at 0.8 times
/// the limit and 1 request/s, looked at every 15 s for 45 min over a sliding 2 min, came back in 20 % of simulated
/// runs at 0.01, in 0.5 % at 0.001. Errors of 5 % at a limit of 1 % are seen after 15 s at 10 requests/s with either.
pub(super) const CHANCE_MAX: f64 = 0.001;

/// The same as a quantile of the normal distribution.
pub(super) const NORMAL_999: f64 = 3.1;

/// So many failed requests at least, unless none are allowed: one call that a client tries again and again is no bad version.
///
/// gRPC clients try a call five times at the most (proposal A6), those of the large clouds three times.
pub(super) const ERRORS_MIN: f64 = 5.0;

/// So few requests are let pass as long as chance explains their failures more often than this, one failure by itself.
///
/// They are looked at once, at the end of a stage, and clumps cannot be told among them.
const FEW_CHANCE_MAX: f64 = 0.01;

/// Scatter beyond this excuses nothing: a version that fails every request is seen within 70 of them, whatever stable did the day
/// before and at every limit up to 5 %.
const SCATTER_MAX: f64 = 30.0;

/// Whether `bad` of `requests` are more than a version at `rate` (0 to 1) has by chance.
///
/// Failures come in clumps, and clumps of `scatter` on average say as much as one: the binomial tail is taken of both counts
/// divided by it. Where no failure is allowed, the first one counts.
pub(super) fn beyond_chance(bad: f64, requests: f64, rate: f64, scatter: Overdispersion) -> bool {
    if rate <= 0.0 {
        return bad > 0.0;
    }
    let clump = scatter.get().min(SCATTER_MAX);
    bad >= ERRORS_MIN && bad / requests > rate && chance_of_at_least(bad / clump, requests / clump, rate) < CHANCE_MAX
}

/// Whether `bad` of so few `requests` speak against a version at `rate` (0 to 1), though they are too few to bring it back.
pub(super) fn speaks_against(bad: f64, requests: f64, rate: f64) -> bool {
    if rate <= 0.0 {
        return bad > 0.0;
    }
    bad / requests > rate && chance_of_at_least(bad, requests, rate) < FEW_CHANCE_MAX
}
