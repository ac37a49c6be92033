//! How fast the error budget of a release goes, asked while it has users.

use std::collections::BTreeMap;

use futures::future::join_all;

use super::Sources;
use super::budget::{optional, queries, sli};
use super::reply::Nan;
use super::slots::Asker;
use crate::api::Span;
use crate::api::risk_budget::Slo;
use crate::policy::burn::{Burn, PAIRS, burn, rate};
use crate::release::ask::Burning;
use crate::release::snapshot::Objectives;

/// The gravest burn among the objectives; None where none burns, or it is not known. Asked once an interval for all releases
/// of the service.
pub(super) async fn burning(sources: &Sources, namespace: &str, objectives: &Objectives) -> Option<Burning> {
    let all = join_all(objectives.slos.iter().map(|slo| async move {
        let found = of(sources, namespace, &objectives.source, slo).await?;
        Some(Burning { objective: slo.name.clone(), burn: found })
    }));
    all.await.into_iter().flatten().max_by(|one, other| {
        let grave = |burning: &Burning| burning.burn.pair.factor;
        grave(one).total_cmp(&grave(other))
    })
}

/// The short windows first: where one is calm, its long one decides nothing and is not asked for.
async fn of(sources: &Sources, namespace: &str, source: &str, slo: &Slo) -> Option<Burn> {
    let ask = async |window: Span| {
        let asked = queries(slo, namespace, window)?;
        let asker = Asker::Namespace(namespace);
        let ask = async |query: String| sources.ask_shared(asker, source, query).await.single(Nan::NoData);
        let (first, second) = tokio::join!(ask(asked.first), optional(asked.second.map(ask)));
        rate(slo.objective, sli(asked.meaning, first, second).ok()?)
    };
    let short = join_all(PAIRS.map(|pair| ask(pair.short))).await;
    let mut rates: BTreeMap<Span, Option<f64>> = PAIRS.iter().map(|pair| pair.short).zip(short).collect();
    for pair in PAIRS {
        let burns = rates.get(&pair.short).copied().flatten().is_some_and(|rate| rate > pair.factor);
        if burns && !rates.contains_key(&pair.long) {
            rates.insert(pair.long, ask(pair.long).await);
        }
    }
    burn(|window| rates.get(&window).copied().flatten())
}
