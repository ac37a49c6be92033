//! What is known of an error budget's burn, of circuit breakers and of budgets, from a Prometheus that misleads; and how soon it is asked
//! again.

use std::sync::Mutex;

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::policy::burn::{BurnLevel, Pace, Paces};
use crate::prometheus::Config;
use crate::prometheus::budget::{Problem, measure};
use crate::release::ask::Burning;

/// What is wrong with a source.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    NaN,
    Empty,
    Stale,
    Slow,
    Error,
    Warns,
    IsPartial,
    Truncated,
}

/// Answers every query by its window: `total` is a thousand, `bad` so many.
struct Source {
    now: Time,
    fault: Mutex<Option<Fault>>,
    bad: f64,
    total: f64,
    sent: Mutex<usize>,
}

impl Transport for Source {
    fn get<'a>(
        &'a self,
        _: &'a super::super::config::Source,
        query: &'a str,
        _: When,
    ) -> BoxFuture<'a, Result<(u16, Vec<u8>), NoAnswer>> {
        Box::pin(async move {
            *self.sent.lock().unwrap() += 1;
            let fault = *self.fault.lock().unwrap();
            let seconds = self.now.0.as_second() - if fault == Some(Fault::Stale) { 300 } else { 0 };
            let value = if query.starts_with("bad") { self.bad } else { self.total };
            let value = if fault == Some(Fault::NaN) { "NaN".to_owned() } else { value.to_string() };
            let series = json!([{"metric": {}, "value": [seconds, value]}]);
            let series = if fault == Some(Fault::Empty) { json!([]) } else { series };
            let mut body = json!({"status": "success", "data": {"resultType": "vector", "result": series}});
            match fault {
                Some(Fault::Slow) => std::future::pending().await,
                Some(Fault::Error) => return Ok((500, b"boom".to_vec())),
                Some(Fault::Warns) => body["warnings"] = json!(["store a is away"]),
                Some(Fault::IsPartial) => body["isPartial"] = json!(true),
                Some(Fault::Truncated) => return Ok((200, body.to_string().as_bytes()[..30].to_vec())),
                Some(Fault::NaN | Fault::Empty | Fault::Stale) | None => {}
            }
            Ok((200, body.to_string().into_bytes()))
        })
    }
}

struct Asking {
    source: Arc<Source>,
    sources: Sources,
    seen: Snapshot,
}

/// One request in a thousand may fail; so many of a thousand do.
fn begin_with(bad: f64, total: f64) -> Asking {
    let config = "metricsSources: {default: {url: 'http://p:9090'}}\nqueryTemplates: {}\n\
        circuitBreakers: {payments: {source: default, query: bad, above: 5}}";
    let config = Arc::new(Config::parse(config).unwrap());
    let source = Source { now: begin(), fault: Mutex::default(), bad, total, sent: Mutex::default() };
    let source = Arc::new(source);
    let slo = json!({"name": "availability", "objective": 99.9, "promql": {"bad": "bad[$window]", "total": "total[$window]"}});
    let mut seen = World::new().seen;
    let objectives = &mut seen.risk.as_mut().unwrap().objectives;
    (objectives.source, objectives.slos) = ("default".to_owned(), vec![serde_json::from_value(slo).unwrap()]);
    Asking { sources: Sources::new(config, source.clone(), Arc::new(Deaf), 1), source, seen }
}

impl Asking {
    async fn burning(&self) -> Paces<Burning> {
        self.sources.answer(&self.seen, question(Span::minutes(2), begin()), begin()).await.burning
    }

    fn fails(&self, fault: Option<Fault>) {
        *self.source.fault.lock().unwrap() = fault;
    }

    fn sent(&self) -> usize {
        *self.source.sent.lock().unwrap()
    }
}

fn page(found: &Paces<Burning>) -> Option<(&str, f64)> {
    found.page.burning().map(|burning| (burning.objective.as_str(), burning.burn.pair.factor))
}

const EVERY: [Fault; 8] = [
    Fault::NaN,
    Fault::Empty,
    Fault::Stale,
    Fault::Slow,
    Fault::Error,
    Fault::Warns,
    Fault::IsPartial,
    Fault::Truncated,
];

#[tokio::test(start_paused = true)]
async fn no_fault_of_prometheus_is_calm_or_a_burn() {
    for bad in [0.0, 500.0] {
        for fault in EVERY {
            let asking = begin_with(bad, 1_000.0);
            asking.fails(Some(fault));
            let found = asking.burning().await;
            for pace in [found.page, found.ticket] {
                let Pace::NotKnown(why) = pace else { panic!("{fault:?}: {pace:?}") };
                assert!(why.starts_with("objective availability: "), "{why}");
            }
        }
    }
}

#[rstest]
#[case::it_burns(500.0, 1_000.0, Some(("availability", 14.4)))]
#[case::calm(0.0, 1_000.0, None)]
#[case::no_requests(0.0, 0.0, None)]
#[tokio::test]
async fn what_is_answered_is_known(#[case] bad: f64, #[case] total: f64, #[case] wanted: Option<(&str, f64)>) {
    let found = begin_with(bad, total).burning().await;
    assert_eq!(page(&found), wanted);
    assert!(wanted.is_some() || found == Paces::CALM, "{found:?}");
    assert_eq!(found.ticket.burning().map(|one| one.burn.pair.level), wanted.map(|_| BurnLevel::Ticket));
}

#[tokio::test]
async fn without_objectives_nothing_is_asked_and_without_a_budget_nothing_is_known() {
    let mut asking = begin_with(500.0, 1_000.0);
    asking.seen.risk.as_mut().unwrap().objectives.slos.clear();
    assert_eq!((asking.burning().await, asking.sent()), (Paces::CALM, 0));
    asking.seen.risk = None;
    assert!(matches!(asking.burning().await.page, Pace::NotKnown(_)));
}

/// A budget is looked at once a minute; a release many times more often.
#[tokio::test(start_paused = true)]
async fn a_failure_is_asked_again_soon_and_an_answer_serves_the_interval() {
    for fault in EVERY {
        let asking = begin_with(500.0, 1_000.0);
        asking.fails(Some(fault));
        asking.burning().await;
        asking.fails(None);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(page(&asking.burning().await), Some(("availability", 14.4)), "{fault:?}");
        let sent = asking.sent();
        asking.fails(Some(fault));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(page(&asking.burning().await), Some(("availability", 14.4)), "{fault:?}");
        assert_eq!(asking.sent(), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_stays_away_is_asked_more_and_more_seldom() {
    let asking = begin_with(500.0, 1_000.0);
    // Asked too much: not tried again at once, so that each look that asks sends one query a window and figure.
    asking.fails(Some(Fault::Truncated));
    let mut asked = Vec::new();
    for second in 0..120 {
        let before = asking.sent();
        asking.burning().await;
        if asking.sent() > before {
            asked.push(second);
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(asked, [0, 1, 3, 7, 15, 31, 47, 63, 79, 95, 111]);
}

#[tokio::test]
async fn a_stale_answer_opens_and_closes_no_circuit_breaker() {
    let asking = begin_with(7.0, 1_000.0);
    let reading = async || asking.sources.circuits(&asking.seen.release, begin()).await.remove(0).reading;
    asking.fails(Some(Fault::Stale));
    let why = reading().await.unwrap_err();
    assert!(why.starts_with("stale"), "{why}");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    asking.fails(None);
    assert_eq!(reading().await, Ok(7.0));
}

/// The query is right; what answers it is not.
#[tokio::test]
async fn a_stale_answer_is_no_figure_of_a_budget() {
    let asking = begin_with(0.5, 1_000.0);
    let slos = &asking.seen.risk.as_ref().unwrap().objectives.slos;
    let spec = serde_json::from_value(json!({"tier": 2, "metrics": "default", "slos": slos})).unwrap();
    asking.fails(Some(Fault::Stale));
    let measured = measure(&asking.sources, "shop", &spec, begin()).await.remove(0);
    let Err(Problem::Unavailable(why)) = &measured.remaining else { panic!("{measured:?}") };
    assert!(why.starts_with("stale"), "{why}");
    assert_eq!(measured.present, None);
}

#[tokio::test]
async fn a_budget_is_measured_with_its_present_burn() {
    let asking = begin_with(0.5, 1_000.0);
    let slos = &asking.seen.risk.as_ref().unwrap().objectives.slos;
    let spec = serde_json::from_value(json!({"tier": 2, "metrics": "default", "slos": slos})).unwrap();
    let measured = measure(&asking.sources, "shop", &spec, begin()).await.remove(0);
    let present = measured.present.unwrap();
    let (longer, over) = present.longer.unwrap();
    let rounded = |rate: f64| (rate * 1e6).round() / 1e6;
    assert_eq!((rounded(present.rate), present.over, rounded(longer), over), (0.5, Span::hours(6), 0.5, Span::days(3)));
    assert_eq!(measured.paces, Paces::CALM);
}
