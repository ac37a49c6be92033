//! How long it takes until it can be told that a version is not worse.

use std::fmt;

use super::interval::{Base, Counts, Interval};
use super::setup::Setup;
use super::tally::Tally;
use super::wealth::{Bet, RATIOS};
use crate::analysis::figures::{count, percent};
use crate::api::units::round2;
use crate::api::{Percent, Span, Time};

/// The present traffic, in requests per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Of the new version.
    pub candidate: f64,
    /// Of what serves beside it.
    pub base: f64,
}

/// How much more time is needed, and at which traffic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BakeTime {
    /// How much longer, at least a whole number of intervals; zero where it can be told already.
    pub more: Span,
    /// The traffic that this rests on.
    pub flow: Flow,
}

impl fmt::Display for BakeTime {
    /// `needs about 23 min more at 8 requests/s, 5 % of them to the new version`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.flow.candidate + self.flow.base;
        let per_second = per_second(all);
        write!(
            f,
            "needs about {} more at {per_second} requests/s, {} of them to the new version",
            minutes(self.more),
            percent(((self.flow.candidate / all) * 1_000.0).round() / 1_000.0)
        )
    }
}

/// `8`, `0.33`, `1,234`.
pub fn per_second(rate: f64) -> String {
    if rate >= 10.0 { count(rate) } else { round2(rate).to_string() }
}

/// `23 min`, `4 h`, `12 days`: rounded up.
pub fn minutes(span: Span) -> String {
    let whole = span.as_millis().div_ceil(60_000).max(1);
    match whole {
        0..=119 => format!("{whole} min"),
        120..=2_879 => format!("{} h", whole.div_ceil(60)),
        2_880.. => format!("{} days", whole.div_ceil(1_440)),
    }
}

/// How much longer the present traffic must flow until a version that is as good as stable is called not worse, on
/// average.
///
/// With an empty tally: before the start. `length` is how long one interval is. Stable's share of bad requests is what it
/// was since the release began, otherwise `setup.base_rate`, otherwise 0. None where this traffic never tells: none on the
/// new version, or nothing to compare it with. At most 366 days.
pub fn bake_time(setup: &Setup, tally: &Tally, flow: Flow, length: Span) -> Option<BakeTime> {
    let game = setup.game(Bet::NotWorse);
    let missing = game.decided() - tally.ln_wealth(setup, Bet::NotWorse);
    if tally.is_not_worse(setup) {
        return Some(BakeTime { more: Span::ZERO, flow });
    }
    let one_second = one_second(setup, tally, flow)?;
    // Each ratio grows by itself, and the first to be rich enough decides.
    let parts = tally.wealth(Bet::NotWorse).parts(&game, tally.intervals);
    let seconds = RATIOS
        .iter()
        .zip(parts)
        .map(|(m, part)| (game.decided() - part) / game.says(&one_second, *m))
        .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
        .reduce(f64::min)?;
    let at_least = (missing / game.growth_max()).ceil();
    let intervals = (seconds / length.as_secs_f64()).ceil().max(at_least);
    let millis = intervals * length.as_millis() as f64;
    // Saturating on purpose: what takes for ever takes longer than a Span can say.
    millis.is_finite().then(|| BakeTime { more: Span::from_millis(millis as u64), flow })
}

/// What a second of this traffic is like, where the new version is as good as stable.
fn one_second(setup: &Setup, tally: &Tally, flow: Flow) -> Option<Interval> {
    let sums = &tally.all;
    let frozen = setup.base_rate.map(Percent::ratio);
    let seen = (sums.base_requests > 0.0).then(|| sums.base_bad / sums.base_requests);
    let rate = seen.or(frozen).unwrap_or(0.0).min(1.0);
    let counts = |requests: f64| Counts::new(requests, requests * rate).ok();
    let base = counts(flow.base)?;
    let base = if base.requests() > 0.0 { Base::Measured(base) } else { Base::Frozen(setup.base_rate?) };
    let candidate = counts(flow.candidate).filter(|counts| counts.requests() > 0.0)?;
    let end = Time(jiff::Timestamp::UNIX_EPOCH);
    Some(Interval { end, length: Span::seconds(1), candidate, base })
}
