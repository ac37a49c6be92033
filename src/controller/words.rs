//! What was attested about a RiskBudget: one list serves everybody who asks in one look, and nobody asks where nothing changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;

use super::{Context, lock};
use crate::api::names::label_value;
use crate::cluster::{Error, observe};
use crate::policy::Attested;

type Key = (String, String);

/// What is known of all budgets, until somebody attests something.
#[derive(Default)]
pub(super) struct Words(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// How many changes of attestations were seen: what was read before one is not kept.
    changes: u64,
    lists: BTreeMap<Key, Arc<[Attested]>>,
    /// Budgets of which it is known that everything is charged that was attested.
    charged: BTreeSet<Key>,
}

impl Words {
    /// Something was attested, or taken away, about what has this name: it is listed anew.
    pub(super) fn changed(&self, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        let mut known = lock(&self.0);
        known.changes += 1;
        known.lists.remove(&key);
        known.charged.remove(&key);
    }

    /// A record of a charge changed: perhaps something is to be charged.
    pub(super) fn uncharged(&self, namespace: &str, name: &str) {
        let mut known = lock(&self.0);
        known.changes += 1;
        known.charged.remove(&(namespace.to_owned(), name.to_owned()));
    }
}

/// What was attested about one budget, in one look at it.
pub(super) struct Look<'a> {
    context: &'a Context,
    key: Key,
    /// The changes that were seen before anything was read.
    mark: u64,
    listed: OnceCell<Arc<[Attested]>>,
}

impl<'a> Look<'a> {
    /// Begins a look; nothing is read yet.
    pub(super) fn new(context: &'a Context, namespace: &str, name: &str) -> Self {
        let mark = lock(&context.words.0).changes;
        Self { context, key: (namespace.to_owned(), name.to_owned()), mark, listed: OnceCell::new() }
    }

    /// As the API server says it in this look.
    pub(super) async fn fresh(&self) -> Result<&[Attested], Error> {
        self.list().await.map(AsRef::as_ref)
    }

    async fn list(&self) -> Result<&Arc<[Attested]>, Error> {
        let (namespace, name) = &self.key;
        let list = || async {
            let all = observe::attested_about(&self.context.cluster, namespace, name).await?;
            let all: Arc<[Attested]> = all.into();
            self.keep(|known, key| {
                known.lists.insert(key, Arc::clone(&all));
            });
            Ok::<_, Error>(all)
        };
        self.listed.get_or_try_init(list).await
    }

    /// As it was listed last, in this look or before, if nothing was attested since.
    pub(super) async fn known(&self) -> Result<Arc<[Attested]>, Error> {
        let known = lock(&self.context.words.0).lists.get(&self.key).cloned();
        match self.listed.get().cloned().or(known) {
            Some(known) => Ok(known),
            None => self.list().await.cloned(),
        }
    }

    /// Whether everything is charged that was attested.
    pub(super) fn is_charged(&self) -> bool {
        lock(&self.context.words.0).charged.contains(&self.key)
    }

    /// Everything is charged that this look has seen.
    pub(super) fn charged(&self) {
        self.keep(|known, key| {
            known.charged.insert(key);
        });
    }

    /// Keeps what was found, unless something was attested since the look began.
    fn keep(&self, put: impl FnOnce(&mut Known, Key)) {
        // Who is not found by a label is not watched by it either.
        let watched = label_value(&self.key.1) == self.key.1;
        let mut known = lock(&self.context.words.0);
        if watched && known.changes == self.mark {
            put(&mut known, self.key.clone());
        }
    }
}

#[cfg(test)]
#[cfg(feature = "sandbox")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::custom_resource_definitions;
    use crate::api::names::RELEASE;
    use crate::cluster::kind::ATTESTATION;
    use crate::cluster::{Cluster, Leadership, SystemClock};
    use crate::prometheus::{Config, Http, Sources};
    use crate::sandbox::api::ApiServer;
    use crate::sandbox::objects::Objects as _;
    use crate::sandbox::present::bare::{Bare, CRD, NAMESPACE, admin};
    use crate::server::{Health, Metrics};
    use crate::synthetic::Checks;

    fn attestation(name: &str, kind: &str) -> serde_json::Value {
        json!({
            "metadata": {"name": name, "namespace": "shop", "labels": {RELEASE: "web"}},
            "spec": {"releaseRef": {"kind": kind, "name": "web"}, "revision": "abc", "type": "charge", "author": "ci"},
        })
    }

    fn world() -> (Arc<Bare>, Context) {
        let mut api = ApiServer::new(1);
        for crd in custom_resource_definitions() {
            api.create(&admin(), &CRD, serde_json::to_value(crd).unwrap()).unwrap();
        }
        api.create(&admin(), &NAMESPACE, json!({"metadata": {"name": "shop"}})).unwrap();
        api.create(&admin(), &ATTESTATION, attestation("a", "RiskBudget")).unwrap();
        api.create(&admin(), &ATTESTATION, attestation("b", "GatedRelease")).unwrap();
        let bare = Bare::new(api);
        let cluster = Cluster::new(bare.client(admin()), Arc::new(SystemClock), Leadership::always(), "tidegate-0");
        let metrics = Arc::new(Metrics::default());
        let sources = Sources::new(Arc::new(Config::empty()), Arc::new(Http::new().unwrap()), metrics.clone(), 1);
        (bare, Context::new(cluster, sources, Checks::over_http(), metrics, Arc::new(Health::default()), ""))
    }

    fn make(bare: &Bare, name: &str) {
        bare.with(|api| api.create(&admin(), &ATTESTATION, attestation(name, "RiskBudget")).map(drop)).unwrap();
    }

    fn names(all: &[Attested]) -> Vec<&str> {
        all.iter().map(|one| one.name.as_str()).collect()
    }

    /// What is made behind the watch's back tells whether the API server was asked again.
    #[tokio::test]
    async fn one_look_lists_once_and_the_next_only_where_something_changed_or_it_must_be_fresh() {
        let (bare, context) = world();
        let look = Look::new(&context, "shop", "web");
        assert_eq!(names(look.fresh().await.unwrap()), ["a"], "what is said about the release is not about the budget");
        make(&bare, "c");
        assert_eq!(names(look.fresh().await.unwrap()), ["a"]);
        assert_eq!(names(&look.known().await.unwrap()), ["a"]);
        let next = Look::new(&context, "shop", "web");
        assert_eq!(names(&next.known().await.unwrap()), ["a"], "nothing changed that was told of");
        assert_eq!(names(next.fresh().await.unwrap()), ["a", "c"]);
        context.words.changed("shop", "web");
        make(&bare, "d");
        assert_eq!(names(&Look::new(&context, "shop", "web").known().await.unwrap()), ["a", "c", "d"]);
    }

    #[tokio::test]
    async fn what_is_attested_during_a_look_is_looked_at_again() {
        let (_bare, context) = world();
        let look = Look::new(&context, "shop", "web");
        context.words.changed("shop", "web");
        look.charged();
        assert!(!look.is_charged());
        let next = Look::new(&context, "shop", "web");
        next.charged();
        assert!(next.is_charged());
        context.words.uncharged("shop", "web");
        assert!(!next.is_charged());
    }
}
