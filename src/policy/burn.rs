//! How fast the error budget goes: burn rates over two windows each.
//!
//! The documents ask for the present burn rate (`001_…`, budget reports) and leave the figures open; these are the usual ones
//! of alerts on objectives (14.4, 6, 3 and 1 times what spends the budget exactly in its window): the long window tells that
//! it matters, the short one that it still goes on.

use crate::api::{Percent, Span};

use super::SliCount;

/// How grave a burn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BurnLevel {
    /// Somebody is called now.
    Page,
    /// Somebody looks at it in working hours.
    Ticket,
}

/// A long and a short window, and the burn rate above which both together mean something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// How many times faster than its window the budget goes.
    pub factor: f64,
    /// Tells that it matters.
    pub long: Span,
    /// Tells that it goes on.
    pub short: Span,
    /// How grave it is.
    pub level: BurnLevel,
}

/// Every pair, the gravest first.
pub const PAIRS: [Pair; 4] = [
    Pair { factor: 14.4, long: Span::hours(1), short: Span::minutes(5), level: BurnLevel::Page },
    Pair { factor: 6.0, long: Span::hours(6), short: Span::minutes(30), level: BurnLevel::Page },
    Pair { factor: 3.0, long: Span::days(1), short: Span::hours(2), level: BurnLevel::Ticket },
    Pair { factor: 1.0, long: Span::days(3), short: Span::hours(6), level: BurnLevel::Ticket },
];

/// A burn that goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burn {
    /// The windows and the rate that they allow.
    pub pair: Pair,
    /// The rate in the long window.
    pub rate: f64,
}

/// How many times faster than in its window the budget of `objective` goes, by the events of a shorter one. None where there
/// were no events, a figure is none, or the objective leaves no budget.
pub fn rate(objective: Percent, count: SliCount) -> Option<f64> {
    let budget = 1.0 - objective.ratio();
    let known = count.bad.is_finite() && count.total.is_finite() && count.bad >= 0.0;
    (known && count.total > 0.0 && budget > 0.0).then(|| (count.bad / count.total).min(1.0) / budget)
}

/// The gravest burn that goes on, by the rate of each window; what is not known burns nothing.
pub fn burn(rate_of: impl Fn(Span) -> Option<f64>) -> Option<Burn> {
    PAIRS.into_iter().find_map(|pair| {
        let (long, short) = (rate_of(pair.long)?, rate_of(pair.short)?);
        (long > pair.factor && short > pair.factor).then_some(Burn { pair, rate: long })
    })
}

impl std::fmt::Display for Burn {
    /// `burns 20.5 times too fast over 1h and still over 5m (14.4 calls somebody)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Pair { factor, long, short, level } = self.pair;
        let means = match level {
            BurnLevel::Page => "calls somebody",
            BurnLevel::Ticket => "opens a ticket",
        };
        let rate = (self.rate * 10.0).round() / 10.0;
        write!(f, "burns {rate} times too fast over {long} and still over {short} ({factor} {means})")
    }
}
