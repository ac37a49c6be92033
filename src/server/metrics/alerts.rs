//! The chart's alerts (`charts/tidegate/files/alerts.yaml`) ask for series that exist, and each has its row in `docs/alerts.md`.

use std::collections::BTreeSet;

use std::time::Duration;

use serde_json::{Value, json};

use super::Metrics;
use crate::prometheus::Observer as _;
use crate::release::snapshot::CircuitSeen;

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Every alert: its name, expression, severity and what is to be done.
fn alerts() -> Vec<[String; 4]> {
    let rules: Value = serde_saphyr::from_str(&read("charts/tidegate/files/alerts.yaml")).unwrap();
    let groups = rules["groups"].as_array().unwrap().iter();
    let text = |rule: &Value, place: &str| rule.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
    let of = |rule: &Value| {
        ["/alert", "/expr", "/labels/severity", "/annotations/description"].map(|place| text(rule, place))
    };
    groups.flat_map(|group| group["rules"].as_array().unwrap()).map(of).collect()
}

/// The names of the series that an expression asks for.
fn series(expr: &str) -> BTreeSet<String> {
    let words = expr.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("tidegate_")).map(str::to_owned).collect()
}

/// Everything that an alert may ask for is there: a series that nobody has set is not shown.
fn in_trouble() -> String {
    let metrics = Metrics::default();
    let at = "2026-11-20T10:00:00Z";
    let condition = |kind: &str, status: &str| json!({"type": kind, "status": status, "reason": "Because", "message": "", "lastTransitionTime": at, "observedGeneration": 1});
    let status = json!({"phase": "Release", "conditions": [condition("Held", "True")]});
    metrics.release("shop", "web", &serde_json::from_value(status).unwrap());
    let status = json!({
        "errorBudget": {"status": "Critical", "remainingPercent": 20, "decidedBy": "a", "coveragePercent": 100, "slos": []},
        "conditions": [condition("LedgerBroken", "True")],
        "signals": {"source": "pager", "onCall": {"unanswered": {"why": "down", "since": at}}},
    });
    metrics.budget("shop", "web", &serde_json::from_value(status).unwrap());
    let owed = json!([{"name": "post-mortem-web-0001", "type": "post-mortem", "state": "Due", "about": "a", "owedBy": ["sre"],
        "source": "002", "since": at, "due": at}]);
    metrics.obligations("shop", "web", &serde_json::from_value::<Vec<_>>(owed).unwrap());
    let open =
        CircuitSeen { name: "payments".into(), above: 5.0, halts_fixes: false, note: String::new(), reading: Ok(7.0) };
    metrics.circuits("shop", "web", &[open]);
    metrics.query("default", Duration::ZERO, Some("timeout"));
    metrics.encode().unwrap()
}

#[test]
fn every_alert_asks_for_a_series_that_exists_and_has_its_row() {
    let shown = in_trouble();
    let known: BTreeSet<&str> =
        shown.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let docs = read("docs/alerts.md");
    let all = alerts();
    assert!(all.len() >= 12, "{}", all.len());
    for [name, expr, severity, todo] in &all {
        let asked = series(expr);
        assert!(!asked.is_empty(), "{name}: {expr}");
        for one in &asked {
            assert!(known.contains(one.trim_end_matches("_total")), "{name} asks for {one}, which nobody shows");
        }
        assert!(["info", "warning", "critical"].contains(&severity.as_str()), "{name}: severity {severity:?}");
        assert!(todo.ends_with('.'), "{name} says what to do: {todo:?}");
        let row = docs.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap_or_default();
        assert!(row.contains(&format!("| {severity} |")), "docs/alerts.md has no row for {name} with its severity");
    }
    let rows = docs.lines().filter(|line| line.starts_with("| `Tidegate")).count();
    assert_eq!(rows, all.len(), "docs/alerts.md has a row for an alert that is gone");
}
