//! A query that was not answered is tried again, after pauses that differ by chance.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};

use super::client::Answer;
use crate::analysis::NotYet;

/// How often a query is tried again.
const AGAIN: usize = 2;
/// The shortest first pause.
const FIRST: Duration = Duration::from_millis(100);
/// By how much the next pause is longer.
const FACTOR: f32 = 4.0;

/// Seeds of what happens by chance; each is another one. The first comes from whoever runs the process, so that a simulated world
/// can be run again.
pub(super) struct Dice(AtomicU64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(super) fn roll(&self) -> u64 {
        // By the golden ratio, as SplitMix64 steps: seeds that follow each other have little in common.
        self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed)
    }
}

/// Whether it may be over in a moment: no connection, or a server's own error. Who says that it is asked too much (429) is not asked
/// again at once, and what cannot be read will not be later.
fn is_passing(answer: &Answer) -> bool {
    match answer {
        Ok((code, _)) => *code >= 500,
        Err(why) => matches!(why, NotYet::Unreachable(_)),
    }
}

/// The pauses between tries. Each is lengthened by chance, up to twice as long, so that queries which failed together do not come
/// back together.
fn pauses(seed: u64) -> ExponentialBuilder {
    let pauses = ExponentialBuilder::new().with_min_delay(FIRST).with_factor(FACTOR).with_max_times(AGAIN);
    pauses.with_jitter().with_jitter_seed(seed)
}

/// Tries until there is an answer that stands, all of it `within` this time: what came of the last try that ended, none where none did.
pub(super) async fn again<F: Future<Output = Answer>>(
    within: Duration,
    seed: u64,
    mut attempt: impl FnMut() -> F,
) -> Option<Answer> {
    let mut last = None;
    let tried = move || {
        let answer = attempt();
        async move {
            let answer = answer.await;
            if is_passing(&answer) { Err(answer) } else { Ok(answer) }
        }
    };
    let tries = tried.retry(pauses(seed)).sleep(tokio::time::sleep).notify(|answer, _| last = Some(answer.clone()));
    match tokio::time::timeout(within, tries).await {
        Ok(Ok(answer) | Err(answer)) => Some(answer),
        Err(_) => last,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use backon::BackoffBuilder as _;
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn pauses_grow_and_lie_between_one_and_two_times_their_length() {
        let mut first = BTreeSet::new();
        let dice = Dice::new(7);
        for _ in 0..200 {
            let all: Vec<_> = pauses(dice.roll()).build().map(|pause| pause.as_millis()).collect();
            let [one, two] = all[..] else { panic!("{all:?}") };
            assert!((100..=200).contains(&one) && (400..=800).contains(&two), "{all:?}");
            first.insert(one);
        }
        assert!(first.len() > 50, "spread over the whole of it: {first:?}");
        assert!(first.first() < Some(&110) && first.last() > Some(&190), "{first:?}");
    }

    #[test]
    fn the_same_seed_waits_as_long() {
        let of = |seed| pauses(Dice::new(seed).roll()).build().collect::<Vec<_>>();
        assert_eq!(of(3), of(3));
        assert_ne!(of(3), of(4));
    }

    #[tokio::test(start_paused = true)]
    async fn tries_that_take_long_end_with_the_time_out() {
        for seed in 0..50 {
            let began = Instant::now();
            let away = || async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                Err(NotYet::Unreachable("connection refused".to_owned()))
            };
            let within = Duration::from_millis(900);
            let answer = again(within, seed, away).await;
            assert_eq!(answer, Some(Err(NotYet::Unreachable("connection refused".to_owned()))));
            assert!(began.elapsed() <= within, "{:?}", began.elapsed());
        }
    }
}
