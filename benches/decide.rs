//! How long the pure core takes to decide: `just bench`.

#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tidegate::api::release_record::{ChargeRecord, Outcome};
use tidegate::api::risk_budget::Window;
use tidegate::api::{RiskBudgetStatus, Span, Time};
use tidegate::policy::ledger::{Entry, Rules, count};
use tidegate::policy::window::Cut;
use tidegate::policy::{RiskPoints, Tier};
use tidegate::release::{bench, lint, plan};

/// One look at a release: from what was seen to what is to be done and said.
fn plans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    let moments = [
        ("idle", bench::idle()),
        ("held in Plan, Tier 3, whole policy", bench::held_in_plan()),
        ("baking in Release", bench::in_release()),
    ];
    for (name, (seen, now)) in &moments {
        group.bench_function(*name, |bencher| bencher.iter(|| plan(black_box(seen), black_box(*now))));
    }
    let (_, (seen, now)) = &moments[2];
    group.bench_function("baking in Release, with the linter", |bencher| {
        bencher.iter(|| lint(plan(black_box(seen), black_box(*now)), black_box(seen)).is_ok());
    });
    group.finish();
}

/// A budget with so many records behind it, of nearly a year, one in a hundred of which failed.
fn entries(records: u64, first: Time, apart: Span) -> Vec<Entry> {
    let at = |number: u64| first.plus(Span::from_millis(apart.as_millis() * number));
    (0..records)
        .map(|number| Entry {
            record: format!("web-{number:05}"),
            charge: Some(ChargeRecord {
                sequence: number + 1,
                points: 12,
                at: at(number),
                exception: number % 200 == 0,
            }),
            outcome: Some(if number % 100 == 0 { Outcome::RolledBack } else { Outcome::Succeeded }),
            ended_at: Some(at(number).plus(Span::minutes(40))),
            recovered: (number % 100 == 0).then(|| Span::minutes(3)),
        })
        .collect()
}

/// The ledger, counted from its records.
fn ledger(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ledger");
    let first = Time("2026-01-01T00:00:00Z".parse().unwrap());
    let rules = Rules { tier: Tier::T2, points: Some(RiskPoints::new(100_000)), reward: None };
    let cut = Cut::new(&Window::default(), jiff::tz::TimeZone::UTC).unwrap();
    for records in [100, 1_000, 10_000] {
        let entries = entries(records, first, Span::from_millis(Span::days(360).as_millis() / records));
        let now = first.plus(Span::days(361));
        // As it stands from one look to the next: the second look finds nothing new.
        let once = count(&rules, &RiskBudgetStatus::default(), &entries, &cut.at(now), now);
        let before = RiskBudgetStatus {
            risk: Some(once.risk),
            ledger: once.ledger,
            windows: once.windows,
            ..RiskBudgetStatus::default()
        };
        group.bench_function(format!("{records} records"), |bencher| {
            bencher.iter(|| count(&rules, black_box(&before), black_box(&entries), &cut.at(now), now));
        });
    }
    group.finish();
}

criterion_group!(decide, plans, ledger);
criterion_main!(decide);
