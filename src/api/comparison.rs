//! The comparison with what served before: what a manifest says of it, and what a record keeps of it.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::words;
use super::units::{Span, UnitError};
use crate::analysis::compare::{Setup, Tally};
use std::fmt;
use std::str::FromStr;

words! {
    /// What becomes of a stage that has too little traffic to tell whether the new version is worse.
    WhenUndecided, "what happens where it cannot be told: RollBack or PassOnLimits" {
        /// The change is rolled back.
        RollBack,
        /// The stage passes on the limits of the rollback contract alone, and its verdict says so.
        PassOnLimits,
    }
}

impl Default for WhenUndecided {
    fn default() -> Self {
        Self::RollBack
    }
}

/// How the errors of the new version are compared with those of what served before, interval by interval.
///
/// The comparison may be looked at at any time: an equal version is called worse at most once in 100 releases.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Comparison {
    /// How long one interval is; at least four scrapes must fit into it. Default: 1m.
    #[serde(default = "Comparison::default_interval")]
    #[x_kube(validation = Rule::new("self.matches('[1-9][0-9]*(s|h|d|m([0-9]|$))')").message("interval must be at least 1s, such as 1m"))]
    pub interval: Span,
    /// How long a stage is held after its bake time while the traffic is too little to tell. Default: 30m.
    #[serde(default = "Comparison::default_undecided_for")]
    pub undecided_for: Span,
    /// What happens then. Default: RollBack.
    #[serde(default)]
    pub when_undecided: WhenUndecided,
}

impl Comparison {
    const fn default_interval() -> Span {
        Span::minutes(1)
    }

    const fn default_undecided_for() -> Span {
        Span::minutes(30)
    }
}

/// What the comparison needs to go on, also after a restart. Gone once the record is sealed.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparisonRecord {
    /// Its rules, frozen when users first met the new version.
    pub setup: Setup,
    /// The intervals counted so far, by failed requests.
    pub errors: Tally,
}
