//! How fast the error budget of a release goes, asked while it has users.

use futures::future::join_all;

use super::Sources;
use super::budget::{queries, sli};
use super::reply::Nan;
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

async fn of(sources: &Sources, namespace: &str, source: &str, slo: &Slo) -> Option<Burn> {
    let windows: Vec<Span> = PAIRS.iter().flat_map(|pair| [pair.long, pair.short]).collect();
    let rates = join_all(windows.iter().map(|window| async move {
        let asked = queries(slo, namespace, *window)?;
        let ask = |query: String| async move { sources.ask_shared(source, query).await.single(Nan::NoData) };
        let first = ask(asked.first).await;
        let second = match asked.second {
            Some(query) => Some(ask(query).await),
            None => None,
        };
        rate(slo.objective, sli(asked.meaning, first, second).ok()?)
    }))
    .await;
    burn(|window| windows.iter().position(|one| *one == window).and_then(|index| rates[index]))
}
