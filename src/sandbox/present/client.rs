//! A client of the library that the controller uses, for the same process: no port, no bytes on a wire.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use http::Request;
use tokio::sync::watch;

use super::door::Door;
use super::exchange::exchange;
use crate::sandbox::user::User;

/// A client that speaks as `user`. Its default namespace is `default`.
///
/// Call it inside a tokio runtime: the library keeps a task for its requests.
pub fn client(door: Arc<dyn Door>, user: User) -> kube::Client {
    let user = Arc::new(user);
    // Nobody tells it to stop: without a sender it is never told, and its watches end with the world.
    let stop = watch::channel(false).1;
    let service = tower::service_fn(move |request: Request<kube::client::Body>| {
        let (door, user, stop) = (Arc::clone(&door), Arc::clone(&user), stop.clone());
        async move { Ok::<_, Infallible>(exchange(door, &user, request.map(Body::new), stop).await) }
    });
    kube::Client::new(service, "default")
}
