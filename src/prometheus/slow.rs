//! How many requests were slower than the service's latency objectives allow.

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
    let ask = async |slower_than: Span| {
        let [requests, base] = requests(present, seen, question, slower_than).await;
        Slow { slower_than, requests, base }
    };
    join_all(crate::release::ask::thresholds(seen).into_iter().map(ask)).await
}

/// The new version's, and those of what served before.
async fn requests(present: Present<'_>, seen: &Snapshot, question: Question, slower_than: Span) -> [Evidence<f64>; 2] {
    let name = &seen.release.spec.analysis.metrics;
    let template = present.config().query_templates.get(name);
    let Some((template, query)) = template.and_then(|template| Some((template, template.slower.as_ref()?))) else {
        let why = format!("the query templates {name:?} have no `slower`, which a latency objective needs");
        return [(); 2].map(|()| Evidence::Invalid(why.clone()));
    };
    let threshold = Some(slower_than);
    let carriers = [question.candidate, question.base];
    if template.by_pod() {
        let of = async |carrier| {
            let Some(pods) = pods(&pods_of(seen, carrier)) else {
                return Evidence::NoData("no pod of this version takes requests".to_owned());
            };
            let variables = Variables { threshold, ..variables(seen, &[Carrier::Workload], &pods, question.recent) };
            present.ask(&template.source, &filled(query, &variables)).await.single(Nan::Invalid)
        };
        let (candidate, base) = tokio::join!(of(carriers[0]), of(carriers[1]));
        return [candidate, base];
    }
    let variables = Variables { threshold, ..variables(seen, &carriers, "", question.recent) };
    let reply = present.ask(&template.source, &filled(query, &variables)).await;
    carriers.map(|carrier| reply.of_arm(&template.arm_label, &arm(template, seen, carrier), Nan::Invalid))
}
