//! What this process answers over HTTP: health and metrics, and questions about admission.
//!
//! Here belongs what this process tells about itself, and [`webhook`]. What must never enter: anything that changes a release.

pub mod health;
pub mod metrics;
pub mod webhook;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

pub use health::Health;
pub use metrics::Metrics;

/// What the pages are made from.
#[derive(Clone)]
struct Pages {
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

/// Serves `/metrics`, `/healthz` and `/readyz` until `stop` is ready.
pub async fn serve(
    listener: tokio::net::TcpListener,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), std::io::Error> {
    let pages = Router::new()
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(Pages { health, metrics });
    axum::serve(listener, pages).with_graceful_shutdown(stop).await
}

async fn metrics_page(State(pages): State<Pages>) -> Response {
    match pages.metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
            .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn healthz(State(pages): State<Pages>) -> Response {
    answer(pages.health.alive())
}

async fn readyz(State(pages): State<Pages>) -> Response {
    answer(pages.health.ready())
}

fn answer(state: Result<(), String>) -> Response {
    match state {
        Ok(()) => "ok\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}
