//! The whole way in: a real client library, and HTTP on a port, over a bare API server.

mod documents;
mod over_http;

use std::sync::{Arc, Mutex};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, PostParams, WatchEvent, WatchParams};
use serde_json::json;
use tokio::sync::watch;

use super::*;
use crate::sandbox::api::{Answer, ApiServer, Call, Polled, Watch};
use crate::sandbox::user::User;

/// An API server without a world around it.
pub(super) struct Bare {
    api: Mutex<ApiServer>,
    version: watch::Sender<u64>,
}

impl Bare {
    pub(super) fn new() -> Arc<Self> {
        let mut api = ApiServer::new(1);
        api.set_present(Arc::new(Presenter));
        Arc::new(Self { api: Mutex::new(api), version: watch::channel(0).0 })
    }

    /// Does something to it, as the world around does.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut ApiServer) -> T) -> T {
        let mut api = self.api.lock().unwrap();
        let done = act(&mut api);
        self.version.send_replace(api.version());
        done
    }

    /// `GET`, with an `Accept` header.
    pub(super) fn get(&self, path: &str, accept: &str) -> (u16, &'static str, Vec<u8>) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let call = Call {
            user: User::person("alice"),
            method: http::Method::GET,
            path: path.to_owned(),
            query: query.to_owned(),
            content_type: String::new(),
            accept: accept.to_owned(),
            body: Vec::new(),
            user_agent: String::new(),
        };
        match self.call(&call) {
            Answer::Done { code, content_type, body } => (code, content_type, body),
            Answer::Watch(_) => panic!("{path} is no watch"),
        }
    }
}

impl Door for Bare {
    fn call(&self, call: &Call) -> Answer {
        self.with(|api| api.call(call))
    }

    fn poll(&self, watch: &mut Watch) -> Polled {
        self.api.lock().unwrap().poll_watch(watch)
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"a": "1"}})).unwrap()
}

#[tokio::test]
async fn the_client_library_reads_writes_and_watches_in_this_process() {
    let api: Api<ConfigMap> = Api::namespaced(client(Bare::new(), User::person("alice")), "default");
    let seen = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut watch = api.watch(&WatchParams::default(), &seen).await.unwrap().boxed();
    let (params, one) = (PostParams::default(), config_map("one"));
    let (created, told) = tokio::join!(api.create(&params, &one), watch.try_next());
    let created = created.unwrap();
    match told.unwrap() {
        Some(WatchEvent::Added(told)) => assert_eq!(told, created),
        other => panic!("{other:?}"),
    }
    assert!(api.get("two").await.unwrap_err().to_string().contains("configmaps \"two\" not found"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_when_its_time_is_over() {
    let api: Api<ConfigMap> = Api::namespaced(client(Bare::new(), User::person("alice")), "default");
    let params = WatchParams::default().timeout(30);
    let watch = api.watch(&params, "0").await.unwrap();
    assert!(watch.collect::<Vec<_>>().await.is_empty());
}

#[tokio::test]
async fn a_watch_ends_when_it_has_expired_and_when_the_world_goes() {
    let door = Bare::new();
    let api: Api<ConfigMap> = Api::namespaced(client(door.clone(), User::person("alice")), "default");
    let seen = api.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let watch = api.watch(&WatchParams::default(), &seen).await.unwrap();
    api.create(&PostParams::default(), &config_map("one")).await.unwrap();
    door.with(|api| api.compact(api.version()));
    let told: Vec<_> = watch.collect().await;
    assert!(matches!(told.as_slice(), [Ok(WatchEvent::Error(status))] if status.code == 410), "{told:?}");
}
