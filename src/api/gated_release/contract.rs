//! When a change comes back.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::api::units::{Percent, Span};
use crate::api::watched::TrialLimit;

/// The thresholds at which a change comes back by itself (`002_…`, plan phase; `003_…`, modules 1 and 6).
#[derive(Debug, Clone, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("has(self.latencyFactor) || has(self.latencyAdded)").message("rollback: give latencyFactor (such as 2 for twice stable's latency), latencyAdded (such as 200ms), or both: without a latency limit a slow version would stay"))]
#[x_kube(validation = Rule::new("!has(self.complaintsQuery) || has(self.complaints)").message("rollback: complaintsQuery is asked only where complaints says how many are too many: add complaints, such as 3, or remove complaintsQuery"))]
pub struct RollbackContract {
    /// The change comes back when more than this share of its requests fail. The documents name 1 (`002_…`) and 5 (`003_…`).
    #[x_kube(validation = Rule::new("self < 100.0").message("errorRatePercent must be below 100: at 100 nothing would ever come back"))]
    pub error_rate_percent: Percent,
    /// The change comes back when its latency is more than this many times stable's. Above 1; the documents name 2 (`002_…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "f64")]
    #[x_kube(validation = Rule::new("self > 1.0 && self <= 100.0").message("latencyFactor must lie above 1 and up to 100, such as 2 for twice stable's latency"))]
    pub latency_factor: Option<f64>,
    /// The change comes back when its latency is more than this above stable's. The documents name 200ms (`003_…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Span")]
    pub latency_added: Option<Span>,
    /// The quantile of request durations that the latency limits look at, in percent. Default: 95.
    #[serde(default = "RollbackContract::default_quantile")]
    #[x_kube(validation = Rule::new("self >= 1.0 && self <= 99.99").message("latencyQuantile must lie between 1 and 99.99, such as 95"))]
    pub latency_quantile: Percent,
    /// The change comes back when more than this many complaints arrive during the release. The documents name 3 (`002_…`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(max = 1_000_000))]
    pub complaints: Option<u32>,
    /// PromQL that answers one number: complaints in `$window`. By default the metrics source's query for complaints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 2048))]
    pub complaints_query: Option<String>,
    /// The change comes back when what the service is there for happens more or less often than with stable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "BusinessMetric")]
    pub business: Option<BusinessMetric>,
    /// How many checks in a row must breach a limit before it counts as exceeded, from 1 to 100; one check counts each
    /// `analysis.window` (`analysis.interval`, where that is longer). A check without evidence neither counts nor begins anew, unless
    /// that lasts for three times as long. Meanwhile nothing is raised. Crashes and pods that are not ready are never waited for, nor is
    /// the comparison. Default: 1, the first breach.
    #[serde(default = "RollbackContract::default_consecutive", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 100))]
    pub consecutive: u32,
    /// Limits on trial: what they would have brought back is told and put on record (`wouldHave`), and they neither bring
    /// anything back nor hold it. The error rate always decides. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub dry_run: Vec<TrialLimit>,
    /// How long a rollback may take from its trigger until no request goes to the new version. Default: 5m (`003_…`, module 6).
    #[serde(default = "RollbackContract::default_time_budget")]
    #[x_kube(validation = Rule::new("self.matches('[1-9]')").message("timeBudget must be longer than nothing, such as 5m"))]
    pub time_budget: Span,
}

/// What the service is there for, such as checkouts that succeed (`003_…`, module 5: "deviate by more than 10 %").
#[derive(Debug, Clone, PartialEq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BusinessMetric {
    /// How it is called in messages, such as `checkouts`.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// PromQL that counts it in `$window`, by the label that tells the versions apart, as `requests` of the query templates
    /// does; must answer 0, not nothing, where there are requests.
    #[schemars(length(min = 1, max = 2048))]
    pub query: String,
    /// How far its share of the requests may be above or below stable's, in percent of that share. Default: 10.
    #[serde(default = "BusinessMetric::default_change")]
    #[x_kube(validation = Rule::new("self > 0.0 && self < 100.0").message("changePercent must lie above 0 and below 100, such as 10"))]
    pub change_percent: Percent,
}

impl BusinessMetric {
    fn default_change() -> Percent {
        Percent::whole(10)
    }
}

impl RollbackContract {
    fn default_quantile() -> Percent {
        Percent::whole(95)
    }
    fn default_time_budget() -> Span {
        Span::minutes(5)
    }
    const fn default_consecutive() -> u32 {
        1
    }
}

const fn is_one(number: &u32) -> bool {
    *number == 1
}
