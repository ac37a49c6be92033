//! What makes an object be looked at.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::ResourceExt;
use kube::core::{DynamicObject, ObjectMeta, PartialObjectMeta};
use tokio::task::JoinSet;

use super::queue::{Key, Lane};
use super::{Context, lock};
use crate::api::names::{BUDGET, GATED, RELEASE};
use crate::cluster::Kind;
use crate::cluster::kind::{
    ATTESTATION, CONFIG_MAP, DEPLOYMENT, GATED_RELEASE, HTTP_ROUTE, RELEASE_RECORD, RISK_BUDGET, STATEFUL_SET,
};
use crate::cluster::watch::{Change, metadata, objects};
use crate::release::charge::is_book;

/// A GatedRelease that arrives together with its Deployment is seen before the Deployment is called ungated.
const UNGATED_AFTER: Duration = Duration::from_secs(5);

/// Several records, or several writes of one, are counted at once.
const LEDGER_AFTER: Duration = Duration::from_secs(1);

/// The keys of several issuers come one after the other.
const KEYS_AFTER: Duration = Duration::from_secs(1);

/// Starts the watches; none of them ends.
pub(super) fn spawn(context: &Arc<Context>) -> JoinSet<()> {
    let mut all = JoinSet::new();
    all.spawn(releases(context.clone()));
    all.spawn(budgets(context.clone()));
    all.spawn(others(context.clone(), &DEPLOYMENT, GATED, |context, meta| workload(context, meta, Key::deployment)));
    all.spawn(others(context.clone(), &STATEFUL_SET, GATED, |context, meta| {
        workload(context, meta, Key::stateful_set)
    }));
    // Deployments that Tidegate made, and records, name their release.
    for kind in [&DEPLOYMENT, &RELEASE_RECORD] {
        all.spawn(others(context.clone(), kind, RELEASE, |context, meta| {
            let release = meta.labels.as_ref().and_then(|labels| labels.get(RELEASE));
            look(context, &meta.namespace.clone().unwrap_or_default(), release.cloned());
            charged(context, meta);
        }));
    }
    // Attestations name their release, or the budget whose loosening is approved, by the same label.
    all.spawn(others(context.clone(), &ATTESTATION, RELEASE, |context, meta| {
        let Some(about) = meta.labels.as_ref().and_then(|labels| labels.get(RELEASE)) else { return };
        let namespace = meta.namespace.clone().unwrap_or_default();
        look(context, &namespace, [about.clone()]);
        attested(context, &namespace, about);
    }));
    all.spawn(config_maps(context.clone()));
    all.spawn(keys(context.clone()));
    all.spawn(others(context.clone(), &HTTP_ROUTE, "", |context, meta| {
        let (namespace, name) = id(meta);
        look(context, &namespace, context.index.of_route(&namespace, &name));
    }));
    all
}

/// Of GatedReleases that name a workload of another kind and the same name a look is wasted, and rare.
fn workload(context: &Context, meta: &ObjectMeta, key: fn(&str, &str) -> Key) {
    let (namespace, name) = id(meta);
    let releases = context.index.of_workload(&namespace, &name);
    if releases.is_empty() {
        context.queue.add(&key(&namespace, &name), Lane::Calm, UNGATED_AFTER);
    }
    look(context, &namespace, releases);
}

/// A record of a budget changed: its ledger is counted anew.
fn charged(context: &Context, meta: &ObjectMeta) {
    let Some(budget) = meta.labels.as_ref().and_then(|labels| labels.get(BUDGET)) else { return };
    let namespace = meta.namespace.clone().unwrap_or_default();
    context.books.changed(&namespace, budget);
    if meta.labels.as_ref().and_then(|labels| labels.get(RELEASE)).is_some_and(|release| is_book(release)) {
        context.words.uncharged(&namespace, budget);
    }
    context.queue.add(&Key::budget(&namespace, budget), Lane::Calm, LEDGER_AFTER);
}

/// Something was attested: perhaps of the budget of that name, which the label does not tell.
fn attested(context: &Context, namespace: &str, name: &str) {
    context.words.changed(namespace, name);
    let (lane, after) = match context.pending.has(namespace, name) {
        true => (Lane::Urgent, Duration::ZERO),
        false => (Lane::Calm, LEDGER_AFTER),
    };
    if context.budgets.tried(namespace, name) {
        context.queue.add(&Key::budget(namespace, name), lane, after);
    }
}

fn look(context: &Context, namespace: &str, releases: impl IntoIterator<Item = String>) {
    for name in releases {
        let key = Key::release(namespace, &name);
        context.queue.add(&key, context.index.lane(namespace, &name), Duration::ZERO);
    }
}

fn id(meta: &ObjectMeta) -> (String, String) {
    (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default())
}

async fn releases(context: Arc<Context>) {
    let now = |namespace: &str, name: &str| look(&context, namespace, [name.to_owned()]);
    // Who waits for its workload takes it over at once.
    let others = |namespace: &str, name: &str| {
        look(&context, namespace, context.index.rivals(namespace, name).unwrap_or_default());
    };
    objects(&context.cluster, &GATED_RELEASE, &context.namespace, |change: Change<DynamicObject>| match change {
        Change::Is(release) => {
            if context.index.put(&release) {
                let (namespace, name) = (release.namespace().unwrap_or_default(), release.name_any());
                now(&namespace, &name);
                others(&namespace, &name);
            }
        }
        Change::Gone(release) => {
            let (namespace, name) = (release.namespace().unwrap_or_default(), release.name_any());
            others(&namespace, &name);
            context.index.remove(&namespace, &name);
            now(&namespace, &name);
        }
        Change::Whole(there) => context.index.keep(&there).iter().for_each(|(namespace, name)| now(namespace, name)),
    })
    .await;
}

/// With keys that an issuer of statements begins to use, one may count that did not, of any release.
async fn keys(context: Arc<Context>) {
    let mut known = context.issuers.changes();
    while known.changed().await.is_ok() {
        for (namespace, name) in context.index.all() {
            context.queue.add(&Key::release(&namespace, &name), Lane::Calm, KEYS_AFTER);
        }
    }
    // Not as long as the context lives, which sends the changes.
    std::future::pending().await
}

/// Nothing is kept of ConfigMaps: there may be many, and few matter.
async fn config_maps(context: Arc<Context>) {
    metadata(&context.cluster, &CONFIG_MAP, &context.namespace, "", |change| match change {
        Change::Is(object) | Change::Gone(object) => {
            let (namespace, name) = id(&object.metadata);
            look(&context, &namespace, context.index.of_config(&namespace, &name));
        }
        Change::Whole(_) => {}
    })
    .await;
}

async fn budgets(context: Arc<Context>) {
    let seen = Mutex::new(std::collections::BTreeMap::new());
    let look_at = |namespace: &str, name: &str| {
        context.queue.add(&Key::budget(namespace, name), Lane::Urgent, Duration::ZERO);
        look(&context, namespace, context.index.of_budget(namespace, name));
    };
    metadata(&context.cluster, &RISK_BUDGET, &context.namespace, "", |change| match change {
        Change::Is(budget) => {
            let (namespace, name) = id(&budget.metadata);
            let mark = (budget.metadata.uid.clone(), budget.metadata.generation);
            if lock(&seen).insert((namespace.clone(), name.clone()), mark.clone()) != Some(mark) {
                look_at(&namespace, &name);
            } else {
                // Our own status: it is not measured again for that, and whoever asked for it looks at it.
                look(&context, &namespace, context.index.of_budget(&namespace, &name));
            }
        }
        Change::Gone(budget) => {
            let (namespace, name) = id(&budget.metadata);
            lock(&seen).remove(&(namespace.clone(), name.clone()));
            look_at(&namespace, &name);
        }
        Change::Whole(there) => {
            let gone: Vec<_> = lock(&seen).keys().filter(|key| !there.contains(*key)).cloned().collect();
            for (namespace, name) in gone {
                lock(&seen).remove(&(namespace.clone(), name.clone()));
                look_at(&namespace, &name);
            }
        }
    })
    .await;
}

/// Watches metadata of a kind and looks after each change, also of what vanished while the watch was interrupted.
async fn others(context: Arc<Context>, kind: &'static Kind, labels: &'static str, touched: fn(&Context, &ObjectMeta)) {
    let mut seen: std::collections::BTreeMap<(String, String), (Option<String>, ObjectMeta)> =
        std::collections::BTreeMap::new();
    let on = |change: Change<PartialObjectMeta<DynamicObject>>| match change {
        Change::Is(object) => {
            let mark = object.metadata.resource_version.clone();
            let meta = slim(object.metadata);
            let before = seen.insert(id(&meta), (mark.clone(), meta.clone()));
            if before.is_none_or(|(stands, _)| stands != mark) {
                touched(&context, &meta);
            }
        }
        Change::Gone(object) => {
            let meta = slim(object.metadata);
            seen.remove(&id(&meta));
            touched(&context, &meta);
        }
        Change::Whole(there) => {
            let gone: BTreeSet<_> = seen.keys().filter(|key| !there.contains(*key)).cloned().collect();
            for key in gone {
                if let Some((_, meta)) = seen.remove(&key) {
                    touched(&context, &meta);
                }
            }
        }
    };
    metadata(&context.cluster, kind, &context.namespace, labels, on).await;
}

/// What a trigger needs to know of an object.
fn slim(meta: ObjectMeta) -> ObjectMeta {
    let labels = meta.labels.map(|mut labels| {
        labels.retain(|key, _| key == RELEASE || key == BUDGET);
        labels
    });
    ObjectMeta { name: meta.name, namespace: meta.namespace, labels, ..ObjectMeta::default() }
}
