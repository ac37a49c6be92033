//! What a ledger costs: a budget counted anew from all of its records, as at every look.
//!
//! `cargo bench --profile e2e --bench ledger`

use divan::{Bencher, counter::ItemsCount};
use tidegate::api::release_record::{ChargeRecord, Outcome, Trigger};
use tidegate::api::{RiskBudgetStatus, Span, Time};
use tidegate::policy::Tier;
use tidegate::policy::ledger::{Entry, Rollback, Rules, count};
use tidegate::policy::window::Period;

/// So many days after the beginning of 1970.
fn day(day: f64) -> Time {
    Time(jiff::Timestamp::from_millisecond((day * 86_400_000.0) as i64).unwrap_or_default())
}

/// Records of 90 days: every tenth came back within ten minutes, every twentieth was an exception.
fn records(number: u32) -> Vec<Entry> {
    (1..=number)
        .map(|sequence| {
            let at = 90.0 * f64::from(sequence) / f64::from(number);
            let back = sequence % 10 == 0;
            let took = Span::minutes(10);
            Entry {
                record: format!("web-{sequence:05}"),
                charge: Some(ChargeRecord {
                    sequence: sequence.into(),
                    points: 1 + sequence % 20,
                    at: day(at),
                    exception: sequence % 20 == 0,
                    remaining: None,
                    remaining_after: None,
                }),
                outcome: Some(if back { Outcome::RolledBack } else { Outcome::Succeeded }),
                waits: false,
                ended_at: Some(day(at + 0.02)),
                recovered: back.then_some(took),
                rollback: back.then(|| Rollback {
                    trigger: Trigger::ErrorRate,
                    at: day(at + 0.01),
                    took: Some(took),
                    late: true,
                }),
                shown_short: false,
                diff_lines: Some(sequence % 900),
                link: None,
            }
        })
        .collect()
}

#[divan::bench(args = [100, 1_000, 10_000])]
fn counted(bencher: Bencher<'_, '_>, number: u32) {
    let records = records(number);
    let period = Period { key: "1970-03".to_owned(), from: day(60.0), until: day(91.0) };
    let (rules, before, now) =
        (Rules { tier: Tier::T2, points: None, reward: None }, RiskBudgetStatus::default(), day(90.5));
    bencher.counter(ItemsCount::new(number)).bench(|| count(&rules, &before, &records, &period, now));
}

fn main() {
    divan::main();
}
