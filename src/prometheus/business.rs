//! How often what the service is there for happened with each version.

use super::Sources;
use super::answer::variables;
use super::config::QueryTemplate;
use super::reply::Nan;
use super::template::{Variables, filled, pods};
use crate::analysis::{Business, Evidence};
use crate::api::Span;
use crate::release::ask::pods as pods_of;
use crate::release::{Question, Snapshot};

/// One question answers both versions, told apart by their Services.
pub(super) async fn by_label(
    sources: &Sources,
    seen: &Snapshot,
    template: &QueryTemplate,
    services: &[String; 2],
    variables: &Variables<'_>,
) -> Option<Business> {
    let query = filled(&seen.release.spec.rollback.business.as_ref()?.query, variables);
    let reply = sources.ask(&template.source, &query).await;
    let of = |arm: &str| reply.of_arm(&template.arm_label, arm, Nan::Invalid);
    Some(Business { candidate: of(&services[0]), base: of(&services[1]) })
}

/// One question a version, told apart by its pods.
pub(super) async fn by_pod(
    sources: &Sources,
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
        let services = std::slice::from_ref(&seen.release.spec.traffic.service);
        let query = filled(query, &variables(seen, services, &pods, window));
        sources.ask(&template.source, &query).await.single(Nan::Invalid)
    };
    let (candidate, base) = tokio::join!(of(question.candidate), of(question.base));
    Some(Business { candidate, base })
}
