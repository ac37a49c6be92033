//! One request and its response: HTTP on one side, calls and answers on the other. The same for a port and for a client in
//! this process.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use futures::stream;
use http::{HeaderMap, Request, Response, StatusCode, header};
use tokio::sync::watch;
use tokio::time::Instant;

use super::door::Door;
use super::{identity, wire};
use crate::sandbox::api::{Answer, Call, Polled, Watch, status_of};
use crate::sandbox::objects::Refusal;
use crate::sandbox::user::User;

/// Longer bodies are refused, as by the API server.
const BODY_BYTES_MAX: usize = 3 << 20;

/// Lets a request in. `default` asks where the request names nobody. When `stop` becomes true, watches end.
pub(super) async fn exchange(
    door: Arc<dyn Door>,
    default: &User,
    request: Request<Body>,
    stop: watch::Receiver<bool>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        let message = format!("Request entity too large: limit is {BODY_BYTES_MAX}");
        return refused(413, "RequestEntityTooLarge", message);
    };
    if let Some(part) = not_simulated(head.uri.path()) {
        let message = format!("the sandbox simulates pods: they run no containers, so there is no {part}");
        return refused(501, "NotImplemented", message);
    }
    let (content_type, body) = match readable(text(&head.headers, header::CONTENT_TYPE), body.into()) {
        Ok(readable) => readable,
        Err(why) => return refused(400, "BadRequest", why),
    };
    let call = Call {
        user: identity::user(&head.headers, default),
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        content_type,
        accept: text(&head.headers, header::ACCEPT),
        body,
        user_agent: text(&head.headers, header::USER_AGENT),
    };
    match door.call(&call) {
        Answer::Done { code, content_type, body } => respond(code, content_type, body.into()),
        Answer::Watch(watch) => respond(200, "application/json", follow(door, *watch, stop)),
    }
}

/// A body as JSON where it came as protobuf, else as it is; with its content type.
fn readable(content_type: String, body: Vec<u8>) -> Result<(String, Vec<u8>), String> {
    if body.is_empty() || !content_type.starts_with(wire::PROTOBUF) {
        return Ok((content_type, body));
    }
    Ok(match wire::to_json(&body)? {
        Some(object) => ("application/json".to_owned(), object.to_string().into_bytes()),
        None => (content_type, body),
    })
}

/// The parts of a pod that need a kubelet.
fn not_simulated(path: &str) -> Option<&str> {
    match path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().as_slice() {
        ["api", "v1", "namespaces", _, "pods", _, part @ ("log" | "exec" | "attach" | "portforward" | "proxy"), ..] => {
            Some(part)
        }
        _ => None,
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    // Clients send several `Accept` headers as well as one with commas.
    let all: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    all.join(",")
}

fn refused(code: u16, reason: &'static str, message: String) -> Response<Body> {
    let status = status_of(&Refusal { code, reason, message, details: None });
    respond(code, "application/json", status.to_string().into())
}

fn respond(code: u16, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    // Clients keep discovery and OpenAPI on disk otherwise, and a sandbox begins anew each time.
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache, private"));
    response
}

struct Following {
    door: Arc<dyn Door>,
    watch: Watch,
    changed: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    until: Option<Instant>,
}

/// The body of a watch: lines as they come, until its time is over, the world or the server goes, or it has expired.
fn follow(door: Arc<dyn Door>, watch: Watch, stop: watch::Receiver<bool>) -> Body {
    let until = watch.timeout_seconds().and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
    let changed = door.changed();
    let following = Following { door, watch, changed, stop, until };
    Body::from_stream(stream::unfold(following, |mut following| async move {
        let lines = following.next().await?;
        Some((Ok::<_, Infallible>(lines), following))
    }))
}

impl Following {
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if *self.stop.borrow() {
                return None;
            }
            // Marked before the poll: what happens in between is told by the next one.
            self.changed.mark_unchanged();
            match self.door.poll(&mut self.watch) {
                Polled::Lines(lines) if !lines.is_empty() => return Some(lines),
                Polled::Lines(_) => {}
                Polled::Ended => return None,
            }
            let over = async {
                match self.until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.changed.changed() => changed.ok()?,
                Ok(_) = self.stop.wait_for(|stop| *stop) => return None,
                () = over => return None,
            }
        }
    }
}
