//! HTTP inside the cluster, by the name that its DNS gives a Service.
//!
//! The connection is made here and not by a client library: what a check comes to rests on whether there was one.

use std::io;
use std::net::SocketAddr;

use ::http::{Method, Request, header};
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};

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
            let Target { namespace, service, port } = target;
            let host = format!("{service}.{namespace}.svc");
            let begun = Instant::now();
            let addresses = resolved(&host, port, within).await?;
            ask(&addresses, &host, port, check, (begun, within)).await
        })
    }
}

fn lost(came: Came, why: String) -> Lost {
    Lost { came, why }
}

/// The addresses of a name, at least one.
async fn resolved(host: &str, port: u16, within: Span) -> Result<Vec<SocketAddr>, Lost> {
    let unknown = |why: String| lost(Came::NoName, format!("{host} does not resolve: {why}"));
    match timeout(within.as_std(), lookup_host((host, port))).await {
        Err(_) => Err(unknown(format!("DNS gave no answer within {within}"))),
        Ok(Err(error)) => Err(unknown(error.to_string())),
        Ok(Ok(addresses)) => {
            let all: Vec<SocketAddr> = addresses.collect();
            if all.is_empty() { Err(unknown("DNS knows no address of it".to_owned())) } else { Ok(all) }
        }
    }
}

/// Asks whoever answers first at one of these addresses; the span counts from the moment on until there is a connection, and
/// then anew.
pub(super) async fn ask(
    addresses: &[SocketAddr],
    host: &str,
    port: u16,
    check: &HttpCheck,
    (begun, within): (Instant, Span),
) -> Reply {
    let request = request(host, port, check).map_err(|why| lost(Came::NotMade, why))?;
    let stream = connected(addresses, (begun, within)).await?;
    let late = |_| lost(Came::Unanswered, format!("no answer within {within}"));
    let broken = |error: hyper::Error| lost(Came::Broken, format!("no answer: {}", in_words(&error)));
    timeout(within.as_std(), exchanged(stream, request)).await.map_err(late)?.map_err(broken)
}

/// A connection to the first of these that takes one. Each has its part of the time, so that a family of addresses that leads
/// nowhere leaves some to the other.
async fn connected(addresses: &[SocketAddr], (begun, within): (Instant, Span)) -> Result<TcpStream, Lost> {
    let until = begun + within.as_std();
    let mut found = None;
    for (place, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let left = u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
        let new = match timeout_at(now + until.saturating_duration_since(now) / left, TcpStream::connect(address)).await
        {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => lost(came(error.kind()), format!("no connection to {address}: {error}")),
            Err(_) => lost(Came::NoWay, format!("no connection to {address} within {within}")),
        };
        // Whoever refuses is there, whatever became of other addresses.
        if found.as_ref().is_none_or(|known: &Lost| !known.came.is_of_version()) {
            found = Some(new);
        }
    }
    Err(found.unwrap_or_else(|| lost(Came::NoName, "no address".to_owned())))
}

/// How far a request came whose connection failed like this: an answer of the other side is one of the version.
const fn came(kind: io::ErrorKind) -> Came {
    let refused = matches!(kind, io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset);
    if refused { Came::Refused } else { Came::NoWay }
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
async fn exchanged(stream: TcpStream, request: Request<Full<Bytes>>) -> Result<(u16, Vec<u8>), hyper::Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        Ok((status, beginning(answer.into_body()).await?))
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
