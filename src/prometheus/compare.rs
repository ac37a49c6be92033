//! What the comparison asks: stable's last day, and both versions in one interval.

use super::Sources;
use super::answer::variables;
use super::client::When;
use super::config::QueryTemplate;
use super::range::steps;
use super::reply::{Nan, Reply};
use super::template::{Variables, filled, pods};
use crate::analysis::NotYet;
use crate::analysis::compare::Counts;
use crate::api::{Span, Time};
use crate::release::ask::pods as pods_of;
use crate::release::split::Carrier;
use crate::release::{Compare, Compared, Question, Snapshot};

/// How far back stable's own past is looked at.
const PAST: Span = Span::hours(24);

/// A Prometheus answers 11,000 steps at most.
const STEPS_MAX: u64 = 10_000;

/// Answers what the comparison wants to know.
pub(super) async fn compared(sources: &Sources, seen: &Snapshot, question: Question) -> Option<Compared> {
    let spec = &seen.release.spec;
    let template = sources.config().query_templates.get(&spec.analysis.metrics)?;
    Some(match question.compare? {
        Compare::Baseline { until, interval } => {
            Compared::Baseline(baseline(sources, seen, template, until, interval).await)
        }
        Compare::Interval { end, length } => {
            let (candidate, base) = interval(sources, seen, template, question, end, length).await;
            Compared::Interval { candidate, base }
        }
    })
}

async fn baseline(
    sources: &Sources,
    seen: &Snapshot,
    template: &QueryTemplate,
    until: Time,
    interval: Span,
) -> Result<Vec<Option<Counts>>, NotYet> {
    let count = (PAST.as_millis() / interval.as_millis().max(1)).clamp(1, STEPS_MAX);
    let back = Span::from_millis(interval.as_millis() * (count - 1));
    let start = Time(until.0.saturating_sub(back.as_signed()).unwrap_or(until.0));
    let when = When::Every { start, end: until, step: interval };
    // Where pods tell the versions apart: whatever pods served yesterday were stable's.
    let services = [seen.service_of(Carrier::Workload)];
    let variables = variables(seen, &services, ".+", interval);
    let arm = (!template.by_pod()).then_some((template.arm_label.as_str(), services[0].as_str()));
    let ask = |query: &str| {
        let query = filled(query, &variables);
        async move { sources.ask_range(&template.source, &query, when).await }
    };
    let (requests, errors) = tokio::join!(ask(&template.requests), ask(&template.errors));
    let count = count as usize;
    let requests = steps(&requests?, arm, start, interval, count)?;
    let errors = steps(&errors?, arm, start, interval, count)?;
    let both = requests.into_iter().zip(errors);
    // An interval in which the two do not fit is as good as missing.
    Ok(both.map(|(requests, errors)| Counts::new(requests?, errors?).ok()).collect())
}

async fn interval(
    sources: &Sources,
    seen: &Snapshot,
    template: &QueryTemplate,
    question: Question,
    end: Time,
    length: Span,
) -> (Result<Counts, NotYet>, Result<Counts, NotYet>) {
    let names = ["the new version", "stable"];
    let carriers = [question.candidate, question.base];
    if template.by_pod() {
        let one = |carrier, who| async move {
            let Some(pods) = pods(&pods_of(seen, carrier)) else { return Ok(Counts::NONE) };
            let services = std::slice::from_ref(&seen.release.spec.traffic.service);
            let (requests, errors) = ask(sources, template, &variables(seen, services, &pods, length), end).await;
            Counts::measured(&requests.single(Nan::Invalid), &errors.single(Nan::Invalid), who)
        };
        return tokio::join!(one(carriers[0], names[0]), one(carriers[1], names[1]));
    }
    let services = carriers.map(|carrier| seen.service_of(carrier));
    let (requests, errors) = ask(sources, template, &variables(seen, &services, "", length), end).await;
    let of = |index: usize| {
        let arm = |reply: &Reply| reply.of_arm(&template.arm_label, &services[index], Nan::Invalid);
        Counts::measured(&arm(&requests), &arm(&errors), names[index])
    };
    (of(0), of(1))
}

async fn ask(sources: &Sources, template: &QueryTemplate, variables: &Variables<'_>, end: Time) -> (Reply, Reply) {
    let ask = |query: &str| {
        let query = filled(query, variables);
        async move { sources.ask_at(&template.source, &query, end).await }
    };
    tokio::join!(ask(&template.requests), ask(&template.errors))
}
