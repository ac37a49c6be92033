//! The question of a release, asked.

use super::Sources;
use super::config::{Apart, QueryTemplate};
use super::present::Present;
use super::reply::{Nan, Reply};
use super::slots::Asker;
use super::template::{Variables, filled, pods, uses};
use crate::analysis::{ArmSample, Evidence, Looked, Observation, Quantiles};
use crate::api::{Percent, Span, Time};
use crate::policy::burn::{Pace, Paces};
use crate::release::ask::{Burning, both_serve, pods as pods_of};
use crate::release::split::Carrier;
use crate::release::{Answers, Question, Snapshot};

/// Asks all that the question needs, at once; `now` is the moment of asking.
pub async fn answer(sources: &Sources, seen: &Snapshot, question: Question, now: Time) -> Answers {
    let present = Present::new(sources, Asker::Namespace(&seen.release.namespace), now);
    let looked = Looked::for_so_long(now.since(question.since), seen.release.spec.analysis.window);
    // Where what served before has no users, the new version is held to what is known of it from before.
    let beside: fn(Percent, f64, f64, Looked) -> Quantiles =
        if both_serve(seen, question) { Quantiles::beside } else { Quantiles::apart };
    let recently = move |quantile, new, old| beside(quantile, new, old, looked);
    // What is seen of stable at the end of a stage is kept.
    let at_the_end = move |quantile, new, old| Quantiles::apart(quantile, new, old, looked);
    let (recent, whole, after, complaints, compared, happened, slow, burning) = tokio::join!(
        observation(present, seen, question, question.recent, recently),
        async {
            match question.whole {
                Some(window) => Some(observation(present, seen, question, window, at_the_end).await),
                None => None,
            }
        },
        after(present, seen, question),
        complaints(present, seen, question),
        super::compare::compared(sources, seen, question),
        super::business::happened(sources, seen, question),
        super::slow::slow(present, seen, question),
        burning(present, seen),
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

/// How fast the service's error budget goes, all versions together. Where a RiskBudget has no objectives nothing can burn.
async fn burning(present: Present<'_>, seen: &Snapshot) -> Paces<Burning> {
    let Some(risk) = &seen.risk else {
        let budget = &seen.release.spec.risk_budget_ref.name;
        let why = || Pace::NotKnown(format!("RiskBudget {budget} is not there, or cannot be read"));
        return Paces { page: why(), ticket: why() };
    };
    super::burn::burning(present, &seen.release.namespace, &risk.objectives).await
}

async fn observation(
    present: Present<'_>,
    seen: &Snapshot,
    question: Question,
    window: Span,
    choose: impl Fn(Percent, f64, f64) -> Quantiles,
) -> Observation {
    let spec = &seen.release.spec;
    let observed = |candidate, base| Observation {
        candidate,
        base,
        latency_at_least: None,
        base_at_most: None,
        complaints: None,
        business: None,
        window,
    };
    let Some(template) = present.config().query_templates.get(&spec.analysis.metrics) else {
        let why = format!("the controller's configuration has no query templates {:?}", spec.analysis.metrics);
        let nothing = || Evidence::Invalid(why.clone());
        let sample = || ArmSample { requests: nothing(), errors: nothing(), latency: nothing() };
        return observed(sample(), sample());
    };
    // None where the query asks for one quantile only. How many requests there were is known once the others are answered.
    let chosen = |candidate: &ArmSample, base: &ArmSample| {
        let requests = |arm: &ArmSample| arm.requests.value().copied().unwrap_or(0.0);
        let asks = uses(&template.latency, "quantile");
        asks.then(|| choose(spec.rollback.latency_quantile, requests(candidate), requests(base)))
    };
    if template.by_pod() {
        let (candidate, base, business) = tokio::join!(
            by_pod(present, seen, template, question.candidate, window),
            by_pod(present, seen, template, question.base, window),
            super::business::by_pod(present, seen, template, question, window),
        );
        let Some(chosen) = chosen(&candidate, &base) else {
            return Observation { business, ..observed(candidate, base) };
        };
        let at = async |carrier, arm: &ArmSample, quantile| {
            let Some(pods) = pods(&pods_of(seen, carrier)) else { return arm.latency.clone() };
            let variables = variables(seen, &[Carrier::Workload], &pods, window);
            at(present, template, &variables, (arm, quantile), |reply| reply.single(Nan::NoData)).await
        };
        let (least, most) = tokio::join!(
            at(question.candidate, &candidate, Some(chosen.candidate)),
            at(question.base, &base, chosen.base),
        );
        let (latency_at_least, base_at_most) = (Some(least), Some(most));
        return Observation { latency_at_least, base_at_most, business, ..observed(candidate, base) };
    }
    let carriers = [question.candidate, question.base];
    let arms = carriers.map(|carrier| arm(template, seen, carrier));
    let variables = variables(seen, &carriers, "", window);
    let (replies, business) = tokio::join!(
        replies(present, template, &variables),
        super::business::by_label(present, seen, template, &arms, &variables),
    );
    let [candidate, base] = [&arms[0], &arms[1]].map(|arm| sample(template, arm, &replies));
    let Some(chosen) = chosen(&candidate, &base) else {
        return Observation { business, ..observed(candidate, base) };
    };
    let of = |arm: usize| {
        let arm = &arms[arm];
        move |reply: &Reply| reply.of_arm(&template.arm_label, arm, Nan::NoData)
    };
    let (least, most) = tokio::join!(
        at(present, template, &variables, (&candidate, Some(chosen.candidate)), of(0)),
        at(present, template, &variables, (&base, chosen.base), of(1)),
    );
    let (latency_at_least, base_at_most) = (Some(least), Some(most));
    Observation { latency_at_least, base_at_most, business, ..observed(candidate, base) }
}

/// One version's latency at another quantile; no data where its requests are too few for any.
async fn at(
    present: Present<'_>,
    template: &QueryTemplate,
    variables: &Variables<'_>,
    (arm, quantile): (&ArmSample, Option<Percent>),
    of: impl Fn(&Reply) -> Evidence<f64>,
) -> Evidence<f64> {
    // What is not known is not known at any quantile.
    if arm.requests.value().is_none() || arm.latency.value().is_none() {
        return arm.latency.clone();
    }
    if quantile.is_none() {
        return Evidence::NoData("too few requests".to_owned());
    }
    let variables = Variables { quantile, ..variables.clone() };
    of(&present.ask(&template.source, &filled(&template.latency, &variables)).await)
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
