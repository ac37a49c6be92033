//! An objective, and where its figures come from.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::units::{Percent, Span};

/// One service level objective.
#[derive(Debug, Clone, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("[has(self.availability), has(self.latency), has(self.promql), has(self.sloth), has(self.pyrra)].filter(x, x).size() == 1").message(Message::Expression("'exactly one of availability, latency, promql, sloth or pyrra says where the figures of objective ' + self.name + ' come from: remove the others or write an objective for each'".into())))]
pub struct Slo {
    /// A name that is unique in this budget.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// The objective in percent, such as 99.5; above 0 and below 100.
    #[x_kube(validation = Rule::new("self > 0.0 && self < 100.0").message("the objective must lie above 0 and below 100, such as 99.5: at 100 there is no budget to spend"))]
    pub objective: Percent,
    /// The window of the objective. Default: 30d.
    #[serde(default = "Slo::default_window")]
    pub window: Span,
    /// The share of requests that succeed, from the recording rules that the chart ships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<ServiceSeries>,
    /// The share of requests that are fast enough, from the recording rules that the chart ships.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<LatencySeries>,
    /// Your own PromQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promql: Option<OwnQueries>,
    /// Series that Sloth records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sloth: Option<SlothSeries>,
    /// Series that Pyrra records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pyrra: Option<PyrraSeries>,
}

impl Slo {
    fn default_window() -> Span {
        Span::days(30)
    }
}

/// The request series of a Service, found by the labels `namespace` and `service`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSeries {
    /// The Service whose requests count; its canary and previous Services count with it.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub service: String,
}

/// The request durations of a Service.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LatencySeries {
    /// The Service whose requests count; its canary and previous Services count with it.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub service: String,
    /// A request is fast enough up to this time; a bucket with this bound must exist and be recorded. Default: 300ms.
    #[serde(default = "LatencySeries::default_threshold")]
    pub threshold: Span,
}

impl LatencySeries {
    fn default_threshold() -> Span {
        Span::from_millis(300)
    }
}

/// Two queries that count over the window of the objective.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OwnQueries {
    /// PromQL that answers one number: bad events in the window. `$window` stands for the window, `$namespace` for this namespace.
    #[schemars(length(min = 1, max = 2048))]
    pub bad: String,
    /// PromQL that answers one number: all events in the window.
    #[schemars(length(min = 1, max = 2048))]
    pub total: String,
}

/// An objective that Sloth generates rules for; its own window and objective should equal the ones said here.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlothSeries {
    /// Value of the label `sloth_id`, such as `checkout-requests-availability`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9._:/-]+$"))]
    pub id: String,
}

/// An objective that Pyrra generates rules for (with `--generic-rules`).
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PyrraSeries {
    /// Value of the label `slo`.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9._:/-]+$"))]
    pub slo: String,
}
