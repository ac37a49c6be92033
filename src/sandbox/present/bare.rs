//! For tests: an API server that nothing but the test and its clients touches, and no controller moves.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::sync::watch;

use super::{Door, client};
use crate::admission::{Override, Policies};
use crate::api::custom_resource_definitions;
use crate::cluster::Kind;
use crate::sandbox::api::{Answer, ApiServer, Call, Polled, Watch};
use crate::sandbox::objects::Objects as _;
use crate::sandbox::schema::Schemas;
use crate::sandbox::user::User;

/// The kind by which other kinds are taught.
pub(crate) const CRD: Kind =
    Kind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");

/// Where everything else lies.
pub(crate) const NAMESPACE: Kind = Kind::new("", "v1", "Namespace", "namespaces");

/// Whoever may do everything.
pub(crate) fn admin() -> User {
    User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()] }
}

/// An API server as clients reach it. Watches hear nothing new: what uses this reads and writes.
pub(crate) struct Bare {
    api: Mutex<ApiServer>,
    version: watch::Sender<u64>,
}

impl Bare {
    pub(crate) fn new(api: ApiServer) -> Arc<Self> {
        Arc::new(Self { api: Mutex::new(api), version: watch::channel(0).0 })
    }

    /// One with Tidegate's kinds and admission policies, and the namespace `shop`.
    pub(crate) fn shop() -> Arc<Self> {
        let mut api = ApiServer::new(1);
        api.set_schemas(Box::new(Schemas::default())).unwrap();
        api.set_admission(Arc::new(Policies::shipped(Override::Audit).unwrap()));
        for crd in custom_resource_definitions() {
            api.create(&admin(), &CRD, serde_json::to_value(crd).unwrap()).unwrap();
        }
        api.create(&admin(), &NAMESPACE, json!({"metadata": {"name": "shop"}})).unwrap();
        Self::new(api)
    }

    /// Past every client: looks, or does something as nobody in particular.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut ApiServer) -> T) -> T {
        act(&mut self.api.lock().unwrap())
    }

    /// A client that is this user.
    pub(crate) fn client(self: &Arc<Self>, user: User) -> kube::Client {
        client(self.clone(), user)
    }
}

impl Door for Bare {
    fn call(&self, call: &Call) -> Answer {
        self.with(|api| api.call(call))
    }

    fn poll(&self, watch: &mut Watch) -> Polled {
        self.with(|api| api.poll_watch(watch))
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}
