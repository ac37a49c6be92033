//! What records that are gone had cost. The ledger is counted from records, and so a deletion would give their points back:
//! what the former look at the same window came to is kept in its status, and what is missing of that still counts.

use std::collections::BTreeSet;

use super::balance::{Charge, Ledger};
use crate::api::risk_budget::{LostCharges, RiskStatus};

/// Charges of one window, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    points: u32,
    exceptions: u32,
}

impl Tally {
    fn of<'a>(charges: impl Iterator<Item = &'a Charge>) -> Self {
        charges.fold(Self::default(), |sum, charge| Self {
            points: sum.points.saturating_add(charge.points.get()),
            exceptions: sum.exceptions.saturating_add(u32::from(charge.exception)),
        })
    }
}

/// What is lost of a window; nothing where no number of it is missing. `last` is what its status said at the former look,
/// `given_up` are charges that had a number then and whose records were sealed without them: they cost nothing.
pub(super) fn lost(
    ledger: &Ledger,
    last: Option<&RiskStatus>,
    given_up: &[Charge],
    on_their_way: &BTreeSet<u64>,
) -> LostCharges {
    let missing: u64 = ledger.missing(on_their_way).iter().map(|gap| gap.end() - gap.start() + 1).sum();
    let last = last.filter(|last| last.window == ledger.period.key);
    if missing == 0 {
        return LostCharges::default();
    }
    let gone = last.and_then(|last| last.lost).unwrap_or_default();
    let numbers = last.map_or(0, |last| last.sequence);
    let counted_then = |charge: &&Charge| charge.sequence <= numbers;
    let still =
        Tally::of(ledger.in_window().chain(given_up.iter().filter(|one| ledger.counts(one))).filter(counted_then));
    let stood = Tally {
        points: last.map_or(0, |last| last.consumed.saturating_sub(gone.points)),
        exceptions: last.map_or(0, |last| last.exceptions.saturating_sub(gone.exceptions)),
    };
    let charges = u32::try_from(missing).unwrap_or(u32::MAX);
    // A record that was put back counts by itself; one that costs more since covers for none that is gone.
    let put_back = charges < gone.charges;
    let of = |gone: u32, stood: u32, still: u32| {
        let less = if put_back { still.saturating_sub(stood) } else { 0 };
        gone.saturating_sub(less).saturating_add(stood.saturating_sub(still))
    };
    LostCharges {
        charges,
        points: of(gone.points, stood.points, still.points),
        exceptions: of(gone.exceptions, stood.exceptions, still.exceptions),
    }
}
