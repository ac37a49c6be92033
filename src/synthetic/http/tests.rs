use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use tokio::time::timeout;

use super::*;
use crate::analysis::synthetic::Finding;
use crate::api::Time;
use crate::release::ask::{Due, Place};
use crate::synthetic::Checks;

/// The way to programs on this host, which [`Http`] would not ask.
struct Here;

impl Probe for Here {
    fn send<'a>(&'a self, target: Target<'a>, check: &'a HttpCheck, within: Span) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let host = format!("{}.{}.svc", target.service, target.namespace);
            ask(target.sockets, &host, target.port, check, within).await
        })
    }
}

fn place(service: &str, socket: SocketAddr) -> Place {
    Place { service: service.to_owned(), port: socket.port(), sockets: vec![socket] }
}

/// What a check finds that is sent this way, where stable listens there, if anywhere.
async fn tried(
    probe: impl Probe + 'static,
    http: serde_json::Value,
    asked: SocketAddr,
    stable: Option<SocketAddr>,
) -> Finding {
    let http = serde_json::from_value(http).unwrap();
    let (asked, control) = (place("checkout-canary", asked), stable.map(|stable| place("checkout", stable)));
    let due = Due { name: "one".to_owned(), http, within: Span::seconds(1), asked, control };
    let checks = Checks::new(Arc::new(probe));
    checks.tried("shop", &[due], Time(jiff::Timestamp::UNIX_EPOCH)).await.pop().unwrap().found
}

/// What a check of a program on this host finds, beside a stable that answers well.
async fn found(http: serde_json::Value, asked: SocketAddr) -> Finding {
    let stable = program().await;
    tried(Here, http, asked, Some(stable)).await
}

/// A program at the Service's address.
async fn program() -> SocketAddr {
    let pages = axum::Router::new()
        .route("/cart", get(|| async { "a cart" }).post(|body: String| async move { body }))
        .route("/told", get(|request: axum::extract::Request| async move { told(&request) }))
        .route("/elsewhere", get(|| async { Redirect::temporary("http://example.org/cart") }))
        .route("/long", get(|| async { "x".repeat(BODY_MAX) + "the end" }))
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
#[tokio::test]
async fn a_service_is_asked_and_its_answer_judged(#[case] http: serde_json::Value, #[case] why: &str) {
    let address = program().await;
    let found = found(http, address).await;
    match &found {
        Finding::Passed => assert_eq!(why, ""),
        Finding::Failed(said) => assert!(!why.is_empty() && said.starts_with(why), "{said}"),
        Finding::NotAsked(said) => panic!("{said}"),
    }
}

/// Somebody who takes each connection and says this, or nothing and lets go.
async fn says(what: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _request = stream.read(&mut [0; 1024]).await.unwrap();
            stream.write_all(what).await.unwrap();
        }
    });
    address
}

/// Somebody with whom it comes to no byte of HTTP; for as long as what comes with it is kept.
#[derive(Debug, Clone, Copy)]
enum Mute {
    /// As a port that nobody serves, or a network plugin that rejects.
    Refuses,
    /// As a sidecar that wants mutual TLS.
    LetsGo,
    /// As a proxy that has nobody behind it.
    StaysSilent,
    /// As a server of something else.
    SaysOther,
}

impl Mute {
    async fn listens(self) -> SocketAddr {
        match self {
            Self::Refuses => TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap(),
            Self::LetsGo => says(b"").await,
            Self::SaysOther => says(b"220 mail.example.org ESMTP\r\n\r\n").await,
            Self::StaysSilent => {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                tokio::spawn(async move {
                    let _kept = listener.accept().await;
                    std::future::pending::<()>().await
                });
                address
            }
        }
    }
}

/// What lies between is not the version's: where nothing comes back, only a stable that answers the same tells them apart.
#[rstest]
#[case::refuses(Mute::Refuses, "no connection to ")]
#[case::lets_go(Mute::LetsGo, "no answer: connection closed before message completed")]
#[case::stays_silent(Mute::StaysSilent, "no answer within 1s")]
#[case::no_http(Mute::SaysOther, "no answer: invalid HTTP version parsed")]
#[tokio::test]
async fn who_says_nothing_over_http_failed_only_beside_a_stable_that_does(#[case] mute: Mute, #[case] why: &str) {
    let cart = || json!({"path": "/cart"});
    let beside = found(cart(), mute.listens().await).await;
    assert!(
        matches!(&beside, Finding::Failed(said) if said.starts_with(why) && said.ends_with("; stable answers 200")),
        "{beside:?}"
    );
    let alike = tried(Here, cart(), mute.listens().await, Some(mute.listens().await)).await;
    assert!(
        matches!(&alike, Finding::NotAsked(said) if said.starts_with(why) && said.ends_with("; nor does stable answer")),
        "{alike:?}"
    );
    let alone = tried(Here, cart(), mute.listens().await, None).await;
    assert!(matches!(&alone, Finding::NotAsked(said) if said.starts_with(why)), "{alone:?}");
}

#[tokio::test]
async fn who_began_to_answer_over_http_and_did_not_end_failed_whatever_stable_says() {
    let half = says(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let found = tried(Here, json!({}), half, Some(Mute::Refuses.listens().await)).await;
    assert!(matches!(&found, Finding::Failed(said) if said.starts_with("no answer: ")), "{found:?}");
}

/// Answers one request after the other as told, and notes who was asked.
struct Told(Mutex<(Vec<Reply>, Vec<String>)>);

impl Probe for Arc<Told> {
    fn send<'a>(&'a self, target: Target<'a>, _: &'a HttpCheck, _: Span) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let mut told = self.0.lock().unwrap();
            told.1.push(target.service.to_owned());
            told.0.remove(0)
        })
    }
}

fn unheard() -> Reply {
    Err(Lost { came: Came::Unheard, why: "refused".to_owned() })
}

const CANARY: &str = "checkout-canary";

/// Stable is asked where nothing came back, and the new version once more where stable answers: what lay between may be gone.
#[rstest]
#[case::answered(vec![Ok((200, vec![]))], &[CANARY], Finding::Passed)]
#[case::answered_wrongly(vec![Ok((500, vec![]))], &[CANARY], Finding::Failed("answered 500, not 200".to_owned()))]
#[case::nor_stable(vec![unheard(), unheard()], &[CANARY, "checkout"], Finding::NotAsked("refused; nor does stable answer".to_owned()))]
#[case::the_new_version_alone(vec![unheard(), Ok((200, vec![])), unheard()], &[CANARY, "checkout", CANARY],
    Finding::Failed("refused; stable answers 200".to_owned()))]
#[case::until_stable_was_asked(vec![unheard(), Ok((200, vec![])), Ok((200, vec![]))], &[CANARY, "checkout", CANARY], Finding::Passed)]
#[tokio::test]
async fn stable_is_asked_where_nothing_came_back(
    #[case] replies: Vec<Reply>,
    #[case] asked: &[&str],
    #[case] wanted: Finding,
) {
    let told = Arc::new(Told(Mutex::new((replies, Vec::new()))));
    let socket: SocketAddr = "10.96.0.10:80".parse().unwrap();
    assert_eq!(tried(told.clone(), json!({}), socket, Some(socket)).await, wanted);
    let told = told.0.lock().unwrap();
    assert_eq!((told.1.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), told.0.len()), (asked, 0));
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
    let found = tried(Here, json!({}), address, None).await;
    let why = format!("no connection to {address} within 1s");
    assert_eq!(found, Finding::NotAsked(why));
}

#[tokio::test]
async fn a_service_without_an_address_is_not_asked() {
    let nowhere = Place { service: "checkout-canary".to_owned(), port: 80, sockets: Vec::new() };
    let http: HttpCheck = serde_json::from_value(json!({})).unwrap();
    let Place { service, port, sockets } = &nowhere;
    let target = Target { namespace: "shop", service, port: *port, sockets };
    let lost = Http.send(target, &http, Span::seconds(1)).await.unwrap_err();
    assert_eq!(
        lost,
        Lost { came: Came::NotMade, why: "Service checkout-canary has no address for port 80".to_owned() }
    );
}

#[rstest]
#[case::loopback("127.0.0.1", false)]
#[case::loopback_6("::1", false)]
#[case::as_ipv6("::ffff:127.0.0.1", false)]
#[case::metadata_of_a_cloud("169.254.169.254", false)]
#[case::the_same_as_ipv6("::ffff:169.254.169.254", false)]
#[case::link_local("fe80::1", false)]
#[case::end_of_link_local("febf::1", false)]
#[case::unspecified("0.0.0.0", false)]
#[case::this_network("0.1.2.3", false)]
#[case::unspecified_6("::", false)]
#[case::many("224.0.0.1", false)]
#[case::many_6("ff02::1", false)]
#[case::all("255.255.255.255", false)]
#[case::service("10.96.0.10", true)]
#[case::pod("100.64.3.4", true)]
#[case::pod_of_a_public_range("203.0.113.5", true)]
#[case::service_6("fd00:10:96::a", true)]
#[tokio::test]
async fn nobody_is_asked_at_an_address_that_no_pod_can_have(#[case] ip: &str, #[case] of_cluster: bool) {
    let ip: IpAddr = ip.parse().unwrap();
    assert_eq!(is_of_cluster(ip), of_cluster);
    if !of_cluster {
        // Whatever listens there.
        let socket = SocketAddr::new(ip, program().await.port());
        let found = tried(Http, json!({"path": "/cart"}), socket, None).await;
        assert_eq!(found, Finding::NotAsked(format!("{ip} is no address of a Service or a pod")));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_leads_nowhere_leaves_time_for_the_next_and_the_last_one_is_told() {
    let (there, gone) = (program().await, Mute::Refuses.listens().await);
    let (nowhere, _listener, _queue) = full().await;
    assert!(connected(&[nowhere, there], Span::seconds(1)).await.is_ok());
    let lost = connected(&[nowhere, gone], Span::seconds(1)).await.map(drop).unwrap_err();
    assert_eq!(lost.came, Came::Unheard);
    assert!(lost.why.starts_with(&format!("no connection to {gone}: ")), "{lost:?}");
}
