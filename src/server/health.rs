//! Whether this process works.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How long the API server may be silent before this process is not ready.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long the work may stand still before this process is not alive and should be started again.
const STUCK_MAX: Duration = Duration::from_secs(300);

/// What is known about this process.
#[derive(Debug, Default)]
pub struct Health(Mutex<Facts>);

#[derive(Debug, Default)]
struct Facts {
    /// When the API server last answered, and what it said of our kinds.
    answered: Option<(Instant, Result<(), String>)>,
    /// Whether API servers can ask the webhook; none where there is none.
    webhook: Option<Result<(), String>>,
    /// Whether this process takes no more questions.
    ending: bool,
    /// Since when something has been worked on, by worker.
    working_since: Vec<Option<Instant>>,
}

impl Health {
    /// The API server answered about our kinds.
    pub fn answered(&self, kinds: Result<(), String>) {
        self.with(|facts| facts.answered = Some((Instant::now(), kinds)));
    }

    /// The admission webhook can be asked, or why not. A process with a webhook is ready only with it.
    pub fn webhook(&self, works: Result<(), String>) {
        self.with(|facts| facts.webhook = Some(works));
    }

    /// The process ends soon: it is not ready any more.
    pub fn ending(&self) {
        self.with(|facts| facts.ending = true);
    }

    /// A worker began or ended a piece of work.
    pub fn working(&self, worker: usize, on: bool) {
        self.with(|facts| {
            if facts.working_since.len() <= worker {
                facts.working_since.resize(worker + 1, None);
            }
            facts.working_since[worker] = on.then(Instant::now);
        });
    }

    /// Whether the process moves.
    pub fn alive(&self) -> Result<(), String> {
        self.with(|facts| match facts.working_since.iter().flatten().find(|since| since.elapsed() > STUCK_MAX) {
            Some(since) => Err(format!("one piece of work has taken {} s", since.elapsed().as_secs())),
            None => Ok(()),
        })
    }

    /// Whether it could do its work, as leader now or as standby later.
    pub fn ready(&self) -> Result<(), String> {
        self.with(|facts| match &facts.answered {
            _ if facts.ending => Err("the process ends".to_owned()),
            None => Err("the API server has not answered yet".to_owned()),
            Some((at, _)) if at.elapsed() > SILENCE_MAX => {
                Err(format!("the API server has not answered for {} s", at.elapsed().as_secs()))
            }
            Some((_, kinds)) => kinds.clone().and(facts.webhook.clone().unwrap_or(Ok(()))),
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Facts) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_needs_an_answer_that_names_our_kinds() {
        let health = Health::default();
        assert!(health.ready().is_err() && health.alive().is_ok());
        health.answered(Err("apply the CRDs".into()));
        assert_eq!(health.ready(), Err("apply the CRDs".into()));
        health.answered(Ok(()));
        assert_eq!(health.ready(), Ok(()));
        health.webhook(Err("no certificate".into()));
        assert_eq!(health.ready(), Err("no certificate".into()));
        health.webhook(Ok(()));
        assert_eq!(health.ready(), Ok(()));
        health.ending();
        assert!(health.ready().is_err() && health.alive().is_ok());
    }
}
