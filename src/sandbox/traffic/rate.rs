//! How many requests come.

use super::dice;

const DAY: f64 = 86_400_000.0;

/// Requests per second over a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// The mean over a day, in requests per second.
    pub per_second: f64,
    /// How much the rate rises above its mean at the peak, as a share of the mean, 0 to 1; so much it falls at night. 0 is a
    /// rate that is the same all day.
    pub daily: f64,
    /// The hour of the peak, 0 to 24, UTC.
    pub peak_hour: f64,
    /// The variance of counts as a multiple of that of independent users: 1 is Poisson, 10 comes in bursts. At least 1.
    pub noise: f64,
}

impl Rate {
    /// A rate that is the same all day, of independent users.
    pub const fn steady(per_second: f64) -> Self {
        Self { per_second, daily: 0.0, peak_hour: 0.0, noise: 1.0 }
    }

    /// The expected requests per second at a time, in milliseconds since 1970.
    pub fn at(&self, millis: i64) -> f64 {
        let day = (millis as f64 / DAY).fract() - self.peak_hour / 24.0;
        (self.per_second * (1.0 + self.daily * (std::f64::consts::TAU * day).cos())).max(0.0)
    }

    /// How many come in so many seconds from a time on.
    pub(super) fn requests(&self, from: i64, seconds: f64, dice: &mut fastrand::Rng) -> u64 {
        let mean = self.at(from + (seconds * 500.0) as i64) * seconds;
        let burst = if self.noise > 1.0 { self.noise } else { 1.0 };
        let bursts = dice::poisson(mean / burst, dice);
        // Bursts of equal size have that size as the ratio of variance to mean.
        if burst > 1.0 { dice::whole(bursts as f64 * burst, dice) } else { bursts }
    }
}
