//! Where records are read from: the cluster, or files that were exported.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kube::api::{Api, ApiResource, DynamicObject};
use kube::{Client, Resource};
use serde_json::Value;

use crate::api::{GatedRelease, ReleaseRecord};
use crate::cli::{Failure, client, pages};

/// Which records.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Only those of this GatedRelease.
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
}

/// Namespace and name of a GatedRelease.
pub(super) type Of = (String, String);

/// The records of each GatedRelease, and how many attempts its status tells of, where it can be asked.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) records: BTreeMap<Of, Vec<Value>>,
    pub(super) attempts: BTreeMap<Of, u32>,
}

impl Found {
    fn add(&mut self, record: Value, which: &Which) {
        let text = |place: &str| record.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        let of = (text("/metadata/namespace"), text("/spec/release"));
        let wanted = which.release.as_ref().is_none_or(|release| *release == of.1);
        let here = which.files.is_empty() || which.namespace.as_ref().is_none_or(|namespace| *namespace == of.0);
        if wanted && here {
            self.records.entry(of).or_default().push(record);
        }
    }
}

pub(super) async fn find(which: &Which) -> Result<Found, Failure> {
    if which.files.is_empty() { of_cluster(which).await } else { of_files(which) }
}

fn of_files(which: &Which) -> Result<Found, Failure> {
    let mut found = Found::default();
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
    Ok(found)
}

async fn of_cluster(which: &Which) -> Result<Found, Failure> {
    let (client, namespace) = client(which.namespace.as_deref()).await?;
    let mut found = Found::default();
    for record in list::<ReleaseRecord>(&client, which, &namespace).await? {
        found.add(record, which);
    }
    for release in list::<GatedRelease>(&client, which, &namespace).await? {
        let text = |place: &str| release.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        let of = (text("/metadata/namespace"), text("/metadata/name"));
        let attempts =
            release.pointer("/status/attempts").and_then(Value::as_u64).and_then(|it| u32::try_from(it).ok());
        if which.release.as_ref().is_none_or(|name| *name == of.1) {
            found.records.entry(of.clone()).or_default();
            found.attempts.insert(of, attempts.unwrap_or(0));
        }
    }
    Ok(found)
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
