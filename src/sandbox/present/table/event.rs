//! What `kubectl get events` shows.

use serde_json::{Value, json};

use super::age;
use super::cells::text;
use super::column::Column;

/// The columns of an Event. Both event APIs are stored as one; whichever names are there are read.
pub(super) fn columns() -> Vec<Column> {
    fn first<'v>(event: &'v Value, names: &[&str]) -> Option<&'v Value> {
        names.iter().find_map(|name| event.pointer(name).filter(|value| !value.is_null()))
    }
    const FIRST: &[&str] = &["/firstTimestamp", "/deprecatedFirstTimestamp", "/eventTime"];
    const LAST: &[&str] =
        &["/series/lastObservedTime", "/lastTimestamp", "/deprecatedLastTimestamp", "/firstTimestamp", "/eventTime"];
    const COUNT: &[&str] = &["/series/count", "/count", "/deprecatedCount"];
    vec![
        Column::text("Last Seen", |event, now| json!(age::since(first(event, LAST), now))),
        Column::text("Type", |event, _| text(event, "/type", "")),
        Column::text("Reason", |event, _| text(event, "/reason", "")),
        Column::text("Object", |event, _| {
            let about = first(event, &["/involvedObject", "/regarding"]).unwrap_or(&Value::Null);
            let kind = about["kind"].as_str().unwrap_or_default().to_lowercase();
            json!(about["name"].as_str().map_or(kind.clone(), |name| format!("{kind}/{name}")))
        }),
        Column::wide("Subobject", |event, _| {
            json!(
                first(event, &["/involvedObject/fieldPath", "/regarding/fieldPath"])
                    .and_then(Value::as_str)
                    .unwrap_or("")
            )
        }),
        Column::wide("Source", |event, _| {
            let component = first(event, &["/source/component", "/reportingComponent", "/reportingController"]);
            let component = component.and_then(Value::as_str).unwrap_or_default();
            let host =
                first(event, &["/source/host", "/reportingInstance"]).and_then(Value::as_str).unwrap_or_default();
            json!(if host.is_empty() { component.to_owned() } else { format!("{component}, {host}") })
        }),
        Column::text("Message", |event, _| {
            json!(first(event, &["/message", "/note"]).and_then(Value::as_str).unwrap_or_default().trim())
        }),
        Column::wide("First Seen", |event, now| json!(age::since(first(event, FIRST), now))),
        Column::wide("Count", |event, _| json!(first(event, COUNT).and_then(Value::as_i64).unwrap_or(1).max(1))),
        Column::wide_name(),
    ]
}
