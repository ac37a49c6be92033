use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use super::*;
use crate::analysis::synthetic::Finding;
use crate::api::Time;
use crate::release::ask::Due;
use crate::synthetic::Checks;

/// The Service's name, known as long as the test runs.
struct Known(SocketAddr);

impl Probe for Known {
    fn send<'a>(&'a self, target: Target<'a>, check: &'a HttpCheck, within: Span) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let host = format!("{}.{}.svc", target.service, target.namespace);
            ask(&[self.0], &host, target.port, check, (Instant::now(), within)).await
        })
    }
}

/// What a check finds that is sent this way.
async fn found(probe: impl Probe + 'static, http: serde_json::Value, port: u16) -> Finding {
    let http = serde_json::from_value(http).unwrap();
    let (name, service) = ("one".to_owned(), "checkout-canary".to_owned());
    let due = Due { name, http, within: Span::seconds(1), service, port };
    let checks = Checks::new(Arc::new(probe));
    checks.tried("shop", &[due], Time(jiff::Timestamp::UNIX_EPOCH)).await.pop().unwrap().found
}

/// A program at the Service's address.
async fn program() -> SocketAddr {
    let pages = axum::Router::new()
        .route("/cart", get(|| async { "a cart" }).post(|body: String| async move { body }))
        .route("/told", get(|request: axum::extract::Request| async move { told(&request) }))
        .route("/elsewhere", get(|| async { Redirect::temporary("http://example.org/cart") }))
        .route("/long", get(|| async { "x".repeat(BODY_MAX) + "the end" }))
        .route("/never", get(std::future::pending::<()>))
        .route("/only-post", post(|| async { StatusCode::CREATED }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, pages).await });
    address
}

/// What a program hears of who asks for what.
fn told(request: &axum::extract::Request) -> String {
    let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
    format!("{} from {} at {}", request.uri(), header("user-agent"), header("host"))
}

#[rstest]
#[case::page(json!({"path": "/cart", "expectBody": "a cart"}), "")]
#[case::head(json!({"path": "/cart", "method": "HEAD"}), "")]
#[case::body(json!({"path": "/cart", "method": "POST", "body": "{\"id\":1}", "expectBody": "\"id\":1"}), "")]
#[case::body_without_post(json!({"path": "/cart", "body": "ignored", "expectBody": "a cart"}), "")]
#[case::status(json!({"path": "/only-post", "method": "POST", "expectStatus": 201}), "")]
#[case::query(json!({"path": "/told?probe=1&of=<cart>", "expectBody": "/told?probe=1&of=%3Ccart%3E from tidegate/"}), "")]
#[case::host(json!({"path": "/told", "expectBody": " at checkout-canary.shop.svc"}), "")]
#[case::not_there(json!({"path": "/nothing"}), "answered 404, not 200")]
#[case::not_followed(json!({"path": "/elsewhere"}), "answered 307, not 200")]
#[case::beyond_what_is_read(json!({"path": "/long", "expectBody": "the end"}), "answered 200 without \"the end\": x")]
#[case::too_late(json!({"path": "/never"}), "no answer within 1s")]
#[tokio::test]
async fn a_service_is_asked_and_its_answer_judged(#[case] http: serde_json::Value, #[case] why: &str) {
    let address = program().await;
    let found = found(Known(address), http, address.port()).await;
    match &found {
        Finding::Passed => assert_eq!(why, ""),
        Finding::Failed(said) => assert!(!why.is_empty() && said.starts_with(why), "{said}"),
        Finding::NotAsked(said) => panic!("{said}"),
    }
}

/// Somebody who takes a connection and says this, or nothing and lets go.
async fn says(what: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _request = stream.read(&mut [0; 1024]).await.unwrap();
        stream.write_all(what).await.unwrap();
    });
    address
}

#[rstest]
#[case::lets_go(b"", "no answer: connection closed before message completed")]
#[case::no_http(b"220 mail.example.org ESMTP\r\n\r\n", "no answer: invalid HTTP version parsed")]
#[case::half_a_body(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "no answer: ")]
#[tokio::test]
async fn who_took_the_connection_and_gave_no_answer_failed(#[case] what: &'static [u8], #[case] why: &str) {
    let address = says(what).await;
    let found = found(Known(address), json!({}), address.port()).await;
    assert!(matches!(&found, Finding::Failed(said) if said.starts_with(why)), "{found:?}");
}

#[tokio::test]
async fn who_refuses_the_connection_failed() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let found = found(Known(address), json!({}), address.port()).await;
    assert!(matches!(&found, Finding::Failed(said) if said.contains("refused")), "{found:?}");
}

/// A socket whose queue is full drops what comes, as a NetworkPolicy does; for as long as what comes with it is kept.
#[cfg(target_os = "linux")]
async fn full() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = timeout(Span::from_millis(200).as_std(), TcpStream::connect(address)).await {
        queue.push(stream.unwrap());
    }
    (address, listener, queue)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_that_does_not_come_about_in_time_asked_nobody() {
    let (address, _listener, _queue) = full().await;
    let found = found(Known(address), json!({}), address.port()).await;
    let why = format!("no connection to {address} within 1s");
    assert_eq!(found, Finding::NotAsked(why));
}

#[tokio::test]
async fn a_name_that_nobody_knows_asked_nobody_and_is_said_in_a_few_words() {
    let found = found(Http, json!({}), 80).await;
    let told = |said: &str| said.starts_with("checkout-canary.shop.svc does not resolve: ") && said.len() < 160;
    assert!(matches!(&found, Finding::NotAsked(said) if told(said)), "{found:?}");
}

#[rstest]
#[case::refused(io::ErrorKind::ConnectionRefused, Came::Refused)]
#[case::reset(io::ErrorKind::ConnectionReset, Came::Refused)]
#[case::no_route(io::ErrorKind::HostUnreachable, Came::NoWay)]
#[case::no_network(io::ErrorKind::NetworkUnreachable, Came::NoWay)]
#[case::too_late(io::ErrorKind::TimedOut, Came::NoWay)]
#[case::forbidden_here(io::ErrorKind::PermissionDenied, Came::NoWay)]
#[case::no_port_left_here(io::ErrorKind::AddrNotAvailable, Came::NoWay)]
#[case::no_file_left_here(io::ErrorKind::Other, Came::NoWay)]
fn only_the_other_side_refuses(#[case] kind: io::ErrorKind, #[case] is: Came) {
    assert_eq!(came(kind), is);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_leads_nowhere_leaves_time_for_the_next_and_a_refusal_is_told() {
    let (there, gone) = (program().await, TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap());
    let (nowhere, _listener, _queue) = full().await;
    let limits = || (Instant::now(), Span::seconds(1));
    assert!(connected(&[nowhere, there], limits()).await.is_ok());
    let came = connected(&[gone, nowhere], limits()).await.map(drop).unwrap_err().came;
    assert_eq!(came, Came::Refused);
    let came = connected(&[nowhere], limits()).await.map(drop).unwrap_err().came;
    assert_eq!(came, Came::NoWay);
}
