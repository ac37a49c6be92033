use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use rstest::rstest;

use super::*;
use crate::api::RiskBudgetSpec;
use crate::prometheus::config::Source;
use crate::prometheus::{Config, NoAnswer, Observer, Transport, When};

/// Answers by the first letters of a query, and keeps what was asked.
#[derive(Default)]
struct Server {
    answers: Vec<(&'static str, &'static str)>,
    asked: Mutex<Vec<String>>,
}

impl Transport for Server {
    fn get<'a>(&'a self, _: &'a Source, query: &'a str, _: When) -> BoxFuture<'a, Result<(u16, Vec<u8>), NoAnswer>> {
        self.asked.lock().unwrap().push(query.to_owned());
        let answer = self.answers.iter().find(|(begins, _)| query.starts_with(begins));
        Box::pin(async move {
            match answer {
                Some((_, result)) => Ok((
                    200,
                    format!(r#"{{"status":"success","data":{{"resultType":"vector","result":{result}}}}}"#)
                        .into_bytes(),
                )),
                None => Err(NoAnswer::Unreachable("connection refused".to_owned())),
            }
        })
    }
}

/// When every answer is of, but for those that are stale.
const NOW: Time = Time(jiff::Timestamp::UNIX_EPOCH);

struct Deaf;

impl Observer for Deaf {
    fn query(&self, _: &str, _: Duration, _: Option<&'static str>) {}
}

const CONFIG: &str = "
metricsSources:
  default: {url: 'http://prometheus:9090'}
queryTemplates: {}
signals:
  default:
    incidents: 'incidents{n=\"$namespace\",b=\"$budget\"}[$window]'
    onCall: {pages: pages, normal: normal}
  incidents-only:
    incidents: incidents
";

fn spec(signals: Option<&str>) -> RiskBudgetSpec {
    let slo = serde_json::json!({"name": "a", "objective": 99.5, "availability": {"service": "web"}});
    serde_json::from_value(serde_json::json!({"tier": 2, "slos": [slo], "signals": signals})).unwrap()
}

fn sources(answers: &[(&'static str, &'static str)]) -> (Sources, Arc<Server>) {
    let server = Arc::new(Server { answers: answers.to_vec(), asked: Mutex::default() });
    let config = Arc::new(Config::parse(CONFIG).unwrap());
    (Sources::new(config, server.clone(), Arc::new(Deaf), 1), server)
}

const TWO: &str =
    r#"[{"metric":{"incident":"INC-7","severity":"sev1"},"value":[1,"1774958400"]},{"metric":{},"value":[1,"0"]}]"#;
const SEVEN: &str = r#"[{"metric":{},"value":[1,"7"]}]"#;

#[tokio::test]
async fn incidents_and_load_are_heard_and_the_queries_name_the_budget() {
    let (sources, server) = sources(&[("incidents", TWO), ("pages", SEVEN), ("normal", SEVEN)]);
    let heard = Shared::default().hear(&sources, ("shop", "web"), &spec(None), NOW).await.unwrap();
    let seen = heard.incidents.unwrap().unwrap();
    assert_eq!((seen[0].name.as_str(), seen[0].severity.as_str(), seen[0].last), ("INC-7", "sev1", 1_774_958_400.0));
    assert_eq!((seen[1].name.as_str(), seen[1].last), ("an incident", 0.0));
    assert_eq!(heard.on_call, Some(Ok(OnCallLoad { pages: 7.0, normal: 7.0 })));
    assert!(server.asked.lock().unwrap().contains(&"incidents{n=\"shop\",b=\"web\"}[604800s]".to_owned()));
}

/// What is no answer is never "no incident".
#[rstest]
#[case::empty(&[("incidents", "[]")], "vector(0)")]
#[case::nan(&[("incidents", r#"[{"metric":{},"value":[1,"NaN"]}]"#)], "NaN")]
#[case::stale(&[("incidents", r#"[{"metric":{},"value":[-300,"0"]}]"#)], "stale")]
#[case::down(&[], "connection refused")]
#[tokio::test]
async fn what_is_not_answered_is_told(#[case] answers: &[(&'static str, &'static str)], #[case] says: &str) {
    let (sources, _) = sources(answers);
    let heard = Shared::default().hear(&sources, ("shop", "web"), &spec(Some("incidents-only")), NOW).await.unwrap();
    let why = heard.incidents.unwrap().unwrap_err();
    assert!(why.contains(says), "{why}");
    assert_eq!(heard.on_call, None);
}

#[tokio::test]
async fn signals_that_are_not_configured_are_told_where_a_budget_names_them() {
    let (sources, _) = sources(&[]);
    let heard = Shared::default().hear(&sources, ("shop", "web"), &spec(Some("pager")), NOW).await.unwrap();
    let why = "the controller's configuration has no signals \"pager\"; spec.signals names it";
    assert_eq!(heard.incidents, Some(Err(why.to_owned())));
    let empty = Sources::new(Arc::new(Config::empty()), Arc::new(Server::default()), Arc::new(Deaf), 1);
    assert_eq!(Shared::default().hear(&empty, ("shop", "web"), &spec(None), NOW).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_question_is_put_once_an_interval() {
    let (sources, server) = sources(&[("incidents", TWO)]);
    let (shared, spec) = (Shared::default(), spec(Some("incidents-only")));
    let asked = || server.asked.lock().unwrap().len();
    shared.hear(&sources, ("shop", "web"), &spec, NOW).await;
    shared.hear(&sources, ("shop", "cart"), &spec, NOW).await;
    assert_eq!(asked(), 1, "two budgets share it");
    tokio::time::advance(Duration::from_secs(57)).await;
    shared.hear(&sources, ("shop", "web"), &spec, NOW).await;
    assert_eq!(asked(), 2);
}
