//! The error budget of a RiskBudget, measured.

use futures::future::join_all;

use super::Sources;
use super::burn::Rates;
use super::present::Present;
use super::reply::{Nan, Reply};
use super::slots::Asker;
use super::template::{Variables, bound, escaped, filled, regex};
use crate::analysis::Evidence;
use crate::api::names::{CANARY_SUFFIX, PREVIOUS_SUFFIX};
use crate::api::risk_budget::{RiskBudgetSpec, Slo};
use crate::api::{Percent, Span, Time};
use crate::policy::burn::{self, Paces, longer_than, paces};
use crate::policy::{Remaining, SliCount, budget};

/// What one objective leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The objective.
    pub name: String,
    /// What is left, or why that is not known.
    pub remaining: Result<Remaining, Problem>,
    /// How much of the window the series cover, where the source can tell.
    pub coverage: Option<Percent>,
    /// Whether it goes too fast at present.
    pub paces: Paces,
    /// How fast it goes at present, where that is known.
    pub present: Option<burn::Present>,
}

/// Why an objective is not measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// There are no samples.
    NoData(String),
    /// The query is wrong.
    Invalid(String),
    /// Prometheus did not answer, or from a part of its stores only.
    Unavailable(String),
}

impl Problem {
    /// One word for programs.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoData(_) => "NoData",
            Self::Invalid(_) => "InvalidQuery",
            Self::Unavailable(_) => "PrometheusUnavailable",
        }
    }

    /// In words.
    pub fn why(&self) -> &str {
        match self {
            Self::NoData(why) | Self::Invalid(why) | Self::Unavailable(why) => why,
        }
    }
}

/// Measures every objective; `now` is the moment of asking.
pub async fn measure(sources: &Sources, namespace: &str, spec: &RiskBudgetSpec, now: Time) -> Vec<Measurement> {
    let step = sources.config().recording.interval;
    let present = Present::new(sources, Asker::Namespace(namespace), now);
    join_all(spec.slos.iter().map(|slo| async move {
        let Some(queries) = queries(slo, namespace, slo.window) else {
            let why = "these series tell of their own window only".to_owned();
            let (remaining, name) = (Err(Problem::Invalid(why)), slo.name.clone());
            return Measurement { name, remaining, coverage: None, paces: Paces::CALM, present: None };
        };
        let ask = |query: String| async move {
            match present.ask(&spec.metrics, &query).await {
                // The query is right: what answers it is not.
                Reply::Stale(why) => Evidence::Unreachable(why),
                reply @ (Reply::Series { .. } | Reply::Invalid(_) | Reply::Unreachable(_)) => reply.single(Nan::NoData),
            }
        };
        let also: Vec<Span> = longer_than(burn::CALM_OVER).into_iter().collect();
        let (first, second, covered) =
            tokio::join!(ask(queries.first), optional(queries.second.map(ask)), optional(queries.steps.map(ask)));
        // Afterwards: what decides does not stand in line behind what informs.
        let rates = Rates::ask(present, namespace, &spec.metrics, slo, &also).await;
        let remaining = remaining(slo.objective, queries.meaning, first, second);
        let rate_of = |window| rates.of(window);
        let spent = remaining.as_ref().ok().map(|left| 1.0 - left.percent() / 100.0);
        Measurement {
            name: slo.name.clone(),
            coverage: covered.and_then(|steps| coverage(steps, step, slo.window)),
            paces: paces(rate_of),
            present: spent.and_then(|spent| burn::present(rate_of, spent, slo.window)),
            remaining,
        }
    }))
    .await
}

pub(super) async fn optional<T>(future: Option<impl Future<Output = T>>) -> Option<T> {
    match future {
        Some(future) => Some(future.await),
        None => None,
    }
}

/// What the numbers of an objective stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Total, then bad.
    TotalAndBad,
    /// Total, then good.
    TotalAndGood,
    /// The share of bad events.
    BadRatio,
    /// The share of good events.
    GoodRatio,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Queries {
    pub(super) meaning: Meaning,
    pub(super) first: String,
    pub(super) second: Option<String>,
    /// Answers how many steps of the recording rules are there.
    steps: Option<String>,
}

/// What an objective asks for a window; None where its source has no figures of that window.
pub(super) fn queries(slo: &Slo, namespace: &str, over: Span) -> Option<Queries> {
    let window = over.promql();
    let sum = |metric: &str, service: &str, more: &str| {
        let selector = selector(namespace, service, more);
        format!("sum(sum_over_time({metric}{{{selector}}}[{window}]))")
    };
    let steps = |metric: &str, service: &str| {
        Some(format!("max(count_over_time({metric}{{{}}}[{window}]))", selector(namespace, service, "")))
    };
    let ratio = |meaning, first| Queries { meaning, first, second: None, steps: None };
    let own = |query: &str| filled(query, &Variables { namespace, window: over, ..Variables::default() });
    Some(if let Some(series) = &slo.availability {
        let (all, bad) = ("tidegate:http_requests:count", "tidegate:http_requests_bad:count");
        Queries {
            meaning: Meaning::TotalAndBad,
            first: sum(all, &series.service, ""),
            second: Some(sum(bad, &series.service, "")),
            steps: steps(all, &series.service),
        }
    } else if let Some(series) = &slo.latency {
        let (all, fast) = ("tidegate:http_request_duration:count", "tidegate:http_request_duration_bucket:count");
        let bound = format!(",le=~\"{}\"", escaped(&bound(series.threshold.as_secs_f64())));
        Queries {
            meaning: Meaning::TotalAndGood,
            first: sum(all, &series.service, ""),
            second: Some(sum(fast, &series.service, &bound)),
            steps: steps(all, &series.service),
        }
    } else if let Some(series) = &slo.promql {
        Queries {
            meaning: Meaning::TotalAndBad,
            first: own(&series.total),
            second: Some(own(&series.bad)),
            steps: None,
        }
    } else if let Some(series) = &slo.sloth {
        ratio(
            Meaning::BadRatio,
            format!("max(slo:sli_error:ratio_rate{}{{sloth_id=\"{}\"}})", over, escaped(&series.id)),
        )
    } else if over != slo.window {
        return None;
    } else {
        let slo = slo.pyrra.as_ref().map(|series| series.slo.as_str()).unwrap_or_default();
        ratio(Meaning::GoodRatio, format!("min(pyrra_availability{{slo=\"{}\"}})", escaped(slo)))
    })
}

/// The user's Service with its canary and previous Services, which serve the same users.
fn selector(namespace: &str, service: &str, more: &str) -> String {
    let service = escaped(&regex(service));
    format!(
        "namespace=\"{}\",service=~\"{service}|{service}{CANARY_SUFFIX}|{service}{PREVIOUS_SUFFIX}\"{more}",
        escaped(namespace)
    )
}

fn remaining(
    objective: Percent,
    meaning: Meaning,
    first: Evidence<f64>,
    second: Option<Evidence<f64>>,
) -> Result<Remaining, Problem> {
    let count = sli(meaning, first, second)?;
    let nothing = || match count.total > 0.0 {
        true => Problem::Invalid(format!("{} bad of {} events cannot be", count.bad, count.total)),
        false => Problem::NoData("no requests in the window".to_owned()),
    };
    budget::remaining(objective, count).ok_or_else(nothing)
}

/// What the numbers of an objective count.
pub(super) fn sli(meaning: Meaning, first: Evidence<f64>, second: Option<Evidence<f64>>) -> Result<SliCount, Problem> {
    let first = known(first)?;
    let second = second.map(known).transpose()?.unwrap_or(0.0);
    Ok(match meaning {
        Meaning::TotalAndBad => SliCount { bad: second, total: first },
        // Both are extrapolated apart: a few more good ones than all are none bad.
        Meaning::TotalAndGood => SliCount { bad: (first - second).max(0.0), total: first },
        Meaning::BadRatio => SliCount { bad: first, total: 1.0 },
        Meaning::GoodRatio => SliCount { bad: (1.0 - first).max(0.0), total: 1.0 },
    })
}

fn known(evidence: Evidence<f64>) -> Result<f64, Problem> {
    match evidence {
        Evidence::Value(value) => Ok(value),
        Evidence::NoData(why) => Err(Problem::NoData(why)),
        Evidence::Invalid(why) => Err(Problem::Invalid(why)),
        Evidence::Partial { why, .. } => Err(Problem::Unavailable(format!("the answer is partial: {why}"))),
        Evidence::Unreachable(why) => Err(Problem::Unavailable(why)),
    }
}

fn coverage(steps: Evidence<f64>, step: Span, window: Span) -> Option<Percent> {
    let steps = *steps.value()?;
    let share = steps * step.as_secs_f64() / window.as_secs_f64() * 100.0;
    Percent::new(share.clamp(0.0, 100.0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::risk_budget::Slo;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn slo(kind: &str, value: Value) -> Slo {
        serde_json::from_value(json!({"name": "s", "objective": 99.5, kind: value})).unwrap()
    }

    #[test]
    fn availability_counts_all_three_services_over_the_window() {
        let queries = queries(&slo("availability", json!({"service": "web"})), "shop", Span::days(30)).unwrap();
        let of = "{namespace=\"shop\",service=~\"web|web-canary|web-previous\"}[2592000s]";
        assert_eq!(queries.first, format!("sum(sum_over_time(tidegate:http_requests:count{of}))"));
        assert_eq!(queries.second.unwrap(), format!("sum(sum_over_time(tidegate:http_requests_bad:count{of}))"));
        assert_eq!(queries.steps.unwrap(), format!("max(count_over_time(tidegate:http_requests:count{of}))"));
    }

    #[rstest]
    #[case("latency", json!({"service": "web"}), "le=~\"0\\\\.3\"}[2592000s]")]
    #[case("latency", json!({"service": "web", "threshold": "1s"}), "le=~\"1|1\\\\.0\"}[2592000s]")]
    fn latency_asks_for_its_bucket(#[case] kind: &str, #[case] value: Value, #[case] says: &str) {
        let second = queries(&slo(kind, value), "shop", Span::days(30)).unwrap().second.unwrap();
        assert!(second.contains(says), "{second}");
    }

    #[rstest]
    #[case("promql", json!({"bad": "b{n=\"$namespace\"}[$window]", "total": "t"}), "t")]
    #[case("sloth", json!({"id": "web-availability"}), "max(slo:sli_error:ratio_rate30d{sloth_id=\"web-availability\"})")]
    #[case("pyrra", json!({"slo": "web"}), "min(pyrra_availability{slo=\"web\"})")]
    fn other_series_are_asked_as_they_are(#[case] kind: &str, #[case] value: Value, #[case] first: &str) {
        assert_eq!(queries(&slo(kind, value), "shop", Span::days(30)).unwrap().first, first);
    }

    #[test]
    fn a_shorter_window_is_asked_for_where_its_figures_are() {
        let of = |slo: Slo| queries(&slo, "shop", Span::hours(6)).map(|queries| queries.first);
        let own = json!({"bad": "b", "total": "t[$window]"});
        assert_eq!(of(slo("promql", own)).unwrap(), "t[21600s]");
        let sloth = "max(slo:sli_error:ratio_rate6h{sloth_id=\"w\"})";
        assert_eq!(of(slo("sloth", json!({"id": "w"}))).unwrap(), sloth);
        assert_eq!(of(slo("pyrra", json!({"slo": "w"}))), None, "Pyrra's generic rules tell of the whole window alone");
    }

    fn value(number: f64) -> Evidence<f64> {
        Evidence::Value(number)
    }

    #[rstest]
    #[case(Meaning::TotalAndBad, value(1_000.0), Some(value(2.5)), Ok(50.0))]
    #[case(Meaning::TotalAndGood, value(1_000.0), Some(value(997.5)), Ok(50.0))]
    #[case(Meaning::TotalAndGood, value(1_000.0), Some(value(1_001.0)), Ok(100.0))]
    #[case(Meaning::BadRatio, value(0.0025), None, Ok(50.0))]
    #[case(Meaning::GoodRatio, value(0.9975), None, Ok(50.0))]
    #[case(Meaning::TotalAndBad, value(0.0), Some(value(0.0)), Err("NoData"))]
    #[case(Meaning::TotalAndBad, Evidence::NoData("none".into()), Some(value(0.0)), Err("NoData"))]
    #[case(Meaning::TotalAndBad, value(9.0), Some(Evidence::NoData("none".into())), Err("NoData"))]
    #[case(Meaning::TotalAndBad, value(9.0), Some(value(-1.0)), Err("InvalidQuery"))]
    #[case(Meaning::BadRatio, Evidence::Unreachable("down".into()), None, Err("PrometheusUnavailable"))]
    #[case(Meaning::BadRatio, Evidence::Partial { value: Some(0.0), why: "half".into() }, None, Err("PrometheusUnavailable"))]
    fn what_is_left_is_computed_or_the_problem_named(
        #[case] meaning: Meaning,
        #[case] first: Evidence<f64>,
        #[case] second: Option<Evidence<f64>>,
        #[case] wanted: Result<f64, &str>,
    ) {
        let left = remaining(Percent::new(99.5).unwrap(), meaning, first, second);
        assert_eq!(left.map(Remaining::rounded).map_err(|problem| problem.reason()), wanted);
    }

    #[rstest]
    #[case(8_640.0, Some(100.0))]
    #[case(864.0, Some(10.0))]
    #[case(9_000.0, Some(100.0))]
    fn a_young_series_covers_a_part(#[case] steps: f64, #[case] percent: Option<f64>) {
        assert_eq!(coverage(value(steps), Span::minutes(5), Span::days(30)).map(Percent::get), percent);
    }
}
