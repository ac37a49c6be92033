//! What is owned goes with its owner, in the background.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{controller, name, namespace, owner, text, tried};
use crate::cluster::Kind;
use crate::cluster::kind::{DEPLOYMENT, ENDPOINT_SLICE, POD, REPLICA_SET, SERVICE};
use crate::sandbox::objects::Objects;

pub(super) fn collect(objects: &mut dyn Objects) {
    let by = controller("generic-garbage-collector");
    for (owners, owned) in [(DEPLOYMENT, REPLICA_SET), (REPLICA_SET, POD), (SERVICE, ENDPOINT_SLICE)] {
        for (namespace, name) in orphans(objects, &owners, &owned) {
            tried(objects.delete(&by, &owned, &namespace, &name));
        }
    }
}

/// Objects whose owner is gone.
fn orphans(objects: &dyn Objects, owners: &Kind, owned: &Kind) -> Vec<(String, String)> {
    let there: BTreeSet<&str> = objects.list(owners, "").into_iter().map(|it| text(it, "/metadata/uid")).collect();
    let gone = |it: &&Value| !owner(it).is_empty() && !there.contains(owner(it));
    let all = objects.list(owned, "").into_iter().filter(gone);
    all.map(|it| (namespace(it).to_owned(), name(it).to_owned())).collect()
}
