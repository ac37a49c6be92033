//! What the comparison asks: stable's last day, and both versions in one interval.

use super::Sources;
use super::answer::{arm, variables};
use super::client::When;
use super::config::QueryTemplate;
use super::range::steps;
use super::reply::{Nan, Reply};
use super::slots::Asker;
use super::template::{Variables, filled, pods};
use crate::analysis::compare::Counts;
use crate::analysis::{Evidence, NotYet};
use crate::api::{Span, Time};
use crate::release::ask::pods as pods_of;
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
        Compare::Interval { end, length, slower_than } => asks(slower_than).interval(question, end, length).await,
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
    /// The query of slow requests, where they are asked for; the error where there is none.
    fn slower(&self) -> Option<Result<&str, NotYet>> {
        self.slower_than?;
        let none = || {
            let name = &self.seen.release.spec.analysis.metrics;
            NotYet::Invalid(format!("the query templates {name:?} have no `slower`, which comparing latency needs"))
        };
        Some(self.template.slower.as_deref().ok_or_else(none))
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
            match self.slower()? {
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

    async fn interval(&self, question: Question, end: Time, length: Span) -> Compared {
        let carriers = [question.candidate, question.base];
        let [candidate, base] = if self.template.by_pod() {
            let one = async |carrier, who: &str| {
                let Some(pods) = pods(&pods_of(self.seen, carrier)) else {
                    return (Ok(Counts::NONE), self.slower_than.map(|_| Ok(Counts::NONE)));
                };
                let replies = self.replies(&self.variables(&[Carrier::Workload], &pods, length), end).await;
                replies.counts(|reply| reply.single(Nan::Invalid), who)
            };
            let (candidate, base) = tokio::join!(one(carriers[0], NAMES[0]), one(carriers[1], NAMES[1]));
            [candidate, base]
        } else {
            let arms = carriers.map(|carrier| arm(self.template, self.seen, carrier));
            let replies = self.replies(&self.variables(&carriers, "", length), end).await;
            let label = &self.template.arm_label;
            [0, 1].map(|arm| replies.counts(|reply| reply.of_arm(label, &arms[arm], Nan::Invalid), NAMES[arm]))
        };
        let slow = candidate.1.zip(base.1).map(|(candidate, base)| Arms { candidate, base });
        Compared::Interval { errors: Arms { candidate: candidate.0, base: base.0 }, slow }
    }

    async fn replies(&self, variables: &Variables<'_>, end: Time) -> Replies {
        let ask = async |query: &str| {
            self.sources.ask_at(self.asker(), &self.template.source, &filled(query, variables), end).await
        };
        let slow = async {
            match self.slower()? {
                Ok(query) => Some(Ok(ask(query).await)),
                Err(why) => Some(Err(why)),
            }
        };
        let (requests, errors, slow) = tokio::join!(ask(&self.template.requests), ask(&self.template.errors), slow);
        Replies { requests, errors, slow }
    }
}

const NAMES: [&str; 2] = ["the new version", "stable"];

/// The answers of one interval.
struct Replies {
    requests: Reply,
    errors: Reply,
    slow: Option<Result<Reply, NotYet>>,
}

impl Replies {
    /// One version's counts by failed requests, and by slow ones where they were asked for.
    fn counts(
        &self,
        of: impl Fn(&Reply) -> Evidence<f64>,
        who: &str,
    ) -> (Result<Counts, NotYet>, Option<Result<Counts, NotYet>>) {
        let requests = of(&self.requests);
        let slow = self.slow.as_ref().map(|slow| match slow {
            Ok(reply) => Counts::measured(&requests, &of(reply), who),
            Err(why) => Err(why.clone()),
        });
        (Counts::measured(&requests, &of(&self.errors), who), slow)
    }
}
