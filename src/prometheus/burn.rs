//! How fast error budgets go, asked while a release has users, and when a budget is measured.

use std::collections::BTreeMap;

use futures::future::join_all;

use super::budget::{optional, queries, sli};
use super::present::Present;
use super::reply::Nan;
use crate::api::Span;
use crate::api::risk_budget::Slo;
use crate::policy::burn::{PAIRS, Pace, Paces, Rate, paces, rate};
use crate::release::ask::Burning;
use crate::release::snapshot::Objectives;

/// What is known of burns among the objectives, the gravest of each level. Asked once an interval for all releases of the service.
pub(super) async fn burning(present: Present<'_>, namespace: &str, objectives: &Objectives) -> Paces<Burning> {
    let all = join_all(objectives.slos.iter().map(|slo| async move {
        let rates = Rates::ask(present, namespace, &objectives.source, slo, &[]).await;
        let Paces { page, ticket } = paces(|window| rates.of(window));
        let named = |pace| match pace {
            Pace::Calm => Pace::Calm,
            Pace::Burns(burn) => Pace::Burns(Burning { objective: slo.name.clone(), burn }),
            Pace::NotKnown(why) => Pace::NotKnown(format!("objective {}: {why}", slo.name)),
        };
        Paces { page: named(page), ticket: named(ticket) }
    }));
    all.await.into_iter().fold(Paces::CALM, |found, next| Paces {
        page: graver(found.page, next.page),
        ticket: graver(found.ticket, next.ticket),
    })
}

/// What burns, the faster of two; else what is not known.
fn graver(one: Pace<Burning>, other: Pace<Burning>) -> Pace<Burning> {
    match (one, other) {
        (Pace::Burns(one), Pace::Burns(other)) => {
            Pace::Burns(if other.burn.pair.factor > one.burn.pair.factor { other } else { one })
        }
        (burns @ Pace::Burns(_), Pace::Calm | Pace::NotKnown(_))
        | (Pace::Calm | Pace::NotKnown(_), burns @ Pace::Burns(_)) => burns,
        (unknown @ Pace::NotKnown(_), Pace::Calm | Pace::NotKnown(_)) | (Pace::Calm, unknown @ Pace::NotKnown(_)) => {
            unknown
        }
        (Pace::Calm, Pace::Calm) => Pace::Calm,
    }
}

/// How fast the budget of one objective goes, by window.
pub(super) struct Rates(BTreeMap<Span, Rate>);

impl Rates {
    /// Asks the short windows and `also` first: where a short one is calm, its long one decides nothing and is not asked for. A window
    /// that the objective's source has no figures of is left out.
    pub(super) async fn ask(present: Present<'_>, namespace: &str, source: &str, slo: &Slo, also: &[Span]) -> Self {
        let ask = async |window: Span| {
            let asked = queries(slo, namespace, window)?;
            // NaN is no calm: of nothing that happened a source that counts says 0.
            let ask = async |query: String| present.ask_shared(source, query).await.single(Nan::Invalid);
            let (first, second) = tokio::join!(ask(asked.first), optional(asked.second.map(ask)));
            let count = sli(asked.meaning, first, second).map_err(|problem| problem.why().to_owned());
            Some((window, count.and_then(|count| rate(slo.objective, count))))
        };
        let first = PAIRS.iter().map(|pair| pair.short).chain(also.iter().copied());
        let mut rates: BTreeMap<Span, Rate> = join_all(first.map(&ask)).await.into_iter().flatten().collect();
        for pair in PAIRS {
            let calm = rates.get(&pair.short).is_none_or(|rate| matches!(rate, Ok(rate) if *rate <= pair.factor));
            if !calm && !rates.contains_key(&pair.long) {
                rates.extend(ask(pair.long).await);
            }
        }
        Self(rates)
    }

    pub(super) fn of(&self, window: Span) -> Option<&Rate> {
        self.0.get(&window)
    }
}
