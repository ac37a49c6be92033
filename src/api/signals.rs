//! What goes on around a service, as the sources of the administrator tell it (`000_…` §5.3, Operational Context).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Time;

/// What was heard around the service. It is asked once an interval and shared by all releases of the budget.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalsStatus {
    /// The entry of the controller's configuration that is asked.
    #[schemars(length(max = 63))]
    pub source: String,
    /// Incidents; absent where the entry does not ask for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incidents: Option<IncidentsStatus>,
    /// The load of the people on call; absent where the entry does not ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_call: Option<OnCallStatus>,
}

/// Incidents that go on, or that ended within 7 days.
#[derive(Debug, Clone, PartialEq, Eq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentsStatus {
    /// Those that count most: first what goes on, then the gravest. Empty where there is none; absent until an answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8))]
    pub known: Option<Vec<IncidentStatus>>,
    /// That there is no answer now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Unanswered>,
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentStatus {
    /// What the source calls it.
    #[schemars(length(max = 80))]
    pub name: String,
    /// 1 for Sev1; absent where the source does not say, which counts as Sev1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<u8>,
    /// When it was last seen; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
}

/// How often people on call are paged.
#[derive(Debug, Clone, PartialEq, Default, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnCallStatus {
    /// The load; absent until an answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<LoadStatus>,
    /// That there is no answer now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Unanswered>,
}

/// The load when it last came to be high, or ceased to be.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadStatus {
    /// Whether there are more pages than normal.
    pub high: bool,
    /// Pages at that moment, in the span that the query chose, to one decimal.
    pub pages: f64,
    /// How many were normal then, to one decimal.
    pub normal: f64,
    /// That moment.
    pub since: Time,
}

/// A question without an answer. What was known before counts for 15 minutes from then on; after that the signal counts as
/// bad.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unanswered {
    /// Why.
    #[schemars(length(max = 300))]
    pub why: String,
    /// Since when.
    pub since: Time,
}
