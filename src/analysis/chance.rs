//! Whether chance explains so many failures. One test for all that is looked at again and again: the error rate, the objectives,
//! and whose doing it is.

use super::binomial::chance_of_at_least;
use super::compare::Overdispersion;
use crate::api::Span;

/// How rare what is seen in a look must be by chance, in the first window of a stage or a verification.
///
/// What is looked at for long is looked at often, and what each look may spend must not add up: see [`Looked`]. In simulated days of
/// looks every 15 s over a sliding 2 min a version exactly at its limit came back in 3 to 8 of 1,000, one at half of it whose failures
/// come in clumps (variance 9 times the mean) in up to 4 of 1,000; 1 in 1,000 at each look alike brought up to 42 of 100 back.
const CHANCE_FIRST: f64 = 0.000_8;

/// How rare it must be where few looks are taken, or what is seen only holds.
pub(super) const CHANCE_MAX: f64 = 0.001;

/// How long a version has been looked at already where it is now, in windows: the k-th one may spend 2 / k(k + 1) of what the first one may,
/// which all together is twice the first, however long it lasts.
///
/// What a late look cannot tell by itself any more, the sums of all intervals do ([`super::course`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked(u64);

impl Looked {
    /// In its first window.
    pub const FIRST: Self = Self(1);

    /// For so long, over a sliding `window`.
    pub const fn for_so_long(elapsed: Span, window: Span) -> Self {
        let window = if window.as_millis() == 0 { 1 } else { window.as_millis() };
        // A look that sees the whole first window is of that one.
        Self(match elapsed.as_millis().div_ceil(window) {
            0 => 1,
            windows => windows,
        })
    }

    /// How rare what is seen must be by chance.
    fn chance_max(self) -> f64 {
        let windows = self.0 as f64;
        CHANCE_FIRST * 2.0 / (windows * (windows + 1.0))
    }

    /// The same as standard deviations of a normal distribution: 3.2 in the first window, 5.8 in the last one of a day.
    pub(super) fn deviations(self) -> f64 {
        let t = (-2.0 * self.chance_max().ln()).sqrt();
        // Abramowitz and Stegun, 26.2.23: off by less than 0.000,45.
        let (above, below) =
            (2.515_517 + t * (0.802_853 + t * 0.010_328), 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308)));
        t - above / below
    }
}

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
pub(super) fn beyond_chance(bad: f64, requests: f64, rate: f64, scatter: Overdispersion, looked: Looked) -> bool {
    if rate <= 0.0 {
        return bad > 0.0;
    }
    let clump = scatter.get().min(SCATTER_MAX);
    bad >= ERRORS_MIN
        && bad / requests > rate
        && chance_of_at_least(bad / clump, requests / clump, rate) < looked.chance_max()
}

/// Whether `bad` of so few `requests` speak against a version at `rate` (0 to 1), though they are too few to bring it back.
pub(super) fn speaks_against(bad: f64, requests: f64, rate: f64) -> bool {
    if rate <= 0.0 {
        return bad > 0.0;
    }
    bad / requests > rate && chance_of_at_least(bad, requests, rate) < FEW_CHANCE_MAX
}
