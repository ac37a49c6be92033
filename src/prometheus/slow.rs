//! How many requests of the new version were slower than its service's latency objectives allow.

use futures::future::join_all;

use super::answer::{arm, variables};
use super::present::Present;
use super::reply::Nan;
use super::template::{Variables, filled, pods};
use crate::analysis::Evidence;
use crate::api::Span;
use crate::release::ask::{Slow, pods as pods_of};
use crate::release::split::Carrier;
use crate::release::{Question, Snapshot};

/// One answer a threshold, over the short window; none where compliance is not asked for.
pub(super) async fn slow(present: Present<'_>, seen: &Snapshot, question: Question) -> Vec<Slow> {
    let ask =
        async |slower_than: Span| Slow { slower_than, requests: requests(present, seen, question, slower_than).await };
    join_all(crate::release::ask::thresholds(seen).into_iter().map(ask)).await
}

async fn requests(present: Present<'_>, seen: &Snapshot, question: Question, slower_than: Span) -> Evidence<f64> {
    let name = &seen.release.spec.analysis.metrics;
    let template = present.config().query_templates.get(name);
    let Some((template, query)) = template.and_then(|template| Some((template, template.slower.as_ref()?))) else {
        return Evidence::Invalid(format!(
            "the query templates {name:?} have no `slower`, which a latency objective needs"
        ));
    };
    let threshold = Some(slower_than);
    if template.by_pod() {
        let Some(pods) = pods(&pods_of(seen, question.candidate)) else {
            return Evidence::NoData("no pod of this version takes requests".to_owned());
        };
        let variables = Variables { threshold, ..variables(seen, &[Carrier::Workload], &pods, question.recent) };
        return present.ask(&template.source, &filled(query, &variables)).await.single(Nan::Invalid);
    }
    let carriers = [question.candidate, question.base];
    let variables = Variables { threshold, ..variables(seen, &carriers, "", question.recent) };
    let reply = present.ask(&template.source, &filled(query, &variables)).await;
    reply.of_arm(&template.arm_label, &arm(template, seen, question.candidate), Nan::Invalid)
}
