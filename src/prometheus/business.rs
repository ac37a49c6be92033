//! How often what the service is there for happened with each version.

use super::Sources;
use super::answer::{arm, variables};
use super::config::QueryTemplate;
use super::present::Present;
use super::reply::{Nan, Reply};
use super::slots::Asker;
use super::template::{Variables, filled, pods};
use crate::analysis::business::Happened;
use crate::analysis::{Business, Evidence};
use crate::api::{Span, Time};
use crate::release::ask::pods as pods_of;
use crate::release::split::Carrier;
use crate::release::{Both, Question, Snapshot};

/// One question answers both versions, told apart by the label of the templates.
pub(super) async fn by_label(
    present: Present<'_>,
    seen: &Snapshot,
    template: &QueryTemplate,
    arms: &[String; 2],
    variables: &Variables<'_>,
) -> Option<Business> {
    let query = filled(&seen.release.spec.rollback.business.as_ref()?.query, variables);
    let reply = present.ask(&template.source, &query).await;
    let of = |arm: &str| reply.of_arm(&template.arm_label, arm, Nan::Invalid);
    Some(Business { candidate: of(&arms[0]), base: of(&arms[1]) })
}

/// One question a version, told apart by its pods.
pub(super) async fn by_pod(
    present: Present<'_>,
    seen: &Snapshot,
    template: &QueryTemplate,
    question: Question,
    window: Span,
) -> Option<Business> {
    let query = &seen.release.spec.rollback.business.as_ref()?.query;
    let of = async |carrier| {
        let Some(pods) = pods(&pods_of(seen, carrier)) else {
            return Evidence::NoData("no pod of this version takes requests".to_owned());
        };
        let query = filled(query, &variables(seen, &[Carrier::Workload], &pods, window));
        present.ask(&template.source, &query).await.single(Nan::Invalid)
    };
    let (candidate, base) = tokio::join!(of(question.candidate), of(question.base));
    Some(Business { candidate, base })
}

/// Both versions in the interval that is asked for, up to the moment when it ended.
pub(super) async fn happened(sources: &Sources, seen: &Snapshot, question: Question) -> Option<Both> {
    let spec = &seen.release.spec;
    let (asked, metric) = (question.stretch?, spec.rollback.business.as_ref()?);
    let template = sources.config().query_templates.get(&spec.analysis.metrics)?;
    let asker = Asker::Namespace(&seen.release.namespace);
    let ask = Ask { sources, asker, template, metric: &metric.query, end: asked.end };
    if template.by_pod() {
        let one = async |carrier, who: &str| {
            let Some(pods) = pods(&pods_of(seen, carrier)) else { return Ok(Happened::default()) };
            let (requests, events) = ask.of(&variables(seen, &[Carrier::Workload], &pods, asked.length)).await;
            Happened::measured(&requests.single(Nan::Invalid), &events.single(Nan::Invalid), who)
        };
        let (candidate, base) = tokio::join!(one(question.candidate, NEW), one(question.base, STABLE));
        return Some(Both { candidate, base });
    }
    let carriers = [question.candidate, question.base];
    let (requests, events) = ask.of(&variables(seen, &carriers, "", asked.length)).await;
    let one = |carrier, who: &str| {
        let (label, arm) = (&template.arm_label, arm(template, seen, carrier));
        let of = |reply: &Reply| reply.of_arm(label, &arm, Nan::Invalid);
        Happened::measured(&of(&requests), &of(&events), who)
    };
    Some(Both { candidate: one(question.candidate, NEW), base: one(question.base, STABLE) })
}

/// What is asked of an interval, whichever version.
struct Ask<'a> {
    sources: &'a Sources,
    asker: Asker<'a>,
    template: &'a QueryTemplate,
    metric: &'a str,
    end: Time,
}

impl Ask<'_> {
    /// Requests, and how often it happened.
    async fn of(&self, variables: &Variables<'_>) -> (Reply, Reply) {
        let ask = async |query: &str| {
            self.sources.ask_at(self.asker, &self.template.source, &filled(query, variables), self.end).await
        };
        tokio::join!(ask(&self.template.requests), ask(self.metric))
    }
}

const NEW: &str = "the new version";
const STABLE: &str = "stable";
