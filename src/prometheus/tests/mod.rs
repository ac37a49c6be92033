//! Questions of a release, answered by the sandbox's small Prometheus from series that stand as text.

mod again;
mod at_once;
mod burn;
mod evidence;
mod sources;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::config::Source;
use super::{NoAnswer, Observer, Sources, Transport, When};
use crate::api::{Span, Time};
use crate::release::ask::{Asked, Slower};
use crate::release::split::Carrier;
use crate::release::world::World;
use crate::release::{Answers, Compare, Question, Snapshot};
use crate::sandbox::metrics::{Lie, Told, Tsdb};

/// When the first scrape was.
fn begin() -> Time {
    Time("2026-01-01T00:00:00Z".parse().unwrap())
}

/// A Prometheus whose clock stands still, and what is wrong with it.
struct Server {
    tsdb: Tsdb,
    now: Time,
    lie: Option<Lie>,
}

impl Transport for Server {
    fn get<'a>(&'a self, _: &'a Source, query: &'a str, when: When) -> BoxFuture<'a, Result<(u16, Vec<u8>), NoAnswer>> {
        let at = match when {
            When::Now | When::Every { .. } => self.now,
            When::At(at) => at,
        };
        Box::pin(async move {
            match self.tsdb.told(self.lie, query, at) {
                Told::Reply(reply) => Ok((reply.code, reply.body)),
                Told::Late(_) => std::future::pending().await,
                Told::Refused => Err(NoAnswer::Unreachable("connection refused".to_owned())),
            }
        })
    }
}

struct Deaf;

impl Observer for Deaf {
    fn query(&self, _: &str, _: Duration, _: Option<&'static str>) {}
}

/// Of a release of Deployment `checkout-api` behind Service `checkout` in namespace `shop`, with these query templates.
fn seen(templates: &str) -> Snapshot {
    let mut seen = World::new().seen;
    seen.release.spec.workload_ref.name = "checkout-api".to_owned();
    seen.release.spec.analysis.metrics = templates.to_owned();
    seen.risk = None;
    seen
}

/// What the canary is asked about, looking back over `recent` from `now` on; slow is what took longer than 0.3 s.
fn question(recent: Span, now: Time) -> Question {
    let slow = [Some(Slower { than: Span::from_millis(300), length: recent }), None, None];
    let compare = Compare::Interval { end: now, length: recent, slow };
    Question {
        candidate: Carrier::Canary,
        base: Carrier::Workload,
        since: begin(),
        recent,
        whole: None,
        after: None,
        complaints: None,
        compare: Some(compare),
        stretch: Some(Asked { end: now, length: recent }),
    }
}

/// What the chart's templates of that name answer after ten minutes.
async fn asked(templates: &str, recent: Span, tsdb: Tsdb, lie: Option<Lie>) -> Answers {
    asked_for(&seen(templates), recent, tsdb, lie).await
}

/// The same of another release.
async fn asked_for(seen: &Snapshot, recent: Span, tsdb: Tsdb, lie: Option<Lie>) -> Answers {
    answered(seen, question(recent, begin().plus(Span::minutes(10))), tsdb, lie).await
}

/// The same to another question.
async fn answered(seen: &Snapshot, question: Question, tsdb: Tsdb, lie: Option<Lie>) -> Answers {
    let now = begin().plus(Span::minutes(10));
    let config = Arc::new(crate::sandbox::config::config(Span::minutes(1)).unwrap());
    let sources = Sources::new(config, Arc::new(Server { tsdb, now, lie }), Arc::new(Deaf), 1);
    sources.answer(seen, question, now).await
}
