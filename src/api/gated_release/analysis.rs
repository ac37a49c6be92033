//! How the two versions are observed.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::api::comparison::Comparison;
use crate::api::compliance::SloCompliance;
use crate::api::synthetic::SyntheticCheck;
use crate::api::undecided::{Undecided, WhenUndecided};
use crate::api::units::{Percent, Span};

/// How the two versions are observed.
#[derive(Debug, Clone, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Analysis {
    /// Query templates of the controller's configuration. Default: `http-server`.
    #[serde(default = "Analysis::default_metrics")]
    #[schemars(length(min = 1, max = 63))]
    pub metrics: String,
    /// How often the versions are compared, at least 1s. Default: 15s.
    #[serde(default = "Analysis::default_interval")]
    #[x_kube(validation = Rule::new("self.matches('[1-9][0-9]*(s|h|d|m([0-9]|$))')").message("interval must be at least 1s, such as 15s"))]
    pub interval: Span,
    /// How far back one comparison looks; several scrapes must fit into it. Default: 2m.
    #[serde(default = "Analysis::default_window")]
    #[x_kube(validation = Rule::new("self.matches('[1-9][0-9]*(s|h|d|m([0-9]|$))')").message("window must be at least 1s, such as 2m"))]
    pub window: Span,
    /// Requests that the new version must have answered in a stage before the stage can pass or latency can be judged. Default: 50.
    #[serde(default = "Analysis::default_min_requests")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_requests: u32,
    /// How far the new version's share of the requests that both versions answer may be off, in percent of its weight: at 50
    /// a weight of 10 is held where 4 % or 16 % arrive; at 100 too little is never held. Callers that go past the route,
    /// sessions that stick and probes that the application counts move the share, so it is judged only where this is set, and
    /// only where a route divides the traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_tolerance_percent: Option<Percent>,
    /// How both versions are compared, interval by interval, beside the limits of the rollback contract. Not
    /// compared where it is absent; `{}` takes the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Comparison")]
    pub comparison: Option<Comparison>,
    /// What Tidegate itself asks of the new version when the bake time of a stage is over; the stage passes when each passed
    /// once in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(validation = Rule::new("self.all(c, self.exists_one(o, o.name == c.name))").message("checks: two have the same name: give each a name of its own"))]
    pub checks: Vec<SyntheticCheck>,
    /// For how long the new version must have met the objectives of its RiskBudget before everybody gets it. Not asked for where
    /// it is absent; `{}` takes the defaults. A version that is missed by an objective for reasons of its own or of others
    /// waits, so that it is asked for and not the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "SloCompliance")]
    pub slo_compliance: Option<SloCompliance>,
    /// How long traffic may stay on the new version without evidence to judge it before the change is rolled back. Default: 30m.
    #[serde(default = "Analysis::default_evidence_within")]
    #[x_kube(validation = Rule::new("self.matches('[1-9]')").message("evidenceWithin must be longer than nothing: every hold needs a deadline, such as 30m"))]
    pub evidence_within: Span,
    /// How long a stage is held after its bake time while its traffic is too little to tell: for fewer requests than `minRequests`, for
    /// a limit that chance may have touched, and for the comparison. Default: as `evidenceWithin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided_for: Option<Span>,
    /// What happens then. `PassOnLimits` passes nothing without an answer, without a request, or of which more failed than chance
    /// explains. Default: RollBack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when_undecided: Option<WhenUndecided>,
}

impl Analysis {
    /// What rules all that cannot be told, with or without a comparison.
    ///
    /// What the manifest says here goes before what it says in the comparison, where it stood once: the API server wrote the defaults
    /// of that time there, so that nobody may have said it.
    pub fn undecided(&self) -> Undecided {
        let before = self.comparison.as_ref();
        let within = self.undecided_for.or_else(|| before?.undecided_for);
        let then = self.when_undecided.or_else(|| before?.when_undecided);
        Undecided { within: within.unwrap_or(self.evidence_within), then: then.unwrap_or_default() }
    }

    fn default_metrics() -> String {
        "http-server".to_owned()
    }
    fn default_interval() -> Span {
        Span::seconds(15)
    }
    fn default_window() -> Span {
        Span::minutes(2)
    }
    fn default_min_requests() -> u32 {
        50
    }
    fn default_evidence_within() -> Span {
        Span::minutes(30)
    }
}

impl Default for Analysis {
    fn default() -> Self {
        Self {
            metrics: Self::default_metrics(),
            interval: Self::default_interval(),
            window: Self::default_window(),
            min_requests: Self::default_min_requests(),
            share_tolerance_percent: None,
            comparison: None,
            checks: Vec::new(),
            slo_compliance: None,
            evidence_within: Self::default_evidence_within(),
            undecided_for: None,
            when_undecided: None,
        }
    }
}
