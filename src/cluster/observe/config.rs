//! Metadata of the ConfigMaps that a template reads: who edited the content last, never the content.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{items, text};
use crate::cluster::kind::CONFIG_MAP;
use crate::cluster::{Cluster, Error};
use crate::policy::canonical::short;
use crate::release::config::{FORMAT, read_by};
use crate::release::snapshot::{ConfigSeen, Workload};

/// Those that its pods read, or will; one that does not exist or may not be read is left out.
pub(super) async fn read(
    cluster: &Cluster,
    namespace: &str,
    workload: &Workload,
) -> Result<BTreeMap<String, ConfigSeen>, Error> {
    let names = read_by(workload);
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

/// The fields of content, as managed fields name them.
const CONTENT: [&str; 2] = ["f:data", "f:binaryData"];

/// The API server notes for each field manager when it last wrote, and which keys are its own; those that own content are what
/// counts. Who takes a key out writes nothing of its own: then the keys of others tell. A manager that owns content and later
/// changes a label alone counts too: metadata cannot tell the two apart.
fn seen(object: &Value) -> ConfigSeen {
    let owns = |entry: &&Value| CONTENT.iter().any(|field| entry["fieldsV1"].get(*field).is_some());
    let entries: Vec<&Value> = items(object, "/metadata/managedFields").iter().filter(owns).collect();
    let part = |entry: &Value| {
        let of = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        let keys = CONTENT.map(|field| entry["fieldsV1"][field].to_string());
        format!("{}/{}/{}/{}", of("manager"), of("operation"), of("time"), keys.join("/"))
    };
    let mut parts: Vec<String> = entries.iter().map(|entry| part(entry)).collect();
    parts.sort();
    let last = entries.iter().max_by_key(|entry| entry["time"].as_str().unwrap_or_default());
    ConfigSeen {
        mark: format!("{FORMAT}{}", short(parts.join("\n"), 16)),
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

    /// Who removes a key owns nothing, and nobody's time moves.
    #[test]
    fn a_key_that_is_taken_out_is_an_edit() {
        let entry = |keys: Value| json!({"manager": "helm", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": keys}});
        let before = config(json!([entry(json!({"f:a": {}, "f:b": {}}))]));
        assert_ne!(before.mark, config(json!([entry(json!({"f:a": {}}))])).mark);
    }
}
