//! A query that is not answered is asked again, within its time-out and not where that would not help.

use std::sync::atomic::{AtomicUsize, Ordering};

use rstest::rstest;

use super::*;
use crate::analysis::Evidence;

/// Answers the first queries as it is told, and every other with 3.
struct Failing {
    first: Vec<Result<(u16, &'static str), &'static str>>,
    asked: AtomicUsize,
}

const THREE: &str = r#"{"status":"success","data":{"resultType":"scalar","result":[0,"3"]}}"#;

impl Transport for Failing {
    fn get<'a>(&'a self, _: &'a Source, _: &'a str, _: When) -> BoxFuture<'a, Result<(u16, Vec<u8>), NoAnswer>> {
        let answer = self.first.get(self.asked.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or(Ok((200, THREE)));
        Box::pin(async move {
            match answer {
                Ok((0, _)) => std::future::pending().await,
                Ok((code, body)) => Ok((code, body.as_bytes().to_vec())),
                Err(why) => Err(NoAnswer::Unreachable(why.to_owned())),
            }
        })
    }
}

const REFUSED: Result<(u16, &str), &str> = Err("connection refused");

#[rstest]
#[case::at_once(vec![], 1, "3")]
#[case::a_moment_away(vec![REFUSED], 2, "3")]
#[case::restarting(vec![REFUSED, Ok((503, "starting"))], 3, "3")]
#[case::away(vec![REFUSED; 9], 3, "metrics source \"default\": connection refused")]
#[case::its_own_error(vec![Ok((500, "boom")); 9], 3, "metrics source \"default\": HTTP 500")]
#[case::asked_too_much(vec![Ok((429, "slow down")); 9], 1, "metrics source \"default\": HTTP 429")]
#[case::a_mistake(vec![Ok((400, "no")); 9], 1, "HTTP 400")]
#[case::slow(vec![Ok((0, ""))], 1, "metrics source \"default\": no answer within 5s")]
#[case::away_then_slow(vec![REFUSED, Ok((0, ""))], 2, "metrics source \"default\": connection refused")]
#[tokio::test(start_paused = true)]
async fn what_passes_by_itself_is_tried_three_times(
    #[case] first: Vec<Result<(u16, &'static str), &'static str>>,
    #[case] asked: usize,
    #[case] says: &str,
) {
    let transport = Arc::new(Failing { first, asked: AtomicUsize::new(0) });
    let config = Arc::new(crate::sandbox::config::config(Span::minutes(1)).unwrap());
    let sources = Sources::new(config, transport.clone(), Arc::new(Deaf), 1);
    let began = tokio::time::Instant::now();
    let evidence = sources
        .ask(super::super::slots::Asker::Administrator, "default", "up")
        .await
        .of(Time(jiff::Timestamp::UNIX_EPOCH), Span::seconds(1))
        .single(super::super::reply::Nan::Invalid);
    let said = match &evidence {
        Evidence::Value(value) => value.to_string(),
        other @ (Evidence::NoData(_) | Evidence::Partial { .. } | Evidence::Invalid(_) | Evidence::Unreachable(_)) => {
            other.why().unwrap().to_owned()
        }
    };
    assert_eq!((said.as_str(), transport.asked.load(Ordering::Relaxed)), (says, asked));
    assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
}
