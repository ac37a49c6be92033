//! How often what the service is there for happened with each version.

use super::answer::variables;
use super::config::QueryTemplate;
use super::present::Present;
use super::reply::Nan;
use super::template::{Variables, filled, pods};
use crate::analysis::{Business, Evidence};
use crate::api::Span;
use crate::release::ask::pods as pods_of;
use crate::release::split::Carrier;
use crate::release::{Question, Snapshot};

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
