//! From the records of a budget to its status.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::Entry;
use super::balance::{Balance, Charge, Ledger, Reservation};
use super::figures::{figures, outcomes};
use crate::api::figures::Figures;
use crate::api::risk_budget::{LedgerStatus, PendingCharge, RiskStatus, Tightening, WindowStatus};
use crate::api::{RiskBudgetStatus, Span, Time};
use crate::policy::adjustment::{Adjustment, AdjustmentFacts, History, Reward, WindowFigures, adjust};
use crate::policy::points::RiskPoints;
use crate::policy::tier::Tier;
use crate::policy::window::Period;

/// What a RiskBudget says about its points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// How critical the service is.
    pub tier: Tier,
    /// Its own allocation; the tier's where none.
    pub points: Option<RiskPoints>,
    /// What it earns.
    pub reward: Option<Reward>,
}

/// What a budget comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// The present window.
    pub risk: RiskStatus,
    /// What keeps concurrent releases apart.
    pub ledger: LedgerStatus,
    /// The windows before, the latest first.
    pub windows: Vec<WindowStatus>,
    /// What the present window showed.
    pub figures: Figures,
    /// Numbers of the present window that no record carries: records that were charged are gone.
    pub missing: Vec<RangeInclusive<u64>>,
}

/// Windows that are kept in status, beside the present one.
const WINDOWS_KEPT: usize = 13;

/// How long a charge takes at most from its number to its record where nothing is in its way. One that takes longer waits for
/// something, and is told of.
pub const PENDING_WITHIN: Span = Span::minutes(10);

/// So long before a window at most something was charged, or attested to be charged, that is still brought to its end in it.
/// Long enough for a controller that was away when the window turned. What is older may have been pruned, and nothing is
/// charged twice.
pub const LATE: Span = Span::days(1);

/// Counts a budget anew. `before` is its status as it stands; what it says of numbers and promises is kept as long as it
/// matters.
pub fn count(rules: &Rules, before: &RiskBudgetStatus, entries: &[Entry], period: &Period, now: Time) -> Counted {
    let charges: Vec<Charge> = entries.iter().filter_map(charge_of).collect();
    let pending = pending(&before.ledger, entries, period, now);
    let highest = charges.iter().map(|charge| charge.sequence).max().unwrap_or(0);
    let sequence = before.ledger.sequence.max(highest);
    // A window that could not be cut for a time closes all the same.
    let last = before.risk.as_ref().or(before.suspended.as_ref());
    let turned = last.filter(|risk| risk.window != period.key && risk.from < period.from);
    let windows = match turned {
        Some(closed) => fold(closed, before, entries),
        None => before.windows.clone(),
    };
    // Numbers rise with time: what was charged before the window began lies before its first number.
    let earlier = charges.iter().filter(|charge| charge.at < period.from).map(|charge| charge.sequence).max();
    let known = before.ledger.before.max(windows.first().map_or(0, |window| window.sequence));
    let first =
        earlier.unwrap_or(0).max(if turned.is_some() { known.max(closed_at(before, entries, period)) } else { known });
    let adjustment = adjusted(rules, &windows, entries, period);
    let mut counted = charges;
    counted.extend(pending.iter().map(|pending| Charge {
        sequence: pending.charge.sequence,
        record: pending.record.clone(),
        points: RiskPoints::new(pending.charge.points),
        at: pending.charge.at,
        exception: pending.charge.exception,
    }));
    let reservations: Vec<_> =
        before.ledger.reservations.iter().filter(|one| still_promised(one.record.as_str(), entries)).cloned().collect();
    let ledger = Ledger {
        period: period.clone(),
        allocated: adjustment.allocation(rules.tier, rules.points),
        before: first,
        last: sequence,
        charges: counted,
        reserved: reservations
            .iter()
            .map(|one| Reservation { record: one.record.clone(), points: RiskPoints::new(one.points) })
            .collect(),
    };
    let balance = ledger.balance(now);
    let on_their_way: BTreeSet<u64> = pending.iter().map(|pending| pending.charge.sequence).collect();
    Counted {
        missing: ledger.missing(&on_their_way),
        risk: status(&ledger, &balance, &adjustment, sequence),
        ledger: LedgerStatus { sequence, before: first, reservations, pending },
        windows,
        figures: figures(entries, period),
    }
}

fn charge_of(entry: &Entry) -> Option<Charge> {
    let charge = entry.charge.as_ref()?;
    Some(Charge {
        sequence: charge.sequence,
        record: entry.record.clone(),
        points: RiskPoints::new(charge.points),
        at: charge.at,
        exception: charge.exception,
    })
}

/// Charges that have a number and do not stand in their record yet. How long that takes says nothing: what it costs may not be
/// known while the error budget is not measured, and nobody writes a record while no controller runs. A number is given up
/// where its record is sealed without it, which the gap shows then, or where it is of a window long closed, in which it counted.
fn pending(ledger: &LedgerStatus, entries: &[Entry], period: &Period, now: Time) -> Vec<PendingCharge> {
    let stays = |one: &&PendingCharge| {
        let mut of_it = entries.iter().filter(|entry| entry.record == one.record);
        let (written, over) =
            of_it.next().map_or((false, false), |one| (one.charge.is_some(), one.outcome.is_some() && !one.waits));
        let given_up = over && now.since(one.charge.at) >= PENDING_WITHIN;
        !written && !given_up && period.from.since(one.charge.at) <= LATE
    };
    ledger.pending.iter().filter(stays).cloned().collect()
}

/// A promise ends when its release is charged or over, or its record is gone.
fn still_promised(record: &str, entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.record == record && entry.charge.is_none() && entry.outcome.is_none())
}

/// The last number of the window that closed.
fn closed_at(before: &RiskBudgetStatus, entries: &[Entry], period: &Period) -> u64 {
    let later = entries.iter().filter_map(|entry| entry.charge.as_ref()).filter(|charge| charge.at >= period.from);
    let later = later
        .map(|charge| charge.sequence)
        .chain(before.ledger.pending.iter().filter(|one| one.charge.at >= period.from).map(|one| one.charge.sequence));
    later.min().map_or(before.ledger.sequence, |first| first.saturating_sub(1))
}

/// Puts the window that closed before the others.
fn fold(closed: &RiskStatus, before: &RiskBudgetStatus, entries: &[Entry]) -> Vec<WindowStatus> {
    let period = Period { key: closed.window.clone(), from: closed.from, until: closed.until };
    let shown = outcomes(entries, &period);
    // What has its number counts, whether or not it stands in its record yet: the next window does not count it.
    let written = |record: &str| entries.iter().any(|entry| entry.record == record && entry.charge.is_some());
    let pending = before.ledger.pending.iter().filter(|one| !written(&one.record)).map(|one| &one.charge);
    let charged = entries.iter().filter_map(|entry| entry.charge.as_ref()).chain(pending);
    let charged = charged.filter(|charge| period.holds(charge.at));
    let mut spent: u32 = charged.clone().map(|charge| charge.points).fold(0, u32::saturating_add);
    // A record that is gone was counted while it was there: what is gone is not given back.
    spent = spent.max(closed.consumed);
    let window = WindowStatus {
        window: closed.window.clone(),
        from: closed.from,
        allocated: closed.allocated,
        consumed: spent,
        sequence: charged
            .clone()
            .map(|charge| charge.sequence)
            .max()
            .unwrap_or(before.ledger.before)
            .max(closed.sequence),
        releases: shown.releases,
        failed: shown.failed,
        exceptions: u32::try_from(charged.filter(|charge| charge.exception).count()).unwrap_or(u32::MAX),
        mttr: shown.mttr,
        tightened_by: closed.tightened_by.clone(),
    };
    let older = before.windows.iter().filter(|window| window.window != closed.window).cloned();
    std::iter::once(window).chain(older).take(WINDOWS_KEPT).collect()
}

/// How the present window is adjusted by the three that closed last, and by exceptions (`000_…` §5.6, §7, §8).
fn adjusted(rules: &Rules, windows: &[WindowStatus], entries: &[Entry], period: &Period) -> Adjustment {
    let of =
        |window: &WindowStatus| WindowFigures { releases: window.releases, failed: window.failed, mttr: window.mttr };
    let history = match windows {
        [last, middle, base, ..] => Some(History { base: of(base), middle: of(middle), last: of(last) }),
        _ => None,
    };
    let charges = entries.iter().filter_map(|entry| entry.charge.as_ref());
    let here = charges.filter(|charge| charge.exception && period.holds(charge.at)).count();
    let exceptions =
        u32::try_from(here).unwrap_or(u32::MAX).saturating_add(windows.first().map_or(0, |last| last.exceptions));
    adjust(&AdjustmentFacts {
        history,
        was_worse: windows.first().is_some_and(|last| last.tightened_by.contains(&Tightening::WorseFigures)),
        exceptions,
        reward: rules.reward.clone(),
    })
}

fn status(ledger: &Ledger, balance: &Balance, adjustment: &Adjustment, sequence: u64) -> RiskStatus {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let allocated = f64::from(ledger.allocated.get());
    let unspent = allocated - f64::from(balance.consumed.get());
    RiskStatus {
        window: ledger.period.key.clone(),
        from: ledger.period.from,
        until: ledger.period.until,
        allocated: ledger.allocated.get(),
        consumed: balance.consumed.get(),
        sequence,
        reserved: balance.reserved.get(),
        remaining: balance.remaining,
        remaining_percent: if allocated > 0.0 { (unspent * 1000.0 / allocated).round() / 10.0 } else { 0.0 },
        band: balance.band,
        releases: number(balance.releases),
        exceptions: number(balance.exceptions),
        depleted_at: balance.depleted_at,
        confidence: balance.confidence,
        tightened_by: adjustment.tightened_by(),
        relaxed: adjustment.relaxed().iter().map(|category| category.as_str().to_owned()).collect(),
        adjustments: adjustment.lines(),
    }
}
