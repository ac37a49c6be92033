//! HTTP on a port: what kubectl connects to.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::door::Door;
use super::exchange::exchange;
use crate::sandbox::user::User;

#[derive(Clone)]
struct Shared {
    door: Arc<dyn Door>,
    admin: Arc<User>,
    stop: watch::Receiver<bool>,
}

/// Serves the API until `stop` is done; then watches end, requests are finished, and it returns.
///
/// Nobody is authenticated: listen on loopback only. Who names nobody is `admin`.
pub async fn serve(
    listener: TcpListener,
    door: Arc<dyn Door>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (tell, told) = watch::channel(false);
    let shared = Shared { door, admin: Arc::new(User::person("admin")), stop: told };
    let pages = Router::new().fallback(answer).with_state(shared);
    let stopping = async move {
        stop.await;
        tell.send_replace(true);
    };
    axum::serve(listener, pages).with_graceful_shutdown(stopping).await
}

async fn answer(State(shared): State<Shared>, request: Request<Body>) -> Response<Body> {
    exchange(shared.door, &shared.admin, request, shared.stop).await
}
