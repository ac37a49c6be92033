//! The comparison with what served before: what a manifest says of it, and what a record keeps of it.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::undecided::WhenUndecided;
use super::units::{Percent, Span, Time};
use crate::analysis::compare::{Setup, Signals, Tally};
use crate::analysis::course::CourseTally;

/// How the new version is compared with what served before, interval by interval: by failed and, where asked for, by slow
/// requests.
///
/// The comparison may be looked at at any time: an equal version is called worse at most once in 100 releases, by failed and by slow
/// requests together.
#[derive(Debug, Clone, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Comparison {
    /// How long one interval is; at least four scrapes must fit into it. Default: 1m.
    #[serde(default = "Comparison::default_interval")]
    #[x_kube(validation = Rule::new("self.matches('[1-9][0-9]*(s|h|d|m([0-9]|$))')").message("interval must be at least 1s, such as 1m"))]
    pub interval: Span,
    /// Compares how many requests are slow, beside how many fail: by one bound, or by up to three, so that a tail shows which a lower
    /// bound does not. Not compared where it is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 3), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["slowerThan"]))]
    pub latency: Vec<Slowness>,
    /// Deprecated: `spec.analysis.undecidedFor`, which rules all that cannot be told and is taken where both are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided_for: Option<Span>,
    /// Whether the comparison is on trial: what it would have brought back is told and put on record (`wouldHave`), and it
    /// neither brings anything back nor holds a stage. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Deprecated: `spec.analysis.whenUndecided`, which rules all that cannot be told and is taken where both are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_undecided: Option<WhenUndecided>,
}

impl Comparison {
    /// A minute: four scrapes of the usual 15 s.
    pub const fn default_interval() -> Span {
        Span::minutes(1)
    }

    /// From when on a request is slow, each bound once however it is written (1s, 1000ms), the shortest first.
    pub fn bounds(&self) -> Vec<Span> {
        let mut bounds: Vec<_> = self.latency.iter().map(|latency| latency.slower_than).collect();
        bounds.sort_unstable();
        bounds.dedup();
        bounds
    }

    /// In what a release is compared.
    pub fn signals(&self) -> Signals {
        Signals::errors_and(self.bounds().len())
    }
}

/// When a request counts as slow.
#[derive(Debug, Clone, Copy, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Slowness {
    /// It took longer than this; the histogram must have a bucket with this bound.
    #[x_kube(validation = Rule::new("self.matches('[1-9]')").message("slowerThan must be longer than nothing, such as 300ms"))]
    pub slower_than: Span,
    /// How many may be slow as the service promises, in percent of its requests. Default: 5, as a p95 says.
    #[serde(default = "Slowness::default_allowed")]
    #[x_kube(validation = Rule::new("self > 0.0 && self < 100.0").message("allowedPercent must lie above 0 and below 100, such as 5"))]
    pub allowed_percent: Percent,
}

impl Slowness {
    fn default_allowed() -> Percent {
        Percent::whole(5)
    }
}

/// What stable was like by itself when the release began, for the limits too, and what the comparison needs to go on, also after a
/// restart. Gone once the record is sealed.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparisonRecord {
    /// By failed requests.
    pub errors: SignalRecord,
    /// By slow ones, bound by bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    pub slow: Vec<SlowRecord>,
    /// The new version's failed requests against the limit of its contract, whether anything is compared or not; absent before the
    /// first interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<CourseTally>,
}

impl ComparisonRecord {
    /// Up to when intervals were counted; none before the first.
    pub fn until(&self) -> Option<Time> {
        self.errors.tally.until.max(self.course.and_then(|course| course.until))
    }

    /// All that is compared.
    pub fn signals(&self) -> impl Iterator<Item = &SignalRecord> {
        std::iter::once(&self.errors).chain(self.slow.iter().map(|slow| &slow.signal))
    }

    /// The bounds of the manifest by which nothing is compared yet, as many as the frozen rules have room for: a bound more would
    /// need a part of the chance that the others have.
    pub fn awaited(&self, rules: &Comparison) -> Vec<Span> {
        let room = self.errors.setup.signals.bounds().saturating_sub(self.slow.len());
        let is_new = |bound: &Span| self.slow.iter().all(|slow| slow.slower_than != *bound);
        rules.bounds().into_iter().filter(is_new).take(room).collect()
    }
}

/// One signal's.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalRecord {
    /// Its rules, frozen when users first met the new version.
    pub setup: Setup,
    /// The intervals counted so far.
    pub tally: Tally,
}

impl SignalRecord {
    /// Whether another interval would be counted: nothing is decided, and something stands for stable, which answers users itself
    /// or did the day before.
    pub fn counts_on(&self, base_serves: bool) -> bool {
        (base_serves || self.setup.base_rate.is_some()) && !self.tally.is_worse(&self.setup)
    }
}

/// That of slow requests.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlowRecord {
    /// What was slow, frozen with the rules: another threshold would count other requests.
    pub slower_than: Span,
    /// Rules and intervals.
    #[serde(flatten)]
    pub signal: SignalRecord,
}
