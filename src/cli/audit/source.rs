//! Where records are read from: the cluster, or files that were exported.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kube::api::{Api, ApiResource, DynamicObject};
use kube::{Client, Resource};
use serde_json::Value;

use crate::api::gated_release::RecordsKept;
use crate::api::{GatedRelease, ReleaseRecord, RiskBudget};
use crate::cli::{Failure, client, pages};
use crate::policy::canonical::sha256;
use crate::release::chain::{Known, is_older};
use crate::release::charge::book;

/// Which records.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Only those of this GatedRelease; charges_NAME for what `tidegate charge` had charged to the RiskBudget NAME.
    #[arg(long, value_name = "NAME")]
    pub release: Option<String>,
    /// Their namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Those of all namespaces.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// Exported files instead of the cluster; may be given more than once.
    #[arg(short, long = "file", value_name = "FILE", conflicts_with = "all_namespaces")]
    pub files: Vec<PathBuf>,
    /// The cluster's records as well: together with what was exported before it was pruned they are the whole chain.
    #[arg(long, requires = "files")]
    pub with_cluster: bool,
}

/// Namespace and name of a GatedRelease.
pub(super) type Of = (String, String);

/// What the status of a GatedRelease tells of its records, or that of a RiskBudget of its charges.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// How many attempts there were; none where nobody counts them.
    pub(super) attempts: Option<u32>,
    /// With which the chain begins, once old records were pruned.
    pub(super) kept: Option<RecordsKept>,
    /// Whether it was there before the records were.
    pub(super) from_the_first: bool,
    /// The RiskBudget, where it is a chain of charges.
    pub(super) budget: Option<String>,
}

impl Told {
    /// For a walk along the chain.
    pub(super) fn known(&self) -> Known<'_> {
        Known { attempts: self.attempts, kept: self.kept.as_ref(), from_the_first: self.from_the_first }
    }
}

/// The records of each GatedRelease, and what its status tells of them, where it can be asked.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) records: BTreeMap<Of, Vec<Value>>,
    pub(super) told: BTreeMap<Of, Told>,
    /// Whether the cluster was asked, and not files alone.
    pub(super) asked: bool,
    /// A record of which two copies, such as of two exports, say different things.
    pub(super) differ: BTreeMap<Of, String>,
}

impl Found {
    fn add(&mut self, record: Value, which: &Which) {
        let text = |place: &str| record.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        let of = (text("/metadata/namespace"), text("/spec/release"));
        let wanted = which.release.as_ref().is_none_or(|release| *release == of.1);
        let here = which.files.is_empty() || which.namespace.as_ref().is_none_or(|namespace| *namespace == of.0);
        if wanted && here {
            self.keep(of, record);
        }
    }

    /// One copy of each record. A copy that was made while the attempt went on gives way to one that is sealed.
    fn keep(&mut self, of: Of, record: Value) {
        let all = self.records.entry(of.clone()).or_default();
        let attempt = record.pointer("/spec/attempt").filter(|attempt| attempt.is_number());
        let known = all.iter_mut().find(|known| attempt.is_some() && known.pointer("/spec/attempt") == attempt);
        let Some(known) = known else { return all.push(record) };
        let is = |record: &Value, place| record.pointer(place).is_some();
        let sealed = |record: &Value| is(record, "/status/outcome") && !is(record, "/status/chargeWaits");
        let says =
            |record: &Value| (record["metadata"]["name"].clone(), sha256(&record["spec"]), sha256(&record["status"]));
        match (sealed(known), sealed(&record)) {
            (false, _) => *known = record,
            (true, true) if says(known) != says(&record) => {
                let name = record["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                self.differ.entry(of).or_insert(name);
            }
            (true, _) => {}
        }
    }
}

pub(super) async fn find(which: &Which) -> Result<Found, Failure> {
    let mut found = Found::default();
    of_files(which, &mut found)?;
    if which.files.is_empty() || which.with_cluster {
        of_cluster(which, &mut found).await?;
    }
    Ok(found)
}

fn of_files(which: &Which, found: &mut Found) -> Result<(), Failure> {
    for path in &which.files {
        let place = path.display();
        let text = std::fs::read_to_string(path).map_err(|why| format!("--file {place}: {why}"))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let record: Value = serde_json::from_str(line).map_err(|why| {
                format!("--file {place}, line {}: {why}; `tidegate audit export` writes one record a line", number + 1)
            })?;
            if record["kind"] != "ReleaseRecord" {
                return Err(format!("--file {place}, line {}: this is no ReleaseRecord", number + 1));
            }
            found.add(record, which);
        }
    }
    Ok(())
}

async fn of_cluster(which: &Which, found: &mut Found) -> Result<(), Failure> {
    found.asked = true;
    let (client, namespace) = client(which.namespace.as_deref()).await?;
    for record in list::<ReleaseRecord>(&client, which, &namespace).await? {
        found.add(record, which);
    }
    for release in list::<GatedRelease>(&client, which, &namespace).await? {
        let text = |place: &str| release.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        let of = (text("/metadata/namespace"), text("/metadata/name"));
        let attempts =
            release.pointer("/status/attempts").and_then(Value::as_u64).and_then(|it| u32::try_from(it).ok());
        if which.release.as_ref().is_none_or(|name| *name == of.1) {
            let from_the_first = is_older(&release, found.records.entry(of.clone()).or_default());
            let told =
                Told { attempts: Some(attempts.unwrap_or(0)), kept: kept(&release), from_the_first, budget: None };
            found.told.insert(of, told);
        }
    }
    for budget in list::<RiskBudget>(&client, which, &namespace).await? {
        let text = |place: &str| budget.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        let of = (text("/metadata/namespace"), book(&text("/metadata/name")));
        // Most budgets have no such charges; one that says it had misses them.
        let Some(records) =
            found.records.get(&of).map(Vec::as_slice).or_else(|| kept(&budget).map(|_| <&[Value]>::default()))
        else {
            continue;
        };
        if which.release.as_ref().is_none_or(|name| *name == of.1) {
            let from_the_first = is_older(&budget, records);
            let budget_name = Some(text("/metadata/name"));
            let told = Told { attempts: None, kept: kept(&budget), from_the_first, budget: budget_name };
            found.records.entry(of.clone()).or_default();
            found.told.insert(of, told);
        }
    }
    Ok(())
}

/// With which record its chain begins, as a status says.
fn kept(object: &Value) -> Option<RecordsKept> {
    object.pointer("/status/records").and_then(|kept| serde_json::from_value(kept.clone()).ok())
}

/// All objects of a kind as the API server has them, fields of newer versions included.
async fn list<K: Resource<DynamicType = ()>>(
    client: &Client,
    which: &Which,
    namespace: &str,
) -> Result<Vec<Value>, Failure> {
    let kind = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = match which.all_namespaces {
        true => Api::all_with(client.clone(), &kind),
        false => Api::namespaced_with(client.clone(), namespace, &kind),
    };
    let all = pages::all(&api, &kind.plural).await?;
    let whole = |mut object: DynamicObject| {
        object.metadata.managed_fields = None;
        object.types = Some(kube::core::TypeMeta { api_version: kind.api_version.clone(), kind: kind.kind.clone() });
        serde_json::to_value(object).map_err(|error| error.to_string())
    };
    all.into_iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(attempt: u32, phase: &str, outcome: Option<&str>) -> Value {
        let mut record = json!({"kind": "ReleaseRecord", "metadata": {"namespace": "shop", "name": format!("web-000{attempt}")},
            "spec": {"release": "web", "attempt": attempt}, "status": {"phase": phase}});
        if let Some(outcome) = outcome {
            record["status"]["outcome"] = json!(outcome);
        }
        record
    }

    #[test]
    fn copies_of_two_places_are_joined() {
        let of = ("shop".to_owned(), "web".to_owned());
        let mut found = Found::default();
        let done = || record(1, "Complete", Some("Succeeded"));
        // An older export has a copy of what went on then; the cluster's has other metadata.
        let mut other = done();
        other["metadata"]["resourceVersion"] = json!("7");
        for copy in [
            done(),
            record(2, "Release", None),
            other,
            record(2, "Complete", Some("Succeeded")),
            record(2, "Plan", None),
        ] {
            found.keep(of.clone(), copy);
        }
        assert_eq!(found.records[&of], [done(), record(2, "Complete", Some("Succeeded"))]);
        assert_eq!(found.differ.get(&of), None);
        found.keep(of.clone(), record(1, "Rollback", Some("RolledBack")));
        assert_eq!(found.differ[&of], "web-0001");
    }
}
