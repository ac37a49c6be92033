//! Asks one query, for a moment or for several. Written here and not taken from prometheus-http-query, because that drops
//! the `warnings` of an answer, and partial data would look whole.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::config::Source;
use super::range::{self, Range};
use super::reply::{Reply, parse, refused};
use crate::analysis::NotYet;
use crate::api::{Span, Time};
use crate::outbound::{Body, body, http_client};

/// The largest answer that is read.
const BODY_MAX: usize = 1024 * 1024;
/// How many queries are under way at once.
const AT_ONCE: usize = 8;

/// How long is waited before a query is tried again that was not answered, all within the source's time-out.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

/// Whether it may be over in a moment: no connection, or a server's own error. Who says that it is asked too much (429) is not asked
/// again at once, and what cannot be read will not be later.
fn is_passing(answer: &Result<(u16, Vec<u8>), NotYet>) -> bool {
    match answer {
        Ok((code, _)) => *code >= 500,
        Err(why) => matches!(why, NotYet::Unreachable(_)),
    }
}

/// Between one and two times as long, by the query, so that those that failed together do not come back together.
fn spread(pause: Duration, query: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    query.hash(&mut hasher);
    pause + pause.mul_f64((hasher.finish() % 1_000) as f64 / 1_000.0)
}

/// Is told of every query.
pub trait Observer: Send + Sync {
    /// A query was answered or not: how long it took, and `None` or one word for what went wrong.
    fn query(&self, source: &str, took: Duration, error: Option<&'static str>);
}

/// Carries a query to a source and its answer back, with the HTTP status; the error says in words why there is none.
pub trait Transport: Send + Sync {
    /// Asks `source` the query, for a moment or for several.
    fn get<'a>(
        &'a self,
        source: &'a Source,
        query: &'a str,
        when: When,
    ) -> BoxFuture<'a, Result<(u16, Vec<u8>), NoAnswer>>;
}

/// For when a query is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// For the moment at which it arrives.
    Now,
    /// For a moment.
    At(Time),
    /// For every step from the first moment to the last.
    Every {
        /// The first moment.
        start: Time,
        /// The last moment at most.
        end: Time,
        /// From one moment to the next, in whole seconds.
        step: Span,
    },
}

/// Why there is no answer to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The source could not be reached.
    Unreachable(String),
    /// The answer is none that can be read.
    Invalid(String),
}

/// A client for Prometheus servers.
#[derive(Clone)]
pub struct Prometheus {
    transport: Arc<dyn Transport>,
    slots: Arc<Semaphore>,
    observer: Arc<dyn Observer>,
}

impl Prometheus {
    /// A client that tells `observer` of every query.
    pub fn new(transport: Arc<dyn Transport>, observer: Arc<dyn Observer>) -> Self {
        Self { transport, slots: Arc::new(Semaphore::new(AT_ONCE)), observer }
    }

    pub(super) async fn query(&self, name: &str, source: &Source, query: &str) -> Reply {
        self.query_at(name, source, query, When::Now).await
    }

    /// The query's answer for every step of a range.
    pub(super) async fn range(&self, name: &str, source: &Source, query: &str, when: When) -> Range {
        let started = Instant::now();
        let range = self.body(source, query, when).await.and_then(|(code, body)| range::parse(code, &body));
        let failed = range.as_ref().err().map(|why| {
            let away = matches!(why, NotYet::Unreachable(_));
            (if away { "unreachable" } else { "invalid" }, why.to_string())
        });
        self.tell(name, query, started, failed);
        range
    }

    /// The query's answer for a moment.
    pub(super) async fn query_at(&self, name: &str, source: &Source, query: &str, when: When) -> Reply {
        let started = Instant::now();
        let reply = match self.body(source, query, when).await {
            Ok((code, body)) => parse(code, &body),
            Err(why) => refused(why),
        };
        let failed = match &reply {
            Reply::Series { .. } => None,
            Reply::Invalid(why) => Some(("invalid", why.clone())),
            Reply::Unreachable(why) => Some(("unreachable", why.clone())),
        };
        self.tell(name, query, started, failed);
        match reply {
            Reply::Unreachable(why) => Reply::Unreachable(format!("metrics source {name:?}: {why}")),
            other @ (Reply::Series { .. } | Reply::Invalid(_)) => other,
        }
    }

    /// What comes back in time, unread, with the HTTP status.
    async fn body(&self, source: &Source, query: &str, when: When) -> Result<(u16, Vec<u8>), NotYet> {
        // What came of the last try, for where the time is over before the next one has an answer.
        let mut last = None;
        let asked = async {
            for pause in PAUSES {
                let answer = self.try_once(source, query, when).await;
                if !is_passing(&answer) {
                    return answer;
                }
                last = Some(answer);
                tokio::time::sleep(spread(pause, query)).await;
            }
            self.try_once(source, query, when).await
        };
        let came = tokio::time::timeout(source.timeout.as_std(), asked).await;
        match came {
            Ok(answer) => answer,
            Err(_) => last.unwrap_or_else(|| Err(NotYet::Unreachable(format!("no answer within {}", source.timeout)))),
        }
    }

    async fn try_once(&self, source: &Source, query: &str, when: When) -> Result<(u16, Vec<u8>), NotYet> {
        let Ok(_slot) = self.slots.acquire().await else {
            return Err(NotYet::Unreachable("shutting down".to_owned()));
        };
        self.transport.get(source, query, when).await.map_err(|error| match error {
            NoAnswer::Unreachable(why) => NotYet::Unreachable(why),
            NoAnswer::Invalid(why) => NotYet::Invalid(why),
        })
    }

    fn tell(&self, name: &str, query: &str, started: Instant, failed: Option<(&'static str, String)>) {
        self.observer.query(name, started.elapsed(), failed.as_ref().map(|(word, _)| *word));
        if let Some((_, why)) = failed {
            tracing::debug!(source = name, query, %why, "a query failed");
        }
    }
}

/// HTTP, as Prometheus speaks it.
pub struct Http(reqwest::Client);

impl Http {
    /// A client that follows no redirects.
    pub fn new() -> Result<Self, String> {
        let http = http_client()?
            .build()
            .map_err(|error| format!("the client for Prometheus could not be made: {}", chain(&error)))?;
        Ok(Self(http))
    }

    async fn fetch(&self, source: &Source, query: &str, when: When) -> Result<(u16, Vec<u8>), NoAnswer> {
        let seconds = |time: Time| format!("{:.3}", time.0.as_millisecond() as f64 / 1_000.0);
        let (path, when) = match when {
            When::Now => ("query", Vec::new()),
            When::At(at) => ("query", vec![("time", seconds(at))]),
            When::Every { start, end, step } => {
                let step = step.as_secs_f64().to_string();
                ("query_range", vec![("start", seconds(start)), ("end", seconds(end)), ("step", step)])
            }
        };
        let url = format!("{}/api/v1/{path}", source.url.trim_end_matches('/'));
        let mut request = self.0.get(url).query(&[("query", query)]).query(&when);
        if let Some(file) = &source.bearer_token_file {
            match std::fs::read_to_string(file) {
                Ok(token) => request = request.bearer_auth(token.trim()),
                Err(why) => return Err(NoAnswer::Unreachable(format!("the bearer token file {file}: {why}"))),
            }
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(NoAnswer::Unreachable(chain(&error.without_url()))),
        };
        match body(&mut response, BODY_MAX).await {
            Ok(Body::Whole(body)) => Ok((response.status().as_u16(), body)),
            Ok(Body::Begins(_)) => {
                Err(NoAnswer::Invalid("the answer is larger than 1 MiB; make the query answer fewer series".to_owned()))
            }
            Err(error) => Err(NoAnswer::Unreachable(chain(&error.without_url()))),
        }
    }
}

impl Transport for Http {
    fn get<'a>(
        &'a self,
        source: &'a Source,
        query: &'a str,
        when: When,
    ) -> BoxFuture<'a, Result<(u16, Vec<u8>), NoAnswer>> {
        Box::pin(self.fetch(source, query, when))
    }
}

/// An error with its causes, which say more than itself.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
