//! One clock that is stepped or runs faster than the real one.
//!
//! All of Tidegate waits by tokio's timers and asks a [`Clock`] for the time of day. On a runtime whose time is paused both
//! follow one virtual time: it jumps to the next timer whenever nobody has anything to do, or it is led along by
//! [`pace`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::api::Time;
use crate::cluster::Clock;

/// The time of day as one process sees it in a virtual time, and its dice.
pub struct VirtualClock {
    began: Instant,
    epoch: Time,
    skew: jiff::SignedDuration,
    dice: Mutex<fastrand::Rng>,
}

impl VirtualClock {
    /// A clock that shows `epoch` now, and throws dice by `seed`.
    pub fn new(epoch: Time, seed: u64) -> Self {
        Self {
            began: Instant::now(),
            epoch,
            skew: jiff::SignedDuration::ZERO,
            dice: Mutex::new(fastrand::Rng::with_seed(seed)),
        }
    }

    /// The same virtual time as another process sees it: its clock is wrong by `skew`, and its dice are its own.
    pub fn of_process(&self, skew: jiff::SignedDuration, seed: u64) -> Self {
        Self { began: self.began, epoch: self.epoch, skew, dice: Mutex::new(fastrand::Rng::with_seed(seed)) }
    }

    /// What it showed when all began.
    pub const fn epoch(&self) -> Time {
        self.epoch
    }

    /// When, for tokio's timers, this clock shows `time`, its skew left aside; at once where that is past.
    pub fn instant(&self, time: Time) -> Instant {
        self.began + time.since(self.epoch).as_std()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Time {
        let elapsed = jiff::SignedDuration::try_from(self.began.elapsed()).unwrap_or(jiff::SignedDuration::MAX);
        let now = self.epoch.0.checked_add(elapsed).and_then(|now| now.checked_add(self.skew));
        Time(now.unwrap_or(self.epoch.0))
    }

    fn chance(&self) -> f64 {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}

/// How long a step of real time is.
const STEP: Duration = Duration::from_millis(20);
/// The longest step of virtual time; more than one is made where time runs fast.
const VIRTUAL_STEP: Duration = Duration::from_millis(100);

/// Leads a paused runtime's time along: `speed` virtual seconds in a real one, as it is set at the moment; 0 stops it.
/// Never ends.
pub async fn pace(speed: watch::Receiver<f64>) {
    let mut before = std::time::Instant::now();
    loop {
        // While a blocking task is under way, a paused runtime does not jump to its next timer by itself.
        drop(tokio::task::spawn_blocking(|| std::thread::sleep(STEP)).await);
        let now = std::time::Instant::now();
        let real = now.duration_since(before).min(STEP * 10);
        before = now;
        let mut left = real.mul_f64(speed.borrow().max(0.0));
        while !left.is_zero() {
            let step = left.min(VIRTUAL_STEP);
            left -= step;
            tokio::time::advance(step).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch() -> Time {
        Time("2026-01-01T00:00:00Z".parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_day_follows_the_timers() {
        let clock = VirtualClock::new(epoch(), 1);
        let fast = clock.of_process(jiff::SignedDuration::from_secs(40), 2);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(clock.now().0.to_string(), "2026-01-01T01:00:00Z");
        assert_eq!(fast.now().0.to_string(), "2026-01-01T01:00:40Z");
        assert_eq!(clock.instant(clock.now()), Instant::now());
    }

    #[test]
    fn the_same_seed_throws_the_same_dice() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let throw = |seed| {
                let clock = VirtualClock::new(epoch(), seed);
                [(); 3].map(|()| clock.chance().to_bits())
            };
            assert_eq!(throw(7), throw(7));
            assert_ne!(throw(7), throw(8));
        });
    }

    #[tokio::test(start_paused = true)]
    async fn a_led_time_does_not_jump_and_can_be_stopped() {
        let (speed, led) = watch::channel(0.0);
        let pacing = tokio::spawn(pace(led));
        let waits = tokio::spawn(tokio::time::sleep(Duration::from_secs(30)));
        for _ in 0..3 {
            tokio::task::spawn_blocking(|| std::thread::sleep(STEP)).await.unwrap();
        }
        assert!(!waits.is_finished(), "stopped, but time went on");
        speed.send_replace(1_000.0);
        waits.await.unwrap();
        pacing.abort();
    }
}
