//! The question of a release, asked.

use super::Sources;
use super::config::QueryTemplate;
use super::reply::{Nan, Reply};
use super::template::{Variables, filled, pods};
use crate::analysis::{ArmSample, Evidence, Observation};
use crate::api::Span;
use crate::release::ask::{Burning, pods as pods_of};
use crate::release::split::Carrier;
use crate::release::{Answers, Question, Snapshot};

/// Asks all that the question needs, at once.
pub async fn answer(sources: &Sources, seen: &Snapshot, question: Question) -> Answers {
    let (recent, whole, complaints, compared, slow, burning) = tokio::join!(
        observation(sources, seen, question, question.recent),
        async {
            match question.whole {
                Some(window) => Some(observation(sources, seen, question, window).await),
                None => None,
            }
        },
        complaints(sources, seen, question),
        super::compare::compared(sources, seen, question),
        super::slow::slow(sources, seen, question),
        burning(sources, seen),
    );
    Answers {
        question,
        recent: Observation { complaints: complaints.clone(), ..recent },
        whole: whole.map(|whole| Observation { complaints, ..whole }),
        compared,
        slow,
        burning,
    }
}

/// How fast the service's error budget goes, all versions together.
async fn burning(sources: &Sources, seen: &Snapshot) -> Option<Burning> {
    let objectives = &seen.risk.as_ref()?.objectives;
    super::burn::burning(sources, &seen.release.namespace, objectives).await
}

async fn observation(sources: &Sources, seen: &Snapshot, question: Question, window: Span) -> Observation {
    let (candidate, base) = (seen.service_of(question.candidate), seen.service_of(question.base));
    let spec = &seen.release.spec;
    let Some(template) = sources.config().query_templates.get(&spec.analysis.metrics) else {
        let why = format!("the controller's configuration has no query templates {:?}", spec.analysis.metrics);
        let nothing = || Evidence::Invalid(why.clone());
        let sample = || ArmSample { requests: nothing(), errors: nothing(), latency: nothing() };
        return Observation { candidate: sample(), base: sample(), complaints: None, business: None, window };
    };
    if template.by_pod() {
        let (candidate, base, business) = tokio::join!(
            by_pod(sources, seen, template, question.candidate, window),
            by_pod(sources, seen, template, question.base, window),
            super::business::by_pod(sources, seen, template, question, window),
        );
        return Observation { candidate, base, complaints: None, business, window };
    }
    let services = [candidate.clone(), base.clone()];
    let variables = variables(seen, &services, "", window);
    let (replies, business) = tokio::join!(
        replies(sources, template, &variables),
        super::business::by_label(sources, seen, template, &services, &variables),
    );
    let of = |arm: &str| sample(template, arm, &replies);
    Observation { candidate: of(&candidate), base: of(&base), complaints: None, business, window }
}

/// What the queries of a release are filled with.
pub(super) fn variables<'a>(seen: &'a Snapshot, services: &'a [String], pods: &'a str, window: Span) -> Variables<'a> {
    let spec = &seen.release.spec;
    Variables {
        namespace: &seen.release.namespace,
        budget: &spec.risk_budget_ref.name,
        service: &spec.traffic.service,
        services,
        pods,
        window,
        quantile: Some(spec.rollback.latency_quantile),
        threshold: None,
    }
}

/// Requests, errors and latency, asked for at once.
async fn replies(sources: &Sources, template: &QueryTemplate, variables: &Variables<'_>) -> (Reply, Reply, Reply) {
    let ask = |query: &str| {
        let query = filled(query, variables);
        async move { sources.ask(&template.source, &query).await }
    };
    tokio::join!(ask(&template.requests), ask(&template.errors), ask(&template.latency))
}

fn sample(template: &QueryTemplate, arm: &str, (requests, errors, latency): &(Reply, Reply, Reply)) -> ArmSample {
    let label = &template.arm_label;
    ArmSample {
        requests: requests.of_arm(label, arm, Nan::Invalid),
        errors: errors.of_arm(label, arm, Nan::Invalid),
        latency: latency.of_arm(label, arm, Nan::NoData),
    }
}

/// One version of a Service, asked for by its pods.
async fn by_pod(
    sources: &Sources,
    seen: &Snapshot,
    template: &QueryTemplate,
    carrier: Carrier,
    window: Span,
) -> ArmSample {
    let Some(pods) = pods(&pods_of(seen, carrier)) else {
        let none = || Evidence::NoData("no pod of this version takes requests".to_owned());
        return ArmSample { requests: none(), errors: none(), latency: none() };
    };
    let services = std::slice::from_ref(&seen.release.spec.traffic.service);
    let (requests, errors, latency) = replies(sources, template, &variables(seen, services, &pods, window)).await;
    ArmSample {
        requests: requests.single(Nan::Invalid),
        errors: errors.single(Nan::Invalid),
        latency: latency.single(Nan::NoData),
    }
}

async fn complaints(sources: &Sources, seen: &Snapshot, question: Question) -> Option<Evidence<f64>> {
    let window = question.complaints?;
    let spec = &seen.release.spec;
    let template = sources.config().query_templates.get(&spec.analysis.metrics)?;
    let query = spec.rollback.complaints_query.as_ref().or(template.complaints.as_ref())?;
    let services = [seen.service_of(question.candidate), seen.service_of(question.base)];
    let query = filled(query, &variables(seen, &services, "", window));
    Some(sources.ask(&template.source, &query).await.single(Nan::Invalid))
}
