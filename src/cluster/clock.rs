//! Where time and chance come from. Pauses and deadlines are tokio's, which a simulation steps.

use crate::api::Time;

/// A clock, and the dice that keep pauses apart; both are replaced where a world is simulated.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Time;

    /// A number from 0 to 1, by chance.
    fn chance(&self) -> f64;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        jiff::Timestamp::now().into()
    }

    fn chance(&self) -> f64 {
        use std::hash::BuildHasher;
        let bits = std::hash::RandomState::new().hash_one(0_u8) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }
}
