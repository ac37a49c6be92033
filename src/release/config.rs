//! ConfigMaps that the pods read: an edit in place reaches every version at once, past every stage. It cannot be held, so
//! it is seen and put on record. Secrets are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::snapshot::{ConfigSeen, Snapshot};
use crate::api::release_record::{Outcome, ReleaseRecordSpec};
use crate::api::{Change, ChangeType};

/// How many ConfigMaps of a template are watched over.
pub const CONFIG_MAPS_MAX: usize = 32;

/// The names of the ConfigMaps that a pod template reads, at most [`CONFIG_MAPS_MAX`] in the order of their names.
pub fn referenced(template: &Value) -> Vec<String> {
    let list = |place: &str| template.pointer(place).and_then(Value::as_array).into_iter().flatten();
    let within = |value: &'_ Value, place: &str| value.pointer(place).and_then(Value::as_str).map(str::to_owned);
    let mut names = BTreeSet::new();
    for volume in list("/spec/volumes") {
        names.extend(within(volume, "/configMap/name"));
        let sources = volume.pointer("/projected/sources").and_then(Value::as_array).into_iter().flatten();
        names.extend(sources.filter_map(|source| within(source, "/configMap/name")));
    }
    for container in list("/spec/containers").chain(list("/spec/initContainers")) {
        let of = |field: &str| container.get(field).and_then(Value::as_array).into_iter().flatten();
        names.extend(of("env").filter_map(|one| within(one, "/valueFrom/configMapKeyRef/name")));
        names.extend(of("envFrom").filter_map(|one| within(one, "/configMapRef/name")));
    }
    names.into_iter().take(CONFIG_MAPS_MAX).collect()
}

/// ConfigMaps whose content was edited since it was noted, with who did so; those that were not noted are not meant.
pub fn edited<'a>(
    noted: &BTreeMap<String, String>,
    seen: &'a BTreeMap<String, ConfigSeen>,
) -> Vec<(&'a str, &'a ConfigSeen)> {
    let changed = |(name, now): &(&String, &ConfigSeen)| noted.get(*name).is_some_and(|then| *then != now.mark);
    seen.iter().filter(changed).map(|(name, now)| (name.as_str(), now)).collect()
}

/// How the reference of a record of edits begins.
const REFERENCE: &str = "config:";

/// The change that edits are, named by what was found: who looks again before they are noted knows them by it.
pub fn change(edited: &[(&str, &ConfigSeen)]) -> Change {
    let parts: Vec<_> = edited.iter().map(|(name, seen)| format!("{name}={}", seen.mark)).collect();
    let digest = Sha256::digest(parts.join("\n").as_bytes());
    let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Change { reference: format!("{REFERENCE}{short}"), kind: ChangeType::Config, ..Change::default() }
}

/// Whether a record is that of edits, and not of a template that somebody calls a change of configuration.
pub fn is_record(spec: &ReleaseRecordSpec) -> bool {
    // Records from before edits had a name have none.
    let named = spec.change.reference.is_empty() || spec.change.reference.starts_with(REFERENCE);
    let edit = Change { reference: spec.change.reference.clone(), kind: ChangeType::Config, ..Change::default() };
    spec.closed_as == Some(Outcome::Bypassed) && named && spec.change == edit
}

/// Whether just the edits that are not noted yet are what the last record tells of: the controller died between the two.
pub fn is_on_record(seen: &Snapshot) -> bool {
    let (Some(stored), Some(workload)) = (&seen.release.status.workload, &seen.workload) else { return false };
    let edited = edited(&stored.config, &workload.config);
    let last = seen.record.as_ref().filter(|record| is_record(&record.spec));
    !edited.is_empty() && last.is_some_and(|record| record.spec.change == change(&edited))
}

/// What is noted after a look: while a release goes on, or an edit waits to be put on record, what stood before stays.
pub fn note(
    before: &BTreeMap<String, String>,
    seen: &BTreeMap<String, ConfigSeen>,
    keep: bool,
) -> BTreeMap<String, String> {
    let mark = |(name, now): (&String, &ConfigSeen)| {
        let stands = before.get(name).filter(|_| keep);
        (name.clone(), stands.cloned().unwrap_or_else(|| now.mark.clone()))
    };
    seen.iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen(mark: &str) -> BTreeMap<String, ConfigSeen> {
        [("app".to_owned(), ConfigSeen { mark: mark.into(), by: "kubectl-edit".into() })].into()
    }

    #[test]
    fn every_way_to_read_a_config_map_counts_and_secrets_do_not() {
        let template = json!({"spec": {
            "volumes": [{"configMap": {"name": "files"}}, {"secret": {"secretName": "key"}},
                {"projected": {"sources": [{"configMap": {"name": "projected"}}, {"secret": {"name": "token"}}]}}],
            "containers": [{"env": [{"valueFrom": {"configMapKeyRef": {"name": "one-key"}}}, {"valueFrom": {"secretKeyRef": {"name": "password"}}}]}],
            "initContainers": [{"envFrom": [{"configMapRef": {"name": "all-keys"}}, {"secretRef": {"name": "all-secrets"}}]}],
        }});
        assert_eq!(referenced(&template), ["all-keys", "files", "one-key", "projected"]);
    }

    #[test]
    fn an_edit_is_told_until_it_is_noted() {
        let noted = note(&BTreeMap::new(), &seen("a"), false);
        assert!(edited(&noted, &seen("a")).is_empty());
        assert_eq!(edited(&noted, &seen("b"))[0].1.by, "kubectl-edit");
        let during_a_release = note(&noted, &seen("b"), true);
        assert_eq!(edited(&during_a_release, &seen("b")).len(), 1);
        assert!(edited(&note(&noted, &seen("b"), false), &seen("b")).is_empty());
        assert!(edited(&BTreeMap::new(), &seen("b")).is_empty(), "what is read for the first time is no edit");
    }
}
