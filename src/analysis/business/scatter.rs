//! How much the two versions differ from one interval to the next: orders come in clumps, and clumps say as much as one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Stretch;
use crate::analysis::compare::Overdispersion;

/// What is taken before anything was seen, and how many pairs of intervals it is worth: with it 0.7 % of 700 simulated releases of
/// an equal version came back whose orders come in clumps of five; with 2, it was 1.4 %.
const ASSUMED: f64 = 3.0;
const ASSUMED_PAIRS: f64 = 3.0;

/// A pair says no more than this: one outage of one version must not excuse all that follows.
const PAIR_MAX: f64 = 100.0;

/// How far intervals that follow each other were apart, given the events of both versions together. 1 on average where each event
/// comes by itself; whatever happens to both versions alike does not enter.
///
/// An interval is judged by what was known before it, so that it cannot excuse itself.
#[derive(Debug, Clone, Copy, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scatter {
    /// How many pairs of intervals were seen. From 0.
    pairs: u32,
    /// How far they were apart, added up; to a hundredth.
    apart: f64,
}

impl Scatter {
    /// Variance over mean, as far as it is known.
    pub(super) fn get(self) -> f64 {
        let pairs = ASSUMED_PAIRS + f64::from(self.pairs);
        Overdispersion::from((ASSUMED_PAIRS * ASSUMED + self.apart) / pairs).get()
    }

    /// With one more pair. Unchanged where the two cannot be compared.
    pub(super) fn after(self, one: &Stretch, next: &Stretch) -> Self {
        let Some(apart) = apart(one, next) else { return self };
        let sum = ((self.apart + apart.min(PAIR_MAX)) * 100.0).round() / 100.0;
        Self { pairs: self.pairs.saturating_add(1), apart: sum }
    }
}

/// The chi-squared statistic, with one degree of freedom, of two intervals that share one ratio of the versions (by Mantel and
/// Haenszel); None where either says nothing of it.
fn apart(one: &Stretch, next: &Stretch) -> Option<f64> {
    let parts = |stretch: &Stretch| {
        let (new, base) = (stretch.candidate, stretch.base);
        let requests = new.requests() + base.requests();
        (new.events() * base.requests() / requests, base.events() * new.requests() / requests)
    };
    let ((new_one, base_one), (new_next, base_next)) = (parts(one), parts(next));
    let ratio = (new_one + new_next) / (base_one + base_next);
    let of = |stretch: &Stretch| {
        let (new, base) = (stretch.candidate, stretch.base);
        let share = new.requests() * ratio / (new.requests() * ratio + base.requests());
        let all = new.events() + base.events();
        (new.events() - all * share).powi(2) / (all * share * (1.0 - share))
    };
    Some(of(one) + of(next)).filter(|apart| apart.is_finite())
}
