//! How far a projection is to be believed: by whether a short and a long look back agree about how fast it goes.
//!
//! The documents ask for a projection (`000_…` §5.5, "Trendline (projected depletion date)"; `001_…`, "Projected Depletion") and
//! give no measure of it. Two rates that differ by a factor of two move the day by as much; that is what is called High here.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::change::words;
use crate::api::units::UnitError;

words! {
    /// How far a projection is to be believed. Ordered from least to most.
    Confidence, "a confidence: Low, Medium or High" {
        /// One look back alone, or a short and a long one that differ by more than four times.
        Low,
        /// They differ by up to four times.
        Medium,
        /// They differ by up to two times.
        High,
    }
}

/// By how much two rates may differ to be High, and to be Medium.
const TIMES: [(f64, Confidence); 2] = [(2.0, Confidence::High), (4.0, Confidence::Medium)];

/// How far a projection is to be believed that rests on the first of two rates, in the same unit; none where there is no second one.
pub fn confidence(rate: f64, other: Option<f64>) -> Confidence {
    let Some(other) = other.filter(|other| *other > 0.0 && rate > 0.0) else { return Confidence::Low };
    let times = (rate / other).max(other / rate);
    TIMES.iter().find(|(most, _)| times <= *most).map_or(Confidence::Low, |(_, confidence)| *confidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::alike(10.0, Some(10.0), Confidence::High)]
    #[case::twice(10.0, Some(5.0), Confidence::High)]
    #[case::half(5.0, Some(10.0), Confidence::High)]
    #[case::more_than_twice(10.0, Some(4.9), Confidence::Medium)]
    #[case::four_times(10.0, Some(2.5), Confidence::Medium)]
    #[case::a_new_trend(10.0, Some(2.4), Confidence::Low)]
    #[case::it_did_not_fall_before(10.0, Some(0.0), Confidence::Low)]
    #[case::it_rose_before(10.0, Some(-3.0), Confidence::Low)]
    #[case::it_stopped(0.0, Some(5.0), Confidence::Low)]
    #[case::nothing_to_compare_with(10.0, None, Confidence::Low)]
    fn two_looks_back_that_agree_are_believed(
        #[case] rate: f64,
        #[case] other: Option<f64>,
        #[case] expected: Confidence,
    ) {
        assert_eq!(confidence(rate, other), expected);
    }
}
