//! Attestations about one GatedRelease. Admission has proved their authors.

use serde_json::Value;

use super::text;
use crate::api::AttestationSpec;
use crate::api::Time;
use crate::api::names::{RELEASE, label_value};
use crate::cluster::kind::ATTESTATION;
use crate::cluster::{Cluster, Error};
use crate::release::snapshot::AttestationSeen;

/// All that name the GatedRelease, in the order in which they were made. One that cannot be read is nobody's word. Where there
/// are more than `most`, none is heard, and the second value says so: a rejection or a withdrawal may be among the others.
pub(super) async fn read(
    cluster: &Cluster,
    namespace: &str,
    release: &str,
    most: usize,
) -> Result<(Vec<AttestationSeen>, bool), Error> {
    // Admission gives each the label of its release; a name that is too long for one has none.
    let labels = if label_value(release) == release { format!("{RELEASE}={release}") } else { String::new() };
    let (all, more) = cluster.list_up_to(&ATTESTATION, namespace, &labels, most).await?;
    if more {
        return Ok((Vec::new(), true));
    }
    let mut heard: Vec<_> =
        all.into_iter().filter_map(seen).filter(|one| one.spec.release_ref.name == release).collect();
    heard.sort_by_key(|one| one.at);
    Ok((heard, false))
}

fn seen(mut object: Value) -> Option<AttestationSeen> {
    // What is being deleted was taken back.
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    let at: Time = text(&object, "/metadata/creationTimestamp")?.parse().ok().map(Time)?;
    let spec: AttestationSpec = serde_json::from_value(object["spec"].take()).ok()?;
    Some(AttestationSeen { spec, at })
}

#[cfg(all(test, feature = "sandbox"))]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::api::custom_resource_definitions;
    use crate::cluster::{Leadership, SystemClock};
    use crate::sandbox::api::ApiServer;
    use crate::sandbox::objects::Objects as _;
    use crate::sandbox::present::bare::{Bare, CRD, NAMESPACE, admin};

    #[tokio::test]
    async fn those_of_one_release_are_heard_and_none_where_they_are_too_many() {
        let mut api = ApiServer::new(1);
        for crd in custom_resource_definitions() {
            api.create(&admin(), &CRD, serde_json::to_value(crd).unwrap()).unwrap();
        }
        api.create(&admin(), &NAMESPACE, json!({"metadata": {"name": "shop"}})).unwrap();
        for (number, release) in ["web", "other", "web", "web"].into_iter().enumerate() {
            let attestation = json!({
                "metadata": {"name": format!("a-{number}"), "namespace": "shop", "labels": {RELEASE: release}},
                "spec": {"releaseRef": {"name": release}, "revision": "abc", "type": "lint", "author": "ci"},
            });
            api.create(&admin(), &ATTESTATION, attestation).unwrap();
        }
        let client = Bare::new(api).client(admin());
        let cluster = Cluster::new(client, Arc::new(SystemClock), Leadership::always(), "tidegate-0");
        let (heard, too_many) = read(&cluster, "shop", "web", 3).await.unwrap();
        assert_eq!((heard.len(), too_many), (3, false));
        let (heard, too_many) = read(&cluster, "shop", "web", 2).await.unwrap();
        assert_eq!((heard.len(), too_many), (0, true));
    }
}
