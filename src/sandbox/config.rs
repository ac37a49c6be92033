//! The controller's configuration in a sandbox: what the chart ships.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Span;
use crate::prometheus::Config;

const CHART: &str = include_str!("../../charts/tidegate/values.yaml");

/// The part of the chart's values that becomes the configuration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Values {
    metrics_sources: Value,
    query_templates: Value,
}

/// The configuration of a freshly installed chart, with the error budget measured every `interval`.
pub fn config(interval: Span) -> Result<Config, String> {
    let values: Values = serde_saphyr::from_str(CHART).map_err(|why| format!("the chart's values: {why}"))?;
    let text = json!({
        "metricsSources": values.metrics_sources,
        "queryTemplates": values.query_templates,
        "budget": {"interval": interval},
    });
    Config::parse(&text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sandbox_asks_what_the_chart_asks() {
        let config = config(Span::seconds(10)).unwrap();
        assert!(config.query_templates["http-server"].requests.contains("http_requests_total"));
        assert!(config.metrics_sources.contains_key("default"));
    }
}
