//! Metadata of the ConfigMaps that a template reads: who edited the content last, never the content.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{items, text};
use crate::cluster::kind::CONFIG_MAP;
use crate::cluster::{Cluster, Error};
use crate::policy::canonical::short;
use crate::release::config::referenced;
use crate::release::snapshot::ConfigSeen;

/// Those that a template reads; one that does not exist or may not be read is left out.
pub(super) async fn read(
    cluster: &Cluster,
    namespace: &str,
    template: &Value,
) -> Result<BTreeMap<String, ConfigSeen>, Error> {
    let names = referenced(template);
    let asked = names.iter().map(|name| cluster.get_metadata(&CONFIG_MAP, namespace, name));
    let answers = futures::future::join_all(asked).await;
    let mut found = BTreeMap::new();
    for (name, answer) in names.into_iter().zip(answers) {
        match answer {
            Ok(Some(object)) => drop(found.insert(name, seen(&object))),
            Ok(None) | Err(Error::Refused { code: 403, .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(found)
}

/// The API server notes for each field manager when it last wrote; those that own content are what counts. A manager that
/// owns content and later changes a label alone counts too: metadata cannot tell the two apart.
fn seen(object: &Value) -> ConfigSeen {
    let owns = |entry: &&Value| ["f:data", "f:binaryData"].iter().any(|field| entry["fieldsV1"].get(*field).is_some());
    let entries: Vec<&Value> = items(object, "/metadata/managedFields").iter().filter(owns).collect();
    let part = |entry: &Value| {
        let of = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        format!("{}/{}/{}", of("manager"), of("operation"), of("time"))
    };
    let mut parts: Vec<String> = entries.iter().map(|entry| part(entry)).collect();
    parts.sort();
    let last = entries.iter().max_by_key(|entry| entry["time"].as_str().unwrap_or_default());
    ConfigSeen {
        mark: short(parts.join("\n"), 5),
        by: last.and_then(|entry| text(entry, "/manager")).unwrap_or("somebody").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(entries: Value) -> ConfigSeen {
        seen(&json!({"metadata": {"managedFields": entries}}))
    }

    #[test]
    fn only_who_writes_content_counts() {
        let entry = |manager: &str, field: &str, time: &str| json!({"manager": manager, "operation": "Update", "time": time, "fieldsV1": {field: {}}});
        let one = config(json!([entry("helm", "f:data", "2026-01-01T00:00:00Z")]));
        let labelled = config(json!([
            entry("helm", "f:data", "2026-01-01T00:00:00Z"),
            entry("labeller", "f:metadata", "2026-01-02T00:00:00Z"),
        ]));
        assert_eq!(one, labelled);
        let edited = config(json!([
            entry("helm", "f:data", "2026-01-01T00:00:00Z"),
            entry("kubectl-edit", "f:data", "2026-01-03T00:00:00Z"),
        ]));
        assert_ne!(one.mark, edited.mark);
        assert_eq!(edited.by, "kubectl-edit");
    }
}
