//! What was measured, or why it was not.

use crate::api::Span;

/// An answer of a metrics source. Never a bare number: a missing figure is not zero.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence<T> {
    /// The figure.
    Value(T),
    /// The source answered, and has no such samples. Why, in words.
    NoData(String),
    /// The source answered from a part of its stores.
    Partial {
        /// The figure, where one came.
        value: Option<T>,
        /// What is missing.
        why: String,
    },
    /// The source answered something that cannot be the figure, such as NaN or two series. What, in words.
    Invalid(String),
    /// The source did not answer. Why, in words.
    Unreachable(String),
}

impl<T> Evidence<T> {
    /// The figure, where it is whole; a partial one is not.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::NoData(_) | Self::Partial { .. } | Self::Invalid(_) | Self::Unreachable(_) => None,
        }
    }

    /// Why there is no whole figure; None where there is one.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Value(_) => None,
            Self::NoData(why) | Self::Partial { why, .. } | Self::Invalid(why) | Self::Unreachable(why) => Some(why),
        }
    }

    /// The same answer with another figure.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Evidence<U> {
        match self {
            Self::Value(value) => Evidence::Value(change(value)),
            Self::NoData(why) => Evidence::NoData(why),
            Self::Partial { value, why } => Evidence::Partial { value: value.map(change), why },
            Self::Invalid(why) => Evidence::Invalid(why),
            Self::Unreachable(why) => Evidence::Unreachable(why),
        }
    }
}

/// What one version did in the window.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmSample {
    /// Requests that it answered. From 0; not always whole, because `increase()` extrapolates.
    pub requests: Evidence<f64>,
    /// Requests of these that failed. From 0; to exist, as 0, whenever `requests` does.
    pub errors: Evidence<f64>,
    /// The contract's quantile of request durations, in seconds.
    pub latency: Evidence<f64>,
}

/// How often what the service is there for happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Business {
    /// With the new version.
    pub candidate: Evidence<f64>,
    /// With what served before.
    pub base: Evidence<f64>,
}

/// What both versions did in the same window.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The new version.
    pub candidate: ArmSample,
    /// How long the new version takes at least, in seconds: its lower one of the [`Quantiles`](super::Quantiles); None where its
    /// latency cannot be asked for at another quantile.
    pub latency_at_least: Option<Evidence<f64>>,
    /// What served before: stable, or previous.
    pub base: ArmSample,
    /// How long that takes at most, in seconds: its upper one of the [`Quantiles`](super::Quantiles), no data where its requests are
    /// too few; None where its latency cannot be asked for at another quantile.
    pub base_at_most: Option<Evidence<f64>>,
    /// Complaints since traffic first went to the new version; None where they were not asked for.
    pub complaints: Option<Evidence<f64>>,
    /// How often each version did what the service is there for; None where it was not asked for.
    pub business: Option<Business>,
    /// How long the window is.
    pub window: Span,
}
