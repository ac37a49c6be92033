//! What both versions did in one interval.

use super::finding::Signal;
use crate::analysis::evidence::Evidence;
use crate::analysis::limits::{EXTRAPOLATION_MAX, figure};
use crate::analysis::verdict::NotYet;
use crate::api::{Percent, Span, Time};

/// Requests of one version in one interval, and how many of them were bad: failed, or slower than a threshold.
///
/// From 0 to 10^15 each; not always whole, because `increase()` extrapolates; never more bad ones than requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counts {
    requests: f64,
    bad: f64,
}

/// Why two numbers are no counts.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum CountsError {
    /// Not a number, negative, or too large.
    #[error("{what}: {value} is no count; a number from 0 to 10^15 is needed: look at the query")]
    Range {
        /// `requests` or `bad requests`.
        what: &'static str,
        /// What came instead.
        value: f64,
    },
    /// More bad requests than requests, by more than extrapolation explains.
    #[error("bad requests: {bad} of {requests} requests; both queries must count the same requests")]
    MoreBadThanAll {
        /// Bad requests.
        bad: f64,
        /// All requests.
        requests: f64,
    },
}

impl Counts {
    /// None at all.
    pub const NONE: Self = Self { requests: 0.0, bad: 0.0 };
    const MAX: f64 = 1e15;

    /// Counts from two numbers; a few more bad ones than requests are what `increase()` makes of all, and are read so.
    pub fn new(requests: f64, bad: f64) -> Result<Self, CountsError> {
        for (what, value) in [("requests", requests), ("bad requests", bad)] {
            if !(0.0..=Self::MAX).contains(&value) {
                return Err(CountsError::Range { what, value });
            }
        }
        if bad > requests * EXTRAPOLATION_MAX {
            return Err(CountsError::MoreBadThanAll { bad, requests });
        }
        Ok(Self { requests, bad: bad.min(requests) })
    }

    /// Counts from what was measured of `who`; bad ones are not asked for where there were no requests. The reason where
    /// either is missing, partial or cannot be.
    pub fn measured(requests: &Evidence<f64>, bad: &Evidence<f64>, who: &str) -> Result<Self, NotYet> {
        let requests = figure(requests, &format!("requests of {who}"))?;
        if requests <= 0.0 {
            return Ok(Self::NONE);
        }
        let bad = figure(bad, &format!("bad requests of {who}"))?;
        Self::new(requests, bad).map_err(|why| NotYet::Invalid(format!("{who}: {why}")))
    }

    /// The same of requests that took longer than a threshold, which a histogram with this bucket (`le="0.3"`) tells. Where it tells
    /// of requests and not of that bucket, the reason names it.
    pub fn slower(
        requests: &Evidence<f64>,
        slow: &Evidence<f64>,
        who: &str,
        (than, bucket): (Span, &str),
    ) -> Result<Self, NotYet> {
        let counts = Self::measured(requests, slow, who);
        match (counts, slow) {
            (Err(NotYet::NoData(_)), Evidence::NoData(why)) if requests.value().is_some() => {
                Err(NotYet::NoData(format!(
                    "requests of {who} that {}: {why}, though it answered requests. `slowerThan: {than}` wants a bucket `{bucket}` in the histogram",
                    Signal::Slower(than)
                )))
            }
            (counts, _) => counts,
        }
    }

    /// All requests.
    pub const fn requests(self) -> f64 {
        self.requests
    }

    /// The bad ones among them.
    pub const fn bad(self) -> f64 {
        self.bad
    }
}

/// What the new version is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Base {
    /// What stable did in the same interval.
    Measured(Counts),
    /// Stable has no traffic: the share of bad requests that it had in a usual hour of the day before the start, at most.
    Frozen(Percent),
}

/// One interval of a release. Intervals are disjoint, and each is known by its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// When it ended.
    pub end: Time,
    /// How long it was. One that is longer than the others, after an outage of the metrics source, is as good.
    pub length: Span,
    /// The new version.
    pub candidate: Counts,
    /// What served before.
    pub base: Base,
}
