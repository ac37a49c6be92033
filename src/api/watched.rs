//! What a record remembers of a version that is being watched, so that a restart forgets nothing: limits that were
//! breached in a row, and what would have brought it back had it not been on trial.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::words;
use super::release_record::Trigger;
use super::units::{Span, Time, UnitError};
use std::fmt;
use std::str::FromStr;

words! {
    /// A limit that can be on trial. The error rate is not among them: without a threshold that decides nothing is released
    /// (`002_…`, guardrails).
    TrialLimit, "a limit that can be on trial: Latency, Complaints or BusinessMetric" {
        /// `latencyFactor` and `latencyAdded`.
        Latency,
        /// `complaints`.
        Complaints,
        /// `business`.
        BusinessMetric,
    }
}

impl TrialLimit {
    /// What the limit sets off where it decides.
    pub const fn trigger(self) -> Trigger {
        match self {
            Self::Latency => Trigger::Latency,
            Self::Complaints => Trigger::Complaints,
            Self::BusinessMetric => Trigger::BusinessMetric,
        }
    }
}

/// How often a limit was breached in a row. Gone once it was kept again, and once the record is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Streak {
    /// The limit, by what it sets off.
    pub limit: Trigger,
    /// Breaches in a row, from 1 to `spec.rollback.consecutive`.
    pub count: u32,
    /// When the last one was counted; the next counts from one `analysis.window` later (`analysis.interval`, where that is longer). After
    /// three times as long a streak that is not full is over.
    pub at: Time,
}

/// What would have brought the version back, had it not been on trial (`dryRun`).
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WouldHave {
    /// What it would have set off.
    pub trigger: Trigger,
    /// The value that was seen, with its unit.
    #[schemars(length(max = 128))]
    pub value: String,
    /// The threshold, with its unit.
    #[schemars(length(max = 128))]
    pub threshold: String,
    /// When it would have come back; later breaches of the same limit are not told again.
    pub at: Time,
}

impl fmt::Display for WouldHave {
    /// `Latency: p95 300 ms, limit 200 ms (2 times), at 20 Nov 08:05:00 UTC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, limit {}, at {}", self.trigger, self.value, self.threshold, self.at.clock())
    }
}

/// A circuit breaker of the administrator's that is open for this release.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenCircuit {
    /// Its name in the controller's configuration.
    #[schemars(length(max = 63))]
    pub name: String,
    /// When it was seen to open.
    pub since: Time,
    /// What its query answered then, and the limit, such as `7 above 5`.
    #[schemars(length(max = 64))]
    pub value: String,
}

/// An error budget that goes so fast that somebody is called, whichever version is at fault. While it cannot be asked it is what it was.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StandingBurn {
    /// The objective.
    #[schemars(length(max = 128))]
    pub objective: String,
    /// When it was first seen.
    pub since: Time,
    /// The longer window in which it goes too fast: with another one it is another burn.
    pub over: Span,
    /// How fast it went then, such as `burns 20.5 times too fast over 1h and still over 5m (14.4 calls somebody)`.
    #[schemars(length(max = 256))]
    pub pace: String,
}

impl fmt::Display for StandingBurn {
    /// `objective availability burns 20.5 times too fast over 1h and still over 5m (14.4 calls somebody)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "objective {} {}", self.objective, self.pace)
    }
}
