//! HTTP inside the cluster, to the addresses at which a Service was observed; no name is looked up.
//!
//! The connection is made here and not by a client library: what a check comes to rests on how far it came, and whom it reaches on
//! what was approved.

use std::net::{IpAddr, SocketAddr};

use ::http::{Method, Request, header};
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::{Probe, Target};
use crate::analysis::synthetic::{Came, Lost, Reply};
use crate::api::Span;
use crate::api::synthetic::{self, HttpCheck};
use crate::outbound::USER_AGENT;

/// So much of an answer is read.
const BODY_MAX: usize = 64 << 10;

/// Requests that follow no redirects and go through no proxy, each over a connection of its own: one that is kept would stay
/// with one pod.
pub struct Http;

impl Probe for Http {
    fn send<'a>(&'a self, target: Target<'a>, check: &'a HttpCheck, within: Span) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let Target { namespace, service, port, sockets } = target;
            let not_made = |why: String| Err(lost(Came::NotMade, why));
            if let Some(socket) = sockets.iter().find(|socket| !is_of_cluster(socket.ip())) {
                return not_made(format!("{} is no address of a Service or a pod", socket.ip()));
            }
            if sockets.is_empty() {
                return not_made(format!("Service {service} has no address for port {port}"));
            }
            ask(sockets, &format!("{service}.{namespace}.svc"), port, check, within).await
        })
    }
}

fn lost(came: Came, why: String) -> Lost {
    Lost { came, why }
}

/// Whether a Service or a pod can have such an address: not this host, nor what is reached through it alone, as a cloud's metadata is,
/// nor many at once. What the API server refuses to write into a Service or an EndpointSlice is refused here once more.
fn is_of_cluster(ip: IpAddr) -> bool {
    // An IPv4 address written as IPv6 leads where the plain one does.
    let special = match ip.to_canonical() {
        IpAddr::V4(ip) => ip.octets()[0] == 0 || ip.is_loopback() || ip.is_link_local() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_loopback() || ip.is_unicast_link_local(),
    };
    !special && !ip.to_canonical().is_multicast()
}

/// Asks whoever takes a connection first at one of these addresses. There is so long for a connection, and as long again for the answer.
pub(super) async fn ask(sockets: &[SocketAddr], host: &str, port: u16, check: &HttpCheck, within: Span) -> Reply {
    let request = request(host, port, check).map_err(|why| lost(Came::NotMade, why))?;
    let stream = connected(sockets, within).await?;
    exchanged(stream, request, within).await
}

/// A connection to the first of these that takes one; else what became of the last. Each has its part of the time, so that a family of
/// addresses that leads nowhere leaves some to the other.
async fn connected(sockets: &[SocketAddr], within: Span) -> Result<TcpStream, Lost> {
    let until = Instant::now() + within.as_std();
    let mut why = "no address".to_owned();
    for (place, socket) in sockets.iter().enumerate() {
        let now = Instant::now();
        let left = u32::try_from(sockets.len() - place).unwrap_or(u32::MAX);
        why = match timeout_at(now + until.saturating_duration_since(now) / left, TcpStream::connect(socket)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => format!("no connection to {socket}: {error}"),
            Err(_) => format!("no connection to {socket} within {within}"),
        };
    }
    Err(lost(Came::Unheard, why))
}

/// The request as it is sent; why there is none.
fn request(host: &str, port: u16, check: &HttpCheck) -> Result<Request<Full<Bytes>>, String> {
    let unfit = |why: &dyn std::fmt::Display| format!("{} is no path to ask for: {why}", check.path);
    let url = Url::parse(&format!("http://{host}:{port}{}", check.path)).map_err(|error| unfit(&error))?;
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    // As everybody writes it: without the port that is usual.
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let (method, body) = match check.method {
        synthetic::Method::Get => (Method::GET, None),
        synthetic::Method::Head => (Method::HEAD, None),
        synthetic::Method::Post => (Method::POST, check.body.clone()),
    };
    let mut request = Request::builder()
        .method(&method)
        .uri(path)
        .header(header::HOST, authority)
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT, "*/*");
    if method == Method::POST {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(Full::new(Bytes::from(body.unwrap_or_default()))).map_err(|error| unfit(&error))
}

/// Sends it and reads the status and the beginning of the body.
async fn exchanged(stream: TcpStream, request: Request<Full<Bytes>>, within: Span) -> Reply {
    let until = Instant::now() + within.as_std();
    let broken = |came| move |error: hyper::Error| lost(came, format!("no answer: {}", in_words(&error)));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken(Came::Unheard))?;
    let exchange = async {
        let late = |came| move |_| lost(came, format!("no answer within {within}"));
        let head = timeout_at(until, sender.send_request(request)).await;
        let answer = head.map_err(late(Came::Unheard))?.map_err(broken(Came::Unheard))?;
        let status = answer.status().as_u16();
        let body = timeout_at(until, beginning(answer.into_body())).await;
        Ok((status, body.map_err(late(Came::CutShort))?.map_err(broken(Came::CutShort))?))
    };
    // The connection moves the bytes. What it ends with, the exchange hears of too.
    let moved = async {
        drop(connection.await);
        std::future::pending().await
    };
    tokio::select! {
        found = exchange => found,
        found = moved => found,
    }
}

/// So much of a body as is read, whatever it says of its own length.
async fn beginning(mut body: Incoming) -> Result<Vec<u8>, hyper::Error> {
    let mut read = Vec::new();
    while read.len() < BODY_MAX
        && let Some(frame) = body.frame().await
    {
        let Ok(part) = frame?.into_data() else { continue };
        let room = BODY_MAX - read.len();
        read.extend_from_slice(&part[..room.min(part.len())]);
    }
    Ok(read)
}

/// The last cause says what happened.
fn in_words(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

#[cfg(test)]
mod tests;
