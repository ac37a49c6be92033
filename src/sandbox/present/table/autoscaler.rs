//! What `kubectl get hpa` shows: each metric's present value against its goal.

use serde_json::{Value, json};

use super::cells::{int, items, text};
use super::column::Column;

/// The columns of a HorizontalPodAutoscaler.
pub(super) fn columns() -> Vec<Column> {
    vec![
        Column::name(),
        Column::text("Reference", |object, _| {
            let target = &object["spec"]["scaleTargetRef"];
            let word = |key: &str| target[key].as_str().unwrap_or_default();
            json!(format!("{}/{}", word("kind"), word("name")))
        }),
        Column::text("Targets", |object, _| json!(targets(object))),
        Column::text("MinPods", |object, _| text(object, "/spec/minReplicas", "<unset>")),
        Column::text("MaxPods", |object, _| json!(int(object, "/spec/maxReplicas"))),
        Column::text("Replicas", |object, _| json!(int(object, "/status/currentReplicas"))),
        Column::age(),
    ]
}

/// `cpu: 41%/60%, http_requests: 12/20 + 1 more...`
fn targets(object: &Value) -> String {
    const SHOWN: usize = 2;
    let current = |at: usize| object.pointer(&format!("/status/currentMetrics/{at}")).unwrap_or(&Value::Null);
    let all: Vec<_> =
        items(object, "/spec/metrics").enumerate().map(|(at, metric)| target(metric, current(at))).collect();
    let shown = all.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len() {
        0 => "<none>".to_owned(),
        1..=SHOWN => shown,
        more => format!("{shown} + {} more...", more - SHOWN),
    }
}

fn target(metric: &Value, status: &Value) -> String {
    let word = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let (source, named) = match metric["type"].as_str() {
        Some("Resource") => ("resource", true),
        Some("ContainerResource") => ("containerResource", true),
        Some("Pods") => ("pods", false),
        Some("Object") => ("object", false),
        Some("External") => ("external", false),
        _ => return "<unknown type>".to_owned(),
    };
    let (goal, current) = (&metric[source]["target"], &status[source]["current"]);
    let name = metric[source]["name"].as_str().unwrap_or_default();
    let unknown = || "<unknown>".to_owned();
    if let Some(average) = word(&goal["averageValue"]) {
        let current = word(&current["averageValue"]).unwrap_or_else(unknown);
        return match source {
            "pods" => format!("{current}/{average}"),
            _ if named => format!("{name}: {current}/{average}"),
            _ => format!("{current}/{average} (avg)"),
        };
    }
    if named {
        let percent = |value: &Value| word(value).map(|value| format!("{value}%"));
        let current = percent(&current["averageUtilization"]).unwrap_or_else(unknown);
        let goal = percent(&goal["averageUtilization"]).unwrap_or_else(|| "<auto>".to_owned());
        return format!("{name}: {current}/{goal}");
    }
    format!("{}/{}", word(&current["value"]).unwrap_or_else(unknown), word(&goal["value"]).unwrap_or_default())
}
