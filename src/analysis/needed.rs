//! How long the present traffic takes until a limit can be told.

use super::chance::{Looked, beyond_chance};
use super::compare::{Overdispersion, minutes, per_second};
use crate::api::Span;

/// What takes so long, the longest that a [`Span`] can say, is not told in a release.
const LONGEST: Span = Span::hours(366 * 24);

/// What one version answered in a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flowed {
    /// Its requests. From 0.
    requests: f64,
    /// How long the window is.
    window: Span,
    /// Whom they went to, in words.
    whom: &'static str,
}

impl Flowed {
    /// The new version's requests.
    pub const fn to_the_new_version(requests: f64, window: Span) -> Self {
        Self { requests, window, whom: "the new version" }
    }

    /// Those of what serves beside it.
    pub(super) const fn to_stable(requests: f64, window: Span) -> Self {
        Self { requests, window, whom: "stable" }
    }

    /// `, and needs about 23 min more at 0.03 requests/s to the new version`: for so many requests more at this rate.
    pub fn until(self, missing: f64) -> String {
        let need = missing.max(0.0).ceil().min(f64::from(u32::MAX)) as u32;
        match traffic_time(self.requests, self.window, need) {
            Some(more) if more < LONGEST && need < u32::MAX => {
                let rate = self.requests / self.window.as_secs_f64();
                format!(", and needs about {} more at {} requests/s to {}", minutes(more), per_second(rate), self.whom)
            }
            Some(_) => format!("; that takes longer than a year at the present rate of requests to {}", self.whom),
            None => "; there is no traffic to tell from how long that takes".to_owned(),
        }
    }

    /// The same for as many times the requests as there are now, if the figures stay as they are: nobody knows how they move.
    pub(super) fn until_times(self, times: f64) -> String {
        match self.until(self.requests * (times - 1.0)) {
            needs if needs.starts_with(',') => format!("{needs} if it goes on like this"),
            never => never,
        }
    }
}

/// How long it takes at the rate of `requests` in `window` until a version has answered `need`; None without traffic.
pub fn traffic_time(requests: f64, window: Span, need: u32) -> Option<Span> {
    let per_second = requests / window.as_secs_f64();
    if !per_second.is_finite() || per_second <= 0.0 {
        return None;
    }
    // Saturating on purpose: a rate near zero takes longer than a Span can say.
    Some(Span::from_millis((f64::from(need) / per_second * 1_000.0).ceil() as u64))
}

/// How many times `requests` it takes until `bad` of them, in this ratio, are beyond chance at `rate` (0 to 1); to 5 %. Infinite where a
/// million times do not tell.
pub(super) fn times_beyond_chance(
    (bad, requests): (f64, f64),
    rate: f64,
    scatter: Overdispersion,
    looked: Looked,
) -> f64 {
    const MOST: f64 = 1e6;
    const STEP: f64 = 1.05;
    let tells = |times: f64| beyond_chance(bad * times, requests * times, rate, scatter, looked);
    let mut enough = 1.0;
    while !tells(enough) {
        enough *= 2.0;
        if enough > MOST {
            return f64::INFINITY;
        }
    }
    let mut few = enough / 2.0;
    while enough > few * STEP {
        let middle = f64::midpoint(few, enough);
        if tells(middle) {
            enough = middle;
        } else {
            few = middle;
        }
    }
    enough
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::in_minutes(30.0, 270.0, ", and needs about 18 min more at 0.25 requests/s to the new version")]
    #[case::enough_already(30.0, 0.0, ", and needs about 1 min more at 0.25 requests/s to the new version")]
    #[case::nobody_asks(0.0, 270.0, "; there is no traffic to tell from how long that takes")]
    #[case::never(
        30.0,
        f64::INFINITY,
        "; that takes longer than a year at the present rate of requests to the new version"
    )]
    fn the_time_until_so_many_more(#[case] requests: f64, #[case] missing: f64, #[case] expected: &str) {
        assert_eq!(Flowed::to_the_new_version(requests, Span::minutes(2)).until(missing), expected);
    }

    #[test]
    fn a_rate_that_goes_on_is_found_by_so_many_times_the_requests_and_not_by_fewer() {
        let scatter = Overdispersion::ASSUMED;
        let tells = |times: f64| beyond_chance(2.0 * times, 60.0 * times, 0.01, scatter, Looked::FIRST);
        let times = times_beyond_chance((2.0, 60.0), 0.01, scatter, Looked::FIRST);
        assert!(tells(times) && !tells(times * 0.9), "{times}");
    }

    #[test]
    fn what_is_at_the_limit_is_never_found() {
        let times = times_beyond_chance((10.0, 1_000.0), 0.01, Overdispersion::ASSUMED, Looked::FIRST);
        assert!(times.is_infinite(), "{times}");
    }
}
