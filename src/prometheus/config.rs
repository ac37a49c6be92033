//! The controller's configuration file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::api::Span;

/// The whole file. Unknown fields are errors.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Prometheus servers by name.
    pub metrics_sources: BTreeMap<String, Source>,
    /// Sets of queries that compare two versions, by name.
    pub query_templates: BTreeMap<String, QueryTemplate>,
    /// Queries that tell what goes on around a service, by name; a RiskBudget names one, or takes `default`.
    #[serde(default)]
    pub signals: BTreeMap<String, SignalQueries>,
    /// Critical signals that stop releases while they fire, by name.
    #[serde(default)]
    pub circuit_breakers: BTreeMap<String, CircuitBreaker>,
    /// How the error budget is measured.
    #[serde(default)]
    pub budget: Budget,
    /// How the recording rules count.
    #[serde(default)]
    pub recording: Recording,
    /// How long records stay.
    #[serde(default)]
    pub records: Records,
}

/// How long ReleaseRecords stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Records {
    /// How often the records of one GatedRelease are looked through; a sixtieth of it while more may go. Default: 1h.
    #[serde(default = "Records::default_interval")]
    pub interval: Span,
    /// Whether an old record goes only after it was exported (`tidegate audit export --mark`). Default: false.
    #[serde(default)]
    pub prune_only_exported: bool,
}

impl Records {
    const fn default_interval() -> Span {
        Span::hours(1)
    }
}

impl Default for Records {
    fn default() -> Self {
        Self { interval: Self::default_interval(), prune_only_exported: false }
    }
}

/// A Prometheus server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// Its address, up to and without `/api/v1`.
    pub url: String,
    /// How long one query may take. Default: 5s.
    #[serde(default = "Source::default_timeout")]
    pub timeout: Span,
    /// A file with a bearer token, read anew for every query.
    #[serde(default)]
    pub bearer_token_file: Option<String>,
}

impl Source {
    const fn default_timeout() -> Span {
        Span::seconds(5)
    }
}

/// Queries that compare two versions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QueryTemplate {
    /// The source that is asked. Default: `default`.
    #[serde(default = "QueryTemplate::default_source")]
    pub source: String,
    /// The label that tells the versions apart: its value is the Service, or the Deployment where the queries use
    /// `$workloads`. Default: `service`. Not looked at where they use `$pods`: then each is asked once a version and answers
    /// one number.
    #[serde(default = "QueryTemplate::default_label")]
    pub arm_label: String,
    /// Requests in `$window` by that label.
    pub requests: String,
    /// Failed requests in `$window` by that label.
    pub errors: String,
    /// The `$quantile` of request durations in seconds by that label.
    pub latency: String,
    /// Requests in `$window` by that label that took longer than `$threshold`; needed only where a GatedRelease compares
    /// latency.
    #[serde(default)]
    pub slower: Option<String>,
    /// One number: complaints in `$window`.
    #[serde(default)]
    pub complaints: Option<String>,
}

/// What tells the two versions apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apart {
    /// Their Services, `$services`.
    Services,
    /// Their Deployments, `$workloads`.
    Workloads,
    /// The pods of one Service, `$pods`.
    Pods,
}

impl Apart {
    /// By the variable that a query uses.
    fn of(query: &str) -> Self {
        match (super::template::uses(query, "pods"), super::template::uses(query, "workloads")) {
            (true, _) => Self::Pods,
            (false, true) => Self::Workloads,
            (false, false) => Self::Services,
        }
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::Services => "$services",
            Self::Workloads => "$workloads",
            Self::Pods => "$pods",
        }
    }
}

impl QueryTemplate {
    /// What its queries tell the versions apart by; the same for all of them.
    pub fn apart(&self) -> Apart {
        Apart::of(&self.requests)
    }

    /// Whether its queries tell the pods of one Service apart.
    pub fn by_pod(&self) -> bool {
        self.apart() == Apart::Pods
    }

    /// Refuses a query that tells the versions apart by something else than `requests` does.
    fn check_apart(&self, part: &str, query: &str) -> Result<(), String> {
        let (wanted, found) = (self.apart(), Apart::of(query));
        if part == "complaints" {
            return match found {
                Apart::Pods => Err("$pods stands for one version, and complaints are of both".to_owned()),
                Apart::Services | Apart::Workloads => Ok(()),
            };
        }
        let remedy = "give it to all of requests, errors, latency and slower, or to none";
        if found == wanted {
            Ok(())
        } else if wanted == Apart::Services {
            Err(format!("uses {}, which requests lacks: {remedy}", found.variable()))
        } else {
            Err(format!("lacks {}, which requests uses: {remedy}", wanted.variable()))
        }
    }

    fn default_source() -> String {
        "default".to_owned()
    }
    fn default_label() -> String {
        "service".to_owned()
    }
}

/// What goes on around a service (`000_…` §5.3, Operational Context). They are the administrator's: who spends a budget does
/// not choose what counts as an incident of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignalQueries {
    /// The source that is asked. Default: `default`.
    #[serde(default = "QueryTemplate::default_source")]
    pub source: String,
    /// One series an incident: its value is the moment at which it was last seen, in seconds since 1970, and 0 stands for
    /// none. `$window` is the look-back of 7 days.
    #[serde(default)]
    pub incidents: Option<String>,
    /// The label that names an incident. Default: `incident`.
    #[serde(default = "SignalQueries::default_incident")]
    pub incident_label: String,
    /// The label that says how grave it is: a number behind letters, such as `1`, `sev2` or `P3`. Default: `severity`.
    #[serde(default = "SignalQueries::default_severity")]
    pub severity_label: String,
    /// The load of the people on call.
    #[serde(default)]
    pub on_call: Option<OnCallQueries>,
}

/// Two numbers over the same span: more pages than normal is a high load.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OnCallQueries {
    /// Pages lately.
    pub pages: String,
    /// How many are normal.
    pub normal: String,
}

impl SignalQueries {
    fn default_incident() -> String {
        "incident".to_owned()
    }

    fn default_severity() -> String {
        "severity".to_owned()
    }

    fn check(&self, field: &str) -> Result<(), String> {
        if self.incidents.is_none() && self.on_call.is_none() {
            return Err(format!("{field}: asks for nothing; give it incidents, onCall, or both, or remove it"));
        }
        let load = self.on_call.as_ref();
        let queries = [
            ("incidents", self.incidents.as_ref(), &["namespace", "budget", "window"][..]),
            ("onCall.pages", load.map(|load| &load.pages), &["namespace", "budget"]),
            ("onCall.normal", load.map(|load| &load.normal), &["namespace", "budget"]),
        ];
        for (part, query, known) in queries {
            let Some(query) = query else { continue };
            super::template::check_for(query, known).map_err(|why| format!("{field}.{part}: {why}"))?;
        }
        Ok(())
    }
}

/// A critical signal that stops the releases that it names while it fires (`003_…`, module 3: "circuit-breaking logic that
/// halts deployment progression upon detection of critical errors"). It is the administrator's: no tenant names its source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CircuitBreaker {
    /// The source that is asked. Default: `default`.
    #[serde(default = "QueryTemplate::default_source")]
    pub source: String,
    /// The namespaces whose releases it stops. Default: all.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// The GatedReleases in them that it stops. Default: all.
    #[serde(default)]
    pub selector: LabelSelector,
    /// PromQL that answers one number, and 0, not nothing, where all is well.
    pub query: String,
    /// It is open while the query answers more than this.
    pub above: f64,
    /// Whether fixes wait too; a rollback never does. Default: false.
    #[serde(default)]
    pub halts_fixes: bool,
    /// What is told to whoever is stopped, such as where the runbook is; up to 256 characters.
    #[serde(default)]
    pub note: Option<String>,
}

/// Objects by their labels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LabelSelector {
    /// Labels that the object has, all of them. Default: none, which every object has.
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
}

/// As many fit into a record and a message.
const CIRCUIT_BREAKERS_MAX: usize = 16;

impl CircuitBreaker {
    fn check(&self, field: &str) -> Result<(), String> {
        if !self.above.is_finite() {
            return Err(format!("{field}.above: {} is no limit, such as 0", self.above));
        }
        if self.note.as_ref().is_some_and(|note| note.chars().count() > 256) {
            return Err(format!("{field}.note: longer than 256 characters"));
        }
        super::template::check_for(&self.query, &["namespace", "budget", "service"])
            .map_err(|why| format!("{field}.query: {why}"))
    }
}

/// How the error budget is measured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Budget {
    /// How often. Default: 1m.
    #[serde(default = "Budget::default_interval")]
    pub interval: Span,
}

impl Budget {
    const fn default_interval() -> Span {
        Span::minutes(1)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { interval: Self::default_interval() }
    }
}

/// How the recording rules count.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recording {
    /// The step of the counts. Default: 5m.
    #[serde(default = "Recording::default_interval")]
    pub interval: Span,
}

impl Recording {
    const fn default_interval() -> Span {
        Span::minutes(5)
    }
}

impl Default for Recording {
    fn default() -> Self {
        Self { interval: Self::default_interval() }
    }
}

impl Config {
    /// One that asks no Prometheus: nothing can be measured by it.
    pub fn empty() -> Self {
        Self {
            metrics_sources: BTreeMap::new(),
            query_templates: BTreeMap::new(),
            signals: BTreeMap::new(),
            circuit_breakers: BTreeMap::new(),
            budget: Budget::default(),
            recording: Recording::default(),
            records: Records::default(),
        }
    }

    /// Reads the file's text. The error names the field, the value and what would be accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        config.check().map(|()| config)
    }

    fn check(&self) -> Result<(), String> {
        for (name, source) in &self.metrics_sources {
            let field = format!("metricsSources.{name}");
            let parsed = reqwest::Url::parse(&source.url)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            match parsed {
                None => {
                    return Err(format!(
                        "{field}.url: {:?} is not an http or https address, such as http://prometheus.monitoring:9090",
                        source.url
                    ));
                }
                Some(url) if url.query().is_some() || url.fragment().is_some() => {
                    return Err(format!("{field}.url: {:?} must end before ? and #", source.url));
                }
                Some(_) => {}
            }
            if source.timeout.as_millis() == 0 {
                return Err(format!("{field}.timeout: must be longer than nothing, such as 5s"));
            }
        }
        for (name, template) in &self.query_templates {
            let field = format!("queryTemplates.{name}");
            if !self.metrics_sources.contains_key(&template.source) {
                return Err(format!("{field}.source: metricsSources has no {:?}", template.source));
            }
            let complaints = template.complaints.as_deref().map(|query| ("complaints", query));
            let slower = template.slower.as_deref().map(|query| ("slower", query));
            if let Some(query) = &template.slower
                && !["threshold", "le", "leMillis"].iter().any(|variable| super::template::uses(query, variable))
            {
                return Err(format!(
                    "{field}.slower: lacks $le or $leMillis, the bound in seconds or milliseconds from which on a request is slow"
                ));
            }
            let queries = [
                ("requests", template.requests.as_str()),
                ("errors", &template.errors),
                ("latency", &template.latency),
            ];
            for (part, query) in queries.into_iter().chain(slower).chain(complaints) {
                super::template::check(query).map_err(|why| format!("{field}.{part}: {why}"))?;
                template.check_apart(part, query).map_err(|why| format!("{field}.{part}: {why}"))?;
            }
        }
        for (name, queries) in &self.signals {
            let field = format!("signals.{name}");
            if !self.metrics_sources.contains_key(&queries.source) {
                return Err(format!("{field}.source: metricsSources has no {:?}", queries.source));
            }
            queries.check(&field)?;
        }
        if self.circuit_breakers.len() > CIRCUIT_BREAKERS_MAX {
            return Err(format!("circuitBreakers: {}, at most {CIRCUIT_BREAKERS_MAX}", self.circuit_breakers.len()));
        }
        for (name, breaker) in &self.circuit_breakers {
            let field = format!("circuitBreakers.{name}");
            if name.is_empty() || name.len() > 63 {
                return Err(format!("{field}: a name has 1 to 63 characters"));
            }
            if !self.metrics_sources.contains_key(&breaker.source) {
                return Err(format!("{field}.source: metricsSources has no {:?}", breaker.source));
            }
            breaker.check(&field)?;
        }
        for (field, span) in [
            ("budget.interval", self.budget.interval),
            ("recording.interval", self.recording.interval),
            ("records.interval", self.records.interval),
        ] {
            if span.as_millis() < 1_000 {
                return Err(format!("{field}: {span} is too short, at least 1s"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const GOOD: &str = "
metricsSources:
  default: {url: 'http://prometheus:9090', timeout: 5s}
queryTemplates:
  http-server:
    source: default
    requests: 'sum by (service) (x{namespace=\"$namespace\",service=~\"$services\"}[$window])'
    errors: 'y[$window]'
    latency: 'histogram_quantile($quantile, z[$window])'
signals:
  default:
    incidents: 'last_seen{namespace=\"$namespace\"}[$window] or on() vector(0)'
    onCall: {pages: 'p{budget=\"$budget\"}', normal: n}
circuitBreakers:
  payments:
    namespaces: [shop]
    selector: {matchLabels: {tier: critical}}
    query: 'sum(critical_errors) or on() vector(0)'
    above: 5
";

    #[test]
    fn a_good_file_has_defaults() {
        let config = Config::parse(GOOD).unwrap();
        assert_eq!(config.query_templates["http-server"].arm_label, "service");
        let signals = &config.signals["default"];
        assert_eq!((signals.incident_label.as_str(), signals.severity_label.as_str()), ("incident", "severity"));
        assert_eq!((config.budget.interval, config.recording.interval), (Span::minutes(1), Span::minutes(5)));
        assert_eq!((config.records.interval, config.records.prune_only_exported), (Span::hours(1), false));
    }

    #[rstest]
    #[case("timeout: 5s", "timeot: 5s", "timeot")]
    #[case("http://prometheus:9090", "prometheus:9090", "metricsSources.default.url")]
    #[case("timeout: 5s", "timeout: 0s", "metricsSources.default.timeout")]
    #[case("timeout: 5s", "timeout: 5", "duration")]
    #[case("source: default", "source: other", "queryTemplates.http-server.source")]
    #[case("$services", "$servces", "queryTemplates.http-server.requests: $servces")]
    #[case("queryTemplates:", "queryTemplate:", "queryTemplate")]
    #[case(
        "on() vector(0)",
        "on() vector($zero)",
        "signals.default.incidents: $zero is not known; there are $namespace, $budget, $window"
    )]
    #[case("normal: n", "normal: 'n[$window]'", "signals.default.onCall.normal: $window")]
    #[case(
        "'y[$window]'",
        "'y{pod=~\"$pods\"}[$window]'",
        "queryTemplates.http-server.errors: uses $pods, which requests lacks"
    )]
    #[case(
        "service=~\"$services\"",
        "deployment=~\"$workloads\"",
        "queryTemplates.http-server.errors: lacks $workloads, which requests uses"
    )]
    #[case(
        "signals:",
        "    slower: 's{le=\"0.3\"}'\nsignals:",
        "queryTemplates.http-server.slower: lacks $le or $leMillis"
    )]
    #[case(
        "signals:",
        "    complaints: 's{pod=~\"$pods\"}'\nsignals:",
        "queryTemplates.http-server.complaints: $pods stands for one version"
    )]
    #[case("above: 5", "above: .nan", "circuitBreakers.payments.above")]
    #[case("above: 5", "over: 5", "over")]
    #[case(
        "sum(critical_errors)",
        "sum(critical_errors[$window])",
        "circuitBreakers.payments.query: $window is not known"
    )]
    #[case("    namespaces: [shop]", "    source: other", "circuitBreakers.payments.source: metricsSources has no")]
    #[case("matchLabels:", "matchExpressions:", "matchExpressions")]
    #[case("normal: n", "normal: ''", "signals.default.onCall.normal: the query is empty")]
    #[case("  default:\n    incidents:", "  default:\n    source: other\n    incidents:", "signals.default.source")]
    fn a_mistake_is_named(#[case] good: &str, #[case] bad: &str, #[case] says: &str) {
        let refused = Config::parse(&GOOD.replace(good, bad)).unwrap_err();
        assert!(refused.contains(says), "{refused}");
    }

    #[test]
    fn signals_that_ask_for_nothing_are_refused() {
        let text = format!("{}signals: {{default: {{source: default}}}}\n", GOOD.split("signals:").next().unwrap());
        let refused = Config::parse(&text).unwrap_err();
        assert_eq!(refused, "signals.default: asks for nothing; give it incidents, onCall, or both, or remove it");
    }
}
