//! Prometheus as a process of Tidegate reaches it: the small one of the sandbox, or what is left of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::schedule::PrometheusFault;
use super::world::Shared;
use crate::api::{Span, Time};
use crate::prometheus::config::Source;
use crate::prometheus::{NoAnswer, Transport, When};

/// The answers that one process gets.
pub struct Answers {
    shared: Arc<Shared>,
    process: usize,
}

/// How old a stale answer is.
const STALE: Span = Span::seconds(40);

impl Answers {
    /// Answers for a process.
    pub const fn new(shared: Arc<Shared>, process: usize) -> Self {
        Self { shared, process }
    }

    async fn answer(&self, query: &str, when: When) -> Result<(u16, Vec<u8>), NoAnswer> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let fault = self.shared.prometheus_fault();
        // What is stale looks like the truth: nobody can be blamed for believing it.
        let known_lie = fault.is_some_and(|fault| fault != PrometheusFault::Stale);
        if query.contains("http_request") {
            self.shared.answered(self.process, !known_lie);
        }
        let now = match when {
            When::At(at) => at,
            When::Now | When::Every { .. } => self.shared.now(),
        };
        let truth = |at: Time| match when {
            When::Now | When::At(_) => self.shared.query(query, at),
            When::Every { start, end, step } => self.range(query, start, end, step),
        };
        Ok(match fault {
            None => truth(now),
            Some(PrometheusFault::Stale) => truth(Time(now.0.saturating_sub(STALE.as_signed()).unwrap_or(now.0))),
            Some(PrometheusFault::Down) => return Err(NoAnswer::Unreachable("connection refused".to_owned())),
            Some(PrometheusFault::Error) => {
                (500, b"{\"status\":\"error\",\"errorType\":\"internal\",\"error\":\"boom\"}".to_vec())
            }
            Some(PrometheusFault::Garbage) => (200, b"<html>It works!</html>".to_vec()),
            Some(PrometheusFault::Empty) => {
                (200, b"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}".to_vec())
            }
            Some(PrometheusFault::Slow) => {
                tokio::time::sleep(Duration::from_secs(120)).await;
                truth(now)
            }
            Some(PrometheusFault::Nan) => changed(truth(now), nan),
            Some(PrometheusFault::Partial) => changed(truth(now), |body| {
                body["warnings"] = serde_json::json!(["a store did not answer"]);
            }),
        })
    }

    fn range(&self, query: &str, start: Time, end: Time, step: Span) -> (u16, Vec<u8>) {
        // There is nothing from before the world: of a day, what is asked for is its last minutes.
        let behind = start.0.as_millisecond().saturating_sub(self.shared.clock().epoch().0.as_millisecond());
        let skipped = u64::try_from(-behind).unwrap_or(0) / step.as_millis().max(1);
        let start = start.plus(Span::from_millis(step.as_millis() * skipped));
        let steps = std::iter::successors(Some(start), |at| Some(at.plus(step))).take_while(|at| at.0 <= end.0);
        let mut refused = None;
        let answers = steps.map_while(|at| {
            let (code, body) = self.shared.query(query, at);
            if code != 200 {
                refused = Some((code, body));
                return None;
            }
            serde_json::from_slice(&body).ok().map(|answer| (at, answer))
        });
        let rows = rows(answers);
        refused.unwrap_or_else(|| (200, rows.to_string().into_bytes()))
    }
}

/// A range as Prometheus makes it: the instant query, step by step.
fn rows(answers: impl Iterator<Item = (Time, serde_json::Value)>) -> serde_json::Value {
    let mut rows: BTreeMap<String, (serde_json::Value, Vec<serde_json::Value>)> = BTreeMap::new();
    for (at, mut answer) in answers {
        let samples = answer.pointer_mut("/data/result").and_then(serde_json::Value::as_array_mut);
        for sample in samples.into_iter().flatten() {
            let (metric, value) = (sample["metric"].take(), sample["value"][1].take());
            let row = rows.entry(metric.to_string()).or_insert_with(|| (metric, Vec::new()));
            row.1.push(serde_json::json!([at.0.as_millisecond() as f64 / 1_000.0, value]));
        }
    }
    let result: Vec<_> =
        rows.into_values().map(|(metric, values)| serde_json::json!({"metric": metric, "values": values})).collect();
    serde_json::json!({"status": "success", "data": {"resultType": "matrix", "result": result}})
}

fn changed((code, body): (u16, Vec<u8>), with: impl Fn(&mut serde_json::Value)) -> (u16, Vec<u8>) {
    let Ok(mut value) = serde_json::from_slice(&body) else { return (code, body) };
    with(&mut value);
    (code, value.to_string().into_bytes())
}

fn nan(body: &mut serde_json::Value) {
    let result = body.pointer_mut("/data/result").and_then(serde_json::Value::as_array_mut);
    for sample in result.into_iter().flatten() {
        if let Some(value) = sample.pointer_mut("/value/1") {
            *value = "NaN".into();
        }
    }
}

impl Transport for Answers {
    fn get<'a>(&'a self, _: &'a Source, query: &'a str, when: When) -> BoxFuture<'a, Result<(u16, Vec<u8>), NoAnswer>> {
        Box::pin(self.answer(query, when))
    }
}
