//! The pages that are no resource, and tables: the [`Present`] of the API server.

use serde_json::{Value, json};

use super::table::{Columns, Include};
use super::{discovery, openapi};
use crate::api::Time;
use crate::sandbox::api::{Answer, ApiServer, Call, Present, Resource};

const JSON: &str = "application/json";

/// Presents the API server to people and to kubectl.
#[derive(Debug, Clone, Copy, Default)]
pub struct Presenter;

impl Present for Presenter {
    fn page(&self, api: &ApiServer, call: &Call) -> Option<Answer> {
        if call.method != http::Method::GET {
            return None;
        }
        let rows = api.resources();
        let parts: Vec<&str> = call.path.split('/').filter(|part| !part.is_empty()).collect();
        let aggregated = discovery::wants_aggregated(&call.accept);
        let (content_type, page) = match parts.as_slice() {
            ["healthz" | "livez" | "readyz", ..] => return Some(done("text/plain; charset=utf-8", b"ok".to_vec())),
            ["version"] => (JSON, Some(version())),
            ["api"] if aggregated => (discovery::AGGREGATED, Some(discovery::aggregated(rows, true))),
            ["apis"] if aggregated => (discovery::AGGREGATED, Some(discovery::aggregated(rows, false))),
            ["api"] => (JSON, Some(discovery::core_versions(rows))),
            ["apis"] => (JSON, Some(discovery::group_list(rows))),
            ["api", version] => (JSON, discovery::resource_list(rows, "", version)),
            ["apis", group] => (JSON, discovery::group(rows, group)),
            ["apis", group, version] => (JSON, discovery::resource_list(rows, group, version)),
            ["openapi", "v3"] => (JSON, Some(openapi::index(rows))),
            ["openapi", "v3", "api", version] => (JSON, openapi::document(rows, "", version)),
            ["openapi", "v3", "apis", group, version] => (JSON, openapi::document(rows, group, version)),
            // Version 2 is left out: clients that look for it fall back to what they know themselves.
            _ => return None,
        };
        page.map(|page| done(content_type, page.to_string().into_bytes()))
    }

    fn table(&self, resource: &Resource, items: &[&Value], query: &str, now: Time) -> Option<Value> {
        let printer = resource.custom().then_some(resource.columns.as_slice());
        let include = query.split('&').find_map(|pair| pair.strip_prefix("includeObject="));
        let columns = Columns::of(resource.kind.group, resource.kind.kind, printer);
        Some(columns.table(items.iter().copied(), &json!({}), Include::from_query(include), true, now))
    }
}

fn done(content_type: &'static str, body: Vec<u8>) -> Answer {
    Answer::Done { code: 200, content_type, body }
}

/// The version whose behaviour is simulated; its build says by whom.
fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": "v1.36.0+tidegate-sandbox", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc", "platform": "sandbox",
    })
}
