use std::future;
use std::sync::Arc;

use futures::FutureExt;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, ListParams, PostParams, WatchParams};
use rstest::rstest;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;
use crate::sandbox::objects::Objects;

/// A port that is served until the sender is used or dropped.
async fn served(
    door: Arc<Bare>,
) -> (std::net::SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve(listener, door, stopped.map(drop)));
    (address, stop, task)
}

async fn client_of(address: std::net::SocketAddr, context: &str) -> kube::Client {
    let config = kube::config::Kubeconfig::from_yaml(&kubeconfig(address)).unwrap();
    let options = kube::config::KubeConfigOptions { context: Some(context.to_owned()), ..Default::default() };
    kube::Client::try_from(kube::Config::from_custom_kubeconfig(config, &options).await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_client_on_the_port_reads_and_watches_and_the_server_ends_cleanly() {
    let door = Bare::new();
    let (address, stop, task) = served(door.clone()).await;
    let api: Api<Namespace> = Api::all(client_of(address, "admin").await);
    assert_eq!(api.list(&ListParams::default()).await.unwrap().items.len(), 4);
    let mut watch = api.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    for _ in 0..4 {
        assert!(watch.try_next().await.unwrap().is_some());
    }
    stop.send(()).unwrap();
    assert!(watch.try_next().await.unwrap().is_none(), "the watch is closed, not broken off");
    task.await.unwrap().unwrap();
}

#[rstest]
#[case("admin", "admin")]
#[case("alice", "alice")]
#[case("ci", "system:serviceaccount:shop:ci")]
#[tokio::test]
async fn a_context_is_a_user(#[case] context: &str, #[case] user: &str) {
    let door = Bare::new();
    let (address, _stop, _task) = served(door.clone()).await;
    let api: Api<ConfigMap> = Api::namespaced(client_of(address, context).await, "default");
    api.create(&PostParams::default(), &config_map("one")).await.unwrap();
    assert_eq!(door.with(|api| api.changes(0).last().unwrap().by.name.clone()), user);
}

#[rstest]
#[case::log("GET", "/api/v1/namespaces/shop/pods/web/log", 0, 501, "there is no log")]
#[case::exec("POST", "/api/v1/namespaces/shop/pods/web/exec", 0, 501, "there is no exec")]
#[case::large("POST", "/api/v1/namespaces/default/configmaps", 3 << 20 | 1, 413, "Request entity too large")]
#[case::unknown("GET", "/apis/metrics.k8s.io/v1beta1/pods", 0, 404, "could not find the requested resource")]
#[tokio::test]
async fn what_cannot_be_done_is_refused_clearly(
    #[case] method: &str,
    #[case] path: &str,
    #[case] bytes: usize,
    #[case] code: u16,
    #[case] message: &str,
) {
    let client = client(Bare::new(), User::person("alice"));
    let request = http::Request::builder().method(method).uri(path).body(vec![b' '; bytes]).unwrap();
    match client.request_text(request).await {
        Err(kube::Error::Api(status)) => {
            assert_eq!(status.code, code);
            assert!(status.message.contains(message), "{}", status.message);
        }
        other => panic!("{other:?}"),
    }
}

/// For trying kubectl by hand: `KUBECONFIG_OUT=/tmp/k cargo test --lib serves_kubectl -- --ignored`; ends with Ctrl-C.
#[tokio::test]
#[ignore = "serves until it is interrupted"]
async fn serves_kubectl() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let text = kubeconfig(listener.local_addr().unwrap());
    std::fs::write(std::env::var("KUBECONFIG_OUT").unwrap(), text).unwrap();
    let door = Bare::new();
    door.with(|api| {
        api.set_schemas(Box::new(crate::sandbox::schema::Schemas::tidegate().unwrap())).unwrap();
        for crd in documents::CRDS {
            api.create(&User::person("admin"), &documents::CRD, serde_saphyr::from_str(crd).unwrap()).unwrap();
        }
    });
    serve(listener, door, future::pending()).await.unwrap();
}
