//! The question of a release, asked.

use super::Sources;
use super::config::{Apart, QueryTemplate};
use super::present::Present;
use super::reply::{Nan, Reply};
use super::slots::Asker;
use super::template::{Variables, filled, pods, uses};
use crate::analysis::{ArmSample, Evidence, Observation, lower_quantile};
use crate::api::{Span, Time};
use crate::release::ask::{Burning, pods as pods_of};
use crate::release::split::Carrier;
use crate::release::{Answers, Question, Snapshot};

/// Asks all that the question needs, at once; `now` is the moment of asking.
pub async fn answer(sources: &Sources, seen: &Snapshot, question: Question, now: Time) -> Answers {
    let present = Present::new(sources, Asker::Namespace(&seen.release.namespace), now);
    let (recent, whole, after, complaints, compared, happened, slow, burning) = tokio::join!(
        observation(present, seen, question, question.recent),
        async {
            match question.whole {
                Some(window) => Some(observation(present, seen, question, window).await),
                None => None,
            }
        },
        after(present, seen, question),
        complaints(present, seen, question),
        super::compare::compared(sources, seen, question),
        super::business::happened(sources, seen, question),
        super::slow::slow(present, seen, question),
        burning(sources, seen),
    );
    Answers {
        question,
        recent: Observation { complaints: complaints.clone(), ..recent },
        whole: whole.map(|whole| Observation { complaints, ..whole }),
        after,
        compared,
        happened,
        slow,
        burning,
        tried: Vec::new(),
    }
}

/// The new version's requests since its bake time ended.
async fn after(present: Present<'_>, seen: &Snapshot, question: Question) -> Option<Evidence<f64>> {
    let window = question.after?;
    let template = present.config().query_templates.get(&seen.release.spec.analysis.metrics)?;
    let carriers = [question.candidate];
    if !template.by_pod() {
        let query = filled(&template.requests, &variables(seen, &carriers, "", window));
        let reply = present.ask(&template.source, &query).await;
        return Some(reply.of_arm(&template.arm_label, &arm(template, seen, question.candidate), Nan::Invalid));
    }
    let Some(pods) = pods(&pods_of(seen, question.candidate)) else {
        return Some(Evidence::NoData("no pod of this version takes requests".to_owned()));
    };
    let query = filled(&template.requests, &variables(seen, &[Carrier::Workload], &pods, window));
    Some(present.ask(&template.source, &query).await.single(Nan::Invalid))
}

/// How fast the service's error budget goes, all versions together.
async fn burning(sources: &Sources, seen: &Snapshot) -> Option<Burning> {
    let objectives = &seen.risk.as_ref()?.objectives;
    super::burn::burning(sources, &seen.release.namespace, objectives).await
}

async fn observation(present: Present<'_>, seen: &Snapshot, question: Question, window: Span) -> Observation {
    let spec = &seen.release.spec;
    let Some(template) = present.config().query_templates.get(&spec.analysis.metrics) else {
        let why = format!("the controller's configuration has no query templates {:?}", spec.analysis.metrics);
        let nothing = || Evidence::Invalid(why.clone());
        let sample = || ArmSample { requests: nothing(), errors: nothing(), latency: nothing() };
        let (candidate, base) = (sample(), sample());
        return Observation { candidate, base, latency_at_least: None, complaints: None, business: None, window };
    };
    if template.by_pod() {
        let (candidate, base, business) = tokio::join!(
            by_pod(present, seen, template, question.candidate, window),
            by_pod(present, seen, template, question.base, window),
            super::business::by_pod(present, seen, template, question, window),
        );
        let latency_at_least = match pods(&pods_of(seen, question.candidate)) {
            Some(pods) => {
                let variables = variables(seen, &[Carrier::Workload], &pods, window);
                at_least(present, template, &variables, &candidate, |reply| reply.single(Nan::NoData)).await
            }
            None => None,
        };
        return Observation { candidate, base, latency_at_least, complaints: None, business, window };
    }
    let carriers = [question.candidate, question.base];
    let arms = carriers.map(|carrier| arm(template, seen, carrier));
    let variables = variables(seen, &carriers, "", window);
    let (replies, business) = tokio::join!(
        replies(present, template, &variables),
        super::business::by_label(present, seen, template, &arms, &variables),
    );
    let [candidate, base] = [&arms[0], &arms[1]].map(|arm| sample(template, arm, &replies));
    let of = |reply: &Reply| reply.of_arm(&template.arm_label, &arms[0], Nan::NoData);
    let latency_at_least = at_least(present, template, &variables, &candidate, of).await;
    Observation { candidate, base, latency_at_least, complaints: None, business, window }
}

/// How long the new version takes at least: asked after the others, because the quantile depends on how many requests it had. None
/// where the query asks for one quantile only.
async fn at_least(
    present: Present<'_>,
    template: &QueryTemplate,
    variables: &Variables<'_>,
    candidate: &ArmSample,
    of: impl Fn(&Reply) -> Evidence<f64>,
) -> Option<Evidence<f64>> {
    let quantile = variables.quantile.filter(|_| uses(&template.latency, "quantile"))?;
    // What is not known is not known at any quantile.
    let (Some(requests), Some(_)) = (candidate.requests.value(), candidate.latency.value()) else {
        return Some(candidate.latency.clone());
    };
    let variables = Variables { quantile: Some(lower_quantile(quantile, *requests)), ..variables.clone() };
    Some(of(&present.ask(&template.source, &filled(&template.latency, &variables)).await))
}

/// What the label that tells the versions apart says of one.
pub(super) fn arm(template: &QueryTemplate, seen: &Snapshot, carrier: Carrier) -> String {
    match template.apart() {
        Apart::Services | Apart::Pods => seen.service_of(carrier),
        Apart::Workloads => seen.workload_of(carrier),
    }
}

/// What the queries of a release are filled with.
pub(super) fn variables<'a>(seen: &'a Snapshot, carriers: &[Carrier], pods: &'a str, window: Span) -> Variables<'a> {
    let spec = &seen.release.spec;
    Variables {
        namespace: &seen.release.namespace,
        budget: &spec.risk_budget_ref.name,
        service: &spec.traffic.service,
        services: carriers.iter().map(|carrier| seen.service_of(*carrier)).collect(),
        workloads: carriers.iter().map(|carrier| seen.workload_of(*carrier)).collect(),
        pods,
        window,
        quantile: Some(spec.rollback.latency_quantile),
        threshold: None,
    }
}

/// Requests, errors and latency, asked for at once.
async fn replies(present: Present<'_>, template: &QueryTemplate, variables: &Variables<'_>) -> (Reply, Reply, Reply) {
    let ask = |query: &str| {
        let query = filled(query, variables);
        async move { present.ask(&template.source, &query).await }
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
    present: Present<'_>,
    seen: &Snapshot,
    template: &QueryTemplate,
    carrier: Carrier,
    window: Span,
) -> ArmSample {
    let Some(pods) = pods(&pods_of(seen, carrier)) else {
        let none = || Evidence::NoData("no pod of this version takes requests".to_owned());
        return ArmSample { requests: none(), errors: none(), latency: none() };
    };
    let variables = variables(seen, &[Carrier::Workload], &pods, window);
    let (requests, errors, latency) = replies(present, template, &variables).await;
    ArmSample {
        requests: requests.single(Nan::Invalid),
        errors: errors.single(Nan::Invalid),
        latency: latency.single(Nan::NoData),
    }
}

async fn complaints(present: Present<'_>, seen: &Snapshot, question: Question) -> Option<Evidence<f64>> {
    let window = question.complaints?;
    let spec = &seen.release.spec;
    let template = present.config().query_templates.get(&spec.analysis.metrics)?;
    let query = spec.rollback.complaints_query.as_ref().or(template.complaints.as_ref())?;
    let query = filled(query, &variables(seen, &[question.candidate, question.base], "", window));
    Some(present.ask(&template.source, &query).await.single(Nan::Invalid))
}
