use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{door, question};
use crate::api::Time;
use crate::server::webhook::certificates::Held;
use crate::server::webhook::rotation::Due;
use crate::server::webhook::serve::{Certificate, serve};

const NAME: &str = "tidegate-webhook.tidegate.svc";

fn made(held: Held, all: &[Due]) -> Held {
    let now = Time(jiff::Timestamp::now());
    all.iter().fold(held, |held, due| held.renewed(*due, &[NAME.to_owned()], now).unwrap())
}

/// A client that trusts a bundle and calls the webhook by its Service's name.
fn client(bundle: &str, port: u16) -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    let authorities = reqwest::Certificate::from_pem_bundle(bundle.as_bytes()).unwrap();
    reqwest::Client::builder()
        .tls_certs_only(authorities)
        .resolve(NAME, ([127, 0, 0, 1], port).into())
        .no_proxy()
        .build()
        .unwrap()
}

async fn ask(client: &reqwest::Client, port: u16) -> Result<Value, reqwest::Error> {
    let url = format!("https://{NAME}:{port}/mutate");
    client.post(url).json(&question("app:1", "app:2")).send().await?.error_for_status()?.json().await
}

#[tokio::test]
async fn over_tls_a_rotation_fails_no_call_and_the_end_lets_answers_finish() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (certificate, (door, _)) = (Arc::new(Certificate::default()), door());
    let (stop, stopped) = watch::channel(false);
    let asked = crate::controller::asked(stopped);
    let serving = tokio::spawn(serve(listener, certificate.clone(), door, asked, Duration::from_millis(300)));

    // Nothing to show yet: the handshake fails, and the server lives on.
    let first = made(Held::default(), &[Due::Authority, Due::Certificate]);
    let old = client(&first.bundle(), port);
    assert!(ask(&old, port).await.is_err());
    certificate.put(first.certified().unwrap());
    assert_eq!(ask(&old, port).await.unwrap()["response"]["allowed"], true);

    // A new authority, announced, then used: who trusts both goes through before and after, on new connections too.
    let announced = made(first, &[Due::Authority]);
    let both = client(&announced.bundle(), port);
    ask(&both, port).await.unwrap();
    let second = made(announced, &[Due::Certificate]);
    certificate.put(second.certified().unwrap());
    ask(&client(&second.bundle(), port), port).await.unwrap();
    ask(&both, port).await.unwrap();
    ask(&old, port).await.unwrap_or_else(|why| panic!("the old connection lives on: {why}"));
    let stranger = made(Held::default(), &[Due::Authority]);
    assert!(ask(&client(&stranger.bundle(), port), port).await.is_err(), "a stranger's authority proves nothing");

    // While endpoints are taken away it answers still, and then it is gone.
    stop.send_replace(true);
    tokio::time::sleep(Duration::from_millis(50)).await;
    ask(&client(&second.bundle(), port), port).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
    assert!(ask(&client(&second.bundle(), port), port).await.is_err());
}
