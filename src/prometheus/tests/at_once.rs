//! Many queries at once: who waits for whom, in virtual time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::super::client::Prometheus;
use super::super::reply::Reply;
use super::super::slots::{AT_ONCE, Asker, OF_ONE};
use super::*;
use crate::prometheus::Config;

/// Answers with 3 after a second; never what begins with `hang`; not at all what begins with `fail`.
#[derive(Default)]
struct Server {
    sent: Mutex<Vec<String>>,
    under_way: AtomicUsize,
    /// The most that were under way at once.
    most: AtomicUsize,
    told: AtomicUsize,
}

/// A query that is under way, until it ends or is given up.
struct UnderWay<'a>(&'a Server);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The moment of every answer.
const EPOCH: Time = Time(jiff::Timestamp::UNIX_EPOCH);
const THREE: &str = r#"{"status":"success","data":{"resultType":"scalar","result":[0,"3"]}}"#;
const ROWS: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[0,"3"]]}]}}"#;

impl Transport for Server {
    fn get<'a>(&'a self, _: &'a Source, query: &'a str, when: When) -> BoxFuture<'a, Result<(u16, Vec<u8>), NoAnswer>> {
        Box::pin(async move {
            self.sent.lock().unwrap().push(query.to_owned());
            let now = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
            let _under_way = UnderWay(self);
            self.most.fetch_max(now, Ordering::Relaxed);
            if query.starts_with("hang") {
                std::future::pending::<()>().await;
            }
            sleep(Duration::from_secs(1)).await;
            match (query.starts_with("fail"), when) {
                (true, _) => Err(NoAnswer::Unreachable("connection refused".to_owned())),
                (false, When::Now | When::At(_)) => Ok((200, THREE.into())),
                (false, When::Every { .. }) => Ok((200, ROWS.into())),
            }
        })
    }
}

impl Server {
    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

/// Counts what it is told of.
struct Ear(Arc<Server>);

impl Observer for Ear {
    fn query(&self, _: &str, _: Duration, _: Option<&'static str>) {
        self.0.told.fetch_add(1, Ordering::Relaxed);
    }
}

/// Two servers, the first with two names.
const CONFIG: &str = "
metricsSources:
  default: {url: 'http://prometheus:9090'}
  again: {url: 'http://prometheus:9090/'}
  slo: {url: 'http://thanos:9090'}
queryTemplates: {}
";

struct Asking {
    sources: Sources,
    server: Arc<Server>,
}

fn begin() -> Asking {
    let server = Arc::new(Server::default());
    let config = Arc::new(Config::parse(CONFIG).unwrap());
    Asking { sources: Sources::new(config, server.clone(), Arc::new(Ear(server.clone())), 1), server }
}

impl Asking {
    fn source(&self, name: &str) -> Arc<Prometheus> {
        self.sources.sources[name].clone()
    }

    /// A look in a namespace that asks a source, in a task of its own.
    fn look(&self, source: &str, namespace: &str, query: &str, when: When) -> JoinHandle<Reply> {
        let (source, namespace, query) = (self.source(source), namespace.to_owned(), query.to_owned());
        tokio::spawn(async move {
            source.query(Asker::Namespace(&namespace), &query, when).await.of(EPOCH, Span::seconds(1))
        })
    }

    /// Many queries that are never answered, from as many namespaces as it takes to fill every place of the source.
    async fn hang(&self, source: &str) -> Vec<JoinHandle<Reply>> {
        let all = (0..4 * AT_ONCE).map(|number| {
            let namespace = if number % 2 == 0 { "one" } else { "another" };
            self.look(source, namespace, &format!("hang{number}"), When::Now)
        });
        let all = all.collect();
        sleep(Duration::from_millis(1)).await;
        all
    }
}

/// What a reply says, in a word, and how long it took in seconds.
async fn within(looks: Vec<JoinHandle<Reply>>) -> (Vec<String>, u64) {
    let began = Instant::now();
    let said = join_all(looks).await.into_iter().map(|reply| match reply.unwrap() {
        Reply::Series { series, .. } => series[0].value.to_string(),
        Reply::Invalid(why) | Reply::Stale(why) | Reply::Unreachable(why) => why,
    });
    (said.collect(), began.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_delays_no_other() {
    let asking = begin();
    let hanging = asking.hang("slo").await;
    assert_eq!(asking.server.most.load(Ordering::Relaxed), AT_ONCE, "the places of one address");
    let look = asking.look("default", "shop", "up", When::Now);
    assert_eq!(within(vec![look]).await, (vec!["3".to_owned()], 1));
    let (said, _) = within(hanging).await;
    let sent = said.iter().filter(|why| why.as_str() == "metrics source \"slo\": no answer within 5s").count();
    let in_line = "metrics source \"slo\": no answer within 5s, most of it in line behind queries that are slow";
    assert_eq!(sent, AT_ONCE, "{said:?}");
    assert_eq!(said.iter().filter(|why| *why == in_line).count(), said.len() - AT_ONCE, "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn two_names_of_one_address_share_its_places() {
    let asking = begin();
    let _hanging = asking.hang("default").await;
    sleep(Duration::from_secs(2)).await;
    let look = asking.look("again", "shop", "up", When::Now);
    let (said, seconds) = within(vec![look]).await;
    assert_eq!((said[0].as_str(), seconds), ("3", 3), "2.999 s until what hangs is given up, and 1 s for the answer");
}

#[tokio::test(start_paused = true)]
async fn one_namespace_leaves_two_places_to_the_others() {
    let asking = begin();
    let noisy: Vec<_> =
        (0..40).map(|number| asking.look("default", "noisy", &format!("hang{number}"), When::Now)).collect();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(asking.server.most.load(Ordering::Relaxed), OF_ONE);
    let others: Vec<_> =
        (0..4).map(|number| asking.look("default", "shop", &format!("up{number}"), When::Now)).collect();
    assert_eq!(within(others).await, (vec!["3".to_owned(); 4], 2), "two at a time");
    noisy.iter().for_each(JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn places_are_given_in_the_order_of_asking() {
    let asking = begin();
    let queries: Vec<String> = (0..24).map(|number| format!("up{number:02}")).collect();
    let looks = queries.iter().map(|query| asking.look("default", "shop", query, When::Now)).collect();
    let (said, seconds) = within(looks).await;
    assert_eq!((said, seconds), (vec!["3".to_owned(); 24], 4), "six at a time, four times");
    assert_eq!(asking.server.sent(), queries);
}

#[tokio::test(start_paused = true)]
async fn ten_releases_that_ask_the_same_send_it_once() {
    let asking = begin();
    let looks = (0..10).map(|_| asking.look("default", "shop", "up", When::At(super::begin()))).collect();
    assert_eq!(within(looks).await, (vec!["3".to_owned(); 10], 1));
    assert_eq!(asking.server.sent().len(), 1);
    assert_eq!(asking.server.told.load(Ordering::Relaxed), 1, "one query, as it is counted");
    let (said, _) = within(vec![asking.look("default", "shop", "up", When::At(super::begin()))]).await;
    assert_eq!((said[0].as_str(), asking.server.sent().len()), ("3", 2), "an answer is not kept");
}

#[tokio::test(start_paused = true)]
async fn a_range_is_sent_once_too() {
    let asking = begin();
    let (source, start) = (asking.source("default"), super::begin());
    let day = When::Every { start, end: start.plus(Span::hours(24)), step: Span::minutes(1) };
    let rows = join_all((0..10).map(|_| source.range(Asker::Namespace("shop"), "up", day))).await;
    assert!(rows.iter().all(|rows| rows.as_ref().is_ok_and(|rows| rows.len() == 1)), "{rows:?}");
    assert_eq!(asking.server.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_same_is_sent_apart() {
    let asking = begin();
    let at = super::begin();
    let looks = vec![
        asking.look("default", "shop", "up", When::At(at)),
        asking.look("default", "shop", "up", When::At(at.plus(Span::seconds(1)))),
        asking.look("default", "shop", "up", When::Now),
        asking.look("default", "shop", "up{}", When::Now),
        asking.look("default", "other", "up", When::Now),
        asking.look("slo", "shop", "up", When::Now),
    ];
    assert_eq!(within(looks).await, (vec!["3".to_owned(); 6], 1));
    assert_eq!(asking.server.sent().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_shared_and_not_tried_again_by_each() {
    let asking = begin();
    let looks: Vec<_> = (0..10).map(|_| asking.look("default", "shop", "fail", When::Now)).collect();
    let (said, seconds) = within(looks).await;
    assert_eq!(said, vec!["metrics source \"default\": connection refused"; 10]);
    assert_eq!(asking.server.sent().len(), 3, "three tries in all");
    assert!((3..5).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn who_asked_first_may_leave_and_the_others_are_answered() {
    let asking = begin();
    let first = asking.look("default", "shop", "up", When::Now);
    sleep(Duration::from_millis(300)).await;
    let others = (0..3).map(|_| asking.look("default", "shop", "up", When::Now)).collect();
    sleep(Duration::from_millis(300)).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let began = Instant::now();
    assert_eq!(within(others).await.0, ["3"; 3]);
    assert!(began.elapsed() < Duration::from_millis(410), "what was under way went on: {:?}", began.elapsed());
    assert_eq!(asking.server.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_any_more_ends_and_gives_its_place_back() {
    let asking = begin();
    let looks: Vec<_> =
        (0..40).map(|number| asking.look("default", "shop", &format!("hang{number}"), When::Now)).collect();
    sleep(Duration::from_secs(1)).await;
    looks.iter().for_each(JoinHandle::abort);
    drop(join_all(looks).await);
    assert_eq!(asking.server.under_way.load(Ordering::Relaxed), 0);
    let looks = (0..OF_ONE).map(|number| asking.look("default", "shop", &format!("up{number}"), When::Now)).collect();
    assert_eq!(within(looks).await, (vec!["3".to_owned(); OF_ONE], 1));
}
