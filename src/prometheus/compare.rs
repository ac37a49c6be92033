//! What the comparison asks: stable's last day, and both versions in one interval.

use futures::future::join_all;

use super::Sources;
use super::answer::{arm, variables};
use super::client::When;
use super::config::QueryTemplate;
use super::range::steps;
use super::reply::{Nan, Reply};
use super::slots::Asker;
use super::template::{Variables, filled, pods, uses};
use crate::analysis::compare::Counts;
use crate::analysis::{Evidence, NotYet};
use crate::api::{Span, Time};
use crate::release::ask::{EachBound, Slower, pods as pods_of};
use crate::release::split::Carrier;
use crate::release::{Arms, Compare, Compared, Past, Question, Snapshot};

/// How far back stable's own past is looked at.
const PAST: Span = Span::hours(24);

/// A Prometheus answers 11,000 steps at most.
const STEPS_MAX: u64 = 10_000;

/// Answers what the comparison wants to know.
pub(super) async fn compared(sources: &Sources, seen: &Snapshot, question: Question) -> Option<Compared> {
    let spec = &seen.release.spec;
    let template = sources.config().query_templates.get(&spec.analysis.metrics)?;
    let asks = Asks { sources, seen, template };
    Some(match question.compare? {
        Compare::Baseline { until, interval, bounds } => asks.baseline(until, interval, bounds).await,
        Compare::Interval { end, length, slow } => {
            // Of the same interval the requests are asked for once: who asks the same waits for the same answer.
            let (errors, slow) =
                tokio::join!(asks.failed(question, (end, length)), asks.each_slow(question, end, slow));
            Compared::Interval { errors, slow }
        }
        Compare::Slow { end, slow } => Compared::Slow(asks.each_slow(question, end, slow).await),
    })
}

/// What every question needs.
struct Asks<'a> {
    sources: &'a Sources,
    seen: &'a Snapshot,
    template: &'a QueryTemplate,
}

impl Asks<'_> {
    /// The query of slow requests; the error where there is none.
    fn slower(&self) -> Result<&str, NotYet> {
        let none = || {
            let name = &self.seen.release.spec.analysis.metrics;
            NotYet::Invalid(format!("the query templates {name:?} have no `slower`, which comparing latency needs"))
        };
        self.template.slower.as_deref().ok_or_else(none)
    }

    fn asker(&self) -> Asker<'_> {
        Asker::Namespace(&self.seen.release.namespace)
    }

    async fn baseline(&self, until: Time, interval: Span, bounds: EachBound<Span>) -> Compared {
        let count = (PAST.as_millis() / interval.as_millis().max(1)).clamp(1, STEPS_MAX);
        let back = Span::from_millis(interval.as_millis() * (count - 1));
        let start = Time(until.0.saturating_sub(back.as_signed()).unwrap_or(until.0));
        let when = When::Every { start, end: until, step: interval };
        // Where pods tell the versions apart: whatever pods served yesterday were stable's.
        let variables =
            |threshold| Variables { threshold, ..variables(self.seen, &[Carrier::Workload], ".+", interval) };
        let stable = arm(self.template, self.seen, Carrier::Workload);
        let arm = (!self.template.by_pod()).then_some((self.template.arm_label.as_str(), stable.as_str()));
        let row = async |query: &str, threshold: Option<Span>| {
            let query = filled(query, &variables(threshold));
            let rows = self.sources.ask_range(self.asker(), &self.template.source, &query, when).await?;
            steps(&rows, arm, start, interval, count as usize)
        };
        let slower = async |bound: Span| row(self.slower()?, Some(bound)).await;
        let slow = join_all(bounds.into_iter().flatten().map(slower));
        let all = row(&self.template.requests, None);
        let (requests, errors, slow) = tokio::join!(all, row(&self.template.errors, None), slow);
        let past = |bad: Result<Vec<Option<f64>>, NotYet>| -> Past {
            let both = requests.clone()?.into_iter().zip(bad?);
            // An interval in which the two do not fit is as good as missing.
            Ok(both.map(|(requests, bad)| Counts::new(requests?, bad?).ok()).collect())
        };
        Compared::Baseline { errors: past(errors), slow: slow.into_iter().map(past).collect() }
    }

    /// Both versions' failed requests in an interval.
    async fn failed(&self, question: Question, interval: (Time, Span)) -> Arms {
        self.both(question, interval, (&self.template.errors, None), Counts::measured).await
    }

    /// The same of slow requests by each bound, in an interval of its own that ends with the others.
    async fn each_slow(&self, question: Question, end: Time, slow: EachBound<Slower>) -> Vec<Arms> {
        let one = async |Slower { than, length }: Slower| self.slow(question, (end, length), than).await;
        join_all(slow.into_iter().flatten().map(one)).await
    }

    /// Both versions' slow requests in an interval.
    async fn slow(&self, question: Question, interval: (Time, Span), than: Span) -> Arms {
        let query = match self.slower() {
            Ok(query) => query,
            Err(why) => return Arms { candidate: Err(why.clone()), base: Err(why) },
        };
        let bound = if uses(query, "leMillis") { than.as_millis().to_string() } else { than.as_secs_f64().to_string() };
        let bucket = format!("le=\"{bound}\"");
        let counts = |requests: &Evidence<f64>, slow: &Evidence<f64>, who: &str| {
            Counts::slower(requests, slow, who, (than, &bucket))
        };
        self.both(question, interval, (query, Some(than)), counts).await
    }

    /// Both versions' requests in an interval, and those of them that a query calls bad.
    async fn both(
        &self,
        question: Question,
        (end, length): (Time, Span),
        (bad, threshold): (&str, Option<Span>),
        counts: impl Fn(&Evidence<f64>, &Evidence<f64>, &str) -> Result<Counts, NotYet>,
    ) -> Arms {
        let carriers = [question.candidate, question.base];
        let queries = |carriers: &[Carrier], pods: &str| {
            let variables = Variables { threshold, ..variables(self.seen, carriers, pods, length) };
            [self.template.requests.as_str(), bad].map(|query| filled(query, &variables))
        };
        if self.template.by_pod() {
            let one = async |carrier, who: &str| {
                let Some(pods) = pods(&pods_of(self.seen, carrier)) else { return Ok(Counts::NONE) };
                let [requests, bad] = self.replies(queries(&[Carrier::Workload], &pods), end).await;
                counts(&requests.single(Nan::Invalid), &bad.single(Nan::Invalid), who)
            };
            let (candidate, base) = tokio::join!(one(carriers[0], NAMES[0]), one(carriers[1], NAMES[1]));
            return Arms { candidate, base };
        }
        let [requests, bad] = self.replies(queries(&carriers, ""), end).await;
        let label = &self.template.arm_label;
        let one = |carrier, who: &str| {
            let name = arm(self.template, self.seen, carrier);
            let of = |reply: &Reply| reply.of_arm(label, &name, Nan::Invalid);
            counts(&of(&requests), &of(&bad), who)
        };
        Arms { candidate: one(carriers[0], NAMES[0]), base: one(carriers[1], NAMES[1]) }
    }

    /// The answers for all requests, and for bad ones.
    async fn replies(&self, [requests, bad]: [String; 2], end: Time) -> [Reply; 2] {
        let ask = async |query: &str| self.sources.ask_at(self.asker(), &self.template.source, query, end).await;
        let (requests, bad) = tokio::join!(ask(&requests), ask(&bad));
        [requests, bad]
    }
}

const NAMES: [&str; 2] = ["the new version", "stable"];
