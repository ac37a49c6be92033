//! The door: which requests are taken, how large, how many at once, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::sync::Semaphore;

use super::review::{self, Outcome};
use crate::admission::Policies;
use crate::server::Metrics;

/// The path that the webhook configuration names.
pub const PATH: &str = "/mutate";
/// The largest question in bytes: it holds the object twice, and etcd takes 1.5 MiB of each at most.
const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Questions in memory at once.
const QUESTIONS_MAX: usize = 16;
/// How long a question may take to arrive and be answered; the API server waits as long.
const QUESTION_TIME_MAX: Duration = Duration::from_secs(5);

/// What answers are made from.
pub struct Door {
    policies: Policies,
    metrics: Arc<Metrics>,
    questions: Semaphore,
    ending: AtomicBool,
}

impl Door {
    /// A door to these policies.
    pub fn new(policies: Policies, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { policies, metrics, questions: Semaphore::new(QUESTIONS_MAX), ending: AtomicBool::new(false) })
    }

    /// From now on each answer asks the API server to use another connection next time, and so another replica.
    pub fn ending(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// What is served.
    pub fn routes(self: Arc<Self>) -> Router {
        Router::new().route(PATH, post(mutate)).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(self)
    }
}

async fn mutate(State(door): State<Arc<Door>>, request: Request) -> Response {
    let began = Instant::now();
    let answered = tokio::time::timeout(QUESTION_TIME_MAX, judge(&door, request)).await;
    let (word, mut response) = answered.unwrap_or_else(|_| {
        let why = format!(
            "not answered within {QUESTION_TIME_MAX:?}: the question came too slowly, or too many came at once"
        );
        ("timed_out", (StatusCode::SERVICE_UNAVAILABLE, why).into_response())
    });
    door.metrics.reviewed(word, began.elapsed());
    if door.ending.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// One word for metrics, and the response.
async fn judge(door: &Door, request: Request) -> (&'static str, Response) {
    let malformed = |code: StatusCode, why: String| {
        tracing::warn!(why, "a question that the webhook cannot answer");
        ("malformed", (code, why).into_response())
    };
    if !is_json(request.headers()) {
        return malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type: application/json is wanted".to_owned());
    }
    let Ok(_permit) = door.questions.acquire().await else {
        return malformed(StatusCode::SERVICE_UNAVAILABLE, "the webhook ends".to_owned());
    };
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(why) => {
            return malformed(
                why.status(),
                format!("body: {}; at most {BODY_BYTES_MAX} bytes are read", why.body_text()),
            );
        }
    };
    match review::answer(&door.policies, &body) {
        Ok(answer) => {
            if answer.outcome == Outcome::Denied {
                tracing::warn!(answer = %answer.review, "a write was refused");
            }
            let json = [(header::CONTENT_TYPE, "application/json")];
            (answer.outcome.word(), (json, answer.review.to_string()).into_response())
        }
        Err(why) => malformed(StatusCode::BAD_REQUEST, why),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
