//! Asks one source, for a moment or for several. Written here and not taken from prometheus-http-query, because that drops
//! the `warnings` of an answer, and partial data would look whole.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::again::{Dice, again};
use super::config::Source;
use super::flights::{Asked, Flights};
use super::range::{self, Range};
use super::reply::{Reply, Undated, parse, refused};
use super::slots::{Asker, Slots};
use crate::analysis::NotYet;
use crate::api::{Span, Time};

/// Is told of every query that is sent, however many wait for its answer.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// What came back, unread, with the HTTP status.
pub(super) type Answer = Result<(u16, Vec<u8>), NotYet>;

/// How queries leave, for all sources alike.
#[derive(Clone)]
pub(super) struct Ways {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) dice: Arc<Dice>,
}

/// One source, ready to be asked.
pub(super) struct Prometheus {
    ways: Ways,
    name: String,
    source: Source,
    /// Those of its address.
    slots: Arc<Slots>,
    replies: Flights<Undated>,
    ranges: Flights<Range>,
}

impl Prometheus {
    pub(super) fn new(ways: Ways, name: &str, source: Source, slots: Arc<Slots>) -> Self {
        let (replies, ranges) = (Flights::default(), Flights::default());
        Self { ways, name: name.to_owned(), source, slots, replies, ranges }
    }

    /// The query's answer for every step of a range.
    pub(super) async fn range(self: &Arc<Self>, asker: Asker<'_>, query: &str, when: When) -> Range {
        let this = self.clone();
        let send = |asked: Asked| async move { this.sent_for_range(&asked).await }.boxed();
        self.ranges.join(Asked::new(asker, query, when), send).await
    }

    /// The query's answer for a moment.
    pub(super) async fn query(self: &Arc<Self>, asker: Asker<'_>, query: &str, when: When) -> Undated {
        let this = self.clone();
        let send = |asked: Asked| async move { this.sent(&asked).await }.boxed();
        self.replies.join(Asked::new(asker, query, when), send).await
    }

    async fn sent_for_range(&self, asked: &Asked) -> Range {
        let started = Instant::now();
        let range = self.body(asked).await.and_then(|(code, body)| range::parse(code, &body));
        let failed = range.as_ref().err().map(|why| {
            let away = matches!(why, NotYet::Unreachable(_));
            (if away { "unreachable" } else { "invalid" }, why.to_string())
        });
        self.tell(&asked.query, started, failed);
        range
    }

    async fn sent(&self, asked: &Asked) -> Undated {
        let started = Instant::now();
        let reply = match self.body(asked).await {
            Ok((code, body)) => parse(code, &body),
            Err(why) => refused(why),
        };
        let failed = match &reply {
            Reply::Series { .. } => None,
            Reply::Invalid(why) | Reply::Stale(why) => Some(("invalid", why.clone())),
            Reply::Unreachable(why) => Some(("unreachable", why.clone())),
        };
        self.tell(&asked.query, started, failed);
        Undated::new(match reply {
            Reply::Unreachable(why) => Reply::Unreachable(format!("metrics source {:?}: {why}", self.name)),
            other @ (Reply::Series { .. } | Reply::Invalid(_) | Reply::Stale(_)) => other,
        })
    }

    /// What comes back in time, the wait for a slot and every try included.
    async fn body(&self, asked: &Asked) -> Answer {
        let (began, sent) = (Instant::now(), OnceLock::new());
        let within = self.source.timeout;
        let answer = again(within.as_std(), self.ways.dice.roll(), || self.try_once(asked, &sent)).await;
        answer.unwrap_or_else(|| {
            let in_line = sent.get().map_or(within.as_std(), |sent: &Instant| sent.duration_since(began));
            // Without a figure: this stands in a condition, which is written when it changes.
            let why =
                if in_line > within.as_std() / 2 { ", most of it in line behind queries that are slow" } else { "" };
            Err(NotYet::Unreachable(format!("no answer within {within}{why}")))
        })
    }

    async fn try_once(&self, asked: &Asked, sent: &OnceLock<Instant>) -> Answer {
        let Some(_slot) = self.slots.take(asked.namespace.as_deref()).await else {
            return Err(NotYet::Unreachable("shutting down".to_owned()));
        };
        sent.get_or_init(Instant::now);
        self.ways.transport.get(&self.source, &asked.query, asked.when).await.map_err(|error| match error {
            NoAnswer::Unreachable(why) => NotYet::Unreachable(why),
            NoAnswer::Invalid(why) => NotYet::Invalid(why),
        })
    }

    fn tell(&self, query: &str, started: Instant, failed: Option<(&'static str, String)>) {
        self.ways.observer.query(&self.name, started.elapsed(), failed.as_ref().map(|(word, _)| *word));
        if let Some((_, why)) = failed {
            tracing::debug!(source = self.name, query, %why, "a query failed");
        }
    }
}
