//! The arithmetic of one window.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::api::risk_budget::LostCharges;
use crate::api::{Span, Time};

use crate::policy::band::{Band, band};
use crate::policy::confidence::{Confidence, confidence};
use crate::policy::points::RiskPoints;
use crate::policy::window::Period;

/// What a release cost, as its record says it: charged when it first met users, never again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Its number in the budget, from 1, without gaps.
    pub sequence: u64,
    /// The record.
    pub record: String,
    /// What it cost, an exception's penalty included.
    pub points: RiskPoints,
    /// When.
    pub at: Time,
    /// Whether it went past the gate.
    pub exception: bool,
}

/// Points that are kept for a release whose gate has opened and that has met nobody yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Its record.
    pub record: String,
    /// What it will cost.
    pub points: RiskPoints,
}

/// One window of a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The window.
    pub period: Period,
    /// What it was given.
    pub allocated: RiskPoints,
    /// The last number of the window before; 0 where there was none.
    pub before: u64,
    /// The highest number that was given out.
    pub last: u64,
    /// All charges that were found, in any order, of other windows too.
    pub charges: Vec<Charge>,
    /// What is promised.
    pub reserved: Vec<Reservation>,
    /// What charges of this window cost whose records are gone.
    pub lost: LostCharges,
}

/// What a ledger comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Balance {
    /// Spent in this window, what records that are gone had cost included.
    pub consumed: RiskPoints,
    /// Promised to releases that go on.
    pub reserved: RiskPoints,
    /// What is left once all that is promised is spent; below 0 where fixes and exceptions overdrew.
    pub remaining: i64,
    /// The band of what is left now. What is only promised does not count: a release that comes back unseen costs nothing.
    pub band: Band,
    /// When nothing is left if it goes on as it went in this window; none where it lasts to the end of the window.
    pub depleted_at: Option<Time>,
    /// How far that is to be believed; none where nothing is projected.
    pub confidence: Option<Confidence>,
    /// How many releases were charged.
    pub releases: usize,
    /// How many of them went past the gate.
    pub exceptions: usize,
}

/// A projection needs this much of a window behind it: the first hours tell nothing about a month.
const PROJECTED_AFTER: Span = Span::days(1);

impl Ledger {
    /// Whether a charge is one of this window.
    pub(super) fn counts(&self, charge: &Charge) -> bool {
        charge.sequence > self.before && self.period.holds(charge.at)
    }

    /// The charges of this window.
    pub(super) fn in_window(&self) -> impl Iterator<Item = &Charge> {
        self.charges.iter().filter(|charge| self.counts(charge))
    }

    /// What it comes to.
    pub fn balance(&self, now: Time) -> Balance {
        let sum = |points: &mut dyn Iterator<Item = RiskPoints>| points.fold(RiskPoints::ZERO, RiskPoints::plus);
        let consumed = sum(&mut self.in_window().map(|charge| charge.points)).plus(RiskPoints::new(self.lost.points));
        let reserved = sum(&mut self.reserved.iter().map(|one| one.points));
        let unspent = crate::policy::band::left(self.allocated, consumed);
        let depleted_at = self.depleted_at(consumed, unspent, now);
        let projected = depleted_at.is_some() && unspent > 0;
        Balance {
            consumed,
            reserved,
            remaining: unspent - i64::from(reserved.get()),
            band: band(unspent, self.allocated),
            depleted_at,
            confidence: projected.then(|| self.confidence(now)),
            releases: self.in_window().count(),
            exceptions: self.in_window().filter(|charge| charge.exception).count() + self.lost.exceptions as usize,
        }
    }

    /// Whether both halves of the time so far went alike, by points.
    fn confidence(&self, now: Time) -> Confidence {
        let half = now.since(self.period.from).as_millis() / 2;
        let (late, early): (Vec<_>, Vec<_>) =
            self.in_window().partition(|charge| now.since(charge.at).as_millis() < half);
        let points = |charges: Vec<&Charge>| charges.iter().map(|charge| f64::from(charge.points.get())).sum::<f64>();
        confidence(points(late), Some(points(early)))
    }

    /// As fast as in this window so far.
    fn depleted_at(&self, consumed: RiskPoints, unspent: i64, now: Time) -> Option<Time> {
        if unspent <= 0 {
            return self.in_window().map(|charge| charge.at).max();
        }
        let elapsed = now.since(self.period.from);
        if elapsed < PROJECTED_AFTER || consumed == RiskPoints::ZERO {
            return None;
        }
        let rest = elapsed.as_millis().saturating_mul(unspent.unsigned_abs()) / u64::from(consumed.get());
        let at = now.plus(Span::from_millis(rest));
        // A date: a projection that moved at every look would be written at every look.
        let day = Time(jiff::Timestamp::from_second(at.0.as_second().div_euclid(86_400) * 86_400).unwrap_or(at.0));
        (at < self.period.until).then_some(day)
    }

    /// The numbers of this window that no record carries, as ranges: records were deleted, or are still being written
    /// (`pending`).
    pub fn missing(&self, pending: &BTreeSet<u64>) -> Vec<RangeInclusive<u64>> {
        let found: BTreeSet<u64> = self.charges.iter().map(|charge| charge.sequence).collect();
        let mut gaps: Vec<RangeInclusive<u64>> = Vec::new();
        let mut next = self.before.saturating_add(1);
        for number in
            found.union(pending).copied().filter(|number| *number > self.before).chain([self.last.saturating_add(1)])
        {
            if number > next {
                gaps.push(next..=number - 1);
            }
            next = next.max(number.saturating_add(1));
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn day(day: i64) -> Time {
        Time(jiff::Timestamp::from_second(day * 86_400).unwrap())
    }

    fn charge(sequence: u64, points: u32, at: i64) -> Charge {
        Charge {
            sequence,
            record: format!("web-{sequence:04}"),
            points: RiskPoints::new(points),
            at: day(at),
            exception: false,
        }
    }

    /// 120 points for days 0 to 30.
    fn ledger(points: &[u32]) -> Ledger {
        let charges: Vec<_> = (1..).zip(points).map(|(number, points)| charge(number, *points, 1)).collect();
        Ledger {
            period: Period { key: "1970-01".into(), from: day(0), until: day(30) },
            allocated: RiskPoints::new(120),
            before: 0,
            last: charges.len() as u64,
            charges,
            reserved: Vec::new(),
            lost: LostCharges::default(),
        }
    }

    #[rstest]
    #[case::nothing_spent(&[], 120, Band::Green)]
    #[case::sixty_percent_left(&[48], 72, Band::Green)]
    #[case::just_below(&[48, 1], 71, Band::Yellow)]
    #[case::thirty_percent_left(&[84], 36, Band::Yellow)]
    #[case::below_thirty(&[85], 35, Band::Red)]
    #[case::all_spent(&[100, 20], 0, Band::Exhausted)]
    #[case::overdrawn(&[100, 30], -10, Band::Exhausted)]
    fn what_is_left_decides_the_band(#[case] points: &[u32], #[case] remaining: i64, #[case] band: Band) {
        let balance = ledger(points).balance(day(2));
        assert_eq!((balance.remaining, balance.band), (remaining, band));
    }

    #[test]
    fn a_promise_is_kept_apart_from_what_is_spent() {
        let mut ledger = ledger(&[40]);
        ledger.reserved.push(Reservation { record: "web-0002".into(), points: RiskPoints::new(70) });
        let balance = ledger.balance(day(2));
        assert_eq!((balance.remaining, balance.band), (10, Band::Green));
    }

    #[rstest]
    #[case::slowly(30, 10, None)]
    #[case::evenly_to_the_end(40, 10, None)]
    #[case::twice_as_fast(60, 10, Some(20))]
    #[case::on_the_first_day(60, 0, None)]
    #[case::after_the_first_day(60, 1, Some(2))]
    #[case::gone(120, 10, Some(0))]
    fn the_rest_lasts_as_long_as_it_did_so_far(#[case] spent: u32, #[case] now: i64, #[case] until: Option<i64>) {
        let mut ledger = ledger(&[spent]);
        ledger.charges[0].at = day(0);
        assert_eq!(ledger.balance(day(now)).depleted_at, until.map(day));
    }

    /// Sixty points of 120 in ten days of thirty.
    #[rstest]
    #[case::evenly(&[2, 7], Some(Confidence::High))]
    #[case::all_of_it_lately(&[8, 9], Some(Confidence::Low))]
    #[case::all_of_it_at_first(&[0, 1], Some(Confidence::Low))]
    #[case::too_little_to_project(&[9], None)]
    #[case::in_the_middle_is_at_first(&[5, 7], Some(Confidence::High))]
    #[case::nothing_left_to_project(&[1, 3, 6, 8], None)]
    fn a_projection_says_how_far_it_is_to_be_believed(#[case] days: &[i64], #[case] expected: Option<Confidence>) {
        let mut ledger = ledger(&vec![30; days.len()]);
        for (charge, at) in ledger.charges.iter_mut().zip(days) {
            charge.at = day(*at);
        }
        assert_eq!(ledger.balance(day(10)).confidence, expected);
    }

    #[rstest]
    #[case::whole(&[1, 2, 3], 3, &[], vec![])]
    #[case::one_deleted(&[1, 3], 3, &[], vec![2..=2])]
    #[case::the_newest_deleted(&[1, 2], 3, &[], vec![3..=3])]
    #[case::several(&[4], 7, &[], vec![1..=3, 5..=7])]
    #[case::still_being_written(&[1, 2], 3, &[3], vec![])]
    #[case::a_number_that_was_never_given_out(&[1, 2, 9], 3, &[], vec![3..=8])]
    fn a_record_that_is_gone_leaves_a_gap(
        #[case] found: &[u64],
        #[case] last: u64,
        #[case] pending: &[u64],
        #[case] gaps: Vec<RangeInclusive<u64>>,
    ) {
        let charges = found.iter().map(|number| charge(*number, 1, 1)).collect();
        let ledger = Ledger { charges, last, ..ledger(&[]) };
        assert_eq!(ledger.missing(&pending.iter().copied().collect()), gaps);
    }

    #[test]
    fn charges_of_the_window_before_do_not_count_again() {
        let mut ledger = ledger(&[50, 20]);
        (ledger.before, ledger.charges[0].at) = (1, day(-3));
        assert_eq!(ledger.balance(day(2)).consumed, RiskPoints::new(20));
        assert_eq!(ledger.missing(&BTreeSet::new()), vec![]);
    }
    #[test]
    fn what_has_a_number_of_the_window_before_or_a_date_of_another_does_not_count() {
        let mut ledger = ledger(&[50, 20, 7]);
        (ledger.before, ledger.charges[2].at) = (1, day(31));
        let balance = ledger.balance(day(2));
        assert_eq!((balance.consumed, balance.releases), (RiskPoints::new(20), 1));
    }
}
