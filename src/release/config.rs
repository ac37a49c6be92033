//! ConfigMaps that the pods read: an edit in place reaches every version at once, past every stage. It cannot be held, so
//! it is seen and put on record. Secrets are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::snapshot::{ConfigSeen, Snapshot, Workload};
use crate::api::release_record::{Outcome, ReleaseRecordSpec};
use crate::api::{Change, ChangeType};
use crate::policy::canonical::short;

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

/// The names of the ConfigMaps that a workload's pods read, whatever of them runs, and that the template reads which is held or rolls.
pub fn read_by(workload: &Workload) -> BTreeSet<String> {
    let running = workload.sets.iter().filter(|set| set.is_active()).map(|set| &set.template);
    running.chain([&workload.template]).flat_map(referenced).collect()
}

/// How a mark begins. One of another format says nothing of an edit: an upgrade charges nobody.
pub const FORMAT: &str = "2:";

/// ConfigMaps whose content was edited since it was noted, with who did so; those that were not noted are not meant.
pub fn edited<'a>(
    noted: &BTreeMap<String, String>,
    seen: &'a BTreeMap<String, ConfigSeen>,
) -> Vec<(&'a str, &'a ConfigSeen)> {
    let differs = |then: &String, now: &ConfigSeen| *then != now.mark && then.starts_with(FORMAT);
    let changed = |(name, now): &(&String, &ConfigSeen)| noted.get(*name).is_some_and(|then| differs(then, now));
    seen.iter().filter(changed).map(|(name, now)| (name.as_str(), now)).collect()
}

/// How the reference of a record of edits begins.
const REFERENCE: &str = "config:";

/// The change that edits are, named by what was found: who looks again before they are noted knows them by it.
pub fn change(edited: &[(&str, &ConfigSeen)]) -> Change {
    let parts: Vec<_> = edited.iter().map(|(name, seen)| format!("{name}={}", seen.mark)).collect();
    let short = short(parts.join("\n"), 16);
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

/// What is noted after a look: while a release goes on, or an edit waits to be put on record, what stood before stays. One that is
/// gone stays noted as long as somebody reads it: made anew, it is an edit.
pub fn note(before: &BTreeMap<String, String>, workload: &Workload, keep: bool) -> BTreeMap<String, String> {
    let seen = &workload.config;
    let mark = |(name, now): (&String, &ConfigSeen)| {
        let stands = before.get(name).filter(|_| keep);
        (name.clone(), stands.cloned().unwrap_or_else(|| now.mark.clone()))
    };
    let gone = read_by(workload).into_iter().filter(|name| !seen.contains_key(name));
    let gone = gone.filter_map(|name| before.get_key_value(&name));
    let gone = gone.map(|(name, mark)| (name.clone(), mark.clone()));
    seen.iter().map(mark).chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::world::World;
    use serde_json::json;

    /// A workload whose pods read ConfigMap `app`, as it is now; none where it is gone.
    fn reads(mark: Option<&str>) -> Workload {
        let mut workload = World::new().seen.workload.unwrap();
        workload.template["spec"]["volumes"] = json!([{"configMap": {"name": "app"}}]);
        let seen =
            |mark: &str| ("app".to_owned(), ConfigSeen { mark: format!("{FORMAT}{mark}"), by: "kubectl-edit".into() });
        workload.config = mark.map(seen).into_iter().collect();
        workload
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
        let (first, second) = (reads(Some("a")), reads(Some("b")));
        let noted = note(&BTreeMap::new(), &first, false);
        assert!(edited(&noted, &first.config).is_empty());
        assert_eq!(edited(&noted, &second.config)[0].1.by, "kubectl-edit");
        let during_a_release = note(&noted, &second, true);
        assert_eq!(edited(&during_a_release, &second.config).len(), 1);
        assert!(edited(&note(&noted, &second, false), &second.config).is_empty());
        assert!(edited(&BTreeMap::new(), &second.config).is_empty(), "what is read for the first time is no edit");
    }

    #[test]
    fn one_that_is_deleted_and_made_anew_is_edited() {
        let noted = note(&BTreeMap::new(), &reads(Some("a")), false);
        let without = note(&noted, &reads(None), false);
        assert_eq!(edited(&without, &reads(Some("b")).config).len(), 1);
        let nobody_reads_it = Workload { template: json!({}), ..reads(None) };
        assert!(note(&noted, &nobody_reads_it, false).is_empty());
    }

    #[test]
    fn what_only_the_running_pods_read_is_looked_at_while_another_template_is_held() {
        let mut workload = reads(Some("a"));
        let running = std::mem::take(&mut workload.template);
        workload.sets[0].template = running;
        assert!(workload.sets[0].is_active());
        assert!(read_by(&workload).contains("app"));
    }

    #[test]
    fn a_mark_of_another_format_is_no_edit() {
        let noted = BTreeMap::from([("app".to_owned(), "0123456789".to_owned())]);
        let now = reads(Some("a"));
        assert!(edited(&noted, &now.config).is_empty());
        assert_eq!(note(&noted, &now, false)["app"], now.config["app"].mark);
    }
}
