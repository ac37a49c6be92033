//! From records to a status: what a window counts, how it closes, what it showed.

mod counting;
mod figures;

use crate::api::Time;
use crate::api::release_record::{ChargeRecord, Outcome, Trigger};
use crate::api::{RiskBudgetStatus, Span};
use crate::policy::ledger::{Counted, Entry, Rollback, Rules, count};
use crate::policy::tier::Tier;
use crate::policy::window::Period;

/// So many days after the beginning of 1970.
fn day(day: f64) -> Time {
    Time(jiff::Timestamp::from_millisecond((day * 86_400_000.0) as i64).unwrap())
}

/// The window of days 0 to 30, then 30 to 60, and so on.
fn period(number: u32) -> Period {
    let from = f64::from(number) * 30.0;
    Period { key: format!("w{number}"), from: day(from), until: day(from + 30.0) }
}

/// A release that users met, which goes on.
fn charge_of(sequence: u64, points: u32, at: f64) -> ChargeRecord {
    ChargeRecord { sequence, points, at: day(at), exception: false, remaining: None, remaining_after: None }
}

fn charged(sequence: u64, points: u32, at: f64) -> Entry {
    Entry {
        record: format!("web-{sequence:04}"),
        charge: Some(charge_of(sequence, points, at)),
        outcome: None,
        waits: false,
        ended_at: None,
        recovered: None,
        rollback: None,
        shown_short: false,
        diff_lines: None,
    }
}

fn ended(entry: Entry, outcome: Outcome, at: f64) -> Entry {
    Entry { outcome: Some(outcome), ended_at: Some(day(at)), ..entry }
}

/// A release that came back after so many minutes.
fn came_back(entry: Entry, trigger: Trigger, at: f64, minutes: u64) -> Entry {
    let took = Span::minutes(minutes);
    let rollback = Rollback { trigger, at: day(at), took: Some(took), late: took > Span::minutes(5) };
    let entry = Entry { rollback: Some(rollback), recovered: Some(took), ..entry };
    ended(entry, Outcome::RolledBack, at)
}

fn exception(mut entry: Entry) -> Entry {
    if let Some(charge) = &mut entry.charge {
        charge.exception = true;
    }
    entry
}

fn rules() -> Rules {
    Rules { tier: Tier::T2, points: None, reward: None }
}

/// The status that a count leaves behind, for the next one.
fn status(counted: &Counted) -> RiskBudgetStatus {
    RiskBudgetStatus {
        risk: Some(counted.risk.clone()),
        ledger: counted.ledger.clone(),
        windows: counted.windows.clone(),
        ..RiskBudgetStatus::default()
    }
}

/// Looks at a budget once in each of these windows, in their order, with the records that there are by then.
fn windows(looks: &[(u32, &[Entry])]) -> Counted {
    let mut before = RiskBudgetStatus::default();
    let mut last = None;
    for (number, entries) in looks {
        let counted = count(&rules(), &before, entries, &period(*number), day(f64::from(*number) * 30.0 + 29.0));
        before = status(&counted);
        last = Some(counted);
    }
    last.unwrap()
}
