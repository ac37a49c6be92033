//! Through a real client.

use std::sync::{Arc, Mutex};

use futures::{StreamExt as _, TryStreamExt as _};
use http::{Request, Response};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::client::Body;
use serde_json::json;

use super::*;

type Shared = Arc<Mutex<ApiServer>>;

/// A client whose watches end when nothing more has happened.
fn client(api: &Shared) -> kube::Client {
    let api = Arc::clone(api);
    let service = tower::service_fn(move |request: Request<Body>| {
        let api = Arc::clone(&api);
        async move {
            let (parts, body) = request.into_parts();
            let header = |name: http::HeaderName| {
                parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
            };
            let call = Call {
                user: User::person("alice"),
                method: parts.method.clone(),
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                content_type: header(http::header::CONTENT_TYPE),
                accept: header(http::header::ACCEPT),
                body: body.collect_bytes().await?.to_vec(),
                user_agent: header(http::header::USER_AGENT),
            };
            let mut api = api.lock().unwrap();
            let (code, body) = match api.call(&call) {
                Answer::Done { code, body, .. } => (code, body),
                Answer::Watch(mut watch) => match api.poll_watch(&mut watch) {
                    Polled::Lines(lines) => (200, lines),
                    Polled::Ended => (200, Vec::new()),
                },
            };
            Ok::<_, kube::Error>(Response::builder().status(code).body(Body::from(body)).unwrap())
        }
    });
    kube::Client::new(service, "default")
}

fn refused(error: kube::Error) -> (u16, String) {
    let kube::Error::Api(status) = error else { panic!("{error}") };
    (status.code, status.reason.clone())
}

#[tokio::test]
async fn a_client_works_as_with_a_cluster() {
    let api: Shared = Arc::new(Mutex::new(ApiServer::new(1)));
    let deployments: Api<Deployment> = Api::default_namespaced(client(&api));
    let wanted: Deployment = serde_json::from_value(deployment("shop")).unwrap();
    let made = deployments.create(&PostParams::default(), &wanted).await.unwrap();
    assert_eq!(made.spec.unwrap().replicas, Some(1));
    let again = deployments.create(&PostParams::default(), &wanted).await.unwrap_err();
    assert_eq!(refused(again), (409, "AlreadyExists".to_owned()));

    let list = deployments.list(&ListParams::default().labels("app=shop")).await.unwrap();
    assert_eq!(list.items.len(), 1);
    let version = list.metadata.resource_version.unwrap();

    let merge = Patch::Merge(json!({"spec": {"replicas": 3}}));
    deployments.patch("shop", &PatchParams::default(), &merge).await.unwrap();
    let strategic = Patch::Strategic(json!({"spec": {"template": {"spec": {
        "containers": [{"name": "main", "image": "shop:2"}],
    }}}}));
    deployments.patch("shop", &PatchParams::default(), &strategic).await.unwrap();
    let apply = Patch::Apply(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {"replicas": 4},
    }));
    let clash = deployments.patch("shop", &PatchParams::apply("git"), &apply).await.unwrap_err();
    assert_eq!(refused(clash), (409, "Conflict".to_owned()));
    deployments.patch("shop", &PatchParams::apply("git").force(), &apply).await.unwrap();
    let status = Patch::Merge(json!({"status": {"replicas": 4}}));
    deployments.patch_status("shop", &PatchParams::default(), &status).await.unwrap();
    assert_eq!(deployments.get_scale("shop").await.unwrap().status.unwrap().replicas, 4);

    deployments.delete("shop", &DeleteParams::background()).await.unwrap();
    assert_eq!(refused(deployments.get("shop").await.unwrap_err()), (404, "NotFound".to_owned()));

    let events: Vec<WatchEvent<Deployment>> =
        deployments.watch(&WatchParams::default(), &version).await.unwrap().try_collect().await.unwrap();
    let words: Vec<_> = events
        .iter()
        .map(|event| match event {
            WatchEvent::Added(_) => "added",
            WatchEvent::Modified(_) => "modified",
            WatchEvent::Deleted(_) => "deleted",
            WatchEvent::Bookmark(_) => "bookmark",
            WatchEvent::Error(_) => "error",
        })
        .collect();
    assert_eq!(words, ["modified", "modified", "modified", "modified", "deleted"]);
}

#[tokio::test]
async fn a_stale_replace_and_a_stale_watch_are_refused() {
    let api: Shared = Arc::new(Mutex::new(ApiServer::new(1)));
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&api));
    let wanted = serde_json::from_value(config_map("a", json!({"k": "1"}))).unwrap();
    let made = maps.create(&PostParams::default(), &wanted).await.unwrap();
    maps.patch("a", &PatchParams::default(), &Patch::Merge(json!({"data": {"k": "2"}}))).await.unwrap();
    let stale = maps.replace("a", &PostParams::default(), &made).await.unwrap_err();
    assert_eq!(refused(stale), (409, "Conflict".to_owned()));
    {
        let mut api = api.lock().unwrap();
        let newest = api.version();
        api.compact(newest);
    }
    let Err(error) = maps.watch(&WatchParams::default(), "1").await else { panic!("the watch was opened") };
    assert_eq!(refused(error), (410, "Expired".to_owned()));
}

#[tokio::test]
async fn a_reflector_starts_on_it() {
    use kube::runtime::watcher::{Config, Event, watcher};
    let api: Shared = Arc::new(Mutex::new(ApiServer::new(1)));
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&api));
    maps.create(&PostParams::default(), &serde_json::from_value(config_map("a", json!({}))).unwrap()).await.unwrap();
    let events = watcher(maps, Config::default()).take(3).try_collect::<Vec<_>>().await.unwrap();
    assert!(matches!(events.as_slice(), [Event::Init, Event::InitApply(_), Event::InitDone]), "{events:?}");
}
