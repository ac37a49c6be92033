//! What the comparison asks: stable's last day, and both versions in one interval.

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
use crate::release::ask::{Slower, pods as pods_of};
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
    let asks = |slower_than| Asks { sources, seen, template, slower_than };
    Some(match question.compare? {
        Compare::Baseline { until, interval, slower_than } => asks(slower_than).baseline(until, interval).await,
        Compare::Interval { end, length, slow } => {
            let asks = asks(slow.map(|slow| slow.than));
            let slow = async {
                let Slower { than, length } = slow?;
                Some(asks.slow(question, (end, length), than).await)
            };
            // Of the same interval the requests are asked for once: who asks the same waits for the same answer.
            let (errors, slow) = tokio::join!(asks.failed(question, (end, length)), slow);
            Compared::Interval { errors, slow }
        }
        Compare::Slow { end, slower: Slower { than, length } } => {
            Compared::Slow(asks(Some(than)).slow(question, (end, length), than).await)
        }
    })
}

/// What every question needs.
struct Asks<'a> {
    sources: &'a Sources,
    seen: &'a Snapshot,
    template: &'a QueryTemplate,
    slower_than: Option<Span>,
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

    fn variables<'a>(&'a self, carriers: &[Carrier], pods: &'a str, window: Span) -> Variables<'a> {
        Variables { threshold: self.slower_than, ..variables(self.seen, carriers, pods, window) }
    }

    async fn baseline(&self, until: Time, interval: Span) -> Compared {
        let count = (PAST.as_millis() / interval.as_millis().max(1)).clamp(1, STEPS_MAX);
        let back = Span::from_millis(interval.as_millis() * (count - 1));
        let start = Time(until.0.saturating_sub(back.as_signed()).unwrap_or(until.0));
        let when = When::Every { start, end: until, step: interval };
        // Where pods tell the versions apart: whatever pods served yesterday were stable's.
        let variables = self.variables(&[Carrier::Workload], ".+", interval);
        let stable = arm(self.template, self.seen, Carrier::Workload);
        let arm = (!self.template.by_pod()).then_some((self.template.arm_label.as_str(), stable.as_str()));
        let row = async |query: &str| {
            let rows =
                self.sources.ask_range(self.asker(), &self.template.source, &filled(query, &variables), when).await?;
            steps(&rows, arm, start, interval, count as usize)
        };
        let slow = async {
            self.slower_than?;
            match self.slower() {
                Ok(query) => Some(row(query).await),
                Err(why) => Some(Err(why)),
            }
        };
        let (requests, errors, slow) = tokio::join!(row(&self.template.requests), row(&self.template.errors), slow);
        let past = |bad: Result<Vec<Option<f64>>, NotYet>| -> Past {
            let both = requests.clone()?.into_iter().zip(bad?);
            // An interval in which the two do not fit is as good as missing.
            Ok(both.map(|(requests, bad)| Counts::new(requests?, bad?).ok()).collect())
        };
        Compared::Baseline { errors: past(errors), slow: slow.map(past) }
    }

    /// Both versions' failed requests in an interval.
    async fn failed(&self, question: Question, interval: (Time, Span)) -> Arms {
        self.both(question, interval, &self.template.errors, Counts::measured).await
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
        self.both(question, interval, query, counts).await
    }

    /// Both versions' requests in an interval, and those of them that a query calls bad.
    async fn both(
        &self,
        question: Question,
        (end, length): (Time, Span),
        bad: &str,
        counts: impl Fn(&Evidence<f64>, &Evidence<f64>, &str) -> Result<Counts, NotYet>,
    ) -> Arms {
        let carriers = [question.candidate, question.base];
        if self.template.by_pod() {
            let one = async |carrier, who: &str| {
                let Some(pods) = pods(&pods_of(self.seen, carrier)) else { return Ok(Counts::NONE) };
                let [requests, bad] =
                    self.replies(bad, &self.variables(&[Carrier::Workload], &pods, length), end).await;
                counts(&requests.single(Nan::Invalid), &bad.single(Nan::Invalid), who)
            };
            let (candidate, base) = tokio::join!(one(carriers[0], NAMES[0]), one(carriers[1], NAMES[1]));
            return Arms { candidate, base };
        }
        let [requests, bad] = self.replies(bad, &self.variables(&carriers, "", length), end).await;
        let label = &self.template.arm_label;
        let one = |carrier, who: &str| {
            let name = arm(self.template, self.seen, carrier);
            let of = |reply: &Reply| reply.of_arm(label, &name, Nan::Invalid);
            counts(&of(&requests), &of(&bad), who)
        };
        Arms { candidate: one(carriers[0], NAMES[0]), base: one(carriers[1], NAMES[1]) }
    }

    /// The answers for all requests, and for bad ones.
    async fn replies(&self, bad: &str, variables: &Variables<'_>, end: Time) -> [Reply; 2] {
        let ask = async |query: &str| {
            self.sources.ask_at(self.asker(), &self.template.source, &filled(query, variables), end).await
        };
        let (requests, bad) = tokio::join!(ask(&self.template.requests), ask(bad));
        [requests, bad]
    }
}

const NAMES: [&str; 2] = ["the new version", "stable"];
