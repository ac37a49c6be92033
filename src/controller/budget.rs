//! One look at a RiskBudget: measure, compute, write the status where it differs.

use serde_json::Value;

use super::queue::{Key, Lane};
use super::words::Look;
use super::{Budgets, Context, Next, charges, ledger, lock, loosening, obligations, prune};
use crate::api::condition::{Condition, Truth};
use crate::api::risk_budget::{BurnStatus, ErrorBudget, SloStatus};
use crate::api::{RiskBudgetSpec, RiskBudgetStatus, Time};
use crate::cluster::Error;
use crate::cluster::kind::RISK_BUDGET;
use crate::cluster::status::Written;
use crate::policy::burn::{Pair, Present};
use crate::policy::loosening::About;
use crate::policy::score::signals::status_of;
use crate::policy::{Remaining, budget};
use crate::prometheus::budget::{Measurement, measure};

/// How soon it is looked at again after something was charged.
const AT_ONCE: std::time::Duration = std::time::Duration::from_millis(20);

pub(super) async fn reconcile(context: &Context, key: &Key, namespace: &str, name: &str) -> Result<Next, Error> {
    let Some(mut object) = context.cluster.get(&RISK_BUDGET, namespace, name).await? else {
        context.budgets.forget(namespace, name);
        context.files.forget(namespace, name);
        context.words.changed(namespace, name);
        context.metrics.budget_gone(namespace, name);
        context.passes.forget(key);
        context.old_news(key);
        return Ok(Next::OnChange);
    };
    let interval = context.sources.config().budget.interval.as_std();
    let generation = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    let resource_version =
        object.pointer("/metadata/resourceVersion").and_then(Value::as_str).unwrap_or_default().to_owned();
    let raw = object["status"].take();
    let spec: RiskBudgetSpec = match serde_json::from_value(object["spec"].take()) {
        Ok(spec) => spec,
        Err(why) => {
            context.metrics.unreadable("RiskBudget", namespace, name);
            if context.is_news(key, why.to_string()) {
                tracing::error!(namespace, name, %why, "this RiskBudget cannot be read; the others go on");
            }
            context.budgets.note(namespace, name, -1);
            return Ok(Next::OnChange);
        }
    };
    let before: RiskBudgetStatus = match serde_json::from_value::<Option<_>>(raw.clone()) {
        Ok(before) => before.unwrap_or_default(),
        // It remembers what is in force, what was spent and what is owed: nothing is written over what cannot be read.
        Err(why) => {
            context.metrics.unreadable("RiskBudget", namespace, name);
            if context.is_news(key, why.to_string()) {
                tracing::error!(namespace, name, %why, "the status of this RiskBudget cannot be read, and nothing ships by it: was it written by a newer Tidegate?");
            }
            context.budgets.note(namespace, name, -1);
            return Ok(Next::OnChange);
        }
    };
    context.metrics.readable("RiskBudget", namespace, name);
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    let about = About { namespace, name, uid, generation };
    let words = Look::new(context, namespace, name);
    let policy = loosening::look(context, &words, about, &spec, &before, context.cluster.now()).await?;
    let spec = policy.spec(&spec);
    let asked = context.cluster.now();
    let (measured, heard) = tokio::join!(
        measure(&context.sources, namespace, spec, asked),
        context.signals.hear(&context.sources, (namespace, name), spec, asked)
    );
    let now = context.cluster.now();
    let mut status = status(name, &before, generation, spec, &measured, now);
    status.signals = heard.map(|heard| status_of(&heard, before.signals.as_ref(), now));
    let unnumbered = charges::waits(context, &words, namespace, name).await;
    ledger::count(context, (namespace, name), (spec, unnumbered), &before, &mut status, now).await?;
    policy.put(name, &before, &mut status, now);
    if context.pending.forgets(namespace, name) {
        loosening::forgotten(name, &before, &mut status, now);
    }
    let added =
        obligations::add(context, &words, (namespace, name), (spec, present(&measured)), &before, &mut status, now)
            .await?;
    let owed = added.next.map_or(std::time::Duration::MAX, |next| next.since(now).as_std());
    let written = context.cluster.write_budget_status((namespace, name), &resource_version, &raw, &status).await?;
    let anew = context.pending.note_written(namespace, name, written);
    if anew {
        tracing::error!(namespace, name, "{}", loosening::FORGETS);
    }
    if written != Written::Nothing {
        context.metrics.wrote("budget_status");
        let ready = status.conditions.first();
        tracing::info!(
            namespace,
            name,
            reason = ready.map(|ready| ready.reason.as_str()),
            says = ready.map(|ready| ready.message.as_str()),
            "budget"
        );
        loosening::tell(context, about, &policy, &before).await;
        obligations::tell(context, (namespace, name, uid), added).await;
    }
    context.metrics.budget(namespace, name, &status);
    context.metrics.figures(namespace, name, &status, now);
    if context.budgets.note(namespace, name, generation) {
        for release in context.index.of_budget(namespace, name) {
            context.queue.add(&Key::release(namespace, &release), Lane::Calm, std::time::Duration::ZERO);
        }
    }
    match charges::charge(context, &words, namespace, name).await {
        // The condition says it at once.
        Ok(false) if anew => return Ok(Next::In(Lane::Urgent, AT_ONCE)),
        Ok(true) => return Ok(Next::In(Lane::Urgent, AT_ONCE)),
        Ok(false) => {}
        // It is tried again at the next look.
        Err(error) => tracing::warn!(namespace, name, %error, "a charge could not be made"),
    }
    if let Err(error) = prune::look_at_charges(context, key, (namespace, name, uid), &status).await {
        tracing::warn!(namespace, name, %error, "records of charges were not pruned; it is tried again within the hour");
    }
    let soon = interval.mul_f64(0.95 + 0.1 * context.cluster.chance());
    // The window turns by the clock, and a deadline passes, whoever looks.
    let turns = status.risk.as_ref().map_or(soon, |risk| risk.until.since(now).as_std()).min(owed);
    Ok(Next::In(Lane::Urgent, soon.min(turns.max(std::time::Duration::from_millis(20)))))
}

impl Budgets {
    /// Whether a budget of that name was measured, or tried to be, in any generation.
    pub(super) fn tried(&self, namespace: &str, name: &str) -> bool {
        lock(&self.0).contains_key(&(namespace.to_owned(), name.to_owned()))
    }
}

/// The status that a measurement makes. Where it failed, the last figures stay and Ready says so.
fn status(
    name: &str,
    before: &RiskBudgetStatus,
    generation: i64,
    spec: &RiskBudgetSpec,
    measured: &[Measurement],
    now: Time,
) -> RiskBudgetStatus {
    let problem = measured.iter().find_map(|slo| Some((slo.name.as_str(), slo.remaining.as_ref().err()?)));
    let figures = match problem {
        None => worst(measured).map(|(slo, left)| (slo.to_owned(), left)),
        Some(_) => before
            .error_budget
            .as_ref()
            .and_then(|last| Some((measured_by(last), Remaining::from_percent(last.remaining_percent)?))),
    };
    let coverage = measured.iter().filter_map(|slo| slo.coverage).map(|percent| percent.get()).reduce(f64::min);
    let coverage = match (problem, &before.error_budget) {
        (Some(_), Some(last)) => last.coverage_percent,
        (Some(_) | None, _) => one_decimal(coverage.unwrap_or(100.0)),
    };
    let error_budget = figures.map(|(slo, left)| {
        let own = budget::budget_status(left);
        let status = budget::with_freeze(own, spec.freeze.as_ref(), now);
        ErrorBudget {
            status,
            remaining_percent: left.rounded(),
            decided_by: if status == own { slo } else { format!("{FREEZE}{slo})") },
            coverage_percent: coverage,
            slos: measured.iter().map(slo_status).collect(),
        }
    });
    let (truth, reason, message) = match (problem, &error_budget) {
        (Some((slo, problem)), last) => {
            (Truth::False, problem.reason(), failed(slo, problem.why(), last.as_ref(), problem.reason()))
        }
        (None, Some(budget)) => (Truth::True, "Measured", told(spec, budget)),
        (None, None) => (Truth::False, "NoData", "It has no objectives to measure.".to_owned()),
    };
    let facts = (truth, reason, format!("RiskBudget {name}: {message}"));
    let ready = condition("Ready", facts, before, generation, now);
    RiskBudgetStatus { observed_generation: generation, error_budget, conditions: vec![ready], ..before.clone() }
}

/// A condition of a budget, by its facts; a message keeps what a condition has room for.
pub(super) fn condition(
    kind: &str,
    (status, reason, message): (Truth, &str, String),
    before: &RiskBudgetStatus,
    generation: i64,
    now: Time,
) -> Condition {
    let message = message.chars().take(4_000).collect();
    Condition::now(kind, (status, reason, message), &before.conditions, generation, now)
}

/// How `decidedBy` begins where a freeze is stricter than the measurement.
const FREEZE: &str = "freeze (measured: ";

/// The objective behind `decidedBy`, which a freeze wraps.
fn measured_by(last: &ErrorBudget) -> String {
    let inner = last.decided_by.strip_prefix(FREEZE).and_then(|rest| rest.strip_suffix(')'));
    inner.unwrap_or(&last.decided_by).to_owned()
}

fn worst(measured: &[Measurement]) -> Option<(&str, Remaining)> {
    let known: Vec<_> =
        measured.iter().filter_map(|slo| Some((slo.name.as_str(), *slo.remaining.as_ref().ok()?))).collect();
    budget::worst(&known)
}

fn slo_status(slo: &Measurement) -> SloStatus {
    SloStatus {
        name: slo.name.clone(),
        remaining_percent: slo.remaining.as_ref().ok().map(|left| left.rounded()),
        coverage_percent: slo.coverage.map(|percent| one_decimal(percent.get())),
        problem: slo.remaining.as_ref().err().map(|problem| problem.why().chars().take(500).collect()),
        burn: slo.paces.gravest().map(|burn| burn_status(burn.pair)),
    }
}

const fn burn_status(pair: Pair) -> BurnStatus {
    BurnStatus { level: pair.level, times: pair.factor, over: pair.long, still_over: pair.short }
}

/// How fast the budget of the objective that decides goes at present; none where something is not measured, and the last figures stay.
fn present(measured: &[Measurement]) -> Option<Present> {
    let (name, _) = worst(measured).filter(|_| measured.iter().all(|slo| slo.remaining.is_ok()))?;
    measured.iter().find(|slo| slo.name == name)?.present
}

fn told(spec: &RiskBudgetSpec, budget: &ErrorBudget) -> String {
    let objective = spec.slos.iter().find(|slo| slo.name == measured_by(budget));
    let of = objective.map(|slo| format!(" (objective {} in {})", slo.objective, slo.window)).unwrap_or_default();
    let coverage = match budget.coverage_percent < 100.0 {
        true => {
            format!(" The series cover {} % of the window; what is older counts as nothing.", budget.coverage_percent)
        }
        false => String::new(),
    };
    let freeze = match &spec.freeze {
        Some(freeze) if budget.decided_by.starts_with(FREEZE) => {
            let until = freeze
                .until
                .map_or_else(|| "until it is removed".to_owned(), |until| format!("until {}", until.clock()));
            format!(" A freeze is declared {until}: {}.", freeze.reason.trim_end_matches('.'))
        }
        Some(_) | None => String::new(),
    };
    format!(
        "{}, {} % of the error budget left by {}{of}.{coverage}{freeze}",
        budget.status,
        budget.remaining_percent,
        measured_by(budget)
    )
}

fn failed(slo: &str, why: &str, last: Option<&ErrorBudget>, reason: &str) -> String {
    let remedy = match reason {
        "NoData" => " Check that the recording rules are loaded and the Service's requests are scraped.",
        "InvalidQuery" => " Correct the objective's query.",
        _ => " It is tried again at every interval.",
    };
    let last = match last {
        Some(last) => format!(
            " The last figures stay ({}, {} % left) and count for 10 minutes.",
            last.status, last.remaining_percent
        ),
        None => " Nothing is released until it is measured.".to_owned(),
    };
    format!("objective {slo} could not be measured: {}.{remedy}{last}", why.trim_end_matches('.'))
}

fn one_decimal(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{BudgetStatus, Percent};
    use crate::policy::burn::Paces;
    use crate::prometheus::budget::Problem;
    use crate::prometheus::config::Source;
    use crate::prometheus::{Config, NoAnswer, Sources, Transport, When};
    use crate::server::Metrics;
    use futures::future::BoxFuture;
    use serde_json::json;
    use std::sync::Arc;

    fn at(minute: i64) -> Time {
        Time(jiff::Timestamp::from_second(minute * 60).unwrap())
    }

    fn spec() -> RiskBudgetSpec {
        serde_json::from_value(json!({"tier": 2, "slos": [
            {"name": "availability", "objective": 99.5, "availability": {"service": "web"}},
            {"name": "latency", "objective": 95, "latency": {"service": "web"}},
        ]}))
        .unwrap()
    }

    fn left(name: &str, percent: f64) -> Measurement {
        Measurement {
            name: name.into(),
            remaining: Ok(Remaining::from_percent(percent).unwrap()),
            coverage: Some(Percent::new(40.0).unwrap()),
            paces: Paces::CALM,
            present: None,
        }
    }

    fn down(name: &str) -> Measurement {
        Measurement {
            name: name.into(),
            remaining: Err(Problem::Unavailable("connection refused".into())),
            coverage: None,
            paces: Paces::CALM,
            present: None,
        }
    }

    #[test]
    fn the_worst_objective_decides_and_is_named() {
        let made = status(
            "web",
            &RiskBudgetStatus::default(),
            1,
            &spec(),
            &[left("availability", 72.0), left("latency", 20.04)],
            at(1),
        );
        let budget = made.error_budget.unwrap();
        assert_eq!(
            (budget.status, budget.remaining_percent, budget.decided_by.as_str()),
            (BudgetStatus::Critical, 20.0, "latency")
        );
        assert_eq!(
            made.conditions[0].message,
            "RiskBudget web: Critical, 20 % of the error budget left by latency (objective 95 % in 30d). The series cover 40 % of the window; what is older counts as nothing."
        );
    }

    #[test]
    fn the_last_figures_stay_while_it_cannot_be_measured() {
        let first = status(
            "web",
            &RiskBudgetStatus::default(),
            1,
            &spec(),
            &[left("availability", 72.0), left("latency", 60.0)],
            at(1),
        );
        let second = status("web", &first, 1, &spec(), &[left("availability", 72.0), down("latency")], at(2));
        assert_eq!(second.error_budget.as_ref().map(|budget| budget.remaining_percent), Some(60.0));
        let ready = &second.conditions[0];
        assert_eq!(
            (ready.status, ready.reason.as_str(), ready.last_transition_time),
            (Truth::False, "PrometheusUnavailable", at(2))
        );
        assert!(
            ready.message.contains("objective latency could not be measured: connection refused."),
            "{}",
            ready.message
        );
        let third = status("web", &second, 1, &spec(), &[left("availability", 72.0), down("latency")], at(3));
        assert_eq!(third, second, "nothing is written while nothing changes");
    }

    /// A source that has one answer to everything.
    struct Always(&'static str);

    impl Transport for Always {
        fn get<'a>(&'a self, _: &'a Source, _: &'a str, _: When) -> BoxFuture<'a, Result<(u16, Vec<u8>), NoAnswer>> {
            Box::pin(async { Ok((200, self.0.into())) })
        }
    }

    /// Half of a store may lack the bad half of the requests: the figures of before stay in force.
    #[tokio::test]
    async fn half_an_answer_is_no_figure_and_the_condition_says_why() {
        let half = r#"{"status":"success","warnings":["store thanos-1 is away"],"data":{"resultType":"scalar","result":[0,"9"]}}"#;
        let config =
            Arc::new(Config::parse("metricsSources: {default: {url: 'http://p:9090'}}\nqueryTemplates: {}").unwrap());
        let sources = Sources::new(config, Arc::new(Always(half)), Arc::new(Metrics::default()), 1);
        let measured = measure(&sources, "shop", &spec(), at(0)).await;
        let before = [left("availability", 72.0), left("latency", 60.0)];
        let first = status("web", &RiskBudgetStatus::default(), 1, &spec(), &before, at(1));
        let made = status("web", &first, 1, &spec(), &measured, at(2));
        assert_eq!(made.error_budget.map(|budget| budget.remaining_percent), Some(60.0));
        let ready = &made.conditions[0];
        assert_eq!(ready.reason, "PrometheusUnavailable");
        let says = "could not be measured: the answer is partial: store thanos-1 is away.";
        assert!(ready.message.contains(says), "{}", ready.message);
    }

    #[test]
    fn a_freeze_is_at_least_as_strict_and_ends_by_itself() {
        let mut spec = spec();
        spec.freeze = Some(
            serde_json::from_value(json!({"status": "Emergency", "reason": "incident 7", "until": at(10)})).unwrap(),
        );
        let measured = [left("availability", 72.0), left("latency", 60.0)];
        let frozen = status("web", &RiskBudgetStatus::default(), 1, &spec, &measured, at(1));
        let budget = frozen.error_budget.as_ref().unwrap();
        assert_eq!(
            (budget.status, budget.decided_by.as_str()),
            (BudgetStatus::Emergency, "freeze (measured: latency)")
        );
        assert!(frozen.conditions[0].message.contains("incident 7"));
        let down = status("web", &frozen, 1, &spec, &[down("availability"), down("latency")], at(11));
        let budget = down.error_budget.unwrap();
        assert_eq!((budget.status, budget.decided_by.as_str()), (BudgetStatus::Healthy, "latency"));
    }
}
