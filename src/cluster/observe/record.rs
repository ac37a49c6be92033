//! The ReleaseRecord of the attempt that goes on, or of the last one.

use serde_json::Value;

use super::text;
use crate::api::names::RELEASE;
use crate::api::{ReleaseRecordSpec, ReleaseRecordStatus};
use crate::cluster::kind::RELEASE_RECORD;
use crate::cluster::{Cluster, Error};
use crate::release::snapshot::{Record, Release, record_name};

/// The newest record. The status names one; a newer may have been created just before a crash, and is looked for.
pub(super) async fn read(cluster: &Cluster, release: &Release) -> Result<Option<Record>, Error> {
    let namespace = &release.namespace;
    let Some(name) = &release.status.record else {
        // Perhaps the GatedRelease was deleted and made anew: records outlive it.
        let all = match cluster.list(&RELEASE_RECORD, namespace, &format!("{RELEASE}={}", release.name)).await {
            Ok(found) => found,
            // Somebody deleted the kind: who leaves is not kept waiting for it.
            Err(Error::Refused { code: 404, .. }) => return Ok(None),
            Err(other) => return Err(other),
        };
        let newest = all.into_iter().max_by_key(|record| record.pointer("/spec/attempt").and_then(Value::as_u64));
        return newest.map(parse).transpose();
    };
    let mut newest = cluster.get(&RELEASE_RECORD, namespace, name).await?.map(parse).transpose()?;
    if newest.as_ref().is_some_and(|record| record.status.as_ref().is_some_and(|status| status.outcome.is_none())) {
        // The next is opened only after this one is sealed.
        return Ok(newest);
    }
    let mut attempt = release.status.attempts;
    loop {
        attempt = attempt.saturating_add(1);
        match cluster.get(&RELEASE_RECORD, namespace, &record_name(&release.name, attempt)).await? {
            None => return Ok(newest),
            Some(record) => newest = Some(parse(record)?),
        }
    }
}

fn parse(mut object: Value) -> Result<Record, Error> {
    let name = text(&object, "/metadata/name").unwrap_or_default().to_owned();
    let malformed = |field: &str, why: serde_json::Error| Error::Malformed {
        what: format!("ReleaseRecord {name}"),
        why: format!("{field}: {why}"),
    };
    let spec: ReleaseRecordSpec =
        serde_json::from_value(object["spec"].take()).map_err(|why| malformed("spec", why))?;
    let status: Option<ReleaseRecordStatus> =
        serde_json::from_value(object["status"].take()).map_err(|why| malformed("status", why))?;
    Ok(Record {
        resource_version: text(&object, "/metadata/resourceVersion").unwrap_or_default().to_owned(),
        name,
        spec,
        status,
    })
}
